//! Messages of any size and shape have their outcome, in memory that does not grow with them beyond
//! what the limits allow. One test, so that nothing else is counted.
#![allow(clippy::unwrap_used)]

mod craft;

use std::alloc::System;

use craft::{MESSAGE, NOW, TEMPLATE, outcome, sign, with_fields, with_forms, with_tag, zone};
use dkim_crypto::ring::PROVIDER;
use dkim_dns::drive_blocking;
use dkim_message::split;
use dkim_verify::{Policy, Verifier};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static GLOBAL: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const MIB: usize = 1024 * 1024;

/// The outcome of the topmost signature, and how many octets were asked for in all, were they given
/// back or not.
fn judge(policy: &Policy, message: &[u8]) -> (String, usize) {
    let zone = zone();
    let region = Region::new(GLOBAL);
    let (header, body) = split(message);
    let mut verifier = Verifier::new(&header, policy, NOW, &PROVIDER);
    drive_blocking(&mut verifier, &zone);
    for chunk in body.chunks(64 * 1024) {
        verifier.body_chunk(chunk);
    }
    let outcome = outcome(&verifier.finish());
    (outcome, region.change().bytes_allocated)
}

/// A signed message, with so many octets made of one piece in front of it, or at its end.
fn in_front(piece: &str, octets: usize) -> Vec<u8> {
    let good = sign(TEMPLATE, MESSAGE.as_bytes());
    [piece.repeat(octets / piece.len()).as_bytes(), &good].concat()
}

fn behind(forms: &str, piece: &str, octets: usize) -> Vec<u8> {
    let body = piece.repeat(octets / piece.len());
    sign(&with_forms(forms), format!("{MESSAGE}{body}\r\nend").as_bytes())
}

#[test]
fn giants_have_their_outcome_in_little_memory() {
    let over = "policy limit-header";
    let plain = in_front("X: ", 0);
    let field = |piece: &str, octets: usize| {
        let field = format!("X: {}a\r\n", piece.repeat(octets / piece.len()));
        [field.as_bytes(), &plain].concat()
    };
    let tags = (0..100_000).map(|n| format!("t{n}=;")).collect::<String>();
    let tags = sign(&with_tag(&tags), MESSAGE.as_bytes());
    let names = sign(&with_fields(&["from"; 100_000].join(":")), MESSAGE.as_bytes());
    let (fields, their_names) = (0..30_000)
        .map(|n| (format!("x{n}: a\r\n"), format!(":x{n}")))
        .collect::<(String, String)>();
    let names_and_fields =
        sign(&with_fields(&format!("from{their_names}")), format!("{fields}{MESSAGE}").as_bytes());
    let lengths = (0..300).flat_map(|length| {
        let mut message = sign(&with_tag(&format!("l={length}")), MESSAGE.as_bytes());
        message.truncate(message.len() - MESSAGE.len());
        message
    });
    let lengths: Vec<u8> = lengths.chain(MESSAGE.bytes()).collect();
    let mut cases: Vec<(&str, Vec<u8>, &str, usize)> = vec![
        ("a message", plain.clone(), "pass ok", MIB),
        ("100,000 fields", in_front("X: abc\r\n", 800_000), "pass ok", 20 * MIB),
        ("fields up to the limit", in_front("a:b\r\n", MIB - 1000), "pass ok", 40 * MIB),
        ("fields over the limit", in_front("a:b\r\n", MIB), over, 40 * MIB),
        ("a field up to the limit", field("a", MIB - 1000), "pass ok", MIB),
        ("a field of 64 MiB", field("a", 64 * MIB), over, MIB),
        ("a field of 64 MiB of folds", field("\r\n a", 64 * MIB), over, MIB),
        ("100,000 tags", tags, "policy limit-tags", 4 * MIB),
        ("100,000 names", names, "policy limit-signed-fields", 4 * MIB),
        ("30,000 names and fields", names_and_fields, "policy limit-signed-fields", 4 * MIB),
        ("300 signatures and lengths", lengths, "pass ok", MIB),
    ];
    for (what, piece, octets) in [
        ("blanks", " ", 32 * MIB),
        ("TABs", "\t", MIB),
        ("empty lines", "\r\n", MIB),
        ("blank lines", " \r\n", MIB),
        ("CRs", "\r", MIB),
        ("LFs", "\n", MIB),
        ("one line", "a", 64 * MIB),
        ("NULs", "\0", MIB),
    ] {
        for forms in ["relaxed/relaxed", "simple/simple"] {
            cases.push((what, behind(forms, piece, octets), "pass ok", MIB));
        }
    }
    for (what, message, expected, most) in cases {
        let (found, octets) = judge(&Policy::rfc(), &message);
        assert_eq!(found, expected, "{what}");
        assert!(octets <= most, "{what}: {octets} octets for {}", message.len());
    }
}
