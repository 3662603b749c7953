//! `cargo xtask mutants`: changes the code in small ways, and looks which changes no test notices.

mod findings;
mod report;

use std::fs;
use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context, Result, bail};

use crate::workspace;
use findings::Findings;

/// The crates that parse and decide: a change there that no test notices is a signature wrongly
/// accepted or refused, or a message or an answer wrongly read.
const CRATES: [&str; 8] = [
    "dkim-message",
    "dkim-canon",
    "dkim-tags",
    "dkim-hash",
    "dkim-keyrec",
    "dkim-authres",
    "dkim-adsp",
    "dkim-verify",
];

/// Test the tests: change the code in small ways, and list the changes that none of them notices.
///
/// Changes that mean the same are named in .cargo/mutants.toml, with the reason. A run that was
/// broken off goes on where it stood: what a test has noticed is not tried again, until --anew.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// These crates; all that parse and decide otherwise.
    #[arg(value_name = "CRATE")]
    crates: Vec<String>,
    /// Only the changes in these files.
    #[arg(long, value_name = "GLOB")]
    file: Vec<String>,
    /// Forget what earlier runs found.
    #[arg(long, conflicts_with_all = ["file", "report"])]
    anew: bool,
    /// Seconds after which a test that hangs has noticed the change.
    #[arg(long, value_name = "N", default_value_t = 60)]
    timeout: u64,
    /// Change nothing: write MUTANTS.md from what the runs so far have found.
    #[arg(long)]
    report: bool,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let mut version = workspace::cargo(["mutants", "--version"]);
    let installed = version.stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !installed.is_ok_and(|status| status.success()) {
        bail!("cargo-mutants is not installed: cargo install cargo-mutants");
    }
    let crates: Vec<&str> = match options.crates.as_slice() {
        [] => CRATES.to_vec(),
        chosen => chosen.iter().map(String::as_str).collect(),
    };
    let mut all = Vec::new();
    for name in crates {
        let found = if options.report { read(name)? } else { of_crate(name, options)? };
        println!("{}", report::line(name, &found));
        all.push((name, found));
    }
    if options.report {
        return report::write(&all);
    }
    let survivors: Vec<&str> = all.iter().flat_map(|(_, found)| found.missed()).collect();
    if !survivors.is_empty() {
        let list = survivors.join("\n  ");
        bail!("no test notices, and no reason is given in .cargo/mutants.toml:\n  {list}");
    }
    Ok(())
}

/// Changes a crate, and says what the runs so far have found, this one included.
fn of_crate(name: &str, options: &Options) -> Result<Findings> {
    let output = output(name);
    if options.anew && output.exists() {
        fs::remove_dir_all(&output).with_context(|| output.display().to_string())?;
    }
    fs::create_dir_all(&output).with_context(|| output.display().to_string())?;
    // A run that was broken off has left its lists; the next one moves them away.
    findings::keep(&output)?;
    let mut command = workspace::cargo(["mutants", "--iterate", "--package", name]);
    command.args(options.file.iter().flat_map(|file| ["--file", file]));
    command.arg("--timeout").arg(options.timeout.to_string()).arg("--output").arg(&output);
    // Tests that try all inputs of a kind are worth compiling well, as often as they are run here.
    command.env("CARGO_PROFILE_DEV_OPT_LEVEL", "1").env("CARGO_PROFILE_DEV_DEBUG", "0");
    // Its exit code tells of survivors too; they are read below.
    let ended = command.status().context("cargo mutants")?;
    if !output.join("mutants.out/missed.txt").exists() {
        bail!("cargo mutants ended with {ended}, and left no list of what it found");
    }
    read(name)
}

/// What the runs so far have found in a crate.
fn read(name: &str) -> Result<Findings> {
    let output = output(name);
    findings::keep(&output)?;
    Findings::read(name, &output)
}

/// Where the runs of a crate leave what they find.
fn output(name: &str) -> PathBuf {
    workspace::path("target/mutants").join(name)
}
