//! `cargo xtask attacks`: the tests that ATTACKS.md names, under limits of time and memory.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::{spec, workspace};

/// Seconds of processor time that a test may take, tests being built without optimization; and each
/// process that it starts.
const SECONDS: u32 = 60;

/// KiB of address space that a process may have: the stacks of threads are the most of it.
const ADDRESS_SPACE: u32 = 2 * 1024 * 1024;

/// What some of the tests are behind, and an ordinary build leaves out.
const FEATURES: &str = "dkim-keys/pkcs11";

/// Run every test that ATTACKS.md names, each in a process of its own with one minute of processor
/// time and 2 GiB of address space at most; so are the programs that it starts.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Those of this package alone.
    #[arg(long, value_name = "CRATE")]
    package: Option<String>,
    /// As for `cargo test`.
    #[arg(long)]
    no_default_features: bool,
    /// As for `cargo test`; unless said, those that the tests are behind.
    #[arg(long)]
    features: Option<String>,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    // Test functions, with the module they are in, by the target: `a/tests/b.rs` is one, all of
    // `a/src` is another.
    let mut wanted: BTreeMap<PathBuf, BTreeSet<(String, String)>> = BTreeMap::new();
    for (file, name) in spec::tests_of_attacks()? {
        let is_chosen =
            options.package.as_ref().is_none_or(|only| Path::new(&file).starts_with(only));
        if is_chosen && file.ends_with(".rs") {
            wanted.entry(target(&file)).or_default().insert((module(&file), name));
        }
    }
    ensure!(!wanted.is_empty(), "ATTACKS.md names no test of that package");
    let mut ran = 0;
    let mut failed = Vec::new();
    for (root, executable) in build(options)? {
        let Some(names) = wanted.remove(&root) else { continue };
        let there = listed(&executable)?;
        let mut tests = BTreeSet::new();
        for (module, name) in &names {
            let known = tests.len();
            tests.extend(there.iter().filter(|test| is_called(test, module, name)));
            if tests.len() == known {
                failed.push(format!("{}: no test {module}{name}", root.display()));
            }
        }
        ran += tests.len();
        println!("{}: {} named", root.display(), tests.len());
        for test in tests {
            if let Some(why) = failure(&root, &executable, test)? {
                failed.push(format!("{}: {test}", root.display()));
                println!("{test}: {why}");
            }
        }
    }
    ensure!(failed.is_empty(), "failed, or went over a limit: {}", failed.join(", "));
    for root in wanted.keys() {
        println!("NOT RUN: {}, which was not built with these features", root.display());
    }
    let is_whole = options.features.is_none() && !options.no_default_features;
    ensure!(wanted.is_empty() || !is_whole, "{} files were not run", wanted.len());
    ensure!(ran > 0, "no test ran");
    println!("attacks: {ran} tests ran, {} files NOT RUN", wanted.len());
    Ok(())
}

/// Runs one test under the limits; what it said, if it failed.
fn failure(root: &Path, executable: &Path, test: &str) -> Result<Option<String>> {
    let script = format!("ulimit -v {ADDRESS_SPACE} && ulimit -t {SECONDS} && exec \"$0\" \"$@\"");
    let mut command = Command::new("sh");
    command.args(["-c", &script]).arg(executable).args(["--exact", test]);
    // Where cargo runs tests: in the directory of their package.
    let package = root.components().next().context("a path of no package")?;
    let output = command.current_dir(workspace::path(package)).output()?;
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    let passed = output.status.success() && said.contains("test result: ok. 1 passed");
    Ok((!passed).then(|| format!("{}\n{said}", output.status)))
}

/// The tests of a binary, each with its path.
fn listed(executable: &Path) -> Result<Vec<String>> {
    let listed = Command::new(executable).args(["--list", "--format", "terse"]).output()?;
    let listed = String::from_utf8(listed.stdout).context("a list of tests")?;
    Ok(listed.lines().filter_map(|line| line.strip_suffix(": test")).map(str::to_owned).collect())
}

/// The directory or the file whose tests are in one binary with those of a file.
fn target(file: &str) -> PathBuf {
    let mut parts = Path::new(file).components();
    let (package, kind) = (parts.next(), parts.next());
    match kind.is_some_and(|kind| kind.as_os_str() == "src") {
        true => package.into_iter().chain(kind).collect(),
        false => PathBuf::from(file),
    }
}

/// Whether a test is one of that name in that module or below it. What each provider has to do is
/// one function, and a test for each of them.
fn is_called(test: &str, module: &str, name: &str) -> bool {
    test.strip_prefix(module).is_some_and(|rest| rest.rsplit("::").next() == Some(name))
}

/// The path of the module that a file below `src` is, as tests are called by it: `b::c::`.
fn module(file: &str) -> String {
    let Some((_, path)) = file.split_once("/src/") else { return String::new() };
    let path = path.strip_suffix(".rs").unwrap_or(path);
    if path == "lib" || path == "main" {
        return String::new();
    }
    path.strip_suffix("/mod").unwrap_or(path).replace('/', "::") + "::"
}

/// Builds the tests; where the sources of each binary are, and where it is.
fn build(options: &Options) -> Result<Vec<(PathBuf, PathBuf)>> {
    let mut command = workspace::cargo(["test", "--no-run", "--lib", "--bins", "--tests"]);
    command.arg("--message-format=json-render-diagnostics");
    match &options.package {
        Some(package) => command.args(["--package", package]),
        None => command.arg("--workspace"),
    };
    if options.no_default_features {
        command.arg("--no-default-features");
    }
    let has_them =
        options.package.as_ref().is_none_or(|only| FEATURES.starts_with(&format!("{only}/")));
    let usual = (has_them && !options.no_default_features).then_some(FEATURES);
    if let Some(features) = options.features.as_deref().or(usual) {
        command.args(["--features", features]);
    }
    let output = command.stderr(Stdio::inherit()).output()?;
    ensure!(output.status.success(), "{} failed", workspace::line(&command));
    let messages = output.stdout.split(|octet| *octet == b'\n');
    let built = messages.filter_map(|line| {
        let message: Value = serde_json::from_slice(line).ok()?;
        message["profile"]["test"].as_bool().filter(|test| *test)?;
        let source = Path::new(message["target"]["src_path"].as_str()?);
        let relative = source.strip_prefix(workspace::root()).ok()?.to_str()?;
        Some((target(relative), PathBuf::from(message["executable"].as_str()?)))
    });
    Ok(built.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unit_tests_are_in_one_binary() {
        assert_eq!(target("a/src/b/c.rs"), Path::new("a/src"));
        assert_eq!(target("a/tests/b.rs"), Path::new("a/tests/b.rs"));
    }

    #[test]
    fn a_name_stands_for_all_tests_of_it_in_its_file() {
        assert_eq!(module("a/src/b/c.rs"), "b::c::");
        assert_eq!(module("a/src/b/mod.rs"), "b::");
        assert_eq!(module("a/src/lib.rs"), "");
        assert_eq!(module("a/tests/b.rs"), "");
        let there = ["ring::x", "aws_lc::x", "ring::y", "ring::an_x"];
        let called = there.iter().filter(|test| is_called(test, "", "x"));
        assert_eq!(called.count(), 2);
        assert!(is_called("b::c::tests::x", "b::c::", "x"));
        assert!(!is_called("b::d::tests::x", "b::c::", "x"));
    }
}
