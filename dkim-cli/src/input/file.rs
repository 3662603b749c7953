//! What an argument names: standard input, a message, an mbox or a Maildir.

use std::fmt::{self, Display, Formatter};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use super::{BLOCK, is_mbox, maildir, mbox::Mbox};
use crate::diagnostics::Failure;
use crate::exit::Exit;

/// Where a message comes from.
#[derive(Clone, Debug)]
pub(crate) struct Origin {
    /// The file, `-` for standard input.
    pub(crate) file: String,
    /// Which message of an mbox, counted from 1.
    pub(crate) number: Option<u64>,
}

impl Origin {
    pub(crate) fn of(path: &Path) -> Self {
        Self { file: path.to_string_lossy().into_owned(), number: None }
    }
}

impl Display for Origin {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.file.as_str() {
            "-" => f.write_str("standard input")?,
            file => f.write_str(file)?,
        }
        match self.number {
            Some(number) => write!(f, ", message {number}"),
            None => Ok(()),
        }
    }
}

/// Takes a message, or why there is none, and may end it all by a failure of its own.
type Visit<'v> = dyn FnMut(&Origin, Result<&mut dyn Read, Failure>) -> Result<(), Failure> + 'v;

/// Visits every message that an argument names.
pub(crate) fn for_each_message(path: &Path, visit: &mut Visit<'_>) -> Result<(), Failure> {
    let origin = Origin::of(path);
    if path == Path::new("-") {
        return read_stream(origin, io::stdin().lock(), visit);
    }
    if !path.is_dir() {
        return match File::open(path) {
            Ok(file) => read_stream(origin, BufReader::with_capacity(BLOCK, file), visit),
            Err(error) => visit(&origin, Err(unreadable(&error))),
        };
    }
    if !maildir::is_maildir(path) {
        let failure = Failure::new(Exit::NoInput, "is a directory, and not a Maildir")
            .remedy("name the files in it, or a directory with cur/ and new/");
        return visit(&origin, Err(failure));
    }
    match maildir::messages(path) {
        Ok(messages) if messages.is_empty() => {
            visit(&origin, Err(Failure::new(Exit::NoInput, "the Maildir holds no message")))
        }
        Ok(messages) => messages.iter().try_for_each(|message| match open_file(message) {
            Ok(mut file) => visit(&Origin::of(message), Ok(&mut file)),
            Err(failure) => visit(&Origin::of(message), Err(failure)),
        }),
        Err(error) => visit(&origin, Err(unreadable(&error))),
    }
}

/// Opens a file that is to hold one message.
pub(crate) fn open_file(path: &Path) -> Result<File, Failure> {
    if path.is_dir() {
        return Err(Failure::new(Exit::NoInput, "is a directory"));
    }
    File::open(path).map_err(|error| unreadable(&error))
}

pub(crate) fn unreadable(error: &io::Error) -> Failure {
    Failure::new(Exit::NoInput, format!("cannot be read: {error}"))
}

/// Reads a message, or each message of an mbox.
fn read_stream(
    mut origin: Origin,
    mut octets: impl BufRead,
    visit: &mut Visit<'_>,
) -> Result<(), Failure> {
    let start = match peek(&mut octets) {
        Ok(start) => start,
        Err(error) => return visit(&origin, Err(unreadable(&error))),
    };
    let mbox = is_mbox(&start);
    let mut octets = io::Cursor::new(start).chain(octets);
    if !mbox {
        return visit(&origin, Ok(&mut octets));
    }
    let mut mbox = match Mbox::new(octets) {
        Ok(mbox) => mbox,
        Err(error) => return visit(&origin, Err(unreadable(&error))),
    };
    loop {
        origin.number = Some(origin.number.unwrap_or(0) + 1);
        match mbox.next_message() {
            Ok(Some(mut message)) => visit(&origin, Ok(&mut message))?,
            Ok(None) => return Ok(()),
            Err(error) => return visit(&origin, Err(unreadable(&error))),
        }
    }
}

/// The first line, or as much of it as tells an mbox.
pub(crate) fn peek(octets: &mut impl Read) -> io::Result<Vec<u8>> {
    const ENOUGH: u64 = 128;
    let mut start = Vec::new();
    octets.take(ENOUGH).read_to_end(&mut start)?;
    Ok(start)
}
