//! `dkim verify`: judges the signatures of messages.

mod domainkeys;
mod fleet;
mod json;
mod judge;
mod progress;
mod text;
mod writer;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use anstream::AutoStream;
use clap::Args;
use dkim_stack::authres::DkimResult;
use dkim_stack::verify::Treatment;
use dkim_stack::{DomainName, KeyCache, Policy, UnixTime, Verification, now};

use crate::diagnostics::{Failure, note};
use crate::dns::{Dns, DnsArgs};
use crate::exit::{self, Exit};
use crate::practices::Wanted;
use crate::preset::Preset;
use crate::provider::provider;
use crate::reasons;
use judge::{Form, Judge};
use writer::Writer;

/// Below this no provider verifies (RFC 8301 §3.2).
const LEAST_KEY_BITS: u32 = 1024;

/// How many keys are kept ready: one takes a kilobyte or two, and twenty at most.
const KEPT_KEYS: usize = 4_096;

/// Verify the DKIM signatures of messages
///
/// Every DKIM-Signature field is judged, and told from top to bottom (RFC 6376 §6), and the
/// Authentication-Results field to be added is shown (RFC 8601). Key records come from the DNS, or
/// from zone files and nowhere else.
///
/// DomainKey-Signature fields (RFC 4870, Historic) are judged and listed, too. They count for nothing:
/// all are rsa-sha1, none passes without --allow-sha1, and the exit code does not heed them.
///
/// A FILE is a message, an mbox (it begins with a line `From …`; read as mboxrd: `>From ` loses one
/// `>`, Content-Length is ignored) or a Maildir. All are read as streams, of any size. A message
/// whose header uses LF throughout is read with each LF as CRLF, which is said on standard error; any
/// other bare LF or CR counts as it stands.
///
/// Many messages are judged at once, on all cores, and what they ask of the DNS together is asked
/// once. What is found is written in the order of the messages, each as soon as it is its turn. If
/// that goes to a file, the terminal shows how many messages are done.
#[derive(Debug, Args)]
#[command(after_long_help = help())]
pub(crate) struct Verify {
    /// Messages, mboxes, Maildirs; `-` is standard input
    #[arg(value_name = "FILE", default_value = "-")]
    files: Vec<PathBuf>,

    /// Write one JSON object a message, on one line
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    dns: DnsArgs,

    /// Judge as of this time, in seconds since 1970, and not as of now
    #[arg(long, value_name = "UNIXTIME")]
    at: Option<u64>,

    /// What to do about signatures that are right but not as they should be
    #[arg(long, value_enum, default_value_t = Preset::Rfc)]
    policy: Preset,

    /// Accept rsa-sha1, for archives (RFC 8301 forbids it)
    #[arg(long)]
    allow_sha1: bool,

    /// Tell too what the Author Domains say about their signatures: ADSP (RFC 5617, Historic)
    ///
    /// The domains of the From field, asked after the signatures were judged. Nothing is done about
    /// the result: neither signatures nor exit code depend on it.
    #[arg(long)]
    adsp: bool,

    /// Tell too whether the Author Domains let others sign for them: ATPS (RFC 6541, Experimental)
    ///
    /// For valid signatures that say so with atps=. What is confirmed counts for --adsp as a
    /// signature of the Author Domain.
    #[arg(long)]
    atps: bool,

    /// Tell too what this site found out before, in Authentication-Results that it has signed
    ///
    /// Such as a mailing list that breaks signatures after it has verified them (RFC 6377). It must
    /// be known to take away the results of others before it signs: what it says is believed.
    /// Signatures that it found valid count for --adsp. May be given more than once.
    #[arg(long, value_name = "DOMAIN", value_parser = DomainName::parse)]
    trust: Vec<DomainName>,

    /// The shortest RSA key that may verify
    ///
    /// 1024 unless said. Less has no effect but a note: below 1024 bits no provider verifies
    /// (RFC 8301).
    #[arg(long, value_name = "BITS")]
    min_key_bits: Option<u32>,

    /// How many messages may be under way at once
    ///
    /// Most of them wait for the DNS, so there may be many for each core. With 1 they are judged
    /// one after the other. What is written is the same in any case.
    #[arg(long, value_name = "N", default_value_t = 256, value_parser = clap::value_parser!(u16).range(1..))]
    jobs: u16,

    /// Who says so in the Authentication-Results field; the host's name unless said
    #[arg(long, value_name = "NAME")]
    authserv_id: Option<String>,
}

fn help() -> String {
    const EXAMPLES: &str = "\
Examples:
  dkim verify message.eml
  dkim verify --json --zone keys.zone --at 1700000000 - < message.eml
  dkim verify --dns 9.9.9.9 --policy strict ~/Maildir archive.mbox
  dkim verify --json ~/Maildir |
      jq -r '.signatures[] | select(.type == \"dkim\").result' |
      sort | uniq -c
";
    [EXAMPLES, &exit::help(), json::HELP, &reasons::help()].join("\n")
}

impl Verify {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        if let Some(bits) = self.min_key_bits.filter(|bits| *bits < LEAST_KEY_BITS) {
            let never = format_args!("no provider verifies RSA keys under {LEAST_KEY_BITS} bits");
            note(format_args!("--min-key-bits {bits}"), never);
        }
        let policy = self.policy();
        let judge = Judge {
            dns: Dns::shared(&self.dns)?,
            keys: Arc::new(KeyCache::new(provider(), KEPT_KEYS)),
            domainkeys: domainkeys::policy(&policy),
            policy,
            now: self.at.map_or_else(now, UnixTime),
            trusted: self.trust,
            wanted: Wanted { adsp: self.adsp, atps: self.atps },
            authserv_id: self.authserv_id.unwrap_or_else(host_name),
            form: if self.json {
                Form::Json
            } else {
                Form::Text(AutoStream::choice(&io::stdout()))
            },
        };
        let mut writer = Writer::new();
        fleet::judge_all(self.files, judge, self.jobs, &mut writer)?;
        writer.finish()
    }

    fn policy(&self) -> Policy {
        let mut policy = self.policy.policy();
        if self.allow_sha1 {
            policy.sha1 = Treatment::Accept;
        }
        if let Some(bits) = self.min_key_bits {
            policy.min_rsa_bits = bits;
        }
        policy
    }
}

pub(crate) fn exit_of(found: &[Verification]) -> Exit {
    let is_temporary = |found: &Verification| found.outcome.result() == DkimResult::TempError;
    // RFC 6376 §3.6.1 `t=y`: a message as an unsigned one.
    if found.iter().any(Verification::counts) {
        Exit::Success
    } else if !found.is_empty() && found.iter().all(is_temporary) {
        Exit::Temporary
    } else {
        Exit::NonePasses
    }
}

pub(crate) fn host_name() -> String {
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    if name.is_empty() { "localhost".to_owned() } else { name }
}
