//! Where messages come from: standard input, files, mailboxes; all read as streams.

use std::io::{self, Read};

mod file;
mod held;
mod line_ends;
mod maildir;
mod malformed;
mod mbox;
mod message;
mod twice;
mod whole;

pub(crate) use file::{Origin, Source, for_each_message, open_message, refuse_mbox};
pub(crate) use held::Held;
pub(crate) use line_ends::{BodyLineEnds, LineEnds};
pub(crate) use malformed::refuse_malformed;
pub(crate) use message::{Message, MessageError};
pub(crate) use twice::Twice;
pub(crate) use whole::read_whole;

/// How many octets are read at once.
pub(crate) const BLOCK: usize = 64 * 1024;

/// Reads what there is; nothing at the end.
fn read_block<'b>(octets: &mut (impl Read + ?Sized), block: &'b mut [u8]) -> io::Result<&'b [u8]> {
    loop {
        match octets.read(block) {
            Ok(length) => return Ok(block.get(..length).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
