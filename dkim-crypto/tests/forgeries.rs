//! RSA signatures that somebody without the private key made for a lax reader of PKCS#1 v1.5, after
//! Bleichenbacher (2006) and those who found variants of it: no provider takes them.
#![cfg(any(feature = "ring", feature = "aws-lc-rs"))]
#![allow(clippy::unwrap_used, missing_docs)]

mod keys;

use dkim_crypto::{HashAlgorithm, HashValue, KeyType, Provider, PublicKey, VerifyError};
use dkim_crypto::{SigningAlgorithm, VerifyingKey};
use keys::{MESSAGE, element, rsa_public_key, vector};
use num_bigint::BigUint;

macro_rules! suite {
    ($($test:ident)*) => {
        #[cfg(feature = "ring")]
        mod ring {
            $(#[test] fn $test() { super::$test(&dkim_crypto::ring::PROVIDER) })*
        }
        #[cfg(feature = "aws-lc-rs")]
        mod aws_lc {
            $(#[test] fn $test() { super::$test(&dkim_crypto::aws_lc::PROVIDER) })*
        }
    };
}

suite! {
    garbage_behind_the_hash_is_no_signature
    garbage_between_padding_and_hash_is_no_signature
    right_low_octets_are_no_signature
    paddings_of_every_other_form_are_no_signature
    the_hash_algorithm_is_in_the_signature
}

const RSA_SHA256: SigningAlgorithm = SigningAlgorithm::RSA_SHA256;

/// DigestInfo of SHA-256 up to the hash (RFC 8017 §9.2, note 1).
const SHA256: &[u8] =
    b"\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20";

fn hash(provider: &dyn Provider, algorithm: HashAlgorithm, message: &[u8]) -> HashValue {
    let mut digest = provider.digest(algorithm).unwrap();
    digest.update(message);
    digest.finish()
}

fn digest_info(provider: &dyn Provider, message: &[u8]) -> Vec<u8> {
    [SHA256, hash(provider, HashAlgorithm::Sha256, message).as_bytes()].concat()
}

/// A key, and both ways to verify under it.
struct Victim<'p> {
    provider: &'p dyn Provider,
    public: PublicKey,
    prepared: std::sync::Arc<dyn VerifyingKey>,
}

impl<'p> Victim<'p> {
    fn new(provider: &'p dyn Provider, p: &[u8]) -> Self {
        let public = PublicKey::from_p_tag(KeyType::Rsa, p).unwrap();
        let prepared = provider.prepare(&public).unwrap();
        Self { provider, public, prepared }
    }

    /// The key with the exponent 3 that the vectors have: whose factors nobody here knows.
    fn with_exponent_3(provider: &'p dyn Provider) -> Self {
        let victim = Self::new(provider, &vector("rsa2048-e3").subject_public_key_info);
        assert_eq!(victim.public.exponent(), Some(3));
        victim
    }

    fn refuses(&self, message: &[u8], signature: &[u8], what: &str) {
        let mismatch = Err(VerifyError::Mismatch);
        assert_eq!(self.prepared.verify(RSA_SHA256, message, signature), mismatch, "{what}");
        let hash = hash(self.provider, HashAlgorithm::Sha256, message);
        let found = self.provider.verify_hash(&self.public, RSA_SHA256, &hash, signature);
        assert_eq!(found, mismatch, "{what}, with the hash at hand");
    }
}

/// So many octets, big-endian.
fn octets(number: &BigUint, length: usize) -> Vec<u8> {
    let short = number.to_bytes_be();
    [vec![0; length - short.len()], short].concat()
}

/// A number whose cube begins with these of 256 octets.
fn cube_root_above(begins: &[u8]) -> Vec<u8> {
    let target = [begins, &vec![0; 256 - begins.len()]].concat();
    let root = BigUint::from_bytes_be(&target).cbrt() + 1u8;
    let cube = octets(&root.pow(3), 256);
    assert!(cube.starts_with(begins), "{cube:x?}");
    octets(&root, 256)
}

/// Bleichenbacher, 2006: a reader that looks at what comes first, and not whether it ends there.
fn garbage_behind_the_hash_is_no_signature(provider: &dyn Provider) {
    let victim = Victim::with_exponent_3(provider);
    let info = digest_info(provider, MESSAGE);
    for filler in [8, 1, 0] {
        let begins = [&[0, 1][..], &vec![0xff; filler], &[0], &info].concat();
        victim.refuses(MESSAGE, &cube_root_above(&begins), &format!("{filler} octets of padding"));
    }
}

/// Kühn and others: garbage in the parameters of the AlgorithmIdentifier, which a reader may skip,
/// or in lengths of more octets than they need; and BER's other spellings of the right DigestInfo.
fn garbage_between_padding_and_hash_is_no_signature(provider: &dyn Provider) {
    let hash = hash(provider, HashAlgorithm::Sha256, MESSAGE);
    let oid = element(6, &SHA256[6..15]);
    let info = |parameters: &[u8]| {
        let algorithm = element(0x30, &[&oid, parameters].concat());
        element(0x30, &[&algorithm[..], &element(4, hash.as_bytes())].concat())
    };
    assert_eq!(info(&[5, 0]), digest_info(provider, MESSAGE));
    let long_form = |length: u8, contents: &[u8]| [&[0x30, 0x81, length][..], contents].concat();
    let right = digest_info(provider, MESSAGE);
    let infos = [
        // Absent parameters, which RFC 8017 §A.2.4 tells verifiers to accept; no signer writes them,
        // and what is compared whole has one form.
        ("parameters absent", info(&[])),
        ("parameters with contents", info(&element(5, &[0x5a; 8]))),
        ("parameters of octets", info(&element(4, &[0x5a; 150]))),
        ("two parameters", info(&[5, 0, 5, 0])),
        ("a long length", long_form(0x31, &right[2..])),
        ("an indefinite length", [&[0x30, 0x80], &right[2..], &[0, 0]].concat()),
        ("octets behind the hash", {
            let algorithm = element(0x30, &[&oid[..], &[5, 0]].concat());
            let octets = element(4, hash.as_bytes());
            element(0x30, &[&algorithm[..], &octets, &element(4, &[0x5a; 20])].concat())
        }),
        ("no DigestInfo", hash.as_bytes().to_vec()),
        ("a hash of none", SHA256.to_vec()),
    ];
    for (what, info) in infos {
        otherwise_right(provider, |length| padded(length, &info), what);
    }
}

/// A reader that only looks at the end, where the hash stands: an odd number has a cube root modulo
/// a power of two, and every other message has an odd hash.
fn right_low_octets_are_no_signature(provider: &dyn Provider) {
    let victim = Victim::with_exponent_3(provider);
    let messages = (0..).map(|number| format!("from:joe{number}@example.com\r\n").into_bytes());
    let (message, info) = messages
        .map(|message| (digest_info(provider, &message), message))
        .find_map(|(info, message)| {
            info.last().is_some_and(|last| last & 1 == 1).then_some((message, info))
        })
        .unwrap();
    let info = [&[0], &info[..]].concat();
    let target = BigUint::from_bytes_be(&info);
    let mut root = BigUint::from(1u8);
    for bit in 1..info.len() * 8 {
        let modulus = BigUint::from(1u8) << (bit + 1);
        if root.pow(3) % &modulus != &target % &modulus {
            root += BigUint::from(1u8) << bit;
        }
    }
    let cube = octets(&root.pow(3), 256);
    assert!(cube.ends_with(&info), "{cube:x?}");
    victim.refuses(&message, &octets(&root, 256), "the low octets");
}

fn paddings_of_every_other_form_are_no_signature(provider: &dyn Provider) {
    let info = digest_info(provider, MESSAGE);
    let form = |head: &[u8], filler: u8, count: usize, end: &[u8], length: usize| {
        let taken = head.len() + end.len() + info.len();
        let rest = (length - taken).saturating_sub(count);
        [head, &vec![filler; count], end, &info, &vec![0x5a; rest]].concat()
    };
    let full = |length: usize| length - info.len() - 3;
    otherwise_right(provider, |n| form(&[0, 0], 0, full(n), &[0], n), "block type 0");
    otherwise_right(provider, |n| form(&[0, 2], 0x5a, full(n), &[0], n), "block type 2");
    otherwise_right(provider, |n| form(&[0, 1], 0xfe, full(n), &[0], n), "another filler");
    otherwise_right(provider, |n| form(&[0, 1], 0, full(n), &[0], n), "a filler of zeros");
    otherwise_right(provider, |n| form(&[0, 1], 0xff, full(n), &[1], n), "no end of the filler");
    otherwise_right(provider, |n| form(&[0, 1], 0xff, 8, &[0], n), "a short filler");
    otherwise_right(provider, |n| form(&[0, 1], 0xff, 0, &[0], n), "no filler");
    let one_off = |length: usize| {
        let mut padded = padded(length, &info);
        padded[length / 2] = 0x7f;
        padded
    };
    otherwise_right(provider, one_off, "an octet of the filler");
}

/// The hash of one algorithm under the name of the other.
fn the_hash_algorithm_is_in_the_signature(provider: &dyn Provider) {
    const SHA1: &[u8] = b"\x30\x21\x30\x09\x06\x05\x2b\x0e\x03\x02\x1a\x05\x00\x04\x14";
    let sha1 = hash(provider, HashAlgorithm::Sha1, MESSAGE);
    let sha256 = hash(provider, HashAlgorithm::Sha256, MESSAGE);
    for (what, info) in [
        ("SHA-1", [SHA1, sha1.as_bytes()].concat()),
        ("SHA-1 called SHA-256", [SHA256, sha1.as_bytes()].concat()),
        ("SHA-256 called SHA-1", [SHA1, sha256.as_bytes()].concat()),
        ("SHA-256, cut", [SHA1, &sha256.as_bytes()[..20]].concat()),
    ] {
        otherwise_right(provider, |length| padded(length, &info), what);
    }
}

/// What RFC 8017 §9.2 makes of a DigestInfo, right or wrong.
fn padded(length: usize, info: &[u8]) -> Vec<u8> {
    [&[0, 1][..], &vec![0xff; length - info.len() - 3], &[0], info].concat()
}

/// Whatever the encoded message is: signed with a private key, so that nothing but its form is
/// wrong. The key is made for this: the product of two Mersenne primes.
fn otherwise_right(provider: &dyn Provider, encode: impl Fn(usize) -> Vec<u8>, what: &str) {
    let one = BigUint::from(1u8);
    let (p, q) = ((&one << 1279u32) - 1u8, (&one << 607u32) - 1u8);
    let modulus = &p * &q;
    let octets_of = |number: &BigUint| {
        let octets = number.to_bytes_be();
        if octets[0] < 0x80 { octets } else { [&[0][..], &octets].concat() }
    };
    let victim = Victim::new(provider, &rsa_public_key(&octets_of(&modulus), &[1, 0, 1]));
    let length = modulus.to_bytes_be().len();
    let private = BigUint::from(65_537u32).modinv(&((&p - 1u8) * (&q - 1u8))).unwrap();
    let sign = |encoded: &[u8]| {
        assert_eq!(encoded.len(), length);
        octets(&BigUint::from_bytes_be(encoded).modpow(&private, &modulus), length)
    };
    let good = sign(&padded(length, &digest_info(provider, MESSAGE)));
    assert_eq!(victim.prepared.verify(RSA_SHA256, MESSAGE, &good), Ok(()));
    victim.refuses(MESSAGE, &sign(&encode(length)), what);
}
