//! RFC 6376 §6.1.2: which keys are used, and why the others are not.

mod craft;

use craft::{MESSAGE, TEMPLATE, deviations, key, outcome, p, record, rsa_key, sign, verify};
use dkim_dns::Zone;

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
    ] {
        assert_eq!(outcome(&verify(&message, &zone(records))), expected, "{records:?}");
    }
}

#[test]
fn what_is_odd_about_a_key_is_said() {
    let message = sign(TEMPLATE, MESSAGE.as_bytes());
    let found = verify(&message, &record(&format!("t=y; k=ed25519; p={}", p(&*key()))));
    assert_eq!(deviations(&found), ["key-without-version", "testing"]);
    assert!(found[0].is_testing());
    assert_eq!(deviations(&verify(&message, &craft::zone())), Vec::<&str>::new());
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
