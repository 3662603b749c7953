//! Locks, and what to tell of one that cannot be had.

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
        _ => failure(Exit::CannotCreate)
            .remedy("let the file, if it is there, belong to the user who runs this"),
    }
}
