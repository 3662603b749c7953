//! `cargo xtask ci`: everything that must hold before a change lands.

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use cargo_metadata::MetadataCommand;

use crate::{bench, conformance, fuzz, layers, spec, workspace};

/// Run all checks, and stop at the first that fails.
#[derive(clap::Args)]
pub(crate) struct Options {}

/// What came of a step that did not fail.
enum Done {
    Passed,
    /// Not done, and what is missing.
    Skipped(&'static str),
}

type Step = (&'static str, fn() -> Result<Done>);

// The order is by price: what fails fast comes first. Compiler flags stay the same throughout, and
// feature sets repeat, so that the cryptographic libraries are compiled as seldom as can be.
const STEPS: [Step; 26] = [
    ("format", || cargo(&["fmt", "--all", "--check"])),
    ("layers", || layers::run(&layers::Options {}).map(|()| Done::Passed)),
    ("spec", requirements),
    ("clippy, all features", || clippy(&["--workspace", "--all-targets", "--all-features"])),
    ("clippy, default features", || clippy(&["--workspace", "--all-targets"])),
    ("clippy, libraries without features", clippy_libraries),
    ("tests", || cargo(&["test", "--workspace"])),
    ("tests, dkim-crypto with ring", || test("dkim-crypto", &["ring"])),
    ("tests, dkim-crypto with aws-lc-rs", || test("dkim-crypto", &["aws-lc-rs"])),
    ("tests, dkim-keys with tokens", || test("dkim-keys", &["pkcs11"])),
    ("tests, dkim-cli with ring and tokens", || test("dkim-cli", &["ring", "pkcs11"])),
    ("docs", docs),
    ("conformance, own vectors", || conform(None)),
    ("conformance, shared set", shared_set),
    ("fuzz format", || in_fuzz(&["fmt", "--check", "--manifest-path", "fuzz/Cargo.toml"])),
    ("fuzz clippy", fuzz_clippy),
    ("fuzz replay", fuzz_replay),
    ("bench format", || in_bench(&["fmt", "--check"])),
    ("bench clippy", bench_clippy),
    ("bench cells", bench_cells),
    ("bench instructions", bench_instructions),
    ("deny", || deny("Cargo.toml")),
    ("fuzz deny", || deny("fuzz/Cargo.toml")),
    ("bench deny", || deny("bench/Cargo.toml")),
    ("peers format", || cargo(&["fmt", "--all", "--check", "--manifest-path", "peers/Cargo.toml"])),
    ("peers deny", || deny("peers/Cargo.toml")),
];

pub(crate) fn run(_: &Options) -> Result<()> {
    let start = Instant::now();
    let (mut passed, mut skipped) = (0, Vec::new());
    for (name, step) in STEPS {
        println!("==> {name}");
        let begun = Instant::now();
        let done = step().with_context(|| format!("ci stops: {name}"))?;
        match done {
            Done::Passed => {
                passed += 1;
                println!("<== {name}: passed in {}", seconds(begun.elapsed()));
            }
            Done::Skipped(why) => {
                skipped.push(name);
                println!("<== {name}: SKIPPED, {why}");
            }
        }
    }
    let took = seconds(start.elapsed());
    println!("ci: {passed} steps passed, {} skipped, in {took}", skipped.len());
    if !skipped.is_empty() {
        println!("ci: SKIPPED: {}", skipped.join("; "));
    }
    Ok(())
}

fn seconds(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds / 60 {
        0 => format!("{seconds} s"),
        minutes => format!("{minutes} min {} s", seconds % 60),
    }
}

fn cargo(arguments: &[&str]) -> Result<Done> {
    workspace::run(&mut workspace::cargo(arguments.iter().copied()))?;
    Ok(Done::Passed)
}

/// The texts of the RFCs are compared where they are.
fn requirements() -> Result<Done> {
    let rfc_dir = Some(workspace::path("../shared/rfc")).filter(|directory| directory.is_dir());
    spec::run(&spec::Options { rfc_dir, missing: true })?;
    Ok(Done::Passed)
}

fn clippy(arguments: &[&str]) -> Result<Done> {
    cargo(&[&["clippy"], arguments, &["--", "-D", "warnings"]].concat())
}

/// Each library must build with what its manifest asks for and nothing more.
fn clippy_libraries() -> Result<Done> {
    let manifest = workspace::path("Cargo.toml");
    let metadata = MetadataCommand::new().manifest_path(manifest).no_deps().exec()?;
    let libraries = metadata
        .packages
        .iter()
        .filter(|package| package.targets.iter().any(cargo_metadata::Target::is_lib));
    let packages = libraries.flat_map(|package| ["--package", package.name.as_str()]);
    let arguments: Vec<&str> = packages.chain(["--lib", "--no-default-features"]).collect();
    clippy(&arguments)
}

fn test(package: &str, features: &[&str]) -> Result<Done> {
    let features = features.join(",");
    cargo(&["test", "--package", package, "--no-default-features", "--features", &features])
}

fn docs() -> Result<Done> {
    let mut command = workspace::cargo(["doc", "--workspace", "--no-deps", "--all-features"]);
    workspace::run(command.env("RUSTDOCFLAGS", "-D warnings"))?;
    Ok(Done::Passed)
}

fn conform(dir: Option<&Path>) -> Result<Done> {
    let options = conformance::Options { dir: dir.map(Path::to_owned), names: true };
    conformance::run(&options)?;
    Ok(Done::Passed)
}

fn shared_set() -> Result<Done> {
    let directory = workspace::path("../shared/conformance");
    if !directory.is_dir() {
        return Ok(Done::Skipped("../shared/conformance is not there"));
    }
    conform(Some(&directory))
}

fn in_fuzz(arguments: &[&str]) -> Result<Done> {
    if !workspace::path("fuzz/Cargo.toml").is_file() {
        return Ok(Done::Skipped("there is no fuzz/"));
    }
    cargo(arguments)
}

fn fuzz_clippy() -> Result<Done> {
    let arguments = ["clippy", "--manifest-path", "fuzz/Cargo.toml", "--no-default-features"];
    in_fuzz(&[&arguments[..], &["--all-targets", "--", "-D", "warnings"]].concat())
}

fn fuzz_replay() -> Result<Done> {
    if !workspace::path("fuzz/Cargo.toml").is_file() {
        return Ok(Done::Skipped("there is no fuzz/"));
    }
    fuzz::replay()?;
    Ok(Done::Passed)
}

fn in_bench(arguments: &[&str]) -> Result<Done> {
    let (command, rest) = arguments.split_at(1);
    cargo(&[command, &["--manifest-path", "bench/Cargo.toml"], rest].concat())
}

fn bench_clippy() -> Result<Done> {
    let with_ring = ["clippy", "--no-default-features", "--features", "ring"];
    in_bench(&[&with_ring[..], &["--all-targets", "--", "-D", "warnings"]].concat())
}

fn bench_cells() -> Result<Done> {
    // Optimized, as the next step wants it, too.
    in_bench(&["test", "--release", "--no-default-features", "--features", "ring", "--lib"])
}

fn bench_instructions() -> Result<Done> {
    if !bench::has_valgrind() {
        return Ok(Done::Skipped("valgrind is not installed: no instructions were counted"));
    }
    if !bench::instructions_are_comparable()? {
        return Ok(Done::Skipped("instructions were kept for another compiler or processor"));
    }
    bench::check_instructions()?;
    Ok(Done::Passed)
}

/// By the rules in the deny.toml beside the manifest.
fn deny(manifest: &str) -> Result<Done> {
    let mut version = workspace::cargo(["deny", "--version"]);
    let installed = version.stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !installed.is_ok_and(|status| status.success()) {
        return Ok(Done::Skipped("not installed: cargo install cargo-deny"));
    }
    let check = ["check", "--hide-inclusion-graph", "licenses", "bans", "sources"];
    cargo(&[&["deny", "--manifest-path", manifest], &check[..]].concat())
}
