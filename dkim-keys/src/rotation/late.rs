//! Keys that stand where they stood too long.

use std::fmt;

use dkim_tags::UnixTime;

use super::{Phase, RotationState};
use crate::Finding;
use crate::Severity::{Note, Warning};
use crate::finding::Row;
use crate::{Config, KeySource};

const DAY: u64 = 24 * 60 * 60;

/// Something wrong with the state of keys that change.
pub(crate) enum RotationFault {
    TooOld { days: u64, planned: u64 },
    Stuck { phase: Phase, days: u64 },
    NotTold,
    Forgotten { phase: Phase },
}

impl RotationFault {
    /// THE table.
    pub(crate) const fn row(&self) -> Row {
        let (code, severity, reference, remedy) = match self {
            Self::TooOld { .. } => (
                "rotation-overdue",
                Warning,
                "RFC 5863 §3.5",
                "let `dkim rotate run` be run now and then, by cron or a timer",
            ),
            Self::Stuck { .. } => (
                "rotation-stuck",
                Warning,
                "RFC 5863 §3.5",
                "`dkim rotate run` tells what it waits for",
            ),
            Self::NotTold => (
                "rotation-not-told",
                Warning,
                "RFC 5863 §3.5.1",
                "let `dkim rotate run` run the hook; if it fails, mend it",
            ),
            Self::Forgotten { .. } => (
                "rotation-forgotten",
                Note,
                "RFC 5863 §3.5.2",
                "let a `rotate` of this name stand in the configuration until the key is removed",
            ),
        };
        Row { code, severity, remedy, reference }
    }
}

impl fmt::Display for RotationFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooOld { days, planned } => {
                write!(f, "the key has signed for {days} days, and the plan says {planned}")
            }
            Self::Stuck { phase, days } => write!(f, "the key has been {phase} for {days} days"),
            Self::NotTold => f.write_str("the signing key has changed, and the hook has not run"),
            Self::Forgotten { phase } => {
                write!(f, "the key is {phase}, and nothing in the configuration takes it further")
            }
        }
    }
}

/// Holds where keys stand at this time against their plans: what should have
/// moved on more than a day ago.
#[must_use]
pub fn check_rotation(config: &Config, state: &RotationState, now: UnixTime) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut note = |subject: String, fault: &RotationFault| {
        findings.push(fault.row().finding(subject, fault));
    };
    for key in &state.keys {
        let subject = || format!("keys.{} ({})", key.name, key.selector);
        let entry = config.keys.get(&key.name).map(|entry| &entry.key);
        let Some(KeySource::Rotated { plan, .. }) = entry else {
            if !key.is_gone() {
                note(subject(), &RotationFault::Forgotten { phase: key.phase });
            }
            continue;
        };
        let age = now.since(key.since());
        // The next one is on its way, and looked at for itself.
        if key.phase == Phase::Active && state.successor(&key.name).is_some() {
            continue;
        }
        let Some(stay) = plan.stay(key) else { continue };
        if age > stay.saturating_add(DAY) {
            let days = age / DAY;
            match key.phase {
                Phase::Active => {
                    note(subject(), &RotationFault::TooOld { days, planned: plan.every / DAY });
                }
                phase => note(subject(), &RotationFault::Stuck { phase, days }),
            }
        }
    }
    if state.hook_pending {
        note("rotation.hook".to_owned(), &RotationFault::NotTold);
    }
    findings
}
