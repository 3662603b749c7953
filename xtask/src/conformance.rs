//! `cargo xtask conformance`: our own vectors and those of a directory, judged in process.

mod adsp;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use dkim_testkit::{Miss, Scoring, Vector, load, own_vectors, score};

use crate::judge::judge;

/// Known misses: an id and a reason a line. A listed vector that comes out right fails the run, so
/// that the list can only shrink.
const KNOWN_MISSES: &str = include_str!("../conformance-misses.txt");

/// Judge our own vectors and those of a directory, and print the misses by room.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// A directory of vectors beside our own: cases.jsonl, messages/, zones/, perhaps adsp.jsonl.
    #[arg(long, value_name = "PATH")]
    pub(crate) dir: Option<PathBuf>,
    /// Compare results and reasons by name, not only by class.
    #[arg(long)]
    pub(crate) names: bool,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let own = own_vectors()?;
    let directory = options.dir.as_deref().map(load).transpose()?.unwrap_or_default();
    let scoring = if options.names { Scoring::Names } else { Scoring::Classes };
    let known = known_misses(KNOWN_MISSES)?;

    // Our own are made to our own reading: nothing in them is left open.
    let mut tally = Tally::new(&known);
    tally.count("own vectors", &own, Scoring::Names)?;
    if let Some(path) = &options.dir {
        tally.count(&path.display().to_string(), &directory, scoring)?;
    }
    tally.print();
    let adsp = adsp::run(options.dir.as_deref());
    tally.verdict().and(adsp)
}

/// The known misses for a run on a directory, or why the list cannot be read.
fn known_misses(text: &str) -> Result<BTreeMap<&str, &str>> {
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| line.split_once(' ').with_context(|| format!("no reason for {line}")))
        .collect()
}

/// What came of all vectors.
struct Tally<'k> {
    known: &'k BTreeMap<&'k str, &'k str>,
    /// For each set: its name, how many came out right, and how many there are.
    sets: Vec<(String, usize, usize)>,
    /// Lines on misses, by room.
    misses: BTreeMap<&'static str, Vec<String>>,
    missed: BTreeSet<String>,
    /// Listed, and yet right.
    recovered: Vec<String>,
}

impl<'k> Tally<'k> {
    fn new(known: &'k BTreeMap<&'k str, &'k str>) -> Self {
        Self {
            known,
            sets: Vec::new(),
            misses: BTreeMap::new(),
            missed: BTreeSet::new(),
            recovered: Vec::new(),
        }
    }

    fn count(&mut self, name: &str, vectors: &[Vector], scoring: Scoring) -> Result<()> {
        let mut right = 0;
        for vector in vectors {
            let misses = score(vector, &judge(vector)?, scoring);
            if misses.is_empty() {
                right += 1;
                if self.known.contains_key(vector.id.as_str()) {
                    self.recovered.push(vector.id.clone());
                }
            } else {
                self.note(vector, &misses);
            }
        }
        self.sets.push((name.to_owned(), right, vectors.len()));
        Ok(())
    }

    fn note(&mut self, vector: &Vector, misses: &[Miss]) {
        self.missed.insert(vector.id.clone());
        let known = self.known.get(vector.id.as_str());
        let known = known.map(|why| format!("\n      known: {why}")).unwrap_or_default();
        let open = if vector.has_tag("may") { " [may]" } else { "" };
        for miss in misses {
            let line = format!("{}{open} ({}): {miss}{known}", vector.id, vector.section);
            self.misses.entry(room(miss)).or_default().push(line);
        }
    }

    fn print(&self) {
        for (room, lines) in &self.misses {
            println!("{room}");
            for line in lines {
                println!("  {line}");
            }
        }
        for (name, right, all) in &self.sets {
            println!("{name}: {right} of {all} right");
        }
    }

    fn verdict(&self) -> Result<()> {
        let unlisted: Vec<&str> = self
            .missed
            .iter()
            .map(String::as_str)
            .filter(|id| !self.known.contains_key(id))
            .collect();
        if !unlisted.is_empty() {
            bail!("{} missed that are not listed as known: {}", unlisted.len(), unlisted.join(" "));
        }
        if !self.recovered.is_empty() {
            bail!("right, and yet listed as known misses: {}", self.recovered.join(" "));
        }
        Ok(())
    }
}

/// Where to look first: the crate that carries out what the reason is about.
fn room(miss: &Miss) -> &'static str {
    let Miss::Judged { expected, reported } = miss else { return "dkim-verify" };
    if expected.kind == "domainkeys" {
        return "dkim-domainkeys";
    }
    // What went wrong with a signature that should have passed is what was reported.
    let telling = match reported {
        Some(reported) if expected.result == "pass" => &reported.reason,
        _ => &expected.reason,
    };
    match telling.as_str() {
        "syntax"
        | "missing-tag"
        | "duplicate-tag"
        | "version"
        | "bad-algorithm"
        | "bad-canonicalization"
        | "bad-query-method"
        | "domain-mismatch"
        | "from-not-signed" => "dkim-tags",
        "key-missing" | "key-unavailable" => "dkim-dns",
        "key-weak" => "dkim-crypto",
        reason if reason.starts_with("key-") => "dkim-keyrec",
        "body-hash-mismatch" | "l-too-long" => "dkim-canon, dkim-hash (body)",
        "signature-mismatch" => "dkim-canon, dkim-hash (header)",
        _ => "dkim-verify",
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// Judges the RFCs' own vectors, one of them with a wrong expectation if so asked.
    fn verdict(known: &str, spoilt: bool) -> Result<()> {
        let mut vectors = own_vectors().unwrap();
        vectors.retain(|vector| vector.id.starts_with("rfc8463"));
        if spoilt {
            let appendix = vectors.iter_mut().find(|vector| vector.id == "rfc8463-a3").unwrap();
            appendix.expect[0].accept = vec!["fail".to_owned()];
        }
        let known = known_misses(known).unwrap();
        let mut tally = Tally::new(&known);
        tally.count("own", &vectors, Scoring::Classes).unwrap();
        tally.verdict()
    }

    #[test]
    fn a_miss_must_be_listed_and_a_listed_one_must_miss() {
        verdict("# nothing is known\n\n", false).unwrap();
        verdict("rfc8463-a3 because it was spoilt", true).unwrap();
        let unlisted = verdict("", true).unwrap_err().to_string();
        assert!(unlisted.ends_with("not listed as known: rfc8463-a3"), "{unlisted}");
        let recovered = verdict("rfc8463-a3 because of nothing", false).unwrap_err().to_string();
        assert!(recovered.ends_with("known misses: rfc8463-a3"), "{recovered}");
    }

    #[test]
    fn a_miss_without_a_reason_is_not_listed() {
        assert!(known_misses("rfc8463-a3").is_err());
    }
}
