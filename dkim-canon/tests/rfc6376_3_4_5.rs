//! The examples of RFC 6376 §3.4.5.
#![allow(missing_docs)]

use dkim_canon::{BodyCanonicalizer, Canonicalization, write_field};

const FIELDS: [(&[u8], &[u8]); 2] = [(b"A", b" X"), (b"B ", b" Y\t\r\n\tZ  ")];
const BODY: &[u8] = b" C \r\nD \t E\r\n\r\n\r\n";

fn header(c: Canonicalization) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, body) in FIELDS {
        write_field(c, name, body, &mut out);
        out.extend_from_slice(b"\r\n");
    }
    out
}

fn body(c: Canonicalization) -> Vec<u8> {
    let mut out = Vec::new();
    let mut canonicalizer = BodyCanonicalizer::new(c);
    canonicalizer.chunk(BODY, |octets| out.extend_from_slice(octets));
    canonicalizer.finish(|octets| out.extend_from_slice(octets));
    out
}

#[test]
fn example_1_relaxed_relaxed() {
    assert_eq!(header(Canonicalization::Relaxed), b"a:X\r\nb:Y Z\r\n");
    assert_eq!(body(Canonicalization::Relaxed), b" C\r\nD E\r\n");
}

#[test]
fn example_2_simple_simple() {
    assert_eq!(header(Canonicalization::Simple), b"A: X\r\nB : Y\t\r\n\tZ  \r\n");
    assert_eq!(body(Canonicalization::Simple), b" C \r\nD \t E\r\n");
}

#[test]
fn example_3_relaxed_simple() {
    assert_eq!(header(Canonicalization::Relaxed), b"a:X\r\nb:Y Z\r\n");
    assert_eq!(body(Canonicalization::Simple), b" C \r\nD \t E\r\n");
}
