//! A whole body in shared memory to canonical slices of the same memory.

use std::ops::Range;

use bytes::Bytes;

use crate::{BodyCanonicalizer, Canonicalization};

/// The canonical form of a whole body, in order, as slices that share `body`'s allocation wherever
/// octets come in long runs that stay as they are; the small pieces between them are copied, and what
/// is left at the end of a run.
///
/// ```
/// use bytes::Bytes;
/// use dkim_canon::{Canonicalization, body_slices};
///
/// let body = Bytes::from("words ".repeat(100) + "\r\n\r\n\r\n");
/// let slices = body_slices(Canonicalization::Simple, &body);
/// assert_eq!(slices, ["words ".repeat(100), "\r\n".to_owned()]);
/// assert_eq!(slices[0].as_ptr(), body.as_ptr());
/// ```
#[must_use]
pub fn body_slices(canonicalization: Canonicalization, body: &Bytes) -> Vec<Bytes> {
    let mut slices = Slices { body, lent: 0..0, slices: Vec::new() };
    let mut canonicalizer = BodyCanonicalizer::new(canonicalization);
    canonicalizer.chunk(body, |octets| slices.keep(octets));
    canonicalizer.finish(|octets| slices.keep(octets));
    slices.flush();
    slices.slices
}

struct Slices<'b> {
    body: &'b Bytes,
    /// What was lent from the body last, and is not among the slices yet.
    lent: Range<usize>,
    slices: Vec<Bytes>,
}

impl Slices<'_> {
    fn keep(&mut self, octets: &[u8]) {
        // A piece comes from the body as a whole or not at all.
        let lent = self.body.as_ptr_range().contains(&octets.as_ptr());
        if !lent {
            self.flush();
            self.slices.push(Bytes::copy_from_slice(octets));
            return;
        }
        let start = octets.as_ptr().addr() - self.body.as_ptr().addr();
        if start != self.lent.end {
            self.flush();
            self.lent.start = start;
        }
        self.lent.end = start + octets.len();
    }

    fn flush(&mut self) {
        if !self.lent.is_empty() {
            self.slices.push(self.body.slice(self.lent.clone()));
        }
        self.lent.start = self.lent.end;
    }
}
