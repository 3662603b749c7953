//! Every provider gives the same answers: one suite, run for each that is compiled in.
#![cfg(any(feature = "ring", feature = "aws-lc-rs"))]
#![allow(clippy::unwrap_used, missing_docs)]

mod keys;

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dkim_crypto::{
    HashAlgorithm, KeyType, PrivateKey, PrivateKeyError, Provider, PublicKey, PublicKeyError,
    SigningAlgorithm, SigningKey, VerifyError, VerifyingKey,
};
use keys::{MESSAGE, element, rsa_public_key, vector, vectors};

const RSA_SHA1: SigningAlgorithm = SigningAlgorithm::RSA_SHA1;
const RSA_SHA256: SigningAlgorithm = SigningAlgorithm::RSA_SHA256;
const ED25519_SHA256: SigningAlgorithm = SigningAlgorithm::ED25519_SHA256;

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
    hashes_are_right
    every_kind_of_key_signs_and_verifies
    rfc_8463_keys_are_as_printed
    openssl_signatures_verify_from_1024_bits_on
    a_hash_at_hand_verifies_as_the_message_does
    short_keys_are_refused_by_exact_bits
    a_key_is_shown_by_its_public_half
    a_changed_message_or_signature_never_verifies
    a_signature_of_another_size_never_verifies
    key_and_algorithm_belong_together
    a_key_off_the_curve_never_verifies
    short_keys_do_not_sign
    a_key_whose_halves_differ_does_not_sign
    a_damaged_rsa_key_signs_nothing_wrong
    ed25519_keys_are_made
    rsa_keys_are_made_or_refused_in_words
}

fn signing_key(provider: &dyn Provider, pem: &str) -> Arc<dyn SigningKey> {
    provider.signing_key(&PrivateKey::from_pem(pem.as_bytes()).unwrap()).unwrap()
}

fn verifying_key(provider: &dyn Provider, name: &str) -> Arc<dyn VerifyingKey> {
    let p = vector(name).subject_public_key_info;
    provider.prepare(&PublicKey::from_p_tag(KeyType::Rsa, &p).unwrap()).unwrap()
}

fn hashes_are_right(provider: &dyn Provider) {
    // FIPS 180-4's examples, as NIST publishes them, and the empty message.
    let long: &[u8] = b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
    let known: [(HashAlgorithm, &[u8], &str); 6] = [
        (HashAlgorithm::Sha1, b"", "da39a3ee5e6b4b0d3255bfef95601890afd80709"),
        (HashAlgorithm::Sha1, b"abc", "a9993e364706816aba3e25717850c26c9cd0d89d"),
        (HashAlgorithm::Sha1, long, "84983e441c3bd26ebaae4aa1f95129e5e54670f1"),
        (
            HashAlgorithm::Sha256,
            b"",
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        ),
        (
            HashAlgorithm::Sha256,
            b"abc",
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        ),
        (
            HashAlgorithm::Sha256,
            long,
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
        ),
    ];
    for (algorithm, message, expected) in known {
        for chunk in [1, 3, 64] {
            let mut digest = provider.digest(algorithm).unwrap();
            message.chunks(chunk).for_each(|chunk| digest.update(chunk));
            let hash = digest.finish();
            assert_eq!(format!("{hash:?}"), expected);
            assert_eq!(hash.as_bytes().len(), algorithm.output_len());
        }
    }
}

fn every_kind_of_key_signs_and_verifies(provider: &dyn Provider) {
    let kinds = [
        (keys::RSA2048, RSA_SHA256, 2048),
        (keys::RSA2048_PKCS1, RSA_SHA256, 2048),
        (keys::ED25519, ED25519_SHA256, 256),
    ];
    for (pem, algorithm, bits) in kinds {
        let signing = signing_key(provider, pem);
        assert_eq!(signing.algorithm(), algorithm);
        assert_eq!(signing.public_key().bits(), bits);
        for message in [&b""[..], MESSAGE, &[0xff; 10_000]] {
            let signature = signing.sign(message).unwrap();
            for verifier in all() {
                let verifying = verifier.prepare(signing.public_key()).unwrap();
                assert_eq!(verifying.verify(algorithm, message, &signature), Ok(()));
            }
        }
    }
}

/// All providers compiled in: what one signs, the others verify.
fn all() -> Vec<&'static dyn Provider> {
    vec![
        #[cfg(feature = "ring")]
        &dkim_crypto::ring::PROVIDER,
        #[cfg(feature = "aws-lc-rs")]
        &dkim_crypto::aws_lc::PROVIDER,
    ]
}

/// RFC 8463 §A.1: the secret key, and §A.2: `p=`.
fn rfc_8463_keys_are_as_printed(provider: &dyn Provider) {
    let seed = STANDARD.decode("nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=").unwrap();
    let signing =
        provider.signing_key(&PrivateKey::from_ed25519_seed(&seed.try_into().unwrap())).unwrap();
    let p = STANDARD.decode("11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=").unwrap();
    assert_eq!(signing.public_key().to_p_tag(), p);

    // RFC 8463 §3: Ed25519 is over the hash of the message. It is deterministic, so a signature
    // by another program over the SHA-256 of MESSAGE is ours.
    let signature = signing.sign(MESSAGE).unwrap();
    assert_eq!(STANDARD.encode(signature), ED25519_SIGNATURE);
}

/// `openssl pkeyutl -sign -rawin` with RFC 8463's key, over the SHA-256 of `MESSAGE`.
const ED25519_SIGNATURE: &str =
    "pA+MLysix4vLXOC68WMVN1G9+2gdJAUR47abH1uwrCTBID5CeiZXT1poybELPxt8mxwy81O26JDQt9V2+TBcAA==";

fn openssl_signatures_verify_from_1024_bits_on(provider: &dyn Provider) {
    for vector in vectors() {
        let key = PublicKey::from_p_tag(KeyType::Rsa, &vector.subject_public_key_info).unwrap();
        let prepared = provider.prepare(&key);
        // RFC 8301 §3.2, in bits, not in octets.
        if key.bits() < 1024 {
            let error = PublicKeyError::TooSmall { bits: key.bits(), minimum: 1024 };
            assert_eq!(prepared.err(), Some(error), "{}", vector.name);
            continue;
        }
        let (right, wrong) = match vector.hash {
            "sha1" => (RSA_SHA1, RSA_SHA256),
            _ => (RSA_SHA256, RSA_SHA1),
        };
        let prepared = prepared.unwrap();
        assert_eq!(prepared.verify(right, MESSAGE, &vector.signature), Ok(()), "{}", vector.name);
        assert_eq!(prepared.verify(wrong, MESSAGE, &vector.signature), Err(VerifyError::Mismatch));
    }
}

/// RFC 8017 §8.2.2, whoever hashes.
fn a_hash_at_hand_verifies_as_the_message_does(provider: &dyn Provider) {
    let hash = |algorithm: SigningAlgorithm, message: &[u8]| {
        let mut digest = provider.digest(algorithm.hash()).unwrap();
        digest.update(message);
        digest.finish()
    };
    for vector in vectors() {
        let (name, signature) = (vector.name, &vector.signature[..]);
        let key = PublicKey::from_p_tag(KeyType::Rsa, &vector.subject_public_key_info).unwrap();
        let (right, wrong) = match vector.hash {
            "sha1" => (RSA_SHA1, RSA_SHA256),
            _ => (RSA_SHA256, RSA_SHA1),
        };
        let verify = |algorithm: SigningAlgorithm, message: &[u8], signature: &[u8]| {
            provider.verify_hash(&key, algorithm, &hash(algorithm, message), signature)
        };
        if key.bits() < 1024 {
            let refused = Err(VerifyError::Unsupported(right));
            assert_eq!(verify(right, MESSAGE, signature), refused, "{name}");
            continue;
        }
        assert_eq!(verify(right, MESSAGE, signature), Ok(()), "{name}");
        let mismatch = Err(VerifyError::Mismatch);
        assert_eq!(verify(wrong, MESSAGE, signature), mismatch, "{name}");
        assert_eq!(verify(right, b"another", signature), mismatch, "{name}");
        let mut changed = signature.to_vec();
        *changed.last_mut().unwrap() ^= 1;
        let modulus = key.modulus().unwrap();
        let ones = [&vec![0; modulus.len() - 1][..], &[1]].concat();
        let longer = [&[0], signature].concat();
        for bad in [&changed, &ones, &longer, &vec![0; modulus.len()], modulus, &signature[1..]] {
            assert_eq!(verify(right, MESSAGE, bad), mismatch, "{name}");
        }
        // A hash of another length than the algorithm's.
        let other = hash(wrong, MESSAGE);
        let refused = Err(VerifyError::Unsupported(right));
        assert_eq!(provider.verify_hash(&key, right, &other, signature), refused, "{name}");
    }
    let key = PublicKey::from_p_tag(KeyType::Ed25519, &ed25519_point()).unwrap();
    for algorithm in [ED25519_SHA256, RSA_SHA256] {
        let refused = Err(VerifyError::Unsupported(algorithm));
        let hash = hash(algorithm, MESSAGE);
        assert_eq!(provider.verify_hash(&key, algorithm, &hash, &[0; 64]), refused);
    }
    let rsa = signing_key(provider, keys::RSA2048);
    let hash = hash(ED25519_SHA256, MESSAGE);
    let found = provider.verify_hash(rsa.public_key(), ED25519_SHA256, &hash, &[0; 256]);
    assert_eq!(found, Err(VerifyError::Unsupported(ED25519_SHA256)));
}

/// RFC 8463 appendix A.2.
fn ed25519_point() -> Vec<u8> {
    STANDARD.decode("11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=").unwrap()
}

fn short_keys_are_refused_by_exact_bits(provider: &dyn Provider) {
    for (first, bits) in [(&[0x01][..], 1017), (&[0x3f], 1022), (&[0x7f], 1023), (&[0, 0x80], 1024)]
    {
        let modulus = [first, &[0xff; 127]].concat();
        let p = rsa_public_key(&modulus, &[3]);
        let key = PublicKey::from_p_tag(KeyType::Rsa, &p).unwrap();
        assert_eq!(key.bits(), bits);
        assert_eq!(provider.prepare(&key).is_ok(), bits == 1024);
    }
}

fn a_changed_message_or_signature_never_verifies(provider: &dyn Provider) {
    for (pem, algorithm) in [(keys::RSA2048, RSA_SHA256), (keys::ED25519, ED25519_SHA256)] {
        let signing = signing_key(provider, pem);
        let verifying = provider.prepare(signing.public_key()).unwrap();
        let signature = signing.sign(MESSAGE).unwrap();
        let fails = |message: &[u8], signature: &[u8]| {
            assert_eq!(verifying.verify(algorithm, message, signature), Err(VerifyError::Mismatch));
        };
        for bit in 0..signature.len() * 8 {
            let mut changed = signature.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            fails(MESSAGE, &changed);
        }
        for at in 0..MESSAGE.len() {
            let mut changed = MESSAGE.to_vec();
            changed[at] ^= 0x20;
            fails(&changed, &signature);
        }
        fails(&[MESSAGE, b"\0"].concat(), &signature);
        fails(b"", &signature);
    }
}

fn a_signature_of_another_size_never_verifies(provider: &dyn Provider) {
    let names = ["rsa1024-e65537", "rsa1025-e65537", "rsa2048-e3", "rsa8192-e65537"];
    for name in names {
        let verifying = verifying_key(provider, name);
        let vector = vector(name);
        let key = PublicKey::from_p_tag(KeyType::Rsa, &vector.subject_public_key_info).unwrap();
        let modulus = key.modulus().unwrap();
        let good = &vector.signature[..];
        assert_eq!(verifying.verify(RSA_SHA256, MESSAGE, good), Ok(()));

        let mut sum = vec![0; good.len() + 1];
        let mut carry = 0;
        for at in (0..good.len()).rev() {
            carry += u16::from(good[at]) + u16::from(modulus[at]);
            sum[at + 1] = carry.to_be_bytes()[1];
            carry >>= 8;
        }
        sum[0] = carry.to_be_bytes()[1];

        let bad = [
            vec![],
            [&[0], good].concat(),
            [good, &[0]].concat(),
            good[1..].to_vec(),
            good[..good.len() - 1].to_vec(),
            vec![0; good.len()],
            vec![0xff; good.len()],
            [&vec![0; good.len() - 1][..], &[1]].concat(),
            modulus.to_vec(),
            // The same residue, not below the modulus: with and without its carry.
            sum[1..].to_vec(),
            sum,
        ];
        for signature in bad {
            assert_eq!(
                verifying.verify(RSA_SHA256, MESSAGE, &signature),
                Err(VerifyError::Mismatch)
            );
        }
    }

    let signing = signing_key(provider, keys::ED25519);
    let verifying = provider.prepare(signing.public_key()).unwrap();
    let good = signing.sign(MESSAGE).unwrap();
    let bad =
        [vec![], vec![0; 64], vec![0xff; 64], good[..63].to_vec(), [&good[..], &[0]].concat()];
    for signature in bad {
        assert_eq!(
            verifying.verify(ED25519_SHA256, MESSAGE, &signature),
            Err(VerifyError::Mismatch)
        );
    }
    // S + L fits S's 32 octets and is the same number modulo the group's order L: RFC 8032
    // §5.1.7, step 1 refuses it.
    let order = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde,
        0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let mut malleable = good;
    let mut carry = 0;
    for (octet, addend) in malleable[32..].iter_mut().zip(order) {
        carry += u16::from(*octet) + addend;
        *octet = carry.to_le_bytes()[0];
        carry >>= 8;
    }
    assert_eq!(verifying.verify(ED25519_SHA256, MESSAGE, &malleable), Err(VerifyError::Mismatch));
}

fn key_and_algorithm_belong_together(provider: &dyn Provider) {
    let rsa = signing_key(provider, keys::RSA2048);
    let ed25519 = signing_key(provider, keys::ED25519);
    let pairs = [(&rsa, &[ED25519_SHA256][..]), (&ed25519, &[RSA_SHA256, RSA_SHA1])];
    for (signing, others) in pairs {
        let verifying = provider.prepare(signing.public_key()).unwrap();
        let signature = signing.sign(MESSAGE).unwrap();
        for &other in others {
            assert_eq!(
                verifying.verify(other, MESSAGE, &signature),
                Err(VerifyError::Unsupported(other))
            );
        }
    }
}

/// Half of all y belong to no point. Whether a library sees that at once or later, nothing
/// verifies.
fn a_key_off_the_curve_never_verifies(provider: &dyn Provider) {
    let signature = signing_key(provider, keys::ED25519).sign(MESSAGE).unwrap();
    for y in 2..20 {
        let mut point = [0; 32];
        point[0] = y;
        let key = PublicKey::from_p_tag(KeyType::Ed25519, &point).unwrap();
        if let Ok(verifying) = provider.prepare(&key) {
            for signature in [&signature[..], &[0; 64]] {
                assert!(verifying.verify(ED25519_SHA256, MESSAGE, signature).is_err());
            }
        }
    }
}

fn short_keys_do_not_sign(provider: &dyn Provider) {
    let key = PrivateKey::from_pem(keys::RSA1024.as_bytes()).unwrap();
    let error = provider.signing_key(&key).err().unwrap();
    assert_eq!(error, PrivateKeyError::TooSmall { bits: 1024, minimum: 2048 });
    assert_eq!(
        error.to_string(),
        "an RSA key of 1024 bits is too short to sign with: make one of 2048 or more"
    );
}

fn a_key_whose_halves_differ_does_not_sign(provider: &dyn Provider) {
    // PKCS#8 version 2, Ed25519, with somebody else's public key and with its own.
    let seed = [7; 32];
    let own = provider.signing_key(&PrivateKey::from_ed25519_seed(&seed)).unwrap();
    let other = provider.signing_key(&PrivateKey::from_ed25519_seed(&[8; 32])).unwrap();
    let with = |public: &PublicKey| {
        let parts = [
            element(2, &[1]),
            element(0x30, &element(6, &[0x2b, 0x65, 0x70])),
            element(4, &element(4, &seed)),
            element(0x81, &[&[0], &public.to_bare()[..]].concat()),
        ];
        provider.signing_key(&PrivateKey::from_der(&element(0x30, &parts.concat())).unwrap())
    };
    assert_eq!(with(own.public_key()).unwrap().public_key(), own.public_key());
    assert_eq!(with(other.public_key()).err(), Some(PrivateKeyError::Mismatch));
}

/// One octet is off in the private exponent, a prime, an exponent of the primes, the coefficient.
/// Libraries see it when the key is read, or when it signs, or not at all, since the private
/// exponent is of no use to them. A signature that does not verify is never given out.
fn a_damaged_rsa_key_signs_nothing_wrong(provider: &dyn Provider) {
    let lines: Vec<_> = keys::RSA2048.lines().filter(|line| !line.starts_with('-')).collect();
    let der = STANDARD.decode(lines.concat()).unwrap();
    let public = signing_key(provider, keys::RSA2048).public_key().clone();
    let verifying = provider.prepare(&public).unwrap();
    let mut noticed = 0;
    for at in (310..der.len()).step_by(40) {
        let mut changed = der.clone();
        changed[at] ^= 0x10;
        let Ok(key) = PrivateKey::from_der(&changed) else { continue };
        let signature = match provider.signing_key(&key) {
            Ok(signing) => signing.sign(MESSAGE).ok(),
            Err(error) => {
                assert!(matches!(error, PrivateKeyError::Refused { .. }), "{at}: {error}");
                None
            }
        };
        match signature {
            Some(signature) => {
                assert_eq!(verifying.verify(RSA_SHA256, MESSAGE, &signature), Ok(()), "{at}");
            }
            None => noticed += 1,
        }
    }
    assert!(noticed > 10);
}

fn ed25519_keys_are_made(provider: &dyn Provider) {
    let key = provider.generate(KeyType::Ed25519, 256).unwrap();
    let other = provider.generate(KeyType::Ed25519, 0).unwrap();
    assert_ne!(key.to_pkcs8_pem(), other.to_pkcs8_pem());
    let signing = signing_key(provider, &key.to_pkcs8_pem());
    let verifying = provider.prepare(signing.public_key()).unwrap();
    let signature = signing.sign(MESSAGE).unwrap();
    assert_eq!(verifying.verify(ED25519_SHA256, MESSAGE, &signature), Ok(()));
}

fn rsa_keys_are_made_or_refused_in_words(provider: &dyn Provider) {
    match provider.generate(KeyType::Rsa, 2048) {
        Ok(key) => {
            assert_eq!(provider.name(), "aws-lc-rs");
            let signing = signing_key(provider, &key.to_pkcs8_pem());
            assert_eq!(signing.public_key().bits(), 2048);
            // RFC 6376 §3.3.2: "SHOULD use a public exponent of 65537".
            assert_eq!(signing.public_key().exponent(), Some(65_537));
            let signature = signing.sign(MESSAGE).unwrap();
            for verifier in all() {
                let verifying = verifier.prepare(signing.public_key()).unwrap();
                assert_eq!(verifying.verify(RSA_SHA256, MESSAGE, &signature), Ok(()));
            }
            for bits in [0, 1024, 2049, 8192] {
                let error = provider.generate(KeyType::Rsa, bits).unwrap_err();
                assert_eq!(error, PrivateKeyError::Length { bits });
            }
        }
        Err(error) => {
            assert_eq!(provider.name(), "ring");
            assert_eq!(
                error.to_string(),
                "ring makes no RSA keys: a build with the feature `aws-lc-rs` does"
            );
        }
    }
}

/// Which key it is may be logged; the key may not.
fn a_key_is_shown_by_its_public_half(provider: &'static dyn Provider) {
    let key = provider.signing_key(&PrivateKey::from_ed25519_seed(&[0xa7; 32])).unwrap();
    let shown = format!("{key:?}");
    assert_eq!(shown, format!("SigningKey({:?})", key.public_key()));
    for secret in ["167, 167", "a7a7", "a7, 0xa7"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}
