//! `p=` is read strictly: one spelling for a key, and none for a key with which anyone can sign.
#![allow(clippy::unwrap_used, missing_docs)]

mod keys;

use dkim_crypto::{HashAlgorithm, KeyType, PublicKey, PublicKeyError};
use keys::{RSA_ENCRYPTION, element, rsa_public_key, subject_public_key_info, vector, vectors};

fn rsa(octets: &[u8]) -> Result<PublicKey, PublicKeyError> {
    PublicKey::from_p_tag(KeyType::Rsa, octets)
}

fn is_malformed(octets: &[u8]) -> bool {
    matches!(rsa(octets), Err(PublicKeyError::Malformed(_)))
}

/// Contents octets of an odd INTEGER of so many bits.
fn modulus(bits: usize) -> Vec<u8> {
    let mut octets = vec![0xff; bits.div_ceil(8)];
    match bits % 8 {
        0 => octets.insert(0, 0),
        rest => octets[0] >>= 8 - rest,
    }
    octets
}

const F4: &[u8] = &[1, 0, 1];

/// RFC 8017 §8.2.2, step 2: the public key opens what the private key signed.
#[test]
fn a_signature_tells_its_key_and_hash() {
    for vector in vectors() {
        let (name, signature) = (vector.name, &vector.signature[..]);
        let key = rsa(&vector.subject_public_key_info).unwrap();
        let hash = match vector.hash {
            "sha1" => HashAlgorithm::Sha1,
            _ => HashAlgorithm::Sha256,
        };
        assert_eq!(key.signed_hash(signature), Some(hash), "{name}");
        let mut changed = signature.to_vec();
        *changed.last_mut().unwrap() ^= 1;
        let modulus = key.modulus().unwrap();
        let ones = [&vec![0; modulus.len() - 1][..], &[1]].concat();
        let longer = [&[0], signature].concat();
        for bad in [&changed, &ones, &longer, &vec![0; modulus.len()], modulus, &signature[1..]] {
            assert_eq!(key.signed_hash(bad), None, "{name}");
        }
    }
    let another = rsa(&vector("rsa2048-e3").subject_public_key_info).unwrap();
    assert_eq!(another.signed_hash(&vector("rsa2048-e8589934591").signature), None);
    // The base point of RFC 8032 §5.1: nothing can be opened with it.
    let point = [&[0x58][..], &[0x66; 31]].concat();
    let ed25519 = PublicKey::from_p_tag(KeyType::Ed25519, &point).unwrap();
    assert_eq!(ed25519.signed_hash(&[1; 64]), None);
}

#[test]
fn both_forms_are_one_key() {
    for vector in keys::vectors() {
        let wrapped = rsa(&vector.subject_public_key_info).unwrap();
        assert_eq!(wrapped.key_type(), KeyType::Rsa);
        assert_eq!(wrapped.to_p_tag(), vector.subject_public_key_info, "{}", vector.name);
        let bare = rsa(&wrapped.to_bare()).unwrap();
        assert_eq!(bare, wrapped);
        assert_eq!(bare.to_p_tag(), vector.subject_public_key_info);

        let (bits, exponent) = vector.name[3..].split_once("-e").unwrap();
        assert_eq!(wrapped.bits().to_string(), bits);
        assert_eq!(wrapped.exponent().unwrap().to_string(), exponent);
    }
}

#[test]
fn bits_are_exact() {
    for bits in [9, 512, 1017, 1023, 1024, 1025, 1026, 2047, 2048, 4096, 8191, 8192] {
        let key = rsa(&rsa_public_key(&modulus(bits), F4)).unwrap();
        assert_eq!(usize::try_from(key.bits()), Ok(bits));
    }
}

#[test]
fn a_key_over_8192_bits_is_refused_by_its_length_alone() {
    for bits in [8193, 8200, 16_384, 1 << 20] {
        let p = subject_public_key_info(RSA_ENCRYPTION, &rsa_public_key(&modulus(bits), F4));
        let bits = u32::try_from(bits).unwrap();
        assert_eq!(rsa(&p), Err(PublicKeyError::TooLarge { bits }));
    }
}

#[test]
fn the_exponent_is_odd_and_from_3_to_33_bits() {
    let n = modulus(1024);
    let accepted: [&[u8]; 4] = [&[3], &[17], F4, &[1, 0xff, 0xff, 0xff, 0xff]];
    for exponent in accepted {
        assert!(rsa(&rsa_public_key(&n, exponent)).is_ok(), "{exponent:x?}");
    }
    let refused: [&[u8]; 8] = [
        &[0],
        &[1],
        &[2],
        &[4],
        &[1, 0, 0],
        &[2, 0, 0, 0, 1],
        &[1, 0, 0, 0, 0, 0, 0, 0, 3],
        &[0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
    ];
    for exponent in refused {
        assert_eq!(
            rsa(&rsa_public_key(&n, exponent)),
            Err(PublicKeyError::Exponent),
            "{exponent:x?}"
        );
    }
}

#[test]
fn the_modulus_is_odd() {
    for even in [&[0][..], &[2], &[0, 0xff, 0xfe]] {
        assert_eq!(rsa(&rsa_public_key(even, F4)), Err(PublicKeyError::Modulus));
    }
}

#[test]
fn other_spellings_of_der_are_refused() {
    let n = modulus(1024);
    let key = rsa_public_key(&n, F4);
    let wrapped = subject_public_key_info(RSA_ENCRYPTION, &key);
    assert!(rsa(&key).is_ok());
    assert!(rsa(&wrapped).is_ok());

    // Leading zeros, negative and empty integers.
    for n in [[&[0], &n[..]].concat(), n[1..].to_vec(), vec![]] {
        assert!(is_malformed(&rsa_public_key(&n, F4)));
    }
    for e in [&[0, 1, 0, 1][..], &[0x81, 1], &[]] {
        assert!(is_malformed(&rsa_public_key(&n, e)));
    }
    // Octets behind the key, within it, and within its wrapping.
    assert!(is_malformed(&[&key[..], &[0]].concat()));
    assert!(is_malformed(&[&wrapped[..], b"\n"].concat()));
    let integers = [element(2, &n), element(2, F4)].concat();
    assert!(is_malformed(&element(0x30, &[&integers[..], &element(2, F4)].concat())));
    assert!(is_malformed(&subject_public_key_info(RSA_ENCRYPTION, &[&key[..], &[0]].concat())));
    // Lengths in BER's long and indefinite forms.
    let long = [&[0x30, 0x83, 0, 0, u8::try_from(integers.len()).unwrap()], &integers[..]].concat();
    assert!(is_malformed(&long));
    assert!(is_malformed(&[&[0x30, 0x80], &integers[..], &[0, 0]].concat()));
    // Unused bits.
    let algorithm = element(0x30, RSA_ENCRYPTION);
    for unused in [1, 7, 8] {
        let bits = element(3, &[&[unused], &key[..]].concat());
        assert!(is_malformed(&element(0x30, &[&algorithm[..], &bits].concat())));
    }
    // Parameters absent, or not NULL.
    let identifier = &RSA_ENCRYPTION[..11];
    for parameters in [&[][..], &[5, 1, 0], &[0x30, 0], &[5, 0, 5, 0]] {
        let algorithm = [identifier, parameters].concat();
        assert!(is_malformed(&subject_public_key_info(&algorithm, &key)));
    }
    assert!(is_malformed(b""));
    assert!(is_malformed(b"MIGfMA0GCSqGSIb3"));
}

#[test]
fn another_algorithm_is_told_from_damage() {
    let ed25519 = [&[0x06, 0x03, 0x2b, 0x65, 0x70][..], &[]].concat();
    let rsa_pss = [&RSA_ENCRYPTION[..10], &[0x0a, 5, 0]].concat();
    for algorithm in [ed25519, rsa_pss] {
        let p = subject_public_key_info(&algorithm, &rsa_public_key(&modulus(1024), F4));
        assert_eq!(rsa(&p), Err(PublicKeyError::OtherAlgorithm));
    }
}

/// Whatever one octet is changed, left out or put in: what is still accepted has no other
/// spelling than the one read.
#[test]
fn what_is_accepted_is_written_back_as_it_was() {
    let original = vector("rsa1024-e65537").subject_public_key_info;
    let mut accepted = 0;
    let mut check = |octets: &[u8]| {
        if let Ok(key) = rsa(octets) {
            accepted += 1;
            assert!(key.to_p_tag() == octets || key.to_bare() == octets, "{octets:x?}");
        }
    };
    for at in 0..original.len() {
        let mut octets = original.clone();
        for octet in 0..=u8::MAX {
            octets[at] = octet;
            check(&octets);
        }
        check(&original[..at]);
        octets = original.clone();
        octets.remove(at);
        check(&octets);
        for octet in [0, 1, 0x30, 0x7f, 0x80, 0x81, 0xff] {
            octets = original.clone();
            octets.insert(at, octet);
            check(&octets);
        }
    }
    // Other odd moduli and exponents are keys as well.
    assert!(accepted > 127 * 255);
}

#[test]
fn an_ed25519_key_is_32_octets() {
    let point = [0x5a; 32];
    let key = PublicKey::from_p_tag(KeyType::Ed25519, &point).unwrap();
    assert_eq!((key.key_type(), key.bits()), (KeyType::Ed25519, 256));
    assert_eq!(key.to_p_tag(), point);
    for len in [0, 31, 33, 64] {
        assert_eq!(
            PublicKey::from_p_tag(KeyType::Ed25519, &vec![0x5a; len]),
            Err(PublicKeyError::Length { octets: len })
        );
    }
    let identifier = [0x06, 0x03, 0x2b, 0x65, 0x70];
    let wrapped = subject_public_key_info(&identifier, &point);
    assert_eq!(PublicKey::from_p_tag(KeyType::Ed25519, &wrapped), Err(PublicKeyError::Wrapped));
    assert_eq!(rsa(&wrapped), Err(PublicKeyError::OtherAlgorithm));
    assert!(is_malformed(&point));
}

/// As tokens and other keepers of keys have it.
#[test]
fn the_integers_of_an_rsa_key_make_the_key() {
    let modulus = modulus(2048);
    let (zeros, bare) = (&modulus[..1], &modulus[1..]);
    assert_eq!(zeros, [0]);
    let key = rsa(&rsa_public_key(&modulus, F4)).unwrap();
    for (modulus, exponent) in [(bare, F4), (&modulus, F4), (bare, &[0, 0, 1, 0, 1])] {
        assert_eq!(PublicKey::from_rsa_integers(modulus, exponent).as_ref(), Ok(&key));
    }
    for (modulus, exponent, error) in [
        (bare, &[1][..], PublicKeyError::Exponent),
        (bare, &[], PublicKeyError::Exponent),
        (&[0, 0], F4, PublicKeyError::Modulus),
        (&[0xff; 1025], F4, PublicKeyError::TooLarge { bits: 8200 }),
    ] {
        assert_eq!(PublicKey::from_rsa_integers(modulus, exponent), Err(error));
    }
}
