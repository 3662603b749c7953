//! `dkim diff`: shows which canonical octets of a message differ from those that were signed.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anstyle::{AnsiColor, Style};
use clap::Args;
use dkim_stack::Signature;
use dkim_stack::explain::{Difference, diff};
use dkim_stack::message::Header;
use serde::Serialize;

use crate::diagnostics::{Failure, note};
use crate::exit::{self, Exit};
use crate::input::{LineEnds, Message, Origin, open_file};
use crate::json::{SCHEMA, line};
use crate::octets;
use crate::printable::printable;

/// Compare a message as it was signed with the same message as it arrived
///
/// For each signature of SIGNED, or of RECEIVED if SIGNED has none, the signed fields and the body of
/// both are brought into the signature's canonical form and compared. Lines with `-` are in SIGNED,
/// lines with `+` in RECEIVED. What the canonicalization forgives, and what is not signed, is no
/// difference.
#[derive(Debug, Args)]
#[command(after_long_help = help())]
pub(crate) struct Diff {
    /// The message as it was signed
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
  dkim diff --signature 2 --json sent.eml received.eml | jq '.signatures[].fields'
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

/// A message held as a whole.
struct Whole {
    header: Vec<u8>,
    body: Vec<u8>,
}

impl Whole {
    fn read(path: &Path) -> Result<Self, Failure> {
        let origin = Origin::of(path);
        let read = || -> Result<Self, Failure> {
            let mut file = open_file(path)?;
            let mut message = Message::open(&mut file)?;
            if message.line_ends == LineEnds::Lf {
                note(&origin, "lines end with LF; read as CRLF");
            }
            let body = message.whole_body()?;
            Ok(Self { header: message.header().octets().to_vec(), body })
        };
        read().map_err(|failure| failure.on(&origin))
    }

    /// The DKIM-Signature fields that can be read, by their positions.
    fn signatures(&self) -> Vec<(usize, Signature)> {
        let header = Header::parse(&self.header);
        let fields = header.fields().iter().enumerate();
        fields
            .filter(|(_, field)| field.is(Signature::FIELD_NAME))
            .filter_map(|(position, field)| Some((position, Signature::parse(field.body()).ok()?)))
            .collect()
    }
}

/// What differs for a signature.
struct Compared {
    signature: Signature,
    difference: Difference,
}

impl Diff {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let (signed, received) = (Whole::read(&self.signed)?, Whole::read(&self.received)?);
        let mut signatures: Vec<Signature> = [&signed, &received]
            .into_iter()
            .map(Whole::signatures)
            .find(|all| !all.is_empty())
            .unwrap_or_default()
            .into_iter()
            .map(|(_, signature)| signature)
            .collect();
        if let Some(number) = self.signature.and_then(|number| usize::try_from(number - 1).ok()) {
            signatures = signatures.into_iter().skip(number).take(1).collect();
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
            text(&mut out, one)?;
        }
        out.flush()
    }
}

fn compare(signature: Signature, signed: &Whole, received: &Whole) -> Compared {
    let own = |message: &Whole| {
        let same = |(_, other): &(usize, Signature)| other.signature == signature.signature;
        message.signatures().into_iter().find(same).map(|(position, _)| position)
    };
    let headers = [signed, received].map(|message| Header::parse(&message.header));
    let [signed_header, received_header] = &headers;
    let difference = diff(
        &signature,
        (signed_header, own(signed), &signed.body),
        (received_header, own(received), &received.body),
    );
    Compared { signature, difference }
}

fn text(out: &mut impl Write, Compared { signature, difference }: &Compared) -> io::Result<()> {
    let (sdid, selector) = (signature.sdid.as_str(), signature.selector.as_str());
    let bold = Style::new().bold();
    writeln!(
        out,
        "{bold}signature of {}, selector {}, {}{bold:#}",
        printable(sdid),
        printable(selector),
        signature.canonicalization
    )?;
    if difference.is_empty() {
        writeln!(out, "  no difference in what is signed")?;
    }
    for field in &difference.fields {
        writeln!(out, "  {}", printable(&field.name))?;
        lines(out, '-', field.signed.as_slice())?;
        lines(out, '+', field.received.as_slice())?;
    }
    for stretch in &difference.body {
        writeln!(out, "  body, line {}", stretch.line)?;
        lines(out, '-', &stretch.signed)?;
        lines(out, '+', &stretch.received)?;
    }
    Ok(())
}

fn lines(out: &mut impl Write, mark: char, all: &[Vec<u8>]) -> io::Result<()> {
    let color = if mark == '-' { AnsiColor::Red } else { AnsiColor::Green };
    let style = color.on_default();
    for line in all.iter().flat_map(|octets| octets::lines(octets)) {
        writeln!(out, "  {style}{mark} {line}{style:#}")?;
    }
    Ok(())
}

#[derive(Serialize)]
struct Object<'a> {
    schema: u32,
    signatures: Vec<Entry<'a>>,
}

#[derive(Serialize)]
struct Entry<'a> {
    domain: &'a str,
    selector: &'a str,
    canonicalization: String,
    fields: Vec<FieldEntry<'a>>,
    body: Vec<LineEntry>,
}

#[derive(Serialize)]
struct FieldEntry<'a> {
    name: &'a str,
    signed: Option<String>,
    received: Option<String>,
}

#[derive(Serialize)]
struct LineEntry {
    line: usize,
    signed: Vec<String>,
    received: Vec<String>,
}

impl<'a> From<&'a Compared> for Entry<'a> {
    fn from(Compared { signature, difference }: &'a Compared) -> Self {
        let text = |octets: &Vec<u8>| String::from_utf8_lossy(octets).into_owned();
        let fields = difference.fields.iter().map(|field| FieldEntry {
            name: &field.name,
            signed: field.signed.as_ref().map(text),
            received: field.received.as_ref().map(text),
        });
        let body = difference.body.iter().map(|stretch| LineEntry {
            line: stretch.line,
            signed: stretch.signed.iter().map(text).collect(),
            received: stretch.received.iter().map(text).collect(),
        });
        Self {
            domain: signature.sdid.as_written(),
            selector: signature.selector.as_written(),
            canonicalization: signature.canonicalization.to_string(),
            fields: fields.collect(),
            body: body.collect(),
        }
    }
}
