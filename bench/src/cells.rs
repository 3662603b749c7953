//! Everything that is measured.

use std::fmt;
use std::iter;

use dkim_canon::Canonicalization::{self, Relaxed, Simple};
use dkim_crypto::Provider;

use crate::goal::Goal;
use crate::message;
use crate::provider::{ed25519, providers, rsa};
use crate::signing::Signing;
use crate::verifying::Verifying;
use crate::work::Pair;

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// Of the body, in octets.
const SIZES: [(&str, usize); 4] =
    [("1KiB", KIB), ("16KiB", 16 * KIB), ("256KiB", 256 * KIB), ("8MiB", 8 * MIB)];

/// Enough that starting a thread does not tell.
const MESSAGES_A_THREAD: u32 = 1000;

/// One thing measured.
pub struct Cell {
    name: String,
    make: Box<dyn Fn() -> Pair>,
}

impl Cell {
    fn new(name: String, make: impl Fn() -> Pair + 'static) -> Self {
        Self { name, make: Box::new(make) }
    }

    /// What it is, in steps, such as `verify/ring/rsa-2048/relaxed/16KiB`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it is to reach, if that is set.
    #[must_use]
    pub fn goal(&self) -> Option<Goal> {
        Goal::of(&self.name)
    }

    /// Makes the messages, and sees to it that they verify.
    #[must_use]
    pub fn make(&self) -> Pair {
        (self.make)()
    }
}

impl fmt::Debug for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cell").field("name", &self.name).finish_non_exhaustive()
    }
}

/// All cells, for each provider built in. What they need is made when they are measured.
#[must_use]
pub fn cells() -> Vec<Cell> {
    providers().into_iter().flat_map(of_provider).collect()
}

fn of_provider(provider: &'static dyn Provider) -> Vec<Cell> {
    let mut cells = Vec::new();
    let of = provider.name();
    for (algorithm, key) in [("rsa-2048", rsa(provider)), ("ed25519", ed25519(provider))] {
        for form in [Simple, Relaxed] {
            for (size, octets) in SIZES {
                let steps = format!("{of}/{algorithm}/{form}/{size}");
                let key = key.clone();
                let signing =
                    move || Signing::new(provider, key.clone(), form, message::ordinary(octets));
                let signed = signing.clone();
                cells.push(Cell::new(format!("verify/{steps}"), move || {
                    Verifying::new(signed()).pair()
                }));
                cells.push(Cell::new(format!("sign/{steps}"), move || signing().pair()));
            }
        }
    }
    // By kind, then by key, as one reads them.
    cells.sort_by_key(|cell| cell.name.starts_with("sign"));

    cells.push(Cell::new(format!("verify/{of}/five-signatures/relaxed/16KiB"), move || {
        let selectors = (0..5).map(|number| format!("s{number}")).collect();
        let one = rsa_relaxed(provider, message::ordinary(16 * KIB));
        Verifying::new(Signing { selectors, ..one }).pair()
    }));
    cells.extend(nasty(provider));
    cells.push(Cell::new(format!("streaming/{of}/16MiB/64KiB"), move || {
        let signed = || Verifying::new(rsa_relaxed(provider, message::ordinary(16 * MIB)));
        Pair::new(signed().ours(), signed().ours_in(64 * KIB))
    }));
    cells.push(Cell::new(format!("threads/{of}/two"), move || {
        let signed = Verifying::new(rsa_relaxed(provider, message::ordinary(16 * KIB)));
        let in_threads = |threads| signed.ours_in_threads(threads, MESSAGES_A_THREAD);
        Pair::new(in_threads(1), in_threads(2))
    }));
    cells
}

fn rsa_relaxed(provider: &'static dyn Provider, message: Vec<u8>) -> Signing {
    Signing::new(provider, rsa(provider), Canonicalization::Relaxed, message)
}

/// A shape of message in two sizes, the second twice the first.
type Shape = (&'static str, [&'static str; 2], fn(&'static dyn Provider, bool) -> Signing);

/// Each shape in both sizes, and how much longer twice as much takes.
fn nasty(provider: &'static dyn Provider) -> Vec<Cell> {
    let shapes: [Shape; 4] = [
        ("white-space-runs", ["1MiB", "2MiB"], |provider, twice| {
            let body = message::white_space_runs(if twice { 2 * MIB } else { MIB });
            rsa_relaxed(provider, message::with_body(&body))
        }),
        ("empty-lines", ["1MiB", "2MiB"], |provider, twice| {
            let body = message::empty_lines(if twice { 2 * MIB } else { MIB });
            rsa_relaxed(provider, message::with_body(&body))
        }),
        ("fields", ["2000", "4000"], |provider, twice| {
            rsa_relaxed(provider, message::with_fields(if twice { 4000 } else { 2000 }))
        }),
        // A thousand names are as many as a policy lets pass.
        ("signed-fields", ["500-of-1000", "1000-of-2000"], |provider, twice| {
            let (fields, signed) = if twice { (2000, 1000) } else { (1000, 500) };
            let own = (0..signed - 1).map(|number| message::field_name(2 * number));
            let names = iter::once("From".to_owned()).chain(own).collect();
            Signing { names, ..rsa_relaxed(provider, message::with_fields(fields)) }
        }),
    ];
    let mut cells = Vec::new();
    for (shape, sizes, make) in shapes {
        let steps = format!("nasty/{}/{shape}", provider.name());
        for (size, twice) in sizes.into_iter().zip([false, true]) {
            let pair = move || Verifying::new(make(provider, twice)).pair();
            cells.push(Cell::new(format!("{steps}/{size}"), pair));
        }
        cells.push(Cell::new(format!("{steps}/doubled"), move || {
            let ours = |twice| Verifying::new(make(provider, twice)).ours();
            Pair::new(ours(false), ours(true))
        }));
    }
    cells
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cell_can_be_made_and_done() {
        for cell in cells() {
            // Whole threads and many MiB take long without optimization.
            if !cell.name().contains("MiB") && !cell.name().starts_with("threads") {
                let pair = cell.make();
                pair.limit.run();
                pair.ours.run();
            }
        }
    }
}
