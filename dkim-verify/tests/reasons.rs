//! The table of reasons that people read is the one that the code goes by.

#![allow(clippy::unwrap_used)]

mod craft;

use std::collections::BTreeSet;
use std::fmt::Write;

use craft::{MESSAGE, TEMPLATE, deviations, outcome, p, record, sign, verify_with};
use dkim_verify::{Deviation, Policy, Reason, Treatment};

const DOCUMENT: &str = include_str!("../REASONS.md");

/// The tables as they are to be in the document.
fn tables() -> String {
    let mut text =
        String::from("| reason | result | what causes it | what to do |\n|---|---|---|---|\n");
    for reason in Reason::ALL {
        writeln!(
            text,
            "| `{reason}` | {} | {} | {} |",
            reason.result(),
            reason.cause(),
            reason.remedy()
        )
        .unwrap();
    }
    text
}

#[test]
fn the_document_has_the_table() {
    println!("{}", tables());
    assert!(DOCUMENT.contains(&tables()), "REASONS.md is to have the table printed above");
}

#[test]
fn codes_are_told_apart_and_texts_are_texts() {
    let codes: BTreeSet<_> = Reason::ALL.iter().map(|reason| reason.code()).collect();
    assert_eq!(codes.len(), Reason::ALL.len());
    for reason in Reason::ALL {
        assert!(reason.code().bytes().all(|b| b.is_ascii_lowercase() || b == b'-'), "{reason}");
        for text in [reason.cause(), reason.remedy()] {
            assert!(!text.is_empty() && !text.ends_with('.') && !text.contains("  "), "{text}");
        }
    }
}

#[test]
fn the_document_lists_the_deviations() {
    let listed: Vec<_> =
        DOCUMENT.lines().filter_map(|line| line.strip_prefix("- `")?.split('`').next()).collect();
    let known: Vec<_> = Deviation::REASONS.iter().map(|reason| reason.code()).collect();
    assert_eq!(listed, known);
}

/// The knobs that both presets leave open.
#[test]
fn what_no_preset_refuses_a_policy_can_refuse() {
    let key = p(&*craft::key());
    let good = format!("v=DKIM1; k=ed25519; p={key}");
    let name = "sel._domainkey.example.com";
    let message = sign(TEMPLATE, MESSAGE.as_bytes());
    let several: fn(&mut Policy) = |policy| policy.several_key_records = Treatment::Refuse;
    let unversioned: fn(&mut Policy) = |policy| policy.key_without_version = Treatment::Refuse;
    let testing: fn(&mut Policy) = |policy| policy.testing = Treatment::Refuse;
    for (zone, refuse, code) in [
        (record(&good).txt(name, "v=spf1 -all"), several, "several-key-records"),
        (record(&format!("k=ed25519; p={key}")), unversioned, "key-without-version"),
        (record(&format!("{good}; t=y")), testing, "testing"),
    ] {
        for mut policy in [Policy::rfc(), Policy::strict(), Policy::lenient()] {
            let found = verify_with(&policy, &message, &zone);
            assert_eq!((outcome(&found), deviations(&found)), ("pass ok".to_owned(), vec![code]));
            refuse(&mut policy);
            assert_eq!(outcome(&verify_with(&policy, &message, &zone)), format!("policy {code}"));
        }
    }
}
