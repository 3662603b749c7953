//! `cargo xtask mutants`: changes the code in small ways, and looks which changes no test notices.

use std::fs;
use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context, Result, bail};

use crate::workspace;

/// The crates in which a change that no test notices is a signature wrongly accepted or refused.
const CRATES: [&str; 4] = ["dkim-canon", "dkim-tags", "dkim-keyrec", "dkim-verify"];

/// Test the tests: change the code in small ways, and list the changes that none of them notices.
///
/// Changes that mean the same are named in .cargo/mutants.toml, with the reason. A run that was
/// broken off goes on where it stood: what a test has noticed is not tried again, until --anew.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// These crates; dkim-canon, dkim-tags, dkim-keyrec and dkim-verify otherwise.
    #[arg(value_name = "CRATE")]
    crates: Vec<String>,
    /// Forget what earlier runs found.
    #[arg(long)]
    anew: bool,
    /// Seconds after which a test that hangs has noticed the change.
    #[arg(long, value_name = "N", default_value_t = 60)]
    timeout: u64,
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
    let mut survivors = Vec::new();
    for name in crates {
        let survived = of_crate(name, options)?;
        println!("{name}: {} survive", survived.len());
        survivors.extend(survived);
    }
    if !survivors.is_empty() {
        let list = survivors.join("\n  ");
        bail!("no test notices, and no reason is given in .cargo/mutants.toml:\n  {list}");
    }
    Ok(())
}

/// The changes of a crate that survive.
fn of_crate(name: &str, options: &Options) -> Result<Vec<String>> {
    let output: PathBuf = workspace::path("target/mutants").join(name);
    if options.anew && output.exists() {
        fs::remove_dir_all(&output).with_context(|| output.display().to_string())?;
    }
    fs::create_dir_all(&output).with_context(|| output.display().to_string())?;
    let mut command = workspace::cargo(["mutants", "--iterate", "--package", name]);
    command.arg("--timeout").arg(options.timeout.to_string()).arg("--output").arg(&output);
    // Tests that try all inputs of a kind are worth compiling well, as often as they are run here.
    command.env("CARGO_PROFILE_DEV_OPT_LEVEL", "1");
    // Its exit code tells of survivors too; they are read below.
    let ended = command.status().context("cargo mutants")?;
    let missed = output.join("mutants.out/missed.txt");
    let missed = fs::read_to_string(&missed).with_context(|| {
        format!("cargo mutants ended with {ended}, and left no {}", missed.display())
    })?;
    Ok(missed.lines().map(str::to_owned).collect())
}
