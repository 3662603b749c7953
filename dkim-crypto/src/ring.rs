//! ring behind the joint: the default. It signs and verifies, and makes Ed25519 keys only.
//!
//! ```
//! use dkim_crypto::{KeyType, PrivateKey, Provider, SigningAlgorithm, ring};
//!
//! let key = ring::PROVIDER.generate(KeyType::Ed25519, 256)?;
//! let signing = ring::PROVIDER.signing_key(&key)?;
//! let signature = signing.sign(b"the header hash input")?;
//!
//! let verifying = ring::PROVIDER.prepare(signing.public_key())?;
//! verifying.verify(SigningAlgorithm::ED25519_SHA256, b"the header hash input", &signature)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::sync::Arc;

use ::ring::rand::{SecureRandom as _, SystemRandom};
use ::ring::signature::{
    ED25519, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY,
    RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY, RSA_PKCS1_SHA256, RsaKeyPair,
    UnparsedPublicKey,
};
use ::ring::{digest, error};
use zeroize::Zeroizing;

use crate::{
    Digest, HashAlgorithm, HashValue, KeyType, PrivateKey, PrivateKeyError, Provider, PublicKey,
    PublicKeyError, SignError, SigningAlgorithm, SigningKey, VerifyError, VerifyingKey,
};

/// ring as a provider.
pub static PROVIDER: Ring = Ring;

/// ring as a provider: see [`PROVIDER`].
///
/// It signs with RSA keys of 2048, 3072 and 4096 bits and a public exponent of 65537 or more.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Ring;

impl Provider for Ring {
    fn name(&self) -> &'static str {
        "ring"
    }

    fn digest(&self, hash: HashAlgorithm) -> Option<Box<dyn Digest>> {
        let algorithm = match hash {
            HashAlgorithm::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
            HashAlgorithm::Sha256 => &digest::SHA256,
        };
        Some(Box::new(Hash(digest::Context::new(algorithm))))
    }

    fn prepare(&self, key: &PublicKey) -> Result<Arc<dyn VerifyingKey>, PublicKeyError> {
        key.check_verifiable()?;
        Ok(Arc::new(Public { bare: key.to_bare(), key: key.clone() }))
    }

    fn signing_key(&self, key: &PrivateKey) -> Result<Arc<dyn SigningKey>, PrivateKeyError> {
        let refused = |reason: error::KeyRejected| PrivateKeyError::Refused {
            provider: self.name(),
            reason: reason.to_string(),
        };
        key.check_signable()?;
        Ok(match key.key_type() {
            KeyType::Rsa => {
                let pair = RsaKeyPair::from_der(key.expose_secret()).map_err(refused)?;
                let public = key.match_public(pair.public_key().as_ref())?;
                Arc::new(Rsa { pair, public })
            }
            KeyType::Ed25519 => {
                let pair =
                    Ed25519KeyPair::from_seed_unchecked(key.expose_secret()).map_err(refused)?;
                let public = key.match_public(pair.public_key().as_ref())?;
                Arc::new(Ed25519 { pair, public })
            }
        })
    }

    fn generate(&self, key: KeyType, _bits: u32) -> Result<PrivateKey, PrivateKeyError> {
        match key {
            KeyType::Rsa => Err(PrivateKeyError::NoRsaKeys { provider: self.name() }),
            KeyType::Ed25519 => {
                let mut seed = Zeroizing::new([0; 32]);
                SystemRandom::new()
                    .fill(&mut *seed)
                    .map_err(|_| PrivateKeyError::Failed { provider: self.name() })?;
                Ok(PrivateKey::from_ed25519_seed(&seed))
            }
        }
    }
}

struct Hash(digest::Context);

impl Digest for Hash {
    fn update(&mut self, octets: &[u8]) {
        self.0.update(octets);
    }

    fn finish(self: Box<Self>) -> HashValue {
        HashValue::new(self.0.finish().as_ref()).expect("SHA-1 and SHA-256 give 20 and 32 octets")
    }
}

/// ring keeps no parsed public key, so prepared means checked and laid out as it wants it.
struct Public {
    key: PublicKey,
    bare: Vec<u8>,
}

impl VerifyingKey for Public {
    fn verify(
        &self,
        algorithm: SigningAlgorithm,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), VerifyError> {
        if algorithm.key() != self.key.key_type() {
            return Err(VerifyError::Unsupported(algorithm));
        }
        if !self.key.admits_signature(signature) {
            return Err(VerifyError::Mismatch);
        }
        match algorithm {
            SigningAlgorithm::RSA_SHA256 => {
                let parameters = &RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY;
                UnparsedPublicKey::new(parameters, &self.bare).verify(message, signature)
            }
            SigningAlgorithm::RSA_SHA1 => {
                let parameters = &RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY;
                UnparsedPublicKey::new(parameters, &self.bare).verify(message, signature)
            }
            // RFC 8463 §3: what is signed is the SHA-256 of the header hash input.
            SigningAlgorithm::ED25519_SHA256 => {
                let hash = digest::digest(&digest::SHA256, message);
                UnparsedPublicKey::new(&ED25519, &self.bare).verify(hash.as_ref(), signature)
            }
            other => return Err(VerifyError::Unsupported(other)),
        }
        .map_err(|error::Unspecified| VerifyError::Mismatch)
    }
}

struct Rsa {
    pair: RsaKeyPair,
    public: PublicKey,
}

impl SigningKey for Rsa {
    fn algorithm(&self) -> SigningAlgorithm {
        SigningAlgorithm::RSA_SHA256
    }

    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        let mut signature = vec![0; self.pair.public().modulus_len()];
        self.pair
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)
            .map_err(|error| SignError::Failed(error.to_string()))?;
        Ok(signature)
    }
}

struct Ed25519 {
    pair: Ed25519KeyPair,
    public: PublicKey,
}

impl SigningKey for Ed25519 {
    fn algorithm(&self) -> SigningAlgorithm {
        SigningAlgorithm::ED25519_SHA256
    }

    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        // RFC 8463 §3: what is signed is the SHA-256 of the header hash input.
        let hash = digest::digest(&digest::SHA256, message);
        Ok(self.pair.sign(hash.as_ref()).as_ref().to_vec())
    }
}
