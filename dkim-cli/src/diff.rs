//! `dkim diff`: shows which canonical octets of a message differ from those that were signed.

mod json;
mod text;

use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args;
use dkim_stack::Signature;
use dkim_stack::explain::{Difference, diff};
use dkim_stack::message::Header;
use serde::Serialize;

pub(crate) use self::json::Entries;
use self::json::Entry;
pub(crate) use self::text::{difference, title};
use crate::diagnostics::{Failure, note};
use crate::exit::{self, Exit};
use crate::input::{Held, Origin};
use crate::json::{SCHEMA, line};

/// Compare a message as it was signed with the same message as it arrived
///
/// For each signature of SIGNED, or of RECEIVED if SIGNED has none, the signed fields and the body of
/// both are brought into the signature's canonical form and compared. Lines with `-` are in SIGNED,
/// lines with `+` in RECEIVED. What the canonicalization forgives, and what is not signed, is no
/// difference. Of many signatures the first ten are compared.
#[derive(Debug, Args)]
#[command(after_long_help = help())]
pub(crate) struct Diff {
    /// The message as it was signed; `-` is standard input, here or there
    #[arg(value_name = "SIGNED")]
    signed: PathBuf,

    /// The message as it arrived
    #[arg(value_name = "RECEIVED")]
    received: PathBuf,

    /// Compare for this signature only, counted from 1
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    signature: Option<u32>,

    /// Write one JSON object, on one line
    #[arg(long)]
    json: bool,
}

fn help() -> String {
    const EXAMPLES: &str = "\
Examples:
  dkim diff sent.eml received.eml
  dkim diff --signature 2 --json sent.eml received.eml |
      jq '.signatures[].fields'
";
    const JSON: &str = "\
JSON, one object, on one line (octets that are no UTF-8 are replaced in text):
  schema          1; raised when a change breaks readers
  signatures      one object for each signature compared:
    domain, selector, canonicalization    d=, s= and c=
    fields        signed fields that differ: name, signed, received; null where there is none
    body          stretches that differ: line (in SIGNED, from 1), signed, received: lists of lines
";
    [EXAMPLES, &exit::help(), JSON].join("\n")
}

/// What differs for a signature.
struct Compared {
    signature: Signature,
    difference: Difference,
}

impl Diff {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let (signed, received) = Held::read_two(&self.signed, &self.received)?;
        let (signed, received) = (Side::of(&signed), Side::of(&received));
        let (of, path) = match signed.signatures.as_slice() {
            [] => (&received, &self.received),
            _ => (&signed, &self.signed),
        };
        let mut signatures: Vec<&Signature> =
            of.signatures.iter().map(|(_, signature)| signature).collect();
        if let Some(number) = self.signature.and_then(|number| usize::try_from(number - 1).ok()) {
            signatures = signatures.into_iter().skip(number).take(1).collect();
        }
        let count = signatures.len();
        if count > MAX_COMPARED {
            let what = "signatures are compared, choose others with --signature N";
            note(Origin::of(path), format_args!("{MAX_COMPARED} of {count} {what}"));
            signatures.truncate(MAX_COMPARED);
        }
        if signatures.is_empty() {
            return Err(Failure::new(
                Exit::Data,
                "there is no such DKIM-Signature field that can be read",
            )
            .remedy("give the message with its signature, and --signature N if it has N"));
        }
        let compared: Vec<Compared> = signatures
            .into_iter()
            .map(|signature| compare(signature, &signed, &received))
            .collect();
        let is_same = compared.iter().all(|one| one.difference.is_empty());
        self.write(&compared).map_err(|error| Failure::output(&error))?;
        Ok(if is_same { Exit::Success } else { Exit::NonePasses })
    }

    fn write(&self, compared: &[Compared]) -> io::Result<()> {
        if self.json {
            let signatures = compared.iter().map(Entry::from).collect();
            return line(&mut io::stdout().lock(), &Object { schema: SCHEMA, signatures });
        }
        let mut out = anstream::stdout().lock();
        for one in compared {
            text::compared(&mut out, one)?;
        }
        out.flush()
    }
}

/// Signatures that are compared: for each of them all of the messages is looked at.
const MAX_COMPARED: usize = 10;

/// One of the two messages, read.
struct Side<'m> {
    header: Header<'m>,
    body: &'m [u8],
    signatures: Vec<(usize, Signature)>,
}

impl<'m> Side<'m> {
    fn of(message: &'m Held) -> Self {
        let (header, body) = (Header::parse(&message.header), message.body.as_slice());
        Self { header, body, signatures: message.signatures() }
    }

    /// What is compared of it for this signature.
    fn seen_by(&self, signature: &Signature) -> (&Header<'m>, Option<usize>, &'m [u8]) {
        let same = |(_, other): &&(usize, Signature)| other.signature == signature.signature;
        let own = self.signatures.iter().find(same).map(|(position, _)| *position);
        (&self.header, own, self.body)
    }
}

fn compare(signature: &Signature, signed: &Side<'_>, received: &Side<'_>) -> Compared {
    let difference = diff(signature, signed.seen_by(signature), received.seen_by(signature));
    Compared { signature: signature.clone(), difference }
}

#[derive(Serialize)]
struct Object<'a> {
    schema: u32,
    signatures: Vec<Entry<'a>>,
}
