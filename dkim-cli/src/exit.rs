//! The exit codes, and which one counts when several inputs end differently.

use std::fmt::Write;
use std::process::ExitCode;

/// How an input or the whole command ended, from best to worst: of several the greatest counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Exit {
    Success,
    NonePasses,
    Temporary,
    Data,
    NoInput,
    CannotCreate,
    CannotWrite,
    Usage,
}

/// THE table. Codes from 65 on are those of sysexits(3). RFC 6376 §6.3: temporary failures are
/// "the only conditions that SHOULD use a 4xx SMTP reply code", which 75 becomes in an MTA.
const TABLE: [(Exit, u8, &str); 8] = [
    (
        Exit::Success,
        0,
        "done; for verify and explain: every message has a signature that passes; by a key in test \
         (t=y) none does",
    ),
    (
        Exit::NonePasses,
        1,
        "none passes in a message; sign, adsp: the check fails; diff: a difference; relay-check: a \
         broken or doubtful signature; key, config, audit: a finding; key publish: the server refuses; rotate: \
         a person has to do something; report: none is due, or it has faults",
    ),
    (Exit::Usage, 2, "the command line is wrong"),
    (
        Exit::Data,
        65,
        "not a message (no line that is a header field), or no usable key or zone; strip, border, \
         mediate: a header that readers may read in different ways",
    ),
    (Exit::NoInput, 66, "an input cannot be read"),
    (
        Exit::CannotCreate,
        73,
        "key new: the key file is there already, or cannot be made; agent: so the socket; key \
         publish, key withdraw: the record there is another key's; rotate: its lock, its state or a \
         key cannot be written",
    ),
    (
        Exit::CannotWrite,
        74,
        "the output cannot be written, or is closed where what is written would be lost",
    ),
    (
        Exit::Temporary,
        75,
        "no signature passes, or adsp or key test gets no answer, for temporary failures only; sign: \
         the key is out of reach; rotate, key publish: a name server does not show yet what it should; rotate, \
         agent: somebody else has the lock; rotate: the clock is behind",
    ),
];

impl Exit {
    pub(crate) fn code(self) -> u8 {
        // Every variant has its row: a test sees to it.
        TABLE.iter().find(|(exit, ..)| *exit == self).map_or(1, |(_, code, _)| *code)
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// The table for people.
pub(crate) fn help() -> String {
    let mut text = "Exit codes (of several inputs the worst: 66, 65, 75, 1, 0):\n".to_owned();
    for (_, code, meaning) in TABLE {
        // Writing to a string does not fail.
        let _ = writeln!(text, "  {code:>2}  {meaning}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_of_several_inputs_counts() {
        let worst_first =
            [Exit::NoInput, Exit::Data, Exit::Temporary, Exit::NonePasses, Exit::Success];
        assert!(worst_first.is_sorted_by(|worse, better| worse > better));
        assert_eq!(worst_first.map(Exit::code), [66, 65, 75, 1, 0]);
    }

    #[test]
    fn every_exit_has_its_row() {
        for exit in [Exit::Usage, Exit::CannotCreate, Exit::CannotWrite] {
            assert_ne!(exit.code(), 1, "{exit:?}");
        }
    }
}
