//! Octets and answers in any order and any pieces, and no more work than the limits allow.
#![allow(clippy::unwrap_used)]

mod craft;

use craft::{
    MESSAGE, Plain, TAGS, archive, canonical, outcome, p, sign, sign_plainly, verify_by,
    verify_with, zone,
};
use dkim_crypto::ring::PROVIDER;
use dkim_dns::{BlockingResolver, Inquirer, LookupError, QueryId, Zone};
use dkim_domainkeys::{Limits, Stance, Verifier};
use dkim_message::Header;

#[test]
fn any_order_and_any_pieces_give_the_same() {
    let simple = TAGS.replace("nofws", "simple");
    let signed = sign(TAGS, &sign(&simple, MESSAGE));
    let expected = verify_with(&archive(), signed.as_bytes(), &zone());
    assert_eq!(expected.iter().filter(|one| one.passes()).count(), 2);
    let (header, body) = dkim_message::split(signed.as_bytes());
    for size in 1..body.len() {
        for answers_first in [true, false] {
            let mut verifier = Verifier::new(&header, &archive(), &PROVIDER);
            let queries = verifier.queries();
            // Both are by one key, which is asked for once.
            assert_eq!((queries.len(), verifier.queries().len()), (1, 0));
            let answer = |verifier: &mut Verifier| {
                verifier.answer(QueryId(7), Err(LookupError::Timeout));
                verifier.answer(queries[0].id, zone().lookup(&queries[0]));
                // The first answer stands.
                verifier.answer(queries[0].id, Err(LookupError::NoSuchName));
            };
            if answers_first {
                answer(&mut verifier);
            }
            for chunk in body.chunks(size) {
                assert_eq!(verifier.body_chunk(chunk), Stance::Interested);
            }
            if !answers_first {
                answer(&mut verifier);
            }
            assert_eq!(format!("{:?}", verifier.finish()), format!("{expected:?}"), "{size}");
        }
    }
}

/// A message without a signature costs nothing and asks nothing.
#[test]
fn without_a_signature_there_is_nothing_to_do() {
    let (header, body) = dkim_message::split(MESSAGE.as_bytes());
    let mut verifier = Verifier::new(&header, &archive(), &PROVIDER);
    assert_eq!((verifier.stance(), verifier.body_chunk(body)), (Stance::Done, Stance::Done));
    assert_eq!(verifier.queries(), []);
    assert!(verifier.finish().is_empty());
}

/// The fields as the verifier hashes them are those of the words: all short headers, signed whole.
#[test]
fn headers_of_every_shape_verify() {
    let lines = ["From: joe@example.com", "A:", "a : b", "\tfolded \t", " x", "To:  b  c"];
    let zone = zone();
    for number in 0..6_usize.pow(3) {
        let picked = (0..3).map(|place| lines[number / 6_usize.pow(place) % 6]);
        let header: String = picked.map(|line| format!("{line}\r\n")).collect();
        // One From field, at the bottom, and no white space before the first field.
        let message =
            format!("B: c\r\n{}From: joe@example.com\r\n\r\nHi.\r\n", header.replace("From", "X"));
        for form in ["simple", "nofws"] {
            let tags = format!("{}; h=from:a:b", TAGS.replace("nofws", form));
            for tags in [&TAGS.replace("nofws", form), &tags] {
                let signed = sign_plainly(tags, &message);
                let found = verify_by(&Plain, &archive(), signed.as_bytes(), &zone);
                assert_eq!(outcome(&found), "pass ok", "{signed}");
            }
        }
    }
    assert!(canonical("nofws", Some(&["b"]), "A: x\r\nB : c\r\n d\r\n").ends_with(b"B:cd\r\n"));
}

#[test]
fn the_limits_are_those_that_are_told() {
    let Limits { listed, signatures, header_octets, key_records, .. } = Limits::default();
    let told = (signatures, listed, header_octets, key_records);
    assert_eq!(told, (4, 10_000, 1024 * 1024, 3));
}

#[test]
fn limits_come_before_the_work() {
    let mut policy = archive();
    policy.limits.signatures = 2;
    policy.limits.listed = 4;
    let invalid = "DomainKey-Signature: oops\r\n";
    let signed = (0..3).fold(MESSAGE.to_owned(), |message, _| sign(TAGS, &message));
    let all = format!("{invalid}{signed}");
    let words = |message: &str, policy: &_| -> Vec<String> {
        let found = verify_with(policy, message.as_bytes(), &zone());
        found.iter().map(|one| one.outcome.reason().code().to_owned()).collect()
    };
    // An invalid signature takes nobody's place.
    assert_eq!(words(&all, &policy), ["syntax", "ok", "ok", "limit-signatures"]);
    let header = Header::parse(all.as_bytes());
    assert_eq!(Verifier::new(&header, &policy, &PROVIDER).unlisted(), 0);
    let more = format!("{invalid}{all}");
    let header = Header::parse(more.as_bytes());
    let verifier = Verifier::new(&header, &policy, &PROVIDER);
    assert_eq!((verifier.unlisted(), verifier.finish().len()), (1, 4));

    let length = dkim_message::split(all.as_bytes()).0.octets().len();
    policy.limits.header_octets = length;
    assert_eq!(words(&all, &policy)[1], "ok");
    policy.limits.header_octets = length - 1;
    assert_eq!(words(&all, &policy), ["limit-header"; 4]);

    let mut policy = archive();
    for (tried, expected) in [(0, "limit-key-records"), (1, "ok")] {
        policy.limits.key_records = tried;
        assert_eq!(words(&sign(TAGS, MESSAGE), &policy), [expected], "{tried}");
    }

    let tags: String = (0..300).map(|number| format!("; t{number}=")).collect();
    let many = format!("DomainKey-Signature: {TAGS}{tags}; b=Zm9v\r\n{MESSAGE}");
    assert_eq!(words(&many, &archive()), ["limit-tags"]);
    let fields = vec!["from"; 1001].join(":");
    let many = format!("DomainKey-Signature: {TAGS}; h={fields}; b=Zm9v\r\n{MESSAGE}");
    assert_eq!(words(&many, &archive()), ["limit-signed-fields"]);
}

#[test]
fn an_answer_is_read_to_64_records_and_64_kib() {
    let message = sign(TAGS, MESSAGE);
    let name = "sel._domainkey.example.com";
    let good = format!("k=rsa; p={}", p());
    let longest = format!("{good}; n={}", "x".repeat(16_384 - good.len() - "; n=".len()));
    for (count, octets, good, expected) in [
        (63, 1, &good, "ok"),
        (64, 1, &good, "limit-key-records"),
        (3, 16_384, &longest, "ok"),
        (4, 16_384, &longest, "limit-key-records"),
    ] {
        let none = |number| format!("{number:=>octets$}");
        let zone = (0..count).fold(Zone::new(), |zone, number| zone.txt(name, none(number)));
        let found = verify_with(&archive(), message.as_bytes(), &zone.txt(name, &**good));
        assert_eq!(found[0].outcome.reason().code(), expected, "{count} of {octets}");
    }
}

#[test]
fn as_many_names_are_read_as_told() {
    let words = |message: &str| {
        let found = verify_with(&archive(), message.as_bytes(), &zone());
        found[0].outcome.reason().code().to_owned()
    };
    for (count, expected) in [(1000, "signature-mismatch"), (1001, "limit-signed-fields")] {
        let fields = vec!["from"; count].join(":");
        let message = format!("DomainKey-Signature: {TAGS}; h={fields}; b=Zm9v\r\n{MESSAGE}");
        assert_eq!(words(&message), expected, "{count}");
    }
}
