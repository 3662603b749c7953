//! Vectors for ADSP: the value of a From field, signatures found valid, a zone, and the result.

use std::path::{Path, PathBuf};

use crate::LoadError;
use crate::load::{cases, read};

/// What RFC 5617 §5.4 has to say of an author and the signatures found valid.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AdspVector {
    /// A name in kebab-case, its own in the directory.
    pub id: String,
    /// The body of the From field.
    pub from: String,
    /// `d=` of the signatures found valid.
    pub valid_signatures: Vec<String>,
    /// The whole DNS, as a master file.
    pub zone: Vec<u8>,
    /// The result wanted first.
    pub result: String,
    /// Every result that the RFC allows.
    pub accept: Vec<String>,
    /// The section that decides, such as `5617 4.3`.
    pub section: String,
}

/// A line of `adsp.jsonl`.
#[derive(serde::Deserialize)]
struct Case {
    id: String,
    from: String,
    valid_signatures: Vec<String>,
    zone: PathBuf,
    result: String,
    accept: Vec<String>,
    #[serde(default)]
    section: String,
}

/// Reads the vectors of a directory, in the order of its `adsp.jsonl`.
///
/// # Errors
///
/// When a file cannot be read, or a line is no case.
pub fn load_adsp(directory: &Path) -> Result<Vec<AdspVector>, LoadError> {
    let vector = |case: Case| {
        Ok(AdspVector {
            zone: read(&directory.join(&case.zone))?,
            id: case.id,
            from: case.from,
            valid_signatures: case.valid_signatures,
            result: case.result,
            accept: case.accept,
            section: case.section,
        })
    };
    cases(&directory.join("adsp.jsonl"))?.into_iter().map(vector).collect()
}

/// The vectors kept beside this crate: the examples of RFC 5617, and what its text decides.
///
/// # Errors
///
/// As [`load_adsp`]; never from an unharmed checkout.
pub fn own_adsp_vectors() -> Result<Vec<AdspVector>, LoadError> {
    load_adsp(&Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors/adsp"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn own_vectors_are_whole() {
        let vectors = own_adsp_vectors().unwrap_or_else(|error| panic!("{error}"));
        let ids: BTreeSet<&str> = vectors.iter().map(|vector| vector.id.as_str()).collect();
        assert_eq!(ids.len(), vectors.len(), "an id is there twice");
        for vector in &vectors {
            assert!(vector.accept.contains(&vector.result), "{}", vector.id);
            assert!(!vector.section.is_empty(), "{}", vector.id);
        }
        // Every word of the RFC is wanted somewhere.
        let results: BTreeSet<&str> = vectors.iter().map(|vector| vector.result.as_str()).collect();
        let words =
            ["discard", "fail", "none", "nxdomain", "pass", "permerror", "temperror", "unknown"];
        assert_eq!(results, BTreeSet::from(words));
    }
}
