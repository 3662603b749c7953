//! `cargo xtask fuzz`: runs the fuzz targets in the best mode there is, and keeps what they find.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use cargo_metadata::MetadataCommand;

use crate::workspace;

/// Run the fuzz targets, or replay what they found.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// This target alone; all of them otherwise.
    target: Option<String>,
    /// How long to run each target.
    #[arg(long, value_name = "N", default_value_t = 60)]
    seconds: u64,
    /// Replay seeds and regressions through the properties; needs neither nightly nor cargo-fuzz.
    #[arg(long)]
    replay: bool,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    if options.replay {
        return replay();
    }
    let targets = targets()?;
    let chosen: Vec<&String> = targets
        .iter()
        .filter(|target| options.target.as_ref().is_none_or(|only| only == *target))
        .collect();
    if chosen.is_empty() {
        bail!("no such target; there are: {}", targets.join(" "));
    }
    let mode = Mode::best()?;
    println!("{}", mode.words());
    let mut found = Vec::new();
    for target in chosen {
        println!("== {target}, {} s", options.seconds);
        found.extend(run_target(target, mode, options.seconds)?);
    }
    if !found.is_empty() {
        bail!("findings, kept for replay: {}", found.join(", "));
    }
    Ok(())
}

/// Replays seeds and regressions as an ordinary test.
pub(crate) fn replay() -> Result<()> {
    let arguments = ["test", "--manifest-path", "fuzz/Cargo.toml", "--no-default-features"];
    workspace::run(&mut workspace::cargo(arguments))
}

fn targets() -> Result<Vec<String>> {
    let manifest = workspace::path("fuzz/Cargo.toml");
    let metadata = MetadataCommand::new().manifest_path(manifest).no_deps().exec()?;
    let bins = metadata.packages.iter().flat_map(|package| &package.targets);
    Ok(bins.filter(|target| target.is_bin()).map(|target| target.name.clone()).collect())
}

/// How libFuzzer is built.
#[derive(Clone, Copy)]
enum Mode {
    /// With AddressSanitizer, which only the nightly compiler offers.
    Nightly,
    /// With coverage alone.
    Stable,
}

impl Mode {
    fn best() -> Result<Self> {
        let works = |command: &mut Command| {
            let quiet = command.stdout(Stdio::null()).stderr(Stdio::null());
            quiet.status().is_ok_and(|status| status.success())
        };
        if !works(&mut workspace::cargo(["fuzz", "--version"])) {
            bail!("cargo-fuzz is not installed: cargo install cargo-fuzz");
        }
        let nightly = works(Command::new("rustc").args(["+nightly", "--version"]));
        Ok(if nightly { Self::Nightly } else { Self::Stable })
    }

    fn words(self) -> &'static str {
        match self {
            Self::Nightly => "nightly compiler, with AddressSanitizer",
            Self::Stable => {
                "stable compiler, WITHOUT sanitizer; for one: rustup toolchain install nightly"
            }
        }
    }

    fn command(self) -> Command {
        match self {
            Self::Nightly => {
                // Not the cargo that runs us: rustup chooses the nightly one.
                let mut command = Command::new("cargo");
                command.args(["+nightly", "fuzz", "run"]).current_dir(workspace::root());
                // What our own cargo said about itself is not for another one.
                for name in ["CARGO", "RUSTC", "RUSTDOC", "RUSTUP_TOOLCHAIN"] {
                    command.env_remove(name);
                }
                command
            }
            Self::Stable => workspace::cargo(["fuzz", "run", "--sanitizer", "none"]),
        }
    }
}

/// Runs a target, and returns the findings it left, copied to where they are replayed.
fn run_target(target: &str, mode: Mode, seconds: u64) -> Result<Vec<String>> {
    let below_fuzz = |part: &str| Path::new("fuzz").join(part).join(target);
    let [corpus, seeds, regressions] = ["corpus", "seeds", "regressions"].map(below_fuzz);
    fs::create_dir_all(workspace::path(&corpus))?;
    let before = artifacts(target)?;

    let mut command = mode.command();
    // New inputs go to the first directory; the others are read only.
    command.arg(target).arg(&corpus);
    command.args([&seeds, &regressions].into_iter().filter(|path| workspace::path(path).is_dir()));
    command.args(["--", "-max_len=4096"]).arg(format!("-max_total_time={seconds}"));
    let dictionary = Path::new("fuzz/dkim.dict");
    if workspace::path(dictionary).is_file() {
        command.arg(format!("-dict={}", dictionary.display()));
    }
    let ended = workspace::run(&mut command);

    let mut kept = Vec::new();
    for artifact in artifacts(target)?.difference(&before) {
        let name = artifact.file_name().context("an artifact has a name")?;
        let directory = workspace::path(&regressions);
        fs::create_dir_all(&directory)?;
        fs::copy(artifact, directory.join(name))?;
        kept.push(regressions.join(name).display().to_string());
    }
    if kept.is_empty() {
        // It failed for another reason than a finding.
        ended?;
    }
    Ok(kept)
}

fn artifacts(target: &str) -> Result<BTreeSet<PathBuf>> {
    let directory = workspace::path("fuzz/artifacts").join(target);
    if !directory.is_dir() {
        return Ok(BTreeSet::new());
    }
    fs::read_dir(directory)?.map(|entry| Ok(entry?.path())).collect()
}
