//! Explanations for programs: one JSON object a message, on one line.

use std::io::{self, Write};

use dkim_stack::explain::{
    BodyChange, BodyFinding, Explanation, HeaderChange, HeaderFinding, KeyFit, Place,
};
use dkim_stack::keyrec::record_name;
use dkim_stack::tags::Claims;
use dkim_stack::tags::value::to_base64;
use serde::Serialize;

use super::Told;
use crate::input::Origin;
use crate::json::{SCHEMA, line};

/// The fields, for `--help`.
pub(super) const HELP: &str = "\
JSON, one object a message, on one line (null where there is no value; octets that are no UTF-8 are
replaced in text):
  schema                1; raised when a change breaks readers
  file, message         as for dkim verify
  signatures            one object for each DKIM-Signature field:
    index, result, reason, detail, deviations, deviation_details, domain, selector
                        as for dkim verify
    key_record          the name of the key record in the DNS
    remedy              what a person does about it
    body                null if the signature cannot be read
      finding           intact, changed, short (of l=) or unexplained
      cause, detail     a stable code, and the same in words
      line, added       what was put in, and where
      hash, claimed     the body hash as the message is now, and bh=
      length            octets of the canonical body that are hashed
    header              null if the signature cannot be read
      finding           intact, changed, unexplained or no-key
      key               fits, does-not-fit or unknown: whether the key made the signature
      changes           cause, detail, field, and the field body that was signed
      fields            what is hashed: name in h=, index of the field, canonical text
      input             all of it in base64
    copies              fields that are not as z= has them: name, copy, now;
                        more, where there are more fields of the name than now has
Of an input that cannot be read, or is no message: as for dkim verify.
";

#[derive(Serialize)]
struct Message<'a> {
    schema: u32,
    file: &'a str,
    message: Option<u64>,
    signatures: Vec<Entry<'a>>,
}

#[derive(Serialize)]
struct Entry<'a> {
    index: usize,
    result: &'static str,
    reason: &'static str,
    detail: String,
    deviations: Vec<&'static str>,
    deviation_details: Vec<String>,
    domain: Option<String>,
    selector: Option<String>,
    key_record: Option<String>,
    remedy: &'static str,
    body: Option<Body>,
    header: Option<Header<'a>>,
    copies: Vec<Copied<'a>>,
}

#[derive(Serialize)]
struct Body {
    finding: &'static str,
    cause: Option<&'static str>,
    detail: Option<String>,
    line: Option<usize>,
    added: Option<String>,
    hash: Option<String>,
    claimed: Option<String>,
    length: usize,
}

#[derive(Serialize)]
struct Header<'a> {
    finding: &'static str,
    key: Option<&'static str>,
    changes: Vec<Change<'a>>,
    fields: Vec<Hashed<'a>>,
    input: String,
}

#[derive(Serialize)]
struct Change<'a> {
    cause: &'static str,
    detail: String,
    field: Option<&'a str>,
    signed: Option<String>,
}

#[derive(Serialize)]
struct Hashed<'a> {
    name: &'a str,
    index: Option<usize>,
    text: Option<String>,
}

#[derive(Serialize)]
struct Copied<'a> {
    name: &'a str,
    copy: String,
    now: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    more: Option<usize>,
}

/// Writes what there is to say about a message.
pub(super) fn message(out: &mut impl Write, origin: &Origin, told: &[Told]) -> io::Result<()> {
    let signatures = told.iter().map(Entry::from).collect();
    line(out, &Message { schema: SCHEMA, file: &origin.file, message: origin.number, signatures })
}

impl<'a> From<&'a Told> for Entry<'a> {
    fn from(told: &'a Told) -> Self {
        let Told { found, explanation } = told;
        let reason = found.outcome.reason();
        let Claims { sdid, selector, .. } = found.claims();
        let claimed = found.signature.as_ref().map(|signature| to_base64(&signature.body_hash));
        Self {
            index: found.index,
            result: reason.result().name(),
            reason: reason.code(),
            detail: found.outcome.to_string(),
            deviations: found.deviations.iter().map(|deviation| deviation.code()).collect(),
            deviation_details: found.deviations.iter().map(ToString::to_string).collect(),
            domain: sdid.as_ref().map(|sdid| sdid.as_written().to_owned()),
            selector: selector.as_ref().map(|selector| selector.as_written().to_owned()),
            key_record: sdid.zip(selector).map(|(sdid, selector)| record_name(&selector, &sdid)),
            remedy: told.remedy(),
            body: explanation.as_ref().map(|explanation| body(explanation, claimed)),
            header: explanation.as_ref().map(header),
            copies: explanation
                .iter()
                .flat_map(|explanation| &explanation.copies)
                .map(|copy| Copied {
                    name: &copy.name,
                    copy: text(&copy.copy),
                    now: copy.now.iter().map(|now| text(now)).collect(),
                    more: Some(copy.more).filter(|more| *more > 0),
                })
                .collect(),
        }
    }
}

fn body(explanation: &Explanation, claimed: Option<String>) -> Body {
    let (finding, change) = match &explanation.body {
        BodyFinding::Intact => ("intact", None),
        BodyFinding::Changed(change) => ("changed", Some(change)),
        BodyFinding::Short { .. } => ("short", None),
        _ => ("unexplained", None),
    };
    let (line, added) = match change {
        Some(BodyChange::Added { place, octets }) => (
            match place {
                Place::Line(line) => Some(*line),
                Place::Start => Some(1),
                _ => None,
            },
            Some(text(octets)),
        ),
        _ => (None, None),
    };
    Body {
        finding,
        cause: change.map(BodyChange::code),
        detail: change.map(ToString::to_string),
        line,
        added,
        hash: explanation.body_hash.map(|hash| to_base64(hash.as_bytes())),
        claimed,
        length: explanation.body_length,
    }
}

fn header(explanation: &Explanation) -> Header<'_> {
    let (finding, changes, key) = match &explanation.header {
        HeaderFinding::Intact => ("intact", &[][..], Some("fits")),
        HeaderFinding::Changed(changes) => ("changed", &**changes, Some("fits")),
        HeaderFinding::NoKey => ("no-key", &[][..], None),
        HeaderFinding::Unexplained { key, .. } => {
            let key = match key {
                KeyFit::Fits(_) => "fits",
                KeyFit::DoesNotFit => "does-not-fit",
                _ => "unknown",
            };
            ("unexplained", &[][..], Some(key))
        }
        _ => ("unexplained", &[][..], None),
    };
    Header {
        finding,
        key,
        changes: changes.iter().map(Change::from).collect(),
        fields: explanation
            .input
            .fields
            .iter()
            .map(|field| Hashed {
                name: &field.name,
                index: field.position,
                text: field.octets.as_deref().map(text),
            })
            .collect(),
        input: to_base64(&explanation.input.header()),
    }
}

impl<'a> From<&'a HeaderChange> for Change<'a> {
    fn from(change: &'a HeaderChange) -> Self {
        let field = match change {
            HeaderChange::Field(field) => Some(field),
            _ => None,
        };
        Self {
            cause: change.code(),
            detail: change.to_string(),
            field: field.map(|field| &*field.name),
            signed: field.and_then(|field| field.signed.as_deref()).map(text),
        }
    }
}

fn text(octets: &[u8]) -> String {
    String::from_utf8_lossy(octets).into_owned()
}
