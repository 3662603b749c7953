//! Small files that are read as a whole: keys and zones.

use std::io::Read;
use std::path::Path;

use super::file::{open_file, unreadable};
use crate::diagnostics::Failure;
use crate::exit::Exit;

/// Appends a file of at most `limit` octets to `contents`.
pub(crate) fn read_whole(path: &Path, limit: usize, contents: &mut Vec<u8>) -> Result<(), Failure> {
    let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    let read = open_file(path)
        .and_then(|file| file.take(most).read_to_end(contents).map_err(|error| unreadable(&error)));
    match read {
        Ok(length) if length > limit => {
            Err(Failure::new(Exit::Data, format!("longer than {limit} octets")))
        }
        Ok(_) => Ok(()),
        Err(failure) => Err(failure),
    }
    .map_err(|failure| failure.on(path.display()))
}
