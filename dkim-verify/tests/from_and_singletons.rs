//! The fields that may stand once only (RFC 5322 §3.6, RFC 6376 §3.8, §5.4, §8.15).

mod craft;

use craft::{
    MESSAGE, TEMPLATE, deviations, outcome, sign, under_each, verify_with, with_fields, zone,
};
use dkim_verify::{Deviation, Outcome, Policy};

const PASS: [&str; 3] = ["pass ok"; 3];
const SEVERAL: [&str; 3] = ["policy multiple-from", "policy multiple-from", "pass ok"];

/// The message with a field more where the signature does not mind: above the one it signs.
fn topped(template: &str, field: &str) -> Vec<u8> {
    [field.as_bytes(), &sign(template, MESSAGE.as_bytes())].concat()
}

#[test]
fn more_than_one_from_field_is_refused() {
    for second in [
        "From: eve@example.org\r\n",
        "from: eve@example.org\r\n",
        "FROM: eve@example.org\r\n",
        "From : eve@example.org\r\n",
        "From \t: eve@example.org\r\n",
        "From:\r\n eve@example.org\r\n",
        "From:\r\n \r\n\teve@example.org\r\n",
        "From:\r\n",
        "From: Joe SixPack <joe@example.com>\r\n",
    ] {
        let good = sign(TEMPLATE, MESSAGE.as_bytes());
        let text = String::from_utf8_lossy(&good).into_owned();
        let above = topped(TEMPLATE, second);
        let between = text.replacen("From: Joe", &format!("{second}From: Joe"), 1).into_bytes();
        for message in [above, between] {
            assert_eq!(under_each(&message, &zone()), SEVERAL, "{second:?}");
            let found = verify_with(&Policy::lenient(), &message, &zone());
            assert_eq!(deviations(&found), ["multiple-from"], "{second:?}");
        }
        // Below the one that was signed it is the one that counts as signed.
        for below in ["To: Suzie", "Subject: Is"] {
            let message = text.replacen(below, &format!("{second}{below}"), 1).into_bytes();
            for (outcome, several) in under_each(&message, &zone()).iter().zip(SEVERAL) {
                assert!(
                    outcome == "fail signature-mismatch"
                        || *outcome == several && second.contains("Joe"),
                    "{second:?}: {outcome}"
                );
            }
        }
    }
}

/// Signed, both of them, by a signer who meant it: a reader shows one of them all the same.
#[test]
fn several_from_fields_that_are_all_signed_are_refused() {
    let message = format!("From: eve@example.org\r\n{MESSAGE}");
    for names in ["from:from", "from:from:from", "from", "from:to:FROM"] {
        let message = sign(&with_fields(names), message.as_bytes());
        assert_eq!(under_each(&message, &zone()), SEVERAL, "{names}");
    }
}

#[test]
fn fields_with_names_alike_are_other_fields() {
    for field in [
        "X-From: eve@example.org\r\n",
        "Resent-From: eve@example.org\r\n",
        "From-: eve@example.org\r\n",
        "Froms: eve@example.org\r\n",
        "Fro: m\r\n",
    ] {
        let message = topped(TEMPLATE, field);
        assert_eq!(under_each(&message, &zone()), PASS, "{field}");
        assert!(deviations(&verify_with(&Policy::rfc(), &message, &zone())).is_empty(), "{field}");
    }
}

#[test]
fn a_message_has_a_from_field_and_it_is_signed() {
    for names in ["to", "to:subject", "x-from", "from-:to", "resent-from"] {
        let message = sign(&with_fields(names), MESSAGE.as_bytes());
        assert_eq!(under_each(&message, &zone()), ["permerror from-not-signed"; 3], "{names}");
    }
    for name in ["X-From", "Sender", "Fr-om", "Resent-From"] {
        let message = MESSAGE.replace("From:", &format!("{name}:"));
        let message = sign(TEMPLATE, message.as_bytes());
        assert_eq!(under_each(&message, &zone()), ["permerror from-missing"; 3], "{name}");
    }
    for spelling in ["FROM:", "from :", "From \t:", "From:\r\n", "From:\r\n \r\n"] {
        let message = MESSAGE.replace("From:", spelling);
        assert_eq!(under_each(&sign(TEMPLATE, message.as_bytes()), &zone()), PASS, "{spelling:?}");
    }
    for names in ["From", "to:FROM", "from:from", "from:from:from"] {
        let message = sign(&with_fields(names), MESSAGE.as_bytes());
        assert_eq!(under_each(&message, &zone()), PASS, "{names}");
    }
}

#[test]
fn a_second_instance_that_is_not_signed_is_told() {
    const STEERING: [&str; 3] = ["pass ok", "policy unsigned-duplicate", "pass ok"];
    for (name, expected) in [
        ("Subject", STEERING),
        ("Content-Type", STEERING),
        ("MIME-Version", STEERING),
        ("Content-Transfer-Encoding", STEERING),
        ("Date", PASS),
        ("To", PASS),
        ("Cc", PASS),
        ("Bcc", PASS),
        ("Reply-To", PASS),
        ("Sender", PASS),
        ("Message-ID", PASS),
        ("In-Reply-To", PASS),
        ("References", PASS),
    ] {
        let message = format!("From: joe@example.com\r\n{name}: one\r\n\r\nHi.\r\n");
        let once = sign(&with_fields(&format!("from:{name}")), message.as_bytes());
        assert_eq!(under_each(&once, &zone()), PASS, "{name}");
        for second in [
            format!("{name}: two\r\n"),
            format!("{} : two\r\n", name.to_uppercase()),
            format!("{}:\r\n two\r\n", name.to_lowercase()),
            format!("{name}:\r\n"),
        ] {
            let twice = [second.as_bytes(), &once].concat();
            assert_eq!(under_each(&twice, &zone()), expected, "{second:?}");
            let found = verify_with(&Policy::rfc(), &twice, &zone());
            assert_eq!(deviations(&found), ["unsigned-duplicate"], "{second:?}");
        }
        // Over-signed: a second one breaks the signature.
        let over = sign(&with_fields(&format!("from:{name}:{name}")), message.as_bytes());
        assert_eq!(under_each(&over, &zone()), PASS, "{name}");
        let twice = [format!("{name}: two\r\n").as_bytes(), &over].concat();
        assert_eq!(under_each(&twice, &zone()), ["fail signature-mismatch"; 3], "{name}");
        // Signed as often as it stands there, or not at all: nothing is said.
        let two = format!("{name}: two\r\n{message}");
        for names in [format!("from:{name}:{name}"), "from".to_owned()] {
            let message = sign(&with_fields(&names), two.as_bytes());
            assert_eq!(under_each(&message, &zone()), PASS, "{names}");
            let found = verify_with(&Policy::rfc(), &message, &zone());
            assert!(deviations(&found).is_empty(), "{names}");
        }
    }
    // What may stand more than once may.
    let message = format!("Received: b\r\n{MESSAGE}");
    let message = sign(&with_fields("from:received"), message.as_bytes());
    let message = [b"Received: c\r\n", &message[..]].concat();
    let found = verify_with(&Policy::strict(), &message, &zone());
    assert_eq!((outcome(&found).as_str(), deviations(&found)), ("pass ok", vec![]));
}

/// RFC 6376 §5.4.2: each name takes the lowest instance not taken yet.
#[test]
fn instances_are_taken_from_the_bottom() {
    let message = format!("X: 1\r\nx: 2\r\nX: 3\r\n{MESSAGE}");
    for (names, from, to, expected) in [
        ("from:x", "X: 1", "X: 0", "pass ok"),
        ("from:x", "x: 2", "x: 0", "pass ok"),
        ("from:X", "X: 3", "X: 0", "fail signature-mismatch"),
        ("from:x:X", "X: 1", "X: 0", "pass ok"),
        ("from:X:x", "x: 2", "x: 0", "fail signature-mismatch"),
        ("from:x:x:x", "X: 1", "X: 0", "fail signature-mismatch"),
        ("from:x:x", "X: 1\r\n", "", "pass ok"),
        ("from:x:x:x:x", "X: 1\r\n", "X: 0\r\nX: 1\r\n", "fail signature-mismatch"),
        ("from:x:x:x", "X: 1\r\n", "X: 0\r\nX: 1\r\n", "pass ok"),
        ("from:x:x", "X: 1\r\nx: 2", "x: 2\r\nX: 1", "fail signature-mismatch"),
        ("from:x:x", "x: 2\r\nX: 3", "X: 3\r\nx: 2", "fail signature-mismatch"),
        ("from:y", "X: 1", "Y: 1", "fail signature-mismatch"),
        ("from:y:y", "X: 1", "Z: 1", "pass ok"),
        ("from:to:x", "X: 3\r\nFrom", "X: 3\r\nZ: 1\r\nFrom", "pass ok"),
    ] {
        let signed = sign(&with_fields(names), message.as_bytes());
        assert_eq!(under_each(&signed, &zone()), PASS, "{names}");
        let carried = String::from_utf8_lossy(&signed).replacen(from, to, 1);
        assert_eq!(under_each(carried.as_bytes(), &zone()), [expected; 3], "{names}: {to:?}");
    }
}

/// The order is that of the table, whichever stands where.
#[test]
fn the_first_of_several_is_always_the_same() {
    for [one, other] in [["MIME-Version", "Content-Type"], ["Content-Type", "MIME-Version"]] {
        let message = format!("From: joe@example.com\r\n{one}: 1\r\n{other}: 1\r\n\r\nHi.\r\n");
        let names = format!("from:{one}:{other}");
        let once = sign(&with_fields(&names), message.as_bytes());
        let twice = [format!("{other}: 2\r\n{one}: 2\r\n").as_bytes(), &once].concat();
        let found = verify_with(&Policy::strict(), &twice, &zone());
        let duplicate = Deviation::UnsignedDuplicate("Content-Type");
        assert_eq!(found[0].outcome, Outcome::Refused(duplicate));
    }
}
