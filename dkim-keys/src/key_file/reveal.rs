//! Private keys that everybody is to have.

use std::fs::Permissions;
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use dkim_crypto::PrivateKey;

use super::{KeyFileError, RANDOM, delete_unfinished, read_octets, unfinished};
use crate::directory::{directory_of, sync_directory_of};

/// Writes a private key, which is kept in one file, to another that everybody can read, mode 0644,
/// and never over something else: into a temporary file beside it, onto the disk, and only then
/// under its name.
/// Whoever is interrupted leaves a key or none, and the next call does the rest: the same key may be
/// there already.
///
/// # Errors
///
/// When there is something else of that name, the file cannot be made, or it would be in the
/// directory that the key is kept in.
pub fn reveal_key(key: &PrivateKey, kept: &Path, path: &Path) -> Result<(), KeyFileError> {
    let directory = directory_of(path);
    let identity = |directory: &Path| -> io::Result<(u64, u64)> {
        let metadata = directory.metadata()?;
        Ok((metadata.dev(), metadata.ino()))
    };
    let own = identity(directory_of(kept)).map_err(KeyFileError::Unreadable)?;
    // By another path it is the same: what is there would be taken for what was revealed.
    if identity(directory).map_err(KeyFileError::NotMade)? == own {
        return Err(KeyFileError::NotApart);
    }
    let text = key.to_pkcs8_pem();
    delete_unfinished(path).map_err(KeyFileError::NotMade)?;
    let write = || -> io::Result<()> {
        let mut file = tempfile::Builder::new()
            .prefix(&unfinished(path))
            .rand_bytes(RANDOM)
            .tempfile_in(directory)?;
        file.write_all(text.as_bytes())?;
        file.as_file().set_permissions(Permissions::from_mode(0o644))?;
        file.as_file().sync_all()?;
        file.persist_noclobber(path).map_err(|error| error.error)?;
        sync_directory_of(path)
    };
    match write() {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let is_same = holds(path, text.as_bytes()).map_err(KeyFileError::NotMade)?;
            if is_same { Ok(()) } else { Err(KeyFileError::Exists) }
        }
        written => written.map_err(KeyFileError::NotMade),
    }
}

/// Whether there is a file, and no link to one, that has this text.
fn holds(path: &Path, text: &[u8]) -> io::Result<bool> {
    if !path.symlink_metadata()?.is_file() {
        return Ok(false);
    }
    Ok(*read_octets(path)? == text)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::{read_key, save_new};

    /// Reveals what stands in a file.
    fn reveal(kept: &Path, path: &Path) -> Result<(), KeyFileError> {
        reveal_key(&read_key(kept)?, kept, path)
    }

    #[test]
    fn everybody_can_read_it_and_nothing_is_written_over() {
        let (kept, open) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (key, path) = (kept.path().join("key.pem"), open.path().join("key.pem"));
        save_new(&key, &PrivateKey::from_ed25519_seed(&[7; 32]), None).unwrap();
        // What one who was killed left.
        fs::write(open.path().join(".key.pem.aB34x1"), "half").unwrap();
        for _ in 0..2 {
            reveal(&key, &path).unwrap();
            assert_eq!(read_key(&path).unwrap().expose_secret(), [7; 32]);
            assert_eq!(path.metadata().unwrap().mode() & 0o7777, 0o644);
            assert_eq!(fs::read_dir(open.path()).unwrap().count(), 1);
        }
        assert_eq!(key.metadata().unwrap().mode() & 0o7777, 0o600);
        let other = kept.path().join("other.pem");
        save_new(&other, &PrivateKey::from_ed25519_seed(&[8; 32]), None).unwrap();
        assert!(matches!(reveal(&other, &path), Err(KeyFileError::Exists)));
        assert_eq!(read_key(&path).unwrap().expose_secret(), [7; 32]);
        // Not even over a link to the same, which may be another one's tomorrow.
        let link = open.path().join("link.pem");
        symlink(&path, &link).unwrap();
        assert!(matches!(reveal(&key, &link), Err(KeyFileError::Exists)));
    }

    #[test]
    fn it_is_not_revealed_among_those_that_are_kept() {
        let directory = tempfile::tempdir().unwrap();
        let key = directory.path().join("key.pem");
        save_new(&key, &PrivateKey::from_ed25519_seed(&[7; 32]), None).unwrap();
        for place in ["key.pem", "open.pem"] {
            let path = directory.path().join(place);
            assert!(matches!(reveal(&key, &path), Err(KeyFileError::NotApart)));
        }
        let link = tempfile::tempdir().unwrap();
        let link = link.path().join("open");
        symlink(directory.path(), &link).unwrap();
        assert!(matches!(reveal(&key, &link.join("key.pem")), Err(KeyFileError::NotApart)));
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
        let nowhere = directory.path().join("none/key.pem");
        assert!(matches!(reveal(&key, &nowhere), Err(KeyFileError::NotMade(_))));
    }
}
