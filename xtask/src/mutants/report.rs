//! MUTANTS.md: how many changes the tests notice, and which they do not, with the reasons.

use std::fmt::Write;
use std::fs;

use anyhow::{Context, Result, ensure};

use super::findings::Findings;
use crate::workspace;

/// What is to be known of the figures.
const HEAD: &str = "\
# Mutants

`cargo xtask mutants` changes the code in small ways, one at a time, and runs the tests of the crate; `cargo xtask mutants --report`
writes this page from what the runs have found. A crate that none of them has tried has no row.

A change is *viable* if it compiles. It is *caught* if a test fails, and a *timeout* if a test hangs, which is noticed as well. The
others survive: *missed* without a reason, or *excused* by `.cargo/mutants.toml`, where the reasons are; those are not tried, and all
of them count as viable here. The per cent are of viable changes that a test notices. *Untried* ones count for nothing.

";

/// What was found in a crate, in a line.
pub(super) fn line(name: &str, found: &Findings) -> String {
    format!(
        "{name}: {} viable, {} caught, {} timeouts, {} missed, {} excused: {} %; {} untried, {} \
         unviable",
        found.viable(),
        found.caught(),
        found.timeouts(),
        found.missed().len(),
        found.excused,
        per_cent(found),
        found.untried,
        found.unviable()
    )
}

/// Writes the page.
pub(super) fn write(crates: &[(&str, Findings)]) -> Result<()> {
    let config = workspace::path(".cargo/mutants.toml");
    let config = fs::read_to_string(&config).with_context(|| config.display().to_string())?;
    let path = workspace::path("MUTANTS.md");
    fs::write(&path, page(crates, &excuses(&config)?)).with_context(|| path.display().to_string())
}

fn page(crates: &[(&str, Findings)], excuses: &[Excuse<'_>]) -> String {
    let (tried, untried): (Vec<_>, Vec<_>) =
        crates.iter().partition(|(_, found)| found.per_cent().is_some());
    let mut page = HEAD.to_owned();
    page.push_str(
        "| crate | viable | caught | timeouts | missed | excused | per cent | untried | unviable |\n\
         | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n",
    );
    for (name, found) in &tried {
        let _ = writeln!(
            page,
            "| `{name}` | {} | {} | {} | {} | {} | {} | {} | {} |",
            found.viable(),
            found.caught(),
            found.timeouts(),
            found.missed().len(),
            found.excused,
            per_cent(found),
            found.untried,
            found.unviable()
        );
    }
    if !untried.is_empty() {
        let names: Vec<_> = untried.iter().map(|(name, _)| format!("`{name}`")).collect();
        let _ = writeln!(page, "\nNothing was tried in {}.", names.join(", "));
    }
    let missed: Vec<&str> = tried.iter().flat_map(|(_, found)| found.missed()).collect();
    page.push_str("\n## Missed\n\n");
    if missed.is_empty() {
        page.push_str("None.\n");
    }
    for change in missed {
        let _ = writeln!(page, "- `{change}`");
    }
    page.push_str(
        "\n## Excused\n\nPatterns of what cargo-mutants calls the change, and why it is none.\n\n",
    );
    page.push_str("| change | reason |\n| --- | --- |\n");
    // Where nothing was tried, nothing is excused.
    let is_tried = |excuse: &&Excuse<'_>| {
        let owner = excuse.pattern.split('/').next();
        tried.iter().any(|(name, _)| owner == Some(*name))
    };
    for Excuse { pattern, reason } in excuses.iter().filter(is_tried) {
        let pattern = pattern.replace('|', "\\|");
        let _ = writeln!(page, "| `{pattern}` | {reason} |");
    }
    page
}

fn per_cent(found: &Findings) -> String {
    // Rounded down: what is printed is reached.
    found
        .per_cent()
        .map_or_else(|| "-".to_owned(), |share| format!("{:.1}", (share * 10.0).floor() / 10.0))
}

/// A change that no test can notice.
#[derive(Debug, PartialEq, Eq)]
struct Excuse<'a> {
    pattern: &'a str,
    reason: String,
}

/// The patterns of the configuration, each with the comment above it.
fn excuses(config: &str) -> Result<Vec<Excuse<'_>>> {
    let (_, list) = config.split_once("exclude_re = [").context("no exclude_re")?;
    let mut reason: Vec<&str> = Vec::new();
    let mut excuses: Vec<Excuse<'_>> = Vec::new();
    let mut above_is_pattern = false;
    for line in list.lines().map(str::trim) {
        if let Some(comment) = line.strip_prefix('#') {
            if above_is_pattern {
                reason.clear();
            }
            reason.push(comment.trim());
            above_is_pattern = false;
        } else if let Some(pattern) = line.strip_prefix('\'') {
            let pattern = pattern.trim_end_matches(',').trim_end_matches('\'');
            ensure!(!reason.is_empty(), "no reason above {pattern}");
            excuses.push(Excuse { pattern, reason: reason.join(" ") });
            above_is_pattern = true;
        }
    }
    Ok(excuses)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn an_excuse_has_the_comment_above_it() {
        let config = "# Of all.\nexclude_re = [\n  # One\n  # two.\n  'a|b',\n  'c',\n  # Three.\n  'd',\n]\n";
        let of = |pattern, reason: &str| Excuse { pattern, reason: reason.to_owned() };
        let expected = [of("a|b", "One two."), of("c", "One two."), of("d", "Three.")];
        assert_eq!(excuses(config).unwrap(), expected);
        assert!(excuses("exclude_re = [\n'a',\n]").is_err());
        assert!(excuses("").is_err());
    }

    #[test]
    fn every_excuse_of_ours_has_a_reason() {
        let config = fs::read_to_string(workspace::path(".cargo/mutants.toml")).unwrap();
        assert_eq!(excuses(&config).unwrap().len(), config.matches("\n    '").count());
    }
}
