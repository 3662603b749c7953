//! The two canonicalizations of DomainKeys (RFC 4870 §3.4.2), which are not those of DKIM.

use std::fmt;

use dkim_canon::{BodyCanonicalizer as DkimBody, Canonicalization as DkimCanonicalization};

/// A canonicalization of a DomainKey-Signature's `c=` tag, for header and body together.
///
/// A message in canonical form is one text: the header fields that are signed, an empty line and the
/// body, every line ended by CRLF and no empty line at the end. If the body has nothing but empty
/// lines, the empty line before it is one of those and goes with them; DKIM's forms of the same
/// name or nature have the body apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(clippy::exhaustive_enums, reason = "RFC 4870 has two, and there will be no other")]
pub enum Canonicalization {
    /// Every line as it stands (RFC 4870 §3.4.2.1).
    Simple,
    /// No white space at all, and fields unfolded (RFC 4870 §3.4.2.2).
    Nofws,
}

impl Canonicalization {
    /// All of them.
    pub const ALL: &'static [Self] = &[Self::Simple, Self::Nofws];

    /// The name in `c=`: `simple`, `nofws`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Simple => "simple",
            Self::Nofws => "nofws",
        }
    }

    /// The canonicalization with this name. Values are case-sensitive (RFC 4870 appendix A).
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|one| one.name() == name)
    }

    /// Appends the canonical form of a header field, given as it stands with its folds and without
    /// the line end that closes it, and a CRLF.
    ///
    /// ```
    /// use dkim_domainkeys::Canonicalization;
    ///
    /// let mut canonical = Vec::new();
    /// Canonicalization::Nofws.write_field(b"Subject: Is dinner\r\n ready?", &mut canonical);
    /// assert_eq!(canonical, b"Subject:Isdinnerready?\r\n");
    /// ```
    pub fn write_field(self, field: &[u8], out: &mut Vec<u8>) {
        match self {
            Self::Simple => out.extend_from_slice(field),
            Self::Nofws => out.extend(field.iter().filter(|octet| !is_fws(**octet))),
        }
        out.extend_from_slice(b"\r\n");
    }
}

impl Canonicalization {
    /// Before the first octet of a body.
    fn begin(self) -> State {
        match self {
            Self::Simple => {
                let body = DkimBody::new(DkimCanonicalization::Simple);
                State::Simple { body, begun: false, cr: false }
            }
            Self::Nofws => State::Nofws(Nofws { empty_lines: 1, in_line: false, cr: false }),
        }
    }
}

impl fmt::Display for Canonicalization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// RFC 4870 §3.4.2.2: "the decimal ASCII values 9 (HTAB), 10 (NL), 13 (CR), and 32 (SP)".
const fn is_fws(octet: u8) -> bool {
    matches!(octet, b'\t' | b'\n' | b'\r' | b' ')
}

/// Makes the canonical form of what follows the header: the empty line and the body, which is fed
/// in chunks of any size, cut anywhere.
///
/// The canonical octets go to the sink given with each call, in order, in pieces that are never
/// empty. Between the calls nothing of the message is kept but a few words that say what is held
/// back, so memory is constant, whatever the body. A line end is CRLF and nothing else; what a body
/// ends in without one counts as a line.
///
/// ```
/// use dkim_domainkeys::{BodyCanonicalizer, Canonicalization};
///
/// let mut canonical = Vec::new();
/// let mut body = BodyCanonicalizer::new(Canonicalization::Nofws);
/// for chunk in ["Hi.  \r", "\n\r\nWe\t lost the", " game.\r\n \r\n\r\n"] {
///     body.chunk(chunk.as_bytes(), |octets| canonical.extend_from_slice(octets));
/// }
/// body.finish(|octets| canonical.extend_from_slice(octets));
/// assert_eq!(canonical, b"\r\nHi.\r\n\r\nWelostthegame.\r\n");
/// ```
#[derive(Clone, Debug)]
pub struct BodyCanonicalizer(State);

#[derive(Clone, Debug)]
enum State {
    Simple {
        body: DkimBody,
        /// Whether something of the body is certain, and with it the empty line before.
        begun: bool,
        /// Whether the last octet was a CR: the first half of a line end, or text.
        cr: bool,
    },
    Nofws(Nofws),
}

impl BodyCanonicalizer {
    /// A canonicalizer before the first octet of a body.
    #[must_use]
    pub fn new(canonicalization: Canonicalization) -> Self {
        Self(canonicalization.begin())
    }

    /// Takes the next octets of the body and gives `sink` what is certain by now.
    pub fn chunk(&mut self, chunk: &[u8], mut sink: impl FnMut(&[u8])) {
        match &mut self.0 {
            // DKIM's form of this name holds back empty lines at the end just the same. Before its
            // first octet comes the empty line that ends the header.
            State::Simple { body, begun, cr } => {
                *cr = chunk.last().map_or(*cr, |last| *last == b'\r');
                body.chunk(chunk, |octets| {
                    if !std::mem::replace(begun, true) {
                        sink(b"\r\n");
                    }
                    sink(octets);
                });
            }
            State::Nofws(state) => state.chunk(chunk, sink),
        }
    }

    /// Ends the body: gives `sink` what was held back of it, if it belongs to the canonical form.
    pub fn finish(self, mut sink: impl FnMut(&[u8])) {
        match self.0 {
            // To DKIM an empty body is one line end; here it is none.
            State::Simple { begun: false, cr: false, .. } => {}
            State::Simple { body, begun, .. } => {
                if !begun {
                    sink(b"\r\n");
                }
                body.finish(sink);
            }
            State::Nofws(state) => {
                if state.in_line {
                    sink(b"\r\n");
                }
            }
        }
    }
}

/// What is known of a body under `nofws` between two chunks.
#[derive(Clone, Debug)]
struct Nofws {
    /// Empty lines held back until it is known whether they stand at the end.
    empty_lines: u64,
    /// Whether the line begun has an octet that stays.
    in_line: bool,
    /// Whether the last octet was a CR: the first half of a line end, or nothing.
    cr: bool,
}

impl Nofws {
    fn chunk(&mut self, chunk: &[u8], sink: impl FnMut(&[u8])) {
        let mut out = Gather { sink, buffer: [0; CAPACITY], len: 0 };
        for &octet in chunk {
            if is_fws(octet) {
                if octet == b'\n' && self.cr {
                    self.end_line(&mut out);
                }
            } else {
                self.begin_line(&mut out);
                out.put(octet);
            }
            self.cr = octet == b'\r';
        }
        out.flush();
    }

    fn begin_line(&mut self, out: &mut Gather<impl FnMut(&[u8])>) {
        if self.in_line {
            return;
        }
        self.in_line = true;
        while self.empty_lines > 0 {
            self.empty_lines -= 1;
            out.put(b'\r');
            out.put(b'\n');
        }
    }

    fn end_line(&mut self, out: &mut Gather<impl FnMut(&[u8])>) {
        if std::mem::take(&mut self.in_line) {
            out.put(b'\r');
            out.put(b'\n');
        } else {
            self.empty_lines += 1;
        }
    }
}

/// How many octets are gathered before they are handed on.
const CAPACITY: usize = 1024;

/// Puts octets together, so that what follows (a hash) is not fed one at a time.
struct Gather<S> {
    sink: S,
    buffer: [u8; CAPACITY],
    len: usize,
}

impl<S: FnMut(&[u8])> Gather<S> {
    fn put(&mut self, octet: u8) {
        if self.len == CAPACITY {
            self.flush();
        }
        if let Some(room) = self.buffer.get_mut(self.len) {
            *room = octet;
            self.len += 1;
        }
    }

    fn flush(&mut self) {
        if let Some(gathered @ [_, ..]) = self.buffer.get(..self.len) {
            (self.sink)(gathered);
        }
        self.len = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4870 §3.4.2 as its words go, over the whole body.
    fn naive(canonicalization: Canonicalization, body: &[u8]) -> Vec<u8> {
        // "Each line of the email": the one that ends the header, and those of the body.
        let mut lines = vec![Vec::new()];
        let mut rest = body;
        while !rest.is_empty() {
            let end = rest.windows(2).position(|pair| pair == b"\r\n");
            let line = &rest[..end.unwrap_or(rest.len())];
            rest = &rest[end.map_or(rest.len(), |end| end + 2)..];
            lines.push(match canonicalization {
                Canonicalization::Simple => line.to_vec(),
                Canonicalization::Nofws => {
                    let stays = |octet: &&u8| ![9, 10, 13, 32].contains(*octet);
                    line.iter().filter(stays).copied().collect()
                }
            });
        }
        // "All trailing empty lines are ignored."
        while lines.last().is_some_and(Vec::is_empty) {
            lines.pop();
        }
        lines.iter().flat_map(|line| [line, &b"\r\n"[..]].concat()).collect()
    }

    fn streamed(canonicalization: Canonicalization, chunks: &[&[u8]]) -> Vec<u8> {
        let mut canonical = Vec::new();
        let mut canonicalizer = BodyCanonicalizer::new(canonicalization);
        let mut keep = |octets: &[u8]| {
            assert!(!octets.is_empty());
            canonical.extend_from_slice(octets);
        };
        for chunk in chunks {
            canonicalizer.chunk(chunk, &mut keep);
        }
        canonicalizer.finish(keep);
        canonical
    }

    /// All short bodies, cut at every place and into single octets.
    #[test]
    fn bodies_are_what_the_words_say_however_they_are_cut() {
        let alphabet = [b'x', b' ', b'\t', b'\r', b'\n'];
        for canonicalization in Canonicalization::ALL.iter().copied() {
            for length in 0..=7_u32 {
                for number in 0..5_usize.pow(length) {
                    let octet = |place| alphabet[number / 5_usize.pow(place) % 5];
                    let body: Vec<u8> = (0..length).map(octet).collect();
                    let expected = naive(canonicalization, &body);
                    for cut in 0..=body.len() {
                        let (before, after) = body.split_at(cut);
                        assert_eq!(
                            streamed(canonicalization, &[before, after]),
                            expected,
                            "{canonicalization} {body:?}"
                        );
                    }
                    let single: Vec<&[u8]> = body.chunks(1).collect();
                    assert_eq!(
                        streamed(canonicalization, &single),
                        expected,
                        "{canonicalization} {body:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn long_bodies_are_the_same_in_any_pieces() {
        let line = b"some words, and\tmore \r\n\r\n \r\n".repeat(500);
        let body = [&line[..], &b"\r\n".repeat(3000), b"end", &b" \r\n".repeat(3000)].concat();
        for canonicalization in Canonicalization::ALL.iter().copied() {
            for size in [1, 2, 3, 1023, 1024, 1025, 100_000] {
                let chunks: Vec<&[u8]> = body.chunks(size).collect();
                assert_eq!(
                    streamed(canonicalization, &chunks),
                    naive(canonicalization, &body),
                    "{canonicalization} {size}"
                );
            }
        }
    }

    /// All short fields: folds are white space like any other.
    #[test]
    fn fields_are_what_the_words_say() {
        let alphabet = [b'x', b':', b' ', b'\t', b'\r', b'\n'];
        for length in 0..=6_u32 {
            for number in 0..6_usize.pow(length) {
                let octet = |place| alphabet[number / 6_usize.pow(place) % 6];
                let field: Vec<u8> = (0..length).map(octet).collect();
                let (mut simple, mut nofws) = (Vec::new(), Vec::new());
                Canonicalization::Simple.write_field(&field, &mut simple);
                Canonicalization::Nofws.write_field(&field, &mut nofws);
                assert_eq!(simple, [&field[..], b"\r\n"].concat());
                let stays = |octet: &&u8| ![9, 10, 13, 32].contains(*octet);
                let mut line: Vec<u8> = field.iter().filter(stays).copied().collect();
                line.extend(b"\r\n");
                assert_eq!(nofws, line);
            }
        }
    }

    #[test]
    fn names_are_case_sensitive_and_exact() {
        for canonicalization in Canonicalization::ALL.iter().copied() {
            assert_eq!(
                Canonicalization::from_name(&canonicalization.to_string()),
                Some(canonicalization)
            );
        }
        for name in ["Simple", "NOFWS", "nofws ", "relaxed", "simple/simple", ""] {
            assert_eq!(Canonicalization::from_name(name), None, "{name:?}");
        }
    }
}
