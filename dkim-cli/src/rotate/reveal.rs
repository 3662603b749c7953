//! Private keys that everybody is to have, once nothing is signed with them any more.

use std::path::Path;

use dkim_keys::{
    Done, KeyFileError, Phase, RotatedKey, RotationState, key_file_name, read_key, reveal_key,
};
use dkim_stack::crypto::PublicKey;
use dkim_stack::{DomainName, Selector};

use crate::config::ConfigFile;
use crate::diagnostics::Failure;
use crate::exit::Exit;
use crate::key_file;
use crate::provider::provider;

/// Reveals the key of a record in this directory, seen from that of the configuration.
pub(super) fn reveal(
    (file, state): (&ConfigFile, &RotationState),
    key: &RotatedKey,
    (selector, domain): (&Selector, &DomainName),
    directory: &Path,
) -> Result<Done, Failure> {
    let path = file.path_of(&key.file);
    let unusable = |error: KeyFileError| {
        let failure = key_file::unusable(&error).on(path.display());
        failure.remedy("put it back, or take `reveal` out of the plan")
    };
    // Read once: what is looked at is what is revealed, whatever comes to stand there meanwhile.
    let private = read_key(&path).map_err(unusable)?;
    let signing = provider().signing_key(&private).map_err(KeyFileError::Key).map_err(unusable)?;
    let public = signing.public_key();
    if !key.is_key(public, provider()) {
        let path = path.display();
        return Ok(Done::NotYet(format!("not revealed: {path} holds another key by now")));
    }
    if let Some(other) = still_in_use((file, state), key, public)? {
        return Ok(Done::NotYet(format!("not revealed: it is the key of {other}, too")));
    }
    let place = file.path_of(directory).join(key_file_name(selector, domain));
    reveal_key(&private, &path, &place).map_err(|error| {
        let failure = key_file::unusable(&error).on(place.display());
        match error {
            KeyFileError::NotMade(_) => failure.remedy("make the directory, for whoever runs this"),
            KeyFileError::Exists => failure.remedy("move what is there away"),
            _ => failure,
        }
    })?;
    Ok(Done::Seen(format!("the private key is in {}, for all to read", place.display())))
}

/// Who signs with the same key, or did not long ago: a key that was copied, or taken over from
/// another name.
fn still_in_use(
    (file, state): (&ConfigFile, &RotationState),
    key: &RotatedKey,
    public: &PublicKey,
) -> Result<Option<String>, Failure> {
    let unclear = |error| Failure::of(Exit::Data, &error);
    for other in file.config.signatories(&file.directory).map_err(unclear)? {
        // What cannot be read may be the same.
        if key_file::read(&other.file)?.public_key() == public {
            let (key, selector) = (other.key, other.selector.as_str());
            return Ok(Some(format!("keys.{key} (s={selector})")));
        }
    }
    let is_waited_for = |other: &&RotatedKey| {
        let is_other = (&other.selector, &other.domain) != (&key.selector, &key.domain);
        let is_later = other.phase == Phase::Removed && other.since() > key.since();
        is_other && !other.is_gone() && (other.phase < Phase::Removed || is_later)
    };
    for other in state.keys.iter().filter(is_waited_for) {
        let path = file.path_of(&other.file);
        // It is not made yet, or deleted: then there is nobody to sign with it.
        if path.symlink_metadata().is_ok() && key_file::read(&path)?.public_key() == public {
            return Ok(Some(format!("keys.{} (s={})", other.name, other.selector)));
        }
    }
    Ok(None)
}
