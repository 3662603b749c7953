//! RFC 6376 §6: the steps of a verifier, and in which order they are told.
#![allow(clippy::unwrap_used)]

mod craft;

use craft::{MESSAGE, NOW, TEMPLATE, outcome, p, record, rsa_key, sign, verify, zone};
use dkim_crypto::ring::PROVIDER;
use dkim_dns::Inquirer;
use dkim_verify::{Policy, Verifier};

fn signed(from: &str, to: &str) -> Vec<u8> {
    assert!(TEMPLATE.contains(from), "{from}");
    sign(&TEMPLATE.replace(from, to), MESSAGE.as_bytes())
}

/// §6.1.1: of several faults the one that comes first in its text is told.
#[test]
fn the_first_fault_of_a_field_is_told() {
    for (from, to, expected) in [
        // The tag-list itself, then version, required tags, domains, and From.
        ("v=1; ", "v=2; zz=1; zz=2; ", "permerror duplicate-tag"),
        ("v=1; a=ed25519-sha256; ", "v=2; ", "permerror version"),
        ("d=example.com; s=sel;", "d=example.com; i=@example.org;", "permerror missing-tag"),
        ("h=from:to:subject", "i=@example.org; h=to", "permerror domain-mismatch"),
    ] {
        assert_eq!(outcome(&verify(&signed(from, to), &zone())), expected, "{to}");
    }
}

/// §6.1.1: a field that is not valid is ignored: nothing is asked for it, nothing computed.
#[test]
fn no_more_is_done_for_a_field_that_is_refused() {
    for (from, to) in [
        ("v=1", "v=2"),
        ("s=sel;", ""),
        ("h=from:to", "h=to"),
        ("s=sel;", "s=sel; i=@example.org;"),
        ("ed25519-sha256", "rsa-sha1"),
        ("c=relaxed/relaxed", "c=nowsp"),
    ] {
        let message = signed(from, to);
        let (header, _) = dkim_message::split(&message);
        let mut verifier = Verifier::new(&header, &Policy::rfc(), NOW, &PROVIDER);
        assert!(verifier.queries().is_empty(), "{to}");
        let found = verifier.finish();
        assert!(!found[0].passes() && found[0].body_hash.is_none(), "{to}");
    }
}

/// §6.1: whichever comes first, each signature has its own outcome.
#[test]
fn the_order_of_signatures_means_nothing() {
    let good = signed("s=sel;", "s=sel;");
    let field = |message: &[u8]| message[..message.len() - MESSAGE.len()].to_vec();
    let fields = [
        field(&good),
        field(&signed("v=1", "v=2")),
        field(&signed("s=sel", "s=gone")),
        b"DKIM-Signature: v=1; rubbish\r\n".to_vec(),
    ];
    let expected = ["ok", "version", "key-missing", "syntax"];
    for first in 0..fields.len() {
        let order: Vec<usize> = (0..fields.len()).map(|at| (at + first) % fields.len()).collect();
        for order in [order.clone(), order.into_iter().rev().collect()] {
            let top: Vec<u8> = order.iter().flat_map(|at| fields[*at].clone()).collect();
            let found = verify(&[&top, MESSAGE.as_bytes()].concat(), &zone());
            let reasons: Vec<_> = found.iter().map(|one| one.outcome.reason().code()).collect();
            let expected: Vec<_> = order.iter().map(|at| expected[*at]).collect();
            assert_eq!(reasons, expected);
        }
    }
}

/// §6.1.1: without `i=` the AUID is `@` and the SDID, which a strict key allows.
#[test]
fn an_absent_auid_is_the_domain() {
    let message = signed("s=sel;", "s=sel;");
    let strict = record(&format!("v=DKIM1; t=s; k=ed25519; p={}", p(&*craft::key())));
    let found = verify(&message, &strict);
    assert_eq!(outcome(&found), "pass ok");
    let signature = found[0].signature.as_ref().unwrap();
    assert_eq!(signature.auid, None);
    assert_eq!(signature.auid_or_default().to_string(), "@example.com");
}

/// §6.1.2, steps 5 to 8: of several faults of a key the first is told, and before all of §6.1.3.
#[test]
fn the_first_fault_of_a_key_is_told() {
    let message = [&signed("s=sel;", "s=sel;")[..], b"changed\r\n"].concat();
    let rsa = p(&*rsa_key());
    for (text, expected) in [
        ("v=DKIM2; h=sha1; p=@".to_owned(), "permerror key-version"),
        ("v=DKIM1; h=sha1; k=new; p=".to_owned(), "permerror key-type"),
        ("v=DKIM1; h=sha1; k=ed25519; p=@".to_owned(), "permerror key-syntax"),
        ("v=DKIM1; h=sha1; k=ed25519; p=".to_owned(), "permerror key-hash"),
        (format!("v=DKIM1; h=sha1; k=rsa; p={rsa}"), "permerror key-hash"),
        ("v=DKIM1; k=rsa; p=".to_owned(), "permerror key-revoked"),
        (format!("v=DKIM1; k=rsa; p={rsa}"), "permerror key-type"),
        (format!("v=DKIM1; k=ed25519; p={}", p(&*craft::key())), "fail body-hash-mismatch"),
    ] {
        assert_eq!(outcome(&verify(&message, &record(&text))), expected, "{text}");
    }
}

/// §6.1.3, steps 3 and 4: the body hash is compared before the signature is verified.
#[test]
fn the_body_hash_comes_before_the_signature() {
    let good = String::from_utf8(signed("s=sel;", "s=sel;")).unwrap();
    let body = good.replace("game", "match");
    let header = good.replace("dinner", "lunch");
    let both = header.replace("game", "match");
    for (message, expected) in [
        (good, "pass ok"),
        (body, "fail body-hash-mismatch"),
        (header, "fail signature-mismatch"),
        (both, "fail body-hash-mismatch"),
    ] {
        assert_eq!(outcome(&verify(message.as_bytes(), &zone())), expected);
    }
}

/// §6.3: nothing but a key that cannot be had now is temporary.
#[test]
fn a_signature_that_does_not_verify_is_no_temporary_failure() {
    let good = String::from_utf8(signed("s=sel;", "s=sel;")).unwrap();
    for message in [good.replace("game", "match"), good.replace("dinner", "lunch")] {
        for zone in [zone(), record("v=DKIM1; p="), record("rubbish"), dkim_dns::Zone::new()] {
            let found = verify(message.as_bytes(), &zone);
            assert!(matches!(found[0].outcome.result().name(), "fail" | "permerror"));
        }
    }
}
