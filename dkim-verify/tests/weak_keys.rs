//! Keys under which a signature is right and proves nothing (RFC 8301, RFC 8017 §3.1, RFC 8032).
#![allow(clippy::unwrap_used)]

mod craft;

use std::sync::Arc;

use craft::{MESSAGE, TEMPLATE, deviations, outcome, record, sign_with, under_each, verify_with};
use dkim_crypto::ring::PROVIDER;
use dkim_crypto::{
    HashAlgorithm, KeyType, Provider, PublicKey, SignError, SigningAlgorithm, SigningKey,
};
use dkim_dns::Zone;
use dkim_tags::value::to_base64;
use dkim_verify::{Policy, Reason, Treatment};

/// A message and its zone out of `weak_keys/signatures.txt`.
fn signed(bits: &str, algorithm: &str) -> (Vec<u8>, Zone) {
    let rows = include_str!("weak_keys/signatures.txt").lines().map(|row| row.split(' ').collect());
    let rows: Vec<Vec<&str>> = rows.collect();
    let row = rows.iter().find(|row| row.starts_with(&[bits, algorithm])).unwrap();
    let [_, a, p, bh, b] = row[..] else { panic!("five columns: {row:?}") };
    let message = format!(
        "DKIM-Signature: v=1; a={a}; c=relaxed/relaxed; d=example.com; s=sel; h=from; bh={bh}; \
         b={b}\r\nFrom: joe@example.com\r\n\r\nHi.\r\n"
    );
    (message.into_bytes(), record(&format!("v=DKIM1; p={p}")))
}

/// RFC 8301 §3.2: "Verifiers MUST NOT consider signatures using RSA keys of less than 1024 bits as
/// valid signatures." Bits, not octets.
#[test]
fn rsa_keys_have_1024_bits() {
    for (bits, expected, said) in [
        ("512", "policy key-weak", &["short-key"][..]),
        ("1023", "policy key-weak", &["short-key"]),
        ("1024", "pass ok", &["short-key"]),
        ("2047", "pass ok", &["short-key"]),
        ("2048", "pass ok", &[]),
    ] {
        let (message, zone) = signed(bits, "rsa-sha256");
        assert_eq!(under_each(&message, &zone), [expected; 3], "{bits}");
        assert_eq!(deviations(&verify_with(&Policy::rfc(), &message, &zone)), said, "{bits}");
    }
}

#[test]
fn the_minimum_may_be_raised_and_not_lowered() {
    let mut policy = Policy::lenient();
    for (minimum, bits, expected, said) in [
        (2048, "2047", "policy short-key", &["short-key"][..]),
        (2048, "2048", "pass ok", &[]),
        (2049, "2048", "policy short-key", &["short-key"]),
        (0, "1023", "policy key-weak", &["short-key"]),
        (0, "1024", "pass ok", &["short-key"]),
    ] {
        policy.min_rsa_bits = minimum;
        let (message, zone) = signed(bits, "rsa-sha256");
        let found = verify_with(&policy, &message, &zone);
        assert_eq!(outcome(&found), expected, "{minimum} {bits}");
        assert_eq!(deviations(&found), said, "{minimum} {bits}");
    }
    // 2048 bits are told to be enough by no word of that reason.
    let reason = Reason::ShortKey;
    assert!([reason.cause(), reason.remedy()].iter().all(|words| words.contains("the policy")));
}

/// What stands beside a weak key and was not tried might have been the key.
#[test]
fn a_weak_key_does_not_speak_for_one_that_was_not_tried() {
    let (message, weak) = signed("1023", "rsa-sha256");
    let too_long = format!("v=DKIM1; n={}; p=", "x".repeat(17_000));
    let zone = weak.txt("sel._domainkey.example.com", too_long);
    let mut policy = Policy::rfc();
    for minimum in [0, 1024] {
        policy.min_rsa_bits = minimum;
        let found = verify_with(&policy, &message, &zone);
        assert_eq!(outcome(&found), "policy limit-key-records", "{minimum}");
    }
}

/// RFC 8301 §3.1: `rsa-sha1` "MUST NOT be used for signing or verifying".
#[test]
fn sha1_never_passes_unasked() {
    let (message, zone) = signed("2048", "rsa-sha1");
    assert_eq!(under_each(&message, &zone), ["policy weak-algorithm"; 3]);
    let mut policy = Policy::rfc();
    policy.sha1 = Treatment::Accept;
    let found = verify_with(&policy, &message, &zone);
    assert_eq!((outcome(&found).as_str(), deviations(&found)), ("pass ok", vec!["weak-algorithm"]));
    // The other rules hold beside it.
    let (message, zone) = signed("1024", "rsa-sha1");
    policy.min_rsa_bits = 2048;
    assert_eq!(outcome(&verify_with(&policy, &message, &zone)), "policy short-key");
}

/// A signature said to be of the other hash is none.
#[test]
fn the_hash_is_the_one_named() {
    let mut policy = Policy::rfc();
    policy.sha1 = Treatment::Accept;
    for (from, to) in [("rsa-sha1", "rsa-sha256"), ("rsa-sha256", "rsa-sha1")] {
        let (message, zone) = signed("2048", from);
        let message = String::from_utf8(message).unwrap().replace(from, to);
        let found = verify_with(&policy, message.as_bytes(), &zone);
        assert_eq!(outcome(&found), "fail body-hash-mismatch", "{to}");
    }
}

/// A signature by somebody who has no private key.
struct Forger {
    forge: fn(&[u8]) -> Vec<u8>,
    public: PublicKey,
}

impl SigningKey for Forger {
    fn algorithm(&self) -> SigningAlgorithm {
        SigningAlgorithm::RSA_SHA256
    }

    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        Ok((self.forge)(message))
    }
}

fn forger(forge: fn(&[u8]) -> Vec<u8>) -> Forger {
    let any = craft::key();
    Forger { forge, public: any.public_key().clone() }
}

/// EMSA-PKCS1-v1_5 of a message for a modulus of 256 octets (RFC 8017 §9.2): with the exponent 1
/// it is its own signature.
fn padded(message: &[u8]) -> Vec<u8> {
    let mut digest = PROVIDER.digest(HashAlgorithm::Sha256).unwrap();
    digest.update(message);
    let info = [
        0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01,
        0x05, 0x00, 0x04, 0x20,
    ];
    [&[0, 1][..], &[0xff; 202], &[0], &info, digest.finish().as_bytes()].concat()
}

fn der(tag: u8, contents: &[u8]) -> Vec<u8> {
    let [high, low] = u16::try_from(contents.len()).unwrap().to_be_bytes();
    let length = match contents.len() {
        0..=0x7f => vec![low],
        0x80..=0xff => vec![0x81, low],
        _ => vec![0x82, high, low],
    };
    [&[tag][..], &length, contents].concat()
}

/// A record with an RSA key of these integers.
fn rsa(modulus: &[u8], exponent: &[u8]) -> Zone {
    let key = der(0x30, &[der(2, modulus), der(2, exponent)].concat());
    record(&format!("v=DKIM1; p={}", to_base64(&key)))
}

#[test]
fn with_the_exponent_1_anyone_can_sign() {
    let template = TEMPLATE.replace("ed25519-sha256", "rsa-sha256");
    let message = sign_with(&forger(padded), &template, MESSAGE.as_bytes());
    let modulus = [&[0][..], &[0xff; 256]].concat();
    for exponent in [&[1][..], &[0], &[2], &[1, 0, 0], &[2, 0, 0, 0, 1]] {
        let found = under_each(&message, &rsa(&modulus, exponent));
        assert_eq!(found, ["permerror key-unusable"; 3], "{exponent:?}");
    }
    // The same key with an exponent that is one is a key, and not the one that signed.
    assert_eq!(under_each(&message, &rsa(&modulus, &[3])), ["fail signature-mismatch"; 3]);
    assert_eq!(
        under_each(&message, &rsa(&modulus, &[1, 0xff, 0xff, 0xff, 0xff])),
        ["fail signature-mismatch"; 3]
    );
}

#[test]
fn keys_beyond_8192_bits_are_not_computed_with() {
    let template = TEMPLATE.replace("ed25519-sha256", "rsa-sha256");
    let message = sign_with(&forger(padded), &template, MESSAGE.as_bytes());
    for (octets, expected) in [(1024, "fail signature-mismatch"), (1025, "permerror key-unusable")]
    {
        let modulus = [&[0][..], &vec![0xff; octets]].concat();
        assert_eq!(under_each(&message, &rsa(&modulus, &[1, 0, 1])), [expected; 3], "{octets}");
    }
    // 8193 bits: one too many.
    let modulus = [&[1][..], &[0xff; 1024]].concat();
    let found = under_each(&message, &rsa(&modulus, &[1, 0, 1]));
    assert_eq!(found, ["permerror key-unusable"; 3]);
}

/// Under the neutral element the signature R = [S]B holds for every message, with S = 0 and R the
/// neutral element too.
#[test]
fn under_an_ed25519_point_of_small_order_anyone_can_sign() {
    fn neutral(_: &[u8]) -> Vec<u8> {
        let mut signature = vec![0; 64];
        signature[0] = 1;
        signature
    }
    let message = sign_with(&forger(neutral), TEMPLATE, MESSAGE.as_bytes());
    for sign_of_x in [0, 0x80] {
        for first in [0, 1] {
            let mut point = [0; 32];
            (point[0], point[31]) = (first, sign_of_x);
            let zone = record(&format!("v=DKIM1; k=ed25519; p={}", to_base64(&point)));
            assert_eq!(under_each(&message, &zone), ["permerror key-unusable"; 3], "{point:?}");
        }
    }
    // y = 1 + p, the neutral element under another name.
    let mut point = [0xff; 32];
    (point[0], point[31]) = (0xee, 0x7f);
    let zone = record(&format!("v=DKIM1; k=ed25519; p={}", to_base64(&point)));
    assert_eq!(under_each(&message, &zone), ["permerror key-syntax"; 3]);
}

/// A right signature, and others that a lax reader takes for it.
#[test]
fn a_signature_has_one_spelling() {
    fn changed(change: impl Fn(&mut Vec<u8>), key: Arc<dyn SigningKey>, a: &str) -> [String; 3] {
        let template = TEMPLATE.replace("ed25519-sha256", a);
        let message = sign_with(&*key, &template, MESSAGE.as_bytes());
        let text = String::from_utf8(message).unwrap();
        let b = text.split("b=").last().unwrap().split("\r\n").next().unwrap();
        let mut signature = dkim_tags::value::base64(b).unwrap();
        change(&mut signature);
        let message = text.replace(b, &to_base64(&signature));
        let k = if key.public_key().key_type() == KeyType::Rsa { "rsa" } else { "ed25519" };
        let zone = record(&format!("v=DKIM1; k={k}; p={}", craft::p(&*key)));
        under_each(&message.into_bytes(), &zone)
    }
    let rsa = |change: fn(&mut Vec<u8>)| changed(change, craft::rsa_key(), "rsa-sha256");
    let ed25519 = |change: fn(&mut Vec<u8>)| changed(change, craft::key(), "ed25519-sha256");
    assert_eq!(rsa(|_| ()), ["pass ok"; 3]);
    assert_eq!(ed25519(|_| ()), ["pass ok"; 3]);

    let mismatch = ["fail signature-mismatch"; 3];
    let longer: fn(&mut Vec<u8>) = |signature| signature.insert(0, 0);
    let trailing: fn(&mut Vec<u8>) = |signature| signature.push(0);
    let shorter: fn(&mut Vec<u8>) = |signature| signature.truncate(signature.len() - 1);
    let other: fn(&mut Vec<u8>) = |signature| signature[7] ^= 1;
    for change in [longer, trailing, shorter, other] {
        assert_eq!(rsa(change), mismatch);
        assert_eq!(ed25519(change), mismatch);
    }
    // RFC 8032 §5.1.7, step 1: S is below the order L of the group. S + L would do as well.
    assert_eq!(
        ed25519(|signature| {
            const L: [u8; 32] = [
                0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9,
                0xde, 0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
            ];
            let mut carry = 0_u16;
            for (octet, add) in signature[32..].iter_mut().zip(L) {
                carry += u16::from(*octet) + u16::from(add);
                *octet = carry.to_le_bytes()[0];
                carry >>= 8;
            }
            assert_eq!(carry, 0);
        }),
        mismatch
    );
}

/// RFC 8017 §5.2.2, step 1: the signature is below the modulus. The signature and the modulus
/// together would verify as the signature does.
#[test]
fn a_signature_is_below_the_modulus() {
    let key = craft::rsa_key();
    let zone = record(&format!("v=DKIM1; p={}", craft::p(&*key)));
    let template = TEMPLATE.replace("ed25519-sha256", "rsa-sha256");
    let modulus = key.public_key().modulus().unwrap().to_vec();
    // Not every signature leaves room for the sum; some do.
    let (good, sum) = (0..)
        .find_map(|number| {
            let message = MESSAGE.replace("dinner", &format!("dinner {number}"));
            let message = sign_with(&*key, &template, message.as_bytes());
            let text = String::from_utf8(message).unwrap();
            let b = text.split("b=").last().unwrap().split("\r\n").next().unwrap();
            let mut carry = 0_u16;
            let signature = dkim_tags::value::base64(b).unwrap();
            let mut sum: Vec<u8> = signature
                .iter()
                .zip(&modulus)
                .rev()
                .map(|(a, b)| {
                    carry = (carry >> 8) + u16::from(*a) + u16::from(*b);
                    carry.to_le_bytes()[0]
                })
                .collect();
            sum.reverse();
            (carry < 0x100).then(|| (text.clone(), text.replace(b, &to_base64(&sum))))
        })
        .unwrap();
    assert_eq!(under_each(good.as_bytes(), &zone), ["pass ok"; 3]);
    assert_eq!(under_each(sum.as_bytes(), &zone), ["fail signature-mismatch"; 3]);
}
