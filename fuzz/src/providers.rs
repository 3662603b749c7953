//! Crypto providers that let the fuzzer reach what lies behind a signature.

use std::sync::Arc;

use dkim_crypto::ring::PROVIDER as RING;
use dkim_crypto::{
    Digest, HashAlgorithm, HashValue, KeyType, Provider, PublicKey, PublicKeyError, SignError,
    SigningAlgorithm, SigningKey, VerifyError, VerifyingKey,
};

use crate::body_hash::digest;

/// Real hashes; every signature verifies.
#[derive(Debug)]
pub(crate) struct Accepting;

/// Real hashes; one signature in 256 verifies, whatever it is over.
#[derive(Debug)]
pub(crate) struct Fickle;

/// Real hashes; a signature is the SHA-256 of what is signed.
#[derive(Debug)]
pub(crate) struct Plain;

impl Provider for Accepting {
    fn name(&self) -> &'static str {
        "accepting"
    }

    fn digest(&self, hash: HashAlgorithm) -> Option<Box<dyn Digest>> {
        RING.digest(hash)
    }

    fn prepare(&self, key: &PublicKey) -> Result<Arc<dyn VerifyingKey>, PublicKeyError> {
        key.check_verifiable()?;
        Ok(Arc::new(AcceptingKey(key.key_type())))
    }

    fn verify_hash(
        &self,
        _key: &PublicKey,
        _algorithm: SigningAlgorithm,
        _hash: &HashValue,
        _signature: &[u8],
    ) -> Result<(), VerifyError> {
        Ok(())
    }
}

/// Real hashes; a signature is the hash of what is signed.
#[derive(Debug)]
pub(crate) struct PlainHash;

impl Provider for PlainHash {
    fn name(&self) -> &'static str {
        "plain hash"
    }

    fn digest(&self, hash: HashAlgorithm) -> Option<Box<dyn Digest>> {
        RING.digest(hash)
    }

    fn prepare(&self, key: &PublicKey) -> Result<Arc<dyn VerifyingKey>, PublicKeyError> {
        Accepting.prepare(key)
    }

    fn verify_hash(
        &self,
        _key: &PublicKey,
        _algorithm: SigningAlgorithm,
        hash: &HashValue,
        signature: &[u8],
    ) -> Result<(), VerifyError> {
        if hash.as_bytes() == signature { Ok(()) } else { Err(VerifyError::Mismatch) }
    }
}

struct AcceptingKey(KeyType);

impl VerifyingKey for AcceptingKey {
    fn verify(
        &self,
        algorithm: SigningAlgorithm,
        _message: &[u8],
        _signature: &[u8],
    ) -> Result<(), VerifyError> {
        if algorithm.key() == self.0 { Ok(()) } else { Err(VerifyError::Unsupported(algorithm)) }
    }
}

impl Provider for Fickle {
    fn name(&self) -> &'static str {
        "fickle"
    }

    fn digest(&self, hash: HashAlgorithm) -> Option<Box<dyn Digest>> {
        RING.digest(hash)
    }

    fn prepare(&self, key: &PublicKey) -> Result<Arc<dyn VerifyingKey>, PublicKeyError> {
        key.check_verifiable()?;
        Ok(Arc::new(FickleKey))
    }
}

struct FickleKey;

impl VerifyingKey for FickleKey {
    fn verify(
        &self,
        _algorithm: SigningAlgorithm,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), VerifyError> {
        let hash = digest(HashAlgorithm::Sha256, message);
        let is_good = hash.as_bytes().first() == signature.first();
        if is_good { Ok(()) } else { Err(VerifyError::Mismatch) }
    }
}

impl Provider for Plain {
    fn name(&self) -> &'static str {
        "plain"
    }

    fn digest(&self, hash: HashAlgorithm) -> Option<Box<dyn Digest>> {
        RING.digest(hash)
    }

    fn prepare(&self, key: &PublicKey) -> Result<Arc<dyn VerifyingKey>, PublicKeyError> {
        Ok(Arc::new(PlainKey(key.clone())))
    }
}

/// The key of [`Plain`], public and private, for `rsa-sha256`.
pub(crate) struct PlainKey(pub(crate) PublicKey);

impl VerifyingKey for PlainKey {
    fn verify(
        &self,
        algorithm: SigningAlgorithm,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), VerifyError> {
        if algorithm != SigningAlgorithm::RSA_SHA256 {
            return Err(VerifyError::Unsupported(algorithm));
        }
        let expected = digest(HashAlgorithm::Sha256, message);
        if expected.as_bytes() == signature { Ok(()) } else { Err(VerifyError::Mismatch) }
    }
}

impl SigningKey for PlainKey {
    fn algorithm(&self) -> SigningAlgorithm {
        SigningAlgorithm::RSA_SHA256
    }

    fn public_key(&self) -> &PublicKey {
        &self.0
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        Ok(digest(HashAlgorithm::Sha256, message).as_bytes().to_vec())
    }
}
