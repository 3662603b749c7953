//! The algorithms DKIM names, one row each.

use std::fmt;

/// A hash algorithm of a DKIM-Signature's `a=` tag (RFC 6376 §3.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum HashAlgorithm {
    /// SHA-1. Recognized so that it can be refused by name: RFC 8301 §1 and §3.1 forbid signing and
    /// accepting with it.
    Sha1,
    /// SHA-256.
    Sha256,
}

impl HashAlgorithm {
    /// All of them.
    pub const ALL: &'static [Self] = &[Self::Sha1, Self::Sha256];

    /// The name in tag values: `sha1`, `sha256`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
        }
    }

    /// The algorithm with this name. Tag values are case-sensitive (RFC 6376 §3.2).
    #[must_use]
    pub fn from_name(name: &[u8]) -> Option<Self> {
        Self::ALL.iter().copied().find(|hash| hash.name().as_bytes() == name)
    }

    /// Length of the hash in octets.
    #[must_use]
    pub const fn output_len(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
        }
    }
}

impl fmt::Display for HashAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A key type: `k=` of a key record and the first half of `a=`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum KeyType {
    /// RSA with PKCS#1 v1.5 padding (RFC 6376 §3.3).
    Rsa,
    /// Ed25519, "PureEdDSA" over the SHA-256 of the header hash input (RFC 8463 §3).
    Ed25519,
}

impl KeyType {
    /// All of them.
    pub const ALL: &'static [Self] = &[Self::Rsa, Self::Ed25519];

    /// The name in tag values: `rsa`, `ed25519`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rsa => "rsa",
            Self::Ed25519 => "ed25519",
        }
    }

    /// The key type with this name. Tag values are case-sensitive (RFC 6376 §3.2).
    #[must_use]
    pub fn from_name(name: &[u8]) -> Option<Self> {
        Self::ALL.iter().copied().find(|key| key.name().as_bytes() == name)
    }
}

impl fmt::Display for KeyType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A signing algorithm, as `a=` names it: a key type and a hash that DKIM pairs.
///
/// ```
/// use dkim_crypto::{HashAlgorithm, SigningAlgorithm};
///
/// let a = SigningAlgorithm::from_name(b"rsa-sha256").ok_or("unknown")?;
/// assert_eq!(a.hash(), HashAlgorithm::Sha256);
/// assert_eq!(a.to_string(), "rsa-sha256");
/// assert_eq!(SigningAlgorithm::from_name(b"ed25519-sha1"), None);
/// # Ok::<(), &str>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SigningAlgorithm {
    key: KeyType,
    hash: HashAlgorithm,
    name: &'static str,
}

impl SigningAlgorithm {
    /// `rsa-sha1` (RFC 6376 §3.3.1): to verify archives only, RFC 8301 §3.1.
    pub const RSA_SHA1: Self =
        Self { key: KeyType::Rsa, hash: HashAlgorithm::Sha1, name: "rsa-sha1" };
    /// `rsa-sha256` (RFC 6376 §3.3.2).
    pub const RSA_SHA256: Self =
        Self { key: KeyType::Rsa, hash: HashAlgorithm::Sha256, name: "rsa-sha256" };
    /// `ed25519-sha256` (RFC 8463 §4.1), which §5 asks of signers and demands of verifiers.
    pub const ED25519_SHA256: Self =
        Self { key: KeyType::Ed25519, hash: HashAlgorithm::Sha256, name: "ed25519-sha256" };

    /// All of them.
    pub const ALL: &'static [Self] = &[Self::RSA_SHA1, Self::RSA_SHA256, Self::ED25519_SHA256];

    /// The key type.
    #[must_use]
    pub const fn key(self) -> KeyType {
        self.key
    }

    /// The hash, for the body and for the header alike.
    #[must_use]
    pub const fn hash(self) -> HashAlgorithm {
        self.hash
    }

    /// The name in `a=`: `rsa-sha256` and so on.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.name
    }

    /// The algorithm with this name. Tag values are case-sensitive (RFC 6376 §3.2).
    #[must_use]
    pub fn from_name(name: &[u8]) -> Option<Self> {
        Self::ALL.iter().copied().find(|algorithm| algorithm.name.as_bytes() == name)
    }
}

impl fmt::Display for SigningAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}
