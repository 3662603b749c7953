//! OpenDKIM, in the test mode of its filter, which takes keys from a file instead of the DNS.

use std::collections::BTreeMap;
use std::fs;
use std::process::{Command, Output};

use anyhow::{Context, Result};
use tempfile::TempDir;

use super::messages::NO_FINAL_LINE_END;
use super::peer::{Algorithm, Answer, Peer, printed};
use super::{About, DOMAIN};

pub(super) struct OpenDkim;

impl Peer for OpenDkim {
    fn name(&self) -> &'static str {
        "OpenDKIM"
    }

    fn version(&self) -> Result<String> {
        let text = printed(Command::new("opendkim").arg("-V"))?;
        let version = text.lines().next().and_then(|first| first.rsplit(' ').next());
        let ed25519 = if text.contains("ed25519-sha256") { ", ed25519-sha256" } else { "" };
        Ok(format!("{}{ed25519}", version.context("it tells no version")?))
    }

    fn how_to_install(&self) -> &'static str {
        "apt-get install opendkim"
    }

    fn knows(&self, algorithm: Algorithm, version: &str) -> bool {
        algorithm != Algorithm::Ed25519 || version.contains(algorithm.name())
    }

    fn keeps_first_blanks(&self) -> bool {
        // Its test mode hands fields to the filter without them.
        false
    }

    fn known_fault(&self, about: &About) -> Option<&'static str> {
        let unended = about.message == NO_FINAL_LINE_END && about.form.ends_with("/relaxed");
        unended.then_some("it refuses a body without its last line end")
    }

    fn mended(&self, algorithm: Algorithm, form: &str) -> Option<&'static str> {
        // An RSA signature has a line of its own in both.
        (algorithm == Algorithm::Ed25519 && form.starts_with("simple/")).then_some(
            "it hashes its field with b= on the line of h=, then folds before b=, and does not \
             verify that itself (RFC 6376 §3.7: of b= alone the value is left out); the fold is \
             undone here",
        )
    }

    fn verify(
        &self,
        messages: &[Vec<u8>],
        records: &BTreeMap<String, String>,
    ) -> Result<Vec<Answer<bool>>> {
        let directory = tempfile::tempdir()?;
        let keys: String = records.iter().map(|(name, text)| format!("{name} {text}\n")).collect();
        let keys_file = directory.path().join("keys");
        fs::write(&keys_file, keys)?;
        let settings = format!("Mode v\nTestPublicKeys {}\n", keys_file.display());
        let answer = |message: &Vec<u8>| {
            let output = evaluate(&directory, &settings, message)?;
            let said = String::from_utf8_lossy(&output.stdout).into_owned();
            Ok(match (said.contains(" succeeded"), said.contains(" failed")) {
                (true, false) => Ok(true),
                (false, true) => Ok(false),
                _ => Err(last_word(&output)),
            })
        };
        messages.iter().map(answer).collect()
    }

    fn sign(
        &self,
        messages: &[Vec<u8>],
        algorithm: Algorithm,
        form: &'static str,
    ) -> Result<Vec<Answer<Vec<u8>>>> {
        let directory = tempfile::tempdir()?;
        let settings = format!(
            "Mode s\nDomain {DOMAIN}\nSelector {}\nKeyFile {}\nRequireSafeKeys no\n\
             Canonicalization {form}\nSignatureAlgorithm {}\n",
            algorithm.selector(),
            algorithm.key_file().display(),
            algorithm.name()
        );
        let mended = self.mended(algorithm, form).is_some();
        let answer = |message: &Vec<u8>| {
            let output = evaluate(&directory, &settings, message)?;
            let said = String::from_utf8_lossy(&output.stdout).into_owned();
            let field = said
                .split_once("hname='DKIM-Signature' hvalue='")
                .and_then(|(_, rest)| rest.split_once("'\n"))
                .map(|(body, _)| match mended {
                    true => body.replace(";\n\tb=", "; b="),
                    false => body.to_owned(),
                })
                .map(|body| format!("DKIM-Signature: {}\r\n", body.replace('\n', "\r\n")));
            Ok(match field {
                Some(field) => Ok([field.as_bytes(), message].concat()),
                None => Err(last_word(&output)),
            })
        };
        messages.iter().map(answer).collect()
    }
}

/// Runs the filter on one message.
fn evaluate(directory: &TempDir, settings: &str, message: &[u8]) -> Result<Output> {
    let write = |name: &str, octets: &[u8]| -> Result<_> {
        let path = directory.path().join(name);
        fs::write(&path, octets)?;
        Ok(path)
    };
    let settings = write("settings", format!("{settings}Syslog no\n").as_bytes())?;
    let message = write("message", message)?;
    // Two minutes are long for a message.
    Command::new("timeout")
        .args(["120", "opendkim", "-f", "-vv", "-t"])
        .arg(message)
        .arg("-x")
        .arg(settings)
        .output()
        .context("cannot start opendkim")
}

/// What the filter said last on standard output, its trace left out.
fn last_word(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stdout);
    said.lines().last().unwrap_or("no answer").to_owned()
}
