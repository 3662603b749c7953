//! `dkim relay-check`: what a mailing list does to the signatures of a message.

use std::io::{self, Write};
use std::path::PathBuf;

use anstyle::{AnsiColor, Style};
use clap::Args;
use dkim_stack::Deviation;
use dkim_stack::explain::{Fate, Relayed, relayed};
use dkim_stack::message::Header;
use serde::Serialize;

use crate::diagnostics::Failure;
use crate::diff::{self, Entries};
use crate::exit::{self, Exit};
use crate::input::Held;
use crate::json::{SCHEMA, line};
use crate::printable::printable;

/// Tell which signatures a mailing list or forwarder breaks, and by what
///
/// Compares a message as it went in with the same message as it came out. No key is asked for: a
/// signature that verified before verifies afterwards if nothing that it covers has changed, and if
/// the header has not become one that verifiers refuse: malformed, or with a second From. Exits with
/// 1 if one is broken or doubtful; one that was taken away is neither.
#[derive(Debug, Args)]
#[command(after_long_help = help())]
pub(crate) struct RelayCheck {
    /// The message as it went in, with its signatures; `-` is standard input, here or there
    #[arg(value_name = "SIGNED")]
    signed: PathBuf,

    /// The message as it came out
    #[arg(value_name = "LISTED")]
    listed: PathBuf,

    /// Write one JSON object, on one line
    #[arg(long)]
    json: bool,
}

fn help() -> String {
    const EXAMPLES: &str = "\
Example:
  dkim relay-check posted.eml delivered.eml

What breaks signatures most often: a tag in the Subject, a footer, a changed Reply-To, From or To,
text re-encoded (RFC 6377 §3.3). A list that does such things signs what it sends itself, and takes
the signatures away that it breaks (RFC 6377 §5.7, §5.8): `dkim mediate`.

";
    const JSON: &str = "\
JSON, one object, on one line:
  schema          1; raised when a change breaks readers
  signatures      one object for each signature of SIGNED, top to bottom:
    domain, selector    d= and s=, null if it cannot be read
    fate          kept, doubtful, broken, removed, unreadable, or not-compared (beyond the first
                  ten, or over the body in more than four ways, by c= and l=)
    deviations    if it is doubtful, why: malformed-header, multiple-from
    fields, body  if it is broken, what differs, as `dkim diff --json` has it
";
    [EXAMPLES, &exit::help(), "\n", JSON].concat()
}

#[derive(Serialize)]
struct Object<'a> {
    schema: u32,
    signatures: Vec<Entry<'a>>,
}

#[derive(Serialize)]
struct Entry<'a> {
    domain: Option<&'a str>,
    selector: Option<&'a str>,
    fate: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    deviations: Option<Vec<&'static str>>,
    #[serde(flatten)]
    difference: Option<Entries<'a>>,
}

impl RelayCheck {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let (signed, listed) = Held::read_two(&self.signed, &self.listed)?;
        let (before, after) = (Header::parse(&signed.header), Header::parse(&listed.header));
        let found = relayed((&before, &signed.body), (&after, &listed.body));
        let written = if self.json {
            let signatures = found.iter().map(entry).collect();
            line(&mut io::stdout().lock(), &Object { schema: SCHEMA, signatures })
        } else {
            let mut out = anstream::stdout().lock();
            write(&mut out, &found).and_then(|()| out.flush())
        };
        written.map_err(|error| Failure::output(&error))?;
        let is_broken = |one: &Relayed| matches!(one.fate, Fate::Broken(_) | Fate::Doubtful(_));
        Ok(if found.iter().any(is_broken) { Exit::NonePasses } else { Exit::Success })
    }
}

fn word(fate: &Fate) -> &'static str {
    match fate {
        Fate::Kept => "kept",
        Fate::Doubtful(_) => "doubtful",
        Fate::Broken(_) => "broken",
        Fate::Removed => "removed",
        Fate::NotCompared => "not-compared",
        _ => "unreadable",
    }
}

fn entry(one: &Relayed) -> Entry<'_> {
    let signature = one.signature.as_ref().ok();
    let difference = match &one.fate {
        Fate::Broken(difference) => Some(Entries::from(difference)),
        _ => None,
    };
    let deviations = match &one.fate {
        Fate::Doubtful(deviations) => Some(deviations.iter().map(Deviation::code).collect()),
        _ => None,
    };
    Entry {
        domain: signature.map(|signature| signature.sdid.as_written()),
        selector: signature.map(|signature| signature.selector.as_written()),
        fate: word(&one.fate),
        deviations,
        difference,
    }
}

fn write(out: &mut impl Write, found: &[Relayed]) -> io::Result<()> {
    if found.is_empty() {
        return writeln!(out, "no DKIM-Signature field went in: there is nothing to break");
    }
    for one in found {
        match &one.signature {
            Ok(signature) => diff::title(out, signature)?,
            Err(error) => {
                let bold = Style::new().bold();
                let error = error.to_string();
                writeln!(
                    out,
                    "{bold}a signature that cannot be read{bold:#}: {}",
                    printable(&error)
                )?;
            }
        }
        let color = match one.fate {
            Fate::Kept => AnsiColor::Green,
            Fate::Broken(_) | Fate::Doubtful(_) => AnsiColor::Red,
            _ => AnsiColor::Yellow,
        };
        let style = color.on_default().bold();
        writeln!(out, "  {style}{}{style:#}", word(&one.fate))?;
        match &one.fate {
            Fate::Broken(difference) => diff::difference(out, difference)?,
            Fate::Doubtful(deviations) => {
                for deviation in deviations {
                    writeln!(out, "  {deviation}, which verifiers refuse")?;
                }
            }
            _ => {}
        }
    }
    Ok(())
}
