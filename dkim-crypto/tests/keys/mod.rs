//! The keys of this directory, for the tests that need them.
#![allow(dead_code)]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

pub(crate) const RSA2048: &str = include_str!("rsa2048.pem");
pub(crate) const RSA2048_PKCS1: &str = include_str!("rsa2048.pkcs1.pem");
pub(crate) const RSA1024: &str = include_str!("rsa1024.pem");
pub(crate) const ED25519: &str = include_str!("ed25519.pem");
pub(crate) const P256: &str = include_str!("p256.pem");
pub(crate) const CERTIFICATE: &str = include_str!("certificate.pem");
pub(crate) const ENCRYPTED: &str = include_str!("encrypted.pem");
pub(crate) const ENCRYPTED_PKCS1: &str = include_str!("encrypted.pkcs1.pem");

/// What all signatures of `verify.txt` were made over.
pub(crate) const MESSAGE: &[u8] = b"from:alice@example.org\r\ndkim-signature:v=1; b=";

/// A row of `verify.txt`.
pub(crate) struct Vector {
    pub(crate) name: &'static str,
    pub(crate) hash: &'static str,
    pub(crate) subject_public_key_info: Vec<u8>,
    pub(crate) signature: Vec<u8>,
}

pub(crate) fn vectors() -> Vec<Vector> {
    let rows = include_str!("verify.txt").lines().filter(|row| !row.starts_with('#'));
    rows.map(|row| {
        let columns: Vec<_> = row.split(' ').collect();
        let [name, hash, key, signature] = columns[..] else { panic!("four columns: {row}") };
        Vector {
            name,
            hash,
            subject_public_key_info: STANDARD.decode(key).unwrap(),
            signature: STANDARD.decode(signature).unwrap(),
        }
    })
    .collect()
}

/// The first row of this name.
pub(crate) fn vector(name: &str) -> Vector {
    vectors().into_iter().find(|vector| vector.name == name).unwrap()
}

/// A DER element, its length in as few octets as will do: a twin of the crate's own writer.
pub(crate) fn element(tag: u8, contents: &[u8]) -> Vec<u8> {
    let len = u32::try_from(contents.len()).unwrap().to_be_bytes();
    let mut out = match len {
        [0, 0, 0, short @ 0..=0x7f] => vec![tag, short],
        [0, 0, 0, a] => vec![tag, 0x81, a],
        [0, 0, a, b] => vec![tag, 0x82, a, b],
        [0, a, b, c] => vec![tag, 0x83, a, b, c],
        [a, b, c, d] => vec![tag, 0x84, a, b, c, d],
    };
    out.extend(contents);
    out
}

/// An RSAPublicKey of these integers' contents octets, whatever they are.
pub(crate) fn rsa_public_key(modulus: &[u8], exponent: &[u8]) -> Vec<u8> {
    element(0x30, &[element(2, modulus), element(2, exponent)].concat())
}

/// A SubjectPublicKeyInfo of this AlgorithmIdentifier's contents and of an RSAPublicKey.
pub(crate) fn subject_public_key_info(algorithm: &[u8], key: &[u8]) -> Vec<u8> {
    let bits = element(3, &[&[0], key].concat());
    element(0x30, &[element(0x30, algorithm), bits].concat())
}

/// rsaEncryption and NULL.
pub(crate) const RSA_ENCRYPTION: &[u8] =
    &[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];
