//! Mailboxes of the mbox family, read as mboxrd.

use std::io::{self, BufRead, Read};

use super::BLOCK;

/// Whether octets begin as an mbox does, given the first line or a good part of it.
pub(crate) fn is_mbox(start: &[u8]) -> bool {
    is_separator(start)
}

/// The messages of an mbox, one after the other.
///
/// A line that begins with `From ` begins a message; a line in which `>` stand before that loses
/// one of them. The empty line before such a line, or before the end, is not the message's.
/// Content-Length is ignored: who trusts it can be led past a message.
pub(crate) struct Mbox<R> {
    octets: R,
    line: Vec<u8>,
    /// An empty line that may turn out to be the mailbox's.
    held: Vec<u8>,
    at_line_start: bool,
    place: Place,
}

#[derive(PartialEq, Eq)]
enum Place {
    /// Past the separator line of a message not begun yet.
    Separator,
    Message,
    End,
}

impl<R: BufRead> Mbox<R> {
    /// Reads the first line, which is a separator.
    pub(crate) fn new(octets: R) -> io::Result<Self> {
        let (line, held) = (Vec::new(), Vec::new());
        let mut mbox = Self { octets, line, held, at_line_start: true, place: Place::Separator };
        mbox.next_line()?;
        mbox.skip_line()?;
        Ok(mbox)
    }

    /// The next message, whether or not the one before was read to its end.
    pub(crate) fn next_message(&mut self) -> io::Result<Option<MboxMessage<'_, R>>> {
        let mut skipped = Vec::new();
        while self.place == Place::Message {
            skipped.clear();
            self.append_line(&mut skipped)?;
        }
        if self.place == Place::End {
            return Ok(None);
        }
        self.place = Place::Message;
        Ok(Some(MboxMessage { mbox: self, unread: Vec::new(), from: 0 }))
    }

    /// Reads a line, or a block of a long one, and tells whether it is the start of one.
    fn next_line(&mut self) -> io::Result<bool> {
        self.line.clear();
        let limit = u64::try_from(BLOCK).unwrap_or(u64::MAX);
        self.octets.by_ref().take(limit).read_until(b'\n', &mut self.line)?;
        Ok(std::mem::replace(&mut self.at_line_start, self.line.ends_with(b"\n")))
    }

    fn skip_line(&mut self) -> io::Result<()> {
        while !self.at_line_start && !self.line.is_empty() {
            self.next_line()?;
        }
        self.at_line_start = true;
        Ok(())
    }

    /// Appends the next line of the message, if there is one.
    fn append_line(&mut self, out: &mut Vec<u8>) -> io::Result<()> {
        let starts_line = self.next_line()?;
        if self.line.is_empty() {
            self.held.clear();
            self.place = Place::End;
        } else if starts_line && is_separator(&self.line) {
            self.held.clear();
            self.skip_line()?;
            self.place = Place::Separator;
        } else {
            out.append(&mut self.held);
            if starts_line && matches!(self.line.as_slice(), b"\n" | b"\r\n") {
                std::mem::swap(&mut self.held, &mut self.line);
            } else if starts_line {
                out.extend_from_slice(unquoted(&self.line));
            } else {
                out.extend_from_slice(&self.line);
            }
        }
        Ok(())
    }
}

/// A message of an mbox, unquoted.
pub(crate) struct MboxMessage<'m, R> {
    mbox: &'m mut Mbox<R>,
    unread: Vec<u8>,
    from: usize,
}

impl<R: BufRead> Read for MboxMessage<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.from == self.unread.len() {
            self.unread.clear();
            self.from = 0;
            while self.unread.len() < BLOCK && self.mbox.place == Place::Message {
                self.mbox.append_line(&mut self.unread)?;
            }
        }
        let mut unread = self.unread.get(self.from..).unwrap_or_default();
        let length = unread.read(buffer)?;
        self.from += length;
        Ok(length)
    }
}

/// `From ` at the start of a line, unless it is a field by the obsolete syntax, `From :`
/// (RFC 5322 §4.5.2).
fn is_separator(line: &[u8]) -> bool {
    let is_blank = |octet: &&u8| matches!(octet, b' ' | b'\t');
    let rest = line.strip_prefix(b"From ").map(|rest| rest.iter().skip_while(is_blank));
    // Where nothing was seen behind the blanks yet, the colon of a From field may come.
    rest.and_then(|mut rest| rest.next()).is_some_and(|octet| *octet != b':')
}

fn unquoted(line: &[u8]) -> &[u8] {
    let quotes = line.iter().take_while(|octet| **octet == b'>').count();
    match line.get(quotes..) {
        Some(rest) if quotes > 0 && rest.starts_with(b"From ") => line.get(1..).unwrap_or_default(),
        _ => line,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn messages(octets: &[u8]) -> Vec<String> {
        let mut mbox = Mbox::new(octets).unwrap();
        let mut found = Vec::new();
        while let Some(mut message) = mbox.next_message().unwrap() {
            let mut text = String::new();
            message.read_to_string(&mut text).unwrap();
            found.push(text);
        }
        found
    }

    #[test]
    fn messages_end_at_the_next_separator() {
        assert_eq!(
            messages(b"From a\nA: 1\n\nx\n\n\nFrom b\nA: 2\n\nFrom c\r\nA: 3\r\n\r\ny\r\n\r\n"),
            ["A: 1\n\nx\n\n", "A: 2\n", "A: 3\r\n\r\ny\r\n"]
        );
        assert_eq!(messages(b"From a\nA: 1\n\nx\nFrom b\nA: 2"), ["A: 1\n\nx\n", "A: 2"]);
        assert_eq!(messages(b"From a\n"), [""]);
        assert_eq!(messages(b"From a"), [""]);
    }

    #[test]
    fn one_quote_is_taken_away() {
        assert_eq!(
            messages(b"From a\nA: 1\n\n>From x\n>>From y\n>Fromm\n> From z\n x >From\n"),
            ["A: 1\n\nFrom x\n>From y\n>Fromm\n> From z\n x >From\n"]
        );
    }

    #[test]
    fn content_length_and_obsolete_fields_do_not_mislead() {
        assert_eq!(
            messages(b"From a\nContent-Length: 99\n\nx\n\nFrom b\nFrom : joe\n\n"),
            ["Content-Length: 99\n\nx\n", "From : joe\n"]
        );
        assert!(!is_mbox(b"From : joe@example.com\r\n"));
        assert!(!is_mbox(b"From: joe@example.com\r\n"));
        assert!(!is_mbox(b"From \t: joe@example.com\r\n"));
        assert!(!is_mbox(b"From  "));
    }

    /// What stands in the next line tells nothing of this one.
    #[test]
    fn a_separator_may_say_nothing() {
        for line in ["From \n", "From  \t\r\n"] {
            assert!(is_mbox(line.as_bytes()) && is_mbox(format!("{line}: x").as_bytes()));
            let mbox = format!("{line}A: 1\n\n{line}A: 2\n");
            assert_eq!(messages(mbox.as_bytes()), ["A: 1\n", "A: 2\n"]);
        }
    }

    #[test]
    fn long_lines_are_cut_without_harm() {
        let long = "x".repeat(BLOCK);
        let body = format!("A: 1\n\n{long}From y\n{long}>From z\n");
        let mbox = format!("From {long}{long}\n{body}\nFrom b\nA: 2\n");
        assert_eq!(messages(mbox.as_bytes()), [body.as_str(), "A: 2\n"]);
    }

    #[test]
    fn a_message_not_read_is_passed_over() {
        let mut mbox = Mbox::new(&b"From a\nA: 1\n\nx\n\nFrom b\nA: 2\n"[..]).unwrap();
        mbox.next_message().unwrap().unwrap();
        let mut text = String::new();
        mbox.next_message().unwrap().unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, "A: 2\n");
        assert!(mbox.next_message().unwrap().is_none());
    }
}
