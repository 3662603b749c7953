//! What came of a random run: who agreed with the construction, who did not, and why.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};

use super::message::Letter;
use super::{Party, Trial, Verdicts, known};
use crate::interop::{Options, word};

/// What a judge made of the letters of a signer.
#[derive(Default)]
struct Tally {
    /// Passed, as it should.
    forgiven: usize,
    /// Did not pass, as it should.
    broken: usize,
    known: usize,
    unexplained: usize,
}

/// In which role a party shows a fault.
#[derive(Clone, Copy)]
pub(super) enum Role {
    Signer,
    Judge,
}

/// What came of it all.
pub(super) struct Report<'o> {
    options: &'o Options,
    /// By signer and judge.
    tallies: BTreeMap<(Party, Party), Tally>,
    /// How often a fault wronged a signature, and how often a verdict.
    faults: BTreeMap<(Party, &'static str), (usize, usize)>,
    /// How often each mutation was judged in a letter that must pass, and in one that must not.
    mutations: BTreeMap<&'static str, (usize, usize)>,
    disagreements: usize,
}

impl<'o> Report<'o> {
    pub(super) fn new(options: &'o Options) -> Self {
        Self {
            options,
            tallies: BTreeMap::new(),
            faults: BTreeMap::new(),
            mutations: BTreeMap::new(),
            disagreements: 0,
        }
    }

    /// How many verdicts nothing explains, letters that could not be signed among them.
    pub(super) fn disagreements(&self) -> usize {
        self.disagreements
    }

    /// Compares a judge's verdicts with what they should be.
    pub(super) fn take(
        &mut self,
        trials: &[Trial<'_>],
        judge: Party,
        verdicts: Verdicts,
    ) -> Result<()> {
        for (trial, verdict) in trials.iter().zip(verdicts) {
            let Some(verdict) = verdict else { continue };
            if judge == Party::We {
                for name in trial.mutation_names() {
                    let (passing, failing) = self.mutations.entry(name).or_default();
                    *(if trial.survives { passing } else { failing }) += 1;
                }
            }
            // To whom a message makes no sense, its signature does not pass.
            let passes = matches!(verdict, Ok(true));
            let tally = self.tallies.entry((trial.letter.signer, judge)).or_default();
            if passes == trial.survives {
                *(if passes { &mut tally.forgiven } else { &mut tally.broken }) += 1;
            } else if let Some(fault) = known::in_judging(judge, trial) {
                tally.known += 1;
                self.count_fault(judge, fault.reason, Role::Judge);
            } else {
                tally.unexplained += 1;
                let said = verdict.err().map(|error| format!(" ({error})")).unwrap_or_default();
                let (should, does) = (word(trial.survives), word(passes));
                self.disagree(
                    trial.number,
                    trial.letter,
                    &format!(
                        "arrival {}: {judge}: should {should}, does {does}{said}; changed: {}",
                        trial.arrival,
                        trial.mutation_names().collect::<Vec<_>>().join(", ")
                    ),
                );
                self.keep(&format!("{}-{}", trial.number, trial.arrival), &trial.octets)?;
            }
        }
        Ok(())
    }

    pub(super) fn cannot_sign(&mut self, number: u64, letter: &Letter, error: &str) -> Result<()> {
        self.disagree(number, letter, &format!("it cannot be signed: {error}"));
        self.keep(&format!("{number}-unsigned"), &letter.message.octets())
    }

    pub(super) fn count_fault(&mut self, of: Party, reason: &'static str, role: Role) {
        let (signed, judged) = self.faults.entry((of, reason)).or_default();
        *(match role {
            Role::Signer => signed,
            Role::Judge => judged,
        }) += 1;
    }

    fn disagree(&mut self, number: u64, letter: &Letter, what: &str) {
        self.disagreements += 1;
        println!(
            "DISAGREES: --random 1 --seed {} --first {number}: signed by {}, {}, {}{}, {what}",
            self.options.seed,
            letter.signer,
            letter.algorithm.name(),
            letter.form,
            if letter.length { ", l=" } else { "" },
        );
    }

    /// Saves a message, if that is asked for.
    fn keep(&self, name: &str, octets: &[u8]) -> Result<()> {
        let Some(directory) = &self.options.keep else { return Ok(()) };
        let path = Path::new(directory).join(format!("{}-{name}.eml", self.options.seed));
        std::fs::write(&path, octets).with_context(|| format!("cannot write {}", path.display()))
    }

    pub(super) fn print(&self) {
        println!("\n{:>7} {:>7}  changed", "pass", "fail");
        for (name, (passing, failing)) in &self.mutations {
            println!("{passing:>7} {failing:>7}  {name}");
        }
        println!(
            "\n{:<11} {:<11} {:>8} {:>8} {:>7} {:>12}",
            "signed by", "judged by", "forgiven", "broken", "known", "unexplained"
        );
        for ((signer, judge), tally) in &self.tallies {
            let Tally { forgiven, broken, known, unexplained } = tally;
            println!(
                "{signer:<11} {judge:<11} {forgiven:>8} {broken:>8} {known:>7} {unexplained:>12}"
            );
        }
        println!("\n{:>7} {:>7}  known fault of", "signed", "judged");
        for ((party, reason), (signed, judged)) in &self.faults {
            println!("{signed:>7} {judged:>7}  {party}: {reason}");
        }
        println!();
    }
}
