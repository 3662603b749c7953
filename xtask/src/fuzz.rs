//! `cargo xtask fuzz`: runs the fuzz targets in the best mode there is, and keeps what they find.

mod coverage;
mod spent;

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use cargo_metadata::MetadataCommand;

use self::coverage::Coverage;
use self::spent::Spent;
use crate::workspace;

/// Messages that every target begins with, whatever it reads.
const VECTORS: &str = "dkim-testkit/vectors/generated/messages";

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
    /// Add what the runs cost to the table in fuzz/LOG.md.
    #[arg(long, conflicts_with = "replay")]
    log: bool,
    /// With the compiler that builds everything else, and without a sanitizer, though there be one.
    #[arg(long, conflicts_with_all = ["replay", "coverage"])]
    stable: bool,
    /// Change no input, and write to fuzz/COVERAGE.md which functions the inputs that are there
    /// reach. What none reaches needs a reason there.
    #[arg(long, conflicts_with_all = ["replay", "log", "target"])]
    coverage: bool,
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
    let mode = Mode::best(options.stable)?;
    println!("{}", mode.words());
    if options.coverage {
        return coverage(&chosen, mode);
    }
    let mut found = Vec::new();
    for target in chosen {
        println!("== {target}, {} s", options.seconds);
        let (kept, spent) = run_target(target, mode, options.seconds)?;
        println!("| `{target}` | {spent} |");
        if options.log {
            spent::add(target, spent)?;
        }
        found.extend(kept);
    }
    if !found.is_empty() {
        bail!("findings, kept for replay: {}", found.join(", "));
    }
    Ok(())
}

/// What the targets reach; those that hand the same input to another implementation, too, reach no
/// more.
fn coverage(targets: &[&String], mode: Mode) -> Result<()> {
    let mut coverage = Coverage::default();
    for target in targets.iter().filter(|target| !has_peer(target)) {
        let mut command = on_inputs(target, mode)?;
        command.args(["-runs=0", "-print_coverage=1", "-rss_limit_mb=4096"]);
        println!("== {target}");
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
        if let Some(said) = child.stderr.take() {
            coverage.read(said)?;
        }
        if !child.wait()?.success() {
            bail!("{} failed", workspace::line(&command));
        }
    }
    coverage.write()
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
    fn best(stable: bool) -> Result<Self> {
        let works = |command: &mut Command| {
            let quiet = command.stdout(Stdio::null()).stderr(Stdio::null());
            quiet.status().is_ok_and(|status| status.success())
        };
        if !works(&mut workspace::cargo(["fuzz", "--version"])) {
            bail!("cargo-fuzz is not installed: cargo install cargo-fuzz");
        }
        let nightly = !stable && works(Command::new("rustc").args(["+nightly", "--version"]));
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

    /// `cargo fuzz` with a subcommand.
    fn cargo_fuzz(self, subcommand: &str) -> Command {
        match self {
            Self::Nightly => {
                let mut command = nightly_cargo();
                command.args(["fuzz", subcommand]);
                command
            }
            Self::Stable => workspace::cargo(["fuzz", subcommand, "--sanitizer", "none"]),
        }
    }
}

/// Not the cargo that runs us: rustup chooses the nightly one.
fn nightly_cargo() -> Command {
    let mut command = Command::new("cargo");
    command.arg("+nightly").current_dir(workspace::root());
    // What our own cargo said about itself is not for another one.
    for name in ["CARGO", "RUSTC", "RUSTDOC", "RUSTUP_TOOLCHAIN"] {
        command.env_remove(name);
    }
    command
}

/// Those that need another implementation.
fn has_peer(target: &str) -> bool {
    target.starts_with("differ")
}

/// Builds a target, and returns the command that runs it.
fn built(target: &str, mode: Mode) -> Result<Command> {
    if !has_peer(target) {
        let mut command = mode.cargo_fuzz("build");
        workspace::run(command.arg(target))?;
        let mut command = mode.cargo_fuzz("run");
        command.arg(target);
        return Ok(command);
    }
    // The peer's parser names a newer compiler than it needs, and cargo-fuzz cannot be told to let
    // that be. These are its flags.
    let flags = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
                 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
                 -Cllvm-args=-sanitizer-coverage-pc-table \
                 -Cllvm-args=-sanitizer-coverage-trace-compares \
                 --cfg fuzzing -Cdebug-assertions -Ccodegen-units=1";
    let (mut command, flags) = match mode {
        Mode::Nightly => (nightly_cargo(), format!("{flags} -Zsanitizer=address")),
        Mode::Stable => (workspace::cargo([]), flags.to_owned()),
    };
    let host = host()?;
    command.args(["build", "--release", "--manifest-path", "fuzz/Cargo.toml", "--bin", target]);
    command.args(["--features", "peers", "--ignore-rust-version", "--target", &host]);
    // A directory of its own, so that neither build undoes the other's.
    let directory = workspace::path("fuzz/target/peers");
    command.arg("--target-dir").arg(&directory).env("RUSTFLAGS", flags);
    workspace::run(&mut command)?;
    let mut command = Command::new(directory.join(host).join("release").join(target));
    let artifacts = Path::new("fuzz/artifacts").join(target);
    fs::create_dir_all(workspace::path(&artifacts))?;
    command.arg(format!("-artifact_prefix={}/", artifacts.display()));
    Ok(command)
}

/// The triple of this machine: flags for the target are not for build scripts.
fn host() -> Result<String> {
    let version = Command::new("rustc").arg("-vV").output().context("cannot start rustc")?;
    let version = String::from_utf8_lossy(&version.stdout);
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("rustc names no host")?.to_owned())
}

fn below_fuzz(part: &str, target: &str) -> PathBuf {
    Path::new("fuzz").join(part).join(target)
}

/// Builds a target, and returns the command that runs it on all inputs that are there; options of
/// libFuzzer may follow.
fn on_inputs(target: &str, mode: Mode) -> Result<Command> {
    let [corpus, seeds, regressions] =
        ["corpus", "seeds", "regressions"].map(|part| below_fuzz(part, target));
    fs::create_dir_all(workspace::path(&corpus))?;
    let mut command = built(target, mode)?;
    // New inputs go to the first directory; the others are read only.
    command.arg(&corpus);
    command.args([&seeds, &regressions].into_iter().filter(|path| workspace::path(path).is_dir()));
    command.arg(VECTORS);
    if !has_peer(target) {
        command.arg("--");
    }
    Ok(command)
}

/// Runs a target, and returns the findings it left, copied to where they are replayed, and what the
/// run cost.
fn run_target(target: &str, mode: Mode, seconds: u64) -> Result<(Vec<String>, Spent)> {
    let mut command = on_inputs(target, mode)?;
    let before = artifacts(target)?;
    command.args(["-max_len=4096", "-print_final_stats=1"]);
    command.arg(format!("-max_total_time={seconds}"));
    let dictionary = Path::new("fuzz/dkim.dict");
    if workspace::path(dictionary).is_file() {
        command.arg(format!("-dict={}", dictionary.display()));
    }
    let (mut spent, ended) = timed(&command)?;

    let mut kept = Vec::new();
    for artifact in artifacts(target)?.difference(&before) {
        let name = artifact.file_name().context("an artifact has a name")?;
        let regressions = below_fuzz("regressions", target);
        let directory = workspace::path(&regressions);
        fs::create_dir_all(&directory)?;
        fs::copy(artifact, directory.join(name))?;
        kept.push(regressions.join(name).display().to_string());
    }
    if kept.is_empty() && !ended {
        // For another reason than a finding.
        bail!("{} failed", workspace::line(&command));
    }
    spent.findings = u64::try_from(kept.len()).unwrap_or(u64::MAX);
    Ok((kept, spent))
}

/// Runs a command in a shell that tells what it cost, and whether it ended well. What libFuzzer says
/// is passed on.
fn timed(command: &Command) -> Result<(Spent, bool)> {
    let mut shell = Command::new("sh");
    shell.args(["-c", "\"$@\"; code=$?; times; exit $code", "sh"]);
    shell.arg(command.get_program()).args(command.get_args()).current_dir(workspace::root());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    let mut child = shell.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let mut spent = Spent::default();
    if let Some(said) = child.stderr.take() {
        let mut said = BufReader::new(said);
        let mut line = Vec::new();
        // What a crash prints of its input may be no UTF-8.
        while said.read_until(b'\n', &mut line)? > 0 {
            let text = String::from_utf8_lossy(&line);
            eprint!("{text}");
            spent.executions = spent::executions(text.trim_end()).unwrap_or(spent.executions);
            line.clear();
        }
    }
    let mut times = String::new();
    if let Some(mut said) = child.stdout.take() {
        said.read_to_string(&mut times)?;
    }
    let ended = child.wait()?.success();
    spent.seconds = spent::seconds_of_children(&times).context("the shell told no times")?;
    Ok((spent, ended))
}

fn artifacts(target: &str) -> Result<BTreeSet<PathBuf>> {
    let directory = workspace::path("fuzz/artifacts").join(target);
    if !directory.is_dir() {
        return Ok(BTreeSet::new());
    }
    fs::read_dir(directory)?.map(|entry| Ok(entry?.path())).collect()
}
