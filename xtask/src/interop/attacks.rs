//! Messages that somebody forged, judged by each implementation that is there: the table of
//! COMPARISON.md.

mod cases;
#[path = "../../../dkim-verify/tests/craft/mod.rs"]
mod craft;
mod rsa;

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail, ensure};
use dkim_dns::Zone;

use super::opendkim::OpenDkim;
use super::peer::{Algorithm, Answer, Peer, not_run};
use super::{NOW, script};
use crate::judge;

/// What the RFCs say of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rfc {
    /// The signature holds: the message shows that a verifier reads what it is asked about.
    Passes,
    /// No verifier may say that it passes.
    Fails,
    /// Left to the verifier.
    Open,
}

impl Rfc {
    fn word(self) -> &'static str {
        match self {
            Self::Passes => "pass",
            Self::Fails => "no",
            Self::Open => "open",
        }
    }
}

/// A message, and what is asked about it.
struct Case {
    /// The row of ATTACKS.md by its first cell; empty for messages that nobody forged.
    row: &'static str,
    what: &'static str,
    rfc: Rfc,
    /// Where that is said.
    section: &'static str,
    algorithm: Algorithm,
    message: Vec<u8>,
    /// TXT records by name.
    records: BTreeMap<String, String>,
}

impl Case {
    /// Its line of the table, up to the verdicts.
    fn beginning(&self) -> String {
        let row = if self.row.is_empty() { "none" } else { self.row };
        format!("| {row} | {} | {} | {} |", self.what, self.section, self.rfc.word())
    }
}

/// What somebody made of a case.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Pass,
    No,
    /// It gave an error in place of a verdict.
    Error,
    /// It ended without an answer.
    Ended,
    /// This version does not know the algorithm.
    Unknown,
}

impl Verdict {
    fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::No => "no",
            Self::Error => "error",
            Self::Ended => "ended",
            Self::Unknown => "-",
        }
    }

    /// Whether the RFCs say otherwise.
    fn errs(self, rfc: Rfc) -> bool {
        match rfc {
            _ if self == Self::Unknown => false,
            Rfc::Passes => self != Self::Pass,
            Rfc::Fails => self == Self::Pass,
            Rfc::Open => false,
        }
    }
}

/// Judges every case with everybody who is there, and prints the table.
pub(super) fn run() -> Result<()> {
    let all: [Box<dyn Peer>; 7] = [
        Box::new(OpenDkim),
        Box::new(script::dkimpy()),
        Box::new(script::maildkim()),
        Box::new(script::mailauth(false)),
        Box::new(script::mailauth(true)),
        Box::new(script::mail_auth()),
        Box::new(script::cfdkim()),
    ];
    let (mut peers, mut absent) = (Vec::new(), Vec::new());
    for peer in all {
        match peer.version() {
            Ok(version) => peers.push((peer, version)),
            Err(why) => absent.push(not_run(peer.name(), &why, peer.how_to_install())),
        }
    }
    for (peer, version) in &peers {
        println!("{} {version}", peer.name());
    }
    for one in &absent {
        println!("{one}");
    }
    ensure!(!peers.is_empty(), "nobody to compare with is installed");
    let cases = cases::all()?;
    let misled: Vec<String> =
        peers.iter().flat_map(|(peer, version)| misled(&**peer, version, &cases)).collect();
    ensure!(misled.is_empty(), "who refuses a good message judges none:\n{}", misled.join("\n"));
    let names: Vec<&str> = peers.iter().map(|(peer, _)| peer.name()).collect();
    println!("\n| attack | message | RFC | says | here | {} |", names.join(" | "));
    println!("| --- | --- | --- | --- | --- |{}", " --- |".repeat(names.len()));
    let mut wrong = 0;
    for case in &cases {
        let here = here(case);
        wrong += usize::from(here.errs(case.rfc));
        let theirs = peers.iter().map(|(peer, version)| there(&**peer, version, case));
        let verdicts = std::iter::once(here).chain(theirs);
        let cells: Vec<String> = verdicts.map(|verdict| cell(verdict, case.rfc)).collect();
        println!("{} {} |", case.beginning(), cells.join(" | "));
    }
    println!("\n{} messages, {} peers run, {} NOT RUN", cases.len(), peers.len(), absent.len());
    if wrong > 0 {
        bail!("{wrong} of our own verdicts are not what the RFCs say");
    }
    Ok(())
}

fn cell(verdict: Verdict, rfc: Rfc) -> String {
    let word = verdict.word();
    if verdict.errs(rfc) { format!("**{word}**") } else { word.to_owned() }
}

fn here(case: &Case) -> Verdict {
    let zone = case.records.iter().fold(Zone::new(), |zone, (name, text)| zone.txt(name, text));
    let found = judge::verify(&case.message, &zone, NOW);
    match found.iter().any(dkim_verify::Verification::passes) {
        true => Verdict::Pass,
        false => Verdict::No,
    }
}

/// Messages that nobody forged, and a peer does not pass: it is not installed as it should be, or not
/// asked as it should be, and its refusals of others would mean nothing.
fn misled(peer: &dyn Peer, version: &str, cases: &[Case]) -> Vec<String> {
    let plain =
        cases.iter().filter(|case| case.row.is_empty() && peer.knows(case.algorithm, version));
    let told = plain.filter_map(|case| {
        let said = match ask(peer, case) {
            Ok(Ok(true)) => return None,
            Ok(Ok(false)) => "it does not pass".to_owned(),
            Ok(Err(error)) => error,
            Err(error) => format!("{error:#}"),
        };
        Some(format!("{}: {}: {said}", peer.name(), case.what))
    });
    told.collect()
}

/// Each case has a process of its own, so that none suffers from what another did.
fn ask(peer: &dyn Peer, case: &Case) -> Result<Answer<bool>> {
    let mut answers = peer.verify(std::slice::from_ref(&case.message), &case.records)?;
    answers.pop().context("no answer")
}

fn there(peer: &dyn Peer, version: &str, case: &Case) -> Verdict {
    if !peer.knows(case.algorithm, version) {
        return Verdict::Unknown;
    }
    match ask(peer, case) {
        Ok(Ok(true)) => Verdict::Pass,
        Ok(Ok(false)) => Verdict::No,
        Ok(Err(_)) => Verdict::Error,
        Err(_) => Verdict::Ended,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::workspace;

    #[test]
    fn our_verdicts_are_what_the_rfcs_say() {
        for case in cases::all().unwrap() {
            assert!(!here(&case).errs(case.rfc), "{}: {}", case.what, here(&case).word());
        }
    }

    #[test]
    fn every_case_is_of_a_row_of_the_table_of_attacks() {
        let attacks = std::fs::read_to_string(workspace::path("ATTACKS.md")).unwrap();
        let rows: Vec<&str> = attacks.lines().filter(|line| line.starts_with("| ")).collect();
        for case in cases::all().unwrap() {
            let begins = format!("| {} |", case.row);
            assert!(
                case.row.is_empty() || rows.iter().any(|row| row.starts_with(&begins)),
                "{}",
                case.row
            );
        }
    }

    /// Somebody who says the same of every message, and knows RSA alone.
    struct Parrot(fn() -> Result<Answer<bool>>);

    impl Peer for Parrot {
        fn name(&self) -> &'static str {
            "parrot"
        }

        fn version(&self) -> Result<String> {
            Ok("1".to_owned())
        }

        fn how_to_install(&self) -> &'static str {
            "feed it"
        }

        fn knows(&self, algorithm: Algorithm, _: &str) -> bool {
            algorithm == Algorithm::Rsa
        }

        fn keeps_first_blanks(&self) -> bool {
            true
        }

        fn known_fault(&self, _: &crate::interop::About) -> Option<&'static str> {
            None
        }

        fn verify(&self, _: &[Vec<u8>], _: &BTreeMap<String, String>) -> Result<Vec<Answer<bool>>> {
            Ok(vec![self.0()?])
        }

        fn sign(
            &self,
            _: &[Vec<u8>],
            _: Algorithm,
            _: &'static str,
        ) -> Result<Vec<Answer<Vec<u8>>>> {
            bail!("it does not write")
        }
    }

    #[test]
    fn who_refuses_a_good_message_is_not_taken_for_a_judge() {
        let cases = cases::all().unwrap();
        let told = |says| misled(&Parrot(says), "1", &cases).join("; ");
        assert_eq!(told(|| Ok(Ok(true))), "");
        let refuses = told(|| Ok(Ok(false)));
        assert!(
            refuses.starts_with("parrot: RSA, nothing forged: it does not pass; "),
            "{refuses}"
        );
        // It was not asked what it does not know.
        assert!(!refuses.contains("Ed25519"), "{refuses}");
        assert!(told(|| Ok(Err("no such module".to_owned()))).contains(": no such module"));
        assert!(told(|| bail!("0 answers to 1 jobs")).contains(": 0 answers to 1 jobs"));
    }

    /// The page holds a row for each case, in this order, and no other.
    #[test]
    fn the_page_has_every_case() {
        let page = std::fs::read_to_string(workspace::path("COMPARISON.md")).unwrap();
        let cases = cases::all().unwrap();
        let judged = |case: &Case| format!("{} {} |", case.beginning(), cell(here(case), case.rfc));
        let expected: Vec<String> = cases.iter().map(judged).collect();
        let rows = page.lines().skip_while(|line| !line.starts_with("| attack |")).skip(2);
        let rows: Vec<&str> = rows.take_while(|line| line.starts_with('|')).collect();
        assert_eq!(rows.len(), expected.len(), "cargo xtask interop --attacks");
        for (row, expected) in rows.iter().zip(expected) {
            assert!(row.starts_with(&expected), "{row}: {expected}");
        }
    }
}
