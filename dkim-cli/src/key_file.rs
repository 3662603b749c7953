//! Private keys in files and tokens, and what to do where there is none.

use std::path::Path;
use std::sync::Arc;

use dkim_keys::{KeyFileError, is_in_token, read_key};
use dkim_stack::SigningKey;
use dkim_stack::crypto::PrivateKeyError;

use crate::diagnostics::Failure;
use crate::exit::Exit;
use crate::provider::provider;
use crate::token;

/// Reads a key file and prepares its key for signing; or opens the key in a token.
pub(crate) fn read(path: &Path) -> Result<Arc<dyn SigningKey>, Failure> {
    if is_in_token(path) {
        return token::open(&path.to_string_lossy());
    }
    read_key(path)
        .and_then(|key| provider().signing_key(&key).map_err(KeyFileError::Key))
        .map_err(|error| unusable(&error).on(path.display()))
}

/// What to tell of a key file that cannot be used or made.
pub(crate) fn unusable(error: &KeyFileError) -> Failure {
    let failure = |exit| Failure::of(exit, error);
    match error {
        KeyFileError::Key(
            PrivateKeyError::NoPem
            | PrivateKeyError::OtherAlgorithm
            | PrivateKeyError::NotPrivate { .. }
            | PrivateKeyError::TooSmall { .. },
        ) => failure(Exit::Data).remedy("make a key with `dkim key new`"),
        KeyFileError::Unreadable(_) => failure(Exit::NoInput),
        KeyFileError::Exists => failure(Exit::CannotCreate)
            .remedy("choose another selector or file, or move the old key away first"),
        KeyFileError::NotMade(_) | KeyFileError::NotGiven(_) | KeyFileError::NotApart => {
            failure(Exit::CannotCreate)
        }
        _ => failure(Exit::Data),
    }
}

/// Refuses a path at which there is something already.
pub(crate) fn check_free(path: &Path) -> Result<(), Failure> {
    match path.symlink_metadata() {
        Ok(_) => Err(unusable(&KeyFileError::Exists).on(path.display())),
        Err(_) => Ok(()),
    }
}
