//! The tables of ATTACKS.md: each row names the tests that show what it says.
//!
//! ```text
//! | attack | they hope for | here | tests |
//! | --- | --- | --- | --- |
//! | a few words | a few words | result and reason | `a/tests/b.rs: c`<br>`a/src/d.rs: e` |
//! ```
//!
//! A table whose last column is not called `tests` counts for nothing.

use anyhow::{Context, Result, ensure};

use super::list::Test;

/// A row of a table, by its first cell.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) says: String,
    pub(super) tests: Vec<Test>,
}

/// Reads the rows of all tables.
pub(super) fn rows(text: &str) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    // How many columns the table has that is being read.
    let mut columns = None;
    for (number, line) in (1..).zip(text.lines()) {
        let Some(line) = line.strip_prefix('|').and_then(|line| line.strip_suffix('|')) else {
            columns = None;
            continue;
        };
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        match columns {
            None => columns = Some((cells.len(), cells.last() == Some(&"tests"))),
            Some((_, false)) => {}
            Some(_) if cells.iter().all(|cell| *cell == "---") => {}
            Some((width, true)) => {
                ensure!(cells.len() == width, "line {number}: {} cells for {width}", cells.len());
                rows.push(row(&cells).with_context(|| format!("line {number}"))?);
            }
        }
    }
    ensure!(!rows.is_empty(), "no table with a column `tests`");
    Ok(rows)
}

fn row(cells: &[&str]) -> Result<Row> {
    ensure!(cells.iter().all(|cell| !cell.is_empty()), "an empty cell");
    let (says, tests) = cells.first().zip(cells.last()).context("no cells")?;
    let tests = tests.split("<br>").map(test).collect::<Result<_>>()?;
    Ok(Row { says: (*says).to_owned(), tests })
}

fn test(text: &str) -> Result<Test> {
    let inner = text.trim().strip_prefix('`').and_then(|text| text.strip_suffix('`'));
    let named = inner.and_then(|inner| inner.split_once(": "));
    let (file, name) = named.with_context(|| format!("a test is `FILE: NAME`, not {text}"))?;
    Ok(Test { file: file.to_owned(), name: name.to_owned() })
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
        assert_eq!(rows(text)?, [Row { says: "3".to_owned(), tests }]);
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
