//! RFC 6376 §3.6: what a key record says, and where it stands.
#![allow(clippy::unwrap_used, missing_docs)]

use dkim_crypto::{HashAlgorithm, KeyType};
use dkim_keyrec::{KeyRecord, KeyRecordError, record_name};
use dkim_tags::{DomainName, Selector};

/// RFC 8463 appendix A.2: RSA, 1024 bits.
const RSA: &str = "p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy\
                   5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3\
                   rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB";

#[test]
fn the_name_is_selector_domainkey_domain() {
    for (selector, domain, name) in [
        ("foo.bar", "example.com", "foo.bar._domainkey.example.com"),
        ("S1", "Mail.Example.COM", "s1._domainkey.mail.example.com"),
        ("\u{fc}", "b\u{fc}cher.example", "xn--tda._domainkey.xn--bcher-kva.example"),
    ] {
        let selector = Selector::parse(selector).unwrap();
        assert_eq!(record_name(&selector, &DomainName::parse(domain).unwrap()), name);
    }
}

#[test]
fn absent_tags_have_their_defaults() {
    let record = KeyRecord::parse(RSA.as_bytes()).unwrap();
    assert_eq!(record.key_type, KeyType::Rsa);
    assert_eq!(record.key.as_ref().unwrap().bits(), 1024);
    assert!(record.allows_hash(HashAlgorithm::Sha256) && record.allows_email());
    assert!(!record.is_testing() && !record.is_strict());
    let explicit = format!("v=DKIM1; k=rsa; h=sha1:sha256; s=*; {RSA}");
    assert_eq!(KeyRecord::parse(explicit.as_bytes()).unwrap().key, record.key);
}

#[test]
fn unknown_tags_and_words_are_ignored() {
    let text = format!("v=DKIM1; zz=1; h=md9:sha256; s=fax:email; t=zz:s; N=x; {RSA}");
    let record = KeyRecord::parse(text.as_bytes()).unwrap();
    assert!(record.allows_hash(HashAlgorithm::Sha256) && !record.allows_hash(HashAlgorithm::Sha1));
    assert!(record.allows_email() && record.is_strict() && !record.is_testing());
    assert_eq!(record.notes(), None);
    let unknown = KeyRecord::parse(format!("v=DKIM1; k=new; {RSA}").as_bytes());
    assert_eq!(unknown, Err(KeyRecordError::UnknownKeyType("new".to_owned())));
}

#[test]
fn a_new_record_says_its_version_first() {
    let key = KeyRecord::parse(RSA.as_bytes()).unwrap().key.unwrap();
    assert_eq!(KeyRecord::new(key).to_text(), format!("v=DKIM1; k=rsa; {RSA}"));
}
