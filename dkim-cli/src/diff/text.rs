//! Differences for people.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use dkim_stack::Signature;
use dkim_stack::explain::Difference;

use super::Compared;
use crate::octets;
use crate::printable::printable;

/// A signature, and what differs for it.
pub(super) fn compared(
    out: &mut impl Write,
    Compared { signature, difference }: &Compared,
) -> io::Result<()> {
    title(out, signature)?;
    if difference.is_empty() {
        writeln!(out, "  no difference in what is signed")?;
    }
    self::difference(out, difference)
}

/// Which signature it is.
pub(crate) fn title(out: &mut impl Write, signature: &Signature) -> io::Result<()> {
    let (sdid, selector) = (signature.sdid.as_str(), signature.selector.as_str());
    let bold = Style::new().bold();
    writeln!(
        out,
        "{bold}signature of {}, selector {}, {}{bold:#}",
        printable(sdid),
        printable(selector),
        signature.canonicalization
    )
}

/// What differs, lines with `-` as they were signed, with `+` as they arrived.
pub(crate) fn difference(out: &mut impl Write, difference: &Difference) -> io::Result<()> {
    for field in &difference.fields {
        writeln!(out, "  {}", printable(&field.name))?;
        lines(out, '-', field.signed.as_slice())?;
        lines(out, '+', field.received.as_slice())?;
    }
    for stretch in &difference.body {
        writeln!(out, "  body, line {}", stretch.line)?;
        lines(out, '-', &stretch.signed)?;
        lines(out, '+', &stretch.received)?;
    }
    Ok(())
}

fn lines(out: &mut impl Write, mark: char, all: &[Vec<u8>]) -> io::Result<()> {
    let color = if mark == '-' { AnsiColor::Red } else { AnsiColor::Green };
    let style = color.on_default();
    for line in all.iter().flat_map(|octets| octets::lines(octets)) {
        writeln!(out, "  {style}{mark} {line}{style:#}")?;
    }
    Ok(())
}
