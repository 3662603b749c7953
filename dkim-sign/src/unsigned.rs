//! A signature that lacks nothing but the key's.

use dkim_crypto::{SignError, SigningAlgorithm, SigningKey};
use dkim_tags::{DomainName, Selector, Signature};

/// A signature prepared and not yet made (RFC 6376 §5.5).
///
/// Where the key is at hand, [`sign`](Self::sign) is all there is to do. Where it is elsewhere (an
/// HSM, a service, another thread), hand [`input`](Self::input) over and bring the signature back
/// to [`complete`](Self::complete).
#[derive(Clone, Debug)]
pub struct Unsigned {
    signature: Signature,
    input: Vec<u8>,
}

impl Unsigned {
    pub(crate) fn new(signature: Signature, input: Vec<u8>) -> Self {
        Self { signature, input }
    }

    /// Whose signature it will be: with the selector, which key to sign with.
    #[must_use]
    pub fn sdid(&self) -> &DomainName {
        &self.signature.sdid
    }

    /// The selector of the key to sign with.
    #[must_use]
    pub fn selector(&self) -> &Selector {
        &self.signature.selector
    }

    /// The algorithm to sign with.
    #[must_use]
    pub fn algorithm(&self) -> SigningAlgorithm {
        self.signature.algorithm
    }

    /// The octets to sign: the input of the header hash (RFC 6376 §3.7). RSA signs their SHA-256
    /// with PKCS#1 v1.5 padding; Ed25519 signs their SHA-256 as its message (RFC 8463 §3).
    #[must_use]
    pub fn input(&self) -> &[u8] {
        &self.input
    }

    /// Takes the signature over [`input`](Self::input).
    #[must_use]
    pub fn complete(mut self, signature: Vec<u8>) -> Signature {
        self.signature.signature = signature;
        self.signature
    }

    /// Signs with a key at hand: the one that is published under this selector, which nobody here can
    /// tell from another of its type.
    ///
    /// # Errors
    ///
    /// When the key is of another algorithm, or fails.
    pub fn sign(self, key: &dyn SigningKey) -> Result<Signature, UnsignedError> {
        // RFC 6376 §5.6: "signed using the algorithm specified in the "a=" tag".
        if key.algorithm() != self.algorithm() {
            let (key, request) = (key.algorithm(), self.algorithm());
            return Err(UnsignedError::WrongKey { key, request });
        }
        let signature = key.sign(&self.input)?;
        Ok(self.complete(signature))
    }
}

/// Why a signature was not made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UnsignedError {
    /// The key is of another algorithm than the request.
    #[error("the key signs with {key}, and {request} was asked for")]
    WrongKey {
        /// The key's algorithm.
        key: SigningAlgorithm,
        /// The request's.
        request: SigningAlgorithm,
    },
    /// The key failed.
    #[error(transparent)]
    Key(#[from] SignError),
}
