//! `dkim verify`: judges the signatures of messages.

use std::io::{self, Read, Write};
use std::ops::ControlFlow;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use dkim_stack::authres::{AuthenticationResults, DkimResult, ResInfo};
use dkim_stack::dns::drive_blocking;
use dkim_stack::verify::{Stance, Treatment};
use dkim_stack::{Policy, UnixTime, Verification, Verifier, now, res_infos};

use crate::diagnostics::{Failure, note};
use crate::dns::{Dns, DnsArgs};
use crate::exit::{self, Exit};
use crate::input::{LineEnds, Message, MessageError, Origin, for_each_message};
use crate::provider::provider;
use crate::{json, reasons, report};

/// Below this no provider verifies (RFC 8301 §3.2).
const LEAST_KEY_BITS: u32 = 1024;

/// Verify the DKIM signatures of messages
///
/// Every DKIM-Signature field is judged, top to bottom (RFC 6376 §6), and the
/// Authentication-Results field to be added is shown (RFC 8601). Key records come from the DNS, or
/// from zone files and nowhere else.
///
/// A FILE is a message, an mbox (it begins with a line `From …`; read as mboxrd: `>From ` loses one
/// `>`, Content-Length is ignored) or a Maildir. All are read as streams, of any size. A message
/// that uses LF throughout is read as CRLF, which is said on standard error; any other bare LF or
/// CR counts as it stands.
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

    /// The shortest RSA key that may verify
    ///
    /// 1024 unless said. Less has no effect but a note: below 1024 bits no provider verifies
    /// (RFC 8301).
    #[arg(long, value_name = "BITS")]
    min_key_bits: Option<u32>,

    /// Who says so in the Authentication-Results field; the host's name unless said
    #[arg(long, value_name = "NAME")]
    authserv_id: Option<String>,
}

/// The policies there are.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Preset {
    /// What the RFCs ask for
    Rfc,
    /// Whatever the RFCs let a verifier refuse is refused, as l= that leaves octets unsigned
    Strict,
    /// Whatever verifies passes, its deviations beside it
    Lenient,
}

fn help() -> String {
    const EXAMPLES: &str = "\
Examples:
  dkim verify message.eml
  dkim verify --json --zone keys.zone --at 1700000000 - < message.eml
  dkim verify --dns 9.9.9.9 --policy strict ~/Maildir archive.mbox
";
    [EXAMPLES, &exit::help(), json::HELP, &reasons::help()].join("\n")
}

impl Verify {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        if let Some(bits) = self.min_key_bits.filter(|bits| *bits < LEAST_KEY_BITS) {
            let never = format_args!("no provider verifies RSA keys under {LEAST_KEY_BITS} bits");
            note(format_args!("--min-key-bits {bits}"), never);
        }
        let mut judge = Judge {
            dns: Dns::new(&self.dns)?,
            policy: self.policy(),
            now: self.at.map_or_else(now, UnixTime),
            authserv_id: self.authserv_id.unwrap_or_else(host_name),
            json: self.json,
            worst: Exit::Success,
            noted: None,
        };
        for file in &self.files {
            for_each_message(file, &mut |origin, octets| judge.message(origin, octets))?;
        }
        Ok(judge.worst)
    }

    fn policy(&self) -> Policy {
        let mut policy = match self.policy {
            Preset::Rfc => Policy::rfc(),
            Preset::Strict => Policy::strict(),
            Preset::Lenient => Policy::lenient(),
        };
        if self.allow_sha1 {
            policy.sha1 = Treatment::Accept;
        }
        if let Some(bits) = self.min_key_bits {
            policy.min_rsa_bits = bits;
        }
        policy
    }
}

/// What does not change from message to message, and the worst that was found.
struct Judge {
    dns: Dns,
    policy: Policy,
    now: UnixTime,
    authserv_id: String,
    json: bool,
    worst: Exit,
    /// The file of which it was said that its line ends are LF.
    noted: Option<String>,
}

impl Judge {
    /// Judges a message and writes what was found. The only failure is that it cannot be written.
    fn message(
        &mut self,
        origin: &Origin,
        octets: Result<&mut dyn Read, Failure>,
    ) -> Result<(), Failure> {
        let judged = octets.and_then(|octets| {
            let mut message = Message::open(octets)?;
            self.note_line_ends(origin, message.line_ends);
            Ok((self.verify(origin, &mut message)?, message))
        });
        let written = match judged {
            Ok((found, message)) => {
                self.worst = self.worst.max(exit_of(&found));
                self.write(origin, &message, &found)
            }
            Err(failure) => {
                let failure = failure.on(origin);
                self.worst = self.worst.max(failure.exit);
                failure.tell();
                if self.json {
                    json::unreadable(&mut io::stdout().lock(), origin, &failure)
                } else {
                    Ok(())
                }
            }
        };
        written.map_err(|error| Failure::output(&error))
    }

    fn verify(
        &self,
        origin: &Origin,
        message: &mut Message<'_>,
    ) -> Result<Vec<Verification>, MessageError> {
        let mut verifier = Verifier::new(&message.header(), &self.policy, self.now, provider());
        drive_blocking(&mut verifier, &self.dns);
        if verifier.unlisted() > 0 {
            let more = format_args!("{} more signatures are not looked at", verifier.unlisted());
            note(origin, more);
        }
        if verifier.stance() == Stance::Interested {
            let (line_ends, mut scratch) = (message.line_ends, Vec::new());
            // To its end, even when no more is needed: people are told how much of it is signed.
            message.body.for_each(|chunk| {
                verifier.body_chunk(line_ends.to_crlf(chunk, &mut scratch));
                ControlFlow::Continue(())
            })?;
        }
        Ok(verifier.finish())
    }

    fn write(
        &self,
        origin: &Origin,
        message: &Message<'_>,
        found: &[Verification],
    ) -> io::Result<()> {
        let results = results(&self.authserv_id, found);
        if self.json {
            return json::message(&mut io::stdout().lock(), origin, found, &results);
        }
        let mut out = anstream::stdout().lock();
        report::message(&mut out, origin, &message.header(), found, &results)?;
        out.flush()
    }

    /// Says once a file that LF is read as CRLF.
    fn note_line_ends(&mut self, origin: &Origin, line_ends: LineEnds) {
        if line_ends == LineEnds::Lf && self.noted.as_ref() != Some(&origin.file) {
            let file = Origin { number: None, ..origin.clone() };
            note(&file, "lines end with LF; read as CRLF");
            self.noted = Some(file.file);
        }
    }
}

/// The field to be added to the message (RFC 8601).
fn results(authserv_id: &str, found: &[Verification]) -> AuthenticationResults {
    let results = AuthenticationResults::new(authserv_id);
    if found.is_empty() {
        return results.with(ResInfo::new("dkim", DkimResult::None.name()));
    }
    res_infos(found).into_iter().fold(results, AuthenticationResults::with)
}

pub(crate) fn exit_of(found: &[Verification]) -> Exit {
    let is_temporary = |found: &Verification| found.outcome.result() == DkimResult::TempError;
    if found.iter().any(Verification::passes) {
        Exit::Success
    } else if !found.is_empty() && found.iter().all(is_temporary) {
        Exit::Temporary
    } else {
        Exit::NonePasses
    }
}

fn host_name() -> String {
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    if name.is_empty() { "localhost".to_owned() } else { name }
}
