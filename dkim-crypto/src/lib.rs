//! The algorithms DKIM names (RFC 6376 §3.3, RFC 8301, RFC 8463), and the one joint through which
//! they are carried out.
#![forbid(unsafe_code)]

mod algorithm;
mod private_key;
mod provider;
mod public_key;

pub use algorithm::{HashAlgorithm, KeyType, SigningAlgorithm};
pub use private_key::{PrivateKey, PrivateKeyError};
pub use provider::{Digest, HashValue, Provider, SignError, SigningKey, VerifyError, VerifyingKey};
pub use public_key::{PublicKey, PublicKeyError};
