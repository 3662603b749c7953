//! Key files that go, and whatever was left of making them.

use std::fs;
use std::io;
use std::path::Path;

use super::unfinished;
use crate::directory::{directory_of, sync_directory_of};

/// Deletes what whoever was killed while making this key file left of it, which may hold a key.
///
/// # Errors
///
/// When there is something that cannot be deleted.
pub fn delete_unfinished(path: &Path) -> io::Result<()> {
    let unfinished = unfinished(path);
    for entry in fs::read_dir(directory_of(path))? {
        let entry = entry?;
        let name = entry.file_name();
        if name.as_encoded_bytes().starts_with(unfinished.as_encoded_bytes()) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Deletes a key file, with what was left of making it, and sees that it stays so; it may be gone
/// already.
///
/// # Errors
///
/// When it is there and cannot be deleted.
pub fn delete_key(path: &Path) -> io::Result<()> {
    delete_unfinished(path)?;
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
        Ok(()) => sync_directory_of(path),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_left_of_a_key_and_others_stay() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        for name in ["key.pem", ".key.pem.x1", ".key.pem.x2", "other.pem", ".other.pem.x1"] {
            fs::write(path(name), "").unwrap();
        }
        delete_unfinished(&path("key.pem")).unwrap();
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 3);
        // Once more than needed.
        for _ in 0..2 {
            delete_key(&path("key.pem")).unwrap();
            assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 2);
        }
        fs::create_dir(path("directory.pem")).unwrap();
        assert!(delete_key(&path("directory.pem")).is_err());
    }
}
