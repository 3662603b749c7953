//! Private key files: what is read, what is refused and in which words, and what is never told.
#![allow(clippy::unwrap_used, missing_docs)]

mod keys;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dkim_crypto::{KeyType, PrivateKey, PrivateKeyError};
use keys::element;

fn error_of(text: &str) -> PrivateKeyError {
    PrivateKey::from_pem(text.as_bytes()).unwrap_err()
}

fn der_of(pem: &str) -> Vec<u8> {
    let lines: Vec<_> = pem.lines().filter(|line| !line.starts_with('-')).collect();
    STANDARD.decode(lines.concat()).unwrap()
}

/// OneAsymmetricKey of Ed25519.
fn ed25519(version: u8, seed: &[u8], rest: &[u8]) -> Vec<u8> {
    let algorithm = element(0x30, &element(6, &[0x2b, 0x65, 0x70]));
    let private = element(4, &element(4, seed));
    element(0x30, &[&element(2, &[version]), &algorithm, &private, rest].concat())
}

#[test]
fn pkcs8_is_written_as_openssl_writes_it() {
    for text in [keys::RSA2048, keys::ED25519] {
        let key = PrivateKey::from_pem(text.as_bytes()).unwrap();
        assert_eq!(*key.to_pkcs8_pem(), text);
    }
    let key = PrivateKey::from_pem(keys::RSA2048_PKCS1.as_bytes()).unwrap();
    assert_eq!(key.key_type(), KeyType::Rsa);
    assert_eq!(*key.to_pkcs8_pem(), keys::RSA2048);
}

#[test]
fn der_and_seed_are_read_like_pem() {
    for text in [keys::RSA2048, keys::RSA2048_PKCS1, keys::ED25519] {
        let key = PrivateKey::from_der(&der_of(text)).unwrap();
        assert_eq!(
            key.to_pkcs8_pem(),
            PrivateKey::from_pem(text.as_bytes()).unwrap().to_pkcs8_pem()
        );
    }
    let der = der_of(keys::ED25519);
    let seed = der.last_chunk().unwrap();
    assert_eq!(*PrivateKey::from_ed25519_seed(seed).to_pkcs8_pem(), keys::ED25519);
}

#[test]
fn text_around_and_crlf_are_let_pass() {
    let text = format!(
        "\u{feff}localKeyID: 01\nsubject=CN = example.org\n{}\n  {}trailing text",
        keys::CERTIFICATE,
        keys::RSA2048
    );
    for text in [text.clone(), text.replace('\n', "\r\n")] {
        let key = PrivateKey::from_pem(text.as_bytes()).unwrap();
        assert_eq!(*key.to_pkcs8_pem(), keys::RSA2048);
    }
}

#[test]
fn pkcs8_version_2_may_hold_the_public_key() {
    let seed = [7; 32];
    let point = [0x5a; 32];
    let bits = [&[0], &point[..]].concat();
    let public = element(0x81, &bits);
    let early_ring = element(0xa1, &element(3, &bits));
    let attributes = element(0xa0, &[]);
    let accepted = [
        ed25519(0, &seed, &[]),
        ed25519(0, &seed, &attributes),
        ed25519(1, &seed, &[]),
        ed25519(1, &seed, &public),
        ed25519(1, &seed, &early_ring),
        ed25519(1, &seed, &[&attributes[..], &public].concat()),
    ];
    for der in accepted {
        assert_eq!(PrivateKey::from_der(&der).unwrap().key_type(), KeyType::Ed25519);
    }
    let refused = [
        ed25519(0, &seed, &public),
        ed25519(2, &seed, &[]),
        ed25519(1, &seed, &[&public[..], &public].concat()),
        ed25519(1, &seed, &element(0x82, &[])),
        ed25519(0, &seed[1..], &[]),
        [&ed25519(0, &seed, &[])[..], &[0]].concat(),
        element(0x30, &element(2, &[0])),
        element(0x30, &[element(2, &[1]), element(4, &[])].concat()),
        vec![],
    ];
    for der in refused {
        let error = PrivateKey::from_der(&der).unwrap_err();
        assert!(matches!(error, PrivateKeyError::Malformed(_)), "{error}");
    }
    let mut small_order = [0; 33];
    small_order[1] = 1;
    let error = PrivateKey::from_der(&ed25519(1, &seed, &element(0x81, &small_order)));
    assert!(matches!(error, Err(PrivateKeyError::PublicHalf(_))));
}

#[test]
fn an_encrypted_key_is_refused_with_the_remedy() {
    let error = error_of(keys::ENCRYPTED);
    assert_eq!(error, PrivateKeyError::Encrypted { line: 1 });
    assert!(error.to_string().contains("openssl pkey -in"));
    assert_eq!(error_of(keys::ENCRYPTED_PKCS1), PrivateKeyError::Encrypted { line: 2 });
}

#[test]
fn what_is_no_private_key_is_named() {
    assert_eq!(
        error_of(&format!("\n{}", keys::CERTIFICATE)),
        PrivateKeyError::NotPrivate { line: 2, found: "a certificate" }
    );
    assert!(error_of("-----BEGIN PUBLIC KEY-----\n").to_string().contains("this is a public key"));
    let openssh = error_of("-----BEGIN OPENSSH PRIVATE KEY-----\n").to_string();
    assert!(openssh.contains("OpenSSH"), "{openssh}");
    assert_eq!(error_of(""), PrivateKeyError::NoPem);
    assert_eq!(error_of("v=DKIM1; p="), PrivateKeyError::NoPem);
    assert_eq!(error_of(keys::P256), PrivateKeyError::OtherAlgorithm);
}

#[test]
fn neither_errors_nor_debug_tell_of_the_key() {
    let lines: Vec<_> = keys::RSA2048.lines().collect();
    let damaged = [
        keys::RSA2048.replacen(lines[2], &lines[2].replacen(|_| true, "#", 1), 1),
        keys::RSA2048.replacen(lines[2], &lines[2][1..], 1),
        keys::RSA2048.replacen(lines[2], "", 1),
        keys::RSA2048.replacen(lines[2], &format!("Secret: {}", lines[2]), 1),
        lines[..5].join("\n"),
        keys::RSA2048.replace("PRIVATE", "SECRET"),
    ];
    for text in damaged {
        let error = error_of(&text);
        let told = format!("{error} {error:?}");
        for line in &lines[1..lines.len() - 1] {
            for at in 0..line.len() - 8 {
                assert!(!told.contains(&line[at..at + 8]), "{told}");
            }
        }
    }
    assert_eq!(
        error_of(&keys::RSA2048.replacen(lines[2], "####", 1)).to_string(),
        "line 3: a character that is not of the base64 alphabet"
    );
    let key = PrivateKey::from_ed25519_seed(&[0xab; 32]);
    assert_eq!(format!("{key:?}"), "PrivateKey { key_type: Ed25519, .. }");
}

/// Whatever octet of a key file is changed: an answer, never a panic, and what is accepted is
/// written back as it was read, but for the version of PKCS#8, which may be 1 for no reason.
#[test]
fn damage_anywhere_is_an_answer() {
    for text in [keys::ED25519, keys::RSA1024] {
        let original = der_of(text);
        let version = original.windows(3).position(|part| part == [2, 1, 0]).unwrap() + 2;
        for at in 0..original.len() {
            let mut octets = original.clone();
            for octet in 0..=u8::MAX {
                octets[at] = octet;
                if let Ok(key) = PrivateKey::from_der(&octets) {
                    octets[version] = 0;
                    assert_eq!(der_of(&key.to_pkcs8_pem()), octets);
                }
            }
            assert!(PrivateKey::from_der(&original[..at]).is_err());
        }
    }
}
