//! What a mediator, such as a mailing list, does to the signatures of a message (RFC 6377 §3.3,
//! RFC 5863 §5.5).

use dkim_canon::Canonicalization;
use dkim_message::Header;
use dkim_tags::{Signature, SignatureError};
use dkim_verify::Deviation;

use crate::diff::{Difference, LineDifference, of_bodies, of_fields};
use crate::input::Indexed;

/// A signature of a message, and what became of it on the way.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Relayed {
    /// The signature; an error if it could not be read before.
    pub signature: Result<Signature, SignatureError>,
    /// What became of it.
    pub fate: Fate,
}

/// What became of a signature.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fate {
    /// It verifies afterwards if it did before.
    Kept,
    /// What it covers is as it was, but the header has become one that verifiers refuse, for these
    /// reasons: it was not malformed ([`Deviation::MalformedHeader`]), or had one From field
    /// ([`Deviation::MultipleFrom`]).
    Doubtful(Vec<Deviation>),
    /// It is there, and does not verify any more: what it covers was changed.
    Broken(Difference),
    /// It is there no more.
    Removed,
    /// It could not be read before.
    Unreadable,
    /// There are more signatures than are compared, or they are over the body in more ways.
    NotCompared,
}

/// Signatures that are compared. Each costs as much as both bodies are long, and whoever writes a
/// message chooses how many there are.
const MAX_COMPARED: usize = 10;

/// Ways to be over the body, by `c=` and `l=`, in which both bodies are compared.
const MAX_BODIES: usize = 4;

/// Tells what became of each signature of a message, top to bottom, on its way through a mediator.
/// Both messages are a header and a body; no key is needed, since only what the signatures cover is
/// compared, and whether the header can still be judged by it.
///
/// ```
/// use dkim_explain::{Fate, relayed};
///
/// let signature = "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.com; s=s;\r\n \
///                  h=from:subject; bh=YQ==; b=YQ==\r\n";
/// let message = |subject: &str, body: &str| {
///     format!("{signature}From: joe@example.com\r\nSubject: {subject}\r\n\r\n{body}")
/// };
/// let (sent, forwarded) = (message("Hi", "Hello.\r\n"), message(" Hi", "Hello. \r\n"));
/// let forged = format!("From: boss@example.com\r\n{sent}");
/// let listed = message("[list] Hi", "Hello.\r\n-- \r\nUnsubscribe\r\n");
/// let fate = |after: &str| {
///     let (header, body) = dkim_message::split(sent.as_bytes());
///     let (after, after_body) = dkim_message::split(after.as_bytes());
///     relayed((&header, body), (&after, after_body)).remove(0).fate
/// };
/// assert_eq!(fate(&forwarded), Fate::Kept);
/// assert!(matches!(fate(&forged), Fate::Doubtful(_)));
/// assert!(matches!(fate(&listed), Fate::Broken(difference) if difference.fields.len() == 1));
/// assert_eq!(fate("From: joe@example.com\r\n\r\nHello.\r\n"), Fate::Removed);
/// ```
#[must_use]
pub fn relayed(
    (before, before_body): (&Header<'_>, &[u8]),
    (after, after_body): (&Header<'_>, &[u8]),
) -> Vec<Relayed> {
    let there: Vec<(usize, Signature)> =
        signatures(after).filter_map(|(position, read)| Some((position, read.ok()?))).collect();
    let doubts = doubts(before, after);
    let (before, after) = (Indexed::new(before), Indexed::new(after));
    let mut bodies = Bodies { before: before_body, after: after_body, compared: Vec::new() };
    let mut fate = |position: usize, signature: &Signature| {
        let is_same = |(_, other): &&(usize, Signature)| {
            (&other.signature, &other.sdid, &other.selector)
                == (&signature.signature, &signature.sdid, &signature.selector)
        };
        let Some((now, _)) = there.iter().find(is_same) else { return Fate::Removed };
        let Some(body) = bodies.difference(signature) else { return Fate::NotCompared };
        let fields = of_fields(signature, (&before, Some(position)), (&after, Some(*now)));
        let difference = Difference { fields, body: body.to_vec() };
        match (difference.is_empty(), doubts.is_empty()) {
            (true, true) => Fate::Kept,
            (true, false) => Fate::Doubtful(doubts.clone()),
            (false, _) => Fate::Broken(difference),
        }
    };
    let mut compared = 0;
    signatures(before.header)
        .map(|(position, signature)| {
            let fate = match &signature {
                Err(_) => Fate::Unreadable,
                Ok(_) if compared == MAX_COMPARED => Fate::NotCompared,
                Ok(signature) => {
                    compared += 1;
                    fate(position, signature)
                }
            };
            Relayed { signature, fate }
        })
        .collect()
}

/// What is wrong with the header as it came out, and was not as it went in. A verifier looks at it
/// before any signature (RFC 6376 §3.8, §8.15).
fn doubts(before: &Header<'_>, after: &Header<'_>) -> Vec<Deviation> {
    let malformed = |header: &Header<'_>| header.defects().first().copied();
    let several_from = |header: &Header<'_>| header.named("From").nth(1).is_some();
    let defect = malformed(after).filter(|_| malformed(before).is_none());
    let second_from = several_from(after) && !several_from(before);
    let defect = defect.map(Deviation::MalformedHeader);
    defect.into_iter().chain(second_from.then_some(Deviation::MultipleFrom)).collect()
}

/// Both bodies, compared once for all signatures that are over them in the same way.
struct Bodies<'b> {
    before: &'b [u8],
    after: &'b [u8],
    compared: Vec<(Way, Vec<LineDifference>)>,
}

/// `c=` and `l=`.
type Way = (Canonicalization, Option<u64>);

impl Bodies<'_> {
    /// What differs for this signature; `None` when they were compared in too many other ways.
    fn difference(&mut self, signature: &Signature) -> Option<&[LineDifference]> {
        let way = (signature.canonicalization.body, signature.body_length);
        let place = match self.compared.iter().position(|(other, _)| *other == way) {
            Some(place) => place,
            None if self.compared.len() == MAX_BODIES => return None,
            None => {
                self.compared.push((way, of_bodies(signature, self.before, self.after)));
                self.compared.len() - 1
            }
        };
        self.compared.get(place).map(|(_, difference)| &**difference)
    }
}

/// The DKIM-Signature fields of a header, by their positions.
fn signatures<'h>(
    header: &'h Header<'_>,
) -> impl Iterator<Item = (usize, Result<Signature, SignatureError>)> + 'h {
    let signatures = header.fields().named(Signature::FIELD_NAME);
    signatures.map(|(position, field)| (position, Signature::parse(field.body())))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn signature(tags: &str) -> Signature {
        let field = format!("v=1; a=rsa-sha256; d=a.example; s=s; h=from; bh=YQ==; b=YQ==; {tags}");
        Signature::parse(field.as_bytes()).unwrap()
    }

    /// RFC 6376 §8.15: a field that was put on top is not covered, and is what readers see.
    #[test]
    fn a_header_that_has_become_doubtful_is_told() {
        let signature =
            "DKIM-Signature: v=1; a=rsa-sha256; d=a.example; s=s; h=from; bh=YQ==; b=YQ==\r\n";
        let message = |top: &str| format!("{top}{signature}From: joe@a.example\r\n\r\nHi.\r\n");
        let fate = |before: &str, after: &str| {
            let (before, after) = (message(before), message(after));
            let (header, body) = dkim_message::split(before.as_bytes());
            let (changed, changed_body) = dkim_message::split(after.as_bytes());
            relayed((&header, body), (&changed, changed_body)).remove(0).fate
        };
        let codes = |fate: Fate| match fate {
            Fate::Doubtful(why) => why.iter().map(Deviation::code).collect::<Vec<_>>(),
            other => panic!("{other:?}"),
        };
        let (from, line) = ("From: boss@b.example\r\n", "no colon\r\n");
        assert_eq!(codes(fate("", from)), ["multiple-from"]);
        assert_eq!(codes(fate("", line)), ["malformed-header"]);
        assert_eq!(
            codes(fate("", &format!("{line}{from}"))),
            ["malformed-header", "multiple-from"]
        );
        assert_eq!(codes(fate(from, &format!("{line}{from}"))), ["malformed-header"]);
        // As it was before, and as harmless.
        for (before, after) in [(from, from), (line, line), ("", "Subject: a\r\n"), (from, "")] {
            assert_eq!(fate(before, after), Fate::Kept, "{before:?} {after:?}");
        }
        let (before, after) = (message(""), message(from).replace("joe", "jane"));
        let (header, body) = dkim_message::split(before.as_bytes());
        let (changed, changed_body) = dkim_message::split(after.as_bytes());
        let found = relayed((&header, body), (&changed, changed_body)).remove(0);
        assert!(matches!(found.fate, Fate::Broken(_)), "{found:?}");
    }

    #[test]
    fn bodies_are_compared_once_for_each_way_and_in_four_ways() {
        let mut bodies =
            Bodies { before: b"a\r\nb\r\n", after: b"a\r\nc\r\n", compared: Vec::new() };
        let ways = ["c=simple/relaxed", "c=simple", "l=3", "l=4", "l=5"].map(signature);
        for _ in 0..3 {
            let differ: Vec<_> =
                ways.iter().map(|way| bodies.difference(way).map(<[_]>::len)).collect();
            assert_eq!(differ, [Some(1), Some(1), Some(0), Some(1), None]);
        }
        assert_eq!(bodies.compared.len(), MAX_BODIES);
    }

    #[test]
    fn ten_signatures_are_compared() {
        let field = |number: usize| {
            format!(
                "DKIM-Signature: v=1; a=rsa-sha256; d=a.example; s=s{number}; h=from; bh=YQ==; b=YQ==\r\n"
            )
        };
        for (count, more) in [(MAX_COMPARED, 0), (MAX_COMPARED + 1, 1)] {
            let octets: String = (0..count).map(field).collect();
            let header = Header::parse(octets.as_bytes());
            let fates: Vec<Fate> = relayed((&header, b""), (&header, b""))
                .into_iter()
                .map(|relayed| relayed.fate)
                .collect();
            let expected = [vec![Fate::Kept; MAX_COMPARED], vec![Fate::NotCompared; more]].concat();
            assert_eq!(fates, expected, "{count}");
        }
    }
}
