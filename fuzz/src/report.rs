//! Reports about failures: the record that asks for them (RFC 6651 §3.2), and the message (RFC
//! 6591).

use arbitrary::Unstructured;
use dkim_crypto::ring::PROVIDER;
use dkim_message::{author_addresses, split};
use dkim_report::{
    AdspIncident, DkimIncident, Feedback, Incident, Original, ReadReport, Redactor, Report,
    ReportTerms,
};
use dkim_tags::DomainName;

use crate::made_up;
use crate::said::unless_refused;

/// What is read and written reads as the same; an address is one, and in the domain that publishes
/// it.
pub fn report_record(data: &[u8]) {
    let Some(terms) = unless_refused(ReportTerms::<DkimIncident>::parse(data)) else { return };
    assert!(data.len() <= ReportTerms::MAX_LEN);
    assert_record(&terms);
}

/// Any record that can be made reads back as it was written.
pub fn report_record_value(data: &[u8]) {
    if let Ok(terms) = made_up::report_terms(&mut Unstructured::new(data), DkimIncident::ALL) {
        assert_record(&terms);
    }
    let Ok(terms) = made_up::report_terms(&mut Unstructured::new(data), AdspIncident::ALL) else {
        return;
    };
    assert_terms(&terms);
    let record = format!("dkim=all; {}", terms.to_tags());
    if record.len() <= dkim_adsp::AdspRecord::MAX_LEN {
        let record = dkim_adsp::AdspRecord::parse(record.as_bytes()).expect("a record");
        assert_eq!(ReportTerms::of_adsp(&record).as_ref(), Ok(&terms), "{record:?}");
    }
}

fn assert_record(terms: &ReportTerms<DkimIncident>) {
    assert_terms(terms);
    let text = terms.to_text();
    assert!(text.is_ascii() && !text.contains(['\r', '\n']));
    // What was written plainly may be written in more octets.
    if text.len() <= ReportTerms::MAX_LEN {
        assert_eq!(ReportTerms::parse(text.as_bytes()).as_ref(), Ok(terms), "{text:?}");
    }
}

fn assert_terms<I: Incident>(terms: &ReportTerms<I>) {
    let domain = DomainName::parse("example.com").expect("a name");
    if let Some(address) = terms.address(&domain) {
        let text = address.to_string();
        let read = author_addresses(text.as_bytes()).expect("an address");
        assert_eq!(read.len(), 1, "{text:?}");
        assert_eq!(read[0].domain, "example.com", "{text:?}");
    }
    let sampled = (0..100).filter(|drawn| terms.samples(*drawn)).count();
    assert_eq!(sampled, usize::from(terms.percentage()));
    let said = terms.smtp_text().unwrap_or_default();
    assert!(said.len() <= 400 && said.bytes().all(|octet| matches!(octet, b' '..=b'~')));
}

/// Whatever a report says, what was read of it can be written, and then reads the same for ever.
pub fn report(data: &[u8]) {
    let Some(read) = unless_refused(ReadReport::parse(data)) else { return };
    let once = written_and_read(&read.feedback);
    assert_eq!(written_and_read(&once), once);
    if let Some(original) = &read.original {
        assert!(original.header().octets().len() <= original.octets().len());
    }
}

fn written_and_read(feedback: &Feedback) -> Feedback {
    let text = feedback.to_text();
    assert_lines(text.as_bytes());
    assert!(text.is_ascii());
    let message = format!(
        "Content-Type: multipart/report; boundary=x\r\n\r\n--x\r\n\
         Content-Type: message/feedback-report\r\n\r\n{text}\r\n--x--\r\n"
    );
    ReadReport::parse(message.as_bytes()).expect("a report").feedback
}

/// Whatever text is put into a report, nothing gets out of its field or its part: what is read has
/// the fields, the address and the header that were put in. Redacted, it names no recipient.
pub fn report_value(data: &[u8]) {
    let Ok(mut report) = made_up::report(&mut Unstructured::new(data)) else { return };
    let message = report.to_message().expect("an ASCII address and a short message");
    assert_lines(&message);
    let (header, _) = split(&message);
    assert_eq!(header.defects(), []);
    let names: Vec<_> =
        header.fields().iter().map(|field| String::from_utf8_lossy(field.name())).collect();
    let is_always = |name: &&_| !["Message-ID", "Content-Transfer-Encoding"].contains(name);
    let names: Vec<_> = names.iter().map(|name| &**name).filter(is_always).collect();
    let expected =
        ["From", "To", "Subject", "Date", "Auto-Submitted", "MIME-Version", "Content-Type"];
    assert_eq!(names, expected);
    let read = ReadReport::parse(&message).expect("a report");
    assert_eq!(read.to, Some(report.to.to_string()));
    match (&report.original, read.original.expect("what was sent back")) {
        (Original::Header(sent), Original::Header(came)) => assert_eq!(*sent, came),
        (Original::Message(sent), Original::Message(came)) => assert_eq!(*sent, came),
        // A message that cannot be sent as it is.
        (original @ Original::Message(_), Original::Header(came)) => {
            assert_eq!(original.header().octets(), came);
        }
        (Original::Header(_), Original::Message(_)) => panic!("a message out of a header"),
    }
    let (sent, came) = (&report.feedback, &read.feedback);
    assert_eq!(sent.auth_failure, came.auth_failure);
    assert_eq!(sent.delivery_result, came.delivery_result);
    assert_eq!(sent.dkim_domain, came.dkim_domain);
    assert_eq!(sent.dkim_selector, came.dkim_selector);
    assert_eq!(sent.incidents, came.incidents);
    assert_eq!(sent.source_ip, came.source_ip);
    assert_eq!(sent.reported_domain.len(), came.reported_domain.len());
    assert_paths(&sent.original_rcpt_to, &came.original_rcpt_to);
    let is_something = |octets: &&Vec<u8>| !octets.is_empty();
    assert_eq!(
        sent.canonicalized_body.as_ref().filter(is_something),
        came.canonicalized_body.as_ref()
    );
    assert_eq!(sent.dkim_adsp_dns.is_some(), came.dkim_adsp_dns.is_some());

    redacted(&mut report);
}

/// A path that cannot be told is left out, not changed into somebody else's.
fn assert_paths(sent: &[String], came: &[String]) {
    let local_part = |path: &str| path.rsplit_once('@').map_or(path, |(local, _)| local).to_owned();
    let is_plain = |path: &str| path.bytes().all(|octet| octet.is_ascii_graphic());
    let plain = sent.iter().filter(|path| is_plain(path) && path.len() <= 890).count();
    assert!(plain <= came.len(), "{sent:?} {came:?}");
    let mut sent = sent.iter();
    for came in came {
        let sent = sent.find(|sent| local_part(sent) == local_part(came)).expect("in order");
        assert!(!is_plain(sent) || sent == came, "{sent:?} {came:?}");
    }
}

/// The name of somebody who must not be named.
const PRIVATE: &str = "somebody.private@example.net";

fn redacted(report: &mut Report) {
    let named = format!("To: Somebody <{PRIVATE}>\r\nX: {}\r\n", PRIVATE.to_uppercase());
    let header = [named.as_bytes(), report.original.header().octets()].concat();
    report.original = Original::Header(header);
    report.subject = Some(PRIVATE.to_owned());
    let redactor = Redactor::new(&PROVIDER, b"key").expect("ring has SHA-256");
    report.redact(&redactor);
    let message = report.to_message().expect("a message");
    let message = String::from_utf8_lossy(&message).to_lowercase().replace("=\r\n", "");
    assert!(!message.contains(PRIVATE), "{message}");
    let feedback = &report.feedback;
    assert!(feedback.canonicalized_header.is_none() && feedback.canonicalized_body.is_none());
}

/// Lines of at most 998 octets that end in CRLF.
fn assert_lines(octets: &[u8]) {
    for line in octets.split_inclusive(|octet| *octet == b'\n') {
        let line = line.strip_suffix(b"\r\n").expect("a line ends with CRLF");
        assert!(line.len() <= 998 && !line.contains(&b'\r') && !line.contains(&0));
    }
}
