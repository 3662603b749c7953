//! The limits: each has its own reason, what is just within it passes, and every signature is
//! listed.

mod craft;

use craft::{
    MESSAGE, TEMPLATE, key, outcome, p, record, sign, verify, verify_with, with_fields, with_tag,
    zone,
};
use dkim_dns::{Record, Zone};
use dkim_verify::{Limits, Policy};

/// The reasons of a message's signatures, top to bottom.
fn reasons(message: &[u8], zone: &Zone) -> Vec<&'static str> {
    verify(message, zone).iter().map(|one| one.outcome.reason().code()).collect()
}

/// The message signed so often, each time over its own fields alone.
fn signed_by(templates: impl IntoIterator<Item = String>) -> Vec<u8> {
    let signatures = templates.into_iter().map(|template| {
        let message = sign(&template, MESSAGE.as_bytes());
        message[..message.len() - MESSAGE.len()].to_vec()
    });
    [signatures.collect::<Vec<_>>().concat().as_slice(), MESSAGE.as_bytes()].concat()
}

fn good_record() -> String {
    format!("v=DKIM1; k=ed25519; p={}", p(&*key()))
}

#[test]
fn the_limits_are_those_that_are_told() {
    let limits = Limits::default();
    let of_fields = (limits.listed, limits.signatures, limits.header_octets, limits.signed_fields);
    assert_eq!(of_fields, (10_000, 10, 1024 * 1024, 1000));
    assert_eq!((limits.queries, limits.body_hashes, limits.key_records), (10, 4, 3));
}

#[test]
fn ten_signatures_are_judged() {
    for (count, judged) in [(1, 1), (10, 10), (11, 10), (30, 10)] {
        let message = signed_by((0..count).map(|_| TEMPLATE.to_owned()));
        let expected = [vec!["ok"; judged], vec!["limit-signatures"; count - judged]].concat();
        assert_eq!(reasons(&message, &zone()), expected);
    }
    // Those beyond still say who they are.
    let message = signed_by((0..11).map(|_| TEMPLATE.to_owned()));
    let last = verify(&message, &zone()).pop();
    assert!(last.is_some_and(|last| last.signature.is_some() && last.claims().sdid.is_some()));
}

/// Anyone can put such fields on top, for any domain.
#[test]
fn signatures_that_the_header_refuses_hide_no_good_one_below() {
    let expired = |n: usize| {
        format!(
            "DKIM-Signature: v=1; a=ed25519-sha256; d=old{n}.example; s=sel; t=1; x=2; l={n};\r\n\
             \th=from; bh=AA==; b=AA==\r\n"
        )
    };
    let hiding: String = (0..20).map(expired).collect();
    let message = [hiding.as_bytes(), &sign(TEMPLATE, MESSAGE.as_bytes())].concat();
    let under = |policy: &Policy| -> Vec<_> {
        let found = verify_with(policy, &message, &zone());
        found.iter().map(|one| one.outcome.reason().code()).collect()
    };
    let expected = |limit: &'static str, judged: usize| {
        [vec!["key-missing"; judged], vec![limit; 20 - judged], vec!["ok"]].concat()
    };
    // The good one takes its share of each limit first.
    let mut policy = Policy::rfc();
    assert_eq!(under(&policy), expected("limit-body-hashes", 3));
    policy.limits.body_hashes = 100;
    assert_eq!(under(&policy), expected("limit-signatures", 9));
    policy.limits.signatures = 100;
    assert_eq!(under(&policy), expected("limit-queries", 9));
    // Those that the policy accepts are as good as any.
    assert_eq!(under(&Policy::lenient()).last(), Some(&"limit-body-hashes"));
}

#[test]
fn ten_questions_are_asked() {
    let names = |count: usize| (0..count).map(|n| format!("s{n}._domainkey.example.com"));
    let zone = names(12).fold(Zone::new(), |zone, name| zone.txt(&name, good_record()));
    let templates =
        |count: usize| (0..count).map(|n| TEMPLATE.replace("s=sel;", &format!("s=s{n};")));
    let mut policy = Policy::rfc();
    policy.limits.signatures = 100;
    let message = signed_by(templates(12).chain(templates(12)));
    let found = verify_with(&policy, &message, &zone);
    let found: Vec<_> = found.iter().map(|one| one.outcome.reason().code()).collect();
    let twelve = [vec!["ok"; 10], vec!["limit-queries"; 2]].concat();
    // A name is asked once, however many signatures name it.
    assert_eq!(found, twelve.repeat(2));
}

#[test]
fn a_header_of_1_mib_is_judged() {
    let good = sign(TEMPLATE, MESSAGE.as_bytes());
    let (header, _) = dkim_message::split(&good);
    let room = 1024 * 1024 - header.octets().len();
    for (octets, expected) in [(room, "ok"), (room + 1, "limit-header")] {
        let long = format!("X: {}\r\n", "a".repeat(octets - 5));
        let folded = format!("X: {}\r\n", format!("{}\r\n ", "a".repeat(7)).repeat(octets / 11));
        let folded = format!("{folded}Y:{}\r\n", "a".repeat(octets - folded.len() - 4));
        let short = "X:\r\n".repeat(octets / 4 - 2);
        let short = format!("{short}Y:{}\r\n", "a".repeat(octets - short.len() - 4));
        for fill in [long, folded, short] {
            assert_eq!(fill.len(), octets);
            let message = [fill.as_bytes(), &good].concat();
            assert_eq!(reasons(&message, &zone()), [expected]);
        }
        // One field of any length, signed.
        let message = format!("X: {}\r\n{MESSAGE}", "a ".repeat(octets / 2 - 100));
        assert_eq!(reasons(&sign(&with_fields("from:x"), message.as_bytes()), &zone()), ["ok"]);
    }
}

#[test]
fn so_many_tags_names_and_items_are_read() {
    let tags = |count: usize| (0..count).map(|n| format!(" t{n}=;")).collect::<String>();
    let names = |count: usize| format!("from{}", ":x".repeat(count - 1));
    for (template, expected) in [
        // The template has eight.
        (TEMPLATE.replace("s=sel;", &format!("s=sel;{}", tags(248))), "ok"),
        (TEMPLATE.replace("s=sel;", &format!("s=sel;{}", tags(249))), "limit-tags"),
        (TEMPLATE.replace("s=sel;", &format!("s=sel;{}", tags(5000))), "limit-tags"),
        (with_fields(&names(1000)), "ok"),
        (with_fields(&names(1001)), "limit-signed-fields"),
        (with_tag(&format!("q={}dns/txt", "a:".repeat(999))), "ok"),
        (with_tag(&format!("q={}dns/txt", "a:".repeat(1000))), "limit-items"),
        (with_tag(&format!("z={}", ["a:b"; 1000].join("|"))), "ok"),
        (with_tag(&format!("z={}", ["a:b"; 1001].join("|"))), "limit-items"),
    ] {
        let message = signed_by([template, TEMPLATE.to_owned()]);
        assert_eq!(reasons(&message, &zone()), [expected, "ok"]);
    }
}

#[test]
fn four_body_hashes_are_computed() {
    let length = |n: usize| with_tag(&format!("l={n}"));
    let forms = ["relaxed/simple", "simple/relaxed"].map(craft::with_forms);
    let [simple, relaxed] = forms;
    let message = signed_by([
        length(1),
        length(2),
        length(1),
        simple.clone(),
        relaxed.clone(),
        length(3),
        length(2),
        relaxed,
        simple,
        TEMPLATE.to_owned(),
    ]);
    let expected = ["ok", "ok", "ok", "ok", "ok", "limit-body-hashes", "ok", "ok", "ok", "ok"];
    assert_eq!(reasons(&message, &zone()), expected);
}

#[test]
fn a_key_record_has_16_kib() {
    let message = sign(TEMPLATE, MESSAGE.as_bytes());
    let good = good_record();
    for (octets, expected) in [
        (16 * 1024, "pass ok"),
        (16 * 1024 + 1, "policy limit-key-record"),
        (100_000, "policy limit-key-record"),
    ] {
        let text = format!("{good}; n={}", "x".repeat(octets - good.len() - 4));
        assert_eq!(outcome(&verify(&message, &record(&text))), expected, "{octets}");
        let empty = [&vec![Vec::new(); 1000][..], &[text.into_bytes()]].concat();
        let zone = Zone::new().record("sel._domainkey.example.com", Record { strings: empty });
        assert_eq!(outcome(&verify(&message, &zone)), expected, "{octets}");
    }
}

#[test]
fn three_key_records_are_tried_of_those_at_a_name() {
    let message = sign(TEMPLATE, MESSAGE.as_bytes());
    let name = "sel._domainkey.example.com";
    // RFC 8463 appendix A.2: a good key, and not the one that signed.
    let other = "k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
    let others = |count: usize| (0..count).map(|n| format!("n={n}; {other}"));
    let revoked = |count: usize| (0..count).map(|n| format!("n={n}; p="));
    let none = |count: usize| (0..count).map(|n| format!("some-verification {n}"));
    let long = |count: usize| (0..count).map(|n| format!("v=spf1 {n}{}", " ".repeat(16_000)));
    let good = [good_record()];
    let expect = |records: &mut dyn Iterator<Item = String>, expected: &str| {
        let records: Vec<String> = records.collect();
        let zone = records.iter().fold(Zone::new(), |zone, record| zone.txt(name, record));
        assert_eq!(outcome(&verify(&message, &zone)), expected, "{} records", records.len());
    };
    expect(&mut others(2).chain(good.clone()), "pass ok");
    expect(&mut others(3).chain(good.clone()), "policy limit-key-records");
    expect(&mut others(3), "fail signature-mismatch");
    expect(&mut revoked(2).chain(good.clone()), "pass ok");
    expect(&mut revoked(3).chain(good.clone()), "policy limit-key-records");
    expect(&mut revoked(3), "permerror key-revoked");
    // What is no key is not tried, and there is an end to looking at it.
    expect(&mut none(63).chain(good.clone()), "pass ok");
    expect(&mut none(64).chain(good.clone()), "policy limit-key-records");
    expect(&mut none(64), "permerror key-syntax");
    expect(&mut long(4).chain(good.clone()), "pass ok");
    expect(&mut long(5).chain(good.clone()), "policy limit-key-records");
    expect(&mut good.iter().cloned().chain(others(100)), "pass ok");
}

/// What is needed is enough, and one less is not.
#[test]
fn each_knob_is_a_limit_from_both_sides() {
    type Knob = fn(&mut Limits) -> &mut usize;
    let one = sign(TEMPLATE, MESSAGE.as_bytes());
    let two = signed_by([TEMPLATE.to_owned(), TEMPLATE.replace("s=sel;", "s=two; l=3;")]);
    let header = |message: &[u8]| dkim_message::split(message).0.octets().len();
    let others = ["n=1; p=", "n=2; p="].into_iter();
    let three = others
        .chain([&*good_record()])
        .fold(Zone::new().txt("two._domainkey.example.com", good_record()), |zone, record| {
            zone.txt("sel._domainkey.example.com", record)
        });
    let knobs: [(Knob, &[u8], usize, &str); 6] = [
        (|limits| &mut limits.signatures, &two, 2, "limit-signatures"),
        (|limits| &mut limits.queries, &two, 2, "limit-queries"),
        (|limits| &mut limits.header_octets, &one, header(&one), "limit-header"),
        (|limits| &mut limits.signed_fields, &one, 3, "limit-signed-fields"),
        (|limits| &mut limits.body_hashes, &two, 2, "limit-body-hashes"),
        (|limits| &mut limits.key_records, &one, 3, "limit-key-records"),
    ];
    for (knob, message, needed, over) in knobs {
        let last = |limit: usize| {
            let mut policy = Policy::rfc();
            *knob(&mut policy.limits) = limit;
            verify_with(&policy, message, &three).pop().map(|last| last.outcome.reason().code())
        };
        assert_eq!(last(needed), Some("ok"), "{over} at {needed}");
        assert_eq!(last(needed - 1), Some(over), "{over} below {needed}");
    }
    let listed = |limit: usize| {
        let mut policy = Policy::rfc();
        policy.limits.listed = limit;
        verify_with(&policy, &two, &three).len()
    };
    assert_eq!([listed(2), listed(1), listed(0)], [2, 1, 0]);
}

#[test]
fn an_answer_is_read_to_64_kib() {
    let message = sign(TEMPLATE, MESSAGE.as_bytes());
    let good = good_record();
    let notes = "x".repeat(16_384 - good.len() - "; n=".len());
    let longest = format!("{good}; n={notes}");
    let none = ["x", "y", "z"].map(|octet| octet.repeat(16_384));
    for (first, expected) in [(None, "pass ok"), (Some("x"), "policy limit-key-records")] {
        let records = first.into_iter().chain(none.iter().map(String::as_str)).chain([&*longest]);
        let zone = records
            .fold(Zone::new(), |zone, record| zone.txt("sel._domainkey.example.com", record));
        assert_eq!(outcome(&verify(&message, &zone)), expected);
    }
}

#[test]
fn eight_aliases_are_followed() {
    let message = sign(TEMPLATE, MESSAGE.as_bytes());
    for (hops, expected) in [(1, "pass ok"), (8, "pass ok"), (9, "policy limit-cname-hops")] {
        let name = |hop: usize| match hop {
            0 => "sel._domainkey.example.com".to_owned(),
            _ => format!("h{hop}.example.net"),
        };
        let chain = (0..hops).fold(Zone::new(), |zone, hop| zone.cname(&name(hop), &name(hop + 1)));
        let zone = chain.txt(&name(hops), good_record());
        assert_eq!(outcome(&verify(&message, &zone)), expected, "{hops}");
    }
}
