//! `cargo xtask miri`: the tests of the crates that have no C, every step of theirs watched.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};

use crate::workspace;

/// The crates that read what strangers write and bring no C along, with their dependencies.
const CRATES: [&str; 5] =
    ["dkim-message", "dkim-canon", "dkim-tags", "dkim-keyrec", "dkim-authres"];

const HOW_TO_INSTALL: &str = "rustup toolchain install nightly --component miri,rust-src";

/// Run the tests of the crates without C under Miri, which finds what `unsafe` code does wrong.
///
/// We have none; this is about that of the libraries we call. Tests that try all inputs of a kind
/// try fewer. A run in which no test ran is a failure.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// These crates; dkim-message, dkim-canon, dkim-tags, dkim-keyrec and dkim-authres otherwise.
    #[arg(value_name = "CRATE")]
    crates: Vec<String>,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let crates: Vec<&str> = match options.crates.as_slice() {
        [] => CRATES.to_vec(),
        chosen => chosen.iter().map(String::as_str).collect(),
    };
    let mut version = nightly(&["miri", "--version"]);
    let installed = version.stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !installed.is_ok_and(|status| status.success()) {
        let count = crates.len();
        bail!("NOT RUN: {count} of {count} crates. Miri is not installed: {HOW_TO_INSTALL}");
    }
    let (mut failed, mut not_run) = (Vec::new(), Vec::new());
    for name in &crates {
        let begun = Instant::now();
        let (passed, good) = of_crate(name)?;
        println!("miri: {name}: {passed} tests passed in {} s", begun.elapsed().as_secs());
        match (good, passed) {
            (false, _) => failed.push(*name),
            // A run without a test has shown nothing.
            (true, 0) => not_run.push(*name),
            (true, _) => {}
        }
    }
    println!("miri: {} crates run, {} NOT RUN", crates.len() - not_run.len(), not_run.len());
    ensure!(failed.is_empty(), "failed: {}", failed.join(", "));
    ensure!(not_run.is_empty(), "no test was run of {}", not_run.join(", "));
    Ok(())
}

/// How many tests of a crate passed, and whether none failed.
fn of_crate(name: &str) -> Result<(usize, bool)> {
    let mut command = nightly(&["miri", "test", "--no-fail-fast", "--lib", "--tests"]);
    command.args(["--package", name]).stdout(Stdio::piped());
    let mut child =
        command.spawn().with_context(|| format!("cannot start {}", workspace::line(&command)))?;
    let output = child.stdout.take().context("a pipe was asked for")?;
    let mut passed = 0;
    for line in BufReader::new(output).lines() {
        let line = line?;
        passed += tests_passed(&line);
        println!("{line}");
    }
    Ok((passed, child.wait()?.success()))
}

/// `cargo` of the nightly toolchain: the only one that has Miri.
fn nightly(arguments: &[&str]) -> Command {
    let mut command = Command::new("rustup");
    command.args(["run", "nightly", "cargo"]).args(arguments).current_dir(workspace::root());
    command
}

/// The number in the line that closes a test binary's run.
fn tests_passed(line: &str) -> usize {
    let counts = line.strip_prefix("test result: ").and_then(|rest| rest.split_once(". "));
    let passed = counts.and_then(|(_, counts)| counts.split_once(" passed"));
    passed.and_then(|(number, _)| number.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_closing_line_counts() {
        for (line, passed) in [
            ("test result: ok. 21 passed; 0 failed; 0 ignored; finished in 1.00s", 21),
            ("test result: FAILED. 20 passed; 1 failed; 0 ignored", 20),
            ("test result: ok. 0 passed; 0 failed; 0 ignored", 0),
            ("test result_is_ok ... ok", 0),
            ("3 passed", 0),
        ] {
            assert_eq!(tests_passed(line), passed, "{line}");
        }
    }
}
