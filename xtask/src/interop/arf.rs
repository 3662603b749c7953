//! Reports made by us, read by others: Python's email package, and arf-mime where it is installed.

use std::io::Write as _;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use dkim_crypto::PrivateKey;
use dkim_crypto::Provider as _;
use dkim_crypto::ring::PROVIDER;
use dkim_dns::{Zone, drive_blocking};
use dkim_message::{author_addresses, split};
use dkim_report::{
    AuthFailure, CanonicalBody, DeliveryResult, Feedback, Original, Report, ReportInquiry,
    date_time,
};
use dkim_sign::{BodyLength, Reports, Request, Signer};
use dkim_tags::value::to_base64;
use dkim_tags::{Canonicalizations, DomainName, Selector, Signature};
use dkim_verify::Verification;
use serde_json::Value;

use super::messages::MESSAGES;
use super::peer::Algorithm;
use super::{DOMAIN, FORMS, NOW};
use crate::judge;

const SCRIPT: &str = include_str!("arf.py");
const PRINT_VERSION: &str = "\
import sys, importlib.metadata as m
try: print(sys.version.split()[0], '/ arf-mime', m.version('arf-mime'))
except m.PackageNotFoundError: print(sys.version.split()[0])";

/// What is done to a signed message so that its signature fails.
const DAMAGES: [(&str, AuthFailure); 3] = [
    ("the body is changed", AuthFailure::BodyHash),
    ("the header is changed", AuthFailure::Signature),
    ("the key is revoked", AuthFailure::Revoked),
];

/// A report, and what must be found in it.
struct Case {
    title: String,
    report: Report,
    found: Verification,
}

/// Whether somebody was there to read, and how many disagreements there were.
pub(super) fn exchange() -> Result<(bool, usize)> {
    let Some(version) = version() else {
        println!("reports: SKIPPED, not installed: python3 (and pip install arf-mime)");
        return Ok((false, 0));
    };
    println!("reports, read by Python's email {version}");
    let mut disagreements = 0;
    for form in FORMS {
        for (damage, failure) in DAMAGES {
            let cases = cases(form, damage, failure)?;
            let answers = ask(&cases)?;
            let mut agreed = 0;
            for (case, answer) in cases.iter().zip(&answers) {
                let faults = compare(case, answer);
                agreed += usize::from(faults.is_empty());
                disagreements += faults.len();
                for fault in faults {
                    println!("    DISAGREES: {}: {fault}", case.title);
                }
            }
            println!("  {form:<16}  {damage:<22}  {agreed} of {}", cases.len());
        }
    }
    Ok((true, disagreements))
}

fn version() -> Option<String> {
    let output = Command::new("python3").args(["-c", PRINT_VERSION]).output().ok()?;
    let version = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    output.status.success().then_some(version)
}

/// A report about each message, with its header alone and with all of it.
fn cases(form: &str, damage: &str, failure: AuthFailure) -> Result<Vec<Case>> {
    let mut cases = Vec::new();
    for (number, message) in MESSAGES.iter().enumerate() {
        // Not where the canonical body may be empty: with `l=0` any other body passes.
        let (octets, record) = signed(&message.octets(), form, number % 4 == 1)?;
        let (octets, record) = match failure {
            AuthFailure::BodyHash => (with_first_line(&octets), record),
            AuthFailure::Signature => (with_reply_to(&octets), record),
            _ => (octets, "v=DKIM1; k=rsa; p=".to_owned()),
        };
        let zone = Zone::new()
            .txt(&format!("rsa._domainkey.{DOMAIN}"), &record)
            .txt(&format!("_report._domainkey.{DOMAIN}"), "ra=dkim-errors");
        let found = judge::verify(&octets, &zone, NOW);
        let mut inquiry = ReportInquiry::new(&found, &split(&octets).0, None);
        drive_blocking(&mut inquiry, &zone);
        let decision = inquiry.finish(0).pop().context("no decision")?;
        let to = decision.wanted.with_context(|| format!("{}, {damage}", message.title))?;
        let found_one = found.first().context("no signature")?;
        let signature = found_one.signature.as_ref().context("no signature")?;
        let (header, body) = split(&octets);
        let mut canonical = CanonicalBody::new(signature, octets.len() + 2);
        canonical.chunk(body);
        let feedback = Feedback::of_signature(&found, 0, "mx.example.net").context("it passes")?;
        let mut feedback = feedback.with_canonical(found_one, &header, Some(canonical));
        if feedback.auth_failure != Some(failure) {
            bail!("{}, {damage}: {:?}", message.title, found_one.outcome);
        }
        feedback.original_mail_from = Some("alice@example.com".to_owned());
        feedback.original_rcpt_to = vec!["bob@example.net".to_owned(), "x@example.net".to_owned()];
        feedback.source_ip = Some("2001:db8::1".parse()?);
        feedback.arrival_date = Some(date_time(NOW));
        feedback.delivery_result = Some(DeliveryResult::Policy);
        feedback.incidents = Some(3);
        feedback.reporting_mta = Some("dns; mx.example.net".to_owned());
        feedback.original_envelope_id = Some("q1".to_owned());
        let from = author_addresses(b"mx@example.net")?.pop().context("an address")?;
        for original in [Original::of_header(&header), Original::Message(octets.clone())] {
            let title = format!("{form}, {}, {damage}", message.title);
            let feedback = feedback.clone();
            let report = Report::new(from.clone(), to.clone(), NOW, feedback, original);
            cases.push(Case { title, report, found: found_one.clone() });
        }
    }
    Ok(cases)
}

/// The message with a signature that asks for reports, and the key record.
fn signed(message: &[u8], form: &str, length: bool) -> Result<(Vec<u8>, String)> {
    let key = PROVIDER.signing_key(&PrivateKey::from_pem(Algorithm::Rsa.pem().as_bytes())?)?;
    let (sdid, selector) = (DomainName::parse(DOMAIN)?, Selector::parse("rsa")?);
    let mut request = Request::new(sdid, selector, key.algorithm());
    request.canonicalization = Canonicalizations::parse(form).context("no canonicalization")?;
    request.reports = Reports::Asked;
    if length {
        request.body_length = BodyLength::AsSigned;
    }
    let (header, body) = split(message);
    let mut signer = Signer::new([request], &header, NOW, &PROVIDER)?;
    signer.body_chunk(body);
    let field = signer.finish().pop().context("nothing was signed")?.sign(&*key)?.to_field();
    let p = to_base64(&key.public_key().to_p_tag());
    Ok(([field.as_bytes(), message].concat(), format!("v=DKIM1; k=rsa; p={p}")))
}

fn with_first_line(message: &[u8]) -> Vec<u8> {
    let (_, body) = split(message);
    let (head, body) = message.split_at(message.len() - body.len());
    [head, b"a line that nobody signed\r\n", body].concat()
}

fn with_reply_to(message: &[u8]) -> Vec<u8> {
    [b"Reply-To: somebody@example.org\r\n", message].concat()
}

fn ask(cases: &[Case]) -> Result<Vec<Value>> {
    let mut jobs = String::new();
    for case in cases {
        jobs.push_str(&to_base64(&case.report.to_message()?));
        jobs.push('\n');
    }
    let mut child = Command::new("python3")
        .args(["-c", SCRIPT])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot start python3")?;
    let mut input = child.stdin.take().context("a pipe was asked for")?;
    let writer = std::thread::spawn(move || input.write_all(jobs.as_bytes()));
    let output = child.wait_with_output()?;
    // What it did not take shows in the number of answers.
    let _ = writer.join();
    let lines = String::from_utf8(output.stdout)?;
    let answers: Result<Vec<Value>, _> = lines.lines().map(serde_json::from_str).collect();
    let answers = answers?;
    if answers.len() != cases.len() {
        bail!("{} answers to {} reports", answers.len(), cases.len());
    }
    Ok(answers)
}

/// What the other reader finds otherwise than we meant it.
fn compare(case: &Case, answer: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    if let Some(error) = answer["error"].as_str() {
        return vec![error.to_owned()];
    }
    let mut expect = |what: &str, is: &Value, expected: Value| {
        if *is != expected {
            faults.push(format!("{what} is {is}, and should be {expected}"));
        }
    };
    let report = &case.report;
    let original = match &report.original {
        Original::Message(octets) if is_plain(octets) => "message/rfc822",
        _ => "text/rfc822-headers",
    };
    expect("its type", &answer["type"], "multipart/report".into());
    expect("its report-type", &answer["report_type"], "feedback-report".into());
    let parts = ["text/plain", "message/feedback-report", original];
    expect("the list of parts", &answer["parts"], parts.to_vec().into());
    expect("the list of defects", &answer["defects"], Value::Array(Vec::new()));
    let header = &answer["header"];
    expect("To", &header["To"], format!("dkim-errors@{DOMAIN}").into());
    expect("From", &header["From"], "mx@example.net".into());
    expect("Auto-Submitted", &header["Auto-Submitted"], "auto-generated".into());
    let expected = expected_fields(case);
    for reader in ["fields", "arf"] {
        // arf-mime may be missing.
        let Some(fields) = answer[reader].as_array() else { continue };
        let read: Vec<(String, String)> = fields.iter().map(pair).collect();
        let others = |(name, _): &&(String, String)| !name.starts_with("DKIM-Canonicalized");
        let read: Vec<_> = read.iter().filter(others).cloned().collect();
        expect(reader, &format!("{read:?}").into(), format!("{expected:?}").into());
    }
    let feedback = &report.feedback;
    for (name, octets) in [
        ("canonicalHeader", &feedback.canonicalized_header),
        ("canonicalBody", &feedback.canonicalized_body),
    ] {
        // Where there are no octets, there is no field.
        let octets = octets.as_deref().filter(|octets| !octets.is_empty());
        expect(name, &answer[name], octets.map(to_base64).into());
    }
    if feedback.canonicalized_body.as_ref().is_some_and(|octets| !octets.is_empty()) {
        let hash = case.found.body_hash.map(|hash| to_base64(hash.value.as_bytes()));
        expect("the hash of the body", &answer["hashBody"], hash.into());
    }
    let names = report.original.header();
    let names: Vec<_> =
        names.fields().iter().map(|field| String::from_utf8_lossy(field.name())).collect();
    let read: Vec<_> = answer["original"].as_array().into_iter().flatten().map(pair).collect();
    let read: Vec<_> = read.into_iter().map(|(name, _)| name).collect();
    expect("the header sent back", &format!("{read:?}").into(), format!("{names:?}").into());
    faults
}

fn is_plain(octets: &[u8]) -> bool {
    let bare = String::from_utf8_lossy(octets).replace("\r\n", "");
    !bare.contains(['\r', '\n', '\0'])
}

/// Name and value, white space squeezed: readers unfold in their own ways.
fn pair(field: &Value) -> (String, String) {
    let text = |at: usize| field[at].as_str().unwrap_or_default().to_owned();
    (text(0), text(1).split_whitespace().collect::<Vec<_>>().join(" "))
}

/// The fields in order, but for the canonical octets.
fn expected_fields(case: &Case) -> Vec<(String, String)> {
    let results = &case.report.feedback.authentication_results;
    let results = results.iter().map(|one| one.field_body()).collect::<String>();
    let failure = case.report.feedback.auth_failure.map_or("", AuthFailure::word);
    let signature = case.found.signature.as_ref();
    let identity = signature.map(Signature::auid_or_default).map(|auid| auid.to_string());
    let arrival = date_time(NOW);
    [
        ("Feedback-Type", "auth-failure"),
        ("User-Agent", Feedback::USER_AGENT),
        ("Version", "1"),
        ("Auth-Failure", failure),
        ("Authentication-Results", &results),
        ("Delivery-Result", "policy"),
        ("Original-Envelope-Id", "q1"),
        ("Original-Mail-From", "<alice@example.com>"),
        ("Original-Rcpt-To", "<bob@example.net>"),
        ("Original-Rcpt-To", "<x@example.net>"),
        ("Arrival-Date", &arrival),
        ("Source-IP", "IPv6:2001:db8::1"),
        ("Reporting-MTA", "dns; mx.example.net"),
        ("Incidents", "3"),
        ("Reported-Domain", DOMAIN),
        ("DKIM-Domain", DOMAIN),
        ("DKIM-Identity", identity.as_deref().unwrap_or_default()),
        ("DKIM-Selector", "rsa"),
    ]
    .map(|(name, value)| (name.to_owned(), value.split_whitespace().collect::<Vec<_>>().join(" ")))
    .to_vec()
}
