//! Text to the fields of a report (RFC 5965 §3.5, RFC 6591 §4); the twin of `feedback.rs`, in the
//! same order.

use core::net::IpAddr;
use std::fmt;

use dkim_authres::AuthenticationResults;
use dkim_message::Header;
use dkim_message::lex::{optional_cfws, quoted_string};
use dkim_tags::{Auid, DomainName, Selector};

use crate::mime::{from_base64, unfolded};
use crate::{AuthFailure, DeliveryResult, Feedback};

/// More fields than this are not looked at.
const MAX_FIELDS: usize = 1000;

/// Something about a report that is not as the RFCs want it. RFC 5965 §4: an agent "SHOULD ignore
/// or reject the message".
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fault {
    /// The name of the field.
    pub field: &'static str,
    /// What is wrong with it.
    pub kind: FaultKind,
}

/// What can be wrong with a field of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FaultKind {
    /// It must be there, and is not.
    Missing,
    /// It may be there once, and stands there again; the first counts.
    Repeated,
    /// Its value cannot be read.
    Invalid,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            FaultKind::Missing => "is missing",
            FaultKind::Repeated => "stands there more than once",
            FaultKind::Invalid => "cannot be read",
        };
        write!(f, "{} {what}", self.field)
    }
}

/// Fields while they are read.
#[derive(Default)]
struct Reading {
    feedback: Feedback,
    faults: Vec<Fault>,
    seen: Vec<&'static str>,
}

/// Reads the fields of the machine-readable part, as many as can be read, and lists what is wrong
/// with the others.
pub(crate) fn read_feedback(header: &Header<'_>) -> (Feedback, Vec<Fault>) {
    let mut reading = Reading::default();
    for field in header.fields().iter().filter(|field| field.is_well_formed()).take(MAX_FIELDS) {
        reading.field(field.name(), &unfolded(field.body()));
    }
    reading.check();
    (reading.feedback, reading.faults)
}

impl Reading {
    fn field(&mut self, name: &[u8], body: &[u8]) {
        let Some(known) =
            KNOWN.iter().find(|known| known.name.as_bytes().eq_ignore_ascii_case(name))
        else {
            let name = String::from_utf8_lossy(name).into_owned();
            self.feedback.other.push((name, text(body)));
            return;
        };
        // The historic name counts as the other (RFC 5965 §3.2).
        let name = if known.name == RECEIVED_DATE { ARRIVAL_DATE } else { known.name };
        if !known.many && self.seen.contains(&name) {
            self.fault(name, FaultKind::Repeated);
            return;
        }
        self.seen.push(name);
        if (known.read)(&mut self.feedback, body).is_none() {
            self.fault(name, FaultKind::Invalid);
        }
    }

    fn fault(&mut self, field: &'static str, kind: FaultKind) {
        let fault = Fault { field, kind };
        if !self.faults.contains(&fault) {
            self.faults.push(fault);
        }
    }

    /// What must be there.
    fn check(&mut self) {
        // RFC 5965 §3.1.
        let mut required = vec!["Feedback-Type", "User-Agent", "Version"];
        let is_auth_failure = |kind: &String| kind.eq_ignore_ascii_case(Feedback::AUTH_FAILURE);
        if self.feedback.feedback_type.as_ref().is_some_and(is_auth_failure) {
            // RFC 6591 §3.1, §3.2.
            required.extend(["Auth-Failure", AUTHENTICATION_RESULTS]);
            required.extend::<&[_]>(match self.feedback.auth_failure {
                Some(AuthFailure::BodyHash | AuthFailure::Revoked | AuthFailure::Signature) => {
                    &["DKIM-Domain", "DKIM-Identity", "DKIM-Selector"]
                }
                Some(AuthFailure::Adsp) => &["DKIM-ADSP-DNS"],
                Some(AuthFailure::Spf) => &["SPF-DNS"],
                _ => &[],
            });
            let results = &self.feedback.authentication_results;
            if results.iter().map(|field| field.results.len()).sum::<usize>() > 1 {
                self.fault(AUTHENTICATION_RESULTS, FaultKind::Repeated);
            }
        }
        let other =
            |name: &str| self.feedback.other.iter().any(|(one, _)| one.eq_ignore_ascii_case(name));
        let missing: Vec<_> =
            required.into_iter().filter(|name| !self.seen.contains(name) && !other(name)).collect();
        for name in missing {
            self.fault(name, FaultKind::Missing);
        }
    }
}

const ARRIVAL_DATE: &str = "Arrival-Date";
const RECEIVED_DATE: &str = "Received-Date";
const AUTHENTICATION_RESULTS: &str = "Authentication-Results";

struct Known {
    name: &'static str,
    many: bool,
    read: fn(&mut Feedback, &[u8]) -> Option<()>,
}

const fn once(name: &'static str, read: fn(&mut Feedback, &[u8]) -> Option<()>) -> Known {
    Known { name, many: false, read }
}

const fn many(name: &'static str, read: fn(&mut Feedback, &[u8]) -> Option<()>) -> Known {
    Known { name, many: true, read }
}

/// The fields that have a place in [`Feedback`].
const KNOWN: [Known; 25] = [
    once("Feedback-Type", |to, body| {
        to.feedback_type = Some(token(body)?);
        Some(())
    }),
    once("User-Agent", |to, body| {
        to.user_agent = Some(text(body));
        Some(())
    }),
    once("Version", |to, body| {
        to.version = Some(number(body)?);
        Some(())
    }),
    once("Auth-Failure", |to, body| {
        to.auth_failure = Some(AuthFailure::from_word(&token(body)?)?);
        Some(())
    }),
    many(AUTHENTICATION_RESULTS, |to, body| {
        to.authentication_results.push(AuthenticationResults::parse(body).ok()?);
        Some(())
    }),
    once("Delivery-Result", |to, body| {
        to.delivery_result = Some(DeliveryResult::from_word(&token(body)?)?);
        Some(())
    }),
    once("Original-Envelope-Id", |to, body| {
        to.original_envelope_id = Some(text(body));
        Some(())
    }),
    once("Original-Mail-From", |to, body| {
        to.original_mail_from = Some(path(body));
        Some(())
    }),
    many("Original-Rcpt-To", |to, body| {
        to.original_rcpt_to.push(path(body));
        Some(())
    }),
    once(ARRIVAL_DATE, |to, body| {
        to.arrival_date = Some(text(body));
        Some(())
    }),
    once(RECEIVED_DATE, |to, body| {
        to.arrival_date = Some(text(body));
        Some(())
    }),
    once("Source-IP", |to, body| {
        to.source_ip = Some(address(&token(body)?)?);
        Some(())
    }),
    once("Reporting-MTA", |to, body| {
        to.reporting_mta = Some(text(body));
        Some(())
    }),
    once("Incidents", |to, body| {
        to.incidents = Some(number(body)?);
        Some(())
    }),
    many("Reported-Domain", |to, body| {
        to.reported_domain.push(text(body));
        Some(())
    }),
    many("Reported-URI", |to, body| {
        to.reported_uri.push(text(body));
        Some(())
    }),
    once("DKIM-Domain", |to, body| {
        to.dkim_domain = Some(DomainName::parse(&token(body)?).ok()?);
        Some(())
    }),
    once("DKIM-Identity", |to, body| {
        to.dkim_identity = Some(identity(body)?);
        Some(())
    }),
    once("DKIM-Selector", |to, body| {
        to.dkim_selector = Some(Selector::parse(&token(body)?).ok()?);
        Some(())
    }),
    once("DKIM-Selector-DNS", |to, body| {
        to.dkim_selector_dns = Some(quoted(body)?);
        Some(())
    }),
    once("DKIM-ADSP-DNS", |to, body| {
        to.dkim_adsp_dns = Some(quoted(body)?);
        Some(())
    }),
    once("Identity-Alignment", |to, body| {
        to.identity_alignment = Some(text(body));
        Some(())
    }),
    once("DKIM-Canonicalized-Header", |to, body| {
        to.canonicalized_header = Some(octets(body)?);
        Some(())
    }),
    once("DKIM-Canonicalized-Body", |to, body| {
        to.canonicalized_body = Some(octets(body)?);
        Some(())
    }),
    // RFC 6591 §3.2.6 wants one for each record, and nothing is read of it here.
    many("SPF-DNS", |to, body| {
        to.other.push(("SPF-DNS".to_owned(), text(body)));
        Some(())
    }),
];

/// A field body without white space around it.
fn text(body: &[u8]) -> String {
    String::from_utf8_lossy(body).trim().to_owned()
}

/// `[CFWS] token [CFWS]`: what stands there without white space and comments.
fn token(body: &[u8]) -> Option<String> {
    let (rest, ()) = optional_cfws(body).ok()?;
    let end = rest.iter().position(|octet| octet.is_ascii_whitespace() || *octet == b'(');
    let (token, rest) = rest.split_at_checked(end.unwrap_or(rest.len()))?;
    let (rest, ()) = optional_cfws(rest).ok()?;
    let token = std::str::from_utf8(token).ok()?;
    (!token.is_empty() && rest.trim_ascii().is_empty()).then(|| token.to_owned())
}

fn number(body: &[u8]) -> Option<u32> {
    token(body)?.parse().ok()
}

/// A path without its `<>`, which RFC 6591's own example does without.
fn path(body: &[u8]) -> String {
    let text = text(body);
    let inner = text.strip_prefix('<').and_then(|text| text.strip_suffix('>'));
    inner.unwrap_or(&text).to_owned()
}

/// An IP address, in the brackets that some write.
fn address(token: &str) -> Option<IpAddr> {
    let inner = token.strip_prefix('[').and_then(|token| token.strip_suffix(']')).unwrap_or(token);
    let v6 = inner.get(..5).filter(|tag| tag.eq_ignore_ascii_case("IPv6:"));
    v6.and_then(|tag| inner.get(tag.len()..)).unwrap_or(inner).parse().ok()
}

/// `[ local-part ] "@" domain-name`; a quoted local-part may hold white space.
fn identity(body: &[u8]) -> Option<Auid> {
    let whole = Auid::parse(&text(body)).ok();
    whole.or_else(|| Auid::parse(&token(body)?).ok())
}

/// `[CFWS] quoted-string [CFWS]`. Some leave the quotes out.
fn quoted(body: &[u8]) -> Option<String> {
    let (rest, ()) = optional_cfws(body).ok()?;
    let Ok((rest, content)) = quoted_string(rest) else {
        return (!rest.starts_with(b"\"")).then(|| text(body));
    };
    let (rest, ()) = optional_cfws(rest).ok()?;
    let content = std::str::from_utf8(&content).ok()?;
    rest.trim_ascii().is_empty().then(|| content.to_owned())
}

/// `[CFWS] base64string`
fn octets(body: &[u8]) -> Option<Vec<u8>> {
    let (rest, ()) = optional_cfws(body).ok()?;
    from_base64(rest)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_up_to_a_limit() {
        for (before, read) in [(MAX_FIELDS - 1, true), (MAX_FIELDS, false)] {
            let text = format!("{}User-Agent: x\r\n", "X-Other: y\r\n".repeat(before));
            let (feedback, _) = read_feedback(&Header::parse(text.as_bytes()));
            assert_eq!(feedback.user_agent.is_some(), read, "{before}");
        }
    }
}
