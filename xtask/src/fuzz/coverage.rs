//! What the fuzzers reach, and the page `fuzz/COVERAGE.md` that tells it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader, Read};

use anyhow::{Context, Result, bail, ensure};

use crate::workspace;

const PAGE: &str = "fuzz/COVERAGE.md";

const HEAD: &str = "# What the fuzzers reach

`cargo xtask fuzz --coverage` runs each target over its seeds, its regressions and the corpus that is
there, and puts together what libFuzzer counts: which functions of the crates were entered, and which
of their edges, that is ways through them, were taken. A function that the compiler wrote into its
callers counts with them, and one that no target calls is not there. What a derive writes (`Debug`,
comparisons) and what the fuzzers' own providers inherit is left out. Edges are also those of what was
written into a function of another's code, and of panics that are to be out of reach: their share says
where to look, not how much is left.

What no target can call is not there, either. The questions that `dkim-dns/src/hickory.rs` asks and the
answers that it validates go through sockets: servers with a script lie to them in `dkim-dns/tests`
(`hickory_faults.rs`, `hickory_lies.rs`, `dnssec.rs`). Of `dkim-cli` the readers of mailboxes and line ends
are fuzzed, as part of the targets' own crate; what else it reads is one of the crates' or an argument, and
its tests put harmful ones to every command. Of `dkim-keys` that is the files, the locks, the sockets and
the tokens, of which `ATTACKS.md` has the tests.

";

const ROWS: &str = "| function | reason |\n| --- | --- |\n";

/// Of a function, how many edges there are and how many were taken by any target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Edges {
    taken: u64,
    all: u64,
}

/// The functions of our crates, by their file and name.
#[derive(Debug, Default)]
pub(super) struct Coverage {
    functions: BTreeMap<(String, String), Edges>,
}

impl Coverage {
    /// Reads what libFuzzer says at the end of a run.
    pub(super) fn read(&mut self, said: impl Read) -> Result<()> {
        let mut said = BufReader::new(said);
        let mut line = Vec::new();
        while said.read_until(b'\n', &mut line)? > 0 {
            if let Some((function, edges)) = function(String::from_utf8_lossy(&line).trim_end()) {
                let known = self.functions.entry(function).or_default();
                known.taken = known.taken.max(edges.taken);
                known.all = known.all.max(edges.all);
            }
            line.clear();
        }
        Ok(())
    }

    /// Writes the page anew. The reasons that stand there stay, of what is still not reached.
    pub(super) fn write(&self) -> Result<()> {
        ensure!(!self.functions.is_empty(), "libFuzzer named no function: it needs the sanitizer");
        let path = workspace::path(PAGE);
        let before = if path.is_file() { fs::read_to_string(&path)? } else { String::new() };
        let reasons = reasons(&before);
        fs::write(&path, self.page(&reasons)).context(PAGE)?;
        let unexplained: Vec<String> = self
            .unreached()
            .filter(|name| reasons.get(name).is_none_or(String::is_empty))
            .collect();
        if !unexplained.is_empty() {
            bail!("no reason stands in {PAGE} for\n{}", unexplained.join("\n"));
        }
        Ok(())
    }

    fn page(&self, reasons: &BTreeMap<String, String>) -> String {
        let mut crates: BTreeMap<&str, (u64, u64, Edges)> = BTreeMap::new();
        for ((file, _), edges) in &self.functions {
            let name = file.split('/').next().unwrap_or_default();
            let (all, reached, sum) = crates.entry(name).or_default();
            *all += 1;
            *reached += u64::from(edges.taken > 0);
            sum.taken += edges.taken;
            sum.all += edges.all;
        }
        let mut page = HEAD.to_owned();
        page.push_str("| crate | functions | reached | edges | taken |\n");
        page.push_str("| --- | ---: | ---: | ---: | ---: |\n");
        for (name, (all, reached, edges)) in crates {
            let _ = writeln!(
                page,
                "| `{name}` | {all} | {reached} | {} | {} |",
                edges.all, edges.taken
            );
        }
        page.push_str("\n## Never reached\n\n");
        page.push_str(ROWS);
        for name in self.unreached() {
            let reason = reasons.get(&name).map_or("", String::as_str);
            let _ = writeln!(page, "| {name} | {reason} |");
        }
        page
    }

    fn unreached(&self) -> impl Iterator<Item = String> + '_ {
        let unreached = self.functions.iter().filter(|(_, edges)| edges.taken == 0);
        unreached.map(|((file, name), _)| format!("`{file}`: `{}`", name.replace('|', "\\|")))
    }
}

/// What a line such as `COVERED_FUNC: hits: 3 edges: 13/36 NAME FILE:LINE` says, if it is about a
/// function of ours.
fn function(line: &str) -> Option<((String, String), Edges)> {
    let (_, rest) = line.split_once("COVERED_FUNC: hits: ")?;
    let (_, rest) = rest.split_once(" edges: ")?;
    let (edges, rest) = rest.split_once(' ')?;
    let (taken, all) = edges.split_once('/')?;
    let (name, place) = rest.rsplit_once(' ')?;
    let (file, _) = place.rsplit_once(':')?;
    let file = file.strip_prefix(workspace::root().to_str()?).unwrap_or(file);
    let file = file.trim_start_matches('/');
    let is_ours = file.starts_with("dkim-") && file.contains("/src/");
    let name = without_parameters(name);
    if !is_ours || is_derived(&name) {
        return None;
    }
    let edges = Edges { taken: taken.parse().ok()?, all: all.parse().ok()? };
    Some(((file.to_owned(), name), edges))
}

fn is_derived(name: &str) -> bool {
    let traits = ["core::fmt::Debug>", "core::cmp::PartialEq>", "core::cmp::Ord>"];
    name.starts_with("<dkim_fuzz::")
        || name.contains("drop_glue")
        || name.contains("drop_in_place")
        || traits.iter().any(|derived| name.contains(&format!(" as {derived}")))
}

/// A function is one, whatever types it was compiled for: `a::b::<c>` is `a::b`.
fn without_parameters(name: &str) -> String {
    let mut plain = String::new();
    let mut rest = name;
    while let Some((before, after)) = rest.split_once("::<") {
        plain.push_str(before);
        let mut depth = 1;
        let mut last = ' ';
        let end = after.find(|c| {
            depth += match c {
                '<' => 1,
                // An arrow closes nothing.
                '>' if last != '-' => -1,
                _ => 0,
            };
            last = c;
            depth == 0
        });
        rest = end.and_then(|end| after.get(end + 1..)).unwrap_or_default();
    }
    plain + rest
}

/// The reasons of a page, by what they are for.
fn reasons(page: &str) -> BTreeMap<String, String> {
    let rows = page.split_once(ROWS).map_or("", |(_, rows)| rows).lines();
    rows.filter_map(|row| {
        let row = row.strip_prefix("| ")?.strip_suffix('|')?;
        let (name, reason) = row.split_once(" | ")?;
        Some((name.to_owned(), reason.trim().to_owned()))
    })
    .collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const SAID: &str = "\
INFO: seed corpus: files: 3
COVERED_FUNC: hits: 3 edges: 13/36 dkim_a::unfolded::<u8, fn() -> <T as U>::V>::{closure#0} dkim-a/src/x.rs:78
UNCOVERED_FUNC: hits: 0 edges: 0/40 dkim_a::unfolded::<u16>::{closure#0} dkim-a/src/x.rs:78
UNCOVERED_FUNC: hits: 0 edges: 0/7 <dkim_a::A as dkim_a::T>::never dkim-a/src/y.rs:1
UNCOVERED_FUNC: hits: 0 edges: 0/7 dkim_a::nor_this dkim-a/src/y.rs:9
UNCOVERED_FUNC: hits: 0 edges: 0/7 <dkim_a::A as core::fmt::Debug>::fmt dkim-a/src/y.rs:1
UNCOVERED_FUNC: hits: 0 edges: 0/7 core::str::from_utf8 /rustc/library/core/src/str.rs:1
UNCOVERED_FUNC: hits: 0 edges: 0/7 <dkim_fuzz::P as dkim_a::T>::never dkim-a/src/y.rs:1
";

    fn coverage() -> Coverage {
        let mut coverage = Coverage::default();
        coverage.read(SAID.as_bytes()).unwrap();
        coverage
    }

    #[test]
    fn a_function_is_one_whatever_it_was_compiled_for() {
        let place = ("dkim-a/src/x.rs".to_owned(), "dkim_a::unfolded::{closure#0}".to_owned());
        assert_eq!(coverage().functions.get(&place), Some(&Edges { taken: 13, all: 40 }));
        assert_eq!(coverage().functions.len(), 3);
    }

    #[test]
    fn reasons_stay_where_they_are_needed() {
        let first = "`dkim-a/src/y.rs`: `<dkim_a::A as dkim_a::T>::never`";
        let page = coverage().page(&BTreeMap::new());
        assert!(page.contains("| `dkim-a` | 3 | 1 | 54 | 13 |\n"), "{page}");
        assert_eq!(reasons(&page).get(first).map(String::as_str), Some(""));

        let with = page.replace(&format!("| {first} |"), &format!("| {first} | told twice"));
        let with = with + "| `dkim-a/src/z.rs`: `gone` | reached by now |\n";
        let page = coverage().page(&reasons(&with));
        assert_eq!(reasons(&page).get(first).map(String::as_str), Some("told twice"));
        assert!(!page.contains("gone"), "{page}");
    }
}
