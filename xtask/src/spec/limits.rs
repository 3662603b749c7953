//! The limits in the sources: each has its row in ATTACKS.md, with the tests that show it.

use std::collections::BTreeSet;

use super::attacks::Row;
use super::list::Test;
use crate::house::{House, lines_of_product};

/// Limits by file and name: constants that are called one, and what a `Limits` holds.
type Limits = BTreeSet<(String, String)>;

/// What the tables lack of the limits in the sources, and what they name that is none.
pub(super) fn faults(house: &House, rows: &[Row]) -> Vec<String> {
    let there = in_sources(house);
    let place = |one: &Test| (one.file.clone(), one.name.clone());
    let named: Limits = rows.iter().flat_map(|row| &row.limits).map(place).collect();
    let lacking = there.difference(&named).map(|(file, name)| format!("no row: {file}: {name}"));
    let idle = named.difference(&there).map(|(file, name)| format!("no limit {name} in {file}"));
    lacking.chain(idle).collect()
}

/// The limits of what stands on a floor, its tests left out.
fn in_sources(house: &House) -> Limits {
    let mut found = Limits::new();
    for file in &house.files {
        let sources = format!("{}/src/", file.owner);
        if house.floors.contains_key(&file.owner) && file.path.starts_with(&sources) {
            let names = names(&file.text).into_iter();
            found.extend(names.map(|name| (file.path.clone(), name.to_owned())));
        }
    }
    found
}

/// The limits that a source file defines.
fn names(text: &str) -> Vec<&str> {
    let mut names = Vec::new();
    let mut within = false;
    for line in text.lines().take(lines_of_product(text)) {
        let item = without_visibility(line.trim_start());
        if item == "struct Limits {" {
            within = true;
        } else if within && item == "}" {
            within = false;
        } else if let Some(name) = defined(item, within) {
            names.push(name);
        }
    }
    names
}

/// The name that a line defines: of a field where it stands in `Limits`, of a constant elsewhere.
fn defined(item: &str, within: bool) -> Option<&str> {
    if within {
        let (name, _) = item.split_once(": ")?;
        return (!name.starts_with("//")).then_some(name);
    }
    let (name, _) = item.strip_prefix("const ")?.split_once(':')?;
    let first = name.split('_').next().unwrap_or(name);
    // Whoever does not keep to the words has a limit all the same.
    let is_limit = name.starts_with("MAX_")
        || name == "LIMIT"
        || name.ends_with("_LIMIT")
        || matches!(first, "MOST" | "LONGEST");
    is_limit.then_some(name)
}

fn without_visibility(line: &str) -> &str {
    let Some(rest) = line.strip_prefix("pub") else { return line };
    match rest.strip_prefix('(').and_then(|rest| rest.split_once(") ")) {
        Some((_, item)) => item,
        None => rest.strip_prefix(' ').unwrap_or(line),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::house::File;

    const SOURCE: &str = "\
const MAX_A: usize = 1;
pub const MAX_B: usize = MAX_A + 1;
    pub(crate) const LIMIT: u64 = 3;
const HEADER_LIMIT: usize = 4;
const LIMITED: usize = 5;
const OTHER: usize = 6;
const MOST: usize = 9;
const MOST_C: usize = 10;
const LONGEST: usize = 11;
    const LONGEST_D: usize = 12;
const MOSTLY: usize = 13;
// const MAX_C: usize = 7;
pub struct Limits {
    /// What it is: words.
    pub fields: usize,
    octets: usize,
}
struct Other {
    more: usize,
}
#[cfg(test)]
mod tests {
    const MAX_D: usize = 8;
}
";

    fn house() -> House {
        let file = |owner: &str, path: &str| File {
            owner: owner.to_owned(),
            path: path.to_owned(),
            is_root: false,
            text: SOURCE.to_owned(),
        };
        House {
            floors: [("dkim-a".to_owned(), 1)].into(),
            files: vec![
                file("dkim-a", "dkim-a/src/a.rs"),
                file("dkim-a", "dkim-a/tests/a.rs"),
                file("xtask", "xtask/src/a.rs"),
            ],
            ..House::default()
        }
    }

    #[test]
    fn limits_are_known_by_their_names() {
        let limits = ["MAX_A", "MAX_B", "LIMIT", "HEADER_LIMIT"];
        let otherwise = ["MOST", "MOST_C", "LONGEST", "LONGEST_D"];
        let expected = [&limits[..], &otherwise, &["fields", "octets"]].concat();
        assert_eq!(names(SOURCE), expected);
        assert_eq!(in_sources(&house()).len(), expected.len());
    }

    #[test]
    fn each_limit_has_a_row_and_each_row_its_limits() {
        let limit = |name: &str| Test { file: "dkim-a/src/a.rs".to_owned(), name: name.to_owned() };
        let row = |names: &[&str]| Row {
            says: "x".to_owned(),
            limits: names.iter().map(|name| limit(name)).collect(),
            tests: Vec::new(),
        };
        let most = row(&[
            "MAX_A",
            "MAX_B",
            "HEADER_LIMIT",
            "MOST",
            "MOST_C",
            "LONGEST",
            "LONGEST_D",
            "fields",
            "octets",
        ]);
        assert_eq!(faults(&house(), &[row(&["LIMIT"]), most.clone()]), [""; 0]);
        assert_eq!(
            faults(&house(), std::slice::from_ref(&most)),
            ["no row: dkim-a/src/a.rs: LIMIT"]
        );
        assert_eq!(
            faults(&house(), &[most, row(&["LIMIT", "MAX_D"])]),
            ["no limit MAX_D in dkim-a/src/a.rs"]
        );
    }
}
