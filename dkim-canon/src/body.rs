//! Body canonicalization (RFC 6376 §3.4.3, §3.4.4) of a body that comes in chunks.

use crate::Canonicalization;
use crate::gather::Gather;
use crate::scan::{RUN, clean_len, len_to_last, run_len};

/// Makes the canonical form of a body that is fed in chunks of any size, cut anywhere.
///
/// The canonical octets go to the sink given with each call, in order, in pieces that are never
/// empty. Long runs of octets that stay as they are are lent from the chunk itself; small pieces
/// are gathered in 512 octets on the stack. Between the calls nothing of the message is kept but a
/// few words that say what is held back, so memory is constant, whatever the body.
///
/// A line end is CRLF and nothing else, white space is SP and TAB and nothing else.
/// What a body without a closing CRLF ends in counts as a line: it gets its CRLF, and under
/// `relaxed` it loses white space at its end, and is an empty line if it has nothing else.
///
/// ```
/// use dkim_canon::{BodyCanonicalizer, Canonicalization};
///
/// let mut canonical = Vec::new();
/// let mut body = BodyCanonicalizer::new(Canonicalization::Relaxed);
/// for chunk in ["Hi.  \r", "\n\r\nWe\t lost the", " game.\r\n \r\n\r\n"] {
///     body.chunk(chunk.as_bytes(), |octets| canonical.extend_from_slice(octets));
/// }
/// body.finish(|octets| canonical.extend_from_slice(octets));
/// assert_eq!(canonical, b"Hi.\r\n\r\nWe lost the game.\r\n");
/// ```
#[derive(Clone, Debug)]
pub struct BodyCanonicalizer {
    canonicalization: Canonicalization,
    // Held back, in this order, until it is known whether they stand at the end of the body (CRLFs)
    // or of a line (white space).
    line_ends: u64,
    white_space: bool,
    /// A CR that ended the last chunk: the first half of a line end, or an octet like any other.
    cr: bool,
    /// Whether there has been a line that is not empty.
    begun: bool,
}

impl BodyCanonicalizer {
    /// A canonicalizer before the first octet of a body.
    #[must_use]
    pub const fn new(canonicalization: Canonicalization) -> Self {
        Self { canonicalization, line_ends: 0, white_space: false, cr: false, begun: false }
    }

    /// Takes the next octets of the body and gives `sink` what is certain by now.
    pub fn chunk(&mut self, chunk: &[u8], sink: impl FnMut(&[u8])) {
        let mut out = Gather::new(sink);
        let chunk = self.settle_cr(chunk, &mut out);

        // After its last octet of text a chunk has only what may have to be held back. Everything
        // before it is inside the body for good, blank lines included.
        let text_len = match self.canonicalization {
            Canonicalization::Simple => {
                len_to_last(chunk, |octet| (octet != b'\r') & (octet != b'\n'))
            }
            Canonicalization::Relaxed => len_to_last(chunk, |octet| {
                (octet != b'\r') & (octet != b'\n') & (octet != b' ') & (octet != b'\t')
            }),
        };
        let (text, tail) = chunk.split_at_checked(text_len).unwrap_or((chunk, &[]));

        if !text.is_empty() {
            self.release_line_ends(&mut out);
            match self.canonicalization {
                Canonicalization::Simple => out.put(text),
                Canonicalization::Relaxed => reduce(text, self.white_space, &mut out),
            }
            self.white_space = false;
        }
        self.hold(tail, &mut out);
        out.flush();
    }

    /// Ends the body: gives `sink` the closing CRLF, if the canonical form has one.
    pub fn finish(mut self, sink: impl FnMut(&[u8])) {
        let mut out = Gather::new(sink);
        if self.cr {
            self.release(&mut out);
            out.put_octet(b'\r');
        }
        let closed = match self.canonicalization {
            // RFC 6376 §3.4.3: "a completely empty or missing body is canonicalized as a single
            // CRLF".
            Canonicalization::Simple => true,
            // RFC 6376 §3.4.4 b: empty lines at the end are ignored, be they all there is. "If the
            // body is non-empty but does not end with a CRLF, a CRLF is added": what step a left
            // of the body is meant; white space alone is an empty line.
            Canonicalization::Relaxed => self.begun,
        };
        if closed {
            out.put(b"\r\n");
        }
        out.flush();
    }

    /// Decides about the CR that ended the chunk before this one. Returns the rest of the chunk.
    fn settle_cr<'c>(&mut self, chunk: &'c [u8], out: &mut Gather<impl FnMut(&[u8])>) -> &'c [u8] {
        if !self.cr {
            return chunk;
        }
        match chunk {
            [] => chunk,
            [b'\n', rest @ ..] => {
                self.cr = false;
                self.end_line();
                rest
            }
            _ => {
                self.cr = false;
                self.release(out);
                out.put_octet(b'\r');
                chunk
            }
        }
    }

    /// Holds back the line ends and white space of `tail`, and what it has of other octets not.
    fn hold(&mut self, mut tail: &[u8], out: &mut Gather<impl FnMut(&[u8])>) {
        loop {
            tail = match tail {
                [] => return,
                [b'\r'] => {
                    self.cr = true;
                    return;
                }
                [b'\r', b'\n', rest @ ..] => {
                    self.end_line();
                    rest
                }
                [b' ' | b'\t', rest @ ..] => {
                    self.white_space = true;
                    skip_white_space(rest)
                }
                [octet, rest @ ..] => {
                    self.release(out);
                    out.put_octet(*octet);
                    rest
                }
            }
        }
    }

    /// Counts a line end. White space before it is gone (RFC 6376 §3.4.4 a).
    const fn end_line(&mut self) {
        self.white_space = false;
        self.line_ends += 1;
    }

    /// Gives out what was held back: an octet follows that ends neither body nor line.
    fn release(&mut self, out: &mut Gather<impl FnMut(&[u8])>) {
        self.release_line_ends(out);
        if self.white_space {
            self.white_space = false;
            out.put_octet(b' ');
        }
    }

    fn release_line_ends(&mut self, out: &mut Gather<impl FnMut(&[u8])>) {
        static MANY: [[u8; 2]; 512] = [*b"\r\n"; 512];

        self.begun = true;
        while self.line_ends >= 512 {
            self.line_ends -= 512;
            out.put(MANY.as_flattened());
        }
        while self.line_ends > 0 {
            self.line_ends -= 1;
            out.put(b"\r\n");
        }
    }
}

/// Writes `text`, which ends in an octet that is neither white space nor part of a line end, with
/// white space at line ends removed and every other run of it one SP (RFC 6376 §3.4.4 a).
/// `white_space`: some went before.
fn reduce(mut text: &[u8], mut white_space: bool, out: &mut Gather<impl FnMut(&[u8])>) {
    loop {
        if white_space {
            text = skip_white_space(text);
            if !text.starts_with(b"\r\n") {
                out.put_octet(b' ');
            }
        }
        // A TAB, or a SP before SP, TAB or CR. Other control octets after a SP are rare, and `<=`
        // is one comparison instead of three.
        let clean =
            clean_len(text, |octet, next| (octet == b'\t') | ((octet == b' ') & (next <= b' ')));
        let rest = out.put_first(text, clean);
        if rest.is_empty() {
            return;
        }
        text = rest;
        // After a run that was cut an octet may follow that is not suspect.
        white_space = clean < RUN;
    }
}

fn skip_white_space(text: &[u8]) -> &[u8] {
    let len = run_len(text, |octet| (octet == b' ') | (octet == b'\t'));
    text.get(len..).unwrap_or_default()
}
