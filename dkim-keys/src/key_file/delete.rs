//! Key files that go, and whatever was left of making them.

use std::fs;
use std::io;
use std::path::Path;

use super::{RANDOM, unfinished};
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
        // What else begins like it is somebody else's, as the `.key.pem.swp` of an editor.
        let random = name.as_encoded_bytes().strip_prefix(unfinished.as_encoded_bytes());
        let is_ours =
            |random: &[u8]| random.len() == RANDOM && random.iter().all(u8::is_ascii_alphanumeric);
        if random.is_some_and(is_ours) && entry.file_type()?.is_file() {
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
        for name in ["key.pem", ".key.pem.aB34x1", ".key.pem.aB34x2"] {
            fs::write(path(name), "").unwrap();
        }
        let others = ["other.pem", ".other.pem.aB34x1", ".key.pem.swp", ".key.pem.aB-4x1"];
        for name in others {
            fs::write(path(name), "").unwrap();
        }
        fs::create_dir(path(".key.pem.folder")).unwrap();
        let left = || fs::read_dir(directory.path()).unwrap().count();
        delete_unfinished(&path("key.pem")).unwrap();
        assert_eq!(left(), others.len() + 2);
        // Once more than needed.
        for _ in 0..2 {
            delete_key(&path("key.pem")).unwrap();
            assert_eq!(left(), others.len() + 1);
        }
        assert!(others.iter().all(|name| path(name).exists()));
        fs::create_dir(path("directory.pem")).unwrap();
        assert!(delete_key(&path("directory.pem")).is_err());
    }
}
