//! aws-lc-rs behind the joint: faster than ring, keeps parsed keys, and makes RSA keys too.
//!
//! ```
//! use dkim_crypto::{KeyType, PrivateKey, Provider, SigningAlgorithm, aws_lc};
//!
//! let key = aws_lc::PROVIDER.generate(KeyType::Rsa, 2048)?;
//! let signing = aws_lc::PROVIDER.signing_key(&key)?;
//! let signature = signing.sign(b"the header hash input")?;
//!
//! let verifying = aws_lc::PROVIDER.prepare(signing.public_key())?;
//! verifying.verify(SigningAlgorithm::RSA_SHA256, b"the header hash input", &signature)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::sync::Arc;

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rand::{self, SystemRandom};
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ED25519, Ed25519KeyPair, KeyPair as _, ParsedPublicKey,
    RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY, RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY,
    RSA_PKCS1_SHA256, RsaKeyPair, UnparsedPublicKey, VerificationAlgorithm,
};
use aws_lc_rs::{digest, error};
use zeroize::Zeroizing;

use crate::{
    Digest, HashAlgorithm, HashValue, KeyType, PrivateKey, PrivateKeyError, Provider, PublicKey,
    PublicKeyError, SignError, SigningAlgorithm, SigningKey, VerifyError, VerifyingKey,
};

/// aws-lc-rs as a provider.
pub static PROVIDER: AwsLc = AwsLc;

/// aws-lc-rs as a provider: see [`PROVIDER`].
///
/// It signs with RSA keys of 2048 to 8192 bits and makes them of 2048, 3072 and 4096.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct AwsLc;

impl Provider for AwsLc {
    fn name(&self) -> &'static str {
        "aws-lc-rs"
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
        let algorithm: &'static dyn VerificationAlgorithm = match key.key_type() {
            KeyType::Rsa => &RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY,
            KeyType::Ed25519 => &ED25519,
        };
        let parsed = ParsedPublicKey::new(algorithm, key.to_bare())
            .map_err(|_| PublicKeyError::Refused { provider: self.name() })?;
        Ok(Arc::new(Public { key: key.clone(), parsed }))
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

    fn generate(&self, key: KeyType, bits: u32) -> Result<PrivateKey, PrivateKeyError> {
        let failed = |error::Unspecified| PrivateKeyError::Failed { provider: self.name() };
        match key {
            KeyType::Rsa => {
                let size = match bits {
                    2048 => KeySize::Rsa2048,
                    3072 => KeySize::Rsa3072,
                    4096 => KeySize::Rsa4096,
                    _ => return Err(PrivateKeyError::Length { bits }),
                };
                let der: Pkcs8V1Der<'_> =
                    RsaKeyPair::generate(size).and_then(|pair| pair.as_der()).map_err(failed)?;
                PrivateKey::from_der(der.as_ref())
            }
            KeyType::Ed25519 => {
                let mut seed = Zeroizing::new([0; 32]);
                rand::fill(&mut *seed).map_err(failed)?;
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

struct Public {
    key: PublicKey,
    /// Parsed for rsa-sha256 or ed25519-sha256.
    parsed: ParsedPublicKey,
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
            SigningAlgorithm::RSA_SHA256 => self.parsed.verify_sig(message, signature),
            // A parsed key is bound to its hash. Archives alone have SHA-1, so it is parsed again
            // here rather than twice for everybody.
            SigningAlgorithm::RSA_SHA1 => {
                let parameters = &RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY;
                UnparsedPublicKey::new(parameters, self.key.to_bare()).verify(message, signature)
            }
            // RFC 8463 §3: what is signed is the SHA-256 of the header hash input.
            SigningAlgorithm::ED25519_SHA256 => {
                let hash = digest::digest(&digest::SHA256, message);
                self.parsed.verify_sig(hash.as_ref(), signature)
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
        let mut signature = vec![0; self.pair.public_modulus_len()];
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
        let signature = self.pair.try_sign(hash.as_ref());
        let signature = signature.map_err(|error| SignError::Failed(error.to_string()))?;
        Ok(signature.as_ref().to_vec())
    }
}
