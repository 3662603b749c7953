//! What a mediator, such as a mailing list, does to the signatures of a message (RFC 6377 §3.3,
//! RFC 5863 §5.5).

use dkim_message::Header;
use dkim_tags::{Signature, SignatureError};

use crate::{Difference, diff};

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
    /// It is there, and does not verify any more: what it covers was changed.
    Broken(Difference),
    /// It is there no more.
    Removed,
    /// It could not be read before.
    Unreadable,
    /// There are more signatures than are compared.
    NotCompared,
}

/// Signatures that are compared. Each costs as much as both bodies are long, and whoever writes a
/// message chooses how many there are.
const MOST_COMPARED: usize = 10;

/// Tells what became of each signature of a message, top to bottom, on its way through a mediator.
/// Both messages are a header and a body; no key is needed, since only what the signatures cover is
/// compared.
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
/// let listed = message("[list] Hi", "Hello.\r\n-- \r\nUnsubscribe\r\n");
/// let fate = |after: &str| {
///     let (header, body) = dkim_message::split(sent.as_bytes());
///     let (after, after_body) = dkim_message::split(after.as_bytes());
///     relayed((&header, body), (&after, after_body)).remove(0).fate
/// };
/// assert_eq!(fate(&forwarded), Fate::Kept);
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
    let fate = |position: usize, signature: &Signature| {
        let is_same = |(_, other): &&(usize, Signature)| {
            (&other.signature, &other.sdid, &other.selector)
                == (&signature.signature, &signature.sdid, &signature.selector)
        };
        let Some((now, _)) = there.iter().find(is_same) else { return Fate::Removed };
        let difference =
            diff(signature, (before, Some(position), before_body), (after, Some(*now), after_body));
        if difference.is_empty() { Fate::Kept } else { Fate::Broken(difference) }
    };
    let mut compared = 0;
    signatures(before)
        .map(|(position, signature)| {
            let fate = match &signature {
                Err(_) => Fate::Unreadable,
                Ok(_) if compared == MOST_COMPARED => Fate::NotCompared,
                Ok(signature) => {
                    compared += 1;
                    fate(position, signature)
                }
            };
            Relayed { signature, fate }
        })
        .collect()
}

/// The DKIM-Signature fields of a header, by their positions.
fn signatures<'h>(
    header: &'h Header<'_>,
) -> impl Iterator<Item = (usize, Result<Signature, SignatureError>)> + 'h {
    let signatures = header.fields().named(Signature::FIELD_NAME);
    signatures.map(|(position, field)| (position, Signature::parse(field.body())))
}
