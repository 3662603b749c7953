//! The textual form of keys (RFC 7468): a reader that tells line numbers and never text.
//!
//! Our own, because the libraries' errors name no line, and some name the octet they stumbled on.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

/// What is wrong within a block, and in which line, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PemError {
    /// RFC 1421 §4.6.1.1: `Proc-Type: 4,ENCRYPTED`.
    Encrypted { line: usize },
    /// Anything else.
    Malformed { line: usize, problem: &'static str },
}

/// A block, of which the first line has been read.
pub(crate) struct Block<'a> {
    /// The words between `BEGIN` and the dashes.
    pub(crate) label: &'a [u8],
    /// The number of the `BEGIN` line.
    pub(crate) line: usize,
    rest: Lines<'a>,
}

/// The blocks of a text, whatever stands before, between and after them.
pub(crate) fn blocks(text: &[u8]) -> impl Iterator<Item = Block<'_>> {
    // Some editors begin a UTF-8 text with a byte order mark.
    let rest = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let mut lines = Lines { rest, number: 0 };
    std::iter::from_fn(move || {
        loop {
            let (line, text) = lines.next()?;
            if let Some(label) = boundary(text, b"-----BEGIN ") {
                return Some(Block { label, line, rest: lines.clone() });
            }
        }
    })
}

impl Block<'_> {
    // stricttextualmsg = preeb eol strictbase64text posteb eol
    // Blanks at the borders of lines, lines of any length and empty lines are let pass: keys get
    // copied through editors and configuration formats.
    pub(crate) fn contents(self) -> Result<Zeroizing<Vec<u8>>, PemError> {
        let begin = self.line;
        let mut base64 = Zeroizing::new(Vec::with_capacity(self.rest.rest.len()));
        for (line, text) in self.rest {
            if let Some(label) = boundary(text, b"-----END ") {
                if label != self.label {
                    let problem = "the END line has another label than the BEGIN line";
                    return Err(PemError::Malformed { line, problem });
                }
                return decode(&base64).ok_or(PemError::Malformed {
                    line: begin,
                    problem: "the base64 text of this block is damaged or incomplete",
                });
            }
            // RFC 1421 header fields, which RFC 7468 §2 leaves out; OpenSSL's old encryption
            // has them.
            if text.contains(&b':') {
                if text.starts_with(b"Proc-Type:") && text.ends_with(b"ENCRYPTED") {
                    return Err(PemError::Encrypted { line });
                }
                let problem = "a header field, which key files do not have";
                return Err(PemError::Malformed { line, problem });
            }
            if !text.iter().all(|c| c.is_ascii_alphanumeric() || b"+/=".contains(c)) {
                let problem = "a character that is not of the base64 alphabet";
                return Err(PemError::Malformed { line, problem });
            }
            base64.extend_from_slice(text);
        }
        Err(PemError::Malformed { line: begin, problem: "this block has no END line" })
    }
}

/// Writes one block, its lines 64 characters long (RFC 7468 §2).
pub(crate) fn write(label: &str, contents: &[u8]) -> Zeroizing<String> {
    const OCTETS_PER_LINE: usize = 48;
    let lines = contents.len().div_ceil(OCTETS_PER_LINE);
    // Room for all at once: a text that grows leaves copies of itself behind.
    let mut text = Zeroizing::new(String::with_capacity(2 * label.len() + 32 + 65 * lines));
    for part in ["-----BEGIN ", label, "-----\n"] {
        text.push_str(part);
    }
    // What encodes into a string does so by way of the stack, and leaves its copy there.
    let mut line = Zeroizing::new([0; OCTETS_PER_LINE / 3 * 4]);
    for chunk in contents.chunks(OCTETS_PER_LINE) {
        let len = STANDARD.encode_slice(chunk, &mut *line).ok();
        let base64 = len.and_then(|len| str::from_utf8(line.get(..len)?).ok());
        text.push_str(base64.expect("a line has room for its octets in base64, which is ASCII"));
        text.push('\n');
    }
    for part in ["-----END ", label, "-----\n"] {
        text.push_str(part);
    }
    text
}

fn decode(base64: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let mut octets = Zeroizing::new(vec![0; base64::decoded_len_estimate(base64.len())]);
    let len = STANDARD.decode_slice(base64, &mut octets).ok()?;
    octets.truncate(len);
    Some(octets)
}

/// The label of an encapsulation boundary.
fn boundary<'a>(line: &'a [u8], prefix: &[u8]) -> Option<&'a [u8]> {
    line.strip_prefix(prefix)?.strip_suffix(b"-----")
}

/// Lines with their numbers, without their ends and without blanks around them.
#[derive(Clone)]
struct Lines<'a> {
    rest: &'a [u8],
    number: usize,
}

impl<'a> Iterator for Lines<'a> {
    type Item = (usize, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let end = self.rest.iter().position(|&octet| octet == b'\n');
        let (line, rest) = match end.and_then(|end| self.rest.split_at_checked(end + 1)) {
            Some(split) => split,
            None => (self.rest, &[][..]),
        };
        self.rest = rest;
        self.number += 1;
        Some((self.number, line.trim_ascii()))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn written_blocks_read_back() {
        for len in [0, 1, 47, 48, 49, 1000] {
            let contents = vec![0xa5; len];
            let text = write("PRIVATE KEY", &contents);
            assert!(text.lines().all(|line| line.len() <= 64));
            let block = blocks(text.as_bytes()).next().unwrap();
            assert_eq!(block.label, b"PRIVATE KEY");
            assert_eq!(*block.contents().unwrap(), contents);
        }
    }

    #[test]
    fn what_stands_around_a_block_and_crlf_are_let_pass() {
        let text = b"\xef\xbb\xbfBag Attributes\r\n  a: b\r\n\
            -----BEGIN A-----\r\nAA\r\n\r\n  ==\t\r\n-----END A-----\r\n\
            -----BEGIN B-----\nAQ==\n-----END B-----";
        let found: Vec<_> = blocks(text).map(|b| (b.line, b.contents().unwrap())).collect();
        assert_eq!(found, [(3, vec![0].into()), (8, vec![1].into())]);
    }

    #[test]
    fn damage_is_told_by_line() {
        let damaged: [(&[u8], usize); 6] = [
            (b"\n-----BEGIN A-----\nAA==\n", 2),
            (b"-----BEGIN A-----\nAA==\n-----END B-----\n", 3),
            (b"-----BEGIN A-----\nAAAA\nA-A=\n-----END A-----\n", 3),
            (b"-----BEGIN A-----\nAAA\n-----END A-----\n", 1),
            (b"-----BEGIN A-----\nAB==\n-----END A-----\n", 1),
            (b"-----BEGIN A-----\nX-Y: z\n\nAA==\n-----END A-----\n", 2),
        ];
        for (text, expected) in damaged {
            let error = blocks(text).next().unwrap().contents().unwrap_err();
            assert!(matches!(error, PemError::Malformed { line, .. } if line == expected));
        }
        let text = b"-----BEGIN A-----\nProc-Type: 4,ENCRYPTED\n";
        assert_eq!(blocks(text).next().unwrap().contents(), Err(PemError::Encrypted { line: 2 }));
    }
}
