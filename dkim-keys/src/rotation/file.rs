//! The state on disk: read by everybody, replaced as a whole by one at a time.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, fchown};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

use super::{RotationState, StateError};
use crate::key_file::unfinished;

/// The file that says where each key of a configuration stands, beside the configuration.
///
/// It is replaced by a rename, which is the moment at which another key signs: whoever reads it sees
/// the old state or the new one.
#[derive(Clone, Debug)]
pub struct StateFile {
    path: PathBuf,
    directory: PathBuf,
    config: PathBuf,
}

impl StateFile {
    /// Its name.
    pub const NAME: &str = "rotation.toml";

    /// The longest that is read, in octets.
    const MAX_LEN: u64 = 64 * 1024 * 1024;

    /// That of the configuration in this file.
    #[must_use]
    pub fn beside(config: &Path) -> Self {
        let directory = match config.parent() {
            Some(parent) if parent != Path::new("") => parent.to_owned(),
            _ => PathBuf::from("."),
        };
        Self { path: directory.join(Self::NAME), directory, config: config.to_owned() }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads the state; where there is no file, nothing has been done yet.
    ///
    /// # Errors
    ///
    /// When there is one that cannot be read.
    pub fn read(&self) -> Result<RotationState, StateFileError> {
        let file = match File::open(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(RotationState::default());
            }
            file => file.map_err(StateFileError::Unreadable)?,
        };
        let mut text = String::new();
        let read = file.take(Self::MAX_LEN).read_to_string(&mut text);
        read.map_err(StateFileError::Unreadable)?;
        Ok(RotationState::parse(&text)?)
    }

    /// Lets nobody else change the state until what this returns is dropped.
    ///
    /// The lock is on the directory, since the file is another one after each step. It goes with the
    /// process that holds it, however that ends.
    ///
    /// # Errors
    ///
    /// [`StateFileError::Busy`] when somebody else has it.
    pub fn lock(self) -> Result<LockedState, StateFileError> {
        let directory = File::open(&self.directory).map_err(StateFileError::Unreadable)?;
        match flock(&directory, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(LockedState { file: self, directory }),
            Err(rustix::io::Errno::WOULDBLOCK) => Err(StateFileError::Busy),
            Err(error) => Err(StateFileError::Unreadable(error.into())),
        }
    }
}

/// A [`StateFile`] that nobody else changes.
#[derive(Debug)]
pub struct LockedState {
    file: StateFile,
    /// It holds the lock.
    directory: File,
}

impl LockedState {
    /// The file.
    #[must_use]
    pub const fn file(&self) -> &StateFile {
        &self.file
    }

    /// Replaces the state: a new file beside it, with the owner and mode of the configuration, whose
    /// readers are those of the state, then onto the disk, then under its name.
    ///
    /// # Errors
    ///
    /// When that fails. Then the state is as it was, unless only the directory could not be written
    /// onto the disk.
    pub fn save(&self, state: &RotationState) -> Result<(), StateFileError> {
        let text = state.to_toml()?;
        let mut name = self.file.path.clone().into_os_string();
        name.push(".new");
        let new = PathBuf::from(name);
        let write = || -> io::Result<()> {
            // What somebody left who was stopped half-way.
            match fs::remove_file(&new) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            let mut file =
                OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
            let like = fs::metadata(&self.file.config)?;
            let own = file.metadata()?;
            if (own.uid(), own.gid()) != (like.uid(), like.gid()) {
                // Only root can give files away; others let the group read it, if it is theirs.
                let _ = fchown(&file, Some(like.uid()), Some(like.gid()))
                    .or_else(|_| fchown(&file, None, Some(like.gid())));
            }
            file.set_permissions(like.permissions())?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            fs::rename(&new, &self.file.path)?;
            self.directory.sync_all()
        };
        write().map_err(StateFileError::Unwritable)
    }

    /// Deletes what whoever was killed while making a key file left of it, which may hold a key.
    ///
    /// # Errors
    ///
    /// When there is something that cannot be deleted.
    pub fn tidy(&self, file: &Path) -> io::Result<()> {
        let path = self.file.directory.join(file);
        let unfinished = unfinished(&path);
        for entry in fs::read_dir(path.parent().unwrap_or(&self.file.directory))? {
            let entry = entry?;
            let name = entry.file_name();
            if name.as_encoded_bytes().starts_with(unfinished.as_encoded_bytes()) {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }

    /// Deletes a key file, seen from the directory, with what was left of making it, and sees that it
    /// stays so; it may be gone already.
    ///
    /// # Errors
    ///
    /// When it is there and cannot be deleted.
    pub fn delete(&self, file: &Path) -> io::Result<()> {
        self.tidy(file)?;
        match fs::remove_file(self.file.directory.join(file)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
            Ok(()) => self.directory.sync_all(),
        }
    }
}

/// Why there is no state, or no new one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StateFileError {
    /// The file or its directory cannot be read.
    #[error("cannot be read: {0}")]
    Unreadable(#[source] io::Error),
    /// The file cannot be replaced.
    #[error("cannot be replaced: {0}")]
    Unwritable(#[source] io::Error),
    /// It is no state.
    #[error(transparent)]
    State(#[from] StateError),
    /// Somebody else is at it.
    #[error("somebody else is changing it")]
    Busy,
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn one_at_a_time_replaces_it() {
        let directory = tempfile::tempdir().unwrap();
        let config = directory.path().join("config.toml");
        fs::write(&config, "").unwrap();
        fs::set_permissions(&config, fs::Permissions::from_mode(0o640)).unwrap();
        let file = StateFile::beside(&config);
        assert_eq!(file.read().unwrap(), RotationState::default());
        let locked = file.clone().lock().unwrap();
        assert!(matches!(file.clone().lock(), Err(StateFileError::Busy)));
        let state = RotationState { hook_pending: true, ..RotationState::default() };
        // What a stopped one left does not matter.
        fs::write(directory.path().join("rotation.toml.new"), "half").unwrap();
        locked.save(&state).unwrap();
        assert_eq!(file.read().unwrap(), state);
        let mode = fs::metadata(file.path()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o640);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 2);
        drop(locked);
        let locked = file.clone().lock().unwrap();
        for name in ["key.pem", ".key.pem.x1", ".key.pem.x2"] {
            fs::write(directory.path().join(name), "").unwrap();
        }
        for _ in 0..2 {
            locked.delete(Path::new("key.pem")).unwrap();
        }
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 2);
        fs::write(file.path(), "no state").unwrap();
        assert!(matches!(file.read(), Err(StateFileError::State(_))));
    }

    #[test]
    fn a_state_that_cannot_be_written_stays_as_it_was() {
        let directory = tempfile::tempdir().unwrap();
        let config = directory.path().join("config.toml");
        fs::write(&config, "").unwrap();
        let file = StateFile::beside(&config);
        let locked = file.clone().lock().unwrap();
        let state = RotationState { hook_pending: true, ..RotationState::default() };
        locked.save(&state).unwrap();
        // Something that cannot be removed as a file is in the way.
        fs::create_dir(directory.path().join("rotation.toml.new")).unwrap();
        assert!(matches!(
            locked.save(&RotationState::default()),
            Err(StateFileError::Unwritable(_))
        ));
        assert_eq!(file.read().unwrap(), state);
    }
}
