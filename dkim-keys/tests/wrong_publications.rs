//! Each usual mistake in publishing a key is named by its own word, and nothing else is said.
#![allow(clippy::unwrap_used)]

mod made_up;

use std::time::Duration;

use dkim_crypto::ring::PROVIDER;
use dkim_crypto::{PrivateKey, PublicKey};
use dkim_dns::{
    Answer, Dnssec, Found, Inquirer, LookupError, Query, QueryKind, Record, Zone, drive_blocking,
};
use dkim_keyrec::KeyRecord;
use dkim_keys::{KeyPair, KeyTest, Severity, loop_back};
use dkim_tags::{DomainName, Selector, UnixTime};

const NAME: &str = "s._domainkey.example.com";

/// A record for the key that signs, with these tags before `p=`.
fn record(tags: &str) -> String {
    format!("{tags}p={}", base64_of(&signing()))
}

fn base64_of(key: &PublicKey) -> String {
    dkim_tags::value::to_base64(&key.to_p_tag())
}

fn signing() -> PublicKey {
    pair(7).public
}

fn pair(seed: u8) -> KeyPair {
    KeyPair::of(PrivateKey::from_ed25519_seed(&[seed; 32]), &PROVIDER).unwrap()
}

/// What stands in a key file between its first line and its last.
fn private_key() -> String {
    let pem = pair(7).private.to_pkcs8_pem();
    pem.lines().filter(|line| !line.starts_with('-')).collect()
}

fn rsa(bits: u32) -> String {
    KeyRecord::new(made_up::rsa(usize::try_from(bits / 8).unwrap())).to_text()
}

fn place() -> (Selector, DomainName) {
    (Selector::parse("s").unwrap(), DomainName::parse("example.com").unwrap())
}

fn codes(zone: &Zone, expected: Option<PublicKey>) -> Vec<&'static str> {
    let (selector, domain) = place();
    let mut test = KeyTest::new(&selector, &domain, expected);
    drive_blocking(&mut test, zone);
    test.finish().faults.iter().map(|fault| fault.code()).collect()
}

#[test]
fn a_right_one_has_no_fault() {
    let zone = Zone::new().txt(NAME, record("v=DKIM1; k=ed25519; "));
    assert_eq!(codes(&zone, Some(signing())), [""; 0]);
    let (selector, domain) = place();
    let key = dkim_crypto::Provider::signing_key(&PROVIDER, &pair(7).private).unwrap();
    let outcome =
        loop_back(&*key, (&selector, &domain), None, UnixTime(1), &PROVIDER, &zone).unwrap();
    assert_eq!(outcome.result().name(), "pass");
    let alias = Zone::new()
        .cname(NAME, "x.example.net")
        .txt("x.example.net", record("v=DKIM1; k=ed25519; "));
    assert_eq!(codes(&alias, Some(signing())), [""; 0]);
}

#[test]
fn each_mistake_has_its_name() {
    let txt = |text: &str| Zone::new().txt(NAME, text);
    let good = record("v=DKIM1; k=ed25519; ");
    let other = KeyRecord::new(pair(8).public).to_text();
    let long = Record { strings: vec![rsa(2048).as_bytes()[..255].to_vec()] };
    let spaced = good.replace("p=", "p= ").replacen("==", "", 0);
    let (front, back) = spaced.split_at(spaced.len() - 20);
    let cases: Vec<(Zone, &[&str])> = vec![
        (Zone::new(), &["no-record"]),
        (Zone::new().exists(NAME), &["no-txt"]),
        (Zone::new().txt("a.s._domainkey.example.com", "x"), &["no-txt"]),
        (txt(&good).txt(NAME, &other), &["several-records"]),
        (txt(&good).txt(NAME, "v=spf1 -all"), &["several-records"]),
        (txt(&format!("\"{good}\"")), &["quotes-inside"]),
        (txt(&good.replace("; ", "\" \"; ")), &["quotes-inside"]),
        (txt(&good.replace(';', "\\;")), &["escaped-semicolons"]),
        (txt(&format!("{front} {back}")), &["space-in-key"]),
        (Zone::new().txt(&format!("{NAME}.example.com"), &good), &["name-doubled"]),
        (Zone::new().cname(NAME, "gone.example.net"), &["dangling-alias"]),
        (Zone::new().cname(NAME, "x.example.net").exists("x.example.net"), &["dangling-alias"]),
        (Zone::new().cname(NAME, NAME), &["alias-loop"]),
        (txt(&good).txt("*._domainkey.example.com", "v=DKIM1; p="), &["wildcard"]),
        (txt(&record("v=DKIM1; t=y; k=ed25519; ")), &["testing"]),
        (txt(&record("v=DKIM1; h=sha1; k=ed25519; ")), &["no-sha256"]),
        (txt(&record("v=DKIM1; s=other; k=ed25519; ")), &["not-for-email"]),
        (txt(&record("v=DKIM1; g=; k=ed25519; ")), &["granularity"]),
        (txt(&record("v=DKIM1; g=*; k=ed25519; ")), &["granularity"]),
        (txt(&record("v=DKIM1; k=rsa; ")), &["wrong-key-type"]),
        (txt(&record("v=DKIM1; ")), &["wrong-key-type"]),
        (txt(&record("v=DKIM1; k=eddsa; ")), &["wrong-key-type"]),
        (txt(&record("k=ed25519; ")), &["no-version"]),
        (txt("v=DKIM1; k=ed25519; p="), &["revoked"]),
        (txt(&other), &["other-key"]),
        (txt(&format!("v=DKIM1; p={}", private_key())), &["private-key-published"]),
        (txt(&format!("v=DKIM1; k=ed25519; p={}", private_key())), &["private-key-published"]),
        (txt(&format!("\"v=DKIM1\\; p={}\"", private_key())), &["private-key-published"]),
        (
            txt("v=DKIM1; p=-----BEGIN PRIVATE KEY-----MC4C"),
            &["private-key-published", "space-in-key"],
        ),
        (txt("v=DKIM1; p=-----BEGIN PUBLIC KEY-----MC4C"), &["no-key-record", "space-in-key"]),
        (txt("v=spf1 -all"), &["no-key-record"]),
        (txt("v=DKIM1; k=ed25519"), &["no-key-record"]),
        (txt(&record("k=ed25519; v=DKIM1; ")), &["no-key-record"]),
        (Zone::new().record(NAME, long), &["cut-off"]),
        (Zone::new().fails(NAME), &["unanswered"]),
        (Zone::new().times_out(NAME), &["unanswered"]),
    ];
    for (zone, expected) in cases {
        assert_eq!(codes(&zone, Some(signing())), expected, "{zone:?}");
    }
}

#[test]
fn keys_are_held_against_what_may_verify() {
    for (bits, expected) in [
        (768, &["key-too-short"][..]),
        (1016, &["key-too-short"]),
        (1024, &["key-short"]),
        (2040, &["key-short"]),
        (2048, &[]),
        // Over the 512 octets of an answer by plain UDP.
        (3072, &["large-answer"]),
        (4096, &["large-answer"]),
    ] {
        assert_eq!(codes(&Zone::new().txt(NAME, rsa(bits)), None), expected, "{bits}");
    }
}

/// What only an answer tells, and not a zone.
#[test]
fn answers_are_looked_at_too() {
    let codes = |ttl, dnssec| {
        let (selector, domain) = place();
        let mut test = KeyTest::new(&selector, &domain, Some(signing()));
        for Query { id, kind, name } in test.queries() {
            let is_there = (kind, &*name) == (QueryKind::Txt, NAME);
            let strings = vec![record("v=DKIM1; k=ed25519; ").into_bytes()];
            let ttl = Duration::from_secs(ttl);
            let records = [Record { strings }].into();
            let answer: Answer = is_there
                .then(|| Found { records, dnssec, ttl, ..Found::default() })
                .ok_or(LookupError::NoSuchName);
            test.answer(id, answer);
        }
        test.finish().faults.iter().map(|fault| fault.code()).collect::<Vec<_>>()
    };
    assert_eq!(codes(86_400, Dnssec::Secure), [""; 0]);
    assert_eq!(codes(86_401, Dnssec::Insecure), ["long-ttl"]);
    assert_eq!(codes(60, Dnssec::Bogus), ["dnssec-bogus"]);

    // That nothing is there may be bogus as well.
    let (selector, domain) = place();
    let mut test = KeyTest::new(&selector, &domain, Some(signing()));
    for query in test.queries() {
        test.answer(query.id, Err(LookupError::Bogus));
    }
    let faults = test.finish().faults;
    assert_eq!(faults.iter().map(|fault| fault.code()).collect::<Vec<_>>(), ["dnssec-bogus"]);
    assert!(!faults[0].is_temporary());
}

/// Name servers answer SERVFAIL where aliases lead in a circle, and tell each alias for itself.
#[test]
fn a_circle_is_seen_where_servers_fail() {
    let codes = |circle: [&str; 2]| {
        let (selector, domain) = place();
        let mut test = KeyTest::new(&selector, &domain, None);
        loop {
            let queries = test.queries();
            if queries.is_empty() {
                break;
            }
            for Query { id, kind, name } in queries {
                let to = if name == NAME { circle[0] } else { circle[1] };
                let answer = match kind {
                    QueryKind::Cname => {
                        Ok(Found { chain: vec![to.to_owned()], ..Found::default() })
                    }
                    _ => Err(LookupError::Failed("SERVFAIL".to_owned())),
                };
                test.answer(id, answer);
            }
        }
        test.finish().faults.iter().map(|fault| fault.code()).collect::<Vec<_>>()
    };
    assert_eq!(codes([NAME, NAME]), ["alias-loop"]);
    assert_eq!(codes(["x.example.net", NAME]), ["alias-loop"]);
    assert_eq!(codes(["x.example.net", "x.example.net"]), ["alias-loop"]);
}

#[test]
fn nothing_answered_is_nothing_known() {
    let (selector, domain) = place();
    let tested = KeyTest::new(&selector, &domain, None).finish();
    assert!(tested.faults[0].is_temporary());
    assert_eq!(tested.faults[0].severity(), Severity::Error);
}

/// What is said of a fault names its subject, says what to do, and where that is written.
#[test]
fn findings_are_whole() {
    let zone = Zone::new().cname(NAME, "gone.example.net");
    let (selector, domain) = place();
    let mut test = KeyTest::new(&selector, &domain, None);
    drive_blocking(&mut test, &zone);
    let findings: Vec<_> = test.finish().findings().collect();
    let [finding] = &findings[..] else { panic!("{findings:?}") };
    assert_eq!(
        finding.to_string(),
        "s._domainkey.example.com: error: the name is an alias (CNAME) of gone.example.net, \
         where there is no TXT record"
    );
    assert!(finding.remedy.contains("CNAME") && finding.reference.starts_with("RFC "));
}
