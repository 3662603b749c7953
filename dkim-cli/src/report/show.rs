//! `dkim report show`: what a report says.

use std::fmt::Display;
use std::io::{self, Read, Write};
use std::path::PathBuf;

use anstyle::{AnsiColor, Style};
use clap::Args;
use dkim_stack::Signature;
use dkim_stack::report::{AuthFailure, Feedback, Original, ReadReport};
use dkim_stack::tags::value::to_base64;
use dkim_stack::verify::Reason;
use serde::Serialize;

use crate::diagnostics::Failure;
use crate::exit::{self, Exit};
use crate::input::{LineEnds, Origin};
use crate::json::{SCHEMA, line};
use crate::octets;
use crate::one_by_one::{Unread, one_by_one};
use crate::printable::printable;
use crate::provider::provider;

/// How many lines of canonical octets are shown.
const MAX_LINES: usize = 20;

/// Read a report, ours or another's, and tell what it says
///
/// Feedback reports (RFC 5965) of any kind are read; those about authentication failures (RFC 6591)
/// are explained. What is not as the RFCs want it is told. Nothing in a report is proven: anybody
/// can write one.
#[derive(Debug, Args)]
#[command(after_long_help = help())]
pub(crate) struct Show {
    /// Reports, mboxes or Maildirs of them; `-` is standard input
    #[arg(value_name = "REPORT", default_value = "-")]
    files: Vec<PathBuf>,

    /// Write one JSON object a report, on one line
    #[arg(long)]
    json: bool,
}

fn help() -> String {
    const EXAMPLES: &str = "\
Examples:
  dkim report show report.eml
  dkim report show --json ~/Maildir |
      jq -r '[.dkim_domain, .dkim_selector, .auth_failure] | @tsv'
";
    const JSON: &str = "\
JSON, one object a report, on one line (null where there is no value or it cannot be read):
  schema                  1; raised when a change breaks readers
  file, message           the file, and the number of the message in an mbox, from 1
  from, to, subject, date fields of the report as a message
  text                    what it says to people
  feedback_type, user_agent, version, auth_failure, delivery_result, original_envelope_id,
  original_mail_from, original_rcpt_to, arrival_date, source_ip, reporting_mta, incidents,
  reported_domain, reported_uri, dkim_domain, dkim_identity, dkim_selector, dkim_selector_dns,
  dkim_adsp_dns, identity_alignment
                          fields of the report to machines, by their names
  authentication_results  bodies of those fields
  canonicalized_header, canonicalized_body
                          octets in base64
  other                   fields of other names: name and value
  original                \"header\" or \"message\": what was sent back
  body_hash               hash of canonicalized_body, in base64
  signed_body_hash        bh= of the signature in question, if it was sent back
  faults                  what is not as the RFCs want it
Of an input that cannot be read, or is no report, there are only schema, file, message, and:
  error, remedy, exit     what is wrong, what to do about it, and the exit code that it causes
";
    [EXAMPLES, &exit::help(), JSON].join("\n")
}

/// A report, and what can be told from it.
struct Told {
    report: ReadReport,
    hashes: Hashes,
}

/// The hash of the body sent back, and that of the signature.
#[derive(Default)]
struct Hashes {
    body: Option<String>,
    signed: Option<String>,
}

impl Show {
    pub(super) fn run(self) -> Result<Exit, Failure> {
        let unread = if self.json { Unread::OfOthers } else { Unread::Untold };
        one_by_one(&self.files, unread, |origin, octets| self.show(origin, octets))
    }

    fn show(&self, origin: &Origin, octets: &mut dyn Read) -> Result<Exit, Failure> {
        let most = u64::try_from(ReadReport::MAX_OCTETS).unwrap_or(u64::MAX).saturating_add(1);
        let mut message = Vec::new();
        octets
            .take(most)
            .read_to_end(&mut message)
            .map_err(|error| Failure::new(Exit::NoInput, format!("cannot be read: {error}")))?;
        // As files have it: LF throughout stands for CRLF.
        let mut scratch = Vec::new();
        let message = LineEnds::of_header(&message).to_crlf(&message, &mut scratch);
        let report = ReadReport::parse(message).map_err(|error| {
            Failure::of(Exit::Data, &error).remedy("give the whole message, header and all parts")
        })?;
        let exit = if report.faults.is_empty() && report.original.is_some() {
            Exit::Success
        } else {
            Exit::NonePasses
        };
        let told = Told { hashes: Hashes::of(&report), report };
        if self.json {
            line(&mut io::stdout().lock(), &Object::new(origin, &told))
        } else {
            let mut out = anstream::stdout().lock();
            text(&mut out, origin, &told).and_then(|()| out.flush())
        }
        .map_err(|error| Failure::output(&error))?;
        Ok(exit)
    }
}

impl Hashes {
    fn of(report: &ReadReport) -> Self {
        let signature = signature(report);
        let body = report.feedback.canonicalized_body.as_ref();
        let hash = |body: &Vec<u8>| {
            let mut digest = provider().digest(signature.as_ref()?.algorithm.hash())?;
            digest.update(body);
            Some(to_base64(digest.finish().as_bytes()))
        };
        Self {
            body: body.and_then(hash),
            signed: signature.as_ref().map(|signature| to_base64(&signature.body_hash)),
        }
    }
}

/// The signature in question, if it was sent back.
fn signature(report: &ReadReport) -> Option<Signature> {
    let feedback = &report.feedback;
    let header = report.original.as_ref()?.header();
    let fields = header.named(Signature::FIELD_NAME);
    let mut signatures = fields.filter_map(|field| Signature::parse(field.body()).ok());
    signatures.find(|signature| {
        Some(&signature.sdid) == feedback.dkim_domain.as_ref()
            && Some(&signature.selector) == feedback.dkim_selector.as_ref()
    })
}

fn text(out: &mut impl Write, origin: &Origin, told: &Told) -> io::Result<()> {
    let Told { report, hashes } = told;
    let feedback = &report.feedback;
    let bold = Style::new().bold();
    writeln!(out, "{bold}{}{bold:#}", printable(&origin.to_string()))?;
    let mut show = |label: &str, value: &dyn Display| {
        writeln!(out, "  {label:<17} {}", printable(&value.to_string()))
    };
    show("report", &feedback.feedback_type.as_deref().unwrap_or("of no type"))?;
    if let Some(failure) = feedback.auth_failure {
        show("failure", &format_args!("{failure}: {}", cause(failure)))?;
        if let Some(remedy) = remedy(failure, feedback) {
            show("what to do", &remedy)?;
        }
    }
    for field in &feedback.authentication_results {
        for result in &field.results {
            let reason = result.reason.as_ref().map(|reason| format!(" ({reason})"));
            let (method, word) = (&result.method, &result.result);
            let by = &field.authserv_id;
            show("result", &format!("{method}={word}{}, says {by}", reason.unwrap_or_default()))?;
        }
    }
    for (label, value) in fields(report) {
        show(label, &value)?;
    }
    if let Some(hash) = &hashes.body {
        let agrees = match &hashes.signed {
            Some(signed) if signed == hash => "as the signature has it".to_owned(),
            Some(signed) => format!("the signature has {signed}"),
            None => "the signature was not sent back".to_owned(),
        };
        show("body hash", &format_args!("{hash}; {agrees}"))?;
    }
    let original = match &report.original {
        Some(Original::Header(octets)) => format!("the header, {} octets", octets.len()),
        Some(Original::Message(octets)) => format!("the message, {} octets", octets.len()),
        None => "nothing, or nothing that can be read (RFC 5965 requires it)".to_owned(),
    };
    show("sent back", &original)?;
    for (label, octets) in [
        ("canonical header", &feedback.canonicalized_header),
        ("canonical body", &feedback.canonicalized_body),
    ] {
        if let Some(octets) = octets {
            writeln!(out, "  {label}, {} octets:", octets.len())?;
            canonical(out, octets)?;
        }
    }
    let red = AnsiColor::Red.on_default();
    for fault in &report.faults {
        writeln!(out, "  {red}fault{red:#}             {fault}")?;
    }
    writeln!(out)
}

/// What else is there to be shown, in order.
fn fields(report: &ReadReport) -> Vec<(&'static str, String)> {
    let feedback = &report.feedback;
    let path = |path: &String| format!("<{path}>");
    let mut fields: Vec<(&'static str, Option<String>)> = vec![
        ("SDID", feedback.dkim_domain.as_ref().map(ToString::to_string)),
        ("selector", feedback.dkim_selector.as_ref().map(ToString::to_string)),
        ("AUID", feedback.dkim_identity.as_ref().map(ToString::to_string)),
        ("key record", feedback.dkim_selector_dns.clone()),
        ("ADSP record", feedback.dkim_adsp_dns.clone()),
        ("alignment", feedback.identity_alignment.clone()),
    ];
    fields.extend(feedback.reported_domain.iter().map(|one| ("about", Some(one.clone()))));
    fields.extend(feedback.reported_uri.iter().map(|one| ("URI", Some(one.clone()))));
    fields.extend([
        ("delivery", feedback.delivery_result.map(|one| one.word().to_owned())),
        ("came from", feedback.source_ip.map(|one| one.to_string())),
        ("came on", feedback.arrival_date.clone()),
        ("sender", feedback.original_mail_from.as_ref().map(path)),
    ]);
    let recipients = feedback.original_rcpt_to.iter();
    fields.extend(recipients.map(|one| ("recipient", Some(path(one)))));
    fields.extend([
        ("envelope id", feedback.original_envelope_id.clone()),
        ("incidents", feedback.incidents.map(|one| one.to_string())),
        ("reported by", report.from.clone()),
        ("reported to", report.to.clone()),
        ("reported on", report.date.clone()),
        ("subject", report.subject.clone()),
        ("program", feedback.user_agent.clone()),
        ("reporting MTA", feedback.reporting_mta.clone()),
    ]);
    fields
        .extend(feedback.other.iter().map(|(name, value)| ("", Some(format!("{name}: {value}")))));
    fields.into_iter().filter_map(|(label, value)| Some((label, value?))).collect()
}

fn canonical(out: &mut impl Write, octets: &[u8]) -> io::Result<()> {
    let all = octets::lines(octets);
    for line in all.iter().take(MAX_LINES) {
        writeln!(out, "    | {line}")?;
    }
    match all.len().checked_sub(MAX_LINES) {
        Some(more) if more > 0 => writeln!(out, "    | … {more} more lines"),
        _ => Ok(()),
    }
}

/// What the word means.
fn cause(failure: AuthFailure) -> &'static str {
    match failure {
        AuthFailure::Adsp => "the message does not keep its author's signing practices",
        AuthFailure::BodyHash => Reason::BodyHashMismatch.cause(),
        AuthFailure::Revoked => Reason::KeyRevoked.cause(),
        AuthFailure::Signature => "the signature did not verify",
        AuthFailure::Spf => "SPF did not pass",
        AuthFailure::Dmarc => "no identity that passes is that of the author",
        _ => "",
    }
}

/// What the signer does about it.
fn remedy(failure: AuthFailure, feedback: &Feedback) -> Option<&'static str> {
    let canonical = [&feedback.canonicalized_header, &feedback.canonicalized_body];
    match failure {
        AuthFailure::BodyHash | AuthFailure::Signature if canonical == [&None, &None] => Some(
            "the report has no canonical octets; `dkim diff` compares the message as it was sent with \
             the one that arrived, if you have both",
        ),
        AuthFailure::BodyHash | AuthFailure::Signature => Some(
            "compare the canonical octets below with those of the message as it was sent; `dkim diff` \
             does, if you have both messages",
        ),
        AuthFailure::Revoked => Some(Reason::KeyRevoked.remedy()),
        _ => None,
    }
}

#[derive(Serialize)]
struct Object<'a> {
    schema: u32,
    file: &'a str,
    message: Option<u64>,
    from: Option<&'a str>,
    to: Option<&'a str>,
    subject: Option<&'a str>,
    date: Option<&'a str>,
    text: &'a str,
    feedback_type: Option<&'a str>,
    user_agent: Option<&'a str>,
    version: Option<u32>,
    auth_failure: Option<&'static str>,
    authentication_results: Vec<String>,
    delivery_result: Option<&'static str>,
    original_envelope_id: Option<&'a str>,
    original_mail_from: Option<&'a str>,
    original_rcpt_to: &'a [String],
    arrival_date: Option<&'a str>,
    source_ip: Option<String>,
    reporting_mta: Option<&'a str>,
    incidents: Option<u32>,
    reported_domain: &'a [String],
    reported_uri: &'a [String],
    dkim_domain: Option<&'a str>,
    dkim_identity: Option<String>,
    dkim_selector: Option<&'a str>,
    dkim_selector_dns: Option<&'a str>,
    dkim_adsp_dns: Option<&'a str>,
    identity_alignment: Option<&'a str>,
    canonicalized_header: Option<String>,
    canonicalized_body: Option<String>,
    other: &'a [(String, String)],
    original: Option<&'static str>,
    body_hash: Option<&'a str>,
    signed_body_hash: Option<&'a str>,
    faults: Vec<String>,
}

impl<'a> Object<'a> {
    fn new(origin: &'a Origin, Told { report, hashes }: &'a Told) -> Self {
        let feedback: &Feedback = &report.feedback;
        let base64 = |octets: &Option<Vec<u8>>| octets.as_deref().map(to_base64);
        Self {
            schema: SCHEMA,
            file: &origin.file,
            message: origin.number,
            from: report.from.as_deref(),
            to: report.to.as_deref(),
            subject: report.subject.as_deref(),
            date: report.date.as_deref(),
            text: &report.text,
            feedback_type: feedback.feedback_type.as_deref(),
            user_agent: feedback.user_agent.as_deref(),
            version: feedback.version,
            auth_failure: feedback.auth_failure.map(AuthFailure::word),
            authentication_results: feedback
                .authentication_results
                .iter()
                .map(|field| field.field_body())
                .collect(),
            delivery_result: feedback.delivery_result.map(|one| one.word()),
            original_envelope_id: feedback.original_envelope_id.as_deref(),
            original_mail_from: feedback.original_mail_from.as_deref(),
            original_rcpt_to: &feedback.original_rcpt_to,
            arrival_date: feedback.arrival_date.as_deref(),
            source_ip: feedback.source_ip.map(|one| one.to_string()),
            reporting_mta: feedback.reporting_mta.as_deref(),
            incidents: feedback.incidents,
            reported_domain: &feedback.reported_domain,
            reported_uri: &feedback.reported_uri,
            dkim_domain: feedback.dkim_domain.as_ref().map(|sdid| sdid.as_written()),
            dkim_identity: feedback.dkim_identity.as_ref().map(ToString::to_string),
            dkim_selector: feedback.dkim_selector.as_ref().map(|one| one.as_written()),
            dkim_selector_dns: feedback.dkim_selector_dns.as_deref(),
            dkim_adsp_dns: feedback.dkim_adsp_dns.as_deref(),
            identity_alignment: feedback.identity_alignment.as_deref(),
            canonicalized_header: base64(&feedback.canonicalized_header),
            canonicalized_body: base64(&feedback.canonicalized_body),
            other: &feedback.other,
            original: report.original.as_ref().map(|original| match original {
                Original::Header(_) => "header",
                Original::Message(_) => "message",
            }),
            body_hash: hashes.body.as_deref(),
            signed_body_hash: hashes.signed.as_deref(),
            faults: report.faults.iter().map(ToString::to_string).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twenty_lines_are_shown() {
        for (count, more) in [(MAX_LINES, ""), (MAX_LINES + 1, "    | … 1 more lines\n")] {
            let mut shown = Vec::new();
            canonical(&mut shown, &b"x\r\n".repeat(count)).expect("memory takes it");
            let expected = "    | x\n".repeat(MAX_LINES) + more;
            assert_eq!(String::from_utf8_lossy(&shown), expected, "{count}");
        }
    }
}
