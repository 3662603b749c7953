//! The ATPS record, with which an Author Domain lets somebody else sign for it, and where it stands
//! (RFC 6541 §4.3, §4.4).

use std::fmt;

use data_encoding::BASE32_NOPAD;
use dkim_crypto::Provider;
use dkim_tags::value::excerpt;
use dkim_tags::{Atps, AtpsHash, DomainName, InvalidName, Tag, TagList, TagListError, TagWriter};

/// The one version there is, the value of `v=`.
const VERSION: &str = "ATPS1";

/// A valid ATPS record.
///
/// ```
/// use dkim_adsp::AtpsRecord;
/// use dkim_tags::DomainName;
///
/// let record = AtpsRecord::parse(b"v=ATPS1; d=one.example.net")?;
/// assert!(record.authorizes(&DomainName::parse("One.example.net")?));
/// assert!(!record.authorizes(&DomainName::parse("two.example.net")?));
/// assert_eq!(record.to_text(), "v=ATPS1; d=one.example.net");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AtpsRecord {
    domain: Option<DomainName>,
    tags: Vec<(String, String)>,
}

impl AtpsRecord {
    /// A record of more octets than this is refused.
    pub const MAX_LEN: usize = 16_384;

    /// A record that lets this domain sign.
    #[must_use]
    pub fn new(authorized: &DomainName) -> Self {
        Self { domain: Some(authorized.in_a_labels()), tags: Vec::new() }
    }

    /// The name of the record with which the Author Domain of the claim would confirm it (RFC 6541
    /// §4.3), as the RFC writes it, without a closing dot. May exceed what the DNS can hold; no
    /// record is there then.
    ///
    /// ```
    /// use dkim_adsp::AtpsRecord;
    /// use dkim_crypto::{HashAlgorithm, ring::PROVIDER};
    /// use dkim_tags::{Atps, AtpsHash, DomainName};
    ///
    /// // RFC 6541 Appendix A.
    /// let sdid = DomainName::parse("one.example.net")?;
    /// let author_domain = DomainName::parse("example.com")?;
    /// let hash = AtpsHash::Hashed(HashAlgorithm::Sha1);
    /// assert_eq!(
    ///     AtpsRecord::name(&sdid, &Atps { author_domain, hash }, &PROVIDER)?,
    ///     "QSP4I4D24CRHOPDZ3O3ZIU2KSGS3X6Z6._atps.example.com"
    /// );
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// If the provider does not offer the hash.
    pub fn name(
        sdid: &DomainName,
        claim: &Atps,
        provider: &dyn Provider,
    ) -> Result<String, UnsupportedHash> {
        // Steps 2 and 3: a DomainName is in lower case.
        let sdid = sdid.as_str();
        let encoded = match claim.hash {
            AtpsHash::Hashed(hash) => {
                let mut digest = provider.digest(hash).ok_or(UnsupportedHash(claim.hash))?;
                digest.update(sdid.as_bytes());
                // Step 4. The name has no place for padding: `1*63BASE32`, where `BASE32 = ( ALPHA
                // / %x32-37 )`.
                BASE32_NOPAD.encode(digest.finish().as_bytes())
            }
            AtpsHash::Plain => sdid.to_owned(),
            other => return Err(UnsupportedHash(other)),
        };
        Ok(format!("{encoded}._atps.{}", claim.author_domain))
    }

    /// Reads a TXT record, its strings put together.
    ///
    /// ```abnf
    /// atps-d-tag = %x64 [FWS] "=" [FWS] domain-name
    /// atps-v-tag = %x76 [FWS] "=" [FWS] %x41.54.50.53.31
    /// ```
    /// in a tag-list (RFC 6376 §3.2), `v=` required, in any place.
    ///
    /// # Errors
    /// [`AtpsRecordError`], if the record does not follow the grammar, or is of another version; it
    /// is then to be ignored.
    pub fn parse(record: &[u8]) -> Result<Self, AtpsRecordError> {
        if record.len() > Self::MAX_LEN {
            return Err(AtpsRecordError::TooLong);
        }
        // RFC 8616 §5 lets UTF-8 into header fields, not into records.
        if !record.is_ascii() {
            return Err(AtpsRecordError::NotAscii);
        }
        let list = TagList::parse(record)?;
        match list.value("v") {
            Some(VERSION) => {}
            Some(version) => return Err(AtpsRecordError::Version(excerpt(version))),
            None => return Err(AtpsRecordError::NoVersion),
        }
        let domain = list.value("d").map(DomainName::parse).transpose()?;
        // Unfolded, as a record is written on one line.
        let owned = |tag: &Tag<'_>| (tag.name().to_owned(), tag.value().replace("\r\n", ""));
        let others = list.tags().iter().filter(|tag| !matches!(tag.name(), "v" | "d"));
        Ok(Self { domain, tags: others.map(owned).collect() })
    }

    /// Writes the record, twin of [`parse`](Self::parse).
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut writer = TagWriter::unfolded();
        writer.tag("v", [VERSION]);
        if let Some(domain) = &self.domain {
            writer.tag("d", [domain.as_str()]);
        }
        for (name, value) in &self.tags {
            writer.tag(name, [value.as_str()]);
        }
        writer.finish()
    }

    /// `d=`: who may sign, for people and to tell collisions of hashes; `None` where only the name
    /// of the record says so.
    #[must_use]
    pub fn domain(&self) -> Option<&DomainName> {
        self.domain.as_ref()
    }

    /// Whether the record, found at the name for this SDID, lets it sign.
    ///
    /// RFC 6541 §4.4 has `d=` compared with the domain "found in the "atps" tag", which names the
    /// other party; the domain "being authorized" is that of the signature's `d=`.
    #[must_use]
    pub fn authorizes(&self, sdid: &DomainName) -> bool {
        self.domain.as_ref().is_none_or(|domain| domain == sdid)
    }

    /// The value of a tag other than `v=` and `d=`. RFC 6541 knows none.
    #[must_use]
    pub fn tag(&self, name: &str) -> Option<&str> {
        self.tags.iter().find(|(tag, _)| tag == name).map(|(_, value)| value.as_str())
    }

    /// Adds a tag other than `v=` and `d=`.
    ///
    /// # Errors
    /// [`AtpsRecordError`], if the record would not be one with it; it then stays as it is.
    pub fn add_tag(&mut self, name: &str, value: &str) -> Result<(), AtpsRecordError> {
        let mut longer = self.clone();
        longer.tags.push((name.to_owned(), value.to_owned()));
        if Self::parse(longer.to_text().as_bytes())? != longer {
            return Err(AtpsRecordError::Tag);
        }
        *self = longer;
        Ok(())
    }
}

/// The cryptographic library does not offer the hash of a record's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnsupportedHash(pub AtpsHash);

impl fmt::Display for UnsupportedHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the cryptographic library does not offer {}", self.0)
    }
}

impl std::error::Error for UnsupportedHash {}

/// Why a TXT record is no valid ATPS record. What it tells of a value is no more than an
/// [`excerpt`](dkim_tags::value::excerpt).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AtpsRecordError {
    /// It is no tag-list.
    #[error("the record is no tag-list: {0}")]
    TagList(#[from] TagListError),
    /// There is no `v=`.
    #[error("the record has no tag v=")]
    NoVersion,
    /// `v=` is not `ATPS1`.
    #[error("version {0:?} is not \"ATPS1\"")]
    Version(String),
    /// `d=` holds no domain name.
    #[error("tag d= holds an invalid name: {0}")]
    Domain(#[from] InvalidName),
    /// What is to be added is no tag, or more than one.
    #[error("no single tag and its value")]
    Tag,
    /// Octets beyond ASCII.
    #[error("the record has octets that are not ASCII")]
    NotAscii,
    /// More than [`AtpsRecord::MAX_LEN`].
    #[error("the record has more than {} octets", AtpsRecord::MAX_LEN)]
    TooLong,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn records_say_who_may_sign() {
        for (record, domain) in [
            (&b"v=ATPS1"[..], None),
            (b"v=ATPS1; d=one.example.net", Some("one.example.net")),
            (b" d\t=\r\n One.Example.NET; x=y; v = ATPS1 ; ", Some("one.example.net")),
        ] {
            let record = AtpsRecord::parse(record).unwrap();
            assert_eq!(record.domain().map(DomainName::as_str), domain);
            assert!(record.authorizes(&DomainName::parse("one.example.net").unwrap()));
            let other = DomainName::parse("two.example.net").unwrap();
            assert_eq!(record.authorizes(&other), domain.is_none());
        }
    }

    #[test]
    fn what_is_no_record() {
        for (record, error) in [
            (&b""[..], "the record is no tag-list: an empty tag-list"),
            (b"d=one.example.net", "the record has no tag v="),
            (b"v=ATPS2; d=one.example.net", "version \"ATPS2\" is not \"ATPS1\""),
            (b"v=atps1", "version \"atps1\" is not \"ATPS1\""),
            (b"v=DKIM1; p=", "version \"DKIM1\" is not \"ATPS1\""),
            (
                b"v=ATPS1; d=",
                "tag d= holds an invalid name: an empty label: a dot at an end, two in a row, or nothing at all",
            ),
            (
                b"v=ATPS1; v=ATPS1",
                "the record is no tag-list: tag v= occurs twice, the second time at octet 8",
            ),
            (b"v=ATPS1; n=caf\xc3\xa9", "the record has octets that are not ASCII"),
        ] {
            assert_eq!(AtpsRecord::parse(record).unwrap_err().to_string(), error);
        }
        let start = "v=ATPS1; x=";
        let long = |octets| format!("{start}{}", "y".repeat(octets - start.len())).into_bytes();
        assert!(AtpsRecord::parse(&long(AtpsRecord::MAX_LEN)).is_ok());
        let long = long(AtpsRecord::MAX_LEN + 1);
        assert_eq!(AtpsRecord::parse(&long), Err(AtpsRecordError::TooLong));
    }

    #[test]
    fn what_is_written_reads_as_the_same_record() {
        for (octets, text) in [
            (&b"v=ATPS1"[..], "v=ATPS1"),
            (b"x=a\r\n b; d=A.example;v=ATPS1;", "v=ATPS1; d=a.example; x=a b"),
        ] {
            let record = AtpsRecord::parse(octets).unwrap();
            assert_eq!(record.to_text(), text);
            assert_eq!(AtpsRecord::parse(text.as_bytes()), Ok(record));
        }
        let mut record = AtpsRecord::new(&DomainName::parse("b\u{fc}cher.example").unwrap());
        record.add_tag("n", "a b").unwrap();
        assert_eq!(record.tag("n"), Some("a b"));
        assert_eq!(record.tag("v"), None);
        assert_eq!(record.to_text(), "v=ATPS1; d=xn--bcher-kva.example; n=a b");
        assert_eq!(AtpsRecord::parse(record.to_text().as_bytes()), Ok(record.clone()));
        let before = record.clone();
        for (name, value) in
            [("n", ""), ("v", "ATPS1"), ("d", "x"), ("y", "a;b=c"), ("y", "a\r\n b")]
        {
            assert!(record.add_tag(name, value).is_err(), "{name}={value}");
            assert_eq!(record, before);
        }
    }
}
