//! What a domain says about the mail it sends: the record at `_domainkey` (RFC 4870 §3.6).

use dkim_dns::{Answer, Inquirer, LookupError, Query, QueryId, QueryKind};
use dkim_tags::value::{colon_list, excerpt};
use dkim_tags::{DomainName, TagList, TagListError, TagWriter};

/// A domain's policy. "If the policy TXT record does not exist, recipient systems MUST assume the
/// default values."
///
/// Nothing in this project acts on it. A verifier was to look for it only when a message had no
/// signature that verified, and what followed was its own affair (RFC 4870 §3.7.6).
///
/// ```
/// use dkim_domainkeys::{SendingPolicy, Signs};
///
/// let policy = SendingPolicy::parse(b"t=y; o=-; n=notes; r=postmaster@example.com")?;
/// assert_eq!((policy.signs, policy.testing), (Signs::All, true));
/// assert_eq!(policy.report_to(), Some("postmaster@example.com"));
/// # Ok::<(), dkim_domainkeys::SendingPolicyError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SendingPolicy {
    /// `o=`: how much of its mail the domain signs.
    pub signs: Signs,
    /// `t=y`: the domain is testing, and "unverified email MUST NOT be treated differently from
    /// verified email".
    pub testing: bool,
    notes: Option<String>,
    report_to: Option<String>,
}

/// How much of its mail a domain signs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[allow(clippy::exhaustive_enums, reason = "closed by RFC 4870 §3.6")]
pub enum Signs {
    /// `~`: some, perhaps.
    #[default]
    Some,
    /// `-`: all.
    All,
}

impl SendingPolicy {
    /// The longest record that is read, in octets.
    pub const MAX_LEN: usize = 16 * 1024;

    /// Reads a record, the strings of the TXT record put together.
    ///
    /// # Errors
    ///
    /// When the record is none. The RFC's tags are all optional, so that nearly any tag-list is a
    /// record that says nothing; one with `v=`, which other protocols begin with, is not.
    pub fn parse(record: &[u8]) -> Result<Self, SendingPolicyError> {
        if record.len() > Self::MAX_LEN {
            return Err(SendingPolicyError::TooLong);
        }
        if !record.is_ascii() {
            return Err(SendingPolicyError::NotAscii);
        }
        let tags = TagList::parse(record)?;
        if tags.get("v").is_some() {
            return Err(SendingPolicyError::Version);
        }
        let text = |name| tags.value(name).filter(|value| !value.is_empty()).map(str::to_owned);
        let (notes, report_to) = (text("n"), text("r"));
        let folded = |value: &Option<String>| value.as_ref().is_some_and(|v| v.contains('\r'));
        if folded(&notes) || folded(&report_to) {
            return Err(SendingPolicyError::Folded);
        }
        Ok(Self {
            signs: match tags.value("o") {
                None | Some("~") => Signs::Some,
                Some("-") => Signs::All,
                Some(other) => return Err(SendingPolicyError::Signs(excerpt(other))),
            },
            testing: tags.value("t").is_some_and(|t| colon_list(t).any(|flag| flag == "y")),
            notes,
            report_to,
        })
    }

    /// `n=`: notes for people.
    #[must_use]
    pub fn notes(&self) -> Option<&str> {
        self.notes.as_deref()
    }

    /// `r=`: the address that reports were to go to, as written. No report format was ever defined.
    #[must_use]
    pub fn report_to(&self) -> Option<&str> {
        self.report_to.as_deref()
    }

    /// Writes the record, its defaults left out but for `o=`.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut writer = TagWriter::unfolded();
        writer.tag("o", [if self.signs == Signs::All { "-" } else { "~" }]);
        if self.testing {
            writer.tag("t", ["y"]);
        }
        for (name, value) in [("n", &self.notes), ("r", &self.report_to)] {
            if let Some(value) = value {
                writer.tag(name, [value.as_str()]);
            }
        }
        writer.finish()
    }
}

/// Why a TXT record is no policy. What it tells of a value is no more than an
/// [`excerpt`](dkim_tags::value::excerpt).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendingPolicyError {
    /// More than [`SendingPolicy::MAX_LEN`] octets.
    #[error("longer than {} octets", SendingPolicy::MAX_LEN)]
    TooLong,
    /// Octets that are not ASCII.
    #[error("octets that are not ASCII")]
    NotAscii,
    /// It is no tag-list.
    #[error(transparent)]
    TagList(#[from] TagListError),
    /// It has a version: it is a record of something else.
    #[error("a record with v= is none of DomainKeys")]
    Version,
    /// A value with a line end in it.
    #[error("a value has a line end in it")]
    Folded,
    /// `o=` is neither `-` nor `~`.
    #[error("tag o= is {0:?}, neither \"-\" nor \"~\"")]
    Signs(String),
}

/// Looks up a domain's policy: an [`Inquirer`] with one question.
///
/// ```
/// use dkim_dns::{Zone, drive_blocking};
/// use dkim_domainkeys::{PolicyLookup, Signs};
/// use dkim_tags::DomainName;
///
/// let zone = Zone::new().txt("_domainkey.example.com", "o=-");
/// let mut lookup = PolicyLookup::new(&DomainName::parse("example.com")?);
/// drive_blocking(&mut lookup, &zone);
/// assert_eq!(lookup.finish()?.signs, Signs::All);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct PolicyLookup {
    name: String,
    asked: bool,
    found: Option<Result<SendingPolicy, LookupError>>,
}

/// More TXT records than this at one name are not looked at.
const MAX_RECORDS: usize = 20;

const POLICY: QueryId = QueryId(0);

impl PolicyLookup {
    /// A lookup for the domain of the sending address.
    #[must_use]
    pub fn new(sending_domain: &DomainName) -> Self {
        let name = format!("_domainkey.{sending_domain}");
        Self { name, asked: false, found: None }
    }

    /// What was found: the record, or the defaults where there is none.
    ///
    /// # Errors
    ///
    /// When the DNS did not answer, or was not asked.
    pub fn finish(self) -> Result<SendingPolicy, LookupError> {
        self.found.unwrap_or(Err(LookupError::Timeout))
    }
}

impl Inquirer for PolicyLookup {
    fn queries(&mut self) -> Vec<Query> {
        if std::mem::replace(&mut self.asked, true) {
            return Vec::new();
        }
        if self.name.len() > Query::MAX_NAME {
            self.found = Some(Ok(SendingPolicy::default()));
            return Vec::new();
        }
        vec![Query { id: POLICY, name: self.name.clone(), kind: QueryKind::Txt }]
    }

    fn answer(&mut self, id: QueryId, answer: Answer) {
        if id == POLICY && self.asked {
            self.found.get_or_insert_with(|| read(answer));
        }
    }
}

/// RFC 4870 §9: of several records "the implementation is free to pick any single TXT record". Ours
/// is the first that is one.
fn read(answer: Answer) -> Result<SendingPolicy, LookupError> {
    match dkim_dns::records(&answer) {
        Ok(records) => {
            let mut read = records
                .iter()
                .take(MAX_RECORDS)
                .filter_map(|record| record.joined_within(SendingPolicy::MAX_LEN))
                .filter_map(|text| SendingPolicy::parse(&text).ok());
            Ok(read.next().unwrap_or_default())
        }
        Err(error) if error.is_temporary() => Err(error),
        Err(_) => Ok(SendingPolicy::default()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use dkim_dns::{Dnssec, Found, Zone, drive_blocking};

    use super::*;

    fn policy(signs: Signs, testing: bool) -> SendingPolicy {
        SendingPolicy { signs, testing, ..SendingPolicy::default() }
    }

    #[test]
    fn all_tags_are_optional() {
        for (record, signs, testing) in [
            ("o=~", Signs::Some, false),
            ("o=-", Signs::All, false),
            ("o=-;", Signs::All, false),
            ("t=y", Signs::Some, true),
            (" t = y ; o = - ", Signs::All, true),
            ("t=x:y; z=other", Signs::Some, true),
            ("t=Y", Signs::Some, false),
            ("n=; r=", Signs::Some, false),
        ] {
            assert_eq!(SendingPolicy::parse(record.as_bytes()), Ok(policy(signs, testing)));
        }
        for record in ["", "o=+", "o=", "o=-; o=-", "v=spf1 -all", "hello", "n=\u{fc}", "n=a\r\n b"]
        {
            assert!(SendingPolicy::parse(record.as_bytes()).is_err(), "{record:?}");
        }
        let long = |octets: usize| format!("n={}", "x".repeat(octets - 2)).into_bytes();
        assert!(SendingPolicy::parse(&long(SendingPolicy::MAX_LEN)).is_ok());
        let over = SendingPolicy::parse(&long(SendingPolicy::MAX_LEN + 1));
        assert_eq!(over, Err(SendingPolicyError::TooLong));
    }

    #[test]
    fn what_is_written_reads_as_the_same_record() {
        for record in ["o=~", "o=-; t=y; n=some notes = here; r=a@b.example", "r=x"] {
            let read = SendingPolicy::parse(record.as_bytes()).unwrap();
            assert_eq!(SendingPolicy::parse(read.to_text().as_bytes()), Ok(read));
        }
    }

    #[test]
    fn a_name_that_the_dns_has_no_room_for_is_not_asked_for() {
        let label = "a".repeat(60);
        for (last, is_asked) in [("b".repeat(57), true), ("b".repeat(58), false)] {
            let domain = [&*label, &label, &label, "c", &last].join(".");
            let mut lookup = PolicyLookup::new(&DomainName::parse(&domain).unwrap());
            let queries = lookup.queries();
            assert_eq!(queries.first().map(|query| query.name.len()), is_asked.then_some(253));
            assert_eq!(lookup.finish().is_ok(), !is_asked);
        }
    }

    #[test]
    fn where_no_record_is_the_defaults_hold() {
        let look = |zone: &Zone| {
            let mut lookup = PolicyLookup::new(&DomainName::parse("Example.com").unwrap());
            drive_blocking(&mut lookup, zone);
            lookup.finish()
        };
        let name = "_domainkey.example.com";
        let default = Ok(SendingPolicy::default());
        assert_eq!(look(&Zone::new()), default);
        assert_eq!(look(&Zone::new().exists(name)), default);
        assert_eq!(look(&Zone::new().txt(name, "v=spf1 -all")), default);
        let query = Query { id: POLICY, name: name.to_owned(), kind: QueryKind::Txt };
        // The first of them that is one, if it is among those that are looked at.
        for (others, found) in [(MAX_RECORDS - 1, Signs::All), (MAX_RECORDS, Signs::Some)] {
            let zone = (0..others).fold(Zone::new(), |zone, n| zone.txt(name, format!("x{n}")));
            assert_eq!(look(&zone.txt(name, "o=-")), Ok(policy(found, false)), "{others}");
        }
        let beside = Zone::new().txt(name, "v=spf1 -all").txt(name, "o=-");
        assert_eq!(look(&beside), Ok(policy(Signs::All, false)));
        assert!(look(&Zone::new().fails(name)).is_err());
        // What anybody may have made up is no answer.
        let Ok(found) = beside.answer(&query) else { panic!() };
        let mut lookup = PolicyLookup::new(&DomainName::parse("example.com").unwrap());
        lookup.queries();
        lookup.answer(POLICY, Ok(Found { dnssec: Dnssec::Bogus, ..found }));
        assert!(lookup.finish().is_err());
        let unasked = PolicyLookup::new(&DomainName::parse("example.com").unwrap());
        assert!(unasked.finish().is_err());
    }
}
