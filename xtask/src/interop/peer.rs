//! Another implementation, as seen from here.

use std::collections::BTreeMap;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::About;
use crate::workspace;

/// A key and the algorithm it signs with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Algorithm {
    Rsa,
    Ed25519,
}

impl Algorithm {
    pub(super) const ALL: [Self; 2] = [Self::Rsa, Self::Ed25519];

    /// As in `a=`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Rsa => "rsa-sha256",
            Self::Ed25519 => "ed25519-sha256",
        }
    }

    /// As in `k=`; the key stands at a selector of the same name.
    pub(super) fn selector(self) -> &'static str {
        match self {
            Self::Rsa => "rsa",
            Self::Ed25519 => "ed25519",
        }
    }

    /// The private key; RSA in PKCS#1, which everybody reads.
    pub(super) fn pem(self) -> &'static str {
        match self {
            Self::Rsa => include_str!("../../../dkim-testkit/vectors/keys/rsa2048.pkcs1.pem"),
            Self::Ed25519 => include_str!("../../../dkim-testkit/vectors/keys/ed25519.pem"),
        }
    }

    pub(super) fn key_file(self) -> std::path::PathBuf {
        workspace::path(match self {
            Self::Rsa => "dkim-testkit/vectors/keys/rsa2048.pkcs1.pem",
            Self::Ed25519 => "dkim-testkit/vectors/keys/ed25519.pem",
        })
    }
}

/// A signature to be made.
pub(super) struct Order {
    pub(super) message: Vec<u8>,
    pub(super) algorithm: Algorithm,
    /// As in `c=`.
    pub(super) form: &'static str,
    /// As in `h=`, name by name.
    pub(super) fields: Vec<String>,
    /// Whether the length of the body is told in `l=`.
    pub(super) length: bool,
}

/// What came of one message; the error is the peer's, in its own words.
pub(super) type Answer<T> = Result<T, String>;

/// That somebody takes no part, why, and what helps where nothing is installed.
pub(super) fn not_run(name: &str, why: &anyhow::Error, install: &str) -> String {
    format!("{name}: NOT RUN, {why:#}; to install: {install}")
}

/// What a command prints, of which the line about an error is told where it fails.
pub(super) fn printed(command: &mut Command) -> Result<String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().with_context(|| format!("cannot start {program}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    let mut lines = said.lines().filter(|line| !line.trim().is_empty());
    let error = lines.clone().find(|line| line.contains("rror")).or(lines.next());
    let error = error.unwrap_or("without a word").trim();
    ensure!(output.status.success(), "{program} failed, {}: {error}", output.status);
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

/// Another implementation of DKIM.
pub(super) trait Peer {
    fn name(&self) -> &'static str;

    /// Its version, as it tells it itself.
    ///
    /// # Errors
    ///
    /// Why it cannot take part: it is not installed, cannot be built or does not run.
    fn version(&self) -> Result<String>;

    /// What to type where it is not.
    fn how_to_install(&self) -> &'static str;

    fn knows(&self, algorithm: Algorithm, version: &str) -> bool;

    /// Whether it sees the octets between a field's colon and its text. One that takes them for a
    /// single space cannot judge other fields in `simple` form.
    fn keeps_first_blanks(&self) -> bool;

    /// What is known to be wrong with it, where RFC 6376 leaves no doubt.
    fn known_fault(&self, about: &About) -> Option<&'static str>;

    /// What is wrong with the signatures it hands out, and mended before we see them, so that a
    /// fault of ours would still show.
    fn mended(&self, _: Algorithm, _form: &str) -> Option<&'static str> {
        None
    }

    /// Whether each message passes, against these TXT records by name.
    fn verify(
        &self,
        messages: &[Vec<u8>],
        records: &BTreeMap<String, String>,
    ) -> Result<Vec<Answer<bool>>>;

    /// Each message with its signature on top.
    fn sign(
        &self,
        messages: &[Vec<u8>],
        algorithm: Algorithm,
        form: &'static str,
    ) -> Result<Vec<Answer<Vec<u8>>>>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn why_somebody_takes_no_part_is_told() {
        let nowhere = printed(&mut Command::new("/nowhere/node"));
        let why = nowhere.expect_err("it is not there");
        let told = not_run("mailauth", &why, "npm install mailauth");
        assert!(told.starts_with("mailauth: NOT RUN, cannot start /nowhere/node: "), "{told}");
        assert!(told.ends_with("; to install: npm install mailauth"), "{told}");
        // The program of these tests, which has no such option.
        let own = std::env::current_exe().expect("it runs");
        let why = printed(Command::new(own).arg("--no-such-option")).expect_err("it fails");
        assert!(why.to_string().contains("no-such-option"), "{why}");
    }
}
