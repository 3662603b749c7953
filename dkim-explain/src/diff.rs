//! A message as it was signed against the same message as it arrived.

use dkim_message::Header;
use dkim_tags::Signature;
use similar::{Algorithm, DiffOp, capture_diff_slices};

use crate::input::{HashInput, HashedField, Indexed, canonical_body};

/// How many lines of a body are compared in all ways. Of a longer stretch without a line in common
/// at its ends, all of one are told against all of the other.
const MAX_LINES: usize = 20_000;

/// What differs in the canonical octets of two messages. Empty when a signature that verifies for
/// one verifies for the other.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Difference {
    /// Signed fields that differ, in the order of `h=`, the DKIM-Signature field last.
    pub fields: Vec<FieldDifference>,
    /// Stretches of the canonical body that differ, top to bottom.
    pub body: Vec<LineDifference>,
}

impl Difference {
    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty() && self.body.is_empty()
    }
}

/// A signed field that differs, canonical and without its closing CRLF.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FieldDifference {
    /// The name, as `h=` has it.
    pub name: String,
    /// As it was signed; `None` if there was none.
    pub signed: Option<Vec<u8>>,
    /// As it arrived; `None` if there is none.
    pub received: Option<Vec<u8>>,
}

/// Lines of the canonical body that differ, with their line ends.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LineDifference {
    /// The first of these lines in the body as it was signed, from 1.
    pub line: usize,
    /// The lines as they were signed.
    pub signed: Vec<Vec<u8>>,
    /// The lines as they arrived.
    pub received: Vec<Vec<u8>>,
}

/// Compares what `signature` is over in two messages. Each side is a header, the index of the
/// DKIM-Signature field in it, and a body; a side without that field is compared without it.
///
/// ```
/// use dkim_explain::diff;
/// use dkim_tags::Signature;
///
/// let signature = Signature::parse(
///     b"v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.com; s=s; h=from:subject; bh=YQ==; b=YQ==",
/// )?;
/// let (signed, body) = dkim_message::split(b"From: joe@example.com\r\nSubject: Hi\r\n\r\nHi.\r\n");
/// let (received, footer) =
///     dkim_message::split(b"from:  joe@example.com\r\nSubject: [x] Hi\r\n\r\nHi.\r\n--\r\n");
/// let difference = diff(&signature, (&signed, None, body), (&received, None, footer));
/// assert_eq!(difference.fields[0].received.as_deref(), Some(&b"subject:[x] Hi"[..]));
/// assert_eq!(difference.body[0].received, [b"--\r\n"]);
/// # Ok::<(), dkim_tags::SignatureError>(())
/// ```
#[must_use]
pub fn diff(
    signature: &Signature,
    signed: (&Header<'_>, Option<usize>, &[u8]),
    received: (&Header<'_>, Option<usize>, &[u8]),
) -> Difference {
    let fields = of_fields(
        signature,
        (&Indexed::new(signed.0), signed.1),
        (&Indexed::new(received.0), received.1),
    );
    Difference { fields, body: of_bodies(signature, signed.2, received.2) }
}

/// The signed fields that differ.
pub(crate) fn of_fields(
    signature: &Signature,
    signed: (&Indexed<'_, '_>, Option<usize>),
    received: (&Indexed<'_, '_>, Option<usize>),
) -> Vec<FieldDifference> {
    let form = signature.canonicalization.header;
    let input = |(indexed, own): (&Indexed<'_, '_>, Option<usize>)| {
        // A field beyond the last is none.
        let own = own.unwrap_or(indexed.header.fields().len());
        HashInput::in_form(form, signature, own, indexed).fields
    };
    let own = signed.1.is_some() && received.1.is_some();
    let compared = signature.signed_fields.len() + usize::from(own);
    let (signed, received) = (input(signed), input(received));
    let fields = signed.iter().zip(&received).take(compared);
    fields.filter_map(|(signed, received)| of_field(signed, received)).collect()
}

/// The stretches of the canonical body that differ.
pub(crate) fn of_bodies(
    signature: &Signature,
    signed: &[u8],
    received: &[u8],
) -> Vec<LineDifference> {
    let form = signature.canonicalization.body;
    let canonical = |body| canonical_body(form, body, signature.body_length);
    of_body(&canonical(signed), &canonical(received))
}

fn of_field(signed: &HashedField, received: &HashedField) -> Option<FieldDifference> {
    (signed.octets != received.octets).then(|| FieldDifference {
        name: signed.name.clone(),
        signed: signed.octets.clone(),
        received: received.octets.clone(),
    })
}

fn of_body(signed: &[u8], received: &[u8]) -> Vec<LineDifference> {
    let lines = |body| -> Vec<&[u8]> { <[u8]>::split_inclusive(body, |o| *o == b'\n').collect() };
    let (signed, received) = (lines(signed), lines(received));
    let same = |(a, b): &(&&[u8], &&[u8])| a == b;
    let before = signed.iter().zip(&received).take_while(same).count();
    let (signed_rest, received_rest) = (from(&signed, before), from(&received, before));
    let after = signed_rest.iter().rev().zip(received_rest.iter().rev()).take_while(same).count();
    let (old, new) = (but_last(signed_rest, after), but_last(received_rest, after));
    if old.len().max(new.len()) > MAX_LINES {
        return vec![LineDifference { line: before + 1, signed: owned(old), received: owned(new) }];
    }
    capture_diff_slices(Algorithm::Myers, old, new)
        .into_iter()
        .filter(|op| !matches!(op, DiffOp::Equal { .. }))
        .map(|op| LineDifference {
            line: before + op.old_range().start + 1,
            signed: owned(old.get(op.old_range()).unwrap_or_default()),
            received: owned(new.get(op.new_range()).unwrap_or_default()),
        })
        .collect()
}

fn from<'l, 'b>(lines: &'l [&'b [u8]], start: usize) -> &'l [&'b [u8]] {
    lines.get(start..).unwrap_or_default()
}

fn but_last<'l, 'b>(lines: &'l [&'b [u8]], count: usize) -> &'l [&'b [u8]] {
    lines.get(..lines.len().saturating_sub(count)).unwrap_or_default()
}

fn owned(lines: &[&[u8]]) -> Vec<Vec<u8>> {
    lines.iter().map(|line| line.to_vec()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// First and last line differ, and those between are the same: of more they are told, too.
    #[test]
    fn twenty_thousand_lines_are_compared() {
        for (count, stretches, lines) in [(MAX_LINES, 2, 2), (MAX_LINES + 1, 1, MAX_LINES + 1)] {
            let body = |ends: &str| format!("{ends}{}{ends}", "b\n".repeat(count - 2)).into_bytes();
            let told = of_body(&body("a\n"), &body("c\n"));
            assert_eq!(told.len(), stretches, "{count}");
            assert_eq!(told.iter().map(|one| one.signed.len()).sum::<usize>(), lines, "{count}");
        }
    }
}
