//! What a key is known by when its file may hold another.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dkim_crypto::{HashAlgorithm, Provider, PublicKey};

use super::RotatedKey;

/// The SHA-256 of a public key as `p=` carries it (RFC 6376 §3.6.1), in base64; `None` where the
/// provider has no such hash.
#[must_use]
pub fn public_sha256(public: &PublicKey, provider: &dyn Provider) -> Option<String> {
    let mut digest = provider.digest(HashAlgorithm::Sha256)?;
    digest.update(&public.to_p_tag());
    Some(STANDARD.encode(digest.finish().as_bytes()))
}

impl RotatedKey {
    /// Whether this is the key.
    #[must_use]
    pub fn is_key(&self, public: &PublicKey, provider: &dyn Provider) -> bool {
        self.public_sha256.is_some() && self.public_sha256 == public_sha256(public, provider)
    }
}
