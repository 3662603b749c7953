//! Which keys are made.

use std::fmt;

use dkim_crypto::{KeyType, PrivateKey, PrivateKeyError, Provider, PublicKey};
use serde::{Deserialize, Serialize};

/// The kinds of keys that are made. RFC 8301 §3.2: signers "SHOULD use RSA keys of at least 2048
/// bits"; shorter ones are not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum KeyKind {
    /// RSA with 2048 bits, which every verifier knows, and whose record fits into one packet.
    Rsa2048,
    /// RSA with 3072 bits.
    Rsa3072,
    /// RSA with 4096 bits, the longest that every verifier must take (RFC 8301 §3.2).
    Rsa4096,
    /// Ed25519 (RFC 8463), short and fast; not every verifier knows it.
    Ed25519,
}

impl KeyKind {
    /// All kinds, the one to be taken without a reason for another first.
    pub const ALL: [Self; 4] = [Self::Rsa2048, Self::Rsa3072, Self::Rsa4096, Self::Ed25519];

    /// The name that people use, such as `rsa2048`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rsa2048 => "rsa2048",
            Self::Rsa3072 => "rsa3072",
            Self::Rsa4096 => "rsa4096",
            Self::Ed25519 => "ed25519",
        }
    }

    /// The kind of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The longest kind that a public key is not shorter than; the shortest, for an RSA key that is
    /// shorter than all.
    #[must_use]
    pub fn of(public: &PublicKey) -> Self {
        match (public.key_type(), public.bits()) {
            (KeyType::Ed25519, _) => Self::Ed25519,
            (_, 4096..) => Self::Rsa4096,
            (_, 3072..) => Self::Rsa3072,
            _ => Self::Rsa2048,
        }
    }

    /// Its key type, and the length of its keys in bits.
    #[must_use]
    pub const fn type_and_bits(self) -> (KeyType, u32) {
        match self {
            Self::Rsa2048 => (KeyType::Rsa, 2048),
            Self::Rsa3072 => (KeyType::Rsa, 3072),
            Self::Rsa4096 => (KeyType::Rsa, 4096),
            Self::Ed25519 => (KeyType::Ed25519, 256),
        }
    }
}

impl fmt::Display for KeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A private key with its public one.
#[derive(Debug)]
#[non_exhaustive]
pub struct KeyPair {
    /// What signs; zeroized when dropped.
    pub private: PrivateKey,
    /// What is published.
    pub public: PublicKey,
}

impl KeyPair {
    /// Makes a key.
    ///
    /// ```
    /// use dkim_crypto::ring::PROVIDER;
    /// use dkim_keys::{KeyKind, KeyPair};
    ///
    /// let pair = KeyPair::make(KeyKind::Ed25519, &PROVIDER)?;
    /// assert_eq!(pair.public.bits(), 256);
    /// # Ok::<(), dkim_crypto::PrivateKeyError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When the provider makes no such keys, or there are no random numbers.
    pub fn make(kind: KeyKind, provider: &'static dyn Provider) -> Result<Self, PrivateKeyError> {
        let (key_type, bits) = kind.type_and_bits();
        Self::of(provider.generate(key_type, bits)?, provider)
    }

    /// The pair that a private key belongs to.
    ///
    /// # Errors
    ///
    /// When the provider cannot sign with the key: its parts do not fit together, or it is too
    /// short.
    pub fn of(
        private: PrivateKey,
        provider: &'static dyn Provider,
    ) -> Result<Self, PrivateKeyError> {
        let public = provider.signing_key(&private)?.public_key().clone();
        Ok(Self { private, public })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_of_the_longest_kind_that_it_is_as_long_as() {
        for (bits, kind) in [
            (1024_usize, KeyKind::Rsa2048),
            (3071, KeyKind::Rsa2048),
            (3072, KeyKind::Rsa3072),
            (4096, KeyKind::Rsa4096),
            (8192, KeyKind::Rsa4096),
        ] {
            let first = 0x80 >> ((8 - bits % 8) % 8);
            let modulus = [vec![first], vec![1; bits.div_ceil(8) - 1]].concat();
            let public = PublicKey::from_rsa_integers(&modulus, &[1, 0, 1]);
            assert_eq!(public.map(|key| KeyKind::of(&key)), Ok(kind), "{bits}");
        }
    }

    #[test]
    fn kinds_are_found_by_their_names() {
        for kind in KeyKind::ALL {
            assert_eq!(KeyKind::from_name(kind.name()), Some(kind));
        }
        for none in ["rsa1024", "rsa", "RSA2048", ""] {
            assert_eq!(KeyKind::from_name(none), None, "{none}");
        }
    }
}
