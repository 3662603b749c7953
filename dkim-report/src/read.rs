//! A report as a message, read: ours or another's.

use dkim_message::{Header, HeaderTooLong};

use crate::mime::{ContentType, MAX_HEADER, parts, split, unfolded};
use crate::read_feedback::read_feedback;
use crate::{Fault, Feedback, Original};

/// A report that was read. Nothing in it is proven: "Report receivers MUST NOT assume that these
/// assertions are always accurate" (RFC 5965 §3).
///
/// ```
/// use dkim_report::ReadReport;
///
/// let message = b"From: mx@example.org\r\nSubject: FW: Hi\r\n\
///     Content-Type: multipart/report; report-type=feedback-report; boundary=x\r\n\r\n\
///     --x\r\n\r\nThis is a report.\r\n--x\r\nContent-Type: message/feedback-report\r\n\r\n\
///     Feedback-Type: abuse\r\nUser-Agent: mx/1\r\nVersion: 1\r\n\r\n--x\r\n\
///     Content-Type: text/rfc822-headers\r\n\r\nSubject: Hi\r\n--x--\r\n";
/// let report = ReadReport::parse(message)?;
/// assert_eq!(report.feedback.feedback_type.as_deref(), Some("abuse"));
/// assert_eq!(report.text, "This is a report.");
/// assert_eq!(report.faults, []);
/// # Ok::<(), dkim_report::ReadError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReadReport {
    /// The body of its From field, unfolded.
    pub from: Option<String>,
    /// That of To.
    pub to: Option<String>,
    /// That of Subject.
    pub subject: Option<String>,
    /// That of Date.
    pub date: Option<String>,
    /// What it says to people; characters that are no UTF-8 are replaced.
    pub text: String,
    /// What it says to machines.
    pub feedback: Feedback,
    /// What is not as it should be about that.
    pub faults: Vec<Fault>,
    /// The message that it is about, or its header; `None` if it cannot be read, or is not there as
    /// it must be (RFC 5965 §2 d).
    pub original: Option<Original>,
}

impl ReadReport {
    /// A report of more octets than this is not read: it bounds the memory that its parts take.
    pub const MAX_OCTETS: usize = 64 * 1024 * 1024;

    /// A header of more octets than this is not read, be it that of the report, the fields for
    /// machines or what is sent back: short lines take many times their octets in memory.
    pub const MAX_HEADER: usize = MAX_HEADER;

    /// Reads a message. Lines may end in CRLF or in LF.
    ///
    /// # Errors
    /// [`ReadError`], if it is no feedback report.
    pub fn parse(message: &[u8]) -> Result<Self, ReadError> {
        if message.len() > Self::MAX_OCTETS {
            return Err(ReadError::TooLong);
        }
        let (splitter, body) = split(message)?;
        let header = splitter.header();
        let content_type = ContentType::of(&header).ok_or(ReadError::NoReport)?;
        // RFC 5965 §2 a: `report-type` says which kind. Some leave it out, and the second part
        // tells.
        let kind = content_type.parameter("report-type").unwrap_or("feedback-report");
        if content_type.media_type != "multipart/report" || !is_feedback(kind) {
            return Err(ReadError::NoReport);
        }
        let boundary = content_type.boundary().ok_or(ReadError::NoBoundary)?;
        let parts = parts(body, boundary);
        let is = |media_type: &'static str| {
            parts.iter().find(move |part| part.content_type.media_type == media_type)
        };
        let machine = is("message/feedback-report").ok_or(ReadError::NoFeedback)?;
        let content = machine.content().ok_or(ReadError::NoFeedback)?;
        let (feedback, faults) = read_feedback(&split(&content)?.0.header());
        let sent_back = |media_type| {
            let octets = is(media_type)?.content()?;
            split(&octets).is_ok().then_some(octets)
        };
        let (message, headers) = (sent_back("message/rfc822"), sent_back("text/rfc822-headers"));
        let original = message
            .map(|octets| Original::Message(octets.into_owned()))
            .or_else(|| headers.map(|octets| Original::Header(octets.into_owned())));
        let text = parts.first().filter(|part| part.content_type.media_type.starts_with("text/"));
        let text = text.and_then(|part| part.content()).unwrap_or_default();
        Ok(Self {
            from: value(&header, "From"),
            to: value(&header, "To"),
            subject: value(&header, "Subject"),
            date: value(&header, "Date"),
            text: String::from_utf8_lossy(&text).into_owned(),
            feedback,
            faults,
            original,
        })
    }
}

fn is_feedback(kind: &str) -> bool {
    kind.eq_ignore_ascii_case("feedback-report")
}

/// The body of the first field of this name, without folds and white space around it.
fn value(header: &Header<'_>, name: &str) -> Option<String> {
    let field = header.named(name).next()?;
    Some(String::from_utf8_lossy(&unfolded(field.body())).trim().to_owned())
}

/// Why a message is no report that can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// Its Content-Type is not `multipart/report` with `report-type=feedback-report`.
    #[error("the message is no feedback report (multipart/report; report-type=feedback-report)")]
    NoReport,
    /// No boundary tells where its parts begin and end.
    #[error("the Content-Type of the report names no boundary")]
    NoBoundary,
    /// It has no part `message/feedback-report`.
    #[error("the report has no part of type message/feedback-report")]
    NoFeedback,
    /// More than [`ReadReport::MAX_OCTETS`].
    #[error("the report has more than {} octets", ReadReport::MAX_OCTETS)]
    TooLong,
    /// Its header, or its part for machines, has more octets than [`ReadReport::MAX_HEADER`].
    #[error(transparent)]
    HeaderTooLong(#[from] HeaderTooLong),
}
