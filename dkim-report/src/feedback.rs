//! What a report says to machines: the fields of `message/feedback-report` (RFC 5965 §3, RFC 6591
//! §3), and their writer. The twin is `read_feedback.rs`, in the same order.

use core::net::IpAddr;
use std::fmt;

use dkim_authres::{AuthenticationResults, Prop, ResInfo};
use dkim_message::lex::quoted_string;
use dkim_tags::value::to_base64;
use dkim_tags::{Auid, DomainName, Selector};

use crate::fields::{Fields, MAX_WORD, plain};

/// The fields of the machine-readable part.
///
/// Any text may be put in: the writer lets nothing through that could end a field
/// (see [`to_text`](Self::to_text)). Of a report that somebody else made, nothing here is proven.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Feedback {
    /// `Feedback-Type`: `auth-failure` for reports about authentication. Every report has it, and
    /// the next two (RFC 5965 §3.1); not all that are read have.
    pub feedback_type: Option<String>,
    /// `User-Agent`: what made the report.
    pub user_agent: Option<String>,
    /// `Version` of the format; there is only 1.
    pub version: Option<u32>,
    /// `Auth-Failure`: what failed.
    pub auth_failure: Option<AuthFailure>,
    /// `Authentication-Results`: in a report about an authentication failure one field with one
    /// result.
    pub authentication_results: Vec<AuthenticationResults>,
    /// `Delivery-Result`: what became of the message.
    pub delivery_result: Option<DeliveryResult>,
    /// `Original-Envelope-Id`
    pub original_envelope_id: Option<String>,
    /// `Original-Mail-From`: the envelope sender, without `<>`; empty for the null path.
    pub original_mail_from: Option<String>,
    /// `Original-Rcpt-To`: the envelope recipients, without `<>`.
    pub original_rcpt_to: Vec<String>,
    /// `Arrival-Date`: when the message came, as [`date_time`](crate::date_time) has it.
    pub arrival_date: Option<String>,
    /// `Source-IP`: from where the message came.
    pub source_ip: Option<IpAddr>,
    /// `Reporting-MTA`, as `dns; mx.example.org`.
    pub reporting_mta: Option<String>,
    /// `Incidents`: for how many the report stands; `None` for one.
    pub incidents: Option<u32>,
    /// `Reported-Domain`: whom the report is about.
    pub reported_domain: Vec<String>,
    /// `Reported-URI`
    pub reported_uri: Vec<String>,
    /// `DKIM-Domain`: the SDID, `d=`.
    pub dkim_domain: Option<DomainName>,
    /// `DKIM-Identity`: the AUID, `i=`.
    pub dkim_identity: Option<Auid>,
    /// `DKIM-Selector`: `s=`.
    pub dkim_selector: Option<Selector>,
    /// `DKIM-Selector-DNS`: the key record.
    pub dkim_selector_dns: Option<String>,
    /// `DKIM-ADSP-DNS`: the ADSP record that the result rests on.
    pub dkim_adsp_dns: Option<String>,
    /// `Identity-Alignment`: which methods gave an identity aligned with the author's (RFC 7489
    /// §7.3.1); for who evaluates DMARC.
    pub identity_alignment: Option<String>,
    /// `DKIM-Canonicalized-Header`: the octets that were hashed.
    pub canonicalized_header: Option<Vec<u8>>,
    /// `DKIM-Canonicalized-Body`: the octets that were hashed.
    pub canonicalized_body: Option<Vec<u8>>,
    /// Fields of other names, as they stand. What is no field name is not written.
    pub other: Vec<(String, String)>,
}

impl Feedback {
    /// The only version there is (RFC 5965 §3.1).
    pub const VERSION: u32 = 1;

    /// The feedback type of reports about authentication (RFC 6591 §3.1).
    pub const AUTH_FAILURE: &'static str = "auth-failure";

    /// What this library calls itself in `User-Agent`.
    pub const USER_AGENT: &'static str = concat!("dkim-report/", env!("CARGO_PKG_VERSION"));

    /// A report about an authentication failure, of which nothing is said yet but what failed.
    #[must_use]
    pub fn new(failure: AuthFailure) -> Self {
        Self {
            feedback_type: Some(Self::AUTH_FAILURE.to_owned()),
            user_agent: Some(Self::USER_AGENT.to_owned()),
            version: Some(Self::VERSION),
            auth_failure: Some(failure),
            ..Self::default()
        }
    }

    /// Writes the fields, each closed by CRLF: ASCII, no line of more than 998 octets, folded at 78
    /// where white space allows it.
    ///
    /// No text gets out of its field: a character that is not printable ASCII becomes `?`, a TAB a
    /// space; a word of more than 900 characters is cut. Of an address, the domain is in A-labels;
    /// a local-part that is not ASCII is left out of a result, and so is a path with one, or of more
    /// than 890 characters. Canonical octets are left out where there are none.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut fields = Fields::default();
        fields.add_any("Feedback-Type", self.feedback_type.as_deref());
        fields.add_any("User-Agent", self.user_agent.as_deref());
        fields.add_any("Version", self.version.map(|version| version.to_string()));
        fields.add_any("Auth-Failure", self.auth_failure.map(AuthFailure::word));
        for results in &self.authentication_results {
            fields.add_folded(&ascii(results).field());
        }
        fields.add_any("Delivery-Result", self.delivery_result.map(DeliveryResult::word));
        fields.add_any("Original-Envelope-Id", self.original_envelope_id.as_deref());
        fields.add_any("Original-Mail-From", self.original_mail_from.as_deref().and_then(path));
        for recipient in &self.original_rcpt_to {
            fields.add_any("Original-Rcpt-To", path(recipient));
        }
        fields.add_any("Arrival-Date", self.arrival_date.as_deref());
        fields.add_any("Source-IP", self.source_ip.as_ref().map(address_literal));
        fields.add_any("Reporting-MTA", self.reporting_mta.as_deref());
        fields.add_any("Incidents", self.incidents.map(|count| count.to_string()));
        for domain in &self.reported_domain {
            fields.add("Reported-Domain", domain);
        }
        for uri in &self.reported_uri {
            fields.add("Reported-URI", uri);
        }
        fields.add_any("DKIM-Domain", self.dkim_domain.as_ref().map(DomainName::as_str));
        fields.add_any("DKIM-Identity", self.dkim_identity.as_ref().map(identity));
        fields.add_any("DKIM-Selector", self.dkim_selector.as_ref().map(Selector::as_str));
        fields.add_any("DKIM-Selector-DNS", self.dkim_selector_dns.as_deref().map(quoted));
        fields.add_any("DKIM-ADSP-DNS", self.dkim_adsp_dns.as_deref().map(quoted));
        fields.add_any("Identity-Alignment", self.identity_alignment.as_deref());
        for (name, octets) in [
            ("DKIM-Canonicalized-Header", &self.canonicalized_header),
            ("DKIM-Canonicalized-Body", &self.canonicalized_body),
        ] {
            // `base64string` has a character at least.
            if let Some(octets) = octets.as_ref().filter(|octets| !octets.is_empty()) {
                fields.add_breakable(name, &to_base64(octets));
            }
        }
        for (name, value) in &self.other {
            fields.add(name, value);
        }
        fields.finish()
    }
}

/// What closes a value must not be cut off: words between brackets or quotes have at most this many
/// characters.
const MAX_INNER_WORD: usize = 890;

/// `reverse-path` and `forward-path` (RFC 5321 §4.1.2), the domain in A-labels; none if the local-part
/// cannot be told in printable ASCII, or there is no room for all: with another character in its place,
/// or with less of it, it would be somebody else's.
fn path(address: &str) -> Option<String> {
    let local_part = address.rsplit_once('@').map_or(address, |(local_part, _)| local_part);
    let is_told = match quoted_string(local_part.as_bytes()) {
        Ok((b"", _)) => local_part.bytes().all(|octet| matches!(octet, b' '..=b'~')),
        _ => local_part.bytes().all(|octet| octet.is_ascii_graphic()),
    };
    let address = ascii_value(address);
    (is_told && address.len() <= MAX_INNER_WORD).then(|| format!("<{address}>"))
}

/// Text whose words are not too long, and in which some characters are escaped.
fn with_words_cut(text: &str, is_escaped: impl Fn(char) -> bool) -> String {
    let (mut result, mut length) = (String::with_capacity(text.len()), 0);
    for c in text.chars() {
        if matches!(c, ' ' | '\t') {
            length = 0;
            result.push(c);
            continue;
        }
        let escape = is_escaped(c);
        length += 1 + usize::from(escape);
        if length <= MAX_INNER_WORD {
            result.extend(escape.then_some('\\').into_iter().chain([c]));
        }
    }
    result
}

/// `IPv4-address-literal / IPv6-address-literal` (RFC 5321 §4.1.3), without the brackets around
/// them, as RFC 5965 §3.5 has it.
fn address_literal(address: &IpAddr) -> String {
    match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("IPv6:{address}"),
    }
}

/// `[ local-part ] "@" domain-name`. A local-part that has no place in the field, because it is not
/// ASCII or too long for a line, is left out: the domain counts.
fn identity(auid: &Auid) -> String {
    let domain = auid.domain().as_str();
    let room = MAX_WORD.saturating_sub(domain.len() + 1);
    let fits = |text: &&str| text.is_ascii() && text.len() <= room;
    format!("{}@{domain}", Some(auid.local_part()).filter(fits).unwrap_or_default())
}

/// `quoted-string` (RFC 5322 §3.2.4)
fn quoted(text: &str) -> String {
    format!("\"{}\"", with_words_cut(text, |c| matches!(c, '"' | '\\')))
}

/// Results in ASCII alone, before they are written: afterwards it is too late to quote.
fn ascii(results: &AuthenticationResults) -> AuthenticationResults {
    // A name is in A-labels then; what is none may have any characters.
    let mut ascii = AuthenticationResults::new(&*results.authserv_id);
    ascii.authserv_id = plain(&ascii.authserv_id);
    ascii.version = results.version;
    ascii.results = results.results.iter().map(ascii_result).collect();
    ascii
}

fn ascii_result(result: &ResInfo) -> ResInfo {
    let prop = |prop: &Prop| Prop {
        ptype: plain(&prop.ptype),
        property: plain(&prop.property),
        value: ascii_value(&prop.value),
    };
    ResInfo {
        method: plain(&result.method),
        version: result.version,
        result: plain(&result.result),
        reason: result.reason.as_deref().map(plain),
        props: result.props.iter().map(prop).collect(),
    }
}

/// A value, which may be an address or a domain: with `?` in it that would be another one.
fn ascii_value(value: &str) -> String {
    if value.is_ascii() {
        return plain(value);
    }
    let ascii_domain = |domain: &str| {
        DomainName::parse(domain)
            .map_or_else(|_| plain(domain), |domain| domain.as_str().to_owned())
    };
    match value.rsplit_once('@') {
        Some((local_part, domain)) => {
            let local_part = Some(local_part).filter(|text| text.is_ascii()).unwrap_or_default();
            format!("{}@{}", plain(local_part), ascii_domain(domain))
        }
        None if value.contains('.') => ascii_domain(value),
        None => plain(value),
    }
}

/// What failed, the value of `Auth-Failure` (RFC 6591 §3.3, RFC 7489 §7.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AuthFailure {
    /// The message does not keep its Author Domain's signing practices.
    Adsp,
    /// The body hash is not that of the signature.
    BodyHash,
    /// The key was revoked.
    Revoked,
    /// The signature did not verify, for whatever other reason.
    Signature,
    /// SPF.
    Spf,
    /// DMARC.
    Dmarc,
}

impl AuthFailure {
    /// All of them.
    pub const ALL: &'static [Self] =
        &[Self::Adsp, Self::BodyHash, Self::Revoked, Self::Signature, Self::Spf, Self::Dmarc];

    /// The word in the field.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Adsp => "adsp",
            Self::BodyHash => "bodyhash",
            Self::Revoked => "revoked",
            Self::Signature => "signature",
            Self::Spf => "spf",
            Self::Dmarc => "dmarc",
        }
    }

    /// What a word means, in upper or lower case.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|one| one.word().eq_ignore_ascii_case(word))
    }
}

impl fmt::Display for AuthFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// What became of the message, the value of `Delivery-Result` (RFC 6591 §3.2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DeliveryResult {
    /// Delivered.
    Delivered,
    /// Delivered to a spam folder.
    Spam,
    /// Not delivered where it was meant to go, for the failure.
    Policy,
    /// Rejected.
    Reject,
    /// Something else.
    Other,
}

impl DeliveryResult {
    /// All of them.
    pub const ALL: &'static [Self] =
        &[Self::Delivered, Self::Spam, Self::Policy, Self::Reject, Self::Other];

    /// The word in the field.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Spam => "spam",
            Self::Policy => "policy",
            Self::Reject => "reject",
            Self::Other => "other",
        }
    }

    /// What a word means, in upper or lower case.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|one| one.word().eq_ignore_ascii_case(word))
    }
}

impl fmt::Display for DeliveryResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}
