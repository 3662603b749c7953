//! Locks, and what to tell of one that cannot be had.

use std::io;
use std::path::Path;
use std::time::Duration;

use dkim_keys::LockError;

use crate::diagnostics::Failure;
use crate::exit::Exit;

/// How long somebody else is waited for: whoever began a moment ago may be done soon, and nobody
/// who waits keeps cron or a service manager waiting.
pub(crate) const PATIENCE: Duration = Duration::from_secs(2);

/// What to tell of a lock in this file; `wait_for` is who may have it.
pub(crate) fn failure(error: &LockError, path: &Path, wait_for: &str) -> Failure {
    let failure = |exit| Failure::of(exit, error).on(path.display());
    match error {
        LockError::Busy => failure(Exit::Temporary)
            .remedy(format_args!("wait until {wait_for} is done, and try again")),
        LockError::Open => {
            failure(Exit::CannotCreate).remedy("see who made it, and `chmod 600` it")
        }
        LockError::Unusable(error) => failure(Exit::CannotCreate).remedy(match error.kind() {
            io::ErrorKind::NotFound => "make the directory in which it is to be",
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                "let the user who runs this write into its directory, and own it if it is there"
            }
            _ => "let it, if it is there, be a file of the user who runs this",
        }),
        _ => failure(Exit::CannotCreate),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use dkim_keys::Lock;

    use super::*;

    #[test]
    fn the_remedy_is_for_what_is_in_the_way() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        std::os::unix::fs::symlink(at("file"), at("link.lock")).unwrap();
        for (name, remedy) in
            [("nowhere/state.lock", "make the directory"), ("link.lock", "be a file of the user")]
        {
            let path = at(name);
            let error = Lock::take(&path, Duration::ZERO).unwrap_err();
            let told = failure(&error, &path, "nobody").to_string();
            assert!(told.contains("cannot be locked: ") && told.contains(remedy), "{told}");
        }
        let error = LockError::Unusable(io::ErrorKind::PermissionDenied.into());
        let told = failure(&error, &at("state.lock"), "nobody").to_string();
        assert!(told.contains("write into its directory"), "{told}");
    }
}
