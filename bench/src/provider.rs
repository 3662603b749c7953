//! The cryptographic libraries, and the keys that sign with them.

use std::sync::Arc;

use dkim_crypto::{PrivateKey, Provider, SigningKey};

/// The providers built in.
pub(crate) fn providers() -> Vec<&'static dyn Provider> {
    vec![
        #[cfg(feature = "ring")]
        &dkim_crypto::ring::PROVIDER,
        #[cfg(feature = "aws-lc-rs")]
        &dkim_crypto::aws_lc::PROVIDER,
    ]
}

/// A key of 2048 bits.
pub(crate) fn rsa(provider: &dyn Provider) -> Arc<dyn SigningKey> {
    let pem = include_bytes!("../../dkim-crypto/tests/keys/rsa2048.pem");
    signing_key(provider, &PrivateKey::from_pem(pem).expect("the key of the tests"))
}

/// An Ed25519 key.
pub(crate) fn ed25519(provider: &dyn Provider) -> Arc<dyn SigningKey> {
    signing_key(provider, &PrivateKey::from_ed25519_seed(&[7; 32]))
}

fn signing_key(provider: &dyn Provider, key: &PrivateKey) -> Arc<dyn SigningKey> {
    provider.signing_key(key).expect("both libraries take such keys")
}
