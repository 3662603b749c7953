//! What each cell is to reach.

use std::fmt;

use self::Goal::{AtLeast, AtMost};

/// What a ratio is to be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Goal {
    /// Our time is at most so many times the limit's.
    AtMost(f64),
    /// Our throughput is at least so many times the limit's, in the best of five rounds.
    AtLeast(f64),
}

/// The first line that fits a cell's name; `*` is any step of it.
const GOALS: [(&str, Goal); 22] = [
    ("verify/ring/rsa-2048/relaxed/1KiB", AtMost(1.08)),
    ("verify/ring/rsa-2048/relaxed/16KiB", AtMost(1.10)),
    ("verify/ring/rsa-2048/relaxed/256KiB", AtMost(1.10)),
    ("verify/ring/rsa-2048/relaxed/8MiB", AtMost(1.12)),
    ("verify/aws-lc-rs/rsa-2048/relaxed/1KiB", AtMost(1.12)),
    ("verify/aws-lc-rs/rsa-2048/relaxed/16KiB", AtMost(1.15)),
    ("verify/aws-lc-rs/rsa-2048/relaxed/256KiB", AtMost(1.10)),
    ("verify/aws-lc-rs/rsa-2048/relaxed/8MiB", AtMost(1.12)),
    ("verify/*/*/simple/16KiB", AtMost(1.05)),
    ("verify/*/*/simple/256KiB", AtMost(1.05)),
    ("verify/*/*/simple/8MiB", AtMost(1.05)),
    ("verify/*/ed25519/relaxed/16KiB", AtMost(1.06)),
    ("verify/*/five-signatures/relaxed/16KiB", AtMost(1.07)),
    ("sign/*/rsa-2048/*/*", AtMost(1.03)),
    ("sign/*/ed25519/*/16KiB", AtMost(1.12)),
    ("nasty/*/*/doubled", AtMost(2.3)),
    ("nasty/*/white-space-runs/*", AtMost(8.0)),
    ("nasty/*/empty-lines/*", AtMost(2.5)),
    ("nasty/*/fields/*", AtMost(2.5)),
    ("nasty/*/signed-fields/*", AtMost(4.0)),
    ("streaming/*/16MiB/64KiB", AtMost(1.05)),
    ("threads/*/two", AtLeast(1.8)),
];

impl Goal {
    /// The goal of the cell with this name, if it has one.
    pub(crate) fn of(name: &str) -> Option<Self> {
        GOALS.iter().find(|(pattern, _)| fits(pattern, name)).map(|(_, goal)| *goal)
    }

    /// Whether a ratio reaches it.
    #[must_use]
    pub fn is_reached(self, ratio: f64) -> bool {
        match self {
            AtMost(most) => ratio <= most,
            AtLeast(least) => ratio >= least,
        }
    }
}

impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AtMost(most) => write!(f, "≤ {most:.2}"),
            AtLeast(least) => write!(f, "≥ {least:.2}"),
        }
    }
}

fn fits(pattern: &str, name: &str) -> bool {
    let (mut pattern, mut name) = (pattern.split('/'), name.split('/'));
    loop {
        match (pattern.next(), name.next()) {
            (None, None) => return true,
            (Some("*"), Some(_)) => {}
            (Some(pattern), Some(step)) if pattern == step => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_that_fits_is_the_goal() {
        assert_eq!(Goal::of("verify/ring/rsa-2048/relaxed/1KiB"), Some(AtMost(1.08)));
        assert_eq!(Goal::of("verify/ring/rsa-2048/simple/1KiB"), None);
        assert_eq!(Goal::of("nasty/ring/empty-lines/1MiB"), Some(AtMost(2.5)));
        assert_eq!(Goal::of("nasty/ring/empty-lines/doubled"), Some(AtMost(2.3)));
        assert_eq!(Goal::of("nasty/ring/empty-lines"), None);
    }

    #[test]
    fn each_goal_is_that_of_a_cell() {
        let cells = crate::cells();
        let is_built = |pattern: &str| match pattern.split('/').nth(1) {
            Some("ring") => cfg!(feature = "ring"),
            Some("aws-lc-rs") => cfg!(feature = "aws-lc-rs"),
            _ => true,
        };
        for (pattern, _) in GOALS {
            let of_some = cells.iter().any(|cell| fits(pattern, cell.name()));
            assert!(of_some || !is_built(pattern), "{pattern}");
        }
    }
}
