//! Messages that are looked at one after the other: one that cannot be read keeps no other from its
//! turn.

use std::io::{self, Read};
use std::path::PathBuf;

use crate::diagnostics::Failure;
use crate::exit::Exit;
use crate::input::{Origin, for_each_message};
use crate::json;

/// What JSON there is of a message that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unread {
    /// None: people read standard error.
    Untold,
    /// Why; of what is no message, an empty list of signatures, too.
    OfSignatures,
    /// Why.
    OfOthers,
}

/// Looks at all messages of these files, and returns how the worst ended.
pub(crate) fn one_by_one(
    files: &[PathBuf],
    unread: Unread,
    look: impl Fn(&Origin, &mut dyn Read) -> Result<Exit, Failure>,
) -> Result<Exit, Failure> {
    let mut worst = Exit::Success;
    for file in files {
        for_each_message(file, &mut |origin, octets| {
            let exit = octets.and_then(|mut octets| look(origin, &mut octets));
            let exit = exit.or_else(|failure| {
                let failure = failure.on(origin);
                // What cannot be written, nobody reads.
                if failure.exit == Exit::CannotWrite {
                    return Err(failure);
                }
                failure.tell();
                if unread != Unread::Untold {
                    let lists = unread == Unread::OfSignatures;
                    let mut out = io::stdout().lock();
                    json::unreadable(&mut out, origin, &failure, lists)
                        .map_err(|error| Failure::output(&error))?;
                }
                Ok(failure.exit)
            })?;
            worst = worst.max(exit);
            Ok(())
        })?;
    }
    Ok(worst)
}
