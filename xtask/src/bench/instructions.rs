//! Instructions that a message takes outside the cryptographic library, counted by callgrind.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use cargo_metadata::MetadataCommand;

use super::MANIFEST;
use crate::workspace;

/// What is counted, all of it with ring.
const CELLS: [&str; 6] = [
    "verify/ring/rsa-2048/relaxed/1KiB",
    "verify/ring/rsa-2048/relaxed/16KiB",
    "verify/ring/rsa-2048/relaxed/256KiB",
    "verify/ring/ed25519/relaxed/16KiB",
    "sign/ring/rsa-2048/relaxed/16KiB",
    "nasty/ring/fields/2000",
];

/// Where the counts are kept: a cell and its count on each line.
const KEPT: &str = "bench/instructions.txt";

/// By how many per cent a count may grow.
const TOLERANCE: u64 = 5;

/// How the counts are kept.
const SAVE: &str = "cargo xtask bench --save-instructions";

/// What to do where there is no valgrind.
pub(super) const MISSING: &str = "valgrind is not installed (apt-get install valgrind)";

/// Whether there is the tool that counts.
pub(crate) fn has_valgrind() -> bool {
    let mut version = Command::new("valgrind");
    let quiet = version.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}

/// Whether what was kept was counted with the compiler and on the kind of processor there is here:
/// with others the same sources count otherwise.
pub(crate) fn is_comparable() -> Result<bool> {
    let text = fs::read_to_string(workspace::path(KEPT)).with_context(|| KEPT.to_owned())?;
    Ok(text.lines().next() == Some(heading()?.as_str()))
}

/// Counts, and compares with what was kept.
pub(crate) fn check() -> Result<()> {
    let text = fs::read_to_string(workspace::path(KEPT)).with_context(|| KEPT.to_owned())?;
    let kept_with = text.lines().next().unwrap_or_default();
    let made_with = heading()?;
    if kept_with != made_with {
        println!("kept: {kept_with}\nnow:  {made_with}");
    }
    let counts = count_all()?;
    let (mut more, mut fewer) = (Vec::new(), Vec::new());
    println!("{:<40} {:>12} {:>12}", "cell", "kept", "now");
    for (cell, now) in counts {
        let kept = kept(&text, cell)?;
        println!("{cell:<40} {kept:>12} {now:>12}  {}", change(kept, now));
        if now * 100 > kept * (100 + TOLERANCE) {
            more.push(cell);
        } else if now * (100 + TOLERANCE) < kept * 100 {
            fewer.push(cell);
        }
    }
    if !fewer.is_empty() {
        println!("fewer: {}; to hold on to it: {SAVE}", fewer.join(", "));
    }
    if !more.is_empty() {
        bail!(
            "more than {TOLERANCE} % above {KEPT}: {}; where that is worth it: {SAVE}",
            more.join(", ")
        );
    }
    Ok(())
}

/// Counts, and keeps the counts.
pub(super) fn keep() -> Result<()> {
    let mut text = heading()? + "\n";
    for (cell, count) in count_all()? {
        println!("{cell:<40} {count:>12}");
        writeln!(text, "{cell}\t{count}")?;
    }
    fs::write(workspace::path(KEPT), text).with_context(|| KEPT.to_owned())
}

fn kept(text: &str, cell: &str) -> Result<u64> {
    let mut lines = text.lines().filter_map(|line| line.split_once('\t'));
    let (_, count) = lines
        .find(|(name, _)| *name == cell)
        .with_context(|| format!("{KEPT} has no {cell}: {SAVE}"))?;
    count.parse().with_context(|| format!("{KEPT}: {cell}: {count}"))
}

fn change(kept: u64, now: u64) -> String {
    let (sign, by) = if now < kept { ('-', kept - now) } else { ('+', now - kept) };
    let per_mille = by * 1000 / kept.max(1);
    format!("{sign}{}.{} %", per_mille / 10, per_mille % 10)
}

/// What the counts depend on beside the sources.
fn heading() -> Result<String> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = Command::new(rustc).arg("--version").output().context("cannot start rustc")?;
    let version = String::from_utf8_lossy(&version.stdout).trim().to_owned();
    let arch = std::env::consts::ARCH;
    Ok(format!("# instructions outside the library; {version}, {arch}{}", vectors()))
}

/// What of the processor other crates look for before they choose how to search.
#[cfg(target_arch = "x86_64")]
fn vectors() -> &'static str {
    if std::arch::is_x86_feature_detected!("avx2") { " with AVX2" } else { "" }
}

#[cfg(not(target_arch = "x86_64"))]
fn vectors() -> &'static str {
    ""
}

/// Ours less the limit's, for each cell.
fn count_all() -> Result<Vec<(&'static str, u64)>> {
    if !has_valgrind() {
        bail!("{MISSING}; to go on without: --without-valgrind");
    }
    let program = ["--bin", "instructions", "--no-default-features", "--features", "ring"];
    let build = ["build", "--release", "--manifest-path", MANIFEST];
    workspace::run(&mut workspace::cargo(build.into_iter().chain(program)))?;
    let manifest = workspace::path(MANIFEST);
    let metadata = MetadataCommand::new().manifest_path(manifest).no_deps().exec()?;
    let program = metadata.target_directory.join("release/instructions");
    let outside = |cell| {
        let [ours, limit] = ["ours", "limit"].map(|side| count(program.as_std_path(), cell, side));
        let outside = ours?.checked_sub(limit?);
        Ok((cell, outside.with_context(|| format!("{cell}: less than the limit"))?))
    };
    CELLS.into_iter().map(outside).collect()
}

/// The instructions of one side of a cell.
fn count(program: &Path, cell: &str, side: &str) -> Result<u64> {
    let directory = tempfile::tempdir()?;
    let counts = directory.path().join("counts");
    let mut command = Command::new("valgrind");
    command
        .args(["--tool=callgrind", "--collect-atstart=no"])
        .arg("--toggle-collect=instructions::counted*")
        .arg(format!("--callgrind-out-file={}", counts.display()))
        .arg(program)
        .args([cell, side]);
    let output = command.output().context("cannot start valgrind")?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        bail!("{} failed: {}\n{said}", workspace::line(&command), output.status);
    }
    let text = fs::read_to_string(counts)?;
    let total = text.lines().find_map(|line| line.strip_prefix("totals: "));
    let total: u64 = total.context("callgrind gave no total")?.trim().parse()?;
    if total == 0 {
        bail!("callgrind did not see the function that it is to count in");
    }
    Ok(total)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_told_in_per_cent() {
        assert_eq!(change(1000, 1000), "+0.0 %");
        assert_eq!(change(1000, 1049), "+4.9 %");
        assert_eq!(change(1000, 875), "-12.5 %");
        assert_eq!(change(0, 7), "+700.0 %");
    }

    #[test]
    fn what_was_kept_is_found_by_its_name() {
        let text = "# with a heading\na/b\t12\na/b/c\t13\na/d\tx\n";
        assert_eq!(kept(text, "a/b").unwrap(), 12);
        assert_eq!(kept(text, "a/b/c").unwrap(), 13);
        assert!(kept(text, "a/c").is_err());
        assert!(kept(text, "a/d").is_err());
    }
}
