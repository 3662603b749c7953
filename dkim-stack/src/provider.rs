//! The cryptographic library that this build was made with.

use dkim_crypto::Provider;

/// The cryptographic library that this build was made with: `ring` where its feature is on, else
/// `aws-lc-rs`. Either can be named and passed instead, where both are built in.
#[must_use]
pub fn provider() -> &'static dyn Provider {
    #[cfg(feature = "ring")]
    return &dkim_crypto::ring::PROVIDER;
    #[cfg(not(feature = "ring"))]
    return &dkim_crypto::aws_lc::PROVIDER;
}
