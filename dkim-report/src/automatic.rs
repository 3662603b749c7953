//! Mail that machines sent, about which no machine complains: a report about a report could go on
//! for ever.

use std::fmt;

use dkim_message::Header;
use dkim_message::lex::comment;

/// Why a message is not to be reported about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Automatic {
    /// Its envelope sender is empty, as that of notices is (RFC 5321 §4.5.5).
    NullReturnPath,
    /// It is a report itself (RFC 6522, RFC 5965).
    Report,
    /// It says that no person sent it (RFC 3834 §5).
    AutoSubmitted,
}

impl fmt::Display for Automatic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NullReturnPath => "the message has an empty return path",
            Self::Report => "the message is a report itself",
            Self::AutoSubmitted => "the message says that it was sent automatically",
        })
    }
}

/// Whether a message was sent by a machine, as far as it says so; when in doubt, yes. `mail_from`
/// is its envelope sender with or without `<>`, if that is known; else Return-Path counts.
///
/// ```
/// use dkim_message::Header;
/// use dkim_report::{Automatic, automatic};
///
/// let header = Header::parse(b"From: joe@example.com\r\nAuto-Submitted: auto-replied\r\n");
/// assert_eq!(automatic(&header, None), Some(Automatic::AutoSubmitted));
/// assert_eq!(automatic(&header, Some("<>")), Some(Automatic::NullReturnPath));
/// ```
#[must_use]
pub fn automatic(header: &Header<'_>, mail_from: Option<&str>) -> Option<Automatic> {
    let bodies = |name: &'static str| {
        header.fields().iter().filter(move |field| field.is(name)).map(|field| word(field.body()))
    };
    let is_null = |path: &str| matches!(path, "" | "<>");
    // Other fields may stand below the one that delivery put on top.
    let null = match mail_from {
        Some(path) => is_null(path.trim()),
        None => bodies("Return-Path").next().is_some_and(|path| is_null(&path)),
    };
    let says = |name, is: fn(&str) -> bool| bodies(name).any(|word| is(&word));
    if null {
        Some(Automatic::NullReturnPath)
    } else if says("Content-Type", |word| {
        word.contains("multipart/report") || word.contains("message/feedback-report")
    }) {
        Some(Automatic::Report)
    } else if says("Auto-Submitted", |word| word != "no" && !word.starts_with("no;")) {
        Some(Automatic::AutoSubmitted)
    } else {
        None
    }
}

/// A field body in lower case without white space and comments. A comment without end has no other
/// reading than that of its octets, and those behind it are not looked at for comments again.
fn word(body: &[u8]) -> String {
    let (mut word, mut rest, mut broken) = (Vec::new(), body, false);
    while let Some((octet, after)) = rest.split_first() {
        let octets = std::mem::replace(&mut rest, after);
        if *octet == b'(' && !broken {
            if let Ok((after, _)) = comment(octets) {
                rest = after;
                continue;
            }
            broken = true;
        }
        if !octet.is_ascii_whitespace() {
            word.push(octet.to_ascii_lowercase());
        }
    }
    String::from_utf8_lossy(&word).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_machines_send() {
        let judge = |header: &str| automatic(&Header::parse(header.as_bytes()), None);
        for (header, automatic) in [
            ("From: a@b.example\r\n", None),
            ("Return-Path: <a@b.example>\r\n", None),
            ("Return-Path: <>\r\n", Some(Automatic::NullReturnPath)),
            ("Return-Path:\r\n < (none) >\r\n", Some(Automatic::NullReturnPath)),
            ("Return-Path: <a@b.example>\r\nReturn-Path: <>\r\n", None),
            ("Content-Type: text/plain\r\n", None),
            (
                "Content-type:\r\n Multipart (x) / Report ; report-type=delivery-status\r\n",
                Some(Automatic::Report),
            ),
            (
                "Content-Type: text/plain\r\nContent-Type: multipart/report\r\n",
                Some(Automatic::Report),
            ),
            ("Content-Type: \"multipart/report\"\r\n", Some(Automatic::Report)),
            ("Auto-Submitted: no\r\n", None),
            ("Auto-Submitted: NO (a person)\r\n", None),
            ("Auto-Submitted: no; x=y\r\n", None),
            ("Auto-Submitted: auto-generated\r\n", Some(Automatic::AutoSubmitted)),
            ("Auto-Submitted: (no\r\n", Some(Automatic::AutoSubmitted)),
            ("Auto-Submitted:\r\n", Some(Automatic::AutoSubmitted)),
        ] {
            assert_eq!(judge(header), automatic, "{header}");
        }
        let header = Header::parse(b"Return-Path: <>\r\n");
        assert_eq!(automatic(&header, Some("<a@b.example>")), None);
        assert_eq!(automatic(&header, Some("")), Some(Automatic::NullReturnPath));
    }

    /// One look for the end of a comment is enough: behind it, parentheses are octets like others.
    #[test]
    fn behind_a_comment_without_end_stands_no_other() {
        assert_eq!(word(b"A (x) b (c (d) E"), "ab(c(d)e");
        let deep = ["(".repeat(101), ")".repeat(101)].concat();
        assert_eq!(word(format!("{deep} (a)").as_bytes()), format!("{deep}(a)"));
    }

    #[test]
    fn comments_200_000_deep_are_read() {
        let header = format!("Auto-Submitted: {}\r\n", "(".repeat(200_000));
        let header = Header::parse(header.as_bytes());
        assert_eq!(automatic(&header, None), Some(Automatic::AutoSubmitted));
    }
}
