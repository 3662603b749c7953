//! Another implementation, as seen from here.

use std::collections::BTreeMap;

use anyhow::Result;

use super::About;
use crate::workspace;

/// A key and the algorithm it signs with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Algorithm {
    Rsa,
    Ed25519,
}

impl Algorithm {
    pub(super) const ALL: [Self; 2] = [Self::Rsa, Self::Ed25519];

    /// As in `a=`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Rsa => "rsa-sha256",
            Self::Ed25519 => "ed25519-sha256",
        }
    }

    /// As in `k=`; the key stands at a selector of the same name.
    pub(super) fn selector(self) -> &'static str {
        match self {
            Self::Rsa => "rsa",
            Self::Ed25519 => "ed25519",
        }
    }

    /// The private key; RSA in PKCS#1, which everybody reads.
    pub(super) fn pem(self) -> &'static str {
        match self {
            Self::Rsa => include_str!("../../../dkim-testkit/vectors/keys/rsa2048.pkcs1.pem"),
            Self::Ed25519 => include_str!("../../../dkim-testkit/vectors/keys/ed25519.pem"),
        }
    }

    pub(super) fn key_file(self) -> std::path::PathBuf {
        workspace::path(match self {
            Self::Rsa => "dkim-testkit/vectors/keys/rsa2048.pkcs1.pem",
            Self::Ed25519 => "dkim-testkit/vectors/keys/ed25519.pem",
        })
    }
}

/// A signature to be made.
pub(super) struct Order {
    pub(super) message: Vec<u8>,
    pub(super) algorithm: Algorithm,
    /// As in `c=`.
    pub(super) form: &'static str,
    /// As in `h=`, name by name.
    pub(super) fields: Vec<String>,
    /// Whether the length of the body is told in `l=`.
    pub(super) length: bool,
}

/// What came of one message; the error is the peer's, in its own words.
pub(super) type Answer<T> = Result<T, String>;

/// Another implementation of DKIM.
pub(super) trait Peer {
    fn name(&self) -> &'static str;

    /// Its version, or `None` if it is not installed.
    fn version(&self) -> Option<String>;

    /// What to type where it is not.
    fn how_to_install(&self) -> &'static str;

    fn knows(&self, algorithm: Algorithm, version: &str) -> bool;

    /// Whether it sees the octets between a field's colon and its text. One that takes them for a
    /// single space cannot judge other fields in `simple` form.
    fn keeps_first_blanks(&self) -> bool;

    /// What is known to be wrong with it, where RFC 6376 leaves no doubt.
    fn known_fault(&self, about: &About) -> Option<&'static str>;

    /// What is wrong with the signatures it hands out, and mended before we see them, so that a
    /// fault of ours would still show.
    fn mended(&self, _: Algorithm, _form: &str) -> Option<&'static str> {
        None
    }

    /// Whether each message passes, against these TXT records by name.
    fn verify(
        &self,
        messages: &[Vec<u8>],
        records: &BTreeMap<String, String>,
    ) -> Result<Vec<Answer<bool>>>;

    /// Each message with its signature on top.
    fn sign(
        &self,
        messages: &[Vec<u8>],
        algorithm: Algorithm,
        form: &'static str,
    ) -> Result<Vec<Answer<Vec<u8>>>>;
}
