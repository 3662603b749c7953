//! The list of requirements of an RFC, as `xtask/spec` holds it: read and checked in itself.
//!
//! ```text
//! scope 3 5 6                          the sections it covers, with all their subsections
//!
//! §3.2
//! 1 MUST NOT: a few words of ours      the first key word of the section
//!   test dkim-tags/src/list.rs: a_name_twice_spoils_the_list
//! 2-3 MUST: one demand, said twice     the second and the third
//!   reason why no test is due, which may go
//!     on in the next line
//! rule: what the RFC asks for without a key word
//!   test dkim-cli/tests/cmd/sign.trycmd: Mixed line ends.
//! ```
//!
//! Lines that are empty or begin with `#` count for nothing.

use std::ops::RangeInclusive;

use anyhow::{Context, Result, bail, ensure};

use super::key_words::LEVELS;

/// The requirements of an RFC.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct List {
    pub(super) scope: Vec<String>,
    pub(super) sections: Vec<Section>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Section {
    pub(super) number: String,
    pub(super) requirements: Vec<Requirement>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Requirement {
    /// Which of the section's key words it stands for; `None` for a rule without one.
    pub(super) key_words: Option<(RangeInclusive<usize>, &'static str)>,
    /// What is required, in our words.
    pub(super) says: String,
    pub(super) tests: Vec<Test>,
    /// Why no test is due.
    pub(super) reason: Option<String>,
}

/// A test by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Test {
    /// The file's path from the workspace's directory.
    pub(super) file: String,
    pub(super) name: String,
}

impl List {
    pub(super) fn parse(text: &str) -> Result<Self> {
        let mut list = Self { scope: Vec::new(), sections: Vec::new() };
        for (number, line) in (1..).zip(text.lines()) {
            if !line.trim().is_empty() && !line.starts_with('#') {
                list.take(line).with_context(|| format!("line {number}: {line}"))?;
            }
        }
        ensure!(!list.scope.is_empty(), "no line `scope`");
        Ok(list)
    }

    fn take(&mut self, line: &str) -> Result<()> {
        if let Some(scope) = line.strip_prefix("scope ") {
            self.scope.extend(scope.split_whitespace().map(str::to_owned));
            return Ok(());
        }
        if let Some(number) = line.strip_prefix('§') {
            ensure!(is_within(number, &self.scope), "not within the scope");
            let there = self.sections.iter().any(|section| section.number == number);
            ensure!(!there, "the section is there already");
            let section = Section { number: number.to_owned(), requirements: Vec::new() };
            self.sections.push(section);
            return Ok(());
        }
        self.sections.last_mut().context("before the first section")?.take(line)
    }
}

impl Section {
    /// How many key words its requirements stand for.
    pub(super) fn key_words(&self) -> usize {
        let last = |requirement: &Requirement| {
            requirement.key_words.as_ref().map(|(numbers, _)| *numbers.end())
        };
        self.requirements.iter().filter_map(last).max().unwrap_or(0)
    }

    fn take(&mut self, line: &str) -> Result<()> {
        let Some(line) = line.strip_prefix(' ') else {
            let requirement = self.requirement(line)?;
            self.requirements.push(requirement);
            return Ok(());
        };
        let line = line.trim();
        let requirement = self.requirements.last_mut().context("before the first requirement")?;
        if let Some(test) = line.strip_prefix("test ") {
            let (file, name) = test.split_once(": ").context("a test is `FILE: NAME`")?;
            let test = Test { file: file.to_owned(), name: name.to_owned() };
            ensure!(!requirement.tests.contains(&test), "the test is there already");
            requirement.tests.push(test);
        } else if let Some(reason) = line.strip_prefix("reason ") {
            ensure!(requirement.reason.is_none(), "a second reason");
            requirement.reason = Some(reason.to_owned());
        } else {
            let reason = requirement.reason.as_mut().context("neither `test` nor `reason`")?;
            *reason = format!("{reason} {line}");
        }
        Ok(())
    }

    fn requirement(&self, line: &str) -> Result<Requirement> {
        let (place, says) = line.split_once(": ").context("no `: ` before the words")?;
        let there = self.requirements.iter().any(|requirement| requirement.says == says);
        ensure!(!there, "the requirement is there already");
        let key_words = match place {
            "rule" => None,
            place => Some(self.place(place)?),
        };
        Ok(Requirement { key_words, says: says.to_owned(), tests: Vec::new(), reason: None })
    }

    /// `N LEVEL` or `N-M LEVEL`, counted on from the requirement before.
    fn place(&self, place: &str) -> Result<(RangeInclusive<usize>, &'static str)> {
        let (numbers, level) = place.split_once(' ').context("no level")?;
        let (first, last) = numbers.split_once('-').unwrap_or((numbers, numbers));
        let (first, last): (usize, usize) = (first.parse()?, last.parse()?);
        let next = self.key_words() + 1;
        if first != next || last < first {
            bail!("the next key word is number {next}");
        }
        let level = LEVELS.iter().find(|known| **known == level).context("no such level")?;
        Ok((first..=last, level))
    }
}

/// Whether a section is one of these or below one of them.
pub(super) fn is_within(section: &str, scope: &[String]) -> bool {
    let within = |parent: &String| {
        section.strip_prefix(parent.as_str()).is_some_and(|s| s.is_empty() || s.starts_with('.'))
    };
    scope.iter().any(within)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read() -> Result<()> {
        let list = List::parse(
            "# a list\nscope 3\n\n§3.2\n1 MUST NOT: a\n  test x/src/a.rs: b\n2-3 MUST: c\n  \
             reason d\n    e\nrule: f\n§3.3\n1 SHOULD: a\n",
        )?;
        assert_eq!(list.scope, ["3"]);
        assert_eq!(list.sections.len(), 2);
        let [first, second, third] = &list.sections[0].requirements[..] else {
            panic!("{list:?}");
        };
        assert_eq!(first.key_words, Some((1..=1, "MUST NOT")));
        assert_eq!(
            (first.tests[0].file.as_str(), first.tests[0].name.as_str()),
            ("x/src/a.rs", "b")
        );
        assert_eq!(second.key_words, Some((2..=3, "MUST")));
        assert_eq!(second.reason.as_deref(), Some("d e"));
        assert_eq!((third.key_words.as_ref(), third.says.as_str()), (None, "f"));
        assert_eq!(list.sections[0].key_words(), 3);
        Ok(())
    }

    #[test]
    fn what_is_no_list_is_told_by_line() {
        for (text, why) in [
            ("§3\n", "not within the scope"),
            ("scope 3\n§31\n", "not within the scope"),
            ("scope 3\n1 MUST: a\n", "before the first section"),
            ("scope 3\n§3\n  test a: b\n", "before the first requirement"),
            ("scope 3\n§3\n2 MUST: a\n", "the next key word is number 1"),
            ("scope 3\n§3\n1 MUST: a\n1 MUST: b\n", "the next key word is number 2"),
            ("scope 3\n§3\n1 MUST: a\n3 MUST: b\n", "the next key word is number 2"),
            ("scope 3\n§3\n1 must: a\n", "no such level"),
            ("scope 3\n§3\n1 MUST: a\n2 MUST: a\n", "the requirement is there already"),
            ("scope 3\n§3\n§3\n", "the section is there already"),
            ("scope 3\n§3\nrule: a\n  test b\n", "a test is `FILE: NAME`"),
            ("scope 3\n§3\nrule: a\n  test b: c\n  test b: c\n", "the test is there already"),
            ("scope 3\n§3\nrule: a\n  nothing known\n", "neither `test` nor `reason`"),
            ("", "no line `scope`"),
        ] {
            let error = List::parse(text).map_or_else(
                |error| format!("{error:#}"),
                |list| panic!("{text:?} read as {list:?}"),
            );
            assert!(error.ends_with(why), "{text:?}: {error}");
        }
    }
}
