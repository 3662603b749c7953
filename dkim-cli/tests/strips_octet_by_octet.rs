//! `dkim strip` writes every octet that it does not delete as it was, whatever the line ends.
#![allow(clippy::unwrap_used, missing_docs)]

use std::fs;
use std::process::Command;

const FIELD: &str = "Authentication-Results: mx.example.org;\r\n none\r\n";

fn strip(message: &[u8]) -> Vec<u8> {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), message).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_dkim"));
    command.args(["strip", "--authserv-id", "mx.example.org"]).arg(file.path());
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

#[test]
fn what_is_left_is_as_it_was() {
    for (before, after) in [
        ("A: b\r\n", "\r\nbody\nof\rany\0kind\r\n"),
        ("A: b\r\n c\r\n", ""),
        ("", "From: x\r\n\r\n"),
        ("A: b\r\n", "C: d"),
    ] {
        let message = format!("{before}{FIELD}{after}");
        let left = format!("{before}{after}");
        assert_eq!(strip(message.as_bytes()), left.as_bytes(), "{message:?}");
        let (message, left) = (message.replace("\r\n", "\n"), left.replace("\r\n", "\n"));
        assert_eq!(strip(message.as_bytes()), left.as_bytes(), "{message:?}");
    }
    let long = [b"A: b\n\n".to_vec(), b"\xff\r\n.\n".repeat(100_000)].concat();
    assert!(strip(&long) == long);
}
