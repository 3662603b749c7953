//! What stands in tag values: base64, lists, numbers, quoted-printable.

use base64::engine::general_purpose::STANDARD;
use base64::{Engine, decoded_len_estimate};
use memchr::memchr3;
use smallvec::SmallVec;

use crate::list::{is_fws, trim_fws};

/// Decodes a base64string (RFC 6376 §2.10).
///
/// ```text
/// base64string = ALPHADIGITPS *([FWS] ALPHADIGITPS) [ [FWS] "=" [ [FWS] "=" ] ]
/// ```
///
/// White space is ignored, line ends with or without CR; anything else that is not base64 with its
/// padding (RFC 4648 §3.2, §3.3) makes the value invalid, and so does an empty one. Returns `None`
/// then.
///
/// ```
/// assert_eq!(dkim_tags::value::base64(" Zm9v\r\n YmE = "), Some(b"fooba".to_vec()));
/// assert_eq!(dkim_tags::value::base64("Zm9vYmE"), None);
/// ```
#[must_use]
pub fn base64(value: &str) -> Option<Vec<u8>> {
    // Up to an RSA key of 4096 bits there is room for it on the stack.
    let mut text: SmallVec<[u8; 768]> = SmallVec::new();
    pieces(value).for_each(|piece| text.extend_from_slice(piece.as_bytes()));
    // Room that has been made is sooner filled than room that comes with zeros in it.
    let mut octets = Vec::with_capacity(decoded_len_estimate(text.len()));
    STANDARD.decode_vec(&text, &mut octets).ok()?;
    (!octets.is_empty()).then_some(octets)
}

/// What stands between white space, line ends with or without CR; it may be nothing.
pub(crate) fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let blanks = rest.bytes().take_while(|octet| matches!(octet, b' ' | b'\t' | b'\n')).count();
        let start = rest.get(blanks..).filter(|start| !start.is_empty())?;
        let end = memchr3(b' ', b'\t', b'\n', start.as_bytes()).unwrap_or(start.len());
        let (piece, after) = start.split_at_checked(end)?;
        rest = after;
        let is_line = after.starts_with('\n');
        Some(piece.strip_suffix('\r').filter(|_| is_line).unwrap_or(piece))
    })
}

/// Writes octets as base64 without white space.
#[must_use]
pub fn to_base64(octets: &[u8]) -> String {
    STANDARD.encode(octets)
}

/// The items of a colon-separated list, without the white space around them (RFC 6376 §3.5 `h=`
/// and `q=`, §3.6.1 `h=`, `s=`, `t=`). An item may come out empty; it is for the caller to refuse.
pub fn colon_list(value: &str) -> impl Iterator<Item = &str> {
    split_colons(value).map(trim_fws)
}

/// What stands between colons. Items are short: a search that is good at many octets would take
/// longer to begin than this one takes to end.
pub(crate) fn split_colons(text: &str) -> impl Iterator<Item = &str> + Clone {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let all = rest?;
        let colon = all.bytes().position(|octet| octet == b':');
        let (item, after) = match colon.and_then(|colon| all.split_at_checked(colon)) {
            Some((item, after)) => (item, after.get(1..)),
            None => (all, None),
        };
        rest = after;
        Some(item)
    })
}

/// `hyphenated-word = ALPHA [ *(ALPHA / DIGIT / "-") (ALPHA / DIGIT) ]` (RFC 6376 §2.10)
#[must_use]
pub fn is_hyphenated_word(item: &str) -> bool {
    item.starts_with(|c: char| c.is_ascii_alphabetic())
        && item.ends_with(|c: char| c.is_ascii_alphanumeric())
        && item.bytes().all(|octet| octet.is_ascii_alphanumeric() || octet == b'-')
}

/// Reads an unsigned decimal number of at most `max_digits` digits (RFC 6376 §3.5: `1*76DIGIT` in
/// `l=`, `1*12DIGIT` in `t=` and `x=`). One that no `u64` can hold becomes `u64::MAX`: it is
/// larger than anything it will be compared to.
///
/// Returns `None` for anything but digits, and for too many of them. The text of §3.5 wants times
/// "up to at least 10^12", which has a digit more than its grammar allows; we keep to the grammar.
#[must_use]
pub fn number(value: &str, max_digits: usize) -> Option<u64> {
    if value.is_empty() || value.len() > max_digits || !value.bytes().all(|d| d.is_ascii_digit()) {
        return None;
    }
    Some(value.parse().unwrap_or(u64::MAX))
}

/// Decodes dkim-quoted-printable (RFC 6376 §2.11, RFC 8616 §5).
///
/// ```text
/// dkim-quoted-printable = *(FWS / hex-octet / dkim-safe-char)
/// dkim-safe-char        = %x21-3A / %x3C / %x3E-7E / UTF8-2 / UTF8-3 / UTF8-4
/// hex-octet             = "=" 2(DIGIT / "A" / "B" / "C" / "D" / "E" / "F")
/// ```
///
/// White space is not part of the value, not even inside a hex-octet: it "MUST be removed before
/// decoding". Returns `None` where the grammar is broken.
///
/// ```
/// use dkim_tags::value::quoted_printable;
///
/// assert_eq!(quoted_printable("demo=20\r\n run"), Some(b"demo run".to_vec()));
/// assert_eq!(quoted_printable("a=3b"), None);
/// ```
#[must_use]
pub fn quoted_printable(value: &str) -> Option<Vec<u8>> {
    let mut decoded = Vec::with_capacity(value.len());
    let mut octets = value.bytes().filter(|octet| !is_fws(*octet));
    while let Some(octet) = octets.next() {
        match octet {
            b'=' => decoded.push((hex_digit(octets.next()?)? << 4) | hex_digit(octets.next()?)?),
            0x21..=0x3a | 0x3c..=0x7e | 0x80.. => decoded.push(octet),
            _ => return None,
        }
    }
    Some(decoded)
}

fn hex_digit(octet: u8) -> Option<u8> {
    match octet {
        b'0'..=b'9' => Some(octet - b'0'),
        b'A'..=b'F' => Some(octet - b'A' + 10),
        _ => None,
    }
}

/// Encodes octets as dkim-quoted-printable, the twin of [`quoted_printable`]. Besides what must be
/// encoded, `|` is (RFC 6376 §3.5 `z=`), and so is everything that is not ASCII.
#[must_use]
pub fn to_quoted_printable(octets: &[u8]) -> String {
    let mut encoded = String::with_capacity(octets.len());
    for octet in octets {
        match octet {
            b'|' | b'=' | b';' => encode(*octet, &mut encoded),
            0x21..=0x7e => encoded.push(char::from(*octet)),
            _ => encode(*octet, &mut encoded),
        }
    }
    encoded
}

/// Of a longer name or value so many characters are told by errors, and `...` after them.
pub const MAX_EXCERPT: usize = 64;

/// A name or value as an error tells it, up to [`MAX_EXCERPT`]: who writes a long one shall not fill
/// our memory and our logs with it.
///
/// ```
/// let told = dkim_tags::value::excerpt(&"a".repeat(1000));
/// assert_eq!(told, format!("{}...", "a".repeat(64)));
/// ```
#[must_use]
pub fn excerpt(text: &str) -> String {
    match text.char_indices().nth(MAX_EXCERPT) {
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

fn encode(octet: u8, out: &mut String) {
    const DIGITS: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F'];
    let digit = |nibble: u8| DIGITS.get(usize::from(nibble)).copied().unwrap_or('0');
    out.extend(['=', digit(octet >> 4), digit(octet & 0xf)]);
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_strict_but_for_white_space() {
        for bad in ["", " ", "@@@@", "YQ", "YQ=", "YQ===", "YR==", "YQ==YQ==", "Y=Q=", "YQ=\u{a0}="]
        {
            assert_eq!(base64(bad), None, "{bad:?}");
        }
        assert_eq!(base64("Y\r\n Q\r\n =\r\n ="), Some(b"a".to_vec()));
        assert_eq!(base64("\tY\nQ \r\n\r\n= =\n"), Some(b"a".to_vec()));
    }

    #[test]
    fn numbers_are_digits_and_saturate() {
        assert_eq!(number("007", 12), Some(7));
        assert_eq!(number("999999999999", 12), Some(999_999_999_999));
        assert_eq!(number(&"9".repeat(76), 76), Some(u64::MAX));
        for bad in ["", "-1", "+1", "1 2", "abc", "0x10", "1.0", "\u{0661}"] {
            assert_eq!(number(bad, 76), None, "{bad:?}");
        }
        assert_eq!(number(&"0".repeat(77), 76), None);
    }

    #[test]
    fn quoted_printable_twins() {
        let all: Vec<u8> = (0..=255).collect();
        let encoded = to_quoted_printable(&all);
        assert!(encoded.bytes().all(|octet| matches!(octet, 0x21..=0x7e)));
        assert!(!encoded.contains([';', '|']));
        assert_eq!(quoted_printable(&encoded), Some(all));
        for bad in ["=", "=4", "=4g", "=3d", "a;b"] {
            assert_eq!(quoted_printable(bad), None, "{bad:?}");
        }
        assert_eq!(quoted_printable("j\u{fc}rgen"), Some("j\u{fc}rgen".into()));
    }

    #[test]
    fn hyphenated_words() {
        for good in ["a", "a1", "a-b", "x--y"] {
            assert!(is_hyphenated_word(good), "{good}");
        }
        for bad in ["", "1a", "-a", "a-", "a_b", "a b", "\u{fc}"] {
            assert!(!is_hyphenated_word(bad), "{bad}");
        }
    }
}
