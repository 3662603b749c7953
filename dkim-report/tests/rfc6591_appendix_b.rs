//! The example of RFC 6591 appendix B.1 is read, field by field, and reads the same after writing.
#![allow(clippy::unwrap_used, missing_docs)]

use dkim_report::{AuthFailure, Original, ReadReport};

const REPORT: &str = r#"Message-ID: <433689.81121.example@mta.mail.receiver.example>
From: "SomeISP Antispam Feedback" <feedback@mail.receiver.example>
To: arf-failure@sender.example
Subject: FW: You have a new bill from your bank
Date: Sat, 8 Oct 2011 15:15:59 -0500 (CDT)
MIME-Version: 1.0
Content-Type: multipart/report;
  boundary="------------Boundary-00=_3BCR4Y7kX93yP9uUPRhg";
  report-type=feedback-report
Content-Transfer-Encoding: 7bit

--------------Boundary-00=_3BCR4Y7kX93yP9uUPRhg
Content-Type: text/plain; charset="us-ascii"
Content-Disposition: inline
Content-Transfer-Encoding: 7bit

This is an authentication failure report for an email message
received from a.sender.example on 8 Oct 2011 20:15:58 +0000 (GMT).
For more information about this format, please see [RFC6591].

--------------Boundary-00=_3BCR4Y7kX93yP9uUPRhg
Content-Type: message/feedback-report
Content-Transfer-Encoding: 7bit

Feedback-Type: auth-failure
User-Agent: Someisp!Mail-Feedback/1.0
Version: 1
Original-Mail-From: anexample.reply@a.sender.example
Original-Envelope-Id: o3F52gxO029144
Authentication-Results: mta1011.mail.tp2.receiver.example;
 dkim=fail (bodyhash) header.d=sender.example
Auth-Failure: bodyhash
DKIM-Canonicalized-Body: VGhpcyBpcyBhIG1lc3NhZ2UgYm9keSB0
  aGF0IGdvdCBtb2RpZmllZCBpbiB0cmFuc2l0LgoKQXQgdGhlIHNhbWU
  gdGltZSB0aGF0IHRoZSBib2R5aGFzaCBmYWlscyB0byB2ZXJpZnksIH
  RoZQptZXNzYWdlIGNvbnRlbnQgaXMgY2xlYXJseSBhYnVzaXZlIG9yI
  HBoaXNoeSwgYXMgdGhlClN1YmplY3QgYWxyZWFkeSBoaW50cy4gIElu
  ZGVlZCwgdGhpcyBib2R5IGFsc28gY29udGFpbnMKdGhlIGZvbGxvd2l
  uZyB0ZXh0OgoKICAgUGxlYXNlIGVudGVyIHlvdXIgZnVsbCBiYW5rIG
  NyZWRlbnRpYWxzIGF0CiAgIGh0dHA6Ly93d3cuc2VuZGVyLmV4YW1wb
  GUvCgpXZSBhcmUgaW1wbHlpbmcgdGhhdCwgYWx0aG91Z2ggbXVsdGlw
  bGUgZmFpbHVyZXMKcmVxdWlyZSBtdWx0aXBsZSByZXBvcnRzLCBhIHN
  pbmdsZSBmYWlsdXJlIGNhbiBiZQpyZXBvcnRlZCBhbG9uZyB3aXRoIH
  BoaXNoaW5nIGluIGEgc2luZ2xlIHJlcG9ydC4K
DKIM-Domain: sender.example
DKIM-Identity: @sender.example
DKIM-Selector: testkey
Arrival-Date: 8 Oct 2011 20:15:58 +0000 (GMT)
Source-IP: 192.0.2.1
Reported-Domain: a.sender.example
Reported-URI: http://www.sender.example/

--------------Boundary-00=_3BCR4Y7kX93yP9uUPRhg
Content-Type: text/rfc822-headers
Content-Transfer-Encoding: 7bit

Authentication-Results: mta1011.mail.tp2.receiver.example;
 dkim=fail (bodyhash) header.d=sender.example;
 spf=pass smtp.mailfrom=anexample.reply@a.sender.example
Received: from smtp-out.sender.example
 by mta1011.mail.tp2.receiver.example
 with SMTP id oB85W8xV000169;
 Sat, 08 Oct 2011 13:15:58 -0700 (PDT)
DKIM-Signature: v=1; c=relaxed/simple; a=rsa-sha256;
 s=testkey; d=sender.example; h=From:To:Subject:Date;
 bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;
 b=AuUoFEfDxTDkHlLXSZEpZj79LICEps6eda7W3deTVFOk4yAUoqOB
 4nujc7YopdG5dWLSdNg6xNAZpOPr+kHxt1IrE+NahM6L/LbvaHut
 KVdkLLkpVaVVQPzeRDI009SO2Il5Lu7rDNH6mZckBdrIx0orEtZV
 4bmp/YzhwvcubU4=
Received: from mail.sender.example
 by smtp-out.sender.example
 with SMTP id o3F52gxO029144;
 Sat, 08 Oct 2011 13:15:31 -0700 (PDT)
Received: from internal-client-001.sender.example
 by mail.sender.example
 with SMTP id o3F3BwdY028431;
 Sat, 08 Oct 2011 13:15:24 -0700 (PDT)
Date: Sat, 8 Oct 2011 16:15:24 -0400 (EDT)
Reply-To: anexample.reply@a.sender.example
From: anexample@a.sender.example
To: someuser@receiver.example
Subject: You have a new bill from your bank
Message-ID: <87913910.1318094604546@out.sender.example>

--------------Boundary-00=_3BCR4Y7kX93yP9uUPRhg--
"#;

fn check(report: &ReadReport) {
    assert_eq!(report.to.as_deref(), Some("arf-failure@sender.example"));
    assert_eq!(report.subject.as_deref(), Some("FW: You have a new bill from your bank"));
    assert!(report.text.starts_with("This is an authentication failure report"));
    let feedback = &report.feedback;
    assert_eq!(report.faults, []);
    assert_eq!(feedback.feedback_type.as_deref(), Some("auth-failure"));
    assert_eq!(feedback.user_agent.as_deref(), Some("Someisp!Mail-Feedback/1.0"));
    assert_eq!(feedback.version, Some(1));
    assert_eq!(feedback.auth_failure, Some(AuthFailure::BodyHash));
    let [results] = &*feedback.authentication_results else { panic!("one field") };
    assert_eq!(results.authserv_id, "mta1011.mail.tp2.receiver.example");
    assert_eq!(results.results[0].get("header", "d"), Some("sender.example"));
    assert_eq!(feedback.original_mail_from.as_deref(), Some("anexample.reply@a.sender.example"));
    assert_eq!(feedback.original_envelope_id.as_deref(), Some("o3F52gxO029144"));
    assert_eq!(feedback.arrival_date.as_deref(), Some("8 Oct 2011 20:15:58 +0000 (GMT)"));
    assert_eq!(feedback.source_ip.unwrap().to_string(), "192.0.2.1");
    assert_eq!(feedback.reported_domain, ["a.sender.example"]);
    assert_eq!(feedback.reported_uri, ["http://www.sender.example/"]);
    assert_eq!(feedback.dkim_domain.as_ref().unwrap().as_str(), "sender.example");
    assert_eq!(feedback.dkim_identity.as_ref().unwrap().to_string(), "@sender.example");
    assert_eq!(feedback.dkim_selector.as_ref().unwrap().as_str(), "testkey");
    let body = String::from_utf8(feedback.canonicalized_body.clone().unwrap()).unwrap();
    assert!(body.starts_with("This is a message body that got modified in transit.\n\nAt the"));
    assert!(body.ends_with("along with phishing in a single report.\n"), "{body}");
    assert_eq!(feedback.canonicalized_header, None);
    assert_eq!(feedback.incidents, None);
    assert_eq!(feedback.other, []);
    let Some(Original::Header(header)) = &report.original else { panic!("a header") };
    let header = dkim_message::Header::parse(header);
    assert_eq!(header.fields().len(), 11);
    assert!(header.fields().get(10).unwrap().is("Message-ID"));
}

#[test]
fn it_is_read_with_either_line_end() {
    for message in [REPORT.to_owned(), REPORT.replace('\n', "\r\n")] {
        check(&ReadReport::parse(message.as_bytes()).unwrap());
    }
}

#[test]
fn its_fields_read_the_same_after_writing() {
    let report = ReadReport::parse(REPORT.as_bytes()).unwrap();
    let written = report.feedback.to_text();
    let message = format!(
        "Content-Type: multipart/report; boundary=x\r\n\r\n--x\r\n\r\n\r\n--x\r\n\
         Content-Type: message/feedback-report\r\n\r\n{written}\r\n--x--\r\n"
    );
    let again = ReadReport::parse(message.as_bytes()).unwrap();
    assert_eq!(again.feedback, report.feedback, "{written}");
}
