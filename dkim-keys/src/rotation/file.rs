//! The state on disk: read by everybody, replaced as a whole by one at a time.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, fchown};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{RotationState, StateError};
use crate::directory::{sync_directory_of, target_of};
use crate::{Lock, LockError};

/// The file that says where each key of a configuration stands, beside the configuration and named
/// after it: `config.rotation.toml` for `config.toml`, `NAME.rotation` for any other name.
///
/// It is replaced by a rename, which is the moment at which another key signs: whoever reads it sees
/// the old state or the new one.
#[derive(Clone, Debug)]
pub struct StateFile {
    path: PathBuf,
    config: PathBuf,
    /// Where it would be beside the link that leads to the configuration, if one does.
    beside_link: Option<PathBuf>,
}

impl StateFile {
    /// The longest that is read, in octets.
    const MAX_LEN: u64 = 64 * 1024 * 1024;

    /// That of the configuration in this file; where a symbolic link leads to it, the same as without.
    #[must_use]
    pub fn beside(config: &Path) -> Self {
        let target = target_of(config);
        let path = path_beside(&target);
        let beside_link = Some(path_beside(config)).filter(|beside_link| *beside_link != path);
        Self { path, config: target.into_owned(), beside_link }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads the state of this configuration's keys; where there is no file, nothing has been done
    /// yet.
    ///
    /// # Errors
    ///
    /// When there is one that cannot be read, or one where a link to the configuration seems to put
    /// it.
    pub fn read(&self) -> Result<RotationState, StateFileError> {
        match read(&self.path)? {
            Some(state) => Ok(state),
            None => match self.beside_link.as_ref().filter(|path| path.exists()) {
                Some(path) => Err(StateFileError::BesideLink { path: path.clone() }),
                None => Ok(RotationState::default()),
            },
        }
    }

    /// Lets nobody else change the state until what this returns is dropped, and waits no longer than
    /// `patience` for whoever does. That goes with the process, however it ends.
    ///
    /// # Errors
    ///
    /// [`StateFileError::Lock`], when somebody else has it, too.
    pub fn lock(self, patience: Duration) -> Result<LockedState, StateFileError> {
        let lock = Lock::take(&self.lock_path(), patience)?;
        Ok(LockedState { file: self, _lock: lock })
    }

    /// The file with the lock. It cannot be on the state, which is another file after each step.
    #[must_use]
    pub fn lock_path(&self) -> PathBuf {
        with_end(&self.path, ".lock")
    }
}

/// A [`StateFile`] that nobody else changes.
#[derive(Debug)]
pub struct LockedState {
    file: StateFile,
    _lock: Lock,
}

impl LockedState {
    /// The file.
    #[must_use]
    pub const fn file(&self) -> &StateFile {
        &self.file
    }

    /// Replaces the state.
    ///
    /// # Errors
    ///
    /// When that fails. Then the state is as it was.
    pub fn save(&self, state: &RotationState) -> Result<(), StateFileError> {
        replace(&self.file.path, state, &self.file.config)
    }
}

/// Where the state of the configuration with this path is.
fn path_beside(config: &Path) -> PathBuf {
    let name = config.file_name().unwrap_or_default();
    let toml = Path::new(name).extension().is_some_and(|extension| extension == "toml");
    // No two names lead to the same one.
    let (mut path, end) = match toml {
        true => (config.with_extension("").into_os_string(), ".rotation.toml"),
        false => (config.as_os_str().to_owned(), ".rotation"),
    };
    path.push(end);
    path.into()
}

/// The state in a file; `None` where there is none.
fn read(path: &Path) -> Result<Option<RotationState>, StateFileError> {
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file.map_err(StateFileError::Unreadable)?,
    };
    let mut text = String::new();
    let read = file.take(StateFile::MAX_LEN + 1).read_to_string(&mut text);
    let octets = read.map_err(StateFileError::Unreadable)?;
    // Its beginning might pass for a state that knows less.
    if u64::try_from(octets).is_ok_and(|octets| octets > StateFile::MAX_LEN) {
        let why = format!("longer than {} octets", StateFile::MAX_LEN);
        return Err(StateFileError::Unreadable(io::Error::new(io::ErrorKind::InvalidData, why)));
    }
    Ok(Some(RotationState::parse(&text)?))
}

/// Puts a state into a file: a new one beside it, with the owner and mode of the configuration, whose
/// readers are those of the state, then onto the disk, then under its name.
fn replace(path: &Path, state: &RotationState, config: &Path) -> Result<(), StateFileError> {
    let text = state.to_toml()?;
    let new = with_end(path, ".new");
    let write = || -> io::Result<()> {
        // What somebody left who was stopped half-way.
        match fs::remove_file(&new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
        let like = fs::metadata(config)?;
        let own = file.metadata()?;
        if (own.uid(), own.gid()) != (like.uid(), like.gid()) {
            // Only root can give files away; others let the group read it, if it is theirs.
            let _ = fchown(&file, Some(like.uid()), Some(like.gid()))
                .or_else(|_| fchown(&file, None, Some(like.gid())));
        }
        file.set_permissions(like.permissions())?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&new, path)?;
        // From now on this is the state. The name, too, is to outlast a power cut, and not every file
        // system can say so: after the older state all that was done since is done again.
        let _ = sync_directory_of(path);
        Ok(())
    };
    write().map_err(StateFileError::Unwritable)
}

fn with_end(path: &Path, end: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(end);
    PathBuf::from(name)
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
    /// There is none, but one beside the symbolic link that leads to the configuration: it may be of
    /// another configuration, to which the link led before.
    #[error("there is none, but {}, beside the link to the configuration", path.display())]
    BesideLink {
        /// That file.
        path: PathBuf,
    },
    /// Somebody else may be at it.
    #[error(transparent)]
    Lock(#[from] LockError),
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn told() -> RotationState {
        RotationState { hook_pending: true, ..RotationState::default() }
    }

    #[test]
    fn one_at_a_time_replaces_it() {
        let directory = tempfile::tempdir().unwrap();
        let config = directory.path().join("config.toml");
        fs::write(&config, "").unwrap();
        fs::set_permissions(&config, fs::Permissions::from_mode(0o640)).unwrap();
        let file = StateFile::beside(&config);
        let read = || file.read();
        assert_eq!(read().unwrap(), RotationState::default());
        let locked = file.clone().lock(Duration::ZERO).unwrap();
        let second = file.clone().lock(Duration::ZERO);
        assert!(matches!(second, Err(StateFileError::Lock(LockError::Busy))));
        // What a stopped one left does not matter.
        fs::write(directory.path().join("config.rotation.toml.new"), "half").unwrap();
        locked.save(&told()).unwrap();
        assert_eq!(read().unwrap(), told());
        let mode = fs::metadata(file.path()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o640);
        let mode = fs::metadata(file.lock_path()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 3);
        drop(locked);
        file.clone().lock(Duration::ZERO).unwrap();
        fs::write(file.path(), "no state").unwrap();
        assert!(matches!(read(), Err(StateFileError::State(_))));
    }

    #[test]
    fn a_state_that_cannot_be_written_stays_as_it_was() {
        let directory = tempfile::tempdir().unwrap();
        let config = directory.path().join("config.toml");
        fs::write(&config, "").unwrap();
        let file = StateFile::beside(&config);
        let locked = file.clone().lock(Duration::ZERO).unwrap();
        locked.save(&told()).unwrap();
        // Something that cannot be removed as a file is in the way.
        fs::create_dir(directory.path().join("config.rotation.toml.new")).unwrap();
        let saved = locked.save(&RotationState::default());
        assert!(matches!(saved, Err(StateFileError::Unwritable(_))));
        assert_eq!(file.read().unwrap(), told());
    }

    /// The end of a state that is too long is not left out.
    #[test]
    fn a_state_is_read_as_a_whole_or_not_at_all() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let told = told().to_toml().unwrap();
        let most = usize::try_from(StateFile::MAX_LEN).unwrap();
        for (more, is_read) in [(0, true), (1, false)] {
            let comment = "#".repeat(most + more - told.len());
            fs::write(&file, format!("{told}{comment}")).unwrap();
            assert_eq!(read(file.path()).is_ok(), is_read, "{more}");
        }
    }

    /// Two ways to one configuration lead to one state, and one lock.
    #[test]
    fn a_link_leads_to_the_same_state() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        fs::create_dir(path("mail")).unwrap();
        fs::write(path("mail/config.toml"), "").unwrap();
        for (link, target) in [("link.toml", "mail/config.toml"), ("other", "link.toml")] {
            std::os::unix::fs::symlink(target, path(link)).unwrap();
        }
        let real = path("mail").canonicalize().unwrap().join("config.rotation.toml");
        for link in ["link.toml", "other"] {
            assert_eq!(StateFile::beside(&path(link)).path(), real);
        }
        let _held = StateFile::beside(&path("other")).lock(Duration::ZERO).unwrap();
        let second = StateFile::beside(&path("mail/config.toml")).lock(Duration::ZERO);
        assert!(matches!(second, Err(StateFileError::Lock(LockError::Busy))));
    }

    #[test]
    fn each_configuration_has_its_own() {
        let names = ["a", "a.toml", "a.conf", "a.b.toml", "a.toml.bak", "b.toml", ".toml"];
        let mut states: Vec<PathBuf> = names
            .iter()
            .map(|name| StateFile::beside(&Path::new("/etc/dkim").join(name)).path().to_owned())
            .collect();
        assert_eq!(states[1], Path::new("/etc/dkim/a.rotation.toml"));
        assert_eq!(states[2], Path::new("/etc/dkim/a.conf.rotation"));
        states.sort();
        states.dedup();
        assert_eq!(states.len(), names.len());
        assert_eq!(StateFile::beside(Path::new("a.toml")).path(), Path::new("a.rotation.toml"));
    }
}
