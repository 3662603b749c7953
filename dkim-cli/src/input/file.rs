//! What an argument names: standard input, a message, an mbox or a Maildir.

use std::fmt::{self, Display, Formatter};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek};
use std::path::Path;

use super::mbox::{Mbox, is_mbox};
use super::twice::NotKept;
use super::{BLOCK, maildir};
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

/// The octets of a message.
pub(crate) enum Source<'s> {
    /// A file of its own, which anybody may read.
    File(File),
    /// A part of a stream: read here and now, or not at all.
    Part(&'s mut dyn Read),
}

impl Read for Source<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::File(file) => file.read(buffer),
            Self::Part(part) => part.read(buffer),
        }
    }
}

/// Takes a message, or why there is none, and may end it all by a failure of its own.
type Visit<'v> = dyn FnMut(&Origin, Result<Source<'_>, Failure>) -> Result<(), Failure> + 'v;

/// Visits every message that an argument names.
pub(crate) fn for_each_message(path: &Path, visit: &mut Visit<'_>) -> Result<(), Failure> {
    let origin = Origin::of(path);
    if path == Path::new("-") {
        return read_stream(origin, io::stdin().lock(), visit);
    }
    if !path.is_dir() {
        return match File::open(path) {
            Ok(file) => read_file(origin, file, visit),
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
        Ok(messages) => messages.iter().try_for_each(|message| match open_delivered(message) {
            Ok(file) => visit(&Origin::of(message), Ok(Source::File(file))),
            Err(failure) => visit(&Origin::of(message), Err(failure)),
        }),
        Err(error) => visit(&origin, Err(unreadable(&error))),
    }
}

/// Opens a message of a Maildir. Who reads what is no regular file may wait for ever.
fn open_delivered(path: &Path) -> Result<File, Failure> {
    if path.metadata().is_ok_and(|metadata| !metadata.is_file()) {
        return Err(Failure::new(Exit::NoInput, "is no regular file"));
    }
    open_file(path)
}

/// Refuses an mbox where one message is wanted, given its first line or a good part of it.
pub(crate) fn refuse_mbox(start: &[u8]) -> Result<(), Failure> {
    if !is_mbox(start) {
        return Ok(());
    }
    Err(Failure::new(Exit::Data, "is an mbox and not a message")
        .remedy("take away its first line, `From …`, if it holds one message only"))
}

/// Opens standard input for `-`, or a file that is to hold one message.
pub(crate) fn open_message(path: &Path) -> Result<Box<dyn Read>, Failure> {
    if path == Path::new("-") {
        return Ok(Box::new(io::stdin().lock()));
    }
    Ok(Box::new(open_file(path)?))
}

/// Opens a file, and no directory.
pub(crate) fn open_file(path: &Path) -> Result<File, Failure> {
    if path.is_dir() {
        return Err(Failure::new(Exit::NoInput, "is a directory"));
    }
    File::open(path).map_err(|error| unreadable(&error))
}

pub(crate) fn unreadable(error: &io::Error) -> Failure {
    if error.get_ref().is_some_and(|error| error.is::<NotKept>()) {
        let what = format_args!("cannot be kept until it is read again: {error}");
        return Failure::new(Exit::NoInput, what)
            .remedy("let TMPDIR name a directory with room for it, or name a regular file");
    }
    Failure::new(Exit::NoInput, format!("cannot be read: {error}"))
}

/// Reads a file that holds a message, or is an mbox, or no regular file.
fn read_file(origin: Origin, mut file: File, visit: &mut Visit<'_>) -> Result<(), Failure> {
    let is_regular = file.metadata().is_ok_and(|metadata| metadata.is_file());
    if is_regular {
        match peek(&mut file).and_then(|start| file.rewind().map(|()| is_mbox(&start))) {
            Ok(true) => {}
            Ok(false) => return visit(&origin, Ok(Source::File(file))),
            Err(error) => return visit(&origin, Err(unreadable(&error))),
        }
    }
    read_stream(origin, BufReader::with_capacity(BLOCK, file), visit)
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
        return visit(&origin, Ok(Source::Part(&mut octets)));
    }
    let mut mbox = match Mbox::new(octets) {
        Ok(mbox) => mbox,
        Err(error) => return visit(&origin, Err(unreadable(&error))),
    };
    loop {
        origin.number = Some(origin.number.unwrap_or(0) + 1);
        match mbox.next_message() {
            Ok(Some(mut message)) => visit(&origin, Ok(Source::Part(&mut message)))?,
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
