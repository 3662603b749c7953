//! A report as a message, written.

use std::collections::BTreeSet;

use dkim_message::Address;
use dkim_tags::UnixTime;

use crate::fields::{Fields, encoded, plain};
use crate::mime::{is_lines, to_quoted_printable, unfolded};
use crate::{Feedback, Original, ReportAddress, date_time};

/// A subject of more characters than this is cut.
const MAX_SUBJECT: usize = 1000;

/// What boundaries begin with; `=_` stands in no quoted-printable and in no base64.
const BOUNDARY: &str = "=_dkim-report-";

/// The message that carries a report (RFC 5965 §2, RFC 6522 §3).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// Who reports.
    pub from: Address,
    /// Where the report goes.
    pub to: ReportAddress,
    /// When it is made.
    pub date: UnixTime,
    /// Its Message-ID, without `<>`; whoever sends it adds one if there is none.
    pub message_id: Option<String>,
    /// The subject of the message that it is about; `FW:` is put before it (RFC 5965 §2 f), and
    /// words that are not ASCII are written as encoded-words (RFC 2047).
    pub subject: Option<String>,
    /// What it says to people.
    pub text: String,
    /// What it says to machines.
    pub feedback: Feedback,
    /// What is sent back of the message.
    pub original: Original,
}

/// Why there is no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReportError {
    /// The address of who reports is not ASCII.
    #[error("the address of who reports is not ASCII")]
    From,
    /// What is sent back is too long.
    #[error("the message is longer than {} octets, too long to be sent back", Report::MAX_ORIGINAL)]
    TooLong,
}

impl Report {
    /// What is sent back of a message may have so many octets. Give the header alone if the message
    /// has more.
    pub const MAX_ORIGINAL: usize = 16 * 1024 * 1024;

    /// A report, its text and subject made from what it says.
    #[must_use]
    pub fn new(
        from: Address,
        to: ReportAddress,
        date: UnixTime,
        feedback: Feedback,
        original: Original,
    ) -> Self {
        let header = original.header();
        let subject = header.named("Subject").next();
        let subject = subject.map(|field| unfolded(field.body()));
        let subject = subject.map(|text| String::from_utf8_lossy(&text).trim().to_owned());
        let text = text(&feedback);
        Self { from, to, date, message_id: None, subject, text, feedback, original }
    }

    /// The message, in transit form: ASCII, or 8-bit if it has an 8-bit message in it.
    ///
    /// `message/rfc822` knows no encoding, and its header is ASCII (RFC 2046 §5.2.1): of a message
    /// with lines of more than 998 octets, a NUL or a line end that is not CRLF, or with a header
    /// that is not ASCII, only the header is sent back. A header that is not plain lines of ASCII is
    /// encoded (RFC 6522 §4).
    ///
    /// # Errors
    /// [`ReportError`], if there is nothing that can be sent.
    pub fn to_message(&self) -> Result<Vec<u8>, ReportError> {
        let from = self.from.to_string();
        if !from.bytes().all(|octet| matches!(octet, b' '..=b'~')) {
            return Err(ReportError::From);
        }
        if self.original.octets().len() > Self::MAX_ORIGINAL {
            return Err(ReportError::TooLong);
        }
        let text = lines_of_text(&self.text);
        let feedback = self.feedback.to_text();
        let (media_type, encoding, original) = self.third_part();
        let parts = [
            ("text/plain; charset=us-ascii", "7bit", text.as_bytes()),
            ("message/feedback-report", "7bit", feedback.as_bytes()),
            (media_type, encoding, &*original),
        ];
        let boundary = boundary(parts.map(|(.., content)| content));
        let mut message = self.header(&from, &boundary, encoding == "8bit").into_bytes();
        for (media_type, encoding, content) in parts {
            let head = format!(
                "\r\n--{boundary}\r\nContent-Type: {media_type}\r\n\
                 Content-Transfer-Encoding: {encoding}\r\n\r\n"
            );
            message.extend_from_slice(head.as_bytes());
            message.extend_from_slice(content);
        }
        message.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
        Ok(message)
    }

    fn header(&self, from: &str, boundary: &str, is_8bit: bool) -> String {
        let mut fields = Fields::default();
        fields.add("From", from);
        fields.add("To", &self.to.to_string());
        let subject: String = match &self.subject {
            Some(subject) => subject.chars().take(MAX_SUBJECT).collect(),
            None => String::new(),
        };
        fields.add("Subject", &format!("FW: {}", encoded(&subject)));
        fields.add("Date", &date_time(self.date));
        if let Some(id) = self.message_id.as_deref().filter(|id| is_message_id(id)) {
            fields.add("Message-ID", &format!("<{id}>"));
        }
        // RFC 3834 §5: so that nobody answers it, or reports about it.
        fields.add("Auto-Submitted", "auto-generated");
        fields.add("MIME-Version", "1.0");
        let content_type = "multipart/report; report-type=feedback-report;";
        fields.add("Content-Type", &format!("{content_type} boundary=\"{boundary}\""));
        // RFC 2045 §6.4: what is around a part in 8bit is in 8bit itself.
        fields.add_any("Content-Transfer-Encoding", is_8bit.then_some("8bit"));
        fields.finish()
    }

    /// The type, encoding and content of the third part.
    fn third_part(&self) -> (&'static str, &'static str, Vec<u8>) {
        let octets = self.original.octets();
        match &self.original {
            Original::Message(_)
                if is_lines(octets) && self.original.header().octets().is_ascii() =>
            {
                let encoding = if octets.is_ascii() { "7bit" } else { "8bit" };
                ("message/rfc822", encoding, octets.to_vec())
            }
            Original::Header(header) if header.is_ascii() && is_lines(header) => {
                ("text/rfc822-headers", "7bit", header.clone())
            }
            _ => {
                let header = match &self.original {
                    Original::Header(header) => header,
                    Original::Message(_) => self.original.header().octets(),
                };
                let encoded = to_quoted_printable(header).into_bytes();
                ("text/rfc822-headers", "quoted-printable", encoded)
            }
        }
    }
}

/// A boundary that stands in none of these, found in one pass: the first number that none of them
/// has behind the beginning of one. The number is closed: a boundary that another one begins with
/// would end a part at that one too (RFC 2046 §5.1.1).
fn boundary(contents: [&[u8]; 3]) -> String {
    let mut taken = BTreeSet::new();
    for content in contents {
        let mut rest = content;
        while let Some(at) = rest.iter().position(|octet| *octet == b'=') {
            rest = rest.get(at..).unwrap_or_default();
            if let Some(after) = rest.strip_prefix(BOUNDARY.as_bytes()) {
                let end = after.iter().position(|octet| !octet.is_ascii_digit());
                let digits = after.get(..end.unwrap_or(after.len())).unwrap_or_default();
                let number = std::str::from_utf8(digits).ok().and_then(|text| text.parse().ok());
                taken.extend::<Option<u64>>(number);
            }
            rest = rest.get(1..).unwrap_or_default();
        }
    }
    let free = (0..).find(|number| !taken.contains(number)).unwrap_or(u64::MAX);
    format!("{BOUNDARY}{free}_")
}

/// `id-left "@" id-right` (RFC 5322 §3.6.4), as far as nothing else may be hidden in it.
fn is_message_id(id: &str) -> bool {
    id.len() <= 900
        && id.contains('@')
        && id.bytes().all(|octet| matches!(octet, b'!'..=b'~') && octet != b'<' && octet != b'>')
}

/// Text of printable ASCII, wrapped.
fn lines_of_text(text: &str) -> String {
    const LINE: usize = 76;
    let mut lines = String::new();
    for line in text.lines() {
        let mut column = 0;
        for word in plain(line).split(' ') {
            let mut word = word;
            if column > 0 && column + 1 + word.len() > LINE {
                lines.push_str("\r\n");
                column = 0;
            } else if column > 0 {
                lines.push(' ');
                column += 1;
            }
            while let Some((start, rest)) = word.split_at_checked(LINE).filter(|_| column == 0) {
                if rest.is_empty() {
                    break;
                }
                lines.push_str(start);
                lines.push_str("\r\n");
                word = rest;
            }
            lines.push_str(word);
            column += word.len();
        }
        lines.push_str("\r\n");
    }
    lines
}

/// What a report says to people, if nobody says something better.
fn text(feedback: &Feedback) -> String {
    let what = match (&feedback.dkim_domain, &feedback.dkim_selector) {
        (Some(sdid), Some(selector)) => {
            format!("The DKIM signature of {sdid} (selector {selector}) did not verify")
        }
        _ => match feedback.reported_domain.first() {
            Some(domain) => format!("A message in the name of {domain} failed authentication"),
            None => "A message failed authentication".to_owned(),
        },
    };
    let reason = feedback.authentication_results.first().and_then(|one| one.results.first());
    let reason = reason.and_then(|result| result.reason.as_deref());
    let reason = reason.map(|reason| format!(": {reason}")).unwrap_or_default();
    let source = feedback.source_ip.map(|ip| format!(" received from {ip}")).unwrap_or_default();
    let arrival = feedback.arrival_date.as_ref().map(|date| format!(" of {date}"));
    let arrival = arrival.unwrap_or_default();
    format!(
        "This is an authentication failure report about a message{source}{arrival}.\n\n\
         {what}{reason}.\n\n\
         The report was asked for by a record in the DNS of the domain (RFC 6651), and made by a \
         program. Its format is that of RFC 6591.\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boundaries_stand_in_no_part() {
        let none: &[u8] = b"";
        assert_eq!(boundary([none, none, none]), "=_dkim-report-0_");
        let taken = b"--=_dkim-report-0\r\n==_dkim-report-1=_dkim-report-x =_dkim-report-3";
        assert_eq!(boundary([none, taken, none]), "=_dkim-report-2_");
        assert_eq!(boundary([b"=_dkim-report-00", taken, none]), "=_dkim-report-2_");
        let long = b"=_dkim-report-99999999999999999999999";
        assert_eq!(boundary([long, none, none]), "=_dkim-report-0_");
    }

    /// RFC 2046 §5.1.1: of a line "it is sufficient that the boundary appear in its entirety".
    #[test]
    fn no_line_of_a_part_begins_with_the_boundary() {
        let start = "--=_dkim-report-0: a\r\n--=_dkim-report-12: a\r\n";
        for more in ["", "--=_dkim-report-1_: a\r\n", "--=_dkim-report-1_2_: a\r\n"] {
            let content = format!("{start}{more}");
            let boundary = boundary([b"", content.as_bytes(), b""]);
            assert!(!content.contains(&boundary), "{boundary}: {content}");
        }
    }

    #[test]
    fn text_is_wrapped_and_plain() {
        let text =
            lines_of_text(&format!("{}\n\n\u{fc}\r\n{} b", "word ".repeat(40), "x".repeat(200)));
        assert!(text.ends_with("\r\n") && text.is_ascii());
        assert!(text.lines().all(|line| line.len() <= 76), "{text}");
        assert!(text.contains("\r\n\r\n?\r\n"), "{text}");
        assert_eq!(text.matches('x').count(), 200);
    }
}
