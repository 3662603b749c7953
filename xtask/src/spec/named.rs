//! Whether a test that a list names is there.

use std::collections::HashMap;
use std::fs;

use super::list::Test;
use crate::workspace;

/// The files that hold tests, read once.
#[derive(Default)]
pub(super) struct Files(HashMap<String, Option<String>>);

impl Files {
    /// Why there is no such test; `None` when it is there.
    pub(super) fn lacks(&mut self, test: &Test) -> Option<String> {
        let read = || fs::read_to_string(workspace::path(&test.file)).ok();
        let text = self.0.entry(test.file.clone()).or_insert_with(read);
        match text {
            None => Some(format!("no file {}", test.file)),
            Some(text) if holds(text, test) => None,
            Some(_) => Some(format!("no test {} in {}", test.name, test.file)),
        }
    }
}

/// Whether a file's text holds the test: a function, a vector by its id, or the case of a command
/// by the line above it.
fn holds(text: &str, test: &Test) -> bool {
    if test.file.ends_with(".rs") {
        holds_function(text, &test.name)
    } else if test.file.ends_with(".jsonl") {
        let vectors = text.lines().filter_map(|line| serde_json::from_str(line).ok());
        let mut ids = vectors.map(|vector: serde_json::Value| vector["id"] == *test.name);
        ids.any(|same| same)
    } else {
        text.lines().any(|line| line == test.name)
    }
}

/// Whether a function of this name is a test that runs. A macro may make it one: then its name
/// stands alone on a line of the macro's list, as in the suite of dkim-crypto's providers.
fn holds_function(text: &str, name: &str) -> bool {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let listed = lines.contains(&name);
    let begins = [format!("fn {name}("), format!("async fn {name}(")];
    let functions = (0..lines.len()).filter(|at| {
        let line = lines.get(*at).copied().unwrap_or_default();
        begins.iter().any(|begin| line.starts_with(begin.as_str()))
    });
    let attributes = |at: usize| {
        let above = lines.get(..at).unwrap_or_default().iter().rev();
        above.take_while(|line| line.starts_with("#[") || line.starts_with("//"))
    };
    let runs = |at: usize| {
        let is_test = attributes(at).any(|line| line.starts_with("#[") && line.ends_with("test]"));
        let ignored = attributes(at).any(|line| line.starts_with("#[ignore"));
        (is_test || listed) && !ignored
    };
    functions.into_iter().any(runs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn test(file: &str, name: &str) -> Test {
        Test { file: file.to_owned(), name: name.to_owned() }
    }

    #[test]
    fn a_test_is_a_function_that_runs_as_one() {
        let text = "\
suite! {
    listed
    only_listed
}
fn listed(x: X) {}
/// Words.
#[test]
fn plain() {}
#[tokio::test]
async fn waits() {}
#[test]
#[cfg(unix)]
fn somewhere() {}
#[test]
#[ignore = \"slow\"]
fn ignored() {}
fn helper() {}
// fn commented() {}
";
        for name in ["listed", "plain", "waits", "somewhere"] {
            assert!(holds(text, &test("a.rs", name)), "{name}");
        }
        for name in ["only_listed", "ignored", "helper", "commented", "pla", "absent"] {
            assert!(!holds(text, &test("a.rs", name)), "{name}");
        }
    }

    #[test]
    fn vectors_and_cases_are_tests_too() {
        assert!(holds("{\"id\": \"a-b\"}\n", &test("cases.jsonl", "a-b")));
        assert!(!holds("{\"id\":\"a-b\"}", &test("cases.jsonl", "a")));
        assert!(holds("# Title\n\nA case.\n", &test("a.trycmd", "A case.")));
        assert!(!holds("# Title\n\nA case.\n", &test("a.trycmd", "A")));
    }

    #[test]
    fn what_is_not_there_is_told() {
        let mut files = Files::default();
        let own = "xtask/src/spec/named.rs";
        assert_eq!(files.lacks(&test(own, "what_is_not_there_is_told")), None);
        let lacks = files.lacks(&test(own, "somebody_else"));
        assert_eq!(lacks.as_deref(), Some("no test somebody_else in xtask/src/spec/named.rs"));
        let lacks = files.lacks(&test("no-such.rs", "x"));
        assert_eq!(lacks.as_deref(), Some("no file no-such.rs"));
    }
}
