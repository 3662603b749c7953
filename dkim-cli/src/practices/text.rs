//! What Author Domains say, for people.

use std::fmt::Display;
use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use dkim_stack::AuthorPractices;
use dkim_stack::adsp::{AdspFinding, AtpsFinding, Author};
use dkim_stack::authres::{AdspResult, AtpsResult};

use super::reason;
use crate::printable::printable;

/// Writes a block for each author and protocol.
pub(crate) fn practices(out: &mut impl Write, practices: &AuthorPractices) -> io::Result<()> {
    match &practices.atps {
        Some(Ok(found)) => found.iter().try_for_each(|finding| atps(out, finding))?,
        Some(Err(error)) => unreadable(out, "ATPS", error)?,
        None => {}
    }
    match &practices.adsp {
        Some(Ok(found)) => found.iter().try_for_each(|finding| adsp(out, finding)),
        Some(Err(error)) => unreadable(out, "ADSP", error),
        None => Ok(()),
    }
}

/// The result of an author by ADSP.
pub(crate) fn adsp(out: &mut impl Write, finding: &AdspFinding) -> io::Result<()> {
    let result = finding.result();
    let color = match result {
        AdspResult::Pass => AnsiColor::Green,
        AdspResult::None | AdspResult::Unknown | AdspResult::TempError => AnsiColor::Yellow,
        AdspResult::Fail | AdspResult::Discard | AdspResult::NxDomain | AdspResult::PermError => {
            AnsiColor::Red
        }
    };
    head(out, "ADSP", result.name(), color)?;
    author(out, finding.author())?;
    if let Some(record) = finding.record() {
        line(out, "record", &record.to_text())?;
        line(out, "practices", &record.practices().meaning())?;
    }
    line(out, "reason", &reason(finding))
}

fn atps(out: &mut impl Write, finding: &AtpsFinding) -> io::Result<()> {
    let color = match finding.result() {
        AtpsResult::Pass => AnsiColor::Green,
        AtpsResult::None | AtpsResult::TempError => AnsiColor::Yellow,
        AtpsResult::Fail | AtpsResult::PermError => AnsiColor::Red,
    };
    head(out, "ATPS", finding.result().name(), color)?;
    author(out, finding.author())?;
    if let Some(signer) = finding.signer() {
        line(out, "signer", signer)?;
    }
    if let Some(failure) = finding.failure() {
        line(out, "reason", failure)?;
    }
    Ok(())
}

/// The result where nobody can tell the authors.
pub(crate) fn unreadable(
    out: &mut impl Write,
    protocol: &str,
    why: &dyn Display,
) -> io::Result<()> {
    head(out, protocol, AdspResult::PermError.name(), AnsiColor::Red)?;
    line(out, "reason", why)
}

fn author(out: &mut impl Write, author: &Author) -> io::Result<()> {
    line(out, "author", author.address())
}

fn head(out: &mut impl Write, protocol: &str, result: &str, color: AnsiColor) -> io::Result<()> {
    let style: Style = color.on_default().bold();
    writeln!(out, "  {protocol}: {style}{result}{style:#}")
}

fn line(out: &mut impl Write, label: &str, value: &dyn Display) -> io::Result<()> {
    writeln!(out, "    {label:<17} {}", printable(&value.to_string()))
}
