//! The algorithms DKIM names (RFC 6376 §3.3, RFC 8301, RFC 8463), and the one joint through which
//! they are carried out.
//!
//! A [`Provider`] is a cryptographic library behind that joint. Two are here, each under a feature
//! of its name: `ring` (the default) and `aws-lc-rs` (faster, and makes RSA keys). Keys are read
//! and checked here, the same for all: [`PublicKey`] from key records, [`PrivateKey`] from files.
//!
//! Not supported, and never to be: RSA keys under 1024 bits to verify with, RSA keys under 2048
//! bits and SHA-1 to sign with (RFC 8301).
#![forbid(unsafe_code)]

mod algorithm;
#[cfg(feature = "aws-lc-rs")]
pub mod aws_lc;
mod der;
mod pem;
mod private_key;
mod provider;
mod public_key;
#[cfg(feature = "ring")]
pub mod ring;
mod rsa;

pub use algorithm::{HashAlgorithm, KeyType, SigningAlgorithm};
pub use private_key::{PrivateKey, PrivateKeyError};
pub use provider::{Digest, HashValue, Provider, SignError, SigningKey, VerifyError, VerifyingKey};
pub use public_key::{PublicKey, PublicKeyError};
