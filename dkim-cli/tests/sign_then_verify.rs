//! What `dkim sign` writes, `dkim verify` accepts, and the message in it is unchanged.
#![allow(clippy::unwrap_used)]

mod command;

use std::fs;

use command::{DATA, run, text};

const KEYS: [(&str, &str); 2] = [("sel", "keys/ed25519.pem"), ("rsa", "keys/rsa2048-pkcs1.pem")];

fn message(name: &str) -> Vec<u8> {
    fs::read(format!("{DATA}/{name}")).unwrap()
}

fn sign(selector: &str, key: &str, more: &[&str], stdin: &[u8]) -> Vec<u8> {
    let mut args = vec!["sign", "--domain", "example.com", "--selector", selector, "--key", key];
    args.extend(more);
    let output = run(&args, stdin);
    assert!(output.status.success(), "{}", text(&output.stderr));
    output.stdout
}

fn verify(signed: &[u8]) -> Option<i32> {
    run(&["verify", "--zone", "example.zone"], signed).status.code()
}

#[test]
fn in_every_canonicalization_and_with_every_key() {
    for (selector, key) in KEYS {
        for canon in ["simple/simple", "simple/relaxed", "relaxed/simple", "relaxed/relaxed"] {
            for file in ["plain.eml", "plain-lf.eml", "header-only.eml"] {
                for more in [&[][..], &["--body-length", "--expires", "60"]] {
                    let plain = message(file);
                    let args = [&["--canon", canon, file], more].concat();
                    let signed = sign(selector, key, &args, b"");
                    assert!(signed.ends_with(&plain), "{file}");
                    assert_eq!(verify(&signed), Some(0), "{key} {canon} {file}");
                    let damaged = text(&signed).replace("From: ", "From: x");
                    assert_eq!(verify(damaged.as_bytes()), Some(1), "{key} {canon} {file}");
                }
            }
        }
    }
}

#[test]
fn a_field_has_the_line_ends_of_its_message() {
    for (file, line_end) in [("plain.eml", "\r\n"), ("plain-lf.eml", "\n")] {
        let field = text(&sign("sel", KEYS[0].1, &["--field", file], b""));
        assert!(field.ends_with(line_end));
        assert_eq!(field.matches('\n').count(), field.matches(line_end).count());
        assert_eq!(field.contains('\r'), line_end == "\r\n");
    }
}

#[test]
fn standard_input_of_any_size_is_signed_like_a_file() {
    let mut plain = message("plain.eml");
    for octets in [0, 100_000, 1_000_000] {
        plain.extend(b"0123456789 abcdef\r\n".repeat(octets / 19));
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("message.eml");
        fs::write(&file, &plain).unwrap();
        let timestamp = ["--timestamp", "1700000000"];
        let from_stdin = sign("sel", KEYS[0].1, &timestamp, &plain);
        let file = file.to_str().unwrap();
        let from_file = sign("sel", KEYS[0].1, &[&timestamp[..], &[file]].concat(), b"");
        assert!(from_stdin == from_file && from_file.ends_with(&plain));
        assert_eq!(verify(&from_file), Some(0));
    }
}

#[test]
fn ed25519_signatures_are_those_that_the_test_messages_bear() {
    let args = ["--timestamp", "1700000000", "plain.eml"];
    assert_eq!(sign("sel", KEYS[0].1, &args, b""), message("signed.eml"));
}
