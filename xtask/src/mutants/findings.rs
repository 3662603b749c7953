//! What became of each change of a crate, over all runs.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use crate::workspace;

/// The lists that a run leaves, each named after what became of the changes in it.
const LISTS: [&str; 4] = ["caught", "timeout", "missed", "unviable"];

/// What became of the changes of a crate as it is now.
#[derive(Default)]
pub(crate) struct Findings {
    by_list: BTreeMap<String, BTreeSet<String>>,
    /// How many were never tried.
    pub(crate) untried: usize,
    /// How many are not tried, because .cargo/mutants.toml says that they mean the same.
    pub(crate) excused: usize,
}

impl Findings {
    /// What was [kept](keep) in this directory, for the changes that the crate has now.
    pub(crate) fn read(name: &str, output: &Path) -> Result<Self> {
        let changes = list(&["--package", name])?;
        let all = list(&["--package", name, "--no-config"])?;
        Ok(Self::of(&kept(output)?, &changes, all.len().saturating_sub(changes.len())))
    }

    fn of(kept: &BTreeMap<String, String>, changes: &[String], excused: usize) -> Self {
        let mut findings = Self { excused, ..Self::default() };
        for change in changes {
            match kept.get(change) {
                Some(list) => {
                    findings.by_list.entry(list.clone()).or_default().insert(change.clone());
                }
                None => findings.untried += 1,
            }
        }
        findings
    }

    /// How many a test failed on.
    pub(crate) fn caught(&self) -> usize {
        self.count("caught")
    }

    /// How many made a test hang.
    pub(crate) fn timeouts(&self) -> usize {
        self.count("timeout")
    }

    /// How many do not compile.
    pub(crate) fn unviable(&self) -> usize {
        self.count("unviable")
    }

    /// Those that no test notices.
    pub(crate) fn missed(&self) -> impl ExactSizeIterator<Item = &str> {
        self.by_list.get("missed").map(BTreeSet::iter).unwrap_or_default().map(String::as_str)
    }

    /// How many were tried and compile, or are excused: whether those compile nobody looked.
    pub(crate) fn viable(&self) -> usize {
        self.caught() + self.timeouts() + self.missed().len() + self.excused
    }

    /// Of a hundred that are viable, how many a test notices; `None` if none was tried.
    pub(crate) fn per_cent(&self) -> Option<f64> {
        let noticed = u32::try_from(self.caught() + self.timeouts()).ok()?;
        let viable = u32::try_from(self.viable()).ok()?;
        let tried = self.caught() + self.timeouts() + self.missed().len() > 0;
        tried.then(|| f64::from(noticed) * 100.0 / f64::from(viable))
    }

    fn count(&self, list: &str) -> usize {
        self.by_list.get(list).map_or(0, BTreeSet::len)
    }
}

/// Adds what the last run in this directory has found to what is kept there. A run knows of those
/// before it only which changes not to try again.
pub(crate) fn keep(output: &Path) -> Result<()> {
    let mut kept = kept(output)?;
    for list in LISTS {
        let path = output.join("mutants.out").join(list).with_extension("txt");
        let found = fs::read_to_string(path).unwrap_or_default();
        kept.extend(found.lines().map(|change| (change.to_owned(), list.to_owned())));
    }
    if kept.is_empty() {
        return Ok(());
    }
    let path = output.join(KEPT);
    let text = serde_json::to_string_pretty(&kept)?;
    fs::write(&path, text).with_context(|| path.display().to_string())
}

const KEPT: &str = "found.json";

/// Which list each change was last in.
fn kept(output: &Path) -> Result<BTreeMap<String, String>> {
    let path = output.join(KEPT);
    match fs::read_to_string(&path) {
        Ok(text) => serde_json::from_str(&text).with_context(|| path.display().to_string()),
        Err(_) => Ok(BTreeMap::new()),
    }
}

/// The changes that cargo-mutants would try.
fn list(arguments: &[&str]) -> Result<Vec<String>> {
    let mut command = workspace::cargo(["mutants", "--list", "--colors", "never"]);
    let output = command.args(arguments).output().context("cargo mutants --list")?;
    ensure!(output.status.success(), "cargo mutants --list: {}", output.status);
    Ok(String::from_utf8(output.stdout)?.lines().map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn run(output: &Path, list: &str, changes: &str) {
        fs::create_dir_all(output.join("mutants.out")).unwrap();
        fs::write(output.join("mutants.out").join(list), changes).unwrap();
    }

    #[test]
    fn runs_add_up_and_the_last_word_counts() {
        let output = tempfile::tempdir().unwrap();
        let output = output.path();
        keep(output).unwrap();
        run(output, "caught.txt", "a\ngone\n");
        run(output, "missed.txt", "b\nc\n");
        keep(output).unwrap();
        fs::remove_dir_all(output.join("mutants.out")).unwrap();
        run(output, "caught.txt", "b\n");
        run(output, "timeout.txt", "d\n");
        run(output, "unviable.txt", "e\n");
        keep(output).unwrap();
        keep(output).unwrap();
        let changes = ["a", "b", "c", "d", "e", "new"].map(str::to_owned);
        let found = Findings::of(&kept(output).unwrap(), &changes, 4);
        assert_eq!((found.caught(), found.timeouts(), found.unviable()), (2, 1, 1));
        assert_eq!(found.missed().collect::<Vec<_>>(), ["c"]);
        assert_eq!((found.untried, found.viable()), (1, 8));
        assert_eq!(found.per_cent(), Some(37.5));
    }

    #[test]
    fn nothing_tried_is_no_per_cent() {
        let found = Findings::of(&BTreeMap::new(), &["a".to_owned()], 3);
        assert_eq!((found.per_cent(), found.untried), (None, 1));
    }
}
