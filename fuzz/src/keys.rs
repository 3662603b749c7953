//! Public and private keys.

use dkim_crypto::ring::PROVIDER;
use dkim_crypto::{HashAlgorithm, HashValue, KeyType, PrivateKey, Provider, PublicKey};

use crate::said::unless_refused;

/// A key has one spelling for each of its forms, and reads back from it; the library takes what we
/// take, from 1024 bits on, and survives any signature.
pub fn public_key(data: &[u8]) {
    for key_type in [KeyType::Rsa, KeyType::Ed25519] {
        let Some(key) = unless_refused(PublicKey::from_p_tag(key_type, data)) else { continue };
        assert_eq!(key.key_type(), key_type);
        // DER has one way to say a thing.
        assert!(data == key.to_p_tag() || data == key.to_bare(), "{key:?}");
        for form in [key.to_p_tag(), key.to_bare()] {
            assert_eq!(PublicKey::from_p_tag(key_type, &form).as_ref(), Ok(&key));
        }
        if let Some(modulus) = key.modulus() {
            let bits: u32 = modulus.iter().fold(0, |bits, octet| match bits {
                0 => 8 - octet.leading_zeros(),
                bits => bits + 8,
            });
            assert_eq!(key.bits(), bits);
            assert!(bits <= PublicKey::MAX_RSA_BITS);
            assert!(key.exponent().is_some_and(|exponent| exponent >= 3 && exponent % 2 == 1));
        }
        let prepared = PROVIDER.prepare(&key);
        assert_eq!(prepared.is_ok(), key.bits() >= 1024 || key_type == KeyType::Ed25519);
        if let Ok(prepared) = prepared {
            for algorithm in ["rsa-sha256", "rsa-sha1", "ed25519-sha256"] {
                let algorithm = dkim_crypto::SigningAlgorithm::from_name(algorithm.as_bytes())
                    .expect("DKIM names it");
                let octets = key.modulus().map_or(64, <[u8]>::len);
                for octet in [0, 1, 0xff] {
                    let signature = vec![octet; octets];
                    let verified = prepared.verify(algorithm, b"m", &signature);
                    // Zeros and ones all through are no padding to any exponent of use.
                    assert!(verified.is_err() || octet == 0xff);
                    // Our own arithmetic, for DomainKeys; of long keys it takes long.
                    if key_type == KeyType::Rsa && key.bits() <= 2048 {
                        let hash = hash(algorithm.hash());
                        let by_hash = PROVIDER.verify_hash(&key, algorithm, &hash, &signature);
                        assert_eq!(by_hash.is_ok(), verified.is_ok());
                    }
                }
            }
        }
    }
}

/// Of the message that is verified.
fn hash(algorithm: HashAlgorithm) -> HashValue {
    let mut digest = PROVIDER.digest(algorithm).expect("ring has all of DKIM");
    digest.update(b"m");
    digest.finish()
}

/// A key that is read is written and read again as the same; what the library makes of it signs for
/// its own public key or not at all; nothing of the input gets into an error.
pub fn private_key(data: &[u8]) {
    for read in [PrivateKey::from_pem, PrivateKey::from_der] {
        match read(data) {
            Ok(key) => assert_works(&key),
            Err(error) => assert_silent(data, &format!("{error} {error:?}")),
        }
    }
}

fn assert_works(key: &PrivateKey) {
    let pem = key.to_pkcs8_pem();
    let again = PrivateKey::from_pem(pem.as_bytes()).expect("it was written just now");
    assert_eq!(again.key_type(), key.key_type());
    assert_eq!(again.expose_secret(), key.expose_secret());
    assert_eq!(format!("{key:?}"), format!("PrivateKey {{ key_type: {:?}, .. }}", key.key_type()));
    match PROVIDER.signing_key(key) {
        Ok(signing) => {
            let public = signing.public_key();
            // A key whose parts do not belong together may be noticed as late as here.
            let Ok(signature) = signing.sign(b"message") else { return };
            let verifying = PROVIDER.prepare(public).expect("a key that signs verifies");
            assert!(verifying.verify(signing.algorithm(), b"message", &signature).is_ok());
            assert!(verifying.verify(signing.algorithm(), b"massage", &signature).is_err());
        }
        Err(error) => {
            let secret = key.expose_secret();
            assert_silent(secret, &format!("{error} {error:?}"));
        }
    }
}

/// No run of 24 octets of the input stands in what is said about it.
fn assert_silent(input: &[u8], said: &str) {
    let base64 = |octet: &u8| octet.is_ascii_alphanumeric() || b"+/=".contains(octet);
    for run in input.split(|octet| !base64(octet)).filter(|run| run.len() >= 24) {
        let run = String::from_utf8_lossy(run);
        assert!(!said.contains(&*run), "{said}");
    }
}
