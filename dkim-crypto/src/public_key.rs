//! Public keys as key records carry them.

use crate::KeyType;

/// A public key, its shape checked (RFC 6376 §3.6.1 `p=`, RFC 8463 §4.2).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PublicKey {
    key_type: KeyType,
    octets: Vec<u8>,
    bits: u32,
}

impl PublicKey {
    /// Reads the decoded octets of a `p=` tag.
    ///
    /// # Errors
    ///
    /// When the octets are no key of that type.
    pub fn from_p_tag(key_type: KeyType, octets: &[u8]) -> Result<Self, PublicKeyError> {
        let _ = (key_type, octets);
        Err(PublicKeyError::Malformed)
    }

    /// The key type.
    #[must_use]
    pub fn key_type(&self) -> KeyType {
        self.key_type
    }

    /// Length of the RSA modulus in bits, exact; 256 for Ed25519.
    #[must_use]
    pub fn bits(&self) -> u32 {
        self.bits
    }

    /// The octets for a `p=` tag: SubjectPublicKeyInfo for RSA, the 32 octets for Ed25519.
    #[must_use]
    pub fn to_p_tag(&self) -> Vec<u8> {
        self.octets.clone()
    }
}

/// Why octets are no usable public key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PublicKeyError {
    /// Not a key of the type named.
    #[error("malformed")]
    Malformed,
}
