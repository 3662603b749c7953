//! `dkim border`: what the border of a site does to a message that comes in.

use std::io::{self, Write};
use std::ops::ControlFlow;
use std::path::PathBuf;

use clap::Args;
use dkim_stack::authres::{AuthenticationResults, OwnIds, without_forged};
use dkim_stack::dns::drive_blocking;
use dkim_stack::verify::Stance;
use dkim_stack::{Policy, Treatment, Verifier, now, res_infos};

use crate::diagnostics::{Failure, note};
use crate::dns::{Dns, DnsArgs};
use crate::exit::{self, Exit};
use crate::input::{Message, MessageError, Origin, Twice, refuse_malformed};
use crate::output;
use crate::preset::Preset;
use crate::provider::provider;
use crate::strip::{OwnId, note_deleted};

/// Verify a message that comes in, and write it with the results on top
///
/// Authentication-Results fields that claim to come from inside are deleted as `dkim strip` does, and
/// what verifying the message found stands above all others (RFC 8601 §5, §4.1). Every other octet is
/// written to standard output as it was. Whoever delivers the message reads the results there: it is
/// written whether a signature passes or not.
///
/// A line `From …` at the top, as delivery agents put it there, stays on top. A message whose header
/// readers may read in different ways is not written; whoever calls this must not deliver it then
/// (exit code 65), nor when the message could not be read or written.
#[derive(Debug, Args)]
#[command(after_long_help = help())]
pub(crate) struct Border {
    /// The message as it came in; `-` is standard input
    #[arg(value_name = "FILE", default_value = "-")]
    file: PathBuf,

    #[command(flatten)]
    own: OwnId,

    #[command(flatten)]
    dns: DnsArgs,

    /// What to do about signatures that are right but not as they should be
    ///
    /// Whatever is said here, nothing passes by a key in test (t=y): such mail is to be treated as if it
    /// were unsigned (RFC 6376 §3.6.1).
    #[arg(long, value_enum, default_value_t = Preset::Strict)]
    policy: Preset,
}

fn help() -> String {
    const EXAMPLES: &str = "\
Examples:
  dkim border --authserv-id mx.example.org < message.eml > delivered.eml
  # as a filter of procmail(1); what fails is tried again until it expires
  :0 fw
  | dkim border --authserv-id mx.example.org
  :0 e
  { EXITCODE=75 HOST }
";
    [EXAMPLES, &exit::help()].join("\n")
}

impl Border {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        output::refuse_closed()?;
        let own = self.own.ids()?;
        let dns = Dns::new(&self.dns)?;
        let mut policy = self.policy.policy();
        policy.testing = Treatment::Refuse;
        let origin = Origin::of(&self.file);
        let write = || {
            let mut octets = Twice::open(&self.file)?;
            let border = Judged::of(&mut octets, &own, &policy, &origin, &dns)?;
            let mut out = io::stdout().lock();
            out.write_all(&border.head).map_err(|error| Failure::output(&error))?;
            if octets.copy_to(border.head_octets, &mut out)? != border.body_octets {
                return Err(Failure::new(Exit::NoInput, "changed while it was read"));
            }
            out.flush().map_err(|error| Failure::output(&error))
        };
        write().map_err(|failure| failure.on(&origin))?;
        Ok(Exit::Success)
    }
}

/// A message that was verified.
struct Judged {
    /// What takes the place of its header, the empty line included.
    head: Vec<u8>,
    /// So many octets were there.
    head_octets: u64,
    /// So many come after them.
    body_octets: u64,
}

impl Judged {
    fn of(
        octets: &mut Twice,
        own: &OwnIds,
        policy: &Policy,
        origin: &Origin,
        dns: &Dns,
    ) -> Result<Self, Failure> {
        let mut head = octets.take_separator()?;
        let separator = u64::try_from(head.len()).unwrap_or(0);
        let mut message = Message::open(octets)?;
        let header = message.header();
        refuse_malformed(&header)?;
        let mut verifier = Verifier::new(&header, policy, now(), provider());
        if verifier.unlisted() > 0 {
            note(origin, format_args!("{} more signatures are not looked at", verifier.unlisted()));
        }
        drive_blocking(&mut verifier, dns);
        let (kept, forged) = without_forged(&header, own);
        note_deleted(origin, forged.len());
        let (line_ends, mut scratch) = (message.line_ends, Vec::new());
        let kept = [&*kept, message.empty_line()].concat();
        let head_octets = separator + message.header_length;
        let (mut body_octets, mut is_needed) = (0, verifier.stance() == Stance::Interested);
        let body = |chunk: &[u8]| {
            body_octets += u64::try_from(chunk.len()).unwrap_or(0);
            if is_needed {
                let stance = verifier.body_chunk(line_ends.to_crlf(chunk, &mut scratch));
                is_needed = stance == Stance::Interested;
            }
            ControlFlow::Continue(())
        };
        message.body.for_each(body).map_err(MessageError::from)?;
        let results = res_infos(&verifier.finish());
        let results = results.into_iter().fold(own.results(), AuthenticationResults::with);
        head.extend_from_slice(line_ends.of_text(&results.field()).as_bytes());
        head.extend_from_slice(&line_ends.of_octets(&kept));
        Ok(Self { head, head_octets, body_octets })
    }
}
