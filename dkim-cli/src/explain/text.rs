//! Explanations for people.

use std::fmt::Display;
use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use dkim_stack::authres::DkimResult;
use dkim_stack::explain::{
    BodyChange, BodyFinding, CopyDifference, Explanation, HeaderChange, HeaderFinding, KeyFit,
};
use dkim_stack::keyrec::record_name;
use dkim_stack::tags::value::to_base64;
use dkim_stack::verify::Reason;
use dkim_stack::{Signature, Verification};

use super::Told;
use crate::input::Origin;
use crate::octets;
use crate::printable::printable;

/// How many lines of what was put in are shown.
const MAX_LINES: usize = 20;

/// How many fields that are not as `z=` has them are shown, and of one name how many.
const MAX_COPIES: usize = 20;
const MAX_FIELDS: usize = 4;

/// A label, what is said, and the lines that belong to it.
type Cause = (&'static str, String, Vec<String>);

/// Writes what there is to say about a message.
pub(super) fn message(out: &mut impl Write, origin: &Origin, told: &[Told]) -> io::Result<()> {
    let bold = Style::new().bold();
    writeln!(out, "{bold}{}{bold:#}", printable(&origin.to_string()))?;
    if told.is_empty() {
        writeln!(out, "  no DKIM-Signature field")?;
    }
    for told in told {
        signature(out, told)?;
    }
    writeln!(out)
}

fn signature(out: &mut impl Write, told: &Told) -> io::Result<()> {
    let Told { found, explanation } = told;
    let (result, reason) = (found.outcome.result(), found.outcome.reason());
    let style = match result {
        DkimResult::Pass => AnsiColor::Green,
        DkimResult::TempError | DkimResult::Neutral | DkimResult::None => AnsiColor::Yellow,
        DkimResult::Fail | DkimResult::Policy | DkimResult::PermError => AnsiColor::Red,
    };
    let style = style.on_default().bold();
    writeln!(out, "  signature {}: {style}{result}{style:#}", found.index + 1)?;
    line(out, "reason", &format_args!("{} ({reason})", found.outcome))?;
    let claims = &found.claims();
    if let (Some(sdid), Some(selector)) = (&claims.sdid, &claims.selector) {
        line(out, "key record", &record_name(selector, sdid))?;
    }
    for deviation in &found.deviations {
        line(out, "deviation", &format_args!("{deviation} ({})", deviation.code()))?;
    }
    let causes = explanation.iter().flat_map(causes).collect::<Vec<_>>();
    for (label, cause, lines) in &causes {
        line(out, label, cause)?;
        for shown in lines {
            writeln!(out, "                      {shown}")?;
        }
    }
    if reason != Reason::Ok {
        line(out, "what to do", &told.remedy())?;
    }
    if let (Some(explanation), Some(signature)) = (explanation, &found.signature) {
        hashed(out, found, signature, explanation)?;
    }
    Ok(())
}

/// What is said of body, header and copies, and the lines that belong to it.
fn causes(explanation: &Explanation) -> Vec<Cause> {
    let mut causes = Vec::new();
    match &explanation.body {
        BodyFinding::Intact => {
            causes.push(("body", "unchanged: the body hash is right".to_owned(), Vec::new()));
        }
        BodyFinding::Changed(change) => {
            let lines = match change {
                BodyChange::Added { octets, .. } => marked('+', octets),
                _ => Vec::new(),
            };
            causes.push(("cause", change.to_string(), lines));
        }
        BodyFinding::Short { signed, now } => {
            let what = format!("{signed} octets were signed, and there are only {now}");
            causes.push(("body", what, Vec::new()));
        }
        BodyFinding::Unexplained { tried } => {
            let what =
                format!("changed, and none of {tried} ways to undo usual changes explains it");
            causes.push(("body", what, Vec::new()));
        }
        _ => {}
    }
    match &explanation.header {
        HeaderFinding::Intact => {
            let what = "unchanged: the key verifies the signed fields".to_owned();
            causes.push(("header", what, Vec::new()));
        }
        HeaderFinding::Changed(changes) => {
            for change in changes {
                let lines = match change {
                    HeaderChange::Field(field) => field.signed.as_ref().map(|signed| {
                        let signed = [field.name.as_bytes(), b":", signed].concat();
                        marked('-', &signed)
                    }),
                    _ => None,
                };
                causes.push(("cause", change.to_string(), lines.unwrap_or_default()));
            }
        }
        HeaderFinding::Unexplained { key: KeyFit::DoesNotFit, .. } => {
            let what = "another key than the one published made the signature, or b= was damaged";
            causes.push(("cause", what.to_owned(), Vec::new()));
        }
        HeaderFinding::Unexplained { tried, key: KeyFit::Fits(_) } => {
            let what = format!(
                "changed, since the key is the one that signed; none of {tried} ways to undo usual changes explains it"
            );
            causes.push(("header", what, Vec::new()));
        }
        HeaderFinding::Unexplained { tried, .. } => {
            let what = format!(
                "changed, or another key signed; none of {tried} ways to undo usual changes explains it"
            );
            causes.push(("header", what, Vec::new()));
        }
        HeaderFinding::NoKey => {
            let what = "not looked at: no key was asked for, or there is none to verify it with"
                .to_owned();
            causes.push(("header", what, Vec::new()));
        }
        _ => {}
    }
    causes.extend(copies(&explanation.copies));
    causes
}

/// The fields that are not as `z=` has them: a few of each kind, and how many there are more.
fn copies(copies: &[CopyDifference]) -> Vec<Cause> {
    let mut causes: Vec<Cause> = copies.iter().take(MAX_COPIES).map(copy).collect();
    let more = copies.len().saturating_sub(MAX_COPIES);
    if more > 0 {
        causes.push(("copy", format!("{more} more are not as z= has them"), Vec::new()));
    }
    causes
}

fn copy(copy: &CopyDifference) -> Cause {
    let field = |mark, body: &[u8]| marked(mark, &[copy.name.as_bytes(), b":", body].concat());
    let mut lines = field('-', &copy.copy);
    lines.extend(copy.now.iter().take(MAX_FIELDS).flat_map(|now| field('+', now)));
    let more = copy.now.len().saturating_sub(MAX_FIELDS) + copy.more;
    if more > 0 {
        lines.push(format!("+ … {more} more fields of that name"));
    }
    ("copy", format!("{} is not as z= has it", copy.name), lines)
}

/// What was hashed.
fn hashed(
    out: &mut impl Write,
    found: &Verification,
    signature: &Signature,
    explanation: &Explanation,
) -> io::Result<()> {
    line(out, "canonicalization", &signature.canonicalization)?;
    line(out, "bh=", &to_base64(&signature.body_hash))?;
    if let Some(hash) = explanation.body_hash {
        let octets = explanation.body_length;
        let hash = to_base64(hash.as_bytes());
        line(out, "body hash now", &format_args!("{hash} of {octets} octets"))?;
    }
    if let Some(key) = found.key_record.as_ref().and_then(|record| record.key.as_ref()) {
        line(out, "key", &format_args!("{}, {} bits", key.key_type(), key.bits()))?;
    }
    writeln!(out, "    header hash input, line by line:")?;
    for field in &explanation.input.fields {
        match &field.octets {
            Some(octets) => {
                for line in octets::lines(octets) {
                    writeln!(out, "      | {line}")?;
                }
            }
            None => writeln!(out, "      ({}: none, as h= says)", printable(&field.name))?,
        }
    }
    Ok(())
}

fn line(out: &mut impl Write, label: &str, value: &dyn Display) -> io::Result<()> {
    writeln!(out, "    {label:<17} {}", printable(&value.to_string()))
}

/// Lines with a mark before each, and how many there are more.
fn marked(mark: char, octets: &[u8]) -> Vec<String> {
    let all = octets::lines(octets);
    let more = all.len().saturating_sub(MAX_LINES);
    let mut shown: Vec<String> =
        all.into_iter().take(MAX_LINES).map(|line| format!("{mark} {line}")).collect();
    if more > 0 {
        shown.push(format!("{mark} … {more} more lines"));
    }
    shown
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use dkim_stack::explain::explain;
    use dkim_stack::message::Header;
    use dkim_stack::{Policy, UnixTime, Verifier};

    use super::*;
    use crate::provider::provider;

    /// What is said of so many copies of a field of which there are so many now.
    fn told(copied: usize, fields: usize) -> Vec<Cause> {
        let z: Vec<_> = (0..copied).map(|number| format!("X:{number}")).collect();
        let octets = format!(
            "DKIM-Signature: v=1; a=rsa-sha256; d=example.com; s=s; h=from; bh=YQ==; b=YQ==; \
             z={}\r\n{}From: joe@example.com\r\n",
            z.join("|"),
            "X: x\r\n".repeat(fields)
        );
        let header = Header::parse(octets.as_bytes());
        let verifier = Verifier::new(&header, &Policy::rfc(), UnixTime(1), provider());
        let explanations = explain(&header, b"", &verifier.finish(), provider());
        copies(&explanations[0].as_ref().unwrap().copies)
    }

    #[test]
    fn twenty_copies_are_shown() {
        for (count, more) in
            [(MAX_COPIES, None), (MAX_COPIES + 1, Some("1 more are not as z= has them"))]
        {
            let causes = told(count, 0);
            let what: Vec<&str> = causes.iter().map(|(_, what, _)| &**what).collect();
            assert_eq!(what[..MAX_COPIES], ["X is not as z= has it"; MAX_COPIES]);
            assert_eq!(what.get(MAX_COPIES).copied(), more, "{count}");
        }
    }

    #[test]
    fn four_fields_are_shown_beside_a_copy() {
        for (count, more) in
            [(MAX_FIELDS, &[][..]), (MAX_FIELDS + 1, &["+ … 1 more fields of that name"])]
        {
            let (_, _, lines) = told(1, count).remove(0);
            assert_eq!(lines, [&["- X:0"], &["+ X: x"; MAX_FIELDS][..], more].concat(), "{count}");
        }
    }

    #[test]
    fn twenty_lines_are_shown() {
        for (count, more) in [(MAX_LINES, &[][..]), (MAX_LINES + 1, &["+ … 1 more lines"])] {
            let shown = marked('+', &b"x\r\n".repeat(count));
            assert_eq!(shown, [&["+ x"; MAX_LINES], more].concat(), "{count}");
        }
    }
}
