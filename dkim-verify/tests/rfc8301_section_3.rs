//! RFC 8301 §3: SHA-1 and short RSA keys are refused, whatever the policy.
#![allow(clippy::unwrap_used)]

mod craft;

use craft::{MESSAGE, TEMPLATE, deviations, outcome, p, record, rsa_key, sign_with, verify_with};
use dkim_verify::Policy;

/// The base64 of a key that OpenSSL made, by its name.
fn key_of(name: &str) -> &'static str {
    let rows = include_str!("../../dkim-crypto/tests/keys/verify.txt").lines();
    let row = rows.map(|row| row.split(' ').collect::<Vec<_>>()).find(|row| row[0] == name);
    row.unwrap()[2]
}

/// §3.2, in exact bits. No policy allows less.
#[test]
fn keys_under_1024_bits_are_refused() {
    let template = TEMPLATE.replace("ed25519-sha256", "rsa-sha256");
    let message = sign_with(&*rsa_key(), &template, MESSAGE.as_bytes());
    let mut lowest = Policy::lenient();
    lowest.min_rsa_bits = 0;
    for policy in [Policy::rfc(), Policy::strict(), Policy::lenient(), lowest] {
        for (name, expected) in [
            ("rsa512-e65537", "policy key-weak"),
            ("rsa1023-e65537", "policy key-weak"),
            // Long enough, and not the one that signed.
            ("rsa1024-e65537", "fail signature-mismatch"),
            ("rsa4096-e65537", "fail signature-mismatch"),
        ] {
            let keys = record(&format!("v=DKIM1; p={}", key_of(name)));
            assert_eq!(outcome(&verify_with(&policy, &message, &keys)), expected, "{name}");
        }
        let own = record(&format!("v=DKIM1; p={}", p(&*rsa_key())));
        let found = verify_with(&policy, &message, &own);
        assert_eq!(outcome(&found), "pass ok");
        assert!(!deviations(&found).contains(&"short-key"));
    }
}

/// §3.1 lets every verifier verify rsa-sha256; RFC 8463 §5 adds ed25519-sha256.
#[test]
fn both_algorithms_of_today_verify() {
    for (key, name) in [(rsa_key(), "rsa"), (craft::key(), "ed25519")] {
        let template = TEMPLATE.replace("a=ed25519", &format!("a={name}"));
        let message = sign_with(&*key, &template, MESSAGE.as_bytes());
        let keys = record(&format!("v=DKIM1; k={name}; p={}", p(&*key)));
        assert_eq!(outcome(&verify_with(&Policy::rfc(), &message, &keys)), "pass ok", "{name}");
        let changed = String::from_utf8(message).unwrap().replace("dinner", "lunch");
        let found = verify_with(&Policy::rfc(), changed.as_bytes(), &keys);
        assert_eq!(outcome(&found), "fail signature-mismatch", "{name}");
    }
}
