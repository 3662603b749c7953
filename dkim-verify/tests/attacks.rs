//! Attacks that are about a whole message, and what becomes of each; the table of all attacks is
//! ATTACKS.md.
#![allow(clippy::unwrap_used)]

mod craft;

use craft::{
    MESSAGE, NOW, TEMPLATE, deviations, outcome, sign, under_each, verify, with_fields, with_tag,
    zone,
};
use dkim_crypto::ring::PROVIDER;
use dkim_dns::Inquirer;
use dkim_tags::UnixTime;
use dkim_verify::{Policy, Verifier};

const MULTIPART: &str = "From: joe@example.com\r\nSubject: Is dinner ready?\r\n\
    MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=\"b\"\r\n\r\n\
    --b\r\nContent-Type: text/plain\r\n\r\nHi.\r\n";

/// `l=` ends before the last boundary, or a reader takes another one: what follows is shown in
/// place of what was signed, and the signature is right. RFC 6376 §8.2.
#[test]
fn parts_that_are_shown_behind_the_signed_ones_are_told() {
    let body = MULTIPART.split_once("\r\n\r\n").unwrap().1.len();
    let template = with_tag(&format!("l={body}")).replace("from:to:subject", "from:subject");
    let part = "--b\r\nContent-Type: text/html\r\n\r\n<h1>Pay here</h1>\r\n--b--\r\n";
    let signed = sign(&template, MULTIPART.as_bytes());
    assert_eq!(under_each(&signed, &zone()), ["pass ok"; 3]);
    let appended = [&signed, part.as_bytes()].concat();
    let expected = ["pass ok", "policy body-not-fully-signed", "pass ok"];
    assert_eq!(under_each(&appended, &zone()), expected);
    assert_eq!(deviations(&verify(&appended, &zone())), ["body-not-fully-signed"]);

    // With a boundary of the attacker's, all that was signed is a preamble that nobody shows. A
    // Content-Type field on top of an unsigned one is not even seen; a signed one is told.
    let steered = [
        &b"Content-Type: multipart/mixed; boundary=c\r\n"[..],
        &signed,
        b"--c\r\n\r\nPay here.\r\n--c--\r\n",
    ]
    .concat();
    assert_eq!(under_each(&steered, &zone()), expected);
    let template = template.replace("from:subject", "from:subject:content-type");
    let signed = sign(&template, MULTIPART.as_bytes());
    let steered = [
        &b"Content-Type: multipart/mixed; boundary=c\r\n"[..],
        &signed,
        b"--c\r\n\r\nPay here.\r\n--c--\r\n",
    ]
    .concat();
    let told = deviations(&verify(&steered, &zone()));
    assert_eq!(told, ["unsigned-duplicate", "body-not-fully-signed"]);
    // Over-signed: broken. Without `l=`: broken whatever is signed of the header.
    let over = template.replace("content-type", "content-type:content-type");
    let over = sign(&over, MULTIPART.as_bytes());
    let steered = [&b"Content-Type: text/html\r\n"[..], &over].concat();
    assert_eq!(under_each(&steered, &zone()), ["fail signature-mismatch"; 3]);
    let whole = sign(&with_fields("from:subject"), MULTIPART.as_bytes());
    let appended = [&whole, part.as_bytes()].concat();
    assert_eq!(under_each(&appended, &zone()), ["fail body-hash-mismatch"; 3]);
}

/// RFC 6376 §8.6: what is sent again, to whomever, is what was signed. `x=` ends it; a recipient
/// who is shown is one field more, which over-signing finds.
#[test]
fn what_is_sent_again_passes_until_it_expires() {
    let expires = NOW.0 + 3600;
    let template = with_tag(&format!("t={}; x={expires}", NOW.0));
    let signed = sign(&template.replace("from:to", "from:to:to:cc"), MESSAGE.as_bytes());
    let replayed = |message: &[u8], now: u64| {
        let (header, body) = dkim_message::split(message);
        let mut verifier = Verifier::new(&header, &Policy::rfc(), UnixTime(now), &PROVIDER);
        dkim_dns::drive_blocking(&mut verifier, &zone());
        verifier.body_chunk(body);
        outcome(&verifier.finish())
    };
    let again = [&b"Received: from elsewhere\r\nDelivered-To: anybody\r\n"[..], &signed].concat();
    assert_eq!(replayed(&again, NOW.0 + 3600), "pass ok");
    assert_eq!(replayed(&again, expires + 301), "fail expired");
    for shown in ["To: victim@example.org\r\n", "Cc: victim@example.org\r\n"] {
        let again = [shown.as_bytes(), &signed].concat();
        assert_eq!(replayed(&again, NOW.0), "fail signature-mismatch", "{shown}");
    }
}

/// What `d=` and `s=` hold, and where the key is then looked for.
fn asked(d: &str, s: &str) -> (String, Vec<String>) {
    let template = TEMPLATE.replace("d=example.com", &format!("d={d}"));
    let template = template.replace("s=sel", &format!("s={s}"));
    let message = sign(&template, MESSAGE.as_bytes());
    let (header, body) = dkim_message::split(&message);
    let mut verifier = Verifier::new(&header, &Policy::rfc(), NOW, &PROVIDER);
    let queries = verifier.queries();
    let names = queries.iter().map(|query| query.name.clone()).collect();
    for query in queries {
        verifier.answer(query.id, zone().answer(&query));
    }
    verifier.body_chunk(body);
    (outcome(&verifier.finish()), names)
}

/// A question that leads into another zone, into a wildcard, a path or a log line is never asked.
#[test]
fn names_that_are_none_are_not_asked() {
    let label = "a".repeat(64);
    let long = ["a".repeat(63).as_str(); 4].join(".");
    let ends_elsewhere = ["x.evil.example\0", "evil.example#"];
    let names = [
        "*",
        "*.com",
        "../../etc/passwd",
        "a/b",
        "a\\046b",
        "a\\.b",
        "..",
        ".",
        ".a",
        "a.",
        "a..b",
        "a b",
        "a,b",
        "a@b",
        "a:53",
        "[::1]",
        "%00",
        "a'b",
        "a\"b",
        "$(a)",
        "-",
        "-a",
        "a-",
        "\u{2024}",
        "a\u{3002}\u{3002}b",
        "a\u{ff0f}b",
        "a\u{0}b",
        "\u{1b}[2J",
        "\u{202e}moc",
        &label,
        &long,
    ];
    for name in names.into_iter().chain(ends_elsewhere) {
        for (d, s) in [(name, "sel"), ("example.com", name)] {
            let (outcome, names) = asked(d, s);
            assert!(outcome.starts_with("permerror "), "{name:?}: {outcome}");
            assert_eq!(names, [""; 0], "{name:?}");
        }
    }
    // Together they are too long, each for itself is not: there cannot be such a name, and whoever
    // asks says so without asking.
    let half = ["a".repeat(60).as_str(); 2].join(".");
    assert_eq!(asked(&[half.as_str(); 2].join("."), &half).0, "permerror key-missing");
}

/// And what is a name is asked for below `_domainkey` of the domain that takes responsibility.
#[test]
fn selectors_stay_below_the_domain() {
    for (d, s, name) in [
        ("example.com", "a.b", "a.b._domainkey.example.com"),
        ("EXAMPLE.Com", "SEL", "SEL._domainkey.EXAMPLE.Com"),
        ("example.com", "_domainkey", "_domainkey._domainkey.example.com"),
        (
            "example.com",
            "sel._domainkey.evil.example",
            "sel._domainkey.evil.example._domainkey.example.com",
        ),
        ("example.com", "xn--a", "xn--a._domainkey.example.com"),
    ] {
        let (outcome, names) = asked(d, s);
        let names: Vec<String> = names.iter().map(|name| name.to_ascii_lowercase()).collect();
        assert_eq!(names, [name.to_ascii_lowercase()], "{outcome}");
    }
}

/// Wherever the message ends, on the way or in a spool: no signature, or none that passes.
#[test]
fn a_message_cut_anywhere_passes_nowhere() {
    let message = sign(TEMPLATE, MESSAGE.as_bytes());
    assert_eq!(under_each(&message, &zone()), ["pass ok"; 3]);
    // The last line end is put back by either form (RFC 6376 §3.4.3 and §3.4.4).
    for end in 0..message.len() - 2 {
        for found in under_each(&message[..end], &zone()) {
            assert!(!found.starts_with("pass"), "{end}: {found}");
        }
    }
}

/// Empty lines at the end are no part of the body, signed or cut off (RFC 6376 §3.4.3).
#[test]
fn a_message_that_ends_in_empty_lines_may_lose_these_alone() {
    let empty = "\r\n".repeat(3);
    let message = sign(TEMPLATE, (MESSAGE.to_owned() + &empty).as_bytes());
    let last_word = message.len() - empty.len() - 2;
    for end in 0..=message.len() {
        let is_same = end >= last_word && (end - last_word).is_multiple_of(2);
        for found in under_each(&message[..end], &zone()) {
            assert_eq!(found.starts_with("pass"), is_same, "{end}: {found}");
        }
    }
}

/// Numbers that a reader would cut, turn around or compute with.
#[test]
fn absurd_numbers_are_refused_or_mean_what_they_say() {
    let digits = |count: usize| "9".repeat(count);
    for tag in ["t", "x", "l"] {
        for value in [
            "-1",
            "+1",
            "1e3",
            "0x10",
            "1.0",
            "1,000",
            "\u{0661}",
            "1 0",
            "",
            "NaN",
            &digits(77),
            &digits(100_000),
        ] {
            let found = under_each(
                &sign(&with_tag(&format!("{tag}={value}")), MESSAGE.as_bytes()),
                &zone(),
            );
            assert_eq!(
                found,
                ["permerror syntax"; 3],
                "{tag}={}",
                value.get(..20).unwrap_or(value)
            );
        }
    }
    // 2^64 + 24 is not 24, and neither is 2^32 + 24.
    for length in ["18446744073709551640", "4294967320", &digits(76)] {
        let found =
            under_each(&sign(&with_tag(&format!("l={length}")), MESSAGE.as_bytes()), &zone());
        assert_eq!(found, ["permerror l-too-long"; 3], "{length}");
    }
    // RFC 6376 §3.5: `t=` and `x=` have up to 12 digits.
    for tag in ["t=18446744073709551617", "x=18446744073709551615", "x=4294967296000"] {
        let found = under_each(&sign(&with_tag(tag), MESSAGE.as_bytes()), &zone());
        assert_eq!(found, ["permerror syntax"; 3], "{tag}");
    }
}
