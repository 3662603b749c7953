//! What is wrong with a signature is found once; what follows is the policy's.

mod craft;

use craft::{MESSAGE, TEMPLATE, deviations, outcome, sign, verify_with, zone};
use dkim_verify::Policy;

/// The outcomes under `rfc`, `strict` and `lenient`, and the deviations under `lenient`.
fn judged(message: &[u8]) -> ([String; 3], Vec<&'static str>) {
    let under = |policy: Policy| outcome(&verify_with(&policy, message, &zone()));
    (
        [under(Policy::rfc()), under(Policy::strict()), under(Policy::lenient())],
        deviations(&verify_with(&Policy::lenient(), message, &zone())),
    )
}

fn signed_with(tag: &str) -> Vec<u8> {
    sign(&TEMPLATE.replace("s=sel;", &format!("s=sel; {tag};")), MESSAGE.as_bytes())
}

const PASS: &str = "pass ok";

#[test]
fn each_deviation_has_its_knob() {
    let good = sign(TEMPLATE, MESSAGE.as_bytes());
    let topped = |field: &str| [field.as_bytes(), &good].concat();
    for (message, expected, deviation) in [
        (signed_with("l=5"), [PASS, "policy body-not-fully-signed", PASS], "body-not-fully-signed"),
        (
            topped("From : Eve <eve@example.org>\r\n"),
            ["policy multiple-from", "policy multiple-from", PASS],
            "multiple-from",
        ),
        (
            topped("fROM:\r\n Eve <eve@example.org>\r\n"),
            ["policy multiple-from", "policy multiple-from", PASS],
            "multiple-from",
        ),
        (
            topped("Subject: Buy this\r\n"),
            [PASS, "policy unsigned-duplicate", PASS],
            "unsigned-duplicate",
        ),
        (topped("To: eve@example.org\r\n"), [PASS, PASS, PASS], "unsigned-duplicate"),
        (signed_with("x=1"), ["fail expired", "fail expired", PASS], "expired"),
        (signed_with("t=1800000000"), [PASS, "policy future", PASS], "future"),
        (
            topped("X-Odd: a\rb\r\n"),
            ["permerror malformed-header", "permerror malformed-header", PASS],
            "malformed-header",
        ),
        (
            topped("X-Odd: a\0b\r\n"),
            ["permerror malformed-header", "permerror malformed-header", PASS],
            "malformed-header",
        ),
        (
            topped("no colon here\r\n"),
            ["permerror malformed-header", "permerror malformed-header", PASS],
            "malformed-header",
        ),
        (
            topped("X-Odd: a\nX-Other: b\r\n"),
            ["permerror malformed-header", "permerror malformed-header", PASS],
            "malformed-header",
        ),
    ] {
        let (outcomes, found) = judged(&message);
        assert_eq!(outcomes, expected, "{deviation}");
        assert_eq!(found, [deviation]);
    }
}

#[test]
fn a_top_level_domain_signs_for_nobody() {
    let message = sign(&TEMPLATE.replace("d=example.com", "d=com"), MESSAGE.as_bytes());
    let record = format!("v=DKIM1; k=ed25519; p={}", craft::p(&*craft::key()));
    let zone = dkim_dns::Zone::new().txt("sel._domainkey.com", record);
    assert_eq!(
        outcome(&verify_with(&Policy::rfc(), &message, &zone)),
        "policy single-label-domain"
    );
    assert_eq!(outcome(&verify_with(&Policy::lenient(), &message, &zone)), PASS);
}

#[test]
fn a_signature_that_does_not_verify_fails_whatever_else_is_odd() {
    let mut message =
        [b"From: eve@example.org\r\n", &sign(TEMPLATE, MESSAGE.as_bytes())[..]].concat();
    message.extend_from_slice(b"more\r\n");
    let expected = "fail body-hash-mismatch";
    assert_eq!(judged(&message).0, [expected, expected, expected]);
}

#[test]
fn a_message_without_from_is_not_verified() {
    let message = MESSAGE.replace("From:", "X-From:");
    let (outcomes, _) = judged(&sign(TEMPLATE, message.as_bytes()));
    assert_eq!(outcomes, ["permerror from-missing"; 3]);
}

#[test]
fn every_signature_is_listed_beyond_every_limit() {
    let under = |change: &dyn Fn(&mut Policy), message: &[u8]| {
        let mut policy = Policy::rfc();
        change(&mut policy);
        let found = verify_with(&policy, message, &zone());
        found.iter().map(|one| one.outcome.reason()).collect::<Vec<_>>()
    };
    let one = sign(TEMPLATE, MESSAGE.as_bytes());
    let two = sign(&TEMPLATE.replace("h=from:to:subject", "h=from; l=3"), &one);
    assert_eq!(under(&|_| (), &two), ["ok", "ok"]);
    assert_eq!(under(&|p| p.limits.signatures = 1, &two), ["ok", "limit-signatures"]);
    assert_eq!(under(&|p| p.limits.queries = 0, &two), ["limit-queries"; 2]);
    // Both signatures need the same key, and so one question.
    assert_eq!(under(&|p| p.limits.queries = 1, &two), ["ok"; 2]);
    assert_eq!(under(&|p| p.limits.body_hashes = 1, &two), ["ok", "limit-body-hashes"]);
    assert_eq!(under(&|p| p.limits.header_octets = 50, &two), ["limit-header"; 2]);
    assert_eq!(under(&|p| p.limits.signed_fields = 2, &two), ["ok", "limit-signed-fields"]);
    let tags: String = (0..300).map(|n| format!("t{n}=;")).collect();
    let message = [format!("DKIM-Signature: {tags}\r\n").as_bytes(), &one].concat();
    assert_eq!(under(&|p| p.limits.signatures = 1, &message), ["limit-tags", "ok"]);
}
