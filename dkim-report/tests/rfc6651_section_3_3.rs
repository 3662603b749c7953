//! The algorithm of RFC 6651 §3.3, step by step.
#![allow(clippy::unwrap_used, missing_docs)]

use dkim_crypto::ring::PROVIDER;
use dkim_dns::{Dnssec, Found, Inquirer, LookupError, Record, Zone, drive_blocking};
use dkim_message::Header;
use dkim_report::{Automatic, Decision, MAX_DOMAINS, ReportInquiry, TermsError, Unwanted};
use dkim_tags::UnixTime;
use dkim_verify::{Policy, Verification, Verifier};

/// A signature that cannot verify: there is no key.
fn signature(tags: &str) -> String {
    format!("DKIM-Signature: v=1; a=rsa-sha256; s=s; h=from; bh=YQ==; b=YQ==; {tags}\r\n")
}

fn verify(fields: &str) -> Vec<Verification> {
    let header = format!("{fields}From: joe@example.com\r\n");
    let header = Header::parse(header.as_bytes());
    let now = UnixTime(1_700_000_000);
    let mut verifier = Verifier::new(&header, &Policy::rfc(), now, &PROVIDER);
    drive_blocking(&mut verifier, &Zone::new());
    verifier.finish()
}

fn inquiry(found: &[Verification]) -> ReportInquiry {
    ReportInquiry::new(found, &Header::parse(b"From: joe@example.com\r\n"), None)
}

fn decide(fields: &str, zone: &Zone, drawn: u8) -> Vec<Decision> {
    let mut asked = inquiry(&verify(fields));
    drive_blocking(&mut asked, zone);
    asked.finish(drawn)
}

fn wanted(tags: &str, record: &str, drawn: u8) -> Result<String, Unwanted> {
    let zone = Zone::new().txt("_report._domainkey.example.com", record);
    let decision = decide(&signature(tags), &zone, drawn).pop().unwrap();
    decision.wanted.map(|to| to.to_string())
}

const ASKS: &str = "d=example.com; r=y";

#[test]
fn step_1_the_signature_asks() {
    assert_eq!(wanted("d=example.com", "ra=a", 0), Err(Unwanted::NotAsked));
    for r in ["n", "Y", "", "yes"] {
        let tags = format!("d=example.com; r={r}");
        assert_eq!(wanted(&tags, "ra=a", 0), Err(Unwanted::NotAsked), "{r}");
    }
    assert_eq!(wanted(ASKS, "ra=a", 0).unwrap(), "a@example.com");
    // No question without it.
    let mut asked = inquiry(&verify(&signature("d=example.com")));
    assert_eq!(asked.queries(), []);
}

#[test]
fn step_2_the_question_is_at_the_signing_domain() {
    let mut asked = inquiry(&verify(&signature("d=Mail.Example.com; r=y")));
    let names: Vec<_> = asked.queries().into_iter().map(|query| query.name).collect();
    assert_eq!(names, ["_report._domainkey.mail.example.com"]);
    assert_eq!(asked.queries(), []);
    assert_eq!(wanted("d=mail.example.com; r=y", "ra=a", 0), Err(no_name()));
    assert_eq!(wanted("d=com; r=y", "ra=a", 0), Err(Unwanted::SingleLabelDomain));
}

fn no_name() -> Unwanted {
    Unwanted::NoRecord(LookupError::NoSuchName)
}

#[test]
fn step_3_one_record_or_none() {
    let name = "_report._domainkey.example.com";
    let two = Zone::new().txt(name, "ra=a").txt(name, "ra=b");
    let decisions = decide(&signature(ASKS), &two, 0);
    assert_eq!(decisions[0].wanted, Err(Unwanted::SeveralRecords));
    let fails = Zone::new().fails(name);
    let decisions = decide(&signature(ASKS), &fails, 0);
    assert!(matches!(decisions[0].wanted, Err(Unwanted::NoRecord(LookupError::Failed(_)))));
    let answered = |found| {
        let mut asked = inquiry(&verify(&signature(ASKS)));
        let query = asked.queries().remove(0);
        asked.answer(query.id, Ok(found));
        asked.finish(0).remove(0).wanted
    };
    assert_eq!(answered(Found::default()), Err(Unwanted::NoRecord(LookupError::NoRecords)));
    // Reports must not go where anybody may have sent them.
    let records = [Record { strings: vec![b"ra=a".to_vec()] }];
    let bogus = Found { records: records.into(), dnssec: Dnssec::Bogus, ..Found::default() };
    assert_eq!(answered(bogus), Err(Unwanted::NoRecord(LookupError::Bogus)));
    let unanswered = inquiry(&verify(&signature(ASKS))).finish(0);
    assert_eq!(unanswered[0].wanted, Err(Unwanted::Unanswered));
}

#[test]
fn step_5_the_record_is_valid() {
    let invalid = Unwanted::Invalid(TermsError::Invalid("rp"));
    assert_eq!(wanted(ASKS, "ra=a; rp=many", 0), Err(invalid));
    assert!(matches!(wanted(ASKS, "ra", 0), Err(Unwanted::Invalid(TermsError::TagList(_)))));
    let elsewhere = Unwanted::Invalid(TermsError::Invalid("ra"));
    assert_eq!(wanted(ASKS, "ra=a@victim.example", 0), Err(elsewhere));
}

/// One record, which somebody else wrote, against all signatures of a message.
#[test]
fn an_invalid_record_makes_no_long_reasons() {
    let record = format!("{}=\u{1}", "a".repeat(16_000));
    let zone = Zone::new().txt("_report._domainkey.example.com", record);
    let decisions = decide(&signature(ASKS).repeat(20), &zone, 0);
    assert_eq!(decisions.len(), 20);
    for decision in decisions {
        let why = decision.wanted.unwrap_err();
        assert!(matches!(why, Unwanted::Invalid(TermsError::TagList(_))));
        assert!(why.to_string().len() < 300, "{why}");
    }
}

#[test]
fn step_6_the_failure_is_asked_for() {
    assert_eq!(wanted(ASKS, "ra=a; rr=v:x", 0), Err(Unwanted::NotRequested));
    assert!(wanted(ASKS, "ra=a; rr=x:d", 0).is_ok());
    assert!(wanted("d=example.com; r=y; zz=1", "ra=a; rr=u", 0).is_ok());
    assert_eq!(
        wanted("d=example.com; r=y; atps=a.example; atpsh=none", "ra=a; rr=u", 0),
        Err(Unwanted::NotRequested)
    );
    assert!(wanted("d=example.com; r=y; t=x; zz=1", "ra=a; rr=u", 0).is_ok());
    // A signature whose tags can be told, and are wrong.
    assert!(wanted("d=example.com; r=y; t=x", "ra=a; rr=s", 0).is_ok());
    assert_eq!(wanted("d=example.com; r=y; t=x;;", "ra=a", 0), Err(Unwanted::NotAsked));
}

#[test]
fn step_7_so_many_in_a_hundred() {
    let sent = (0..100).filter(|drawn| wanted(ASKS, "ra=a; rp=7", *drawn).is_ok()).count();
    assert_eq!(sent, 7);
    assert_eq!(wanted(ASKS, "ra=a; rp=7", 7), Err(Unwanted::NotSampled));
    assert!(wanted(ASKS, "ra=a", 255).is_ok());
}

#[test]
fn step_8_and_10_an_address_and_words() {
    assert_eq!(wanted(ASKS, "rp=100", 0), Err(Unwanted::NoAddress));
    let zone = Zone::new().txt("_report._domainkey.example.com", "rs=signed=20mail=20only");
    let decision = decide(&signature(ASKS), &zone, 0).pop().unwrap();
    assert_eq!(decision.smtp_text.as_deref(), Some("signed mail only"));
    let zone = Zone::new().txt("_report._domainkey.example.com", "rr=v; rs=signed");
    // §3.2: "In the absence of an "ra=" tag, the "rp=" and "rr=" tags MUST be ignored".
    assert_eq!(decide(&signature(ASKS), &zone, 0)[0].smtp_text.as_deref(), Some("signed"));
    let zone = Zone::new().txt("_report._domainkey.example.com", "rp=0; rr=x; rs=ask=20us");
    let decision = decide(&signature(ASKS), &zone, 99).pop().unwrap();
    assert_eq!(decision.wanted, Err(Unwanted::NoAddress));
    assert_eq!(decision.smtp_text.as_deref(), Some("ask us"));
    let zone = Zone::new().txt("_report._domainkey.example.com", "ra=a; rr=v; rs=signed");
    assert_eq!(decide(&signature(ASKS), &zone, 0)[0].smtp_text, None);
}

/// "A message with three invalid signatures, two from example.com and one from example.net, would
/// generate at most one report to each of those domains."
#[test]
fn one_report_for_each_domain() {
    let fields = [ASKS, "d=example.com; r=y; i=a@example.com", "d=example.net; r=y"];
    let fields = fields.map(signature).concat();
    let zone = Zone::new()
        .txt("_report._domainkey.example.com", "ra=a")
        .txt("_report._domainkey.example.net", "ra=b");
    let wanted: Vec<_> =
        decide(&fields, &zone, 0).into_iter().map(|decision| decision.wanted).collect();
    assert_eq!(wanted[0].as_ref().unwrap().to_string(), "a@example.com");
    assert_eq!(wanted[1], Err(Unwanted::ToldAlready(0)));
    assert_eq!(wanted[2].as_ref().unwrap().to_string(), "b@example.net");
}

#[test]
fn nothing_is_asked_about_what_machines_sent() {
    let found = verify(&signature(ASKS));
    for (header, mail_from, why) in [
        ("Auto-Submitted: auto-replied\r\n", None, Automatic::AutoSubmitted),
        ("Content-Type: multipart/report\r\n", Some("a@b.example"), Automatic::Report),
        ("From: joe@example.com\r\n", Some("<>"), Automatic::NullReturnPath),
        ("Return-Path: <>\r\n", None, Automatic::NullReturnPath),
    ] {
        let header = Header::parse(header.as_bytes());
        let mut inquiry = ReportInquiry::new(&found, &header, mail_from);
        assert_eq!(inquiry.queries(), []);
        assert_eq!(inquiry.finish(0)[0].wanted, Err(Unwanted::Automatic(why)));
    }
}

#[test]
fn a_message_makes_us_ask_few_domains() {
    let fields: String = (0..10).map(|n| signature(&format!("d=d{n}.example; r=y"))).collect();
    let mut asked = inquiry(&verify(&fields));
    assert_eq!(asked.queries().len(), MAX_DOMAINS);
    let decisions = asked.finish(0);
    assert_eq!(decisions.len(), 10);
    assert_eq!(decisions[9].wanted, Err(Unwanted::TooManyDomains));
}

#[test]
fn names_that_the_dns_cannot_hold_are_not_asked() {
    let label = "x".repeat(60);
    let tags = format!("d={label}.{label}.{label}.{label}.example; r=y");
    assert_eq!(wanted(&tags, "ra=a", 0), Err(no_name()));
    // With `_report._domainkey.` before it a name has 253 octets at most.
    for (last, questions) in [(51, 1), (52, 0)] {
        let domain = format!("{label}.{label}.{label}.{}", "y".repeat(last));
        let asked = inquiry(&verify(&signature(&format!("d={domain}; r=y"))));
        assert_eq!({ asked }.queries().len(), questions, "{last}");
    }
}
