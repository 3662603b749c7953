//! Random messages: signed in turn by all, changed, and judged by all. What each judge has to say
//! is known from how the message was changed.

mod dice;
mod known;
mod message;
mod mutation;
mod place;
mod report;
mod sent;

use std::collections::BTreeMap;
use std::fmt;
use std::time::Instant;

use anyhow::{Context, Result, bail};

use super::peer::{Algorithm, Answer, Order, Peer as _, not_run};
use super::script::{self, Conversation, Script};
use super::{Bench, Name, Options, sign};
use dice::Dice;
use message::Letter;
use mutation::{Mutation, mutate};
use report::{Report, Role};
use sent::Sent;

/// How many letters are in hand at a time.
const BATCH: u64 = 500;
/// How often a letter is changed anew.
const CHANGED: usize = 3;

/// Who signs and judges.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Party {
    Dkimpy,
    MailDkim,
    We,
}

impl fmt::Display for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Dkimpy => "dkimpy",
            Self::MailDkim => "Mail::DKIM",
            Self::We => "we",
        })
    }
}

/// A field's name in lower case.
fn name_of(field: &[u8]) -> String {
    let name = field.split(|octet| *octet == b':').next().unwrap_or_default();
    String::from_utf8_lossy(name).trim_end().to_ascii_lowercase()
}

/// A letter as it arrives.
struct Trial<'l> {
    letter: &'l Letter,
    /// Of the letter.
    number: u64,
    /// Which of its arrivals; the first is unchanged.
    arrival: usize,
    mutations: Vec<&'static Mutation>,
    octets: Vec<u8>,
    /// Whether the signature must pass.
    survives: bool,
}

impl Trial<'_> {
    fn mutation_names(&self) -> impl Iterator<Item = &'static str> {
        self.mutations.iter().map(|mutation| mutation.name)
    }
}

/// Another party, running.
struct Guest {
    party: Party,
    conversation: Conversation,
    knows_ed25519: bool,
}

impl Guest {
    fn knows(&self, algorithm: Algorithm) -> bool {
        algorithm != Algorithm::Ed25519 || self.knows_ed25519
    }
}

/// The verdict of each trial; `None` where the judge does not know the algorithm.
type Verdicts = Vec<Option<Answer<bool>>>;

pub(super) fn run(options: &Options, count: u64) -> Result<()> {
    let bench = Bench::new()?;
    let mut guests = guests(options)?;
    if guests.is_empty() {
        bail!("nobody who could take part is installed");
    }
    if let Some(directory) = &options.keep {
        std::fs::create_dir_all(directory)?;
    }
    let (start, mut report) = (Instant::now(), Report::new(options));
    let mut done = 0;
    while done < count {
        let first = options.first + done;
        let batch = BATCH.min(count - done);
        let letters: Vec<(u64, Letter)> = (first..first + batch)
            .map(|number| (number, Letter::random(&mut Dice::new(options.seed, number), number)))
            .filter(|(_, letter)| {
                letter.signer == Party::We || guests.iter().any(|one| one.party == letter.signer)
            })
            .collect();
        let signed = sign_all(&letters, &mut guests)?;
        let trials = trials(&letters, signed, options.seed, &mut report)?;
        let (ours, theirs) = judge_all(&trials, &bench, &mut guests)?;
        report.take(&trials, Party::We, ours)?;
        for (guest, verdicts) in guests.iter().zip(theirs) {
            report.take(&trials, guest.party, verdicts)?;
        }
        done += batch;
        if done < count {
            eprintln!("{done} of {count} messages in {} s", start.elapsed().as_secs());
        }
    }
    report.print();
    println!("{count} messages in {} s", start.elapsed().as_secs());
    match report.disagreements() {
        0 => Ok(()),
        some => bail!("{some} disagreements"),
    }
}

/// Starts whoever is installed and wanted.
fn guests(options: &Options) -> Result<Vec<Guest>> {
    let scripts: [(Name, Party, Script); 2] = [
        (Name::Dkimpy, Party::Dkimpy, script::dkimpy()),
        (Name::Maildkim, Party::MailDkim, script::maildkim()),
    ];
    let mut guests = Vec::new();
    for (name, party, script) in scripts {
        if options.with.is_some_and(|only| only != name) {
            continue;
        }
        let version = match script.version() {
            Ok(version) => version,
            Err(why) => {
                println!("{}", not_run(script.name(), &why, script.how_to_install()));
                continue;
            }
        };
        println!("{party} {version}");
        let knows_ed25519 = script.knows(Algorithm::Ed25519, &version);
        guests.push(Guest { party, conversation: script.start()?, knows_ed25519 });
    }
    Ok(guests)
}

/// Has each letter signed by its signer.
fn sign_all(letters: &[(u64, Letter)], guests: &mut [Guest]) -> Result<Vec<Answer<Vec<u8>>>> {
    let orders = |party: Party| -> Vec<Order> {
        let letters = letters.iter().map(|(_, letter)| letter);
        letters.filter(|letter| letter.signer == party).map(Letter::order).collect()
    };
    let mut signed: BTreeMap<Party, std::vec::IntoIter<Answer<Vec<u8>>>> = BTreeMap::new();
    std::thread::scope(|scope| {
        let at_work: Vec<_> = guests
            .iter_mut()
            .map(|guest| {
                (guest.party, scope.spawn(|| guest.conversation.sign(&orders(guest.party))))
            })
            .collect();
        let our_own = orders(Party::We);
        let ours: Vec<_> =
            our_own.iter().map(|order| sign(order).map_err(|error| error.to_string())).collect();
        signed.insert(Party::We, ours.into_iter());
        for (party, work) in at_work {
            let theirs = work.join().ok().context("a signer's thread ended early")??;
            signed.insert(party, theirs.into_iter());
        }
        anyhow::Ok(())
    })?;
    let next = |(_, letter): &(u64, Letter)| {
        let of_signer = signed.get_mut(&letter.signer).and_then(Iterator::next);
        of_signer.context("a letter was not signed")
    };
    letters.iter().map(next).collect()
}

/// Lets each signed letter arrive unchanged, and changed.
fn trials<'l>(
    letters: &'l [(u64, Letter)],
    signed: Vec<Answer<Vec<u8>>>,
    seed: u64,
    report: &mut Report<'_>,
) -> Result<Vec<Trial<'l>>> {
    let mut trials = Vec::new();
    for ((number, letter), signed) in letters.iter().zip(signed) {
        let number = *number;
        let signed = match signed {
            Ok(signed) => signed,
            Err(error) => {
                report.cannot_sign(number, letter, &error)?;
                continue;
            }
        };
        // What is wrong from the start must not pass, however it is changed.
        let fault = known::in_signing(letter);
        if let Some(fault) = fault {
            report.count_fault(letter.signer, fault.reason, Role::Signer);
        }
        // Other dice than the letter's: whoever changes those does not change these.
        let mut dice = Dice::new(seed, !number);
        for arrival in 0..=CHANGED {
            let mut sent = Sent::new(letter, &signed)
                .with_context(|| format!("{number}: the message is not below its signature"))?;
            let (mutations, survives) = match arrival {
                0 => (Vec::new(), true),
                _ => mutate(&mut dice, &mut sent),
            };
            let (octets, survives) = (sent.octets(), survives && fault.is_none());
            trials.push(Trial { letter, number, arrival, mutations, octets, survives });
        }
    }
    Ok(trials)
}

/// Asks everybody about every trial. Returns our verdicts and those of each guest.
fn judge_all(
    trials: &[Trial<'_>],
    bench: &Bench,
    guests: &mut [Guest],
) -> Result<(Verdicts, Vec<Verdicts>)> {
    std::thread::scope(|scope| {
        let at_work: Vec<_> =
            guests.iter_mut().map(|guest| scope.spawn(|| judge(guest, trials, bench))).collect();
        let ours = trials.iter().map(|trial| Some(Ok(bench.we_pass(&trial.octets)))).collect();
        let join = |work: std::thread::ScopedJoinHandle<'_, Result<Verdicts>>| {
            work.join().ok().context("a judge's thread ended early")?
        };
        let theirs = at_work.into_iter().map(join).collect::<Result<_>>()?;
        Ok((ours, theirs))
    })
}

fn judge(guest: &mut Guest, trials: &[Trial<'_>], bench: &Bench) -> Result<Verdicts> {
    let knows: Vec<bool> = trials.iter().map(|trial| guest.knows(trial.letter.algorithm)).collect();
    let known = trials.iter().zip(&knows).filter(|(_, knows)| **knows);
    let messages: Vec<&[u8]> = known.map(|(trial, _)| trial.octets.as_slice()).collect();
    let mut verdicts = guest.conversation.verify(&messages, &bench.records)?.into_iter();
    Ok(knows.into_iter().map(|knows| if knows { verdicts.next() } else { None }).collect())
}
