//! What steps do in the world.

use std::path::Path;

use dkim_tags::{DomainName, Selector, UnixTime};

use super::{RotatedKey, RotationState};

/// What is done in the world between two states. Everything may be asked for again after a stop
/// half-way, and must then lead to the same.
pub trait Hands {
    /// Why something was not done.
    type Error: std::error::Error;

    /// A private key that is in no file yet.
    type PrivateKey;

    /// Whether a new key may have this selector: nothing is published under it, and there is no file
    /// of such a key. What stands there may be in use, and would be replaced.
    ///
    /// # Errors
    ///
    /// When that cannot be told; the step can be tried again.
    fn is_free(&mut self, domain: &DomainName, selector: &Selector) -> Result<bool, Self::Error>;

    /// Whether the key's file holds the key that the state tells; `None` if there is no file. One
    /// that the state tells nothing of is another's.
    ///
    /// # Errors
    ///
    /// When that cannot be told; the step can be tried again.
    fn holds_key(&mut self, key: &RotatedKey) -> Result<Option<bool>, Self::Error>;

    /// Makes a private key, which is in no file yet, with its
    /// [`public_sha256`](RotatedKey::public_sha256).
    ///
    /// # Errors
    ///
    /// When that fails; the step can be tried again.
    fn make_key(&mut self, key: &RotatedKey) -> Result<(Self::PrivateKey, String), Self::Error>;

    /// Puts a private key into the key's file, and says whether it did: where there is a file
    /// already, that stays as it is.
    ///
    /// # Errors
    ///
    /// When that fails; the step can be tried again.
    fn save_key(
        &mut self,
        key: &RotatedKey,
        private: Self::PrivateKey,
    ) -> Result<bool, Self::Error>;

    /// Publishes the key's record. One of another key that stands at its name is let be.
    ///
    /// # Errors
    ///
    /// When that fails; the step can be tried again.
    fn publish(&mut self, key: &RotatedKey) -> Result<Done, Self::Error>;

    /// Who else needs the record of a key that signs no more.
    ///
    /// # Errors
    ///
    /// When that cannot be told; the step can be tried again.
    fn sharer(&mut self, key: &RotatedKey) -> Result<Option<Sharer>, Self::Error>;

    /// Publishes that the key is revoked: its record with an empty `p=`.
    ///
    /// # Errors
    ///
    /// When that fails; the step can be tried again.
    fn publish_revocation(&mut self, key: &RotatedKey) -> Result<Done, Self::Error>;

    /// Takes the key's record out of the DNS, and no other's.
    ///
    /// # Errors
    ///
    /// When that fails; the step can be tried again.
    fn withdraw(&mut self, key: &RotatedKey) -> Result<Done, Self::Error>;

    /// Signs a message with the key and verifies it with what every server says.
    ///
    /// # Errors
    ///
    /// When that fails; the step can be tried again.
    fn prove(&mut self, key: &RotatedKey) -> Result<Done, Self::Error>;

    /// Whether no server shows a record of the key; none is asked to do anything.
    ///
    /// # Errors
    ///
    /// When that cannot be told; the step can be tried again.
    fn is_withdrawn(&mut self, key: &RotatedKey) -> Result<Done, Self::Error>;

    /// Deletes the private key's file, if it is there. Where the key is not in a file of its own, that
    /// is left to a person: what has to be done is returned, and nothing is held up. So is a file that
    /// holds another key by now.
    ///
    /// # Errors
    ///
    /// When that fails; the step can be tried again.
    fn delete(&mut self, key: &RotatedKey) -> Result<Option<String>, Self::Error>;

    /// Puts the private key into this directory, seen from that of the configuration, for everybody
    /// to read, unless something signs with it still, or its file holds another key by now.
    ///
    /// # Errors
    ///
    /// When that fails; the step can be tried again.
    fn reveal(&mut self, key: &RotatedKey, directory: &Path) -> Result<Done, Self::Error>;

    /// Tells whoever signs that the signing key has changed.
    ///
    /// # Errors
    ///
    /// When that fails; it is tried again.
    fn hook(&mut self) -> Result<(), Self::Error>;

    /// Replaces the state by this one, whole or not at all.
    ///
    /// # Errors
    ///
    /// When that fails; the state is as it was.
    fn save(&mut self, state: &RotationState) -> Result<(), Self::Error>;
}

/// What came of something that others may have to do.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Done {
    /// It is done and every server shows it: the evidence.
    Seen(String),
    /// Not yet: what is waited for, or what a person has to do.
    NotYet(String),
}

/// Another key of the configuration whose record is that of a key that retires.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Sharer {
    /// It signs: which key by which name.
    Signs(String),
    /// It signed, and mail of it may be on its way.
    Signed {
        /// Which key by which name.
        what: String,
        /// Until when.
        until: UnixTime,
    },
}
