//! RFC 6376 §6.1.2: which keys are used, and why the others are not.

mod craft;

use craft::{
    MESSAGE, TEMPLATE, deviations, key, outcome, p, record, rsa_key, sign, verify, verify_with,
};
use dkim_dns::Zone;
use dkim_verify::{Policy, Treatment, res_infos};

const NAME: &str = "sel._domainkey.example.com";

/// The outcome with these tags before the key of the signature.
fn with(tags: &str) -> String {
    let zone = record(&format!("{tags}k=ed25519; p={}", p(&*key())));
    outcome(&verify(&sign(TEMPLATE, MESSAGE.as_bytes()), &zone))
}

#[test]
fn terms_of_use() {
    for (tags, expected) in [
        ("v=DKIM1; ", "pass ok"),
        ("", "pass ok"),
        ("v=dkim1; ", "permerror key-version"),
        ("v=DKIM2; ", "permerror key-version"),
        ("n=x; v=DKIM1; ", "permerror key-syntax"),
        ("v=DKIM1; h=sha256; ", "pass ok"),
        ("v=DKIM1; h= sha1 : sha256; ", "pass ok"),
        ("v=DKIM1; h=sha1; ", "permerror key-hash"),
        ("v=DKIM1; h=; ", "permerror key-syntax"),
        ("v=DKIM1; s=email; ", "pass ok"),
        ("v=DKIM1; s=tlsrpt:email; ", "pass ok"),
        ("v=DKIM1; s=other; ", "permerror key-service"),
        ("v=DKIM1; t=y; ", "pass ok"),
        ("v=DKIM1; t=s; ", "pass ok"),
        ("v=DKIM1; g=; ", "pass ok"),
        ("g=; ", "pass ok"),
        ("v=DKIM1; g=other; ", "pass ok"),
        ("v=DKIM1; n=a; n=b; ", "permerror key-syntax"),
    ] {
        assert_eq!(with(tags), expected, "{tags}");
    }
}

#[test]
fn keys_that_do_not_serve() {
    let rsa = p(&*rsa_key());
    for (text, expected) in [
        ("v=DKIM1; k=ed25519; p=".to_owned(), "permerror key-revoked"),
        ("v=DKIM1; k=ed25519; p= ;".to_owned(), "permerror key-revoked"),
        ("v=DKIM1; k=ed25519".to_owned(), "permerror key-syntax"),
        ("v=DKIM1; k=ed25519; p=@@@@".to_owned(), "permerror key-syntax"),
        ("v=DKIM1; k=ed25519; p=AAAA".to_owned(), "permerror key-syntax"),
        ("v=DKIM1; k=new; p=AAAA".to_owned(), "permerror key-type"),
        (format!("v=DKIM1; k=rsa; p={rsa}"), "permerror key-type"),
        (format!("v=DKIM1; p={rsa}"), "permerror key-type"),
        (format!("v=DKIM1; p={}", p(&*key())), "permerror key-type"),
        ("v=spf1 -all".to_owned(), "permerror key-version"),
        ("hello world".to_owned(), "permerror key-syntax"),
        (format!("v=DKIM1; n={}; p=", "x".repeat(17_000)), "policy limit-key-record"),
    ] {
        let found = verify(&sign(TEMPLATE, MESSAGE.as_bytes()), &record(&text));
        assert_eq!(outcome(&found), expected, "{}", text.get(..40).unwrap_or(&text));
    }
}

/// An Ed25519 key under `a=rsa-sha256`: nothing is tried with it.
#[test]
fn a_key_of_another_type_is_not_tried() {
    let message = craft::sign_with(
        &*rsa_key(),
        &TEMPLATE.replace("ed25519-sha256", "rsa-sha256"),
        MESSAGE.as_bytes(),
    );
    let rsa = record(&format!("v=DKIM1; p={}", p(&*rsa_key())));
    assert_eq!(outcome(&verify(&message, &rsa)), "pass ok");
    assert_eq!(outcome(&verify(&message, &craft::zone())), "permerror key-type");
}

#[test]
fn a_strict_key_allows_no_subdomain() {
    let strict = record(&format!("v=DKIM1; t=y : s; k=ed25519; p={}", p(&*key())));
    for (tag, expected) in
        [("i=joe@EXAMPLE.com;", "pass ok"), ("i=@mail.example.com;", "permerror strict-domain")]
    {
        let message =
            sign(&TEMPLATE.replace("s=sel;", &format!("s=sel; {tag}")), MESSAGE.as_bytes());
        assert_eq!(outcome(&verify(&message, &strict)), expected, "{tag}");
    }
}

#[test]
fn answers_that_are_none() {
    let message = sign(TEMPLATE, MESSAGE.as_bytes());
    for (zone, expected) in [
        (Zone::new(), "permerror key-missing"),
        (Zone::new().exists(NAME), "permerror key-missing"),
        (Zone::new().fails(NAME), "temperror key-unavailable"),
        (Zone::new().times_out(NAME), "temperror key-unavailable"),
        (Zone::new().cname(NAME, "gone.example.net"), "permerror key-missing"),
        (Zone::new().cname(NAME, "a.example").cname("a.example", NAME), "policy limit-cname-hops"),
    ] {
        assert_eq!(outcome(&verify(&message, &zone)), expected, "{zone:?}");
    }
}

#[test]
fn several_records_are_tried_and_said() {
    let message = sign(TEMPLATE, MESSAGE.as_bytes());
    let good = format!("v=DKIM1; k=ed25519; p={}", p(&*key()));
    // RFC 8463 appendix A.2: a good key, and not the one that signed.
    let other = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
    let zone =
        |records: &[&str]| records.iter().fold(Zone::new(), |zone, record| zone.txt(NAME, record));
    for records in [
        &["v=spf1 -all", &good][..],
        &[&good, "v=spf1 -all"],
        &[other, &good],
        &["v=DKIM1; p=", &good],
        &["a", "b", "c", "d", other, &good],
    ] {
        let found = verify(&message, &zone(records));
        assert_eq!(outcome(&found), "pass ok", "{records:?}");
        assert!(deviations(&found).contains(&"several-key-records"));
    }
    for (records, expected) in [
        (
            &["v=DKIM1; p=", "v=DKIM1; n=1; p=", "v=DKIM1; n=2; p=", &good][..],
            "policy limit-key-records",
        ),
        (&["hello", "v=spf1 -all"], "permerror key-syntax"),
        (&["v=spf1 -all", "hello"], "permerror key-syntax"),
        (&["v=spf1 -all", "hello", "v=DKIM1; p="], "permerror key-revoked"),
        (&[other, "v=DKIM1; p="], "fail signature-mismatch"),
        // Of keys that do not suit, the first is told.
        (&["v=DKIM1; p=", "v=DKIM1; s=other; p="], "permerror key-revoked"),
        (&["v=DKIM1; s=other; p=", "v=DKIM1; p="], "permerror key-service"),
    ] {
        assert_eq!(outcome(&verify(&message, &zone(records))), expected, "{records:?}");
    }
}

/// RFC 6376 §6.1.2, step 4: "The order of the key records is unspecified." A record that was not
/// tried might have been the key, wherever it stands.
#[test]
fn a_record_too_long_to_be_tried_counts_as_untried_in_any_order() {
    let message = sign(TEMPLATE, MESSAGE.as_bytes());
    let good = format!("v=DKIM1; k=ed25519; p={}", p(&*key()));
    let too_long = format!("{good}; n={}", "x".repeat(17_000));
    let longer = format!("{too_long}x");
    // RFC 8463 appendix A.2: a good key, and not the one that signed.
    let other = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
    for (beside, expected) in [
        (&*good, "pass ok"),
        (other, "policy limit-key-records"),
        ("v=DKIM1; p=", "policy limit-key-records"),
        ("v=DKIM1; k=new; p=AAAA", "policy limit-key-records"),
        ("v=spf1 -all", "policy limit-key-records"),
        ("hello", "policy limit-key-records"),
        (&longer, "policy limit-key-records"),
    ] {
        for records in [[&too_long, beside], [beside, &too_long]] {
            let zone = records.iter().fold(Zone::new(), |zone, text| zone.txt(NAME, text));
            assert_eq!(
                outcome(&verify(&message, &zone)),
                expected,
                "{}",
                beside.get(..40).unwrap_or(beside)
            );
        }
    }
    // Alone it has a reason of its own, and what is wrong with the body is so under any key.
    assert_eq!(outcome(&verify(&message, &record(&too_long))), "policy limit-key-record");
    let zone = record(&too_long).txt(NAME, other);
    let changed = [&message[..], b"more\r\n"].concat();
    assert_eq!(outcome(&verify(&changed, &zone)), "fail body-hash-mismatch");
}

/// Of keys that are good and did not sign, the first is shown.
#[test]
fn the_key_that_is_shown_is_the_first() {
    let message = sign(TEMPLATE, MESSAGE.as_bytes());
    // RFC 8463 appendix A.2: a good key, and not the one that signed.
    let other = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
    for (first, second) in [("one", "two"), ("two", "one")] {
        let zone = [first, second]
            .iter()
            .fold(Zone::new(), |zone, notes| zone.txt(NAME, format!("{other}; n={notes}")));
        let found = verify(&message, &zone);
        assert_eq!(outcome(&found), "fail signature-mismatch");
        assert_eq!(found[0].key_record.as_ref().and_then(|record| record.notes()), Some(first));
    }
}

#[test]
fn what_is_odd_about_a_key_is_said() {
    let message = sign(TEMPLATE, MESSAGE.as_bytes());
    let found = verify(&message, &record(&format!("t=y; k=ed25519; p={}", p(&*key()))));
    assert_eq!(deviations(&found), ["key-without-version", "testing"]);
    assert!(found[0].is_testing());
    assert!(found[0].passes() && !found[0].counts());
    let right = verify(&message, &craft::zone());
    assert_eq!(deviations(&right), Vec::<&str>::new());
    assert!(right[0].counts());
    assert!(!verify(&[&message[..], b"More.\r\n"].concat(), &craft::zone())[0].counts());
}

/// Who reads the results alone must treat such mail as unsigned, too.
#[test]
fn testing_is_said_in_the_results() {
    let message = sign(TEMPLATE, MESSAGE.as_bytes());
    let testing = record(&format!("v=DKIM1; t=y; k=ed25519; p={}", p(&*key())));
    let said = |message: &[u8], zone: &Zone| {
        let info = res_infos(&verify(message, zone)).remove(0);
        (info.result, info.reason)
    };
    let is_test = || Some("the domain is testing DKIM (t=y)".to_owned());
    assert_eq!(said(&message, &testing), ("pass".to_owned(), is_test()));
    assert_eq!(said(&message, &craft::zone()), ("pass".to_owned(), None));
    let (result, reason) = said(&[&message[..], b"More.\r\n"].concat(), &testing);
    assert_eq!(result, "fail");
    assert!(reason.is_some_and(|said| said.ends_with(", the domain is testing DKIM (t=y)")));
    let mut border = Policy::border();
    let info = res_infos(&verify_with(&border, &message, &testing)).remove(0);
    assert_eq!((info.result.as_str(), info.reason), ("policy", is_test()));
    border.testing = Treatment::Accept;
    assert_eq!(border, Policy::strict());
}

/// RFC 6376 §3.6.1 `t=y` holds "even should the signature fail to verify".
#[test]
fn testing_is_said_of_keys_that_do_not_serve() {
    let message = sign(TEMPLATE, MESSAGE.as_bytes());
    for tags in ["p=", "h=sha1; p=AAAA", "s=tlsrpt; p="] {
        let found = verify(&message, &record(&format!("v=DKIM1; t=y; k=ed25519; {tags}")));
        assert_eq!(found[0].is_testing(), !tags.contains("AAAA"), "{tags}: {found:?}");
    }
}

/// Terms that published records have, in every spelling (RFC 6376 §3.6.1).
#[test]
fn terms_in_every_spelling() {
    for (tags, expected) in [
        // `v=` is first and `DKIM1`, or it is not there.
        (" v=DKIM1; ", "pass ok"),
        ("v = DKIM1 ; ", "pass ok"),
        ("v=DKIM1;", "pass ok"),
        ("v=DKIM1 ;\r\n ", "pass ok"),
        ("V=DKIM1; ", "pass ok"),
        ("v=DKIM 1; ", "permerror key-version"),
        ("v=\"DKIM1\"; ", "permerror key-version"),
        ("v=DKIM1.0; ", "permerror key-version"),
        ("v=1; ", "permerror key-version"),
        ("v=; ", "permerror key-version"),
        ("v=DKIM1, ", "permerror key-version"),
        ("; v=DKIM1; ", "permerror key-syntax"),
        ("v=DKIM1;; ", "permerror key-syntax"),
        ("\"v=DKIM1; ", "permerror key-syntax"),
        ("v:DKIM1; ", "permerror key-syntax"),
        ("v=DKIM1; v=DKIM1; ", "permerror key-syntax"),
        ("g=*; v=DKIM1; ", "permerror key-syntax"),
        ("h=sha256; v=DKIM2; ", "permerror key-syntax"),
        // `h=` lists the hash, or is not there.
        ("h=sha256:sha1; ", "pass ok"),
        ("h=\r\n sha1\t:\r\n sha256 ; ", "pass ok"),
        ("h=sha512:sha256; ", "pass ok"),
        ("h=SHA256; ", "permerror key-hash"),
        ("h=sha-256; ", "permerror key-hash"),
        ("h=sha1 : sha512; ", "permerror key-hash"),
        ("h= ; ", "permerror key-syntax"),
        ("h=sha256:; ", "permerror key-syntax"),
        ("h=:sha256; ", "permerror key-syntax"),
        ("h=sha256,sha1; ", "permerror key-syntax"),
        ("h=sha1 sha256; ", "permerror key-syntax"),
        // `s=` lists email or everything, or is not there.
        ("s=*; ", "pass ok"),
        ("s= * : x; ", "pass ok"),
        ("s= tlsrpt : email ; ", "pass ok"),
        ("s=EMAIL; ", "permerror key-service"),
        ("s=tlsrpt; ", "permerror key-service"),
        ("s=emails:e-mail; ", "permerror key-service"),
        ("s=; ", "permerror key-syntax"),
        ("s=email:; ", "permerror key-syntax"),
        ("s=email,*; ", "permerror key-syntax"),
        ("t=; ", "permerror key-syntax"),
        // Unknown flags are ignored.
        ("t=x:yy:future-flag; ", "pass ok"),
        ("t= y : s ; ", "pass ok"),
        ("t=y,s; ", "permerror key-syntax"),
        ("t=y s; ", "permerror key-syntax"),
        // RFC 6376 Appendix C.2: `g=` is ignored, whatever it says. RFC 5863 A.1.2.3: an empty one
        // without `v=` as well.
        ("v=DKIM1; g=*; ", "pass ok"),
        ("v=DKIM1; g= ; ", "pass ok"),
        ("v=DKIM1; g=joe; ", "pass ok"),
        ("v=DKIM1; g=joe*doe; ", "pass ok"),
        ("v=DKIM1; g=*@example.org; ", "pass ok"),
        ("g=*; ", "pass ok"),
        ("g=eve; ", "pass ok"),
        ("g=\r\n ; ", "pass ok"),
        // Unknown tags, and text for people.
        ("v=DKIM1; n=a b=20c, p=AAAA k=rsa; ", "pass ok"),
        ("v=DKIM1; n=; ", "pass ok"),
        ("v=DKIM1; x_9=1; P=AAAA; K=rsa; ", "pass ok"),
        ("v=DKIM1; x-9=1; ", "permerror key-syntax"),
        ("v=DKIM1; n=a\\; ", "pass ok"),
        ("v=DKIM1; n=caf\u{e9}; ", "permerror key-syntax"),
        ("v=DKIM1; n=a\0b; ", "permerror key-syntax"),
        ("v=DKIM1; n=a\x07b; ", "permerror key-syntax"),
    ] {
        assert_eq!(with(tags), expected, "{tags}");
    }
}

/// What stands behind `p=`.
#[test]
fn the_key_in_every_spelling() {
    let rsa_message = craft::sign_with(
        &*rsa_key(),
        &TEMPLATE.replace("ed25519-sha256", "rsa-sha256"),
        MESSAGE.as_bytes(),
    );
    let ed_message = sign(TEMPLATE, MESSAGE.as_bytes());
    let base64 = dkim_tags::value::to_base64;
    let (rsa, ed) = (p(&*rsa_key()), p(&*key()));
    let bare = base64(&rsa_key().public_key().to_bare());
    let point = key().public_key().to_p_tag();
    let wrapped =
        [&[0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00], &point[..]];
    let spaced = |p: &str, with: &str| p.replacen("", with, p.len() + 1);
    let cut = |p: &str, octets: usize| p.chars().take(octets).collect::<String>();
    for (message, text, expected) in [
        // SubjectPublicKeyInfo and RSAPublicKey (erratum 3017).
        (&rsa_message, format!("p={rsa}"), "pass ok"),
        (&rsa_message, format!("k=rsa; p={bare}"), "pass ok"),
        (&rsa_message, format!("k = rsa ; p={};", spaced(&rsa, " ")), "pass ok"),
        (&rsa_message, format!("p={}", spaced(&bare, "\r\n\t")), "pass ok"),
        (&rsa_message, format!("p={rsa}A"), "permerror key-syntax"),
        (&rsa_message, format!("p={}", cut(&rsa, 200)), "permerror key-syntax"),
        (&rsa_message, format!("p={}", rsa.replacen('A', "-", 1)), "permerror key-syntax"),
        (&rsa_message, format!("p={}", rsa.replacen('A', "\\", 1)), "permerror key-syntax"),
        (&rsa_message, format!("p=\"{rsa}\""), "permerror key-syntax"),
        (&rsa_message, format!("p={rsa}\u{a0}"), "permerror key-syntax"),
        (&rsa_message, format!("p={rsa}\0"), "permerror key-syntax"),
        (&rsa_message, format!("p={rsa}p={rsa}"), "permerror key-syntax"),
        (&rsa_message, format!("p=-----BEGIN PUBLIC KEY-----{rsa}"), "permerror key-syntax"),
        (&rsa_message, format!("k=rsa; p={ed}"), "permerror key-syntax"),
        (&rsa_message, format!("k=RSA; p={rsa}"), "permerror key-type"),
        (&rsa_message, format!("k=rsa-sha256; p={rsa}"), "permerror key-type"),
        (&rsa_message, format!("k=; p={rsa}"), "permerror key-syntax"),
        (&rsa_message, format!("k=rsa:ed25519; p={rsa}"), "permerror key-syntax"),
        // A key that is right, of the type that the signature is not.
        (&rsa_message, format!("k=ed25519; p={ed}"), "permerror key-type"),
        (&rsa_message, format!("k=ed25519; p={rsa}"), "permerror key-type"),
        (&ed_message, format!("k=rsa; p={rsa}"), "permerror key-type"),
        (&ed_message, format!("k=rsa; p={ed}"), "permerror key-type"),
        // RFC 8463 §4: 32 octets, in nothing.
        (&ed_message, format!("k=ed25519; p={ed}"), "pass ok"),
        (&ed_message, format!("k=ed25519; p={}", spaced(&ed, " ")), "pass ok"),
        (
            &ed_message,
            format!("k=ed25519; p={}", base64(&wrapped.concat())),
            "permerror key-syntax",
        ),
        (&ed_message, format!("k=ed25519; p={}", base64(&point[..31])), "permerror key-syntax"),
        (
            &ed_message,
            format!("k=ed25519; p={}", base64(&[&point[..], &[0]].concat())),
            "permerror key-syntax",
        ),
        (&ed_message, format!("k=ed25519; p={}", ed.trim_end_matches('=')), "permerror key-syntax"),
        (&ed_message, format!("k=ed25519; p={rsa}"), "permerror key-syntax"),
        (&ed_message, format!("k=Ed25519; p={ed}"), "permerror key-type"),
        // Revoked.
        (&ed_message, "k=ed25519; p=".to_owned(), "permerror key-revoked"),
        (&ed_message, "k=ed25519; p=\r\n \t;".to_owned(), "permerror key-revoked"),
        (&rsa_message, "p=;".to_owned(), "permerror key-revoked"),
        (&ed_message, "p=;".to_owned(), "permerror key-revoked"),
    ] {
        let found = verify(message, &record(&format!("v=DKIM1; {text}")));
        assert_eq!(outcome(&found), expected, "{text}");
    }
}

/// RFC 6376 §3.6.2.2: strings are put together with nothing between them, wherever they are cut.
#[test]
fn strings_are_put_together() {
    let message = sign(TEMPLATE, MESSAGE.as_bytes());
    let text = format!("v=DKIM1; k=ed25519; p={}", p(&*key())).into_bytes();
    for size in [1, 2, 3, 10, 255] {
        let strings: Vec<Vec<u8>> = text.chunks(size).map(<[u8]>::to_vec).collect();
        let with_empty = strings.iter().flat_map(|string| [vec![], string.clone()]).collect();
        for strings in [strings.clone(), with_empty] {
            let zone = Zone::new().record(NAME, dkim_dns::Record { strings });
            assert_eq!(outcome(&verify(&message, &zone)), "pass ok", "{size}");
        }
        // Two records are not two strings.
        let zone = strings.iter().fold(Zone::new(), |zone, string| zone.txt(NAME, string));
        assert_eq!(outcome(&verify(&message, &zone)) == "pass ok", size == 255, "{size}");
    }
    let alias = Zone::new().cname(NAME, "k.example.net").txt("k.example.net", text);
    assert_eq!(outcome(&verify(&message, &alias)), "pass ok");
}

/// What a key says of itself changes no verdict but is told (RFC 6376 §3.6.1 `t=y`).
#[test]
fn a_key_in_test_changes_no_verdict() {
    let good = sign(TEMPLATE, MESSAGE.as_bytes());
    let changed = [&good[..], b"more\r\n"].concat();
    let other = String::from_utf8_lossy(&good).replace("Is dinner", "Was dinner").into_bytes();
    let zone = record(&format!("v=DKIM1; t=s:y; k=ed25519; p={}", p(&*key())));
    for (message, expected) in [
        (good, "pass ok"),
        (changed, "fail body-hash-mismatch"),
        (other, "fail signature-mismatch"),
    ] {
        assert_eq!(craft::under_each(&message, &zone), [expected; 3]);
        assert_eq!(deviations(&verify(&message, &zone)), ["testing"], "{expected}");
    }
}
