//! Header field canonicalization (RFC 6376 §3.4.1, §3.4.2).

use crate::Canonicalization;
use crate::scan::split_clean;

/// Appends the canonical form of one header field to `out`, without its closing CRLF.
///
/// `name` is what stands before the colon, octet by octet, white space before the colon included;
/// `body` is what stands after it, up to but not including the CRLF that closes the field.
///
/// Under `relaxed` a fold is a CRLF followed by SP or TAB (RFC 5322 §2.2.3). Any other CR, LF or
/// CRLF is kept as it is; a field that was split from a header by its line ends has no other CRLF.
///
/// ```
/// use dkim_canon::{Canonicalization, write_field};
///
/// let mut canonical = Vec::new();
/// write_field(Canonicalization::Relaxed, b"Subject ", b" Is dinner\r\n\tready? ", &mut canonical);
/// assert_eq!(canonical, b"subject:Is dinner ready?");
/// ```
pub fn write_field(
    canonicalization: Canonicalization,
    name: &[u8],
    body: &[u8],
    out: &mut Vec<u8>,
) {
    out.reserve(name.len() + 1 + body.len());
    match canonicalization {
        // RFC 6376 §3.4.1: "does not change header fields in any way".
        Canonicalization::Simple => out.extend_from_slice(name),
        Canonicalization::Relaxed => {
            let start = out.len();
            // White space in a name is rare.
            if name.iter().fold(true, |all, octet| all & (*octet > b' ')) {
                out.extend_from_slice(name);
            } else {
                reduce(name, out);
            }
            if let Some(name) = out.get_mut(start..) {
                name.make_ascii_lowercase();
            }
        }
    }
    out.push(b':');
    write_field_body(canonicalization, body, out);
}

/// Appends the canonical form of a field body, or of a part of one that neither begins nor ends
/// within white space.
///
/// ```
/// use dkim_canon::{Canonicalization, write_field_body};
///
/// let mut canonical = b"dkim-signature:".to_vec();
/// write_field_body(Canonicalization::Relaxed, b" v=1;  b=", &mut canonical);
/// write_field_body(Canonicalization::Relaxed, b";\tc=relaxed ", &mut canonical);
/// assert_eq!(canonical, b"dkim-signature:v=1; b=; c=relaxed");
/// ```
pub fn write_field_body(canonicalization: Canonicalization, body: &[u8], out: &mut Vec<u8>) {
    match canonicalization {
        Canonicalization::Simple => out.extend_from_slice(body),
        Canonicalization::Relaxed => reduce(skip_white_space(body), out),
    }
}

/// Appends `text` unfolded, each run of white space one SP, none at the end (RFC 6376 §3.4.2).
fn reduce(mut text: &[u8], out: &mut Vec<u8>) {
    loop {
        // A TAB, a SP that is not alone, or a CR, which may begin a fold.
        let (clean, rest) = split_clean(text, |octet, next| {
            (octet == b'\t') | (octet == b'\r') | ((octet == b' ') & (next <= b' '))
        });
        out.extend_from_slice(clean);
        text = skip_white_space(rest);
        match text {
            [] => return,
            // A CR that is no fold, or what follows a run that was cut.
            [octet, after @ ..] if text.len() == rest.len() => {
                out.push(*octet);
                text = after;
            }
            _ => out.push(b' '),
        }
    }
}

/// `text` without the white space and folds it begins with: `*(WSP / CRLF WSP)`, LWSP in
/// RFC 6376 §2.8.
fn skip_white_space(mut text: &[u8]) -> &[u8] {
    loop {
        text = match text {
            [b' ' | b'\t', rest @ ..] => rest,
            [b'\r', b'\n', rest @ ..] if matches!(rest, [b' ' | b'\t', ..]) => rest,
            _ => return text,
        }
    }
}
