//! Reports of others are read as far as they can be, and what is wrong with them is told.
#![allow(clippy::unwrap_used, missing_docs)]

use dkim_adsp::authors;
use dkim_authres::AdspResult;
use dkim_report::{AuthFailure, DeliveryResult, Feedback, Original, ReadError, ReadReport};

fn message(fields: &str) -> String {
    format!(
        "Content-Type: multipart/report; report-type=feedback-report; boundary=\"x\"\r\n\r\n\
         --x\r\n\r\nHello\r\n--x\r\nContent-Type: message/feedback-report\r\n\r\n{fields}\r\n--x\r\n\
         Content-Type: message/rfc822\r\n\r\nA: b\r\n\r\nc\r\n--x--\r\n"
    )
}

fn read(fields: &str) -> (Feedback, Vec<String>) {
    let report = ReadReport::parse(message(fields).as_bytes()).unwrap();
    assert_eq!(report.original, Some(Original::Message(b"A: b\r\n\r\nc".to_vec())));
    (report.feedback, report.faults.iter().map(ToString::to_string).collect())
}

const GOOD: &str = "Feedback-Type: auth-failure\r\nUser-Agent: x/1 (y)\r\nVersion: 1\r\n\
    Authentication-Results: mx.example; dkim=fail header.d=a.example\r\nAuth-Failure: signature\r\n\
    DKIM-Domain: a.example\r\nDKIM-Identity: @a.example\r\nDKIM-Selector: s\r\n";

#[test]
fn comments_stand_where_the_grammar_allows_them() {
    let fields = "feedback-type: (a) auth-failure (b (c))\r\nUSER-AGENT: x/1 (y)\r\n\
        Version:\r\n (one)\r\n 1\r\n\
        Authentication-Results: mx.example (c); dkim=fail (d) header.d=a.example\r\n\
        Auth-Failure: (x) ADSP (not signed when it should have been)\r\n\
        Delivery-Result: Spam(y)\r\nSource-IP: (from) [IPv6:2001:db8::1]\r\nIncidents: 12 (dozen)\r\n\
        DKIM-ADSP-DNS: (found) \"dkim=all; r=\\\"q\\\"\" (there)\r\nDKIM-Domain: A.example (z)\r\n\
        DKIM-Identity: \"joe x\"@A.example\r\nDKIM-Selector:s.t\r\n\
        Original-Mail-From: <>\r\nReceived-Date: yesterday\r\nX-Own: a\r\n  b\r\n";
    let (feedback, faults) = read(fields);
    assert_eq!(faults, [""; 0]);
    assert_eq!(feedback.feedback_type.as_deref(), Some("auth-failure"));
    assert_eq!(feedback.user_agent.as_deref(), Some("x/1 (y)"));
    assert_eq!(feedback.auth_failure, Some(AuthFailure::Adsp));
    assert_eq!(feedback.delivery_result, Some(DeliveryResult::Spam));
    assert_eq!(feedback.source_ip.unwrap().to_string(), "2001:db8::1");
    assert_eq!(feedback.incidents, Some(12));
    assert_eq!(feedback.dkim_adsp_dns.as_deref(), Some("dkim=all; r=\"q\""));
    assert_eq!(feedback.dkim_domain.unwrap().as_str(), "a.example");
    assert_eq!(feedback.dkim_identity.unwrap().local_part(), "\"joe x\"");
    assert_eq!(feedback.original_mail_from.as_deref(), Some(""));
    assert_eq!(feedback.arrival_date.as_deref(), Some("yesterday"));
    assert_eq!(feedback.other, [("X-Own".to_owned(), "a  b".to_owned())]);
}

#[test]
fn what_must_be_there() {
    assert_eq!(read(GOOD).1, [""; 0]);
    for line in GOOD.replace("\r\n ", " ").split_terminator("\r\n") {
        let name = line.split_once(':').unwrap().0;
        let (_, faults) = read(&GOOD.replace(&format!("{line}\r\n"), ""));
        // Without its type it is not known what else must be there.
        assert_eq!(faults, [format!("{name} is missing")], "{line}");
    }
    let revoked = GOOD.replace("signature", "revoked");
    assert_eq!(read(&revoked).1, [""; 0]);
    let (_, faults) = read(&revoked.replace("DKIM-Domain: a.example\r\n", ""));
    assert_eq!(faults, ["DKIM-Domain is missing"]);
    let (_, faults) = read(&revoked.replace("DKIM-Selector: s\r\n", ""));
    assert_eq!(faults, ["DKIM-Selector is missing"]);
    let (_, faults) = read(&GOOD.replace("signature", "adsp"));
    assert_eq!(faults, ["DKIM-ADSP-DNS is missing"]);
    let (_, faults) = read(&GOOD.replace("signature", "spf"));
    assert_eq!(faults, ["SPF-DNS is missing"]);
    let spf = GOOD.replace("signature", "spf") + "SPF-DNS: txt : a.example : \"v=spf1\"\r\n";
    assert_eq!(read(&spf).1, [""; 0]);
    assert_eq!(read("Feedback-Type: abuse\r\nUser-Agent: x\r\nVersion: 1\r\n").1, [""; 0]);
}

#[test]
fn what_may_be_there_once() {
    for (more, fault) in [
        ("Auth-Failure: bodyhash\r\n", "Auth-Failure stands there more than once"),
        ("Incidents: 1\r\nincidents: 2\r\n", "Incidents stands there more than once"),
        (
            "Delivery-Result: spam\r\nDelivery-Result: reject\r\n",
            "Delivery-Result stands there more than once",
        ),
        ("Arrival-Date: a\r\nReceived-Date: b\r\n", "Arrival-Date stands there more than once"),
        (
            "Authentication-Results: mx.example; spf=pass\r\n",
            "Authentication-Results stands there more than once",
        ),
    ] {
        let (feedback, faults) = read(&format!("{GOOD}{more}"));
        assert_eq!(faults, [fault]);
        assert_eq!(feedback.auth_failure, Some(AuthFailure::Signature));
    }
    let (feedback, faults) =
        read(&format!("{GOOD}Reported-URI: a\r\nReported-URI: b\r\nOriginal-Rcpt-To: <c@d.e>\r\n"));
    assert_eq!((faults.len(), feedback.reported_uri.len()), (0, 2));
    assert_eq!(feedback.original_rcpt_to, ["c@d.e"]);
}

#[test]
fn what_cannot_be_read() {
    for (field, value) in [
        ("Auth-Failure", "unknown"),
        ("Delivery-Result", "lost"),
        ("Source-IP", "192.0.2"),
        ("Source-IP", "a (b"),
        ("Incidents", "4294967296"),
        ("Incidents", "-1"),
        ("DKIM-Domain", "a b"),
        ("DKIM-Identity", "nobody"),
        ("DKIM-Selector", "a/b"),
        ("DKIM-ADSP-DNS", "\"dkim=all"),
        ("DKIM-Canonicalized-Body", "Zm9"),
        ("Authentication-Results", "mx.example"),
    ] {
        let good: String = GOOD
            .split_inclusive("\r\n")
            .filter(|line| !line.starts_with(&format!("{field}:")))
            .collect();
        let (_, faults) = read(&format!("{good}{field}: {value}\r\n"));
        assert_eq!(faults, [format!("{field} cannot be read")], "{value}");
    }
}

#[test]
fn encoded_parts_and_other_orders_are_read() {
    let report = ReadReport::parse(
        b"Content-Type: multipart/report; boundary=x\nTo:\n a@b.example\n\npreamble\n--x\n\
          Content-Type: text/plain\nContent-Transfer-Encoding: base64\n\nSGVsbG8=\n--x\n\
          Content-Type: Message/Feedback-Report\nContent-Transfer-Encoding: quoted-printable\n\n\
          Feedback-Type: =\nabuse\n--x\nContent-Type: text/rfc822-headers\n\
          Content-Transfer-Encoding: x-own\n\nA: b\n--x",
    )
    .unwrap();
    assert_eq!((&*report.text, report.to.as_deref()), ("Hello", Some("a@b.example")));
    assert_eq!(report.feedback.feedback_type.as_deref(), Some("abuse"));
    assert_eq!(report.original, None);
}

#[test]
fn what_is_no_report() {
    let parse = |message: &str| ReadReport::parse(message.as_bytes()).unwrap_err();
    assert_eq!(parse(""), ReadError::NoReport);
    assert_eq!(parse("From: a\r\n\r\nb"), ReadError::NoReport);
    let delivery =
        message(GOOD).replace("report-type=feedback-report", "report-type=delivery-status");
    assert_eq!(parse(&delivery), ReadError::NoReport);
    assert_eq!(parse(&message(GOOD).replace("; boundary=\"x\"", "")), ReadError::NoBoundary);
    let text = message(GOOD).replace("message/feedback-report", "text/plain");
    assert_eq!(parse(&text), ReadError::NoFeedback);
}

#[test]
fn a_report_about_practices_tells_the_record() {
    let author = authors(b"joe@example.com").unwrap().remove(0);
    let feedback =
        Feedback::of_adsp(&author, AdspResult::Fail, "dkim=all; ra=a; rr=u", "mx.example.net");
    let (again, faults) = read(&feedback.to_text());
    assert_eq!(faults, [""; 0]);
    assert_eq!(again, feedback);
    assert_eq!(again.dkim_adsp_dns.as_deref(), Some("dkim=all; ra=a; rr=u"));
    let result = &again.authentication_results[0].results[0];
    assert_eq!(result.get("header", "from"), Some("joe@example.com"));
    let feedback = Feedback::of_adsp(&author, AdspResult::Fail, "v=spf1", "mx.example.net");
    assert_eq!(feedback.dkim_adsp_dns, None);
}
