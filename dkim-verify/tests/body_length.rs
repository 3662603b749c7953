//! `l=` counts octets of the canonical body (RFC 6376 §3.5, §3.7, §8.2).

mod craft;

use craft::{outcome, sign, under_each, verify_with, zone};
use dkim_verify::{Deviation, Policy};

const HEADER: &str = "From: joe@example.com\r\n\r\n";

const WHOLE: [&str; 3] = ["pass ok"; 3];
const PART: [&str; 3] = ["pass ok", "policy body-not-fully-signed", "pass ok"];
const TOO_LONG: [&str; 3] = ["permerror l-too-long"; 3];

fn signed(form: &str, length: &str, body: &str) -> Vec<u8> {
    let template = craft::with_tag(&format!("l={length}"));
    let template = template.replace("relaxed/relaxed", &format!("relaxed/{form}"));
    sign(&template, format!("{HEADER}{body}").as_bytes())
}

#[test]
fn lengths_are_of_the_canonical_body() {
    for (form, body, octets) in [
        ("simple", "", 2),
        ("simple", "\r\n\r\n", 2),
        ("simple", "a", 3),
        ("simple", "a  b \t\r\n\r\n\r\n", 8),
        ("simple", "a\r\n \r\n", 6),
        ("relaxed", "", 0),
        ("relaxed", "\r\n \r\n\t", 0),
        ("relaxed", "a", 3),
        ("relaxed", "a  b \t\r\n\r\n\r\n", 5),
        ("relaxed", "a\r\n \r\n", 3),
        ("relaxed", "\u{fc}\0\r\n", 5),
    ] {
        for length in 0..=octets + 2 {
            let expected = match length {
                _ if length == octets => WHOLE,
                _ if length < octets => PART,
                _ => TOO_LONG,
            };
            let message = signed(form, &length.to_string(), body);
            assert_eq!(under_each(&message, &zone()), expected, "{form} {body:?} {length}");
        }
    }
}

#[test]
fn both_lengths_are_told() {
    for (length, body, told) in [
        ("3", "a\r\nb\r\n", Some((3, 6))),
        ("0", "a  b\r\n\r\n", Some((0, 5))),
        ("5", "a  b\r\n\r\n", None),
    ] {
        let found = verify_with(&Policy::rfc(), &signed("relaxed", length, body), &zone());
        let lengths = |deviation: &Deviation| match deviation {
            Deviation::BodyNotFullySigned { signed, seen } => Some((*signed, *seen)),
            _ => None,
        };
        assert_eq!(found[0].deviations.iter().find_map(lengths), told, "{length} {body:?}");
    }
}

/// What comes behind the signed octets may be anything; what comes within them may not.
#[test]
fn what_is_appended_is_told_and_nothing_else_may_change() {
    for form in ["simple", "relaxed"] {
        let whole = signed(form, "5", "Hi.\r\n");
        assert_eq!(under_each(&whole, &zone()), WHOLE);
        for (more, expected) in [
            ("\r\n\r\n", WHOLE),
            ("\r\nPS\r\n", PART),
            ("PS", PART),
            ("\n", PART),
            ("\r", PART),
            ("\0", PART),
        ] {
            let message = [&whole[..], more.as_bytes()].concat();
            assert_eq!(under_each(&message, &zone()), expected, "{more:?} {form}");
        }
        let text = String::from_utf8_lossy(&whole);
        for (from, to) in [("Hi.", "Ho."), ("Hi.\r\n", "Hi.\n\r"), ("Hi.\r\n", "Hi.\r\r\n\r\n")] {
            let message = text.replace(from, to);
            let outcomes = under_each(message.as_bytes(), &zone());
            assert_eq!(outcomes, ["fail body-hash-mismatch"; 3], "{to:?} {form}");
        }
        let cut = text.replace("Hi.\r\n", "Hi");
        assert_eq!(under_each(cut.as_bytes(), &zone()), TOO_LONG, "{form}");
    }
}

/// RFC 6376 §3.5: `1*76DIGIT`, and no number overflows.
#[test]
fn lengths_are_numbers() {
    for (length, expected) in [
        ("00005".to_owned(), "pass ok"),
        (format!("{}5", "0".repeat(75)), "pass ok"),
        (format!("{}5", "0".repeat(76)), "permerror syntax"),
        ("9".repeat(76), "permerror l-too-long"),
        ("9".repeat(77), "permerror syntax"),
        (u64::MAX.to_string(), "permerror l-too-long"),
        ("18446744073709551616".to_owned(), "permerror l-too-long"),
        ("18446744073709551621".to_owned(), "permerror l-too-long"),
        ("4294967301".to_owned(), "permerror l-too-long"),
        ("-1".to_owned(), "permerror syntax"),
        ("+5".to_owned(), "permerror syntax"),
        ("5.0".to_owned(), "permerror syntax"),
        ("0x5".to_owned(), "permerror syntax"),
        ("5 5".to_owned(), "permerror syntax"),
        ("\u{0665}".to_owned(), "permerror syntax"),
        (String::new(), "permerror syntax"),
    ] {
        let message = signed("simple", &length, "Hi.\r\n");
        assert_eq!(outcome(&verify_with(&Policy::rfc(), &message, &zone())), expected, "{length}");
    }
    // What does not fit is told as that.
    for (length, told) in
        [("4294967301", "4294967301 octets"), (&"9".repeat(76), "15 or more octets")]
    {
        let found = verify_with(&Policy::rfc(), &signed("simple", length, "Hi.\r\n"), &zone());
        let text = found[0].outcome.to_string();
        assert!(text.contains(told) && text.ends_with("it has only 5 in canonical form"), "{text}");
    }
}
