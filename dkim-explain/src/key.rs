//! Whether a key made a signature, whatever it is over.

use dkim_crypto::{HashAlgorithm, KeyType, PublicKey};

/// Whether a key made a signature, told by the signature alone. Only RSA signatures can be opened
/// with the public key (RFC 8017 §8.2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyFit {
    /// The key made it, over a header with another hash.
    Fits(HashAlgorithm),
    /// Another key made it, or the signature was damaged.
    DoesNotFit,
    /// That cannot be told: it is an Ed25519 signature.
    Unknown,
}

impl KeyFit {
    pub(crate) fn of(key: &PublicKey, signature: &[u8]) -> Self {
        if key.key_type() != KeyType::Rsa {
            return Self::Unknown;
        }
        key.signed_hash(signature).map_or(Self::DoesNotFit, Self::Fits)
    }
}
