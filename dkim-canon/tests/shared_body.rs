//! Slices of a shared body are the streamed canonical form, and share what they can.
#![allow(clippy::unwrap_used, missing_docs)]

mod naive;

use bytes::Bytes;
use dkim_canon::{Canonicalization, body_slices};

const BOTH: [Canonicalization; 2] = [Canonicalization::Simple, Canonicalization::Relaxed];

#[test]
fn slices_are_the_canonical_form() {
    let mut random = naive::Random(8463);
    let rounds = if cfg!(miri) { 12 } else { 500 };
    let long = (0..rounds).map(|round| random.text(round * 4, [2, 40, 400][round % 3]));
    for body in naive::strings(4).chain(long) {
        let body = Bytes::from(body);
        for c in BOTH {
            assert_eq!(body_slices(c, &body).concat(), naive::body(c, &body), "{c} {body:?}");
        }
    }
}

#[test]
fn clean_text_is_not_copied() {
    let count = if cfg!(miri) { 50 } else { 1000 };
    let line = "A line of words, as most mail has them.\r\n";
    let body = Bytes::from(line.repeat(count) + "\tindented\r\n" + &line.repeat(count));
    for c in BOTH {
        let shared: usize = body_slices(c, &body)
            .iter()
            .filter(|slice| body.as_ptr_range().contains(&slice.as_ptr()))
            .map(Bytes::len)
            .sum();
        // Of each of the two runs a small piece may be left.
        let least = 2 * (count * line.len() - 256);
        assert!(shared >= least, "{c}: {shared} of {} octets", body.len());
    }
}
