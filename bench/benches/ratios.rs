//! Ours beside the limit, in one table.
//!
//! Both are done in turns of a millisecond, so that a machine that slows down or speeds up does it to
//! both, and what is told is the median of the ratios of neighbouring turns. Time is the thread's own
//! on the processor, so that what other programs take does not count, but for a cell with threads of
//! its own. No figure makes the run fail: a timing is no test.
#![allow(missing_docs)]

use std::error::Error;
use std::fmt;
use std::fs;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use dkim_bench::{Cell, Goal, Work, cells};

/// How long one turn takes, unless the work alone takes longer.
const TURN: Duration = Duration::from_millis(1);

/// Rounds there are at least, however long they take.
const ROUNDS: usize = 15;

/// Rounds of a cell of which the best counts.
const BEST_OF: usize = 5;

struct Options {
    filter: Option<String>,
    /// How long to measure each cell.
    seconds: Duration,
    save: Option<String>,
    against: Option<String>,
}

impl Options {
    fn read() -> Result<Self, Box<dyn Error>> {
        let (filter, save, against) = (None, None, None);
        let mut options = Self { filter, seconds: Duration::from_secs(1), save, against };
        let mut arguments = std::env::args().skip(1);
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or(format!("{argument} what?"));
            match argument.as_str() {
                // Cargo says so to every bench.
                "--bench" => {}
                "--seconds" => options.seconds = Duration::try_from_secs_f64(value()?.parse()?)?,
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
    let chosen = |cell: &Cell| {
        options.filter.as_ref().is_none_or(|filter| cell.name().contains(filter.as_str()))
    };
    let mut lines = Vec::new();
    let (mut goals, mut missed) = (0, 0);
    println!("{}", Row::head());
    for cell in cells().iter().filter(|cell| chosen(cell)) {
        let mut row = Row::measure(cell, options.seconds);
        row.before = before.as_ref().and_then(|rows| {
            rows.iter().find(|(name, _)| name == cell.name()).map(|(_, ratio)| *ratio)
        });
        println!("{row}");
        goals += usize::from(row.goal.is_some());
        missed += usize::from(row.is_missed());
        lines.push(format!("{}\t{:.4}\n", row.name, row.ratio()));
    }
    if lines.is_empty() {
        return Err("no cell has a name like that".into());
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
    /// Seconds for a message, the median of all rounds.
    limit: f64,
    ours: f64,
    /// Ours by the limit; of a throughput, the other way round.
    ratios: Quartiles,
    goal: Option<Goal>,
    /// Seconds for a message, and their ratio to the limit.
    peer: Option<(f64, f64)>,
    before: Option<f64>,
}

impl Row {
    fn measure(cell: &Cell, budget: Duration) -> Self {
        let pair = cell.make();
        let works: Vec<&Work> = [&pair.limit, &pair.ours].into_iter().chain(&pair.peer).collect();
        let goal = cell.goal();
        let rounds = match goal {
            Some(Goal::AtLeast(_)) => times(&works, wall_clock, |done, _| done < BEST_OF),
            _ => times(&works, own_time, |done, elapsed| done < ROUNDS || elapsed < budget),
        };
        let median = |of: &dyn Fn(&[f64]) -> f64| Quartiles::over(&rounds, of).median;
        Self {
            name: cell.name().to_owned(),
            limit: median(&|round| round[0]),
            ours: median(&|round| round[1]),
            ratios: match goal {
                Some(Goal::AtLeast(_)) => Quartiles::over(&rounds, &|round| round[0] / round[1]),
                _ => Quartiles::over(&rounds, &|round| round[1] / round[0]),
            },
            goal,
            peer: pair
                .peer
                .is_some()
                .then(|| (median(&|round| round[2]), median(&|round| round[2] / round[0]))),
            before: None,
        }
    }

    /// The figure that counts.
    fn ratio(&self) -> f64 {
        match self.goal {
            Some(Goal::AtLeast(_)) => self.ratios.highest,
            _ => self.ratios.median,
        }
    }

    fn is_missed(&self) -> bool {
        self.goal.is_some_and(|goal| !goal.is_reached(self.ratio()))
    }

    fn head() -> String {
        let peer = if cfg!(feature = "peers") { "  mail-auth µs   ratio" } else { "" };
        format!(
            "{:<46} {:>10} {:>10} {:>7}  {:<15} {:<7} {:<6}{peer}",
            "cell", "limit µs", "ours µs", "ratio", "middle half", "target", ""
        )
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let micros = |seconds: f64| format!("{:.1}", seconds * 1e6);
        let (limit, ours, ratio) = (micros(self.limit), micros(self.ours), self.ratio());
        let half = format!("{:.3}-{:.3}", self.ratios.low, self.ratios.high);
        let goal = self.goal.map(|goal| goal.to_string()).unwrap_or_default();
        let mark = if self.is_missed() { "MISSED" } else { "" };
        let name = &self.name;
        write!(
            f,
            "{name:<46} {limit:>10} {ours:>10} {ratio:>7.3}  {half:<15} {goal:<7} {mark:<6}"
        )?;
        if let Some((time, ratio)) = self.peer {
            write!(f, "  {:>12} {ratio:>7.3}", micros(time))?;
        }
        if let Some(before) = self.before {
            write!(f, "  was {before:.3}")?;
        }
        Ok(())
    }
}

/// Seconds for a message of each work, round by round, while `more` says so of the rounds done and
/// the time they took.
fn times(
    works: &[&Work],
    clock: fn() -> Duration,
    more: impl Fn(usize, Duration) -> bool,
) -> Vec<Vec<f64>> {
    let time = |work: &Work, times: u32| {
        let begun = clock();
        for _ in 0..times {
            work.run();
        }
        clock().saturating_sub(begun)
    };
    // The first time warms up; the second tells how often a turn has to do it.
    let turns = works.iter().map(|work| {
        work.run();
        let once = time(work, 1).as_nanos().max(1);
        u32::try_from(TURN.as_nanos() / once).unwrap_or(u32::MAX).max(1)
    });
    let turns: Vec<u32> = turns.collect();
    let round = |number: usize| {
        let mut seconds = vec![0.0; works.len()];
        // Whoever follows another finds the caches full of the other's: let each be the first.
        let mut order: Vec<usize> = (0..works.len()).collect();
        order.rotate_left(number % works.len());
        for index in order {
            let (work, times) = (works[index], turns[index]);
            let messages = f64::from(times) * f64::from(work.messages());
            seconds[index] = time(work, times).as_secs_f64() / messages;
        }
        seconds
    };
    let begun = Instant::now();
    (0..).take_while(|done| more(*done, begun.elapsed())).map(round).collect()
}

/// Since the program began.
fn wall_clock() -> Duration {
    static BEGUN: LazyLock<Instant> = LazyLock::new(Instant::now);
    BEGUN.elapsed()
}

/// What this thread has had of the processor.
#[cfg(unix)]
fn own_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    time.try_into().unwrap_or_default()
}

#[cfg(not(unix))]
fn own_time() -> Duration {
    wall_clock()
}

/// Where a quarter, a half and three quarters of the values lie, and the last.
struct Quartiles {
    low: f64,
    median: f64,
    high: f64,
    highest: f64,
}

impl Quartiles {
    fn over(rounds: &[Vec<f64>], value: &dyn Fn(&[f64]) -> f64) -> Self {
        let mut values: Vec<f64> = rounds.iter().map(|round| value(round)).collect();
        values.sort_by(f64::total_cmp);
        let at = |quarters: usize| values[(values.len() - 1) * quarters / 4];
        Self { low: at(1), median: at(2), high: at(3), highest: at(4) }
    }
}
