//! The streaming body canonicalizer gives what RFC 6376 §3.4.3 and §3.4.4 say, wherever it is cut.
#![allow(clippy::unwrap_used, missing_docs)]

mod naive;

use dkim_canon::{BodyCanonicalizer, Canonicalization};

const BOTH: [Canonicalization; 2] = [Canonicalization::Simple, Canonicalization::Relaxed];

fn streamed<'a>(c: Canonicalization, chunks: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut canonical = Vec::new();
    let mut sink = |octets: &[u8]| {
        assert!(!octets.is_empty(), "an empty piece");
        canonical.extend_from_slice(octets);
    };
    let mut body = BodyCanonicalizer::new(c);
    for chunk in chunks {
        body.chunk(chunk, &mut sink);
    }
    body.finish(&mut sink);
    canonical
}

#[test]
fn every_short_body_cut_at_every_place() {
    for body in naive::strings(7) {
        for c in BOTH {
            let expected = naive::body(c, &body);
            for cut in 0..=body.len() {
                let (first, second) = body.split_at(cut);
                // A piece of nothing changes nothing.
                let pieces = [first, b"", second];
                assert_eq!(streamed(c, pieces), expected, "{c} {body:?} cut at {cut}");
            }
            assert_eq!(streamed(c, body.chunks(1)), expected, "{c} {body:?} octet by octet");
        }
    }
}

#[test]
fn canonical_form_is_a_fixed_point() {
    for body in naive::strings(7) {
        for c in BOTH {
            let once = streamed(c, [&body[..]]);
            assert_eq!(streamed(c, [&once[..]]), once, "{c} {body:?}");
        }
    }
}

#[test]
fn long_bodies_cut_at_random() {
    let mut random = naive::Random(6376);
    for round in 0..if cfg!(miri) { 9 } else { 6000 } {
        // Around the strides of the scan and the sizes of the buffers.
        let len = [0, 16, 64, 128, 192, 256, 512, 1024, 2048][round % 9] + random.below(20);
        let rarity = [2, 6, 40, 400][round / 9 % 4];
        let body = random.text(len, rarity);
        let mut chunks = Vec::new();
        let mut rest = &body[..];
        while !rest.is_empty() {
            let most = [1, 5, 80, 5000][random.below(4)];
            let (chunk, after) = rest.split_at((random.below(most) + 1).min(rest.len()));
            chunks.push(chunk);
            rest = after;
        }
        for c in BOTH {
            let expected = naive::body(c, &body);
            assert_eq!(streamed(c, [&body[..]]), expected, "{c} {body:?}");
            assert_eq!(streamed(c, chunks.iter().copied()), expected, "{c} {chunks:?}");
        }
    }
}

#[test]
fn line_ends_held_back_come_out_in_full() {
    for count in [1, 2, 511, 512, 513, 1024, 5000] {
        let line_ends = b"\r\n".repeat(count);
        for c in BOTH {
            let body = [b"x", &line_ends[..], b"y"].concat();
            let expected = [&body[..], b"\r\n"].concat();
            let (first, second) = body.split_at(body.len() - 1);
            assert_eq!(streamed(c, [first, second]), expected, "{c} {count}");
            assert_eq!(streamed(c, body.chunks(1)), expected, "{c} {count}");
            assert_eq!(streamed(c, [first]), b"x\r\n", "{c} {count}");
        }
    }
}

#[test]
fn clean_text_is_lent_in_large_pieces() {
    let line = "A line of words, as most mail has them, and most of it ends like this.\r\n";
    let body = [line.repeat(50), line.repeat(50), ".\r\n\r\n".to_owned()].join("\r\n\r\n");
    for c in BOTH {
        let (mut lent, mut calls) = (0, 0);
        BodyCanonicalizer::new(c).chunk(body.as_bytes(), |octets| {
            calls += 1;
            if octets.as_ptr() == body[lent..].as_ptr() {
                lent += octets.len();
            }
        });
        assert!(lent + 256 > body.len() && lent <= body.len() - 4, "{c}: {lent}");
        assert!(calls <= 1 + body.len() / 2048, "{c}: {calls} calls");
    }
}

#[test]
fn small_pieces_are_gathered() {
    let body = b"a  b\t\r\n".repeat(if cfg!(miri) { 500 } else { 10_000 });
    let mut calls = 0;
    BodyCanonicalizer::new(Canonicalization::Relaxed).chunk(&body, |_| calls += 1);
    assert!(calls <= body.len() / 500, "{calls} calls");
}

#[test]
fn octets_that_are_no_line_ends_nor_white_space_stay() {
    let body = b"\x0c \x0b\xc2\xa0\0\r\r\n\n \n\r \r\r\r\n";
    assert_eq!(
        streamed(Canonicalization::Relaxed, [&body[..]]),
        b"\x0c \x0b\xc2\xa0\0\r\r\n\n \n\r \r\r\r\n"
    );
    assert_eq!(streamed(Canonicalization::Simple, [&body[..]]), body);
}

#[test]
fn a_last_line_without_line_end_is_a_line() {
    let relaxed = |body: &[u8]| streamed(Canonicalization::Relaxed, [body]);
    let simple = |body: &[u8]| streamed(Canonicalization::Simple, [body]);
    assert_eq!(relaxed(b""), b"");
    assert_eq!(relaxed(b" \t"), b"");
    assert_eq!(relaxed(b"\r\n \r\n\t"), b"");
    assert_eq!(relaxed(b"x \t"), b"x\r\n");
    assert_eq!(relaxed(b"x\r\n \t"), b"x\r\n");
    assert_eq!(relaxed(b"x\r"), b"x\r\r\n");
    assert_eq!(relaxed(b"x \r"), b"x \r\r\n");
    assert_eq!(simple(b""), b"\r\n");
    assert_eq!(simple(b" "), b" \r\n");
    assert_eq!(simple(b"x"), b"x\r\n");
    assert_eq!(simple(b"x\r\n\r"), b"x\r\n\r\r\n");
}
