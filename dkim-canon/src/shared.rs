//! A whole body in shared memory to canonical slices of the same memory.

use bytes::Bytes;

use crate::{BodyCanonicalizer, Canonicalization};

/// The canonical form of a whole body, in order, as slices that share `body`'s allocation wherever
/// octets come in long runs that stay as they are; the small pieces between them are copied.
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
    let mut slices = Vec::new();
    let mut canonicalizer = BodyCanonicalizer::new(canonicalization);
    let mut keep = |octets: &[u8]| {
        // A piece comes from `body` as a whole or not at all.
        slices.push(if body.as_ptr_range().contains(&octets.as_ptr()) {
            body.slice_ref(octets)
        } else {
            Bytes::copy_from_slice(octets)
        });
    };
    canonicalizer.chunk(body, &mut keep);
    canonicalizer.finish(&mut keep);
    slices
}
