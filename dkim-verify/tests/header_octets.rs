//! The octets of the header: what RFC 5322 does not allow is never repaired (RFC 6376 §3.8), and
//! what it allows passes, however odd.

mod craft;

use craft::{MESSAGE, TEMPLATE, deviations, outcome, sign, under_each, verify_with, zone};
use dkim_crypto::ring::PROVIDER;
use dkim_dns::drive_blocking;
use dkim_message::HeaderBuf;
use dkim_verify::{Policy, Verifier};

const PASS: [&str; 3] = ["pass ok"; 3];
const MALFORMED: [&str; 3] =
    ["permerror malformed-header", "permerror malformed-header", "pass ok"];

const FORMS: [&str; 4] = ["simple/simple", "simple/relaxed", "relaxed/simple", "relaxed/relaxed"];

/// A message with one field more, which is signed or is not.
fn with_field(form: &str, field: &[u8], signed: bool) -> Vec<u8> {
    let names = if signed { "from:to:subject:x-odd" } else { "from:to:subject" };
    let template = craft::with_forms(form).replace("from:to:subject", names);
    sign(&template, &[field, MESSAGE.as_bytes()].concat())
}

/// Signed or not, at the top or in the midst: the header is not one.
#[test]
fn a_malformed_header_has_no_valid_signature() {
    for field in [
        &b"X-Odd: a\rb\r\n"[..],
        b"X-Odd: a\r\r\n",
        b"X-Odd: \r\r\n b\r\n",
        b"X-Odd: a\nX-Other: b\r\n",
        b"X-Odd: a\n b\r\n",
        b"X-Odd: a\0b\r\n",
        b"X-Odd:\0\r\n",
        b"X-Odd: a\r\nno colon here\r\n",
        b"X-Odd: a\r\nX Y: name with a space\r\n",
        b"X-Odd: a\r\n: no name\r\n",
        b"X-Odd: a\r\nFr\xc3\xb6m: b\r\n",
        b"X-Odd: a\r\n\x0b: b\r\n",
    ] {
        for form in FORMS {
            for signed in [true, false] {
                let message = with_field(form, field, signed);
                let shown = String::from_utf8_lossy(field);
                assert_eq!(under_each(&message, &zone()), MALFORMED, "{shown:?} {form} {signed}");
                let found = verify_with(&Policy::lenient(), &message, &zone());
                assert_eq!(deviations(&found), ["malformed-header"], "{shown:?}");
            }
        }
    }
}

/// What stands on top counts as well, and every signature is told so, readable or not.
#[test]
fn every_signature_of_a_malformed_header_is_permerror() {
    let good = sign(TEMPLATE, MESSAGE.as_bytes());
    let two = sign(TEMPLATE, &good);
    for top in [&b" continues nothing\r\n"[..], b"From eve Sat Jan 1 00:00:00 2000\r\n", b"\0:\r\n"]
    {
        let unreadable = [top, b"DKIM-Signature: rubbish\r\n", &two].concat();
        for policy in [Policy::rfc(), Policy::strict()] {
            let found = verify_with(&policy, &unreadable, &zone());
            let reasons: Vec<_> = found.iter().map(|one| one.outcome.reason().code()).collect();
            assert_eq!(reasons, ["malformed-header"; 3]);
            let said = found[1].claims().sdid.as_ref().map(ToString::to_string);
            assert_eq!(said.as_deref(), Some("example.com"));
        }
        let found = verify_with(&Policy::lenient(), &unreadable, &zone());
        let reasons: Vec<_> = found.iter().map(|one| one.outcome.reason().code()).collect();
        assert_eq!(reasons, ["syntax", "ok", "ok"]);
    }
}

/// An octet put into a signed field on the way: detected under every policy.
#[test]
fn nothing_put_into_a_signed_field_passes() {
    for form in FORMS {
        let message = sign(&craft::with_forms(form), MESSAGE.as_bytes());
        let at = message.windows(6).position(|octets| octets == b"dinner").unwrap_or_default();
        for octets in [&b"\r"[..], b"\n", b"\0", b"\r\r\n ", b"\x0c", b"\x0b", b"\xa0", b"x"] {
            let mut changed = message.clone();
            changed.splice(at..at, octets.iter().copied());
            for outcome in under_each(&changed, &zone()) {
                assert_ne!(outcome, "pass ok", "{octets:?} {form}");
            }
        }
    }
}

/// The blank line that ends the header may be the first thing that lacks its CR.
#[test]
fn the_empty_line_is_a_line_too() {
    let message = sign(TEMPLATE, MESSAGE.as_bytes());
    let text = String::from_utf8_lossy(&message).replace("\r\n\r\nHi", "\r\n\nHi");
    assert_eq!(under_each(text.as_bytes(), &zone()), MALFORMED);
    // A CR more belongs to no line end, and so the header goes on.
    let text = String::from_utf8_lossy(&message).replace("\r\n\r\nHi", "\r\n\r\r\nHi");
    for outcome in under_each(text.as_bytes(), &zone()) {
        assert_ne!(outcome, "pass ok");
    }
}

#[test]
fn what_the_grammar_allows_passes() {
    for field in [
        &b"X-Odd:\r\n"[..],
        b"X-Odd: \r\n",
        b"X-Odd :a\r\n",
        b"X-Odd \t : a\r\n",
        b"X-Odd:\r\n a\r\n",
        b"X-Odd:\r\n \r\n\t\r\n a\r\n",
        b"X-Odd: a\r\n \t\r\n b\r\n",
        b"X-Odd: a\r\n \t\r\n",
        b"X-Odd: a:b::\r\n",
        b"X-Odd: Gr\xfc\xdfe \xe2\x82\xac \xff\r\n",
        b"X-Odd: a\x01\x0b\x0c\x7f\r\n",
        b"x-oDD:a\r\n",
        b"X-Odd: one\r\nX-Odd: two\r\n",
        b"!\"#$%&'()*+,-./09;<=>?@AZ[\\]^_`az{|}~: a\r\n",
    ] {
        for form in FORMS {
            for signed in [true, false] {
                let message = with_field(form, field, signed);
                let shown = String::from_utf8_lossy(field);
                assert_eq!(under_each(&message, &zone()), PASS, "{shown:?} {form} {signed}");
            }
        }
    }
    let long = [b"X-Odd: ", "a".repeat(100_000).as_bytes(), b"\r\n"].concat();
    assert_eq!(under_each(&with_field("simple/simple", &long, true), &zone()), PASS);
}

/// RFC 6376 §3.4.2: what `relaxed` takes for the same, and `simple` does not.
#[test]
fn relaxed_sees_through_folds_and_case_and_simple_does_not() {
    for (signed, received) in [
        ("Subject: Is dinner ready?", "SUBJECT:Is dinner ready?"),
        ("Subject: Is dinner ready?", "Subject :  Is \t dinner\r\n ready?"),
        ("Subject: Is dinner ready?", "Subject:\r\n Is dinner ready?"),
        ("Subject: Is dinner ready?", "Subject: Is\r\n \r\n\t\r\n dinner ready? \r\n\t"),
        ("Subject:\r\n \r\n Is dinner", "Subject: Is dinner"),
        ("Subject: \t", "Subject:"),
        ("Subject:\r\n ", "subject\t:"),
    ] {
        let sent = MESSAGE.replace("Subject: Is dinner ready?", signed);
        for (form, expected) in
            [("relaxed/simple", "pass ok"), ("simple/simple", "fail signature-mismatch")]
        {
            let message = sign(&craft::with_forms(form), sent.as_bytes());
            let text = String::from_utf8_lossy(&message);
            assert!(text.contains(signed));
            let carried = text.replace(signed, received);
            let outcomes = under_each(carried.as_bytes(), &zone());
            assert_eq!(outcomes, [expected; 3], "{received:?} {form}");
        }
    }
    // White space is SP and TAB, and no more.
    for blank in ["\x0b", "\x0c", "\u{a0}", "\u{2003}"] {
        let message = sign(TEMPLATE, MESSAGE.as_bytes());
        let carried =
            String::from_utf8_lossy(&message).replace("dinner ", &format!("dinner {blank}"));
        let outcomes = under_each(carried.as_bytes(), &zone());
        assert_eq!(outcomes, ["fail signature-mismatch"; 3], "{blank:?}");
    }
    // A field name is not its body.
    let message = sign(TEMPLATE, MESSAGE.as_bytes());
    let carried = String::from_utf8_lossy(&message).replace("Is dinner", "IS dinner");
    assert_eq!(under_each(carried.as_bytes(), &zone()), ["fail signature-mismatch"; 3]);
}

#[test]
fn a_header_without_empty_line_has_an_empty_body() {
    for ending in ["", "\r\n"] {
        let header = "From: joe@example.com\r\nSubject: a\r\n";
        for forms in FORMS {
            let message = sign(&craft::with_forms(forms), format!("{header}{ending}").as_bytes());
            assert_eq!(under_each(&message, &zone()), PASS, "{forms}");
            // With an empty line or without, it is the same message; with a body it is not.
            let other = [&message[..message.len() - ending.len()], b"\r\n"].concat();
            assert_eq!(under_each(&other, &zone()), PASS, "{forms}");
            let body = [&other[..], b"Hi.\r\n"].concat();
            assert_eq!(under_each(&body, &zone()), ["fail body-hash-mismatch"; 3], "{forms}");
        }
    }
    // The last field may lack its line end; it is the same field.
    let message = sign(TEMPLATE, b"Subject: a\r\nFrom: joe@example.com");
    assert_eq!(under_each(&message, &zone()), PASS);
}

/// As a mail filter hands them over: field by field.
#[test]
fn fields_that_come_one_by_one_are_judged_alike() {
    let under = |fields: &HeaderBuf, policy: &Policy| {
        let mut verifier = Verifier::new(&fields.header(), policy, craft::NOW, &PROVIDER);
        drive_blocking(&mut verifier, &zone());
        verifier.body_chunk(b"Hi.\r\n\r\nWe lost the game.\r\n");
        outcome(&verifier.finish())
    };
    let message = sign(TEMPLATE, MESSAGE.as_bytes());
    let (header, _) = dkim_message::split(&message);
    for (name, body, expected) in [
        (&b"X-Odd"[..], &b" a\n b"[..], "pass ok"),
        (b"X-Odd", b" a\r\n b", "pass ok"),
        (b"X-Odd", b"", "pass ok"),
        (b"X-Odd", b" a\nTo: eve@example.org", "permerror malformed-header"),
        (b"X-Odd", b" a\r\n", "permerror malformed-header"),
        (b"X-Odd", b" a\n\nbody", "permerror malformed-header"),
        (b"X-Odd", b" a\rb", "permerror malformed-header"),
        (b"X-Odd", b" a\0b", "permerror malformed-header"),
        (b"X Odd", b" a", "permerror malformed-header"),
        (b"", b" a", "permerror malformed-header"),
        (b"X\r\nFrom", b" eve@example.org", "permerror malformed-header"),
        (b"From", b" eve@example.org", "policy multiple-from"),
    ] {
        let mut fields = HeaderBuf::new();
        fields.push(name, body);
        for field in header.fields().iter() {
            fields.push(field.raw_name(), field.body());
        }
        let shown = String::from_utf8_lossy(body);
        assert_eq!(under(&fields, &Policy::rfc()), expected, "{shown:?}");
        assert_eq!(under(&fields, &Policy::lenient()), "pass ok", "{shown:?}");
    }
}
