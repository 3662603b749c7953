//! Ours beside the limit, in one table.
//!
//! Both are done in turns of a millisecond, so that a machine that slows down or speeds up does it to
//! both, and what is told is the median of the ratios of neighbouring turns. No figure makes the run
//! fail: a timing is no test.
#![allow(missing_docs)]

use std::error::Error;
use std::fs;
use std::iter;
use std::time::{Duration, Instant};

use dkim_bench::{Cell, Goal, Work, cells};

/// How long one turn takes, unless the work alone takes longer.
const TURN: Duration = Duration::from_millis(1);

/// Rounds there are at least, however long they take.
const ROUNDS: usize = 15;

/// Rounds of a cell of which the best counts.
const BEST_OF: usize = 5;

#[derive(Default)]
struct Options {
    filter: Option<String>,
    seconds: Option<f64>,
    save: Option<String>,
    against: Option<String>,
}

impl Options {
    fn read() -> Result<Self, Box<dyn Error>> {
        let mut options = Self::default();
        let mut arguments = std::env::args().skip(1);
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or(format!("{argument} what?"));
            match argument.as_str() {
                // Cargo says so to every bench.
                "--bench" => {}
                "--seconds" => options.seconds = Some(value()?.parse()?),
                "--save" => options.save = Some(value()?),
                "--against" => options.against = Some(value()?),
                other if other.starts_with('-') => return Err(format!("what is {other}?").into()),
                _ => options.filter = Some(argument),
            }
        }
        Ok(options)
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::read()?;
    let before = options.against.as_ref().map(|path| earlier(path)).transpose()?;
    let budget = Duration::from_secs_f64(options.seconds.unwrap_or(1.0));
    let chosen = |cell: &Cell| {
        options.filter.as_ref().is_none_or(|filter| cell.name().contains(filter.as_str()))
    };
    let mut lines = Vec::new();
    let (mut goals, mut missed) = (0, 0);
    println!("{}", Row::HEAD);
    for cell in cells().iter().filter(|cell| chosen(cell)) {
        let mut row = Row::measure(cell, budget);
        row.before = before.as_ref().and_then(|rows| {
            rows.iter().find(|(name, _)| name == cell.name()).map(|(_, ratio)| *ratio)
        });
        println!("{row}");
        goals += usize::from(row.goal.is_some());
        missed += usize::from(row.is_missed());
        lines.push(format!("{}\t{:.4}\n", row.name, row.ratio.median));
    }
    println!("{goals} targets, {missed} missed");
    if let Some(path) = options.save {
        fs::write(path, lines.concat())?;
    }
    Ok(())
}

/// The ratios that an earlier run kept.
fn earlier(path: &str) -> Result<Vec<(String, f64)>, Box<dyn Error>> {
    let text = fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
    let line = |line: &str| {
        let (name, ratio) = line.split_once('\t').ok_or("a line is a name and a ratio")?;
        Ok((name.to_owned(), ratio.parse()?))
    };
    text.lines().map(line).collect()
}

/// What became of a cell.
struct Row {
    name: String,
    limit: f64,
    ours: f64,
    ratio: Quartiles,
    goal: Option<Goal>,
    peer: Option<(f64, f64)>,
    before: Option<f64>,
}

impl Row {
    const HEAD: &str = "cell                                             limit µs      ours µs  \
                        ratio  (half of them)  target";

    fn measure(cell: &Cell, budget: Duration) -> Self {
        let pair = cell.make();
        let works: Vec<&Work> = [&pair.limit, &pair.ours].into_iter().chain(&pair.peer).collect();
        let best = matches!(cell.goal(), Some(Goal::AtLeast(_)));
        let rounds = if best {
            times(&works, BEST_OF..=BEST_OF, budget)
        } else {
            times(&works, ROUNDS..=usize::MAX, budget)
        };
        let of = |index: usize| -> Vec<f64> { rounds.iter().map(|round| round[index]).collect() };
        let median = |times: Vec<f64>| Quartiles::of(times).median;
        let ratios = |index: usize| -> Vec<f64> {
            rounds.iter().map(|round| round[index] / round[0]).collect()
        };
        let ratio = if best {
            let throughput = ratios(1).into_iter().map(f64::recip).collect();
            let quartiles = Quartiles::of(throughput);
            Quartiles { median: quartiles.highest, ..quartiles }
        } else {
            Quartiles::of(ratios(1))
        };
        let peer = pair.peer.is_some().then(|| (median(of(2)), median(ratios(2))));
        let name = cell.name().to_owned();
        Self {
            name,
            limit: median(of(0)),
            ours: median(of(1)),
            ratio,
            goal: cell.goal(),
            peer,
            before: None,
        }
    }

    fn is_missed(&self) -> bool {
        self.goal.is_some_and(|goal| !goal.is_reached(self.ratio.median))
    }
}

impl std::fmt::Display for Row {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { name, limit, ours, ratio, goal, peer, before } = self;
        let (limit, ours) = (limit * 1e6, ours * 1e6);
        let Quartiles { low, median, high, .. } = ratio;
        write!(f, "{name:<44} {limit:>12.2} {ours:>12.2} {median:>6.3}  ({low:.3}-{high:.3})")?;
        match goal {
            Some(goal) => write!(f, "   {goal}")?,
            None => write!(f, "        ")?,
        }
        if self.is_missed() {
            write!(f, "  MISSED")?;
        }
        if let Some((time, ratio)) = peer {
            write!(f, "  mail-auth {:.2} µs, {ratio:.3}", time * 1e6)?;
        }
        if let Some(before) = before {
            write!(f, "  was {before:.3}")?;
        }
        Ok(())
    }
}

/// Times of each work in turn, in seconds for a message, round by round.
fn times(
    works: &[&Work],
    rounds: std::ops::RangeInclusive<usize>,
    budget: Duration,
) -> Vec<Vec<f64>> {
    // The first time warms up; the second tells how often a turn has to do it.
    let turns: Vec<u32> = works
        .iter()
        .map(|work| {
            work.run();
            let alone = time(work, 1).max(Duration::from_nanos(1));
            u32::try_from(TURN.as_nanos() / alone.as_nanos()).unwrap_or(u32::MAX).max(1)
        })
        .collect();
    let begun = Instant::now();
    let more =
        |done: usize| done < *rounds.start() || (done < *rounds.end() && begun.elapsed() < budget);
    let round = |number: usize| {
        let mut seconds = vec![0.0; works.len()];
        // Who goes first has the cold caches; let it not always be the same.
        let mut order: Vec<usize> = (0..works.len()).collect();
        order.rotate_left(number % works.len());
        for index in order {
            let (work, turns) = (works[index], turns[index]);
            let messages = f64::from(turns) * f64::from(work.messages());
            seconds[index] = time(work, turns).as_secs_f64() / messages;
        }
        seconds
    };
    (0..).take_while(|done| more(*done)).map(round).collect()
}

fn time(work: &Work, times: u32) -> Duration {
    let begun = Instant::now();
    iter::repeat_n((), usize::try_from(times).unwrap_or(usize::MAX)).for_each(|()| work.run());
    begun.elapsed()
}

/// Where a quarter, a half and three quarters of the values lie, and the last.
struct Quartiles {
    low: f64,
    median: f64,
    high: f64,
    highest: f64,
}

impl Quartiles {
    fn of(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        let at = |quarters: usize| values[(values.len() - 1) * quarters / 4];
        Self { low: at(1), median: at(2), high: at(3), highest: at(4) }
    }
}
