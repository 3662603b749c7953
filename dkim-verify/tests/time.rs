//! `t=` and `x=` against the time given (RFC 6376 §3.5, §6.1.1).

mod craft;

use craft::{MESSAGE, deviations, outcome, sign, with_tag, zone};
use dkim_crypto::ring::PROVIDER;
use dkim_dns::drive_blocking;
use dkim_tags::UnixTime;
use dkim_verify::{Policy, Verification, Verifier};

fn at(now: u64, policy: &Policy, tag: &str) -> Vec<Verification> {
    let message = sign(&with_tag(tag), MESSAGE.as_bytes());
    let (header, body) = dkim_message::split(&message);
    let mut verifier = Verifier::new(&header, policy, UnixTime(now), &PROVIDER);
    drive_blocking(&mut verifier, &zone());
    verifier.body_chunk(body);
    verifier.finish()
}

const EXPIRED: [&str; 3] = ["fail expired", "fail expired", "pass ok"];
const FUTURE: [&str; 3] = ["pass ok", "policy future", "pass ok"];
const PASS: [&str; 3] = ["pass ok"; 3];

#[test]
fn clocks_may_differ_by_300_seconds() {
    for (tag, now, expected, said) in [
        ("x=1000", 0, PASS, None),
        ("x=1000", 1000, PASS, None),
        ("x=1000", 1300, PASS, None),
        ("x=1000", 1301, EXPIRED, Some("expired")),
        ("x=1000", u64::MAX, EXPIRED, Some("expired")),
        ("x=0", 0, PASS, None),
        ("x=0", 300, PASS, None),
        ("x=0", 301, EXPIRED, Some("expired")),
        ("x=000000000000", 1_700_000_000, EXPIRED, Some("expired")),
        ("x=999999999999", 999_999_999_999, PASS, None),
        ("x=999999999999", u64::MAX, EXPIRED, Some("expired")),
        ("t=1000", 700, PASS, None),
        ("t=1000", 699, FUTURE, Some("future")),
        ("t=1000", 0, FUTURE, Some("future")),
        ("t=0", 0, PASS, None),
        ("t=0", u64::MAX, PASS, None),
        ("t=999999999999", 1_700_000_000, FUTURE, Some("future")),
        ("t=1000; x=1001", 1000, PASS, None),
        ("t=0; x=1", 301, PASS, None),
        ("t=0; x=1", 302, EXPIRED, Some("expired")),
        ("x=1001; t=1000", 600, FUTURE, Some("future")),
    ] {
        let policies = [Policy::rfc(), Policy::strict(), Policy::lenient()];
        for (policy, expected) in policies.iter().zip(expected) {
            let found = at(now, policy, tag);
            assert_eq!(outcome(&found), expected, "{tag} at {now}");
            assert_eq!(deviations(&found), Vec::from_iter(said), "{tag} at {now}");
        }
    }
}

#[test]
fn the_skew_is_the_policys_and_overflows_nothing() {
    let mut policy = Policy::strict();
    for (skew, tag, now, expected) in [
        (0, "x=1000", 1000, "pass ok"),
        (0, "x=1000", 1001, "fail expired"),
        (0, "t=1000", 1000, "pass ok"),
        (0, "t=1000", 999, "policy future"),
        (u64::MAX, "x=0", u64::MAX, "pass ok"),
        (u64::MAX, "x=1", u64::MAX, "pass ok"),
        (u64::MAX, "t=999999999999", 0, "pass ok"),
        (u64::MAX, "t=999999999999", u64::MAX, "pass ok"),
    ] {
        policy.clock_skew = skew;
        assert_eq!(outcome(&at(now, &policy, tag)), expected, "{tag} at {now}, {skew}");
    }
}

#[test]
fn times_are_numbers_of_at_most_12_digits() {
    for tag in ["t", "x"] {
        for value in [
            "",
            "abc",
            "-1",
            "+1",
            "1 2",
            "1.5",
            "0x1",
            "1e9",
            "1000000000000",
            "never",
            "\u{0661}",
        ] {
            let found = at(1000, &Policy::rfc(), &format!("{tag}={value}"));
            assert_eq!(outcome(&found), "permerror syntax", "{tag}={value}");
            assert!(found[0].outcome.to_string().contains(&format!("tag {tag}=")), "{tag}={value}");
        }
    }
}

/// RFC 6376 §3.5: `x=` "MUST be greater than the value of the "t=" tag if both are present".
#[test]
fn expiration_comes_after_the_timestamp() {
    for (tag, expected) in [
        ("t=1000; x=1001", "pass ok"),
        ("t=1000; x=1000", "permerror syntax"),
        ("t=1000; x=999", "permerror syntax"),
        ("x=999; t=1000", "permerror syntax"),
        ("t=0; x=0", "permerror syntax"),
    ] {
        for policy in [Policy::rfc(), Policy::strict(), Policy::lenient()] {
            assert_eq!(outcome(&at(1000, &policy, tag)), expected, "{tag}");
        }
    }
}
