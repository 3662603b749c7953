//! Private keys in files. Nothing of what stands in them is ever shown.

use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use dkim_stack::crypto::PrivateKeyError;
use dkim_stack::{PrivateKey, SigningKey};
use tempfile::NamedTempFile;
use zeroize::Zeroizing;

use crate::diagnostics::Failure;
use crate::exit::Exit;
use crate::input::read_whole;
use crate::provider::provider;

/// How long a key file may be, in octets.
const LIMIT: usize = 64 * 1024;

/// Reads a PEM file and prepares its key for signing.
pub(crate) fn read(path: &Path) -> Result<Arc<dyn SigningKey>, Failure> {
    // Room for all at once: a vector that grows leaves copies of itself behind.
    let mut pem = Zeroizing::new(Vec::with_capacity(LIMIT + 2));
    read_whole(path, LIMIT, &mut pem)?;
    PrivateKey::from_pem(&pem)
        .and_then(|key| provider().signing_key(&key))
        .map_err(|error| unusable(&error).on(path.display()))
}

fn unusable(error: &PrivateKeyError) -> Failure {
    let failure = Failure::of(Exit::Data, error);
    match error {
        PrivateKeyError::NoPem
        | PrivateKeyError::OtherAlgorithm
        | PrivateKeyError::NotPrivate { .. }
        | PrivateKeyError::TooSmall { .. } => {
            failure.remedy("make a key with `dkim keygen --type rsa2048` or `--type ed25519`")
        }
        _ => failure,
    }
}

/// Writes a key to a file that only its owner can read, and never over another.
pub(crate) fn write(path: &Path, key: &PrivateKey) -> Result<(), Failure> {
    let refused = |error: &io::Error| {
        match error.kind() {
            io::ErrorKind::AlreadyExists => exists(),
            _ => Failure::new(Exit::CannotCreate, format_args!("cannot be made: {error}")),
        }
        .on(path.display())
    };
    let directory = match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    directory.metadata().map_err(|error| refused(&error))?;
    // A temporary file has mode 0600.
    let mut file = NamedTempFile::new_in(directory).map_err(|error| refused(&error))?;
    let written = file.write_all(key.to_pkcs8_pem().as_bytes());
    written.and_then(|()| file.as_file().sync_all()).map_err(|error| refused(&error))?;
    file.persist_noclobber(path).map_err(|error| refused(&error.error))?;
    Ok(())
}

/// Refuses a path at which there is something already.
pub(crate) fn check_free(path: &Path) -> Result<(), Failure> {
    match path.symlink_metadata() {
        Ok(_) => Err(exists().on(path.display())),
        Err(_) => Ok(()),
    }
}

fn exists() -> Failure {
    Failure::new(Exit::CannotCreate, "is there already, and keys are never written over")
        .remedy("choose another selector or file, or move the old key away first")
}
