//! `dkim strip`: deletes Authentication-Results fields that claim to be one's own.

use std::io::{self, Read, Write};
use std::ops::ControlFlow;
use std::path::PathBuf;

use clap::Args;
use dkim_stack::authres::{OwnIds, without_forged};

use crate::diagnostics::{Failure, note};
use crate::exit::{self, Exit};
use crate::input::{Message, MessageError, Origin, open_message, refuse_malformed, refuse_mbox};
use crate::output;

/// Delete forged Authentication-Results fields from a message
///
/// What came from outside and claims, by its authserv-id, to come from inside is forged (RFC 8601
/// §5). Such fields are deleted however the id is written (case, comments, folding, quotes, dots,
/// another version, A-labels or U-labels) and so are those in which a careless reader would find
/// it. Every other octet is written to standard output as it was.
///
/// A signature may cover such a field: verify the message as it came in. `dkim border` does both, and
/// writes the results.
#[derive(Debug, Args)]
#[command(after_long_help = help())]
pub(crate) struct Strip {
    /// The message; `-` is standard input
    #[arg(value_name = "FILE", default_value = "-")]
    file: PathBuf,

    #[command(flatten)]
    own: OwnId,
}

/// Who is believed inside.
#[derive(Debug, Args)]
pub(crate) struct OwnId {
    /// Who is believed inside: the name in the fields that one's own servers add
    ///
    /// May be given several times; the first is the one that is written, where results are.
    #[arg(long, value_name = "NAME", required = true)]
    authserv_id: Vec<String>,
}

impl OwnId {
    /// The names, each of somebody.
    pub(crate) fn ids(&self) -> Result<OwnIds, Failure> {
        OwnIds::new(&self.authserv_id).map_err(|error| {
            Failure::of(Exit::Usage, &error).remedy("give the name in your own fields")
        })
    }
}

/// Tells how many fields were deleted, if some were.
pub(crate) fn note_deleted(origin: &Origin, fields: usize) {
    match fields {
        0 => {}
        1 => note(origin, "1 field deleted"),
        more => note(origin, format_args!("{more} fields deleted")),
    }
}

fn help() -> String {
    const EXAMPLES: &str = "\
Examples:
  dkim strip --authserv-id mx.example.org message.eml > clean.eml
  dkim strip --authserv-id example.org --authserv-id mx1.example.org - \\
      < message.eml
";
    [EXAMPLES, &exit::help()].join("\n")
}

impl Strip {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        output::refuse_closed()?;
        let origin = Origin::of(&self.file);
        let own = self.own.ids()?;
        open_message(&self.file)
            .and_then(|mut octets| strip(&origin, &own, &mut octets))
            .map_err(|failure| failure.on(&origin))
    }
}

fn strip(origin: &Origin, own: &OwnIds, octets: &mut dyn Read) -> Result<Exit, Failure> {
    let mut message = Message::open(octets)?;
    let header = message.header();
    refuse_mbox(header.octets())?;
    refuse_malformed(&header)?;
    let (kept, forged) = without_forged(&header, own);
    note_deleted(origin, forged.len());
    let line_ends = message.line_ends;
    let head = [&*kept, message.empty_line()].concat();
    let mut out = io::stdout().lock();
    let mut written = out.write_all(&line_ends.of_octets(&head));
    let body = |chunk: &[u8]| {
        if written.is_ok() {
            written = out.write_all(chunk);
        }
        if written.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    };
    message.body.for_each(body).map_err(MessageError::from)?;
    written.and_then(|()| out.flush()).map_err(|error| Failure::output(&error))?;
    Ok(Exit::Success)
}
