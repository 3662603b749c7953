//! `dkim verify --help` tells every code that the verifier can give.
#![allow(clippy::unwrap_used)]

mod command;

use std::collections::BTreeSet;
use std::fs;

use command::{run, text};

/// The words in quotes that may be codes: the files name them nowhere but in their tables.
fn codes(source: &str) -> BTreeSet<&str> {
    let is_code = |word: &&str| {
        !word.is_empty() && word.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'))
    };
    source.split('"').skip(1).step_by(2).filter(is_code).collect()
}

#[test]
fn and_no_other() {
    let sources = ["outcome", "deviation", "limit"].map(|file| {
        let crate_root = env!("CARGO_MANIFEST_DIR");
        fs::read_to_string(format!("{crate_root}/../dkim-verify/src/{file}.rs")).unwrap()
    });
    let given: BTreeSet<&str> = sources
        .iter()
        .flat_map(|source| codes(source.split("#[cfg(test)]").next().unwrap()))
        .collect();
    let help = text(&run(&["verify", "--help"], b"").stdout);
    let tables = help.split_once("Reasons, ").unwrap().1;
    let told: BTreeSet<&str> = tables
        .lines()
        .filter_map(|line| line.strip_prefix("  ")?.split_whitespace().next())
        .collect();
    assert_eq!(told, given);
}
