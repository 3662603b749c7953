//! Reads vectors from a directory.

use std::error::Error;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use crate::{Expected, Vector};

/// A line of `cases.jsonl`.
#[derive(serde::Deserialize)]
struct Case {
    id: String,
    title: String,
    message: PathBuf,
    zone: PathBuf,
    time: u64,
    expect: Vec<Expected>,
    #[serde(default)]
    tags: Vec<String>,
    #[serde(default)]
    section: String,
    #[serde(default)]
    source: String,
}

/// Reads the vectors of a directory, in the order of its `cases.jsonl`.
///
/// # Errors
///
/// When a file cannot be read, or a line is no case.
pub fn load(directory: &Path) -> Result<Vec<Vector>, LoadError> {
    let vector = |case: Case| {
        Ok(Vector {
            message: read(&directory.join(&case.message))?,
            zone: read(&directory.join(&case.zone))?,
            id: case.id,
            title: case.title,
            time: case.time,
            expect: case.expect,
            tags: case.tags,
            section: case.section,
            source: case.source,
        })
    };
    cases(&directory.join("cases.jsonl"))?.into_iter().map(vector).collect()
}

/// The cases of a list, one JSON object a line.
pub(crate) fn cases<T: DeserializeOwned>(list: &Path) -> Result<Vec<T>, LoadError> {
    let text = read(list)?;
    let lines = text.split(|octet| *octet == b'\n').zip(1..).filter(|(line, _)| !line.is_empty());
    lines
        .map(|(line, number)| {
            serde_json::from_slice(line).map_err(|error| LoadError::Case {
                path: list.to_owned(),
                line: number,
                error,
            })
        })
        .collect()
}

/// The vectors kept beside this crate: those printed in the RFCs, and those made by
/// `cargo xtask vectors`.
///
/// # Errors
///
/// As [`load`]; never from an unharmed checkout.
pub fn own_vectors() -> Result<Vec<Vector>, LoadError> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors");
    let mut vectors = load(&root.join("rfc"))?;
    vectors.extend(load(&root.join("generated"))?);
    Ok(vectors)
}

pub(crate) fn read(path: &Path) -> Result<Vec<u8>, LoadError> {
    fs::read(path).map_err(|error| LoadError::Read { path: path.to_owned(), error })
}

/// Why vectors could not be read.
#[derive(Debug)]
#[non_exhaustive]
pub enum LoadError {
    /// A file could not be read.
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// A line of a list is no case.
    Case {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// What is wrong in it.
        error: serde_json::Error,
    },
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read { path, .. } => write!(f, "cannot read {}", path.display()),
            Self::Case { path, line, .. } => write!(f, "{}, line {line}: no case", path.display()),
        }
    }
}

impl Error for LoadError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Read { error, .. } => Some(error),
            Self::Case { error, .. } => Some(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_vectors_are_whole() {
        let vectors = own_vectors().unwrap_or_else(|error| panic!("{error}: {:?}", error.source()));
        for vector in &vectors {
            let same = vectors.iter().filter(|other| other.id == vector.id).count();
            assert_eq!(same, 1, "{} is there twice", vector.id);
            for expected in &vector.expect {
                assert!(expected.accept.contains(&expected.result), "{}", vector.id);
            }
        }
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let Err(error) = load(Path::new("no-such-directory")) else { panic!("it is not there") };
        let list = Path::new("no-such-directory").join("cases.jsonl");
        assert_eq!(error.to_string(), format!("cannot read {}", list.display()));
    }
}
