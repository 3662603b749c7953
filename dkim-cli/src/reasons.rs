//! The codes that `dkim verify` gives, for people.

use std::fmt::Write;

use dkim_stack::domainkeys;
use dkim_stack::verify::{Deviation, Reason};

/// The tables for people.
pub(crate) fn help() -> String {
    let mut text = "Reasons, and the results they come with:\n".to_owned();
    // Writing to a string does not fail.
    for reason in Reason::ALL {
        let (code, result) = (reason.code(), reason.result().name());
        let _ = writeln!(text, "  {code:<22} {result:<10} {}", reason.cause());
    }
    text.push_str("\nReasons of DomainKeys signatures besides:\n");
    for reason in domainkeys::Reason::ALL {
        let (code, result) = (reason.code(), reason.result().name());
        if Reason::ALL.iter().all(|known| known.code() != code) {
            let _ = writeln!(text, "  {code:<22} {result:<10} {}", reason.cause());
        }
    }
    text.push_str("\nDeviations, of signatures that pass too if the policy accepts them:\n");
    for reason in Deviation::REASONS {
        let _ = writeln!(text, "  {:<22} {}", reason.code(), reason.cause());
    }
    text
}
