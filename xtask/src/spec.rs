//! `cargo xtask spec`: every requirement of the RFCs has its line of code, its citation and its
//! test, and every attack and every limit its test.

mod attacks;
mod citations;
mod key_words;
mod limits;
mod list;
mod named;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use self::citations::Citations;
use self::list::{List, Requirement, Section, is_within};
use self::named::Files;
use crate::house::House;
use crate::workspace;

/// The RFCs, each with its list in `xtask/spec`.
const RFCS: [u32; 8] = [5617, 6376, 6377, 6541, 6591, 8301, 8463, 8616];

/// List the requirements of the RFCs, with the tests and the citations of each, and the attacks and
/// limits of ATTACKS.md with their tests.
///
/// Fails where a requirement has neither a test nor a reason, an attack no test, a limit in the
/// sources no row, where a test that is named is not there, and where a section that is tested is
/// cited in no source.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// The texts of the RFCs, rfc6376.txt and so on: their key words are compared with the lists.
    #[arg(long, value_name = "DIR")]
    pub(crate) rfc_dir: Option<PathBuf>,
    /// Print what is missing, and nothing else.
    #[arg(long)]
    pub(crate) missing: bool,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let house = House::read()?;
    let mut judge = Judge { citations: Citations::of(&house.files), files: Files::default() };
    let mut tally = Tally::default();
    for rfc in RFCS {
        let path = format!("xtask/spec/rfc{rfc}.txt");
        let text = fs::read_to_string(workspace::path(&path));
        let text = text.with_context(|| format!("cannot read {path}"))?;
        let list = List::parse(&text).with_context(|| path.clone())?;
        for section in &list.sections {
            judge.section(rfc, section, options.missing, &mut tally);
        }
        if let Some(directory) = &options.rfc_dir {
            let text = read_rfc(directory, rfc)?;
            for fault in compare(&list, &text) {
                println!("RFC {rfc} {fault}");
                tally.faults += 1;
            }
        }
    }
    let path = "ATTACKS.md";
    let text = fs::read_to_string(workspace::path(path)).with_context(|| path.to_owned())?;
    let rows = attacks::rows(&text).context(path)?;
    judge.attacks(&rows, options.missing, &mut tally);
    for fault in limits::faults(&house, &rows) {
        println!("      MISSING: {fault}");
        tally.faults += 1;
    }
    tally.limits = rows.iter().map(|row| row.limits.len()).sum();
    tally.verdict(options.rfc_dir.is_some())
}

/// The tests that ATTACKS.md names, each by its file and its name.
pub(crate) fn tests_of_attacks() -> Result<Vec<(String, String)>> {
    let path = "ATTACKS.md";
    let text = fs::read_to_string(workspace::path(path)).with_context(|| path.to_owned())?;
    let rows = attacks::rows(&text).context(path)?;
    let tests = rows.into_iter().flat_map(|row| row.tests);
    Ok(tests.map(|test| (test.file, test.name)).collect())
}

/// The text of an RFC, or what there is of it.
fn read_rfc(directory: &Path, rfc: u32) -> Result<String> {
    let whole = directory.join(format!("rfc{rfc}.txt"));
    let excerpt = directory.join(format!("rfc{rfc}-excerpt.txt"));
    let text = fs::read(&whole).or_else(|_| fs::read(&excerpt));
    let text = text.with_context(|| format!("cannot read {}", whole.display()))?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// Where the list and the RFC's text do not have the same key words in the same order.
fn compare(list: &List, text: &str) -> Vec<String> {
    let mut told = key_words::of_sections(text);
    told.retain(|section, _| is_within(section, &list.scope));
    let mut faults = Vec::new();
    for section in &list.sections {
        let told = told.remove(&section.number).unwrap_or_default();
        let listed = listed(section);
        if listed.len() != told.len() {
            let (listed, told) = (listed.len(), told.len());
            let number = &section.number;
            faults.push(format!("§{number}: {told} key words in the text, {listed} in the list"));
        } else if let Some(at) = (0..told.len()).find(|at| listed.get(*at) != told.get(*at)) {
            let word = |words: &[&'static str]| words.get(at).copied().unwrap_or_default();
            let (listed, told) = (word(&listed), word(&told));
            let (number, at) = (&section.number, at + 1);
            faults.push(format!("§{number}: key word {at} is {told}, and {listed} in the list"));
        }
    }
    let forgotten = told.into_iter().map(|(section, words)| {
        format!("§{section}: {} key words in the text, none in the list", words.len())
    });
    faults.extend(forgotten);
    faults
}

/// The key words that a section's requirements stand for, one by one.
fn listed(section: &Section) -> Vec<&'static str> {
    let key_words = section.requirements.iter().filter_map(|one| one.key_words.as_ref());
    key_words.flat_map(|(numbers, level)| numbers.clone().map(|_| *level)).collect()
}

/// What requirements are judged by.
struct Judge {
    citations: Citations,
    files: Files,
}

impl Judge {
    fn section(&mut self, rfc: u32, section: &Section, only_missing: bool, tally: &mut Tally) {
        let citing = self.citations.files(rfc, &section.number).join(" ");
        let heading = if citing.is_empty() { "cited nowhere" } else { citing.as_str() };
        let mut lines = Vec::new();
        for requirement in &section.requirements {
            let faults = self.faults(requirement, !citing.is_empty());
            tally.count(requirement, faults.len());
            if !only_missing || !faults.is_empty() {
                lines.push(line(requirement));
                lines.extend(faults.iter().map(|fault| format!("      MISSING: {fault}")));
            }
        }
        if !lines.is_empty() {
            println!("\nRFC {rfc} §{}  {heading}", section.number);
            println!("{}", lines.join("\n"));
        }
    }

    /// The rows of ATTACKS.md, which all have tests.
    fn attacks(&mut self, rows: &[attacks::Row], only_missing: bool, tally: &mut Tally) {
        println!("\nATTACKS.md");
        for row in rows {
            let faults: Vec<String> =
                row.tests.iter().filter_map(|test| self.files.lacks(test)).collect();
            tally.attacks += 1;
            tally.faults += faults.len();
            if !only_missing || !faults.is_empty() {
                println!("    {}  [{}]", row.says, tests(row.tests.len()).unwrap_or_default());
                faults.iter().for_each(|fault| println!("      MISSING: {fault}"));
            }
        }
    }

    /// What a requirement lacks.
    fn faults(&mut self, requirement: &Requirement, cited: bool) -> Vec<String> {
        let mut faults: Vec<String> =
            requirement.tests.iter().filter_map(|test| self.files.lacks(test)).collect();
        if requirement.tests.is_empty() && requirement.reason.is_none() {
            faults.push("neither a test nor a reason".to_owned());
        }
        if !requirement.tests.is_empty() && !cited {
            faults.push("no citation of the section in the code".to_owned());
        }
        faults
    }
}

/// A requirement, and what stands for it.
fn line(requirement: &Requirement) -> String {
    let place = match &requirement.key_words {
        None => "    rule".to_owned(),
        Some((numbers, level)) if numbers.start() == numbers.end() => {
            format!("{:>3} {level}", numbers.start())
        }
        Some((numbers, level)) => format!("{:>3}-{} {level}", numbers.start(), numbers.end()),
    };
    let tests = tests(requirement.tests.len());
    let reason = requirement.reason.as_ref().map(|reason| format!("reason: {reason}"));
    let stands = tests.into_iter().chain(reason).collect::<Vec<_>>().join("; ");
    format!("{place:<16} {}  [{stands}]", requirement.says)
}

fn tests(count: usize) -> Option<String> {
    match count {
        0 => None,
        1 => Some("1 test".to_owned()),
        many => Some(format!("{many} tests")),
    }
}

/// What has been counted.
#[derive(Default)]
struct Tally {
    requirements: usize,
    key_words: usize,
    tested: usize,
    reasoned: usize,
    attacks: usize,
    limits: usize,
    faults: usize,
}

impl Tally {
    fn count(&mut self, requirement: &Requirement, faults: usize) {
        self.requirements += 1;
        self.key_words +=
            requirement.key_words.as_ref().map_or(0, |(numbers, _)| numbers.clone().count());
        self.tested += usize::from(!requirement.tests.is_empty());
        let reasoned = requirement.tests.is_empty() && requirement.reason.is_some();
        self.reasoned += usize::from(reasoned);
        self.faults += faults;
    }

    fn verdict(&self, compared: bool) -> Result<()> {
        let Self { requirements, key_words, tested, reasoned, attacks, limits, faults } = self;
        println!(
            "\n{requirements} requirements for {key_words} key words: {tested} with tests, \
             {reasoned} with a reason instead; {attacks} rows of ATTACKS.md with tests, {limits} \
             limits among them"
        );
        println!(
            "{}",
            if compared {
                "the key words were compared with the texts of the RFCs"
            } else {
                "the key words were not compared with the texts of the RFCs: no --rfc-dir"
            }
        );
        if *faults > 0 {
            bail!("{faults} faults, told above; the lists are in xtask/spec and ATTACKS.md");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::house::File;

    fn faults(requirement: &str, source: &str) -> Result<Vec<String>> {
        let list = List::parse(&format!("scope 3\n§3.2\n{requirement}"))?;
        let file = File {
            owner: "dkim-a".to_owned(),
            path: "dkim-a/src/a.rs".to_owned(),
            is_root: false,
            text: source.to_owned(),
        };
        let citations = Citations::of(&[file]);
        let cited = !citations.files(6376, "3.2").is_empty();
        let mut judge = Judge { citations, files: Files::default() };
        Ok(judge.faults(&list.sections[0].requirements[0], cited))
    }

    #[test]
    fn a_requirement_lacks_what_it_lacks() -> Result<()> {
        let good = "1 MUST: a\n  test xtask/src/spec.rs: a_requirement_lacks_what_it_lacks\n";
        let absent = "1 MUST: a\n  test xtask/src/spec.rs: nobody\n";
        let reason = "1 MUST: a\n  reason it is for people\n";
        for (requirement, source, expected) in [
            (good, "// §3.2", &[][..]),
            (reason, "", &[]),
            (good, "// §3.3", &["no citation of the section in the code"]),
            (absent, "// §3.2", &["no test nobody in xtask/src/spec.rs"]),
            ("1 MUST: a\n", "// §3.2", &["neither a test nor a reason"]),
        ] {
            assert_eq!(faults(requirement, source)?, expected, "{requirement}");
        }
        Ok(())
    }

    #[test]
    fn a_key_word_forgotten_is_told() -> Result<()> {
        let list = List::parse("scope 3\n§3.2\n1-2 MUST: a\n3 SHOULD: b\nrule: c\n")?;
        for (text, expected) in [
            ("3.2.  A\n   MUST MUST SHOULD\n4.  B\n   MUST\n", &[][..]),
            ("3.2.  A\n   MUST SHOULD\n", &["§3.2: 2 key words in the text, 3 in the list"]),
            ("3.2.  A\n   MUST MUST MUST\n", &["§3.2: key word 3 is MUST, and SHOULD in the list"]),
            (
                "3.2.  A\n   MUST MUST SHOULD\n3.3.  B\n   MUST\n",
                &["§3.3: 1 key words in the text, none in the list"],
            ),
        ] {
            assert_eq!(compare(&list, text), expected, "{text}");
        }
        Ok(())
    }

    #[test]
    fn faults_fail_the_run() {
        let good = Tally { requirements: 1, ..Tally::default() };
        assert!(good.verdict(true).is_ok());
        assert!(Tally { faults: 1, ..good }.verdict(true).is_err());
    }
}
