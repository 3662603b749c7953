//! `write_field` gives what RFC 6376 §3.4.1 and §3.4.2 say.
#![allow(clippy::unwrap_used, missing_docs)]

mod naive;

use dkim_canon::{Canonicalization, write_field, write_field_body};

const BOTH: [Canonicalization; 2] = [Canonicalization::Simple, Canonicalization::Relaxed];

fn field(c: Canonicalization, name: &[u8], body: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    write_field(c, name, body, &mut out);
    out
}

#[test]
fn every_short_field_body() {
    for body in naive::strings(6) {
        for c in BOTH {
            assert_eq!(field(c, b"Name", &body), naive::field(c, b"Name", &body), "{c} {body:?}");
        }
    }
}

/// Cut where there is no white space, the halves are the whole.
#[test]
fn every_short_field_body_in_two_halves() {
    for before in naive::strings(3) {
        for after in naive::strings(3).map(|after| [b";", &after[..]].concat()) {
            let before = [&before[..], b"b="].concat();
            for (c, after) in BOTH.into_iter().flat_map(|c| [(c, &after[..]), (c, b"")]) {
                let mut halves = field(c, b"Name", &before);
                write_field_body(c, after, &mut halves);
                let whole = [&before[..], after].concat();
                assert_eq!(halves, naive::field(c, b"Name", &whole), "{c} {before:?} {after:?}");
            }
        }
    }
}

#[test]
fn every_short_name() {
    for mut name in naive::strings(5) {
        name.make_ascii_uppercase();
        for c in BOTH {
            assert_eq!(field(c, &name, b" x"), naive::field(c, &name, b" x"), "{c} {name:?}");
        }
    }
}

#[test]
fn long_field_bodies() {
    let mut random = naive::Random(5322);
    for round in 0..if cfg!(miri) { 9 } else { 6000 } {
        let len = [0, 16, 64, 128, 192, 256, 1024][round % 7] + random.below(20);
        let rarity = [2, 6, 40, 400][round / 7 % 4];
        let body = random.text(len, rarity);
        for c in BOTH {
            assert_eq!(field(c, b"X", &body), naive::field(c, b"X", &body), "{c} {body:?}");
        }
    }
}

#[test]
fn canonical_form_is_a_fixed_point() {
    // What can come out of a header: every CRLF in a field body is a fold.
    let bodies = naive::strings(6).filter(|body| {
        let mut line_ends = (0..body.len()).filter(|&i| body[i..].starts_with(b"\r\n"));
        line_ends.all(|i| matches!(body.get(i + 2), Some(b' ' | b'\t')))
    });
    for body in bodies {
        for c in BOTH {
            let once = field(c, b"Name", &body);
            let colon = once.iter().position(|&octet| octet == b':').unwrap();
            assert_eq!(field(c, &once[..colon], &once[colon + 1..]), once, "{c} {body:?}");
        }
    }
}

#[test]
fn what_stands_in_the_output_already_stays() {
    let mut out = b"From:Joe ".to_vec();
    write_field(Canonicalization::Relaxed, b"TO", b" Suzie", &mut out);
    assert_eq!(out, b"From:Joe to:Suzie");
}

#[test]
fn only_crlf_before_white_space_is_a_fold() {
    let relaxed = |body: &[u8]| field(Canonicalization::Relaxed, b"N", body);
    assert_eq!(relaxed(b"a\r\n b"), b"n:a b");
    assert_eq!(relaxed(b"\r\n a"), b"n:a");
    assert_eq!(relaxed(b"a\r\n \t\r\n b\r\n "), b"n:a b");
    assert_eq!(relaxed(b"a\n b"), b"n:a\n b");
    assert_eq!(relaxed(b"a\r b"), b"n:a\r b");
    assert_eq!(relaxed(b"a\r\nb"), b"n:a\r\nb");
    assert_eq!(relaxed(b"a\0\x0c\xa0 \xe9"), b"n:a\0\x0c\xa0 \xe9");
}

#[test]
fn empty_names_and_bodies() {
    for c in BOTH {
        assert_eq!(field(c, b"", b""), b":");
    }
    assert_eq!(field(Canonicalization::Relaxed, b"Subject \t", b" \t "), b"subject:");
    assert_eq!(field(Canonicalization::Relaxed, b"\xc9T\xc9", b"\xc9"), b"\xc9t\xc9:\xc9");
}
