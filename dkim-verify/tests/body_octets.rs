//! The octets of the body (RFC 6376 §3.4.3, §3.4.4): line ends are CRLF, white space is SP and
//! TAB, and nothing else is either.

mod craft;

use craft::{MESSAGE, TEMPLATE, outcome, sign, verify, zone};
use dkim_crypto::ring::PROVIDER;
use dkim_dns::drive_blocking;
use dkim_verify::{Policy, Verifier};

const HEADER: &str = "From: joe@example.com\r\n\r\n";

const BOTH: [&str; 2] = ["simple", "relaxed"];

fn signed(form: &str, body: &[u8]) -> Vec<u8> {
    let template = craft::with_forms(&format!("relaxed/{form}"));
    sign(&template, &[HEADER.as_bytes(), body].concat())
}

/// What becomes of a message that was signed with one body and comes with another.
fn carried(form: &str, before: &[u8], after: &[u8]) -> String {
    let message = signed(form, before);
    let header = &message[..message.len() - before.len()];
    outcome(&verify(&[header, after].concat(), &zone()))
}

/// One octet put in at any place of a body is another body.
#[test]
fn a_bare_line_end_put_in_is_always_detected() {
    for body in
        [&b"Hi.\r\n\r\nWe lost \t the game. \r\n"[..], b"Hi.\r\n \r\n\r\n", b"Hi.", b"\r\n", b""]
    {
        for form in BOTH {
            for at in 0..=body.len() {
                for octet in [b'\r', b'\n', b'\0', 0x0b, 0x0c, 0x85, 0xa0] {
                    let changed = [&body[..at], &[octet], &body[at..]].concat();
                    let shown = String::from_utf8_lossy(&changed);
                    let expected = "fail body-hash-mismatch";
                    assert_eq!(carried(form, body, &changed), expected, "{shown:?} {form}");
                }
            }
        }
    }
}

/// A line end that loses a half, or changes it.
#[test]
fn a_line_end_taken_apart_is_always_detected() {
    for form in BOTH {
        for (before, after) in [
            ("a\r\nb\r\n", "a\nb\r\n"),
            ("a\r\nb\r\n", "a\rb\r\n"),
            ("a\r\nb\r\n", "a\n\rb\r\n"),
            ("a\r\nb\r\n", "a\r\nb\n"),
            ("a\r\nb\r\n", "a\r\nb\r"),
            ("a\r\nb\r\n", "a\r\nb\r\r\n"),
            ("a\r\nb\r\n", "a\r\r\nb\r\n"),
            ("a\r\nb\r\n", "a\r\nb\r\n\r"),
            ("a\r\nb\r\n", "a\r\nb\r\n\n"),
            ("a b\r\n", "a \rb\r\n"),
            ("a b\r\n", "a\x0cb\r\n"),
            ("a b\r\n", "a \x0c b\r\n"),
            ("a\r\n", "a\x0c\r\n"),
            ("a\r\n", "a \r \r\n"),
            ("a\r\n", "a\u{a0}\r\n"),
            ("a\rb\r\n", "a\r\nb\r\n"),
            ("a\nb\r\n", "a\r\nb\r\n"),
            ("a\0b\r\n", "ab\r\n"),
            ("a\0b\r\n", "a b\r\n"),
        ] {
            let found = carried(form, before.as_bytes(), after.as_bytes());
            assert_eq!(found, "fail body-hash-mismatch", "{before:?} {after:?} {form}");
        }
    }
}

/// What was signed as it is verifies as it is, wherever the chunks are cut.
#[test]
fn what_was_signed_as_it_is_verifies() {
    for body in [
        &b"a\rb\r\n"[..],
        b"a\nb\r\n",
        b"a\n",
        b"a\r",
        b"\r",
        b"\n",
        b"\r\r\n",
        b"a\r\r\n\r\r\n",
        b"a \r\r\n\n",
        b"a\0b\0\r\n",
        b"\0",
        b"a\x0c\x0b\r\n",
        b"\x0c\r\n",
        b"\xff\xfe\r\n",
        b"",
        b"\r\n",
        b"\r\n\r\n\r\n",
        b" ",
        b" \t\r\n\t \r\n",
        b"a",
        b"a \t",
        b"a\r\n \t",
        b"a\r\n \r\n\t\r\n \r\n",
        b"\r\n\r\na\r\n",
    ] {
        for form in BOTH {
            let message = signed(form, body);
            for size in 1..=body.len().max(1) {
                let (header, body) = dkim_message::split(&message);
                let mut verifier = Verifier::new(&header, &Policy::rfc(), craft::NOW, &PROVIDER);
                drive_blocking(&mut verifier, &zone());
                for chunk in body.chunks(size) {
                    verifier.body_chunk(chunk);
                    verifier.body_chunk(b"");
                }
                let shown = String::from_utf8_lossy(body);
                assert_eq!(outcome(&verifier.finish()), "pass ok", "{shown:?} {form} {size}");
            }
        }
    }
}

/// What the canonicalizations take for the same, and what they do not.
#[test]
fn what_may_change_on_the_way() {
    const PASS: &str = "pass ok";
    const FAIL: &str = "fail body-hash-mismatch";
    for (before, after, simple, relaxed) in [
        // RFC 6376 §3.4.3: an empty body is one CRLF; §3.4.4: an empty body is empty.
        ("", "\r\n", PASS, PASS),
        ("", "\r\n\r\n\r\n", PASS, PASS),
        ("", " \r\n", FAIL, PASS),
        ("", " \t", FAIL, PASS),
        ("", "a", FAIL, FAIL),
        ("a", "a\r\n", PASS, PASS),
        ("a", "a\r\n\r\n\r\n", PASS, PASS),
        ("a", "a \t", FAIL, PASS),
        ("a\r\n", "a\r\n \t\r\n\r\n", FAIL, PASS),
        ("a\r\n", "a\r\n \r\n\t", FAIL, PASS),
        ("a\r\n\r\nb\r\n", "a\r\n \t \r\nb\r\n", FAIL, PASS),
        ("a\r\n\r\nb\r\n", "a\r\n\r\n\r\nb\r\n", FAIL, FAIL),
        ("a\r\n", "\r\na\r\n", FAIL, FAIL),
        ("a b\r\n", "a \t b\t\r\n", FAIL, PASS),
        ("a b\r\n", "a\tb\r\n", FAIL, PASS),
        ("a b\r\n", "ab\r\n", FAIL, FAIL),
        ("a\r\n", " a\r\n", FAIL, FAIL),
        (" a\r\n", "\t\ta\r\n", FAIL, PASS),
        ("a\r\n", "A\r\n", FAIL, FAIL),
        ("a\r\n", "a\r\n.\r\n", FAIL, FAIL),
    ] {
        for (form, expected) in [("simple", simple), ("relaxed", relaxed)] {
            let found = carried(form, before.as_bytes(), after.as_bytes());
            assert_eq!(found, expected, "{before:?} {after:?} {form}");
        }
    }
}

/// The body begins after the first empty line: a line of white space is none.
#[test]
fn where_the_body_begins() {
    let message = sign(TEMPLATE, MESSAGE.as_bytes());
    let text = String::from_utf8_lossy(&message).into_owned();
    for (from, to, expected) in [
        ("\r\n\r\nHi.", "\r\n\r\n\r\nHi.", "fail body-hash-mismatch"),
        ("\r\n\r\nHi.", "\r\n \r\n\r\nHi.", "pass ok"),
        ("\r\n\r\nHi.", "\r\n\t\r\nHi.", "permerror malformed-header"),
        ("\r\n\r\nHi.", "\r\nHi.", "permerror malformed-header"),
    ] {
        let carried = text.replacen(from, to, 1);
        assert_eq!(outcome(&verify(carried.as_bytes(), &zone())), expected, "{to:?}");
    }
}
