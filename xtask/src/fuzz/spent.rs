//! What a run of a target cost, and the table in `fuzz/LOG.md` that adds runs up.

use std::fmt;
use std::fs;

use anyhow::{Context, Result};

use crate::workspace;

/// What a run cost, or several.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Spent {
    /// Of the processor, user and system, in seconds.
    pub(super) seconds: u64,
    pub(super) executions: u64,
    pub(super) findings: u64,
}

impl fmt::Display for Spent {
    /// As a row of the table has it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tenths = (self.seconds + 3) / 6;
        let Self { executions, findings, .. } = self;
        write!(f, "{}.{} | {executions} | {findings}", tenths / 10, tenths % 10)
    }
}

impl Spent {
    fn parse(cells: &[&str]) -> Option<Self> {
        let [minutes, executions, findings] = cells else { return None };
        let (whole, tenths) = minutes.split_once('.')?;
        let tenths = whole.parse::<u64>().ok()? * 10 + tenths.parse::<u64>().ok()?;
        let (executions, findings) = (executions.parse().ok()?, findings.parse().ok()?);
        Some(Self { seconds: tenths * 6, executions, findings })
    }

    fn and(self, other: Self) -> Self {
        Self {
            seconds: self.seconds + other.seconds,
            executions: self.executions + other.executions,
            findings: self.findings + other.findings,
        }
    }
}

/// The seconds of the processor that `times` of the shell says its children took: its last line,
/// such as `0m1.25s 0m0.50s`.
pub(super) fn seconds_of_children(times: &str) -> Option<u64> {
    let centiseconds = |time: &str| {
        let (minutes, seconds) = time.strip_suffix('s')?.split_once('m')?;
        let (seconds, fraction) = seconds.split_once('.')?;
        let hundredths = format!("{fraction:0<2}").get(..2)?.parse::<u64>().ok()?;
        Some((minutes.parse::<u64>().ok()? * 60 + seconds.parse::<u64>().ok()?) * 100 + hundredths)
    };
    let line = times.lines().last()?;
    let both: Option<Vec<u64>> = line.split_whitespace().map(centiseconds).collect();
    Some(both?.iter().sum::<u64>() / 100)
}

/// The executions of a line that libFuzzer ends with.
pub(super) fn executions(line: &str) -> Option<u64> {
    line.strip_prefix("stat::number_of_executed_units:")?.trim().parse().ok()
}

/// Adds a run to the table.
pub(super) fn add(target: &str, run: Spent) -> Result<()> {
    let path = workspace::path("fuzz/LOG.md");
    let log = fs::read_to_string(&path).context("fuzz/LOG.md")?;
    fs::write(
        &path,
        added(&log, target, run)
            .context("fuzz/LOG.md has no table of runs, or a row that is none")?,
    )?;
    Ok(())
}

const HEAD: &str = "| target | CPU minutes | executions | findings |\n| --- | --- | --- | --- |\n";

fn added(log: &str, target: &str, run: Spent) -> Option<String> {
    let start = log.find(HEAD)? + HEAD.len();
    let (before, table) = log.split_at(start);
    // The first line that is no row ends the table, which may have none yet.
    let rows = table.split_inclusive('\n').take_while(|line| line.starts_with('|'));
    let (table, after) = table.split_at(rows.map(str::len).sum());
    let mut rows: Vec<(String, Spent)> = table.lines().map(row).collect::<Option<_>>()?;
    match rows.iter_mut().find(|(name, _)| name == target) {
        Some((_, spent)) => *spent = spent.and(run),
        None => rows.push((target.to_owned(), run)),
    }
    rows.sort_by(|(a, _), (b, _)| a.cmp(b));
    let rows: String =
        rows.iter().map(|(name, spent)| format!("| `{name}` | {spent} |\n")).collect();
    Some(format!("{before}{rows}{after}"))
}

fn row(line: &str) -> Option<(String, Spent)> {
    let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
    let (name, spent) = cells.split_first()?;
    Some((name.trim_matches('`').to_owned(), Spent::parse(spent)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_add_up() {
        let log = format!("# Runs\n\n{HEAD}| `b` | 1.5 | 100 | 2 |\n\nAnd more.\n");
        let run = Spent { seconds: 90, executions: 11, findings: 0 };
        let log = added(&log, "b", run).expect("a table");
        let log = added(&log, "a", Spent { findings: 1, ..run }).expect("a table");
        let rows = "| `a` | 1.5 | 11 | 1 |\n| `b` | 3.0 | 111 | 2 |\n";
        assert_eq!(log, format!("# Runs\n\n{HEAD}{rows}\nAnd more.\n"));
        assert_eq!(added("no table", "a", run), None);
        assert_eq!(added(&format!("{HEAD}| `b` | many | 100 | 2 |\n"), "a", run), None);
        for after in ["", "\nAnd more.\n\nAnd more.\n", "And more.\n\nAnd more.\n"] {
            let log = added(&format!("{HEAD}{after}"), "a", run).expect("a table");
            assert_eq!(log, format!("{HEAD}| `a` | 1.5 | 11 | 0 |\n{after}"));
        }
    }

    #[test]
    fn what_others_print_is_read() {
        let times = "0m0.00s 0m0.00s\n2m1.250s 0m0.80s\n";
        assert_eq!(seconds_of_children(times), Some(122));
        assert_eq!(seconds_of_children("nothing"), None);
        assert_eq!(executions("stat::number_of_executed_units: 4096"), Some(4096));
        assert_eq!(executions("stat::average_exec_per_sec: 1"), None);
    }
}
