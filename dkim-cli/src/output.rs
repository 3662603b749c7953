//! Standard output, where what is written there may be nowhere else.

use std::io;

use rustix::fs::{FileType, OFlags, fcntl_getfl, fstat, stat};

use crate::diagnostics::Failure;
use crate::exit::Exit;

/// Refuses a standard output that was closed, before a key or a message is lost there.
///
/// The runtime has opened the null device in its place, for reading and writing, and what is
/// written vanishes. A shell's `> /dev/null` is for writing only: that was meant. Whoever opens it
/// for both, as `subprocess.DEVNULL` of Python does, cannot be told from who closed it.
pub(crate) fn refuse_closed() -> Result<(), Failure> {
    let is_closed = || -> rustix::io::Result<bool> {
        let output = fstat(io::stdout())?;
        if FileType::from_raw_mode(output.st_mode) != FileType::CharacterDevice {
            return Ok(false);
        }
        // Where there is no null device, none was opened.
        let is_null = stat("/dev/null").is_ok_and(|null| output.st_rdev == null.st_rdev);
        Ok(is_null && fcntl_getfl(io::stdout())? & OFlags::RWMODE == OFlags::RDWR)
    };
    match is_closed() {
        Ok(false) => Ok(()),
        Ok(true) => Err(Failure::new(Exit::CannotWrite, "closed, or the null device opened for reading and writing: what is written would be lost")
            .on("standard output")
            .remedy("let it lead to a file or a pipe; to throw it away, open /dev/null for writing only")),
        Err(error) => Err(Failure::output(&error.into())),
    }
}
