//! The cryptographic library of this build.

use dkim_stack::Provider;

/// aws-lc-rs where its feature is on, because it makes RSA keys and is faster; else ring.
pub(crate) fn provider() -> &'static dyn Provider {
    #[cfg(feature = "aws-lc-rs")]
    return &dkim_stack::crypto::aws_lc::PROVIDER;
    #[cfg(all(feature = "ring", not(feature = "aws-lc-rs")))]
    return &dkim_stack::crypto::ring::PROVIDER;
    #[cfg(not(any(feature = "ring", feature = "aws-lc-rs")))]
    compile_error!("dkim-cli needs a cryptographic library: feature `aws-lc-rs` or `ring`");
}
