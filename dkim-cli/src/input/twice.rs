//! A message that is read again: to sign it, to check that, and to write it.

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::path::Path;

use tempfile::SpooledTempFile;

use super::file::{open_file, peek, unreadable};
use super::{BLOCK, read_block};
use crate::diagnostics::Failure;

/// How many octets of what cannot be read twice are kept in memory; more go to a temporary file.
const IN_MEMORY: usize = 256 * 1024;

/// Octets that can be read again from the start.
pub(crate) enum Twice {
    File(File),
    Spool(SpooledTempFile),
}

impl Twice {
    /// Opens a file, or standard input for `-`. What is no regular file is copied first.
    pub(crate) fn open(path: &Path) -> Result<Self, Failure> {
        if path == Path::new("-") {
            return spool(io::stdin().lock()).map_err(|error| unreadable(&error));
        }
        let file = open_file(path)?;
        match file.metadata() {
            Ok(metadata) if metadata.is_file() => Ok(Self::File(file)),
            Ok(_) => spool(file).map_err(|error| unreadable(&error)),
            Err(error) => Err(unreadable(&error)),
        }
    }

    /// The first octets; reading begins with them all the same.
    pub(crate) fn peek(&mut self) -> Result<Vec<u8>, Failure> {
        let start = peek(self).map_err(|error| unreadable(&error))?;
        self.rewind()?;
        Ok(start)
    }

    /// Writes all octets from the start, and tells how many they are.
    pub(crate) fn copy_to(&mut self, out: &mut impl Write) -> Result<u64, Failure> {
        self.rewind()?;
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
            Self::Spool(spool) => spool.rewind(),
        }
        .map_err(|error| unreadable(&error))
    }
}

impl Read for Twice {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::File(file) => file.read(buffer),
            Self::Spool(spool) => spool.read(buffer),
        }
    }
}

fn spool(mut octets: impl Read) -> io::Result<Twice> {
    let mut spool = SpooledTempFile::new(IN_MEMORY);
    io::copy(&mut octets, &mut spool)?;
    spool.rewind()?;
    Ok(Twice::Spool(spool))
}
