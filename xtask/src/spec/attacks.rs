//! The tables of ATTACKS.md: each row names the tests that show what it says.
//!
//! ```text
//! | attack | they hope for | here | tests |
//! | --- | --- | --- | --- |
//! | a few words | a few words | result and reason | `a/tests/b.rs: c`<br>`a/src/d.rs: e` |
//! ```
//!
//! A table whose last column is not called `tests` counts for nothing. A column called `where` names
//! limits, as `FILE: NAME` or `FILE: NAME, NAME`.

use anyhow::{Context, Result, ensure};

use super::list::Test;

/// A row of a table, by its first cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) says: String,
    /// By file and name.
    pub(super) limits: Vec<Test>,
    pub(super) tests: Vec<Test>,
}

/// Reads the rows of all tables.
pub(super) fn rows(text: &str) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    // The columns of the table that is being read.
    let mut columns: Option<Vec<&str>> = None;
    for (number, line) in (1..).zip(text.lines()) {
        let Some(line) = line.strip_prefix('|').and_then(|line| line.strip_suffix('|')) else {
            columns = None;
            continue;
        };
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        match &columns {
            None => columns = Some(cells),
            Some(columns) if columns.last() != Some(&"tests") => {}
            Some(_) if cells.iter().all(|cell| *cell == "---") => {}
            Some(columns) => {
                let width = columns.len();
                ensure!(cells.len() == width, "line {number}: {} cells for {width}", cells.len());
                let limits = columns.iter().position(|column| *column == "where");
                rows.push(row(&cells, limits).with_context(|| format!("line {number}"))?);
            }
        }
    }
    ensure!(!rows.is_empty(), "no table with a column `tests`");
    Ok(rows)
}

fn row(cells: &[&str], limits: Option<usize>) -> Result<Row> {
    ensure!(cells.iter().all(|cell| !cell.is_empty()), "an empty cell");
    let (says, tests) = cells.first().zip(cells.last()).context("no cells")?;
    let tests = tests.split("<br>").map(test).collect::<Result<_>>()?;
    let limits = limits.and_then(|at| cells.get(at)).map(|cell| cell.split("<br>"));
    let limits = limits.into_iter().flatten().map(limits_of_file).collect::<Result<Vec<_>>>()?;
    Ok(Row { says: (*says).to_owned(), limits: limits.concat(), tests })
}

fn test(text: &str) -> Result<Test> {
    let named = file_and_name(text);
    let (file, name) = named.with_context(|| format!("a test is `FILE: NAME`, not {text}"))?;
    Ok(Test { file: file.to_owned(), name: name.to_owned() })
}

fn limits_of_file(text: &str) -> Result<Vec<Test>> {
    let named = file_and_name(text);
    let (file, names) = named.with_context(|| format!("a limit is `FILE: NAME`, not {text}"))?;
    let limit = |name: &str| Test { file: file.to_owned(), name: name.to_owned() };
    Ok(names.split(", ").map(limit).collect())
}

fn file_and_name(text: &str) -> Option<(&str, &str)> {
    text.trim().strip_prefix('`')?.strip_suffix('`')?.split_once(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_name_their_tests() -> Result<()> {
        let text = "# A\n\n| a | b |\n| --- | --- |\n| 1 | 2 |\n\n\
                    | a | tests |\n| --- | --- |\n| 3 | `x/y.rs: z`<br>`x.trycmd: A case.` |\n";
        let test = |file: &str, name: &str| Test { file: file.to_owned(), name: name.to_owned() };
        let tests = vec![test("x/y.rs", "z"), test("x.trycmd", "A case.")];
        assert_eq!(rows(text)?, [Row { says: "3".to_owned(), limits: Vec::new(), tests }]);
        Ok(())
    }

    #[test]
    fn rows_name_their_limits() -> Result<()> {
        let text = "| a | where | b | tests |\n| --- | --- | --- | --- |\n\
                    | 1 | `x.rs: A, B`<br>`y.rs: c` | 2 | `x/y.rs: z` |\n";
        let rows = rows(text)?;
        let limits: Vec<_> = rows[0].limits.iter().map(|one| (&*one.file, &*one.name)).collect();
        assert_eq!(limits, [("x.rs", "A"), ("x.rs", "B"), ("y.rs", "c")]);
        assert_eq!(rows[0].tests.len(), 1);
        Ok(())
    }

    #[test]
    fn what_is_no_row_is_told_by_line() {
        for (row, why) in [
            ("| 1 |", "line 3: 1 cells for 2"),
            ("| 1 | 2 | 3 |", "line 3: 3 cells for 2"),
            ("| 1 | |", "line 3: an empty cell"),
            ("| 1 | x: y |", "line 3: a test is `FILE: NAME`, not x: y"),
            ("| 1 | `x` |", "line 3: a test is `FILE: NAME`, not `x`"),
            ("", "no table with a column `tests`"),
        ] {
            let text = format!("| a | tests |\n| --- | --- |\n{row}\n");
            let told =
                rows(&text).map_or_else(|error| format!("{error:#}"), |rows| format!("{rows:?}"));
            assert_eq!(told, why, "{row}");
        }
    }
}
