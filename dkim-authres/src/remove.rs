//! Which fields a border must delete, because they claim to be its own (RFC 8601 §5).

use std::collections::BTreeSet;

use dkim_message::Header;

use crate::own::Id;
use crate::parse::{authserv_id, version_digits};
use crate::{AuthenticationResults, OwnIds};

/// A field to delete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Forged {
    /// Its place among all fields given, from 0.
    pub position: usize,
    /// Its place among the Authentication-Results fields, from 1: what a milter's "change header"
    /// asks for.
    pub instance: usize,
}

/// The Authentication-Results fields that must not pass the border into the domain of `own`
/// authserv-ids, from last to first, so that deleting one does not move the next.
///
/// `fields` are names and bodies, top to bottom, of a message that did not come from a trusted
/// neighbour. Case and dots at either end of an id do not matter, nor whether a domain name is in
/// A-labels or U-labels (RFC 8601 §5: "this test is done after converting A-labels into U-labels"),
/// nor what IDNA takes for the same (UTS 46): `ｅxample。org` is `example.org`.
///
/// A field is deleted if its authserv-id is ours, or its version is not 1 (RFC 8601 §5: "an MTA
/// MUST remove such a header field"), whatever follows the version. Readers are less strict than
/// the grammar, so these are deleted too:
///
/// - a field with an encoded-word (RFC 2047) before its first `;`: readers that decode those first
///   find there what we do not;
/// - a field with octets there that are no UTF-8, or U+FFFD, which stands for them: some readers drop
///   them, some take them for Latin-1;
/// - a field with a well-formed authserv-id, in which a reader that does not understand comments,
///   nested comments or quoted-pairs, or drops parentheses, would find our id in first place;
/// - a field without a well-formed authserv-id, if our id stands anywhere before its first `;`,
///   however commented, quoted or broken, or if more stands there than a name can have;
/// - a field that would need a closer look, because it is not well-formed up to its first `;` or
///   does not begin with a plain token of ASCII, behind others that have needed one and have more
///   than 64 KiB together with it. An honest message has no such number of them, and what each of
///   them may mean to some reader is costly to know.
///
/// ```
/// let fields = [
///     ("Authentication-Results", "example.net; dkim=pass header.d=example.net"),
///     ("From", "joe@example.com"),
///     ("authentication-results", " (x) \"Example.ORG.\" 1; dkim=pass header.d=bank.example"),
/// ];
/// let forged = dkim_authres::forged(fields, &dkim_authres::OwnIds::new(["example.org"])?);
/// assert_eq!(forged.len(), 1);
/// assert_eq!((forged[0].position, forged[0].instance), (2, 2));
/// # Ok::<(), dkim_authres::OwnIdError>(())
/// ```
pub fn forged<N: AsRef<[u8]>, B: AsRef<[u8]>>(
    fields: impl IntoIterator<Item = (N, B)>,
    own: &OwnIds,
) -> Vec<Forged> {
    let mut doubtful = MAX_DOUBTFUL;
    let mut instance = 0;
    let mut forged = Vec::new();
    for (position, (name, body)) in fields.into_iter().enumerate() {
        // White space before the colon is obsolete syntax (RFC 5322 §4.5): space and tab. With any
        // other octet it is another name to the mail server that counts instances.
        let mut name = name.as_ref();
        while let [shorter @ .., b' ' | b'\t'] = name {
            name = shorter;
        }
        if name.eq_ignore_ascii_case(b"Authentication-Results") {
            instance += 1;
            if is_forged(body.as_ref(), &own.ids, &mut doubtful) {
                forged.push(Forged { position, instance });
            }
        }
    }
    forged.reverse();
    forged
}

/// The octets of a header without the fields that are [forged], and which those are. Every other
/// octet stays as it was.
///
/// Refuse a message whose header has [defects](Header::defects): other readers may see other fields
/// in it.
///
/// ```
/// use dkim_authres::{OwnIds, without_forged};
/// use dkim_message::Header;
///
/// let header = b"A: b\r\nAuthentication-Results: example.org;\r\n none\r\nC: d\r\n";
/// let header = Header::parse(header);
/// let (octets, forged) = without_forged(&header, &OwnIds::new(["example.org"])?);
/// assert_eq!(octets, b"A: b\r\nC: d\r\n");
/// assert_eq!(forged.len(), 1);
/// # Ok::<(), dkim_authres::OwnIdError>(())
/// ```
#[must_use]
pub fn without_forged(header: &Header<'_>, own: &OwnIds) -> (Vec<u8>, Vec<Forged>) {
    let fields = header.fields().iter().map(|field| (field.raw_name(), field.body()));
    let forged = forged(fields, own);
    let mut kept = Vec::with_capacity(header.octets().len());
    let mut rest = header.octets();
    // From last to first, so the other way round.
    let mut deleted = forged.iter().rev().map(|one| one.position).peekable();
    for (position, field) in header.fields().iter().enumerate() {
        // Fields stand one behind the other, each with the line end that closes it.
        let after = rest.get(field.octets().len()..).unwrap_or_default();
        let line_end: &[u8] = [&b"\r\n"[..], b"\n"]
            .into_iter()
            .find(|end| after.starts_with(end))
            .unwrap_or_default();
        if deleted.next_if_eq(&position).is_none() {
            kept.extend_from_slice(field.octets());
            kept.extend_from_slice(line_end);
        }
        rest = after.get(line_end.len()..).unwrap_or_default();
    }
    (kept, forged)
}

/// The most octets of a name that we look at: one of 253 has no more in UTF-8, where a character
/// that is not composed takes up to twelve, and IDNA mapping is not linear.
const MAX_NAME: usize = 12 * 253;

/// The most characters of a label that are mapped: one of 63 octets has no more than 59, each of
/// which takes up to four where it is not composed. Making A-labels takes the square of them.
const MAX_LABEL: usize = 4 * 59;

/// The octets of field bodies that get a closer look, in one message.
const MAX_DOUBTFUL: usize = 65_536;

/// `doubtful` is what is left of [`MAX_DOUBTFUL`].
fn is_forged(body: &[u8], own: &[Id], doubtful: &mut usize) -> bool {
    let version = version_digits(body).map(|digits| digits.parse());
    if version.is_some_and(|version| version != Ok(AuthenticationResults::VERSION)) {
        return true;
    }
    let id = authserv_id(body).ok();
    if let (Some(id), Some(head)) = (&id, plain_head(body)) {
        return [id, head].iter().any(|text| claims(text, own));
    }
    match doubtful.checked_sub(body.len()) {
        Some(left) => *doubtful = left,
        None => return true,
    }
    is_forged_to_somebody(body, id, own)
}

/// What stands before the `;`, where all [readings] are this one.
fn plain_head(body: &[u8]) -> Option<&str> {
    let is_plain = |&octet: &u8| match octet {
        // Comments, quotes, and the begin of an encoded-word.
        b'(' | b')' | b'"' | b'\\' | b'=' => false,
        b' ' | b'\t' | b'\r' | b'\n' => true,
        octet => octet.is_ascii_graphic(),
    };
    let head = body.split(|&octet| octet == b';').next()?;
    let head = head.iter().all(is_plain).then_some(head.trim_ascii_start())?;
    std::str::from_utf8(head).ok().filter(|head| !head.is_empty())
}

/// Whether a field that is not plain is ours by its authserv-id, or in one of its [readings].
fn is_forged_to_somebody(body: &[u8], id: Option<String>, own: &[Id]) -> bool {
    let readings = readings(body);
    let unclear = |text: &String| text.contains('\u{fffd}') || squeezed(text).contains("=?");
    if readings.iter().any(|it| unclear(&it.head) || unclear(&it.comments)) {
        return true;
    }
    let heads = readings.into_iter().map(|it| it.head);
    // Most fields have one head to all readers, and mapping costs more than all else.
    let is_ours = if id.is_some() { claims } else { holds };
    let texts: BTreeSet<String> = heads.chain(id).collect();
    texts.iter().any(|text| is_ours(text, own))
}

/// Whether a field that is well-formed has one of these ids.
pub(crate) fn is_claimed(body: &[u8], own: &[Id]) -> bool {
    authserv_id(body).is_ok_and(|id| claims(&id, own))
}

/// Whether a text is one of these ids, or has it as its first word: who takes an id out of its
/// quotes may go on to split it at white space.
fn claims(text: &str, own: &[Id]) -> bool {
    let is_ours = |text: &str| {
        let plain = plain(text);
        // Of words only: nobody joins them, and the second may be the version.
        let is_word = !plain.contains(char::is_whitespace);
        let squeezed = (is_word && plain.contains(is_noise)).then(|| squeezed(&plain));
        let squeezed = squeezed.as_deref().unwrap_or(&plain).trim_matches('.');
        own.iter().any(|id| id.plain == plain || id.squeezed == squeezed)
    };
    let text = text.trim();
    let word = text.split_whitespace().next().unwrap_or_default();
    is_ours(word) || (word != text && is_ours(text))
}

/// Whether one of these ids stands anywhere in a text, as it is or to those who know IDNA; or may,
/// in a text too long to tell.
fn holds(text: &str, own: &[Id]) -> bool {
    let plain = squeezed(text);
    if plain.len() > MAX_NAME {
        return true;
    }
    // Labels as they stand, and as they are once put together.
    let mapped = [squeezed(&u_labels(text)), squeezed(&u_labels(&plain))];
    let held = |id: &Id| {
        plain.contains(&id.squeezed) || mapped.iter().any(|text| text.contains(&id.u_labels))
    };
    own.iter().any(held)
}

/// An id without what makes no difference. A label that IDNA forbids keeps no other from being mapped.
pub(crate) fn plain(id: &str) -> String {
    let id: String = id.trim().chars().filter(|&c| !is_ignorable(c)).collect();
    let id = ascii_decoded(&id);
    let is_mapped = !id.is_ascii() && may_be_a_name(&id);
    let map = |label| idna::domain_to_ascii(label).unwrap_or_else(|_| label.to_owned());
    let id = if is_mapped { id.split('.').map(map).collect::<Vec<_>>().join(".") } else { id };
    id.trim_matches('.').to_owned()
}

/// A name with ASCII in lower case and between its dots, and each A-label that has nothing but ASCII
/// in it (`xn--example-`) decoded: IDNA knows no such label, and who only decodes Punycode (RFC 3492)
/// reads `example`.
fn ascii_decoded(name: &str) -> String {
    let label = |label: &str| {
        let label = label.to_ascii_lowercase();
        let decoded = label.strip_prefix("xn--").and_then(|label| label.strip_suffix('-'));
        decoded.map(str::to_owned).unwrap_or(label)
    };
    name.split(is_dot).map(label).collect::<Vec<_>>().join(".")
}

/// Full stops, as UTS 46 has them.
pub(crate) fn is_dot(c: char) -> bool {
    matches!(c, '.' | '\u{3002}' | '\u{ff0e}' | '\u{ff61}')
}

/// Whether a text is short enough for a name, however it is written.
pub(crate) fn may_be_a_name(text: &str) -> bool {
    text.len() <= MAX_NAME && text.split(is_dot).all(|label| label.chars().nth(MAX_LABEL).is_none())
}

/// Text with each domain name in it mapped by UTS 46 and in U-labels, as far as that can be. What
/// cannot stand in a domain name stays; what IDNA forbids costs no more than itself.
pub(crate) fn u_labels(text: &str) -> String {
    let ends = |c: char| c.is_ascii() && !c.is_ascii_alphanumeric() && !matches!(c, '-' | '.');
    let map = |piece: &str| {
        let name = piece.trim_end_matches(ends);
        let end = piece.strip_prefix(name).unwrap_or_default();
        let name = match may_be_a_name(name) {
            true => idna::domain_to_unicode(&ascii_decoded(name)).0,
            false => name.to_lowercase(),
        };
        name + end
    };
    text.split_inclusive(ends).map(map).collect()
}

/// Text without what may hide an id from a strict reader and not from a careless one.
pub(crate) fn squeezed(text: &str) -> String {
    text.chars().filter(|&c| !is_noise(c)).map(|c| c.to_ascii_lowercase()).collect()
}

/// White space, quoting, parentheses left over, and what cannot be seen.
fn is_noise(c: char) -> bool {
    c.is_whitespace() || c.is_control() || matches!(c, '"' | '\\' | '(' | ')') || is_ignorable(c)
}

/// What cannot be seen, and mapping drops or some reader may (Unicode: Default_Ignorable_Code_Point).
fn is_ignorable(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}'
    )
}

/// What stands before the first `;` (but at the beginning) to a reader.
#[derive(Default)]
struct Reading {
    head: String,
    /// What it takes for comments there.
    comments: String,
}

/// The readings of those who know comments in different degrees.
fn readings(body: &[u8]) -> [Reading; 5] {
    let body = String::from_utf8_lossy(body);
    [None, Some((true, true)), Some((true, false)), Some((false, true)), Some((false, false))]
        .map(|known| reading(&body, known))
}

/// The reading of one who knows of comments, that they nest, or not, and of quoted-pairs, or not.
fn reading(body: &str, comments: Option<(bool, bool)>) -> Reading {
    let (nested, quoted_pairs) = comments.unwrap_or_default();
    let (mut depth, mut escaped) = (0_usize, false);
    let mut reading = Reading::default();
    for c in body.chars() {
        let quoted = std::mem::take(&mut escaped);
        let outside = depth == 0;
        match c {
            _ if comments.is_none() || quoted => {}
            '\\' if quoted_pairs => {
                escaped = true;
                continue;
            }
            '(' if nested || outside => {
                depth += 1;
                continue;
            }
            ')' if !outside => {
                depth -= 1;
                continue;
            }
            _ => {}
        }
        match c {
            _ if !outside => reading.comments.push(c),
            _ if reading.head.is_empty() && (c == ';' || is_noise(c)) => {}
            ';' => break,
            c => reading.head.push(c),
        }
    }
    reading
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// In a longer text our id stands, for all we know.
    #[test]
    fn names_are_looked_for_in_so_many_octets() {
        let own = [Id::new("a.b")];
        for (octets, is_held) in [(MAX_NAME, false), (MAX_NAME + 1, true)] {
            assert_eq!(holds(&"x".repeat(octets), &own), is_held, "{octets}");
            let labels = ["x"; MAX_NAME].join(".");
            assert_eq!(may_be_a_name(&labels[..octets]), !is_held, "{octets}");
        }
    }

    #[test]
    fn labels_of_so_many_characters_are_mapped() {
        for (characters, is_mapped) in [(MAX_LABEL, true), (MAX_LABEL + 1, false)] {
            let mapped = u_labels(&"\u{ff41}".repeat(characters));
            assert_eq!(mapped == "a".repeat(characters), is_mapped, "{characters}");
        }
    }

    /// The short way is the long way, where it is taken.
    #[test]
    fn plain_heads_are_what_everybody_reads() {
        let own = [Id::new("a.b")];
        let pieces = [
            "a.b", "A", ".", " ", "\t", "\r\n ", ";", "1", "(", ")", "\\", "\"", "=", "?", "\u{ad}",
        ];
        let longest = if cfg!(miri) { 2 } else { 4 };
        let mut bodies = vec![String::new()];
        let mut from = 0;
        for _ in 0..longest {
            let to = bodies.len();
            for at in from..to {
                bodies.extend(pieces.map(|piece| format!("{}{piece}", bodies[at])));
            }
            from = to;
        }
        let mut short = 0;
        for body in &bodies {
            let Some(head) = plain_head(body.as_bytes()) else { continue };
            for reading in readings(body.as_bytes()) {
                assert_eq!(
                    (reading.head.as_str(), reading.comments.as_str()),
                    (head, ""),
                    "{body:?}"
                );
            }
            if let Ok(id) = authserv_id(body.as_bytes()) {
                let short_way = [&id, head].iter().any(|text| claims(text, &own));
                let long_way = is_forged_to_somebody(body.as_bytes(), Some(id), &own);
                assert_eq!(short_way, long_way, "{body:?}");
                short += 1;
            }
        }
        assert!(short > 0);
    }
}
