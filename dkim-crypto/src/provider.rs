//! The joint: what a cryptographic library does for DKIM, and nothing of DKIM in it.

use std::any::Any;
use std::fmt;
use std::ptr;
use std::sync::Arc;

use crate::{
    HashAlgorithm, KeyType, PrivateKey, PrivateKeyError, PublicKey, PublicKeyError,
    SigningAlgorithm, rsa,
};

/// A cryptographic library behind the one joint through which DKIM reaches it.
///
/// Passed in as `&'static dyn Provider`; there is no process-wide default. Inputs are octets: no
/// header field, canonicalization or tag comes through here.
pub trait Provider: Any + fmt::Debug + Send + Sync {
    /// The library's name for `--version` and reports, such as `ring`.
    fn name(&self) -> &'static str;

    /// Starts a hash; `None` when this library does not offer it.
    fn digest(&self, hash: HashAlgorithm) -> Option<Box<dyn Digest>>;

    /// Prepares a public key for verifying. The result may be kept and shared.
    ///
    /// # Errors
    ///
    /// When the library cannot use the key, such as an RSA key under 1024 bits.
    fn prepare(&self, key: &PublicKey) -> Result<Arc<dyn VerifyingKey>, PublicKeyError>;

    /// Verifies an RSA signature over a hash that is at hand, where what was signed is too long to
    /// be kept, as a whole message is (RFC 4870 §3.4.2). Few libraries offer that, so it is here,
    /// the same for all; one that does may do it faster.
    ///
    /// # Errors
    ///
    /// [`VerifyError::Mismatch`] when the signature is not one of this key over this hash;
    /// [`VerifyError::Unsupported`] when key, algorithm and hash do not belong together, and for
    /// keys that [`prepare`](Self::prepare) would refuse.
    fn verify_hash(
        &self,
        key: &PublicKey,
        algorithm: SigningAlgorithm,
        hash: &HashValue,
        signature: &[u8],
    ) -> Result<(), VerifyError> {
        rsa::verify_hash(key, algorithm, hash, signature)
    }

    /// Prepares a private key for signing.
    ///
    /// # Errors
    ///
    /// When the library cannot use the key, such as an RSA key under 2048 bits.
    fn signing_key(&self, key: &PrivateKey) -> Result<Arc<dyn SigningKey>, PrivateKeyError> {
        let _ = key;
        Err(PrivateKeyError::Unsupported { provider: self.name() })
    }

    /// Makes a new private key. `bits` is the RSA modulus length and is ignored for Ed25519.
    ///
    /// # Errors
    ///
    /// When the library makes no such keys: ring makes no RSA keys.
    fn generate(&self, key: KeyType, bits: u32) -> Result<PrivateKey, PrivateKeyError> {
        let _ = (key, bits);
        Err(PrivateKeyError::Unsupported { provider: self.name() })
    }
}

impl dyn Provider {
    /// Whether this is the provider given: a key that one has prepared is not another's.
    #[must_use]
    pub fn is_same_as(&self, other: &dyn Provider) -> bool {
        let type_of = |provider: &dyn Any| provider.type_id();
        // Without fields, one value of a type is like any other, wherever it stands.
        type_of(self) == type_of(other) && (size_of_val(self) == 0 || ptr::addr_eq(self, other))
    }
}

/// A hash being computed.
pub trait Digest: Send {
    /// Takes more octets.
    fn update(&mut self, octets: &[u8]);
    /// The hash of all octets taken.
    fn finish(self: Box<Self>) -> HashValue;
}

/// A hash: 20 or 32 octets.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct HashValue {
    octets: [u8; Self::MAX],
    len: usize,
}

impl HashValue {
    const MAX: usize = 32;

    /// Takes over a hash of at most 32 octets; `None` if it is longer.
    #[must_use]
    pub fn new(hash: &[u8]) -> Option<Self> {
        let mut octets = [0; Self::MAX];
        octets.get_mut(..hash.len())?.copy_from_slice(hash);
        Some(Self { octets, len: hash.len() })
    }

    /// The octets.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.octets.get(..self.len).unwrap_or_default()
    }
}

impl fmt::Debug for HashValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_bytes().iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

/// A public key ready to verify.
pub trait VerifyingKey: Send + Sync {
    /// Verifies `signature` over `message`, the whole header hash input: the implementation hashes.
    ///
    /// # Errors
    ///
    /// [`VerifyError::Mismatch`] when the signature is not one of this key over this message;
    /// [`VerifyError::Unsupported`] when key and algorithm do not belong together.
    fn verify(
        &self,
        algorithm: SigningAlgorithm,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), VerifyError>;
}

/// Why a signature did not verify.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// Not a signature of this key over this message.
    #[error("the signature is not one of this key over this header")]
    Mismatch,
    /// The key's type is not the algorithm's.
    #[error("the key cannot be used with {0}")]
    Unsupported(SigningAlgorithm),
}

/// A private key ready to sign.
pub trait SigningKey: Send + Sync {
    /// The algorithm it signs with: `rsa-sha256` or `ed25519-sha256`, never SHA-1 (RFC 8301 §3.1).
    fn algorithm(&self) -> SigningAlgorithm;

    /// The public half, for the key record.
    fn public_key(&self) -> &PublicKey;

    /// Signs `message`, the whole header hash input: the implementation hashes. A key that is elsewhere
    /// may block until it answers.
    ///
    /// # Errors
    ///
    /// When the library fails, for instance for want of random numbers.
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError>;
}

impl fmt::Debug for dyn SigningKey + '_ {
    /// Which key it is, by its public half; nothing of the other.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SigningKey").field(self.public_key()).finish()
    }
}

/// Why a signature was not made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignError {
    /// The library refused, with its own words where it has some.
    #[error("the cryptographic library did not sign: {0}")]
    Failed(String),
    /// The key is elsewhere, and whoever has it refused, with their own words.
    #[error("the keeper of the key did not sign: {0}")]
    Refused(String),
    /// The key is elsewhere, and out of reach for now: another time it may sign.
    #[error("the key is out of reach: {0}")]
    OutOfReach(String),
}
