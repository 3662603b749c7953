//! `dkim verify --help` tells every code that the verifier can give.
#![allow(clippy::unwrap_used)]

mod command;

use std::collections::BTreeSet;
use std::fs;

use command::{run, text};

/// The words in quotes that may be codes: the file names them nowhere but in its tables.
fn codes(source: &str) -> BTreeSet<&str> {
    let is_code = |word: &&str| {
        !word.is_empty() && word.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'))
    };
    source.split('"').skip(1).step_by(2).filter(is_code).collect()
}

#[test]
fn and_no_other() {
    let outcomes = concat!(env!("CARGO_MANIFEST_DIR"), "/../dkim-verify/src/outcome.rs");
    let source = fs::read_to_string(outcomes).unwrap();
    let given = codes(source.split("#[cfg(test)]").next().unwrap());
    let help = text(&run(&["verify", "--help"], b"").stdout);
    let tables = help.split_once("Reasons, ").unwrap().1;
    let told: BTreeSet<&str> = tables
        .lines()
        .filter_map(|line| line.strip_prefix("  ")?.split_whitespace().next())
        .collect();
    assert_eq!(told, given);
}
