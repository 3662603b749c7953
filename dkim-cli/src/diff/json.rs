//! Differences for programs.

use dkim_stack::explain::Difference;
use serde::Serialize;

use super::Compared;

/// A signature, and what differs for it.
#[derive(Serialize)]
pub(super) struct Entry<'a> {
    domain: &'a str,
    selector: &'a str,
    canonicalization: String,
    #[serde(flatten)]
    difference: Entries<'a>,
}

/// What differs.
#[derive(Serialize)]
pub(crate) struct Entries<'a> {
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

impl<'a> From<&'a Difference> for Entries<'a> {
    fn from(difference: &'a Difference) -> Self {
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
        Self { fields: fields.collect(), body: body.collect() }
    }
}

impl<'a> From<&'a Compared> for Entry<'a> {
    fn from(Compared { signature, difference }: &'a Compared) -> Self {
        Self {
            domain: signature.sdid.as_written(),
            selector: signature.selector.as_written(),
            canonicalization: signature.canonicalization.to_string(),
            difference: Entries::from(difference),
        }
    }
}
