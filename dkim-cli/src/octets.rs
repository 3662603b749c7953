//! Octets of a message made visible, line by line.

use crate::printable::printable;

/// The lines of octets, without CRLF: what is no text as `\xff`, what could steer a terminal as
/// `\u{1b}`, white space at the end of a line as `\x20` and `\t`.
pub(crate) fn lines(octets: &[u8]) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut rest = octets;
    while let Some(at) = rest.windows(2).position(|pair| pair == b"\r\n") {
        let (line, after) = rest.split_at(at);
        lines.push(visible(line));
        rest = after.get(2..).unwrap_or_default();
    }
    if !rest.is_empty() || lines.is_empty() {
        lines.push(visible(rest));
    }
    lines
}

fn visible(line: &[u8]) -> String {
    let is_blank = |octet: &u8| matches!(octet, b' ' | b'\t');
    let end = line.iter().rposition(|octet| !is_blank(octet)).map_or(0, |at| at + 1);
    let (text, blanks) = line.split_at(end);
    let mut shown = String::with_capacity(line.len());
    for chunk in text.utf8_chunks() {
        for (number, part) in chunk.valid().split('\t').enumerate() {
            if number > 0 {
                shown.push_str("\\t");
            }
            shown.push_str(&printable(part).to_string());
        }
        shown.push_str(&chunk.invalid().escape_ascii().to_string());
    }
    for blank in blanks {
        shown.push_str(if *blank == b'\t' { "\\t" } else { "\\x20" });
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_is_written_out() {
        for (octets, shown) in [
            (&b"a\r\n\tb \t\r\n"[..], &["a", "\\tb\\x20\\t"][..]),
            (b"", &[""]),
            (b"\r\n", &[""]),
            (b"a\r\n\r\nb", &["a", "", "b"]),
            (b"a\rb\nc\xff\x1b\0", &["a\\u{d}b\\u{a}c\\xff\\u{1b}\\u{0}"]),
            ("gr\u{fc}n".as_bytes(), &["gr\u{fc}n"]),
        ] {
            assert_eq!(lines(octets), shown, "{}", octets.escape_ascii());
        }
    }
}
