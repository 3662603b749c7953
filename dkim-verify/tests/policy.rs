//! What is wrong with a signature is found once; what follows is the policy's.

#![allow(clippy::unwrap_used)]

mod craft;

use craft::{MESSAGE, TEMPLATE, deviations, key, outcome, p, record, sign, verify_with, zone};
use dkim_verify::{Policy, Treatment};

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
fn domains_on_the_list_sign_for_nobody() {
    let mut policy = Policy::rfc();
    let message = sign(TEMPLATE, MESSAGE.as_bytes());
    policy.unacceptable_domains = vec![dkim_tags::DomainName::parse("example.com").unwrap()];
    assert_eq!(outcome(&verify_with(&policy, &message, &zone())), "policy unacceptable-domain");
}

/// What deviates in a key is accepted unless somebody asks otherwise.
#[test]
fn deviations_of_keys_have_their_knobs_too() {
    let message = sign(TEMPLATE, MESSAGE.as_bytes());
    let good = format!("k=ed25519; p={}", craft::p(&*craft::key()));
    let several = zone().txt("sel._domainkey.example.com", "hello");
    let (testing, unversioned) = (format!("v=DKIM1; t=y; {good}"), good);
    let cases: [(_, _, fn(&mut Policy)); 3] = [
        (several, "several-key-records", |p| p.several_key_records = Treatment::Refuse),
        (craft::record(&testing), "testing", |p| p.testing = Treatment::Refuse),
        (craft::record(&unversioned), "key-without-version", |p| {
            p.key_without_version = Treatment::Refuse;
        }),
    ];
    for (zone, deviation, refuse) in cases {
        assert_eq!(craft::under_each(&message, &zone), [PASS; 3], "{deviation}");
        let mut policy = Policy::lenient();
        refuse(&mut policy);
        let found = verify_with(&policy, &message, &zone);
        assert_eq!(outcome(&found), format!("policy {deviation}"));
        assert_eq!(deviations(&found), [deviation]);
        // The others are none of this knob's business.
        assert_eq!(outcome(&verify_with(&policy, &message, &craft::zone())), PASS);
    }
}

/// What a valid field says is told even where the policy refuses it unseen.
#[test]
fn refusals_keep_what_was_read() {
    let message = [b"From: eve@example.org\r\n", &signed_with("x=1")[..]].concat();
    let message = String::from_utf8(message).unwrap().replace("ed25519-sha256", "rsa-sha1");
    let found = verify_with(&Policy::rfc(), message.as_bytes(), &zone());
    assert_eq!(outcome(&found), "policy weak-algorithm");
    assert!(found[0].signature.is_some());
    assert_eq!(deviations(&found), ["multiple-from", "weak-algorithm", "expired"]);
}

/// RFC 8601 §2.2: a reason may be given; of what passes there is none to give.
#[test]
fn results_say_why_a_signature_does_not_pass() {
    let good = sign(TEMPLATE, MESSAGE.as_bytes());
    let reason = |message: &[u8]| {
        let found = verify_with(&Policy::rfc(), message, &zone());
        dkim_verify::res_infos(&found)[0].reason.clone()
    };
    assert_eq!(reason(&good), None);
    let damaged = [&good, &b"more\r\n"[..]].concat();
    assert_eq!(reason(&damaged).as_deref(), Some("the body was changed since it was signed"));
}

/// Who reads the result alone sees neither `l=` nor the field that was put in.
#[test]
fn results_say_what_lessens_a_pass() {
    let told = |policy: &Policy, message: &[u8]| {
        let info = dkim_verify::res_infos(&verify_with(policy, message, &zone())).remove(0);
        (info.result, info.reason)
    };
    let template = TEMPLATE.replace("bh=", "l=4; bh=");
    let part = [&sign(&template, MESSAGE.as_bytes()), &b"more\r\n"[..]].concat();
    let (result, reason) = told(&Policy::rfc(), &part);
    assert_eq!(result, "pass");
    assert!(reason.unwrap().starts_with("only the first 4 octets of the body are signed"));
    let (result, reason) = told(&Policy::strict(), &part);
    assert_eq!(result, "policy");
    assert_eq!(reason.unwrap().matches("the first 4 octets").count(), 1);
    let once = sign(TEMPLATE, MESSAGE.as_bytes());
    let twice = [b"From: eve@example.org\r\n", &once[..]].concat();
    let (result, reason) = told(&Policy::lenient(), &twice);
    assert_eq!((&*result, reason.as_deref()), ("pass", Some("more than one From field")));
    // What takes nothing from a pass is not told.
    let unversioned = record(&format!("k=ed25519; p={}", p(&*key())));
    let found = verify_with(&Policy::rfc(), &once, &unversioned);
    assert_eq!(deviations(&found), ["key-without-version"]);
    assert_eq!(dkim_verify::res_infos(&found)[0].reason, None);
    // What does not pass has one reason.
    let damaged = [&twice, &b"more\r\n"[..]].concat();
    let (_, reason) = told(&Policy::lenient(), &damaged);
    assert_eq!(reason.as_deref(), Some("the body was changed since it was signed"));
}

/// RFC 8601 §2.7.1: "none: The message was not signed"; without a result it would say that nobody
/// looked.
#[test]
fn a_message_without_signatures_has_a_result() {
    let infos = dkim_verify::res_infos(&[]);
    assert_eq!(infos.len(), 1);
    assert_eq!((&*infos[0].method, &*infos[0].result), ("dkim", "none"));
}

/// RFC 6008 §4: as many characters of `b=` as tell it from the others; these say nothing of the rest.
#[test]
fn results_tell_signatures_apart() {
    let told = |signatures: &[&str]| {
        let field = |b: &&str| format!("DKIM-Signature: v=1; d=example.com; b={b}\r\n");
        let message = signatures.iter().map(field).collect::<String>() + MESSAGE;
        let infos =
            dkim_verify::res_infos(&verify_with(&Policy::rfc(), message.as_bytes(), &zone()));
        let b = |info: &dkim_authres::ResInfo| info.get("header", "b").unwrap().to_owned();
        infos.iter().map(b).collect::<Vec<_>>()
    };
    assert_eq!(told(&["QUJDREVGR0hJSktM"]), ["QUJDREVG"]);
    assert_eq!(
        told(&[
            "QUJDREVGR0hJSktN",
            "eHh4eHh4eHh4eHh4",
            "QUJDREVGR0hJSktM",
            "QUJDREVGeHh4eHh4",
            "eHh4eHh4eHh4eHh4",
            "QUJD",
        ]),
        ["QUJDREVGR0hJSktN", "eHh4eHh4", "QUJDREVGR0hJSktM", "QUJDREVGe", "eHh4eHh4", "QUJD"]
    );
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
        found.iter().map(|one| one.outcome.reason().code()).collect::<Vec<_>>()
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
    let mut policy = Policy::rfc();
    let (header, _) = dkim_message::split(&two);
    let verifier =
        dkim_verify::Verifier::new(&header, &policy, craft::NOW, &dkim_crypto::ring::PROVIDER);
    assert_eq!((verifier.unlisted(), verifier.finish().len()), (0, 2));
    policy.limits.listed = 1;
    let verifier =
        dkim_verify::Verifier::new(&header, &policy, craft::NOW, &dkim_crypto::ring::PROVIDER);
    assert_eq!((verifier.unlisted(), verifier.finish().len()), (1, 1));
    let tags: String = (0..300).map(|n| format!("t{n}=;")).collect();
    let message = [format!("DKIM-Signature: {tags}\r\n").as_bytes(), &one].concat();
    assert_eq!(under(&|p| p.limits.signatures = 1, &message), ["limit-tags", "ok"]);
}
