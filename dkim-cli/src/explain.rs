//! `dkim explain`: tells why signatures do not verify.

mod json;
mod text;

use std::io::{self, Read, Write};
use std::path::PathBuf;

use clap::Args;
use dkim_stack::dns::drive_blocking;
use dkim_stack::explain::{
    BodyFinding, Explanation, HeaderFinding, KeyFit, MAX_EXPLAINED, explain,
};
use dkim_stack::verify::Reason;
use dkim_stack::{Deviation, Policy, UnixTime, Verification, Verifier, now};

use crate::diagnostics::{Failure, note};
use crate::dns::{Dns, DnsArgs};
use crate::exit::{self, Exit};
use crate::input::{LineEnds, Message, Origin};
use crate::one_by_one::{Unread, one_by_one};
use crate::provider::provider;
use crate::verify::exit_of;

/// Tell why the signatures of a message do not verify
///
/// Shows what was hashed and tries what relays, mailing lists, gateways and signers are known to do:
/// lines added to the body, white space or line ends changed, another canonicalization, a tag in the
/// subject, fields added, rewritten, removed or folded anew, another transfer encoding. What is named
/// suffices: once it is undone, the body hash is right, or the key verifies the header. An RSA
/// signature tells by itself whether the key is the one that signed.
#[derive(Debug, Args)]
#[command(after_long_help = help())]
pub(crate) struct Explain {
    /// Messages, mboxes, Maildirs; `-` is standard input
    #[arg(value_name = "FILE", default_value = "-")]
    files: Vec<PathBuf>,

    /// Write one JSON object a message, on one line
    #[arg(long)]
    json: bool,

    /// Explain only this signature, counted from 1
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    signature: Option<u32>,

    #[command(flatten)]
    dns: DnsArgs,

    /// Judge as of this time, in seconds since 1970, and not as of now
    #[arg(long, value_name = "UNIXTIME")]
    at: Option<u64>,
}

fn help() -> String {
    const EXAMPLES: &str = "\
Examples:
  dkim explain message.eml
  dkim explain --zone keys.zone --at 1700000000 --signature 2 message.eml
  dkim explain --json - < message.eml | jq '.signatures[].header.changes'
";
    [EXAMPLES, &exit::help(), json::HELP].join("\n")
}

/// A signature, and what there is to say about it; nothing if it cannot be read.
struct Told {
    found: Verification,
    explanation: Option<Explanation>,
}

impl Told {
    /// What a person does about it. Where the table of reasons sends people here, what was found
    /// counts.
    fn remedy(&self) -> &'static str {
        let reason = self.found.outcome.reason();
        if reason == Reason::KeySyntax
            && self.found.deviations.contains(&Deviation::SeveralKeyRecords)
        {
            return "leave one record at the name, with all strings of the key in it; `dkim key test` tells what stands there";
        }
        let is_explained = matches!(reason, Reason::BodyHashMismatch | Reason::SignatureMismatch);
        let Some(explanation) = self.explanation.as_ref().filter(|_| is_explained) else {
            return reason.remedy();
        };
        match (&explanation.body, &explanation.header) {
            (_, HeaderFinding::Unexplained { key: KeyFit::DoesNotFit, .. }) => {
                "publish the key that signs, or sign with the one that is published"
            }
            (BodyFinding::Unexplained { .. }, _) | (_, HeaderFinding::Unexplained { .. }) => {
                "compare it with the message as it was sent: `dkim diff SENT RECEIVED`"
            }
            _ => "find what changes messages so: let it stop, or sign what it sends itself",
        }
    }
}

impl Explain {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let dns = Dns::new(&self.dns)?;
        let unread = if self.json { Unread::OfSignatures } else { Unread::Untold };
        one_by_one(&self.files, unread, |origin, octets| self.message(origin, octets, &dns))
    }

    fn message(&self, origin: &Origin, octets: &mut dyn Read, dns: &Dns) -> Result<Exit, Failure> {
        let mut message = Message::open(octets)?;
        let body = message.whole_body()?;
        if message.line_ends == LineEnds::Lf {
            note(origin, "lines end with LF; read as CRLF");
        }
        let header = message.header();
        let now = self.at.map_or_else(now, UnixTime);
        let mut verifier = Verifier::new(&header, &Policy::rfc(), now, provider());
        drive_blocking(&mut verifier, dns);
        verifier.body_chunk(&body);
        let found = verifier.finish();
        let wanted = self.signature.and_then(|number| usize::try_from(number - 1).ok());
        let found: Vec<Verification> = found
            .into_iter()
            .filter(|found| wanted.is_none_or(|wanted| found.index == wanted))
            .collect();
        if let (Some(number), []) = (self.signature, &*found) {
            return Err(Failure::new(Exit::Data, format_args!("there is no signature {number}")));
        }
        let exit = exit_of(&found);
        if let Some(more) = found.len().checked_sub(MAX_EXPLAINED).filter(|more| *more > 0) {
            let more = format_args!("{more} more signatures; choose one with --signature");
            note(origin, more);
        }
        let found: Vec<Verification> = found.into_iter().take(MAX_EXPLAINED).collect();
        let explanations = explain(&header, &body, &found, provider());
        let told: Vec<Told> = found
            .into_iter()
            .zip(explanations)
            .map(|(found, explanation)| Told { found, explanation })
            .collect();
        if self.json {
            json::message(&mut io::stdout().lock(), origin, &told)
        } else {
            let mut out = anstream::stdout().lock();
            text::message(&mut out, origin, &told).and_then(|()| out.flush())
        }
        .map_err(|error| Failure::output(&error))?;
        Ok(exit)
    }
}
