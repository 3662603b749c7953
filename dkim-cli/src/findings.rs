//! Findings, for people and for programs.

use std::collections::BTreeMap;
use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use clap::Args;
use dkim_keys::{Finding, Severity};
use serde::Serialize;

use crate::exit::Exit;
use crate::printable::printable;

/// Which findings count.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct FailOn {
    /// The mildest finding that makes the exit code 1: error, warning or note
    #[arg(long, value_name = "SEVERITY", default_value = "warning", value_parser = severity)]
    fail_on: Severity,
}

fn severity(name: &str) -> Result<Severity, String> {
    Severity::from_name(name)
        .ok_or_else(|| format!("one of {} is needed", Severity::ALL.map(Severity::name).join(", ")))
}

impl FailOn {
    /// How a look that found this ends.
    pub(crate) fn exit<'f>(self, findings: impl IntoIterator<Item = &'f Finding>) -> Exit {
        let counts = |finding: &Finding| finding.severity <= self.fail_on;
        if findings.into_iter().any(counts) { Exit::NonePasses } else { Exit::Success }
    }
}

/// A finding as JSON.
#[derive(Serialize)]
pub(crate) struct Json<'f> {
    code: &'static str,
    severity: &'static str,
    subject: &'f str,
    cause: &'f str,
    remedy: &'f str,
    reference: &'static str,
}

/// The fields, for `--help`.
pub(crate) const JSON_HELP: &str = "\
  findings              one object each, the worst first:
    code                a stable word
    severity            error, warning or note
    subject             what it was found on
    cause, remedy       what is wrong, and what to do about it
    reference           where that is said
";

impl<'f> From<&'f Finding> for Json<'f> {
    fn from(finding: &'f Finding) -> Self {
        Self {
            code: finding.code,
            severity: finding.severity.name(),
            subject: &finding.subject,
            cause: &finding.cause,
            remedy: &finding.remedy,
            reference: finding.reference,
        }
    }
}

/// Writes findings under what they were found on, each with its remedy.
pub(crate) fn write(out: &mut impl Write, findings: &[Finding]) -> io::Result<()> {
    for finding in findings {
        let style = style_of(finding.severity);
        let (severity, code) = (finding.severity, finding.code);
        writeln!(out, "  {style}{severity}{style:#}: {} ({code})", printable(&finding.cause))?;
        writeln!(out, "    {}; {}", printable(&finding.remedy), finding.reference)?;
    }
    Ok(())
}

/// Writes findings in groups, each under what it was found on.
pub(crate) fn write_by_subject(out: &mut impl Write, findings: &[Finding]) -> io::Result<()> {
    let mut by_subject: BTreeMap<&str, Vec<Finding>> = BTreeMap::new();
    for finding in findings {
        by_subject.entry(&finding.subject).or_default().push(finding.clone());
    }
    for (subject, findings) in by_subject {
        writeln!(out, "{}", printable(subject))?;
        write(out, &findings)?;
    }
    if findings.is_empty() {
        writeln!(out, "nothing is wrong")?;
    }
    Ok(())
}

fn style_of(severity: Severity) -> Style {
    let color = match severity {
        Severity::Error => AnsiColor::Red,
        Severity::Warning => AnsiColor::Yellow,
        _ => AnsiColor::Cyan,
    };
    color.on_default().bold()
}
