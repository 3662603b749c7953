//! What is found, for people: a block for each signature.

mod domainkeys;

use std::fmt::Display;
use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use dkim_stack::authres::{AuthenticationResults, DkimResult};
use dkim_stack::message::Header;
use dkim_stack::{Auid, Signature, Verification};

use super::judge::Found;
use crate::coverage::Coverage;
use crate::date::date;
use crate::input::Origin;
use crate::practices::text;
use crate::printable::printable;

/// Of so many signatures of a message it is told which fields they cover, as many as are judged by
/// default: each is looked for in the whole header.
pub(super) const MAX_COVERAGES: usize = 10;

/// Writes what was found in a message.
pub(super) fn message(
    out: &mut impl Write,
    origin: &Origin,
    header: &Header<'_>,
    found: &Found,
    results: &AuthenticationResults,
) -> io::Result<()> {
    let bold = Style::new().bold();
    writeln!(out, "{bold}{}{bold:#}", printable(&origin.to_string()))?;
    if found.dkim.is_empty() {
        writeln!(out, "  no DKIM-Signature field")?;
    }
    let mut to_cover = MAX_COVERAGES;
    for verification in &found.dkim {
        signature(out, header, verification, &mut to_cover)?;
    }
    for verification in &found.domainkeys {
        domainkeys::signature(out, verification)?;
    }
    for trusted in found.trusted.iter().flatten() {
        writeln!(out, "  found by {}:", printable(trusted.site.as_str()))?;
        for line in trusted.results.field_body().lines() {
            writeln!(out, "    {}", printable(line.trim_start()))?;
        }
    }
    text::practices(out, &found.practices)?;
    for line in results.field().lines() {
        writeln!(out, "  {}", printable(line))?;
    }
    writeln!(out)
}

fn signature(
    out: &mut impl Write,
    header: &Header<'_>,
    found: &Verification,
    to_cover: &mut usize,
) -> io::Result<()> {
    let result = found.outcome.result();
    let style = style_of(result);
    writeln!(out, "  signature {}: {style}{result}{style:#}", found.index + 1)?;
    let mut line = |label: &str, value: &dyn Display| {
        writeln!(out, "    {label:<17} {}", printable(&value.to_string()))
    };
    line("reason", &format_args!("{} ({})", found.outcome, found.outcome.reason()))?;
    let claims = &found.claims();
    let unreadable = || "(cannot be read)".to_owned();
    line("SDID", &claims.sdid.as_ref().map_or_else(unreadable, ToString::to_string))?;
    line("selector", &claims.selector.as_ref().map_or_else(unreadable, ToString::to_string))?;
    match (&claims.auid, &claims.sdid) {
        (Some(auid), _) => line("AUID", auid)?,
        (None, Some(sdid)) if found.signature.is_some() => {
            line("AUID", &format_args!("{} (no i=)", Auid::of_domain(sdid)))?;
        }
        (None, _) => {}
    }
    if let Some(algorithm) = &claims.algorithm {
        line("algorithm", algorithm)?;
    }
    if let Some(key) = found.key_record.as_ref().and_then(|record| record.key.as_ref()) {
        line("key", &format_args!("{}, {} bits", key.key_type(), key.bits()))?;
    }
    if let Some(canonicalization) = &claims.canonicalization {
        line("canonicalization", canonicalization)?;
    }
    if let Some(signature) = &found.signature {
        if let Some(left) = to_cover.checked_sub(1) {
            *to_cover = left;
            let coverage = Coverage::of(signature, found.index, header);
            for (label, names) in [
                ("signed", coverage.signed),
                ("over-signed", coverage.oversigned),
                ("not signed", coverage.unsigned),
            ] {
                if !names.is_empty() {
                    line(label, &names)?;
                }
            }
        } else {
            line("signed", &format_args!("(not listed: {MAX_COVERAGES} others are above)"))?;
        }
        line("body", &body(signature, found))?;
        for (label, time) in [("made", signature.timestamp), ("expires", signature.expiration)] {
            if let Some(time) = time {
                line(label, &date(time))?;
            }
        }
    }
    for deviation in &found.deviations {
        line("deviation", &format_args!("{deviation} ({})", deviation.code()))?;
    }
    Ok(())
}

/// How much of the body is signed.
fn body(signature: &Signature, found: &Verification) -> String {
    match (found.body_hash, signature.body_length) {
        (Some(body), Some(_)) if body.seen > body.hashed => {
            let unsigned = body.seen - body.hashed;
            format!("{} octets signed, {unsigned} after them not signed", body.hashed)
        }
        (Some(body), Some(_)) => format!("{} octets signed, others may be appended", body.hashed),
        (Some(body), None) => format!("signed as a whole, {} octets", body.hashed),
        (None, Some(length)) => format!("{length} octets signed"),
        (None, None) => "signed as a whole".to_owned(),
    }
}

fn style_of(result: DkimResult) -> Style {
    let color = match result {
        DkimResult::Pass => AnsiColor::Green,
        DkimResult::TempError | DkimResult::Neutral | DkimResult::None => AnsiColor::Yellow,
        DkimResult::Fail | DkimResult::Policy | DkimResult::PermError => AnsiColor::Red,
    };
    color.on_default().bold()
}
