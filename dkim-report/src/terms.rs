//! The terms under which a domain wants reports: the record in the DNS, and the same tags in an
//! ADSP record.

use std::marker::PhantomData;

use dkim_adsp::AdspRecord;
use dkim_tags::value::{
    colon_list, is_hyphenated_word, number, quoted_printable, to_quoted_printable,
};
use dkim_tags::{DomainName, TagList, TagListError, TagWriter};

use crate::address::LocalPart;
use crate::{AdspIncident, DkimIncident, Incident, ReportAddress};

/// The word for everything in `rr=`.
const ALL: &str = "all";

/// An SMTP reply has room for about this many characters of text (RFC 5321 §4.5.3.1.5: 512 octets
/// with its code).
const MAX_REPLY: usize = 400;

/// The terms under which a domain wants reports (RFC 6651 §3.2, §4): of [`DkimIncident`]s in a
/// record of its own, of [`AdspIncident`]s in its ADSP record.
///
/// ```
/// use dkim_report::{DkimIncident, ReportTerms};
/// use dkim_tags::DomainName;
///
/// // RFC 6651 appendix B.2
/// let terms = ReportTerms::<DkimIncident>::parse(b"ra=dkim-errors; rp=100; rr=v:x")?;
/// assert!(terms.asks_for(DkimIncident::Expired));
/// assert!(!terms.asks_for(DkimIncident::Dns));
/// let address = terms.address(&DomainName::parse("example.com")?).ok_or("none")?;
/// assert_eq!(address.to_string(), "dkim-errors@example.com");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportTerms<I> {
    local_part: Option<LocalPart>,
    percentage: Option<u8>,
    /// The words of `rr=`; `None` if it is absent, or `all` is among them.
    requested: Option<Vec<String>>,
    smtp_text: Option<Vec<u8>>,
    kind: PhantomData<I>,
}

impl ReportTerms<DkimIncident> {
    /// A record of more octets than this is refused.
    pub const MAX_LEN: usize = 16_384;

    /// The name at which a domain publishes its terms (RFC 6651 §3.3, step 2).
    #[must_use]
    pub fn record_name(sdid: &DomainName) -> String {
        format!("_report._domainkey.{}", sdid.as_str())
    }

    /// Reads a TXT record, its strings put together. Unknown tags are ignored.
    ///
    /// ```abnf
    /// rep-ra-tag  = %x72.61 *WSP "=" *WSP dkim-quoted-printable
    /// rep-rp-tag  = %x72.70 *WSP "=" *WSP 1*3DIGIT
    /// rep-rr-type = ( "all" / "d" / "o" / "p" / "s" / "u" / "v" / "x" )
    /// rep-rr-tag  = %x72.72 *WSP "=" *WSP rep-rr-type *WSP *( ":" *WSP rep-rr-type )
    /// rep-rs-tag  = %x72.73 *WSP "=" dkim-quoted-printable
    /// ```
    ///
    /// # Errors
    /// [`TermsError`], if the record does not follow the grammar; no report is sent then (RFC 6651
    /// §3.3, step 5).
    pub fn parse(record: &[u8]) -> Result<Self, TermsError> {
        if record.len() > Self::MAX_LEN {
            return Err(TermsError::TooLong);
        }
        // The tag-list of header fields has UTF-8 (RFC 8616 §5), that of records has not.
        if !record.is_ascii() {
            return Err(TermsError::NotAscii);
        }
        let tags = TagList::parse(record)?;
        Self::read(|name| tags.value(name))
    }

    /// Writes the record on one line, the twin of [`parse`](Self::parse).
    #[must_use]
    pub fn to_text(&self) -> String {
        let text = self.write();
        // A record needs a tag, and this one says no more than its absence.
        if text.is_empty() { format!("rr={ALL}") } else { text }
    }
}

impl ReportTerms<AdspIncident> {
    /// Reads the tags of an ADSP record (RFC 6651 §4); see [`parse`](ReportTerms::parse).
    ///
    /// # Errors
    /// [`TermsError`], if one of the tags does not follow the grammar.
    pub fn of_adsp(record: &AdspRecord) -> Result<Self, TermsError> {
        Self::read(|name| record.tag(name))
    }

    /// Writes the tags on one line, to stand behind the first of an ADSP record and a `;`. May be
    /// nothing at all.
    #[must_use]
    pub fn to_tags(&self) -> String {
        self.write()
    }
}

impl<I: Incident> ReportTerms<I> {
    /// Terms without an address: no report is wanted.
    #[must_use]
    pub fn none() -> Self {
        Self {
            local_part: None,
            percentage: None,
            requested: None,
            smtp_text: None,
            kind: PhantomData,
        }
    }

    /// `ra=`: reports go to this local-part in the domain that publishes the terms.
    ///
    /// # Errors
    /// When it is no local-part of ASCII characters.
    pub fn to_local_part(self, local_part: &str) -> Result<Self, TermsError> {
        let local_part = LocalPart::parse(local_part).ok_or(TermsError::Invalid("ra"))?;
        Ok(Self { local_part: Some(local_part), ..self })
    }

    /// `rp=`: of so many failures in a hundred.
    ///
    /// # Errors
    /// When it is more than 100.
    pub fn of_percentage(self, percentage: u8) -> Result<Self, TermsError> {
        if percentage > 100 {
            return Err(TermsError::Invalid("rp"));
        }
        Ok(Self { percentage: Some(percentage), ..self })
    }

    /// `rr=`: about these incidents, and no others; about all, if none is named.
    #[must_use]
    pub fn about(self, incidents: &[I]) -> Self {
        let words: Vec<_> = incidents.iter().map(|one| one.word().to_owned()).collect();
        Self { requested: Some(words).filter(|words| !words.is_empty()), ..self }
    }

    /// `rs=`: what to say when a message is refused.
    #[must_use]
    pub fn with_smtp_text(self, text: &[u8]) -> Self {
        Self { smtp_text: Some(text.to_vec()), ..self }
    }

    /// Where reports go; `None` when there is no `ra=`, and none may be sent. `domain` is the one
    /// that published the terms.
    #[must_use]
    pub fn address(&self, domain: &DomainName) -> Option<ReportAddress> {
        self.local_part.as_ref().map(|local_part| ReportAddress::new(local_part, domain))
    }

    /// Of how many failures in a hundred a report is wanted.
    #[must_use]
    pub fn percentage(&self) -> u8 {
        self.percentage.unwrap_or(100)
    }

    /// Whether this failure is to be reported: `drawn` is a number at random from 0 to 99 (RFC 6651
    /// §3.3, step 7).
    #[must_use]
    pub fn samples(&self, drawn: u8) -> bool {
        drawn < self.percentage() || self.percentage() == 100
    }

    /// Whether a report about such an incident is asked for. RFC 6651 §5: "Verifiers […] MUST
    /// ignore requests for reports not included in this list".
    #[must_use]
    pub fn asks_for(&self, incident: I) -> bool {
        let asked = |word: &String| word == incident.word();
        self.requested.as_ref().is_none_or(|words| words.iter().any(asked))
    }

    /// What the domain asks to be said to the client when the message is refused (RFC 6651 §3.3,
    /// step 10), fit for an SMTP reply: what is not printable ASCII is a space, and it is cut at
    /// 400 characters.
    #[must_use]
    pub fn smtp_text(&self) -> Option<String> {
        let printable =
            |octet: &u8| if matches!(octet, b' '..=b'~') { char::from(*octet) } else { ' ' };
        let text: String = self.smtp_text.as_ref()?.iter().map(printable).take(MAX_REPLY).collect();
        Some(text.trim().to_owned()).filter(|text| !text.is_empty())
    }

    fn read<'t>(value: impl Fn(&str) -> Option<&'t str>) -> Result<Self, TermsError> {
        let local_part = value("ra").map(read_local_part).transpose()?;
        let percentage = value("rp").map(read_percentage).transpose();
        let requested = value("rr").map(read_requested).transpose();
        // RFC 6651 §3.2: "In the absence of an "ra=" tag, the "rp=" and "rr=" tags MUST be
        // ignored", whatever stands there. What can be read stays, to be written as it was.
        let (percentage, requested) = match &local_part {
            Some(_) => (percentage?, requested?),
            None => (percentage.unwrap_or_default(), requested.unwrap_or_default()),
        };
        Ok(Self {
            local_part,
            percentage,
            requested: requested.flatten(),
            smtp_text: value("rs")
                .map(|rs| quoted_printable(rs).ok_or(TermsError::Invalid("rs")))
                .transpose()?,
            kind: PhantomData,
        })
    }

    fn write(&self) -> String {
        let mut writer = TagWriter::unfolded();
        if let Some(local_part) = &self.local_part {
            writer.tag("ra", [&*to_quoted_printable(local_part.as_str().as_bytes())]);
        }
        if let Some(percentage) = self.percentage {
            writer.tag("rp", [&*percentage.to_string()]);
        }
        if let Some(words) = &self.requested {
            writer.tag("rr", [&*words.join(":")]);
        }
        if let Some(text) = &self.smtp_text {
            writer.tag("rs", [&*to_quoted_printable(text)]);
        }
        writer.finish()
    }
}

fn read_local_part(value: &str) -> Result<LocalPart, TermsError> {
    let decoded = quoted_printable(value).and_then(|octets| String::from_utf8(octets).ok());
    decoded.and_then(|text| LocalPart::parse(&text)).ok_or(TermsError::Invalid("ra"))
}

fn read_percentage(value: &str) -> Result<u8, TermsError> {
    let percentage = number(value, 3).and_then(|percentage| u8::try_from(percentage).ok());
    percentage.filter(|percentage| *percentage <= 100).ok_or(TermsError::Invalid("rp"))
}

/// The words; `None` for all.
fn read_requested(value: &str) -> Result<Option<Vec<String>>, TermsError> {
    let words: Vec<String> = colon_list(value).map(str::to_owned).collect();
    if !words.iter().all(|word| is_hyphenated_word(word)) {
        return Err(TermsError::Invalid("rr"));
    }
    Ok(Some(words).filter(|words| words.iter().all(|word| word != ALL)))
}

/// Why a record states no terms.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TermsError {
    /// It is no tag-list.
    #[error("the record is no tag-list: {0}")]
    TagList(#[from] TagListError),
    /// A tag's value breaks its grammar.
    #[error("tag {0}= has an invalid value")]
    Invalid(&'static str),
    /// Octets beyond ASCII.
    #[error("the record has octets that are not ASCII")]
    NotAscii,
    /// More than [`ReportTerms::MAX_LEN`].
    #[error("the record has more than {} octets", ReportTerms::<DkimIncident>::MAX_LEN)]
    TooLong,
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    type Terms = ReportTerms<DkimIncident>;

    fn parse(record: &str) -> Result<Terms, TermsError> {
        let terms = Terms::parse(record.as_bytes())?;
        assert_eq!(Terms::parse(terms.to_text().as_bytes()).as_ref(), Ok(&terms), "{record}");
        Ok(terms)
    }

    #[test]
    fn without_tags_everything_is_asked_for_and_sent_nowhere() {
        for record in ["x=y", "v=spf1 -all", "rp=100", "rr=all", "rr=d:all", "rp=100; rr=all; q=z"]
        {
            let terms = parse(record).unwrap();
            assert_eq!(terms.address(&DomainName::parse("example.com").unwrap()), None);
            assert!(DkimIncident::ALL.iter().all(|incident| terms.asks_for(*incident)), "{record}");
            assert_eq!(terms.percentage(), 100);
        }
        assert_eq!(Terms::none().to_text(), "rr=all");
    }

    #[test]
    fn requests_are_words_and_unknown_ones_mean_nothing() {
        let asked = |record| {
            let terms = parse(record).unwrap();
            let asked = DkimIncident::ALL.iter().filter(|incident| terms.asks_for(**incident));
            asked.map(|incident| incident.word()).collect::<String>()
        };
        assert_eq!(asked("rr=v:x"), "vx");
        assert_eq!(asked("rr= d : o :p:s "), "dops");
        assert_eq!(asked("rr=u:zz:v-1"), "u");
        assert_eq!(asked("rr=zz"), "");
        // RFC 6376 §3.2: values are case-sensitive, unless their tag says otherwise.
        assert_eq!(asked("rr=V:ALL"), "");
        for bad in ["rr=", "rr=v:", "rr=:v", "rr=v::x", "rr=v x", "rr=-v", "rr=v;rr=x"] {
            assert!(parse(&format!("ra=a; {bad}")).is_err(), "{bad}");
        }
    }

    #[test]
    fn percentages_go_to_a_hundred() {
        for (value, percentage) in [("0", 0), ("007", 7), ("100", 100)] {
            let terms = parse(&format!("ra=a; rp={value}")).unwrap();
            assert_eq!(terms.percentage(), percentage);
            let sampled = (0..100).filter(|drawn| terms.samples(*drawn)).count();
            assert_eq!(sampled, usize::from(percentage), "{value}");
        }
        for bad in ["", "101", "0100", "-1", "5.0", "1 0", "999"] {
            let record = format!("ra=a; rp={bad}");
            assert_eq!(parse(&record), Err(TermsError::Invalid("rp")), "{bad}");
        }
        assert!(Terms::none().of_percentage(101).is_err());
    }

    #[test]
    fn addresses_are_local_parts_in_quoted_printable() {
        let address = |record| {
            let domain = DomainName::parse("example.com").unwrap();
            parse(record).map(|terms| terms.address(&domain).unwrap().to_string())
        };
        assert_eq!(address("ra=dkim-errors").unwrap(), "dkim-errors@example.com");
        assert_eq!(address("ra=a=2Bb").unwrap(), "a+b@example.com");
        assert_eq!(address("ra= a\r\n b ").unwrap(), "ab@example.com");
        for bad in [
            "ra=",
            "ra=a@b.example",
            "ra=a=40b.example",
            "ra=a=20b",
            "ra=a=0D=0ABcc:b",
            "ra==22a=0D=0A=20b=22",
            "ra=a=2",
            "ra=a,b",
            "ra==C3=BC",
            "ra==FF",
        ] {
            assert_eq!(address(bad), Err(TermsError::Invalid("ra")), "{bad}");
        }
        assert_eq!(Terms::parse(b""), Err(TermsError::TagList(TagListError::Empty)));
        let long = |octets: usize| format!("x={}", "y".repeat(octets - 2)).into_bytes();
        assert!(Terms::parse(&long(Terms::MAX_LEN)).is_ok());
        assert_eq!(Terms::parse(&long(Terms::MAX_LEN + 1)), Err(TermsError::TooLong));
    }

    #[test]
    fn what_is_said_in_smtp_ends_no_line() {
        let said = |record| parse(record).unwrap().smtp_text();
        let text = "rs=mail=20from=20example.com=20is=20signed";
        assert_eq!(said(text).unwrap(), "mail from example.com is signed");
        assert_eq!(said("rs=a=0D=0A250=20OK=00=C3=BC").unwrap(), "a  250 OK");
        assert_eq!(said("rs="), None);
        assert_eq!(said("rs==20"), None);
        assert_eq!(said("ra=a"), None);
        assert_eq!(said(&format!("rs={}", "x".repeat(1000))).unwrap().len(), MAX_REPLY);
        assert_eq!(parse("rs=a=g"), Err(TermsError::Invalid("rs")));
    }

    /// RFC 6651 appendix B.3
    #[test]
    fn an_adsp_record_states_terms() {
        let record = AdspRecord::parse(b"dkim=all; ra=dkim-adsp-errors; rr=u").unwrap();
        let terms = ReportTerms::of_adsp(&record).unwrap();
        assert!(terms.asks_for(AdspIncident::Unsigned));
        assert!(!terms.asks_for(AdspIncident::Signed));
        assert_eq!(terms.to_tags(), "ra=dkim-adsp-errors; rr=u");
        let record = AdspRecord::parse(b"dkim=all; ra=a; rp=200").unwrap();
        assert_eq!(ReportTerms::of_adsp(&record), Err(TermsError::Invalid("rp")));
    }

    /// RFC 6651 §3.2: "In the absence of an "ra=" tag, the "rp=" and "rr=" tags MUST be ignored".
    #[test]
    fn without_an_address_the_others_mean_nothing() {
        for record in ["rp=many; rs=hi", "rp=200; rs=hi", "rr=; rs=hi", "rr=v::x; rp=; rs=hi"] {
            let terms = parse(record).unwrap();
            assert_eq!(terms.smtp_text().as_deref(), Some("hi"), "{record}");
            assert_eq!(terms.percentage(), 100, "{record}");
            assert!(DkimIncident::ALL.iter().all(|incident| terms.asks_for(*incident)), "{record}");
        }
        let record = AdspRecord::parse(b"dkim=all; rp=200").unwrap();
        assert_eq!(ReportTerms::of_adsp(&record), Ok(ReportTerms::none()));
        // That of another tag is still an error.
        assert_eq!(parse("rp=many; rs=a=g"), Err(TermsError::Invalid("rs")));
    }

    #[test]
    fn records_are_ascii() {
        for record in ["ra=errors; n=caf\u{e9}", "ra=a; rs=caf\u{e9}", "ra=\u{fc}"] {
            assert_eq!(Terms::parse(record.as_bytes()), Err(TermsError::NotAscii), "{record}");
        }
        assert_eq!(Terms::parse(b"ra=a; n=caf\xe9"), Err(TermsError::NotAscii));
    }

    #[test]
    fn what_is_set_reads_back() {
        let terms = Terms::none()
            .to_local_part("\"a; b\"")
            .unwrap()
            .of_percentage(5)
            .unwrap()
            .about(&[DkimIncident::Verification, DkimIncident::UnknownTags])
            .with_smtp_text(b"a; b=c\r\n\xff");
        let text = terms.to_text();
        assert_eq!(text, "ra=\"a=3B=20b\"; rp=5; rr=v:u; rs=a=3B=20b=3Dc=0D=0A=FF");
        assert_eq!(parse(&text), Ok(terms));
    }
}
