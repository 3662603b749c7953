//! Which result when several things are wrong: temporary stays temporary, permanent stays
//! permanent (RFC 6376 §6.1), and no signature speaks for another.

mod craft;

use craft::{
    MESSAGE, TEMPLATE, key, outcome, p, sign, under_each, verify, verify_with, with_tag, zone,
};
use dkim_crypto::ring::PROVIDER;
use dkim_dns::{Answer, Dnssec, Found, Inquirer, LookupError, Record, Zone};
use dkim_verify::{Policy, Verifier};

const NAME: &str = "sel._domainkey.example.com";

/// Zones that cannot answer.
fn troubled() -> [Zone; 4] {
    [
        Zone::new().fails(NAME),
        Zone::new().times_out(NAME),
        Zone::new().cname(NAME, "k.example.net").fails("k.example.net"),
        Zone::new().cname(NAME, "k.example.net").times_out("k.example.net"),
    ]
}

#[test]
fn trouble_with_the_dns_is_temporary_whatever_comes_after_it() {
    let good = sign(TEMPLATE, MESSAGE.as_bytes());
    let changed =
        |from: &str, to: &str| String::from_utf8_lossy(&good).replacen(from, to, 1).into_bytes();
    for message in [
        good.clone(),
        changed("We lost", "We won"),
        changed("Is dinner", "Was dinner"),
        changed("a=ed25519-sha256", "a=rsa-sha256"),
        sign(&with_tag("l=9999"), MESSAGE.as_bytes()),
        sign(&with_tag("i=@mail.example.com"), MESSAGE.as_bytes()),
    ] {
        for zone in troubled() {
            assert_eq!(under_each(&message, &zone), ["temperror key-unavailable"; 3]);
        }
    }
}

/// RFC 6376 §6.1.1 stands before §6.1.2: mail is not kept back for a key that could not make its
/// signature pass.
#[test]
fn what_the_header_refuses_is_permanent_though_the_dns_fails() {
    const LATER: &str = "temperror key-unavailable";
    let good = sign(TEMPLATE, MESSAGE.as_bytes());
    let topped = |field: &str| [field.as_bytes(), &good].concat();
    for (message, expected) in [
        (sign(&with_tag("x=1"), MESSAGE.as_bytes()), ["fail expired", "fail expired", LATER]),
        (
            topped("From: eve@example.org\r\n"),
            ["policy multiple-from", "policy multiple-from", LATER],
        ),
        (topped("Subject: Buy this\r\n"), [LATER, "policy unsigned-duplicate", LATER]),
        (sign(&with_tag("t=1800000000"), MESSAGE.as_bytes()), [LATER, "policy future", LATER]),
    ] {
        for zone in troubled() {
            assert_eq!(under_each(&message, &zone), expected);
        }
        // What is wrong for good all the same is told first.
        assert_eq!(under_each(&message, &Zone::new()), ["permerror key-missing"; 3]);
        let changed = [&message[..], b"more\r\n"].concat();
        assert_eq!(under_each(&changed, &zone()), ["fail body-hash-mismatch"; 3]);
    }
}

#[test]
fn what_is_wrong_with_the_message_is_permanent_whatever_the_dns_says() {
    let tag = |tag: &str| sign(&with_tag(tag), MESSAGE.as_bytes());
    let without = |part: &str| sign(&TEMPLATE.replace(part, ""), MESSAGE.as_bytes());
    let good = sign(TEMPLATE, MESSAGE.as_bytes());
    let no_from = MESSAGE.replace("From:", "X-From:");
    for (message, expected) in [
        (b"DKIM-Signature: rubbish\r\nFrom: a@example.com\r\n\r\n".to_vec(), "permerror syntax"),
        (without("d=example.com; "), "permerror missing-tag"),
        (without("h=from:to:subject; "), "permerror missing-tag"),
        (tag("t=abc"), "permerror syntax"),
        (tag("zz=1; zz=2"), "permerror duplicate-tag"),
        (tag("q=http"), "permerror bad-query-method"),
        (tag("i=joe@evilexample.com"), "permerror domain-mismatch"),
        (sign(&craft::with_fields("to"), MESSAGE.as_bytes()), "permerror from-not-signed"),
        (sign(TEMPLATE, no_from.as_bytes()), "permerror from-missing"),
    ] {
        for zone in troubled().iter().chain([&Zone::new(), &zone()]) {
            assert_eq!(under_each(&message, zone), [expected; 3]);
        }
    }
    let malformed = [b"X: \0\r\n", &good[..]].concat();
    let sha1 = String::from_utf8_lossy(&good).replace("ed25519-sha256", "rsa-sha1").into_bytes();
    for zone in troubled() {
        assert_eq!(outcome(&verify(&malformed, &zone)), "permerror malformed-header");
        assert_eq!(outcome(&verify(&sha1, &zone)), "policy weak-algorithm");
    }
}

/// What is judged by the header alone costs no question.
#[test]
fn nothing_is_asked_in_vain() {
    let questions = |message: &[u8], policy: &Policy| {
        let (header, _) = dkim_message::split(message);
        Verifier::new(&header, policy, craft::NOW, &PROVIDER).queries().len()
    };
    let good = sign(TEMPLATE, MESSAGE.as_bytes());
    let sha1 = String::from_utf8_lossy(&good).replace("ed25519-sha256", "rsa-sha1").into_bytes();
    for message in [
        sha1,
        [b"X: \0\r\n", &good[..]].concat(),
        sign(&with_tag("t=abc"), MESSAGE.as_bytes()),
        sign(TEMPLATE, MESSAGE.replace("From:", "X-From:").as_bytes()),
        MESSAGE.as_bytes().to_vec(),
    ] {
        assert_eq!(questions(&message, &Policy::rfc()), 0);
    }
    assert_eq!(questions(&sign(TEMPLATE, &good), &Policy::rfc()), 1);
}

#[test]
fn each_answer_has_its_result() {
    let text = format!("v=DKIM1; k=ed25519; p={}", p(&*key()));
    let found =
        Found { records: [Record { strings: vec![text.into_bytes()] }].into(), ..Found::default() };
    let dnssec = |dnssec| Ok(Found { dnssec, ..found.clone() });
    let chain =
        |hops: usize| Ok(Found { chain: vec!["a.example".to_owned(); hops], ..found.clone() });
    let answers: [(Option<Answer>, &str); 15] = [
        (Some(Ok(found.clone())), "pass ok"),
        (Some(dnssec(Dnssec::Secure)), "pass ok"),
        (Some(dnssec(Dnssec::Insecure)), "pass ok"),
        (Some(dnssec(Dnssec::Bogus)), "temperror key-unavailable"),
        (Some(chain(1)), "pass ok"),
        (Some(chain(8)), "pass ok"),
        (Some(chain(9)), "policy limit-cname-hops"),
        (Some(Err(LookupError::ChainTooLong)), "policy limit-cname-hops"),
        (Some(Err(LookupError::NoSuchName)), "permerror key-missing"),
        (Some(Err(LookupError::NoRecords)), "permerror key-missing"),
        (Some(Err(LookupError::Timeout)), "temperror key-unavailable"),
        (Some(Err(LookupError::Failed("REFUSED".to_owned()))), "temperror key-unavailable"),
        (Some(Ok(Found::default())), "permerror key-missing"),
        (
            Some(Ok(Found { records: [Record::default()].into(), ..Found::default() })),
            "permerror key-syntax",
        ),
        (None, "temperror key-unavailable"),
    ];
    let message = sign(TEMPLATE, MESSAGE.as_bytes());
    for (answer, expected) in answers {
        let (header, body) = dkim_message::split(&message);
        let mut verifier = Verifier::new(&header, &Policy::rfc(), craft::NOW, &PROVIDER);
        for query in verifier.queries() {
            if let Some(answer) = answer.clone() {
                verifier.answer(query.id, answer);
                // The first answer stands.
                verifier.answer(query.id, Err(LookupError::NoSuchName));
            }
        }
        verifier.body_chunk(body);
        assert_eq!(outcome(&verifier.finish()), expected, "{answer:?}");
    }
}

/// RFC 6376 §6.1: "a Verifier [...] MUST NOT treat a message that has one or more bad signatures
/// and no good signatures differently from a message with no signature at all"; and a good one is
/// good whatever stands above or below it.
#[test]
fn no_signature_speaks_for_another() {
    let good = sign(TEMPLATE, MESSAGE.as_bytes());
    for (bad, reason) in [
        ("", "missing-tag"),
        ("rubbish", "syntax"),
        ("v=2; a=x", "version"),
        ("\u{fc}=1", "syntax"),
        ("v=1; v=1", "duplicate-tag"),
        ("=?utf-8?Q?v=3D1?=", "syntax"),
        ("v=1; a=ed25519-sha256; d=example.com; s=other; h=from; bh=AA==; b=AA==", "key-missing"),
        (
            "v=1; a=ed25519-sha256; d=example.com; s=sel; h=from; bh=AA==; b=AA==",
            "body-hash-mismatch",
        ),
        ("v=1; a=rsa-sha256; d=example.com; s=sel; h=from; bh=AA==; b=AA==", "key-type"),
        ("v=1; a=rsa-sha1; d=example.com; s=sel; h=from; bh=AA==; b=AA==", "weak-algorithm"),
        ("v=1; a=rsa-sha256; d=example.com; s=down; h=from; bh=AA==; b=AA==", "key-unavailable"),
    ] {
        let zone = zone().fails("down._domainkey.example.com");
        let bad = format!("DKIM-Signature: {bad}\r\n");
        let top = [bad.repeat(20).as_bytes(), &good].concat();
        let below =
            [&good[..good.len() - MESSAGE.len()], bad.as_bytes(), MESSAGE.as_bytes()].concat();
        let reasons = |message: &[u8]| {
            let found = verify_with(&Policy::rfc(), message, &zone);
            found.iter().map(|one| one.outcome.reason().code()).collect::<Vec<_>>()
        };
        assert_eq!(reasons(&below), ["ok", reason], "{bad}");
        // Those that need no question and no hash are not counted at all.
        let judged = ["key-missing", "body-hash-mismatch", "key-type", "key-unavailable"];
        let expected = if judged.contains(&reason) {
            [[reason; 10], ["limit-signatures"; 10]].concat()
        } else {
            vec![reason; 20]
        };
        let last = if judged.contains(&reason) { "limit-signatures" } else { "ok" };
        assert_eq!(reasons(&top), [expected, vec![last]].concat(), "{bad}");
    }
}
