//! Private keys as files carry them.

/// A private key in memory; zeroized when dropped.
pub struct PrivateKey {}

/// Why octets are no usable private key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PrivateKeyError {
    /// This provider does not do that.
    #[error("{provider} cannot do this")]
    Unsupported {
        /// The provider's name.
        provider: &'static str,
    },
}
