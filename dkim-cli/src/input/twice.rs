//! A message that is read again: to sign it, to check that, and to write it.

use std::env;
use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

use memchr::{memchr, memchr2};
use tempfile::SpooledTempFile;

use super::file::{open_file, peek, unreadable};
use super::mbox::is_mbox;
use super::{BLOCK, read_block};
use crate::diagnostics::Failure;
use crate::exit::Exit;

/// How many octets of what cannot be read twice are kept in memory; more go to a temporary file.
const IN_MEMORY: usize = 256 * 1024;

/// Octets that can be read again from the start.
pub(crate) enum Twice {
    File(File),
    /// What is no regular file. No more of it is copied than is read: it may have no end.
    Copied {
        /// What was read; its cursor is at its end unless that is read again.
        copy: SpooledTempFile,
        /// What comes behind it; nothing once its end was seen, which a terminal shows once.
        source: Option<Box<dyn Read>>,
    },
}

/// What was read cannot be kept until it is read again.
#[derive(Debug, thiserror::Error)]
#[error("no temporary file can be made and written in {}: {error}", directory.display())]
pub(super) struct NotKept {
    directory: PathBuf,
    error: io::Error,
}

impl NotKept {
    /// As an error of whoever reads.
    fn wrap(error: io::Error) -> io::Error {
        io::Error::new(error.kind(), Self { directory: env::temp_dir(), error })
    }
}

impl Twice {
    /// Opens a file, or standard input for `-`.
    pub(crate) fn open(path: &Path) -> Result<Self, Failure> {
        if path == Path::new("-") {
            return Ok(Self::of_stream(io::stdin().lock()));
        }
        let file = open_file(path)?;
        match file.metadata() {
            Ok(metadata) if metadata.is_file() => Ok(Self::File(file)),
            Ok(_) => Ok(Self::of_stream(file)),
            Err(error) => Err(unreadable(&error)),
        }
    }

    fn of_stream(source: impl Read + 'static) -> Self {
        Self::Copied { copy: SpooledTempFile::new(IN_MEMORY), source: Some(Box::new(source)) }
    }

    /// The first octets; reading begins with them all the same.
    pub(crate) fn peek(&mut self) -> Result<Vec<u8>, Failure> {
        let start = peek(self).map_err(|error| unreadable(&error))?;
        self.rewind()?;
        Ok(start)
    }

    /// Takes the line `From …` that stands at the top where a delivery agent has put it; nothing if
    /// there is none. Reading goes on behind it.
    pub(crate) fn take_separator(&mut self) -> Result<Vec<u8>, Failure> {
        /// Longer than any address in it.
        const ENOUGH: u64 = 1000;

        let mut line = Vec::new();
        if is_mbox(&self.peek()?) {
            let read = self.by_ref().take(ENOUGH).read_to_end(&mut line);
            read.map_err(|error| unreadable(&error))?;
            line.truncate(memchr(b'\n', &line).map_or(0, |lf| lf + 1));
            let text = line.strip_suffix(b"\n").unwrap_or_default();
            let text = text.strip_suffix(b"\r").unwrap_or(text);
            if memchr2(b'\r', b'\0', text).is_some() {
                let what = "its line `From ...` has a CR or NUL in it";
                return Err(Failure::new(Exit::Data, what)
                    .remedy("do not let it pass: others may see fields in it"));
            }
            self.rewind()?;
            self.skip(u64::try_from(line.len()).unwrap_or(0))?;
        }
        Ok(line)
    }

    fn skip(&mut self, octets: u64) -> Result<(), Failure> {
        io::copy(&mut self.by_ref().take(octets), &mut io::sink())
            .map_err(|error| unreadable(&error))?;
        Ok(())
    }

    /// Writes all octets from this one on, the first being 0, and tells how many they are.
    pub(crate) fn copy_to(&mut self, from: u64, out: &mut impl Write) -> Result<u64, Failure> {
        self.rewind()?;
        self.skip(from)?;
        let (mut block, mut copied) = (vec![0; BLOCK], 0);
        loop {
            let chunk = read_block(self, &mut block).map_err(|error| unreadable(&error))?;
            if chunk.is_empty() {
                return Ok(copied);
            }
            out.write_all(chunk).map_err(|error| Failure::output(&error))?;
            copied += u64::try_from(chunk.len()).unwrap_or(0);
        }
    }

    /// Reading begins anew with the first octets.
    pub(crate) fn rewind(&mut self) -> Result<(), Failure> {
        match self {
            Self::File(file) => file.rewind(),
            Self::Copied { copy, .. } => copy.rewind(),
        }
        .map_err(|error| unreadable(&error))
    }
}

impl Read for Twice {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let (copy, source) = match self {
            Self::File(file) => return file.read(buffer),
            Self::Copied { copy, source } => (copy, source),
        };
        let length = copy.read(buffer)?;
        let Some(stream) = source.as_mut().filter(|_| length == 0) else { return Ok(length) };
        let new = read_block(stream, buffer)?;
        if new.is_empty() {
            *source = None;
        }
        copy.write_all(new).map_err(NotKept::wrap)?;
        Ok(new.len())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// Read in part, and again, and to the end, in memory and beyond it.
    #[test]
    fn a_stream_is_read_again_from_any_place() {
        for length in [0, 1, 300, IN_MEMORY, IN_MEMORY + 1, 3 * IN_MEMORY] {
            let octets: Vec<u8> = (0..=250).cycle().take(length).collect();
            let mut twice = Twice::of_stream(io::Cursor::new(octets.clone()));
            assert_eq!(twice.peek().unwrap(), octets.get(..128).unwrap_or(&octets));
            for part in [1, 129, BLOCK, IN_MEMORY + 7] {
                let mut start = Vec::new();
                let most = u64::try_from(part).unwrap();
                twice.by_ref().take(most).read_to_end(&mut start).unwrap();
                assert_eq!(start, octets.get(..part).unwrap_or(&octets));
                twice.rewind().unwrap();
            }
            for _ in 0..2 {
                let mut all = Vec::new();
                assert_eq!(twice.copy_to(0, &mut all).unwrap(), u64::try_from(length).unwrap());
                assert!(all == octets, "{length}");
            }
        }
    }
}
