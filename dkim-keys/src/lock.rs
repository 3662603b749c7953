//! Locks that nobody holds but who may change what they stand for.

use std::fs::File;
use std::io;
use std::os::unix::fs::{MetadataExt, fchown};
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, Mode, OFlags, flock, open};
use rustix::process::geteuid;

use crate::directory::directory_of;

/// A lock that is held until this is dropped, or the process ends, however it does.
///
/// It is on a file of its own, of mode 0600: a lock on a directory, or on a file that others may
/// read, can be held by whoever can open it. The file stays, empty: of two who wait for one that is
/// deleted each would get another.
#[derive(Debug)]
pub struct Lock {
    _held: File,
}

impl Lock {
    /// Takes the lock in this file, which is made if it is not there, and waits no longer than
    /// `patience` for whoever has it.
    ///
    /// Made by root, the file is given to the owner of its directory, who can replace what is in
    /// there anyway.
    ///
    /// # Errors
    ///
    /// [`LockError`]. A link in its place is not followed, and a file that others may open is not
    /// used.
    pub fn take(path: &Path, patience: Duration) -> Result<Self, LockError> {
        /// How long until the next look.
        const PAUSE: Duration = Duration::from_millis(20);

        let file = open_or_make(path)?;
        let start = Instant::now();
        loop {
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => return Ok(Self { _held: file }),
                Err(rustix::io::Errno::WOULDBLOCK) if start.elapsed() < patience => sleep(PAUSE),
                Err(rustix::io::Errno::WOULDBLOCK) => return Err(LockError::Busy),
                Err(error) => return Err(LockError::Unusable(error.into())),
            }
        }
    }
}

fn open_or_make(path: &Path) -> Result<File, LockError> {
    const OTHERS: u32 = 0o077;

    // A pipe in its place is not waited for.
    let flags = OFlags::RDWR | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let mode = Mode::RUSR | Mode::WUSR;
    let unusable = |error: rustix::io::Errno| LockError::Unusable(error.into());
    match open(path, flags | OFlags::CREATE | OFlags::EXCL, mode) {
        Ok(made) => {
            let made = File::from(made);
            give_to_owner_of_directory(&made, path).map_err(LockError::Unusable)?;
            Ok(made)
        }
        Err(rustix::io::Errno::EXIST) => {
            let file = File::from(open(path, flags, mode).map_err(unusable)?);
            let metadata = file.metadata().map_err(LockError::Unusable)?;
            let above = directory_of(path).metadata().map_err(LockError::Unusable)?;
            let owners = [geteuid().as_raw(), above.uid()];
            if !metadata.is_file()
                || metadata.mode() & OTHERS != 0
                || !owners.contains(&metadata.uid())
            {
                return Err(LockError::Open);
            }
            Ok(file)
        }
        Err(error) => Err(unusable(error)),
    }
}

/// Only what was just made is given away: what was there may have another name elsewhere.
fn give_to_owner_of_directory(made: &File, path: &Path) -> io::Result<()> {
    let (owner, own) = (directory_of(path).metadata()?, made.metadata()?);
    if own.uid() == 0 && owner.uid() != 0 {
        fchown(made, Some(owner.uid()), Some(owner.gid()))?;
    }
    Ok(())
}

/// Why there is no lock.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LockError {
    /// Somebody else has it.
    #[error("somebody else has the lock")]
    Busy,
    /// Others have the file or may open it, and hold the lock for as long as they like.
    #[error(
        "no file of mode 0600 of this user or the owner of the directory: others could hold the lock"
    )]
    Open,
    /// The file cannot be made, opened or locked.
    #[error("cannot be locked: {0}")]
    Unusable(#[source] io::Error),
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn one_at_a_time_has_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("state.lock");
        let lock = Lock::take(&path, Duration::ZERO).unwrap();
        assert_eq!(path.metadata().unwrap().mode() & 0o7777, 0o600);
        assert!(matches!(Lock::take(&path, Duration::ZERO), Err(LockError::Busy)));
        drop(lock);
        // The same file, which was never another one.
        let before = path.metadata().unwrap().ino();
        let _lock = Lock::take(&path, Duration::ZERO).unwrap();
        assert_eq!(path.metadata().unwrap().ino(), before);
    }

    /// Whoever can open a directory can lock it, and that is nobody's business here.
    #[test]
    fn who_locks_the_directory_is_in_nobodys_way() {
        let directory = tempfile::tempdir().unwrap();
        let held = File::open(directory.path()).unwrap();
        flock(&held, FlockOperation::NonBlockingLockExclusive).unwrap();
        Lock::take(&directory.path().join("state.lock"), Duration::ZERO).unwrap();
    }

    #[test]
    fn it_is_waited_for() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("state.lock");
        let lock = Lock::take(&path, Duration::ZERO).unwrap();
        let waits = {
            let path = path.clone();
            std::thread::spawn(move || Lock::take(&path, Duration::from_secs(600)).is_ok())
        };
        drop(lock);
        assert!(waits.join().unwrap());
    }

    #[test]
    fn what_others_could_hold_is_not_used() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("state.lock");
        let target = directory.path().join("target");
        symlink(&target, &path).unwrap();
        assert!(matches!(Lock::take(&path, Duration::ZERO), Err(LockError::Unusable(_))));
        assert!(!target.exists());
        fs::write(&target, "").unwrap();
        assert!(matches!(Lock::take(&path, Duration::ZERO), Err(LockError::Unusable(_))));
        for mode in [0o644, 0o620, 0o604] {
            fs::set_permissions(&target, Permissions::from_mode(mode)).unwrap();
            assert!(matches!(Lock::take(&target, Duration::ZERO), Err(LockError::Open)));
            // Nor is it changed.
            assert_eq!(target.metadata().unwrap().mode() & 0o7777, mode);
        }
        // Only the superuser can give it to a stranger.
        fs::set_permissions(&target, Permissions::from_mode(0o600)).unwrap();
        let is_strangers = std::os::unix::fs::chown(&target, Some(54321), None).is_ok();
        let taken = Lock::take(&target, Duration::ZERO);
        assert_eq!(matches!(taken, Err(LockError::Open)), is_strangers);
        let inside = directory.path().join("none/state.lock");
        assert!(matches!(Lock::take(&inside, Duration::ZERO), Err(LockError::Unusable(_))));
    }
}
