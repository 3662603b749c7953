//! What may be wrong with a key file, or above it.

use std::fmt;
use std::path::{Path, PathBuf};

use dkim_crypto::PrivateKeyError;
use dkim_tags::DomainName;

use crate::Finding;
use crate::Severity::{Error, Warning};
use crate::finding::Row;

/// Something wrong with a file that holds a private key or that says what is done with it, or with a
/// directory above or below it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FileFault {
    /// Others than its owner can get at the key.
    Exposed {
        /// Its mode.
        mode: u32,
    },
    /// The file belongs to a stranger.
    Owner {
        /// The user.
        user: u32,
    },
    /// An access control list says more than the mode.
    AccessList,
    /// The file has several names.
    Linked {
        /// How many.
        names: u64,
    },
    /// The name is a symbolic link.
    Symlink {
        /// Where it leads.
        target: PathBuf,
    },
    /// Others can change a file that no secret is in, but that is obeyed.
    Writable {
        /// Its mode.
        mode: u32,
    },
    /// Such a file belongs to a stranger.
    FileOwner {
        /// The user.
        user: u32,
    },
    /// Others can change what is in the directory.
    DirectoryWritable {
        /// Its mode.
        mode: u32,
    },
    /// The directory belongs to a stranger.
    DirectoryOwner {
        /// The user.
        user: u32,
    },
    /// The directory is on a disk of other machines.
    SharedMount {
        /// What kind.
        kind: &'static str,
    },
    /// The directory is too many levels below the audited one, and was not looked into.
    TooDeep {
        /// How many levels are.
        limit: usize,
    },
    /// A copy of a key, as editors and careful people leave them.
    Backup,
    /// The same key signs for another domain.
    SharedKey {
        /// Its other file.
        with: PathBuf,
        /// The other domain.
        domain: DomainName,
    },
    /// The same key in another file.
    CopiedKey {
        /// The other file.
        from: PathBuf,
    },
    /// The key is old.
    Old {
        /// Since it was made.
        days: u64,
    },
    /// The key is too short to sign with.
    TooShort {
        /// Its length in bits.
        bits: u32,
    },
    /// The key is encrypted: nothing that signs mail could ask for the password.
    Encrypted {
        /// The line that says so.
        line: usize,
    },
    /// The file holds no usable key.
    Unusable {
        /// Why.
        why: String,
    },
    /// The file or directory cannot be read.
    Unreadable {
        /// Why.
        why: String,
    },
}

impl FileFault {
    /// The fault that keeps a key from being used.
    pub(crate) fn of_key(error: &PrivateKeyError) -> Self {
        match error {
            PrivateKeyError::TooSmall { bits, .. } => Self::TooShort { bits: *bits },
            PrivateKeyError::Encrypted { line } => Self::Encrypted { line: *line },
            error => Self::Unusable { why: error.to_string() },
        }
    }

    /// THE table.
    pub(crate) const fn row(&self) -> Row {
        let (code, severity, reference, remedy) = match self {
            Self::Exposed { .. } => (
                "key-exposed",
                Error,
                "RFC 6376 §8.3",
                "`chmod 600` the file, and replace the key if others were on the machine",
            ),
            Self::Owner { .. } => (
                "key-owner",
                Error,
                "RFC 6376 §8.3",
                "give the file to the user that signs, with `chown`, or name that user with --owner",
            ),
            Self::AccessList => (
                "key-access-list",
                Warning,
                "RFC 6376 §8.3",
                "take the list away: `setfacl -b FILE`",
            ),
            Self::Linked { .. } => (
                "key-linked",
                Warning,
                "RFC 6376 §8.3",
                "find the other names (`find / -samefile FILE`), and keep one",
            ),
            Self::Symlink { .. } => (
                "key-symlink",
                Warning,
                "RFC 6376 §8.3",
                "put the key itself there: what protects a link is not what protects the key",
            ),
            Self::Writable { .. } => (
                "file-writable",
                Error,
                "RFC 5863 §3.1",
                "`chmod go-w` the file: who can change it decides what is signed, or what is run",
            ),
            Self::FileOwner { .. } => (
                "file-owner",
                Error,
                "RFC 5863 §3.1",
                "give the file to root or to the user that signs, with `chown`, or name its user with --owner",
            ),
            Self::DirectoryWritable { .. } => (
                "directory-writable",
                Error,
                "RFC 6376 §8.3",
                "`chmod go-w` the directory: who can write there can replace the keys",
            ),
            Self::DirectoryOwner { .. } => (
                "directory-owner",
                Error,
                "RFC 6376 §8.3",
                "give the directory to root, with `chown`, or name its user with --owner",
            ),
            Self::SharedMount { .. } => (
                "shared-mount",
                Warning,
                "RFC 6376 §8.3",
                "keep keys on a disk of the machine that signs",
            ),
            Self::TooDeep { .. } => (
                "directory-deep",
                Warning,
                "RFC 5863 §3.1",
                "move its keys up; until then audit it by itself: `dkim audit --keys DIRECTORY`",
            ),
            Self::Backup => (
                "key-backup",
                Warning,
                "RFC 6376 §8.3",
                "delete the copy, or put it where copies of secrets belong",
            ),
            Self::SharedKey { .. } => (
                "key-shared",
                Warning,
                "RFC 5863 §3.1",
                "make a key for each domain: who gets one key gets all that share it",
            ),
            Self::CopiedKey { .. } => {
                ("key-copied", Warning, "RFC 6376 §8.3", "keep one file for each key")
            }
            Self::Old { .. } => (
                "key-old",
                Warning,
                "RFC 5863 §3.5",
                "make a new key under a new selector, and let the old one go when its mail is delivered",
            ),
            Self::TooShort { .. } => {
                ("key-too-short", Error, "RFC 8301 §3.2", "make a key of 2048 bits: `dkim key new`")
            }
            Self::Encrypted { .. } => (
                "key-encrypted",
                Error,
                "RFC 5863 §3.1",
                "decrypt it (`openssl pkey -in KEY -out DECRYPTED`), and let the mode of the file protect it",
            ),
            Self::Unusable { .. } => (
                "key-unusable",
                Error,
                "RFC 6376 §3.3",
                "replace the file by a key of `dkim key new`, or delete it",
            ),
            Self::Unreadable { .. } => {
                ("unreadable", Error, "RFC 6376 §8.3", "look again as a user who may read it")
            }
        };
        Row { code, severity, remedy, reference }
    }

    /// Its stable code, such as `key-exposed`.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        self.row().code
    }

    /// The finding on this file or directory.
    #[must_use]
    pub fn finding(&self, path: &Path) -> Finding {
        self.row().finding(path.display(), self)
    }
}

impl fmt::Display for FileFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exposed { mode } => {
                write!(f, "others than its owner can read or change the key (mode {mode:04o})")
            }
            Self::Owner { user } => {
                write!(f, "the key belongs to user {user}, neither root nor the one that signs")
            }
            Self::AccessList => {
                f.write_str("an access control list lets more users in than the mode tells")
            }
            Self::Linked { names } => write!(f, "the file has {names} names (hard links)"),
            Self::Symlink { target } => write!(f, "a symbolic link to {}", target.display()),
            Self::Writable { mode } => {
                write!(f, "others than its owner can change the file (mode {mode:04o})")
            }
            Self::FileOwner { user } => {
                write!(f, "the file belongs to user {user}, neither root nor the one that signs")
            }
            Self::DirectoryWritable { mode } => {
                write!(f, "others can put files into this directory (mode {mode:04o})")
            }
            Self::DirectoryOwner { user } => {
                write!(
                    f,
                    "the directory belongs to user {user}, neither root nor the one that signs"
                )
            }
            Self::SharedMount { kind } => {
                write!(f, "on a disk shared with other machines ({kind})")
            }
            Self::TooDeep { limit } => {
                write!(f, "more than {limit} levels below the audited directory: not looked into")
            }
            Self::Backup => f.write_str("a copy of a private key, by its name"),
            Self::SharedKey { with, domain } => {
                write!(f, "the same key as {} signs for another domain, {domain}", with.display())
            }
            Self::CopiedKey { from } => write!(f, "the same key as in {}", from.display()),
            Self::Old { days } => write!(f, "the key has not been changed for {days} days"),
            Self::TooShort { bits } => {
                write!(f, "an RSA key of {bits} bits, too short to sign with")
            }
            Self::Encrypted { line } => write!(f, "line {line}: the private key is encrypted"),
            Self::Unusable { why } => write!(f, "not a key that signs: {why}"),
            Self::Unreadable { why } => write!(f, "cannot be read: {why}"),
        }
    }
}
