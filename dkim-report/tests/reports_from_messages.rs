//! From a message whose signature fails to a report about it, and back.
#![allow(clippy::unwrap_used, missing_docs)]

use dkim_crypto::ring::PROVIDER;
use dkim_crypto::{HashAlgorithm, PrivateKey, Provider};
use dkim_dns::{Zone, drive_blocking};
use dkim_message::{Header, author_addresses, split};
use dkim_report::{
    AuthFailure, CanonicalBody, DeliveryResult, Feedback, Original, ReadReport, Redactor, Report,
    ReportAddress, ReportError, ReportInquiry,
};
use dkim_sign::{Reports, Request, Signer};
use dkim_tags::value::to_base64;
use dkim_tags::{Auid, DomainName, Selector, UnixTime};
use dkim_verify::{Policy, Verification, Verifier};

const NOW: UnixTime = UnixTime(1_700_000_000);

const MESSAGE: &str = "Received: from a by b for <bob@example.net>; Tue, 14 Nov 2023 22:13:20 +0000\r\n\
    From: Joe <joe@example.com>\r\nTo: Bob <bob@example.net>,\r\n \"Ann B\" <ann@example.net>\r\n\
    Subject: dinner\r\nList-Id: <x>\r\nErrors-To: list-bob=example.net@example.com\r\n\r\nHi.\r\n\r\nBob\r\n";

struct Case {
    message: Vec<u8>,
    zone: Zone,
}

/// The message, signed with copies and asking for reports, then changed.
fn case(what: &str, with: &str) -> Case {
    let key = PrivateKey::from_ed25519_seed(&[7; 32]);
    let key = PROVIDER.signing_key(&key).unwrap();
    let (sdid, selector) = (DomainName::parse("example.com"), Selector::parse("s"));
    let mut request = Request::new(sdid.unwrap(), selector.unwrap(), key.algorithm());
    request.reports = Reports::Asked;
    request.copies = dkim_sign::Copies::OfSignedFields;
    let (header, body) = split(MESSAGE.as_bytes());
    let mut signer = Signer::new([request], &header, NOW, &PROVIDER).unwrap();
    signer.body_chunk(body);
    let field = signer.finish().pop().unwrap().sign(&*key).unwrap().to_field();
    let p = to_base64(&key.public_key().to_p_tag());
    let zone = Zone::new()
        .txt("s._domainkey.example.com", format!("v=DKIM1; k=ed25519; p={p}"))
        .txt("_report._domainkey.example.com", "ra=errors");
    Case { message: format!("{field}{}", MESSAGE.replace(what, with)).into_bytes(), zone }
}

impl Case {
    fn verify(&self) -> Vec<Verification> {
        let (header, body) = split(&self.message);
        let mut verifier = Verifier::new(&header, &Policy::rfc(), NOW, &PROVIDER);
        drive_blocking(&mut verifier, &self.zone);
        verifier.body_chunk(body);
        verifier.finish()
    }

    fn address(&self) -> ReportAddress {
        let mut inquiry = ReportInquiry::new(&self.verify(), &split(&self.message).0, None);
        drive_blocking(&mut inquiry, &self.zone);
        inquiry.finish(0).remove(0).wanted.unwrap()
    }

    fn report(&self) -> Report {
        let (header, body) = split(&self.message);
        let found = self.verify();
        let signature = found[0].signature.as_ref().unwrap();
        let mut canonical = CanonicalBody::new(signature, 1000);
        canonical.chunk(body);
        let feedback = Feedback::of_signature(&found, 0, "mx.example.net").unwrap();
        let feedback = feedback.with_canonical(&found[0], &header, Some(canonical));
        let from = author_addresses(b"mx@example.net").unwrap().remove(0);
        Report::new(from, self.address(), NOW, feedback, Original::of_header(&header))
    }
}

fn read(report: &Report) -> ReadReport {
    let message = report.to_message().unwrap();
    assert!(message.is_ascii() || matches!(report.original, Original::Message(_)));
    for line in message.split(|octet| *octet == b'\n') {
        assert!(line.len() <= 999, "{}", String::from_utf8_lossy(line));
    }
    ReadReport::parse(&message).unwrap()
}

fn sha256(octets: &[u8]) -> Vec<u8> {
    let mut digest = PROVIDER.digest(HashAlgorithm::Sha256).unwrap();
    digest.update(octets);
    digest.finish().as_bytes().to_vec()
}

#[test]
fn a_changed_body_is_sent_back_as_it_was_hashed() {
    let case = case("Hi.", "Hello.");
    let report = read(&case.report());
    assert_eq!(report.faults, []);
    let feedback = report.feedback;
    assert_eq!(feedback.auth_failure, Some(AuthFailure::BodyHash));
    // RFC 6591 §3.2.4: both "SHOULD be included".
    assert!(feedback.canonicalized_header.unwrap().ends_with(b"; b="));
    let hash = sha256(&feedback.canonicalized_body.unwrap());
    assert_eq!(hash, case.verify()[0].body_hash.unwrap().value.as_bytes());
    assert_eq!(feedback.dkim_domain.unwrap().as_str(), "example.com");
    assert_eq!(feedback.dkim_identity.unwrap().to_string(), "@example.com");
    assert_eq!(feedback.dkim_selector.unwrap().as_str(), "s");
    assert_eq!(feedback.reported_domain, ["example.com"]);
    let result = &feedback.authentication_results[0].results[0];
    assert_eq!((&*result.method, &*result.result), ("dkim", "fail"));
    assert_eq!(report.to.as_deref(), Some("errors@example.com"));
    assert_eq!(report.subject.as_deref(), Some("FW: dinner"));
    assert_eq!(report.date.as_deref(), Some("Tue, 14 Nov 2023 22:13:20 +0000"));
    assert!(report.text.contains("example.com (selector s) did not verify"), "{}", report.text);
    let (header, _) = split(&case.message);
    assert_eq!(report.original, Some(Original::of_header(&header)));
}

#[test]
fn a_changed_header_is_sent_back_as_it_was_hashed() {
    let case = case("dinner", "lunch");
    let feedback = read(&case.report()).feedback;
    assert_eq!(feedback.auth_failure, Some(AuthFailure::Signature));
    assert_eq!(feedback.canonicalized_body.unwrap(), b"Hi.\r\n\r\nBob\r\n");
    let header = feedback.canonicalized_header.unwrap();
    let text = String::from_utf8(header.clone()).unwrap();
    assert!(text.contains("\r\nsubject:lunch\r\n") && text.ends_with("; b="), "{text}");
    // What was signed is what is sent back, with the old subject: the key says so.
    let signed = text.replace("subject:lunch", "subject:dinner");
    let key = PROVIDER.signing_key(&PrivateKey::from_ed25519_seed(&[7; 32])).unwrap();
    let verifying = PROVIDER.prepare(key.public_key()).unwrap();
    let found = &case.verify()[0];
    let signature = found.signature.as_ref().unwrap();
    verifying.verify(signature.algorithm, signed.as_bytes(), &signature.signature).unwrap();
    assert!(verifying.verify(signature.algorithm, &header, &signature.signature).is_err());
}

#[test]
fn there_is_no_report_about_what_passes() {
    let case = case("x-not-there", "");
    let found = case.verify();
    assert!(found[0].passes(), "{:?}", found[0].outcome);
    assert_eq!(Feedback::of_signature(&found, 0, "mx.example.net"), None);
    assert_eq!(Feedback::of_signature(&found, 9, "mx.example.net"), None);
}

#[test]
fn all_that_is_known_of_the_envelope_reads_back() {
    let mut report = case("Hi.", "Hello.").report();
    report.message_id = Some("1@mx.example.net".to_owned());
    let feedback = &mut report.feedback;
    feedback.original_mail_from = Some(String::new());
    feedback.original_rcpt_to =
        vec!["bob@example.net".to_owned(), "\"a b\"@example.net".to_owned()];
    feedback.original_envelope_id = Some("q1".to_owned());
    feedback.arrival_date = Some(dkim_report::date_time(NOW));
    feedback.source_ip = Some("2001:db8::1".parse().unwrap());
    feedback.reporting_mta = Some("dns; mx.example.net".to_owned());
    feedback.delivery_result = Some(DeliveryResult::Reject);
    feedback.incidents = Some(7);
    feedback.identity_alignment = Some("none".to_owned());
    feedback.other = vec![("X-Queue".to_owned(), "a  b".to_owned())];
    let message = String::from_utf8(report.to_message().unwrap()).unwrap();
    for line in [
        "Original-Mail-From: <>",
        "Original-Rcpt-To: <\"a b\"@example.net>",
        "Source-IP: IPv6:2001:db8::1",
        "Delivery-Result: reject",
        "Incidents: 7",
        "Message-ID: <1@mx.example.net>",
        "Auto-Submitted: auto-generated",
        "Subject: FW: dinner",
    ] {
        assert!(message.contains(&format!("\r\n{line}\r\n")), "{line}: {message}");
    }
    assert_eq!(read(&report).feedback, report.feedback);
}

#[test]
fn nothing_gets_out_of_its_field() {
    let evil = "a\r\nBcc: victim@example.org\r\n\r\n--=_dkim-report-0\r\n\0\u{85}\u{2028}\"\\";
    let mut report = case("Hi.", "Hello.").report();
    report.subject = Some(evil.to_owned());
    report.text = evil.to_owned();
    report.message_id = Some(format!("x@{evil}"));
    let feedback = &mut report.feedback;
    feedback.feedback_type = Some(evil.to_owned());
    feedback.user_agent = Some(evil.to_owned());
    feedback.original_mail_from = Some(evil.to_owned());
    feedback.original_envelope_id = Some(evil.to_owned());
    feedback.arrival_date = Some(evil.to_owned());
    feedback.reporting_mta = Some(evil.to_owned());
    feedback.reported_domain = vec![evil.to_owned(); 2];
    feedback.reported_uri = vec![evil.to_owned()];
    feedback.dkim_adsp_dns = Some(evil.to_owned());
    feedback.dkim_selector_dns = Some(evil.to_owned());
    feedback.other = vec![(evil.to_owned(), evil.to_owned()), ("X".to_owned(), evil.to_owned())];
    feedback.authentication_results[0].authserv_id = evil.to_owned();
    feedback.authentication_results[0].results[0].reason = Some(evil.to_owned());
    report.original = Original::Header(evil.as_bytes().to_vec());
    let message = report.to_message().unwrap();
    let (header, _) = split(&message);
    let names: Vec<_> = header.fields().iter().map(|field| field.name()).collect();
    assert_eq!(
        names,
        [
            &b"From"[..],
            b"To",
            b"Subject",
            b"Date",
            b"Auto-Submitted",
            b"MIME-Version",
            b"Content-Type"
        ]
    );
    let again = ReadReport::parse(&message).unwrap();
    assert_eq!(again.original, Some(report.original));
    assert_eq!(again.feedback.reported_domain.len(), 2);
    assert_eq!(again.feedback.other.len(), 1);
    assert_eq!(again.feedback.dkim_domain, report.feedback.dkim_domain);
    assert_eq!(again.feedback.authentication_results[0].results.len(), 1);
    let written = report.feedback.to_text();
    assert!(
        written.is_ascii() && !written.lines().any(|line| line.starts_with("Bcc")),
        "{written}"
    );
}

#[test]
fn the_message_is_sent_back_as_it_is_or_its_header_alone() {
    let mut report = case("Hi.", "Hello.").report();
    let third = |original: &[u8], report: &mut Report| {
        report.original = Original::Message(original.to_vec());
        let message = report.to_message().unwrap();
        let text = String::from_utf8_lossy(&message).into_owned();
        let at = text.rfind("Content-Type: ").unwrap();
        let lines: Vec<_> = text[at..].lines().take(2).map(str::to_owned).collect();
        (lines.join("|"), ReadReport::parse(&message).unwrap().original.unwrap())
    };
    let plain = b"A: b\r\n\r\nc\r\n";
    assert_eq!(
        third(plain, &mut report),
        (
            "Content-Type: message/rfc822|Content-Transfer-Encoding: 7bit".to_owned(),
            Original::Message(plain.to_vec())
        )
    );
    let eight = b"A: b\r\n\r\n\xfc\r\n";
    assert_eq!(
        third(eight, &mut report),
        (
            "Content-Type: message/rfc822|Content-Transfer-Encoding: 8bit".to_owned(),
            Original::Message(eight.to_vec())
        )
    );
    let encoded = "Content-Type: text/rfc822-headers|Content-Transfer-Encoding: quoted-printable";
    for odd in [&b"A: b\r\n\r\nc\nd"[..], b"A: b\r\n\r\n\0", b"A: b\r\n\r\n--=_dkim-report-0\r\n\r"]
    {
        let header = Original::Header(b"A: b\r\n".to_vec());
        assert_eq!(third(odd, &mut report), (encoded.to_owned(), header));
    }
    // RFC 2046 §5.2.1: the header in message/rfc822 is ASCII.
    let header = Original::Header("A: \u{fc}\r\n".into());
    let beyond = "A: \u{fc}\r\n\r\nc\r\n".as_bytes();
    assert_eq!(third(beyond, &mut report), (encoded.to_owned(), header));
    // RFC 2045 §6.4: what is around 8bit is 8bit.
    for (body, labeled) in [(&b"c"[..], false), (b"\xfc", true)] {
        report.original = Original::Message([&b"A: b\r\n\r\n"[..], body, b"\r\n"].concat());
        let message = report.to_message().unwrap();
        let (header, _) = split(&message);
        let encoding = header.named("Content-Transfer-Encoding").next();
        assert_eq!(encoding.is_some_and(|field| field.body().trim_ascii() == b"8bit"), labeled);
    }
    report.original = Original::Header(b"A: \xfc\r\n".to_vec());
    assert_eq!(read(&report).original, Some(report.original.clone()));
    report.original = Original::Message(b"x\n".repeat(Report::MAX_ORIGINAL / 2));
    assert!(report.to_message().is_ok());
    report.original = Original::Message(vec![b'x'; Report::MAX_ORIGINAL + 1]);
    assert_eq!(report.to_message(), Err(ReportError::TooLong));
    report.original = Original::Header(Vec::new());
    report.from = author_addresses("j\u{fc}rgen@example.net".as_bytes()).unwrap().remove(0);
    assert_eq!(report.to_message(), Err(ReportError::From));
}

#[test]
fn redacted_reports_do_not_name_recipients() {
    let redactor = Redactor::new(&PROVIDER, b"secret").unwrap();
    for (what, with) in [("Hi.", "Hello bob@example.net"), ("dinner", "lunch for BOB@example.NET")]
    {
        let mut report = case(what, with).report();
        report.feedback.original_rcpt_to = vec!["Bob@example.net".to_owned()];
        report.feedback.original_mail_from = Some("list-bob=example.net@example.com".to_owned());
        report.feedback.dkim_identity = Some(Auid::parse("Bob@example.net").unwrap());
        report.redact(&redactor);
        let report = report;
        let read = read(&report);
        let feedback = &read.feedback;
        assert_eq!(feedback.canonicalized_body, None);
        assert_eq!(feedback.canonicalized_header, None);
        let bob = redactor.redact("bob");
        assert_eq!(feedback.original_rcpt_to, [format!("{bob}@example.net")]);
        let identity = feedback.dkim_identity.as_ref().map(ToString::to_string);
        assert_eq!(identity, Some(format!("{bob}@example.net")));
        let sender = format!("list-{bob}=example.net@example.com");
        assert_eq!(feedback.original_mail_from, Some(sender.clone()));
        let Some(Original::Header(header)) = read.original else { panic!("a header") };
        let text = String::from_utf8(header.clone()).unwrap();
        let message = String::from_utf8(report.to_message().unwrap()).unwrap().to_lowercase();
        for name in ["bob", "ann"] {
            assert!(!message.contains(name), "{name}: {message}");
        }
        assert!(text.contains(&format!("for <{bob}@example.net>")), "{text}");
        assert!(text.contains(&sender), "{text}");
        assert!(text.contains("From: Joe <joe@example.com>"), "{text}");
        let header = Header::parse(&header);
        let to = header.fields().iter().find(|field| field.is("To")).unwrap();
        let to = author_addresses(to.body()).unwrap();
        assert_eq!(to.len(), 2);
        assert_eq!(to[1].to_string(), format!("{}@example.net", redactor.redact("ann")));
    }
}

/// A report tells domains in A-labels.
#[test]
fn recipients_with_u_labels_are_not_named_in_a_labels() {
    let redactor = Redactor::new(&PROVIDER, b"secret").unwrap();
    let mut report = case("Hi.", "Hello.").report();
    report.feedback.original_rcpt_to = vec!["bob@b\u{fc}cher.example".to_owned()];
    report.feedback.dkim_identity =
        Some(Auid::parse("bob@b\u{fc}cher.example").unwrap().in_a_labels());
    let result = &mut report.feedback.authentication_results[0].results[0];
    *result = result.clone().prop("header", "i", "bob@xn--bcher-kva.example");
    report.redact(&redactor);
    let text = report.feedback.to_text();
    assert!(!text.contains("bob"), "{text}");
    assert_eq!(text.matches("xn--bcher-kva.example").count(), 3, "{text}");
}

#[test]
fn what_cannot_be_read_is_not_told_either() {
    let redactor = Redactor::new(&PROVIDER, b"secret").unwrap();
    let mut report = case("Hi.", "Hello.").report();
    let header = "To: bob at example.net\r\nCc: <ann@example.net\r\nDelivered-To: bob@example.net\r\n\
                  Original-Recipient: rfc822;bob@example.net\r\nDKIM-Signature: z=To:bob=40x;;\r\n\
                  X: y\r\n";
    report.original = Original::Header(header.as_bytes().to_vec());
    report.redact(&redactor);
    let bob = redactor.redact("bob");
    let expected = format!(
        "To: redacted:;\r\nCc: redacted:;\r\nDelivered-To: {bob}@example.net\r\n\
         Original-Recipient: {bob}@example.net\r\nDKIM-Signature: redacted\r\nX: y\r\n"
    );
    assert_eq!(String::from_utf8_lossy(report.original.octets()), expected);
}

/// RFC 5321 §4.4: `For = CFWS "FOR" FWS ( Path / Mailbox )`. An alias, or who got a blind copy, may
/// stand nowhere else.
#[test]
fn who_stands_in_trace_fields_alone_is_redacted() {
    let redactor = Redactor::new(&PROVIDER, b"secret").unwrap();
    let redacted = |header: &str| {
        let mut report = case("Hi.", "Hello.").report();
        report.original = Original::Header(header.as_bytes().to_vec());
        report.redact(&redactor);
        String::from_utf8_lossy(report.original.octets()).into_owned()
    };
    let ann = redactor.redact("ann");
    for place in [
        "by b with ESMTP id 1\r\n for <ANN@b.example>; Mon, 1 Jan 2024 00:00:00 +0000",
        "by b for ann@b.example (envelope-from <joe@a.example>); Mon",
        "from for (for [192.0.2.1]) by b\r\n\tFOR\r\n\t<ann@b.example>; Mon",
        "by b (for <ann@b.example>); Mon",
        "by b for<ann@b.example>",
        "by b for <@a.example:ann@b.example>; Mon",
        "for ann@b.example",
        "by b for <ann@b.example>,<bob@b.example>; Mon",
        "by b for <bob@b.example> <ann@b.example>; Mon",
    ] {
        for name in ["Received", "received"] {
            let header = format!("{name}: {place}\r\nX: ann@b.example\r\n");
            let text = redacted(&header);
            assert!(text.ends_with(&format!("\r\nX: {ann}@b.example\r\n")), "{text}");
            assert!(!text.to_ascii_lowercase().contains("ann"), "{text}");
        }
    }
    for (path, local_part) in [("<\"a ; b\"@b.example>", "a ; b"), ("<a..b.@b.example>", "a..b.")] {
        let text = redacted(&format!("Received: by b for {path}; Mon\r\n"));
        assert!(text.contains(&format!("{}@b.example>;", redactor.redact(local_part))), "{text}");
    }
    for name in ["X-Forwarded-To", "X-Delivered-To", "X-Apparently-To", "X-Rcpt-To"] {
        let text = redacted(&format!("{name}: ann@b.example\r\nX: ann@b.example\r\n"));
        assert_eq!(text, format!("{name}: {ann}@b.example\r\nX: {ann}@b.example\r\n"));
    }
    let text =
        redacted("X-Forwarded-For: bob@a.example ann@b.example\r\nX: bob+caf_=ann=b.example@a\r\n");
    assert!(!text.contains("ann"), "{text}");
    // Who sends is no recipient, and neither is whose address only looks like one.
    for kept in [
        "Received: from joe@a.example by before for; Mon\r\nX: joe@a.example\r\n",
        "Received: by b wherefor joe@a.example; Mon\r\n",
        "Received: by b forjoe@a.example; Mon\r\n",
    ] {
        assert_eq!(redacted(kept), kept);
    }
}

/// Two hundred in To do not keep those from being looked for whom the receivers wrote above.
#[test]
fn those_on_top_are_looked_for_first() {
    let redactor = Redactor::new(&PROVIDER, b"secret").unwrap();
    let list: Vec<_> = (0..300).map(|n| format!("joe{n}@example.net")).collect();
    let mut report = case("Hi.", "Hello.").report();
    let header = format!("Received: by b for <ann@b.example>\r\nTo: {}\r\n", list.join(","));
    report.original = Original::Header(header.into());
    report.redact(&redactor);
    let text = String::from_utf8_lossy(report.original.octets()).into_owned();
    let ann = redactor.redact("ann");
    assert!(text.starts_with(&format!("Received: by b for <{ann}@b.example>\r\n")), "{text}");
}

/// The address of a path (RFC 5321 §4.5.3.1.3: 256 octets with its brackets) is read whole.
#[test]
fn paths_in_received_fields_are_read_up_to_their_limit() {
    let redactor = Redactor::new(&PROVIDER, b"secret").unwrap();
    for (length, is_hidden) in [(255, true), (256, false), (300, false)] {
        let mut report = case("Hi.", "Hello.").report();
        let long = format!("{}@example.net", "x".repeat(length - "@example.net".len() + 1));
        let header = format!("Received: by b for <{long}>\r\n");
        report.original = Original::Header(header.clone().into());
        report.redact(&redactor);
        assert_eq!(report.original.octets() != header.as_bytes(), is_hidden, "{length}");
    }
}

/// RFC 2046 §5.1.1: what begins with the boundary is a boundary to many readers.
#[test]
fn nobody_puts_a_part_into_a_report() {
    let mut report = case("Hi.", "Hello.").report();
    let header = "--=_dkim-report-0: a\r\n--=_dkim-report-12: a\r\nX: y\r\n";
    report.original = Original::Header(header.as_bytes().to_vec());
    let message = String::from_utf8(report.to_message().unwrap()).unwrap();
    let boundary = message.split("boundary=\"").nth(1).unwrap().split('"').next().unwrap();
    let delimiter = format!("\r\n--{boundary}");
    assert_eq!(message.matches(&delimiter).count(), 4, "{message}");
    assert_eq!(read(&report).original, Some(report.original));
}

#[test]
fn an_identity_too_long_for_a_line_keeps_its_domain() {
    let mut report = case("Hi.", "Hello.").report();
    let identity = |local_part: &str| format!("{local_part}@mail.example.com");
    for (local_part, written) in [("joe", "joe"), (&*"x".repeat(1200), "")] {
        report.feedback.dkim_identity = Some(Auid::parse(&identity(local_part)).unwrap());
        let read = read(&report).feedback.dkim_identity.unwrap();
        assert_eq!(read.to_string(), identity(written));
    }
}

/// RFC 8601 §2.7.1: UTF-8 stands in an internationalized message alone, and a report is none. With
/// another character in its place the local-part would be somebody else's.
#[test]
fn results_name_nobody_else() {
    let mut report = case("Hi.", "Hello.").report();
    let mut told = |value: &str| {
        let result = &mut report.feedback.authentication_results[0].results[0];
        result.props = vec![dkim_authres::Prop {
            ptype: "header".to_owned(),
            property: "i".to_owned(),
            value: value.to_owned(),
        }];
        let read = read(&report).feedback.authentication_results.remove(0);
        read.results[0].get("header", "i").unwrap().to_owned()
    };
    assert_eq!(told("joe@a.example"), "joe@a.example");
    assert_eq!(told("j\u{fc}rgen@a.example"), "@a.example");
    assert_eq!(told("joe@b\u{fc}cher.example"), "joe@xn--bcher-kva.example");
    assert_eq!(told("j\u{fc}rgen@b\u{fc}cher.example"), "@xn--bcher-kva.example");
    assert_eq!(told("joe@\u{fc}_.example"), "joe@?_.example");
    assert_eq!(told("b\u{fc}cher.example"), "xn--bcher-kva.example");
    assert_eq!(told("gr\u{fc}n"), "gr?n");
    for (path, told) in [
        ("joe@b\u{fc}cher.example", Some("joe@xn--bcher-kva.example")),
        ("j\u{fc}rgen@a.example", None),
        ("j\u{fc}rgen", None),
        ("j\0e@a.example", None),
        ("joe x@a.example", None),
        ("\"joe x\"@a.example", Some("\"joe x\"@a.example")),
        ("\"joe\tx\"@a.example", None),
        ("", Some("")),
    ] {
        report.feedback.original_mail_from = Some(path.to_owned());
        assert_eq!(read(&report).feedback.original_mail_from.as_deref(), told, "{path}");
    }
}

/// RFC 6591 §4: `base64string` has a character at least.
#[test]
fn of_an_empty_body_no_octets_are_sent() {
    let mut report = case("Hi.", "Hello.").report();
    for octets in [&b""[..], b"\r\n"] {
        report.feedback.canonicalized_body = Some(octets.to_vec());
        let found = read(&report).feedback.canonicalized_body;
        assert_eq!(found.unwrap_or_default(), octets);
        let message = String::from_utf8(report.to_message().unwrap()).unwrap();
        assert_eq!(message.contains("DKIM-Canonicalized-Body:"), !octets.is_empty());
    }
}

/// Who reports is told in A-labels: the report is one of ASCII.
#[test]
fn who_reports_is_told_in_ascii() {
    let found = case("Hi.", "Hello.").verify();
    for (id, told) in
        [("b\u{fc}cher.example", "xn--bcher-kva.example"), ("b\u{fc}ro", "xn--bro-hoa")]
    {
        let feedback = Feedback::of_signature(&found, 0, id).unwrap();
        let [results] = feedback.authentication_results.as_slice() else { panic!("one field") };
        assert_eq!(results.authserv_id, told);
        assert!(feedback.to_text().contains(told), "{}", feedback.to_text());
    }
}

/// RFC 5965 §2 f: the difference to the subject is "limited to only a typical forwarding prefix".
#[test]
fn the_subject_is_that_of_the_message() {
    for (subject, written) in [
        ("Gr\u{fc}\u{df}e an alle", "FW: =?utf-8?B?R3LDvMOfZQ==?= an alle"),
        ("=?utf-8?q?Gr=C3=BC=C3=9Fe?=", "FW: =?utf-8?q?Gr=C3=BC=C3=9Fe?="),
        // Readers show no white space between two encoded-words (RFC 2047 §6.2).
        (
            "=?utf-8?q?A?= \u{fc} =?utf-8?q?B?=",
            "FW: =?utf-8?q?A?= =?utf-8?B?IMO8IA==?= =?utf-8?q?B?=",
        ),
    ] {
        let report = case("dinner", subject).report();
        assert_eq!(read(&report).subject.as_deref(), Some(written));
    }
}

#[test]
fn encoded_addresses_are_redacted_too() {
    let redactor = Redactor::new(&PROVIDER, b"secret").unwrap();
    let mut report = case("Hi.", "Hello.").report();
    let header = |bob: &str| {
        format!(
            "List-Unsubscribe: <https://example.com/?u={bob}%40example.net>\r\n\
             Subject: =?utf-8?q?to_{bob}=40Example.net?=\r\nX: {bob}=example.net\r\n"
        )
    };
    report.original = Original::Header(format!("{}To: bob@example.net\r\n", header("bob")).into());
    report.redact(&redactor);
    let bob = redactor.redact("bob");
    let expected = format!("{}To: {bob}@example.net\r\n", header(&bob));
    assert_eq!(String::from_utf8_lossy(report.original.octets()), expected);
}

/// A header has room for a quarter of a million of them.
#[test]
fn so_many_recipients_are_told_by_their_hashes() {
    let redactor = Redactor::new(&PROVIDER, b"secret").unwrap();
    let mut report = case("Hi.", "Hello.").report();
    let list: Vec<_> = (0..1000).map(|n| format!("joe{n}@example.net")).collect();
    let list = list.join(",");
    let header = format!("To: {list}\r\n").repeat(11) + "Cc: bob@example.net\r\n";
    report.original = Original::Header(header.into());
    report.redact(&redactor);
    let text = String::from_utf8_lossy(report.original.octets()).into_owned();
    assert_eq!(text.matches("@example.net").count(), 10_000);
    assert!(text.ends_with("@example.net\r\nTo: redacted:;\r\nCc: redacted:;\r\n"));
}

/// No mail goes to an address of more octets (RFC 5321 §4.5.3.1.3).
#[test]
fn what_cannot_be_an_address_is_not_looked_for() {
    let redactor = Redactor::new(&PROVIDER, b"secret").unwrap();
    let mut report = case("Hi.", "Hello.").report();
    let long = format!("a@{}", "=".repeat(300));
    let header = format!("To: {long}\r\nX: {long}\r\n");
    report.original = Original::Header(header.into());
    report.redact(&redactor);
    let text = String::from_utf8_lossy(report.original.octets()).into_owned();
    assert!(text.contains(&format!("\r\nX: {long}\r\n")), "{text}");
}

/// A line without a colon is a field to whoever takes it as it comes, and costs as much.
#[test]
fn reports_with_endless_headers_are_not_read() {
    let lines = "a\r\n".repeat(ReadReport::MAX_HEADER / 3 + 2);
    let head = "Content-Type: multipart/report; boundary=x\r\n";
    let whole = format!("{head}{lines}\r\n");
    assert!(ReadReport::parse(whole.as_bytes()).is_err());
    let feedback = "--x\r\nContent-Type: message/feedback-report\r\n";
    let part = format!("{head}\r\n{feedback}{lines}\r\nVersion: 1\r\n--x--\r\n");
    assert!(ReadReport::parse(part.as_bytes()).is_err());
    let fields = format!("{head}\r\n{feedback}\r\n{lines}--x--\r\n");
    assert!(ReadReport::parse(fields.as_bytes()).is_err());
    for kind in ["text/rfc822-headers", "message/rfc822"] {
        let original = format!(
            "{head}\r\n{feedback}\r\nVersion: 1\r\n--x\r\nContent-Type: {kind}\r\n\r\n{lines}--x--\r\n"
        );
        assert_eq!(ReadReport::parse(original.as_bytes()).unwrap().original, None);
    }
}

#[test]
fn what_is_too_long_for_a_report_is_cut_or_left_out() {
    // A subject of 1000 characters.
    let mut report = case("Hi.", "Hello.").report();
    for subject in ["word ".repeat(200), "word ".repeat(200) + "more"] {
        report.subject = Some(subject);
        let message = String::from_utf8(report.to_message().unwrap()).unwrap();
        let (_, after) = message.split_once("\r\nSubject: FW: ").unwrap();
        let (written, _) = after.split_once("\r\nDate:").unwrap();
        assert_eq!(written.replace("\r\n", ""), "word ".repeat(200).trim_end());
    }
    // A path of 890 characters; of more, what is left would be another one.
    for (length, told) in [(890, Some("x".repeat(877) + "@bank.example")), (891, None)] {
        let domain = "@bank.example";
        let path = "x".repeat(length - domain.len()) + domain;
        report.feedback.original_mail_from = Some(path);
        report.feedback.original_rcpt_to =
            report.feedback.original_mail_from.iter().cloned().collect();
        let read = read(&report).feedback;
        assert_eq!(read.original_rcpt_to, Vec::from_iter(told.clone()));
        assert_eq!(read.original_mail_from, told);
    }
    // A word of 890 characters between quotes.
    for length in [890, 891] {
        report.feedback.dkim_adsp_dns = Some("x".repeat(length));
        assert_eq!(read(&report).feedback.dkim_adsp_dns, Some("x".repeat(890)));
    }
    // Addresses below 256 octets, `@` apart.
    let redactor = Redactor::new(&PROVIDER, b"secret").unwrap();
    for (length, is_hidden) in [(255, true), (256, false)] {
        let long = format!("{}@example.net", "=".repeat(length - "example.net".len()));
        report.original = Original::Header(format!("To: {long}\r\nX: {long}\r\n").into());
        report.redact(&redactor);
        let text = String::from_utf8_lossy(report.original.octets()).into_owned();
        assert_eq!(!text.contains(&format!("\r\nX: {long}\r\n")), is_hidden, "{length}");
    }
}

#[test]
fn reports_are_read_up_to_their_limits() {
    let head = "Content-Type: multipart/report; boundary=x\r\n";
    let feedback =
        "\r\n--x\r\nContent-Type: message/feedback-report\r\n\r\nVersion: 1\r\n--x--\r\n";
    for (octets, is_read) in [(ReadReport::MAX_HEADER, true), (ReadReport::MAX_HEADER + 1, false)] {
        let fill = "a".repeat(octets - head.len() - "X: \r\n".len());
        let report = format!("{head}X: {fill}\r\n{feedback}");
        assert_eq!(ReadReport::parse(report.as_bytes()).is_ok(), is_read, "{octets}");
    }
    let begun = format!("{head}{feedback}");
    for (octets, is_read) in [(ReadReport::MAX_OCTETS, true), (ReadReport::MAX_OCTETS + 1, false)] {
        let report = begun.clone() + &"\n".repeat(octets - begun.len());
        assert_eq!(ReadReport::parse(report.as_bytes()).is_ok(), is_read, "{octets}");
    }
}
