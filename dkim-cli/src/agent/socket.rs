//! The socket of an agent: made so that nobody else can open it, and taken away again.

use std::fs::{self, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, lchown};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::time::Duration;

use dkim_keys::Lock;
use dkim_keys::agent::Agent;
use tempfile::TempDir;

use crate::diagnostics::Failure;
use crate::exit::Exit;
use crate::key::Owner;
use crate::lock;

/// A socket that was made, and listens.
pub(super) struct Socket {
    path: PathBuf,
    listener: UnixListener,
    /// Device and number: what is called so later may be another's.
    identity: (u64, u64),
}

impl Socket {
    /// Makes the socket. One that is there and at which nobody listens is replaced.
    pub(super) fn bind(
        path: &Path,
        owner: Option<Owner>,
        group: Option<u32>,
    ) -> Result<Self, Failure> {
        let failed = |error: io::Error| Failure::new(Exit::CannotCreate, error);
        // What is in the way for good needs no lock.
        Self::is_there(path)?;
        // Of two agents that start at once one sees the other's socket.
        let lock_path = Self::lock_path(path);
        let _lock = Lock::take(&lock_path, lock::PATIENCE)
            .map_err(|error| lock::failure(&error, &lock_path, "the agent that starts there"))?;
        Self::clear(path)?;
        // Made ready where nobody else can put anything in its place, and then moved there: what is
        // given away by its path could be a link to something else by then.
        let parent = path.parent().filter(|parent| *parent != Path::new(""));
        let room = room(parent.unwrap_or(Path::new("."))).map_err(failed)?;
        let made = room.path().join("socket");
        let listener = UnixListener::bind(&made).map_err(failed)?;
        Self::give(&made, owner.map(Owner::numbers), group).map_err(|error| {
            failed(error).remedy("the agent must be in that --group, or start as root")
        })?;
        let metadata = made.symlink_metadata().map_err(failed)?;
        let identity = (metadata.dev(), metadata.ino());
        fs::rename(&made, path).map_err(failed)?;
        Ok(Self { path: path.to_owned(), listener, identity })
    }

    /// The file with the lock; the socket itself is another one with each agent.
    fn lock_path(path: &Path) -> PathBuf {
        let mut name = path.as_os_str().to_owned();
        name.push(".lock");
        PathBuf::from(name)
    }

    /// Whether there is a socket; anything else is refused.
    fn is_there(path: &Path) -> Result<bool, Failure> {
        let refused = |what: &str| Failure::new(Exit::CannotCreate, what);
        match path.symlink_metadata() {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(refused(&error.to_string())),
            Ok(metadata) if !metadata.file_type().is_socket() => {
                Err(refused("is there already, and is no socket").remedy("choose another --socket"))
            }
            Ok(_) => Ok(true),
        }
    }

    /// Takes away what is left of an agent that did not end in an orderly way.
    fn clear(path: &Path) -> Result<(), Failure> {
        const ANSWERS_AT_ONCE: Duration = Duration::from_secs(1);

        if !Self::is_there(path)? {
            return Ok(());
        }
        if Agent::at(path).with_patience(ANSWERS_AT_ONCE).is_there() {
            return Err(Failure::new(Exit::CannotCreate, "somebody listens there already")
                .remedy("end the other agent, or choose another --socket"));
        }
        fs::remove_file(path).map_err(|error| Failure::new(Exit::CannotCreate, error))
    }

    fn give(path: &Path, owner: Option<(u32, u32)>, group: Option<u32>) -> io::Result<()> {
        let user = owner.map(|(user, _)| user);
        let its_group = group.or(owner.map(|(_, group)| group));
        if user.is_some() || its_group.is_some() {
            lchown(path, user, its_group)?;
        }
        // The group may open it when it is the right one. Whoever was quicker than this has gained
        // nothing: who asks is looked at when they are let in.
        let mode = if group.is_some() { 0o660 } else { 0o600 };
        fs::set_permissions(path, Permissions::from_mode(mode))
    }

    pub(super) fn listener(&self) -> io::Result<UnixListener> {
        let listener = self.listener.try_clone()?;
        listener.set_nonblocking(true)?;
        Ok(listener)
    }

    /// Takes the socket away, if it is still ours. Where that is not allowed it stays, and the next
    /// agent replaces it.
    pub(super) fn remove(&self) {
        let is_ours = |metadata: fs::Metadata| (metadata.dev(), metadata.ino()) == self.identity;
        if self.path.symlink_metadata().is_ok_and(is_ours) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// A directory that nobody else can enter, whatever the umask lets be.
fn room(parent: &Path) -> io::Result<TempDir> {
    tempfile::Builder::new()
        .prefix(".agent")
        .permissions(Permissions::from_mode(0o700))
        .tempdir_in(parent)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        path.symlink_metadata().unwrap().mode() & 0o7777
    }

    fn refused(path: &Path) -> String {
        let failure = Socket::bind(path, None, None).map(|_| ()).unwrap_err();
        assert_eq!(failure.exit, Exit::CannotCreate);
        failure.what
    }

    #[test]
    fn nobody_else_enters_where_it_is_made() {
        let directory = tempfile::tempdir().unwrap();
        let room = room(directory.path()).unwrap();
        assert_eq!((mode(room.path()), room.path().parent()), (0o700, Some(directory.path())));
    }

    #[test]
    fn nobody_else_can_open_it_unless_a_group_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("agent.sock");
        let socket = Socket::bind(&path, None, None).unwrap();
        assert_eq!(mode(&path), 0o600);
        socket.remove();
        assert!(!path.exists());
        let own = rustix::process::getegid().as_raw();
        let _socket = Socket::bind(&path, None, Some(own)).unwrap();
        assert_eq!((mode(&path), path.metadata().unwrap().gid()), (0o660, own));
    }

    #[test]
    fn what_nobody_listens_at_is_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("agent.sock");
        let first = Socket::bind(&path, None, None).unwrap();
        assert_eq!(refused(&path), "somebody listens there already");
        let identity = first.identity;
        drop(first.listener);
        let second = Socket::bind(&path, None, None).unwrap();
        assert!(Agent::at(&path).is_there());
        // The first comes late to take its own away.
        Socket {
            path: path.clone(),
            listener: second.listener().unwrap(),
            identity: (identity.0, !0),
        }
        .remove();
        assert!(path.exists());
    }

    /// Another agent that starts there and does not come on is not waited for for ever, and whoever
    /// locks the directory is not waited for at all.
    #[test]
    fn a_lock_that_is_held_is_told() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("agent.sock");
        let lock = Lock::take(&Socket::lock_path(&path), Duration::ZERO).unwrap();
        let failure = Socket::bind(&path, None, None).map(|_| ()).unwrap_err();
        assert_eq!(failure.exit, Exit::Temporary);
        assert!(failure.remedy.unwrap().contains("the agent that starts there"));
        drop(lock);
        let held = fs::File::open(directory.path()).unwrap();
        rustix::fs::flock(&held, rustix::fs::FlockOperation::LockExclusive).unwrap();
        Socket::bind(&path, None, None).unwrap();
    }

    #[test]
    fn what_is_no_socket_stays() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        fs::write(&path, "precious").unwrap();
        assert_eq!(refused(&path), "is there already, and is no socket");
        let link = directory.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        assert_eq!(refused(&link), "is there already, and is no socket");
        assert_eq!(fs::read(&path).unwrap(), b"precious");
        assert!(refused(&directory.path().join("none/agent.sock")).contains("No such file"));
    }
}
