//! The ADSP record: what an Author Domain says about the mail it sends (RFC 5617 §4.2.1).

use std::fmt;

use dkim_tags::value::is_hyphenated_word;
use dkim_tags::{DomainName, Tag, TagList, TagListError, TagWriter};

/// Outbound signing practices, the value of `dkim=`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Adsp {
    /// "The domain might sign some or all email."
    Unknown,
    /// "All mail from the domain is signed with an Author Domain Signature."
    All,
    /// As [`All`](Self::All), and what arrives without one may be discarded.
    Discardable,
}

impl Adsp {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Unknown, Self::All, Self::Discardable];

    /// What it means, in words of RFC 5617 §4.2.1.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Unknown => "the domain might sign some or all email",
            Self::All => "all mail from the domain is signed with an Author Domain Signature",
            Self::Discardable => {
                "all mail from the domain is signed with an Author Domain Signature, and what \
                 arrives without one may be discarded"
            }
        }
    }

    /// The word in the record.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::All => "all",
            Self::Discardable => "discardable",
        }
    }

    /// What a value of `dkim=` says. RFC 5617 §4.2.1: "any other values are treated as `unknown`".
    ///
    /// Case: the ABNF's literals would match in any, but RFC 6376 §3.2 has values "processed as
    /// case sensitive unless the specific tag description" says otherwise, and it does not. So
    /// `ALL` is another value.
    #[must_use]
    pub fn from_name(name: &str) -> Self {
        Self::ALL.into_iter().find(|practices| practices.name() == name).unwrap_or(Self::Unknown)
    }
}

impl fmt::Display for Adsp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A valid ADSP record.
///
/// ```
/// use dkim_adsp::{Adsp, AdspRecord};
///
/// let record = AdspRecord::parse(b"dkim = discardable; ra=postmaster")?;
/// assert_eq!(record.practices(), Adsp::Discardable);
/// assert_eq!(record.tag("ra"), Some("postmaster"));
/// assert_eq!(record.to_text(), "dkim=discardable; ra=postmaster");
/// # Ok::<(), dkim_adsp::AdspError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdspRecord {
    /// The value of `dkim=`, a hyphenated-word.
    word: String,
    tags: Vec<(String, String)>,
}

impl AdspRecord {
    /// A record of more octets than this is refused.
    pub const MAX_LEN: usize = 16_384;

    /// A record that says this and nothing else.
    #[must_use]
    pub fn new(practices: Adsp) -> Self {
        Self { word: practices.name().to_owned(), tags: Vec::new() }
    }

    /// The name at which an Author Domain publishes its record (RFC 5617 §4.3): ASCII, lower case,
    /// without a closing dot. May exceed what the DNS can hold; no record is there then.
    ///
    /// ```
    /// use dkim_adsp::AdspRecord;
    /// use dkim_tags::DomainName;
    ///
    /// let name = AdspRecord::name(&DomainName::parse("Sub.Domain.example")?);
    /// assert_eq!(name, "_adsp._domainkey.sub.domain.example");
    /// # Ok::<(), dkim_tags::InvalidName>(())
    /// ```
    #[must_use]
    pub fn name(author_domain: &DomainName) -> String {
        format!("_adsp._domainkey.{author_domain}")
    }

    /// Reads a TXT record, its strings put together.
    ///
    /// ```abnf
    /// adsp-dkim-tag   = %x64.6b.69.6d *WSP "=" *WSP
    ///                   ("unknown" / "all" / "discardable" / x-adsp-dkim-tag)
    /// x-adsp-dkim-tag = hyphenated-word
    /// hyphenated-word = ALPHA [ *(ALPHA / DIGIT / "-") (ALPHA / DIGIT) ]
    /// ```
    /// as the first tag of a tag-list (RFC 6376 §3.2) with WSP in place of FWS.
    ///
    /// # Errors
    /// [`AdspError`], if the record does not follow the grammar; it then counts as absent (RFC
    /// 5617 §4.1).
    pub fn parse(record: &[u8]) -> Result<Self, AdspError> {
        if record.len() > Self::MAX_LEN {
            return Err(AdspError::TooLong);
        }
        // RFC 5617 §4.2.1: "the first four characters of the record are lowercase `dkim`, followed
        // by optional whitespace and `=`".
        let after_name = record.strip_prefix(b"dkim").ok_or(AdspError::NotAdsp)?;
        if after_name.iter().find(|octet| !matches!(octet, b' ' | b'\t')) != Some(&b'=') {
            return Err(AdspError::NotAdsp);
        }
        // RFC 5617 §4.1: "modified to use whitespace (WSP) rather than folding whitespace (FWS)".
        if record.iter().any(|octet| matches!(octet, b'\r' | b'\n')) {
            return Err(AdspError::Folded);
        }
        // RFC 8616 §5 lets UTF-8 into header fields, not into records.
        if !record.is_ascii() {
            return Err(AdspError::NotAscii);
        }
        let list = TagList::parse(record)?;
        let practices = list.value("dkim").ok_or(AdspError::NotAdsp)?;
        if !is_hyphenated_word(practices) {
            return Err(AdspError::Practices);
        }
        let owned = |tag: &Tag<'_>| (tag.name().to_owned(), tag.value().to_owned());
        let others = list.tags().iter().filter(|tag| tag.name() != "dkim");
        Ok(Self { word: practices.to_owned(), tags: others.map(owned).collect() })
    }

    /// Writes the record, twin of [`parse`](Self::parse).
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut writer = TagWriter::unfolded();
        writer.tag("dkim", [self.word.as_str()]);
        for (name, value) in &self.tags {
            writer.tag(name, [value.as_str()]);
        }
        writer.finish()
    }

    /// What the domain says about its mail.
    #[must_use]
    pub fn practices(&self) -> Adsp {
        Adsp::from_name(&self.word)
    }

    /// The value of `dkim=` as written. What RFC 5617 does not know means `unknown`.
    #[must_use]
    pub fn word(&self) -> &str {
        &self.word
    }

    /// The value of a tag other than `dkim=`. RFC 5617 knows none, so they say nothing here;
    /// extensions do, as RFC 6651 §4 with `ra=`, `rp=`, `rr=` and `rs=` for reports.
    #[must_use]
    pub fn tag(&self, name: &str) -> Option<&str> {
        self.tags.iter().find(|(tag, _)| tag == name).map(|(_, value)| value.as_str())
    }

    /// Adds a tag other than `dkim=`.
    ///
    /// # Errors
    /// [`AdspError`], if the record would not be one with it; it then stays as it is.
    pub fn add_tag(&mut self, name: &str, value: &str) -> Result<(), AdspError> {
        let mut longer = self.clone();
        longer.tags.push((name.to_owned(), value.to_owned()));
        if Self::parse(longer.to_text().as_bytes())? != longer {
            return Err(AdspError::Tag);
        }
        *self = longer;
        Ok(())
    }
}

/// Why a TXT record is no valid ADSP record.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AdspError {
    /// It does not begin with the tag `dkim=`: no ADSP record at all.
    #[error("the record does not begin with dkim=")]
    NotAdsp,
    /// The value of `dkim=` is no hyphenated-word.
    #[error("the value of dkim= is no word")]
    Practices,
    /// What is to be added is no tag, or more than one.
    #[error("no single tag and its value")]
    Tag,
    /// Octets beyond ASCII.
    #[error("the record has octets that are not ASCII")]
    NotAscii,
    /// A CR or LF, which this tag-list must not have.
    #[error("the record has a line end in it")]
    Folded,
    /// It is no tag-list.
    #[error("the record is no tag-list")]
    TagList(#[from] TagListError),
    /// More than [`AdspRecord::MAX_LEN`].
    #[error("the record has more than {} octets", AdspRecord::MAX_LEN)]
    TooLong,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn practices() {
        for (record, practices) in [
            (&b"dkim=unknown"[..], Adsp::Unknown),
            (b"dkim=all", Adsp::All),
            (b"dkim=discardable", Adsp::Discardable),
            (b"dkim \t=\t all ; x=y;", Adsp::All),
            (b"dkim=all; dkim2=x; DKIM=no", Adsp::All),
            (b"dkim=something-else", Adsp::Unknown),
            (b"dkim=ALL", Adsp::Unknown),
            (b"dkim=all; r=a.b; ra=", Adsp::All),
        ] {
            assert_eq!(AdspRecord::parse(record).unwrap().practices(), practices, "{record:?}");
        }
        for practices in Adsp::ALL {
            assert_eq!(Adsp::from_name(practices.name()), practices);
        }
    }

    /// RFC 5617 §4.2.1.
    #[test]
    fn practices_are_told_in_words_of_the_rfc() {
        let all = "all mail from the domain is signed with an Author Domain Signature";
        assert_eq!(Adsp::Unknown.meaning(), "the domain might sign some or all email");
        assert_eq!(Adsp::All.meaning(), all);
        let more = Adsp::Discardable.meaning().strip_prefix(all).unwrap();
        assert_eq!(more, ", and what arrives without one may be discarded");
    }

    #[test]
    fn tags_of_extensions_are_kept() {
        let record = AdspRecord::parse(b"dkim=all; r=y; ra=post=20master; rs=").unwrap();
        assert_eq!(record.tag("r"), Some("y"));
        assert_eq!(record.tag("ra"), Some("post=20master"));
        assert_eq!(record.tag("rs"), Some(""));
        assert_eq!(record.tag("dkim"), None);
        assert_eq!(record.tag("RA"), None);
    }

    #[test]
    fn what_is_written_reads_as_the_same_record() {
        for practices in Adsp::ALL {
            let record = AdspRecord::new(practices);
            assert_eq!(record.to_text(), format!("dkim={practices}"));
            assert_eq!(record.practices(), practices);
            assert_eq!(AdspRecord::parse(record.to_text().as_bytes()), Ok(record));
        }
        for (octets, text) in [
            (&b"dkim=x-New1; b=; a=1 \t2;"[..], "dkim=x-New1; b=; a=1 \t2"),
            (b"dkim \t= \tall\t; x = y ; ", "dkim=all; x=y"),
        ] {
            let record = AdspRecord::parse(octets).unwrap();
            assert_eq!(record.to_text(), text);
            assert_eq!(AdspRecord::parse(text.as_bytes()), Ok(record));
        }
        assert_eq!(AdspRecord::parse(b"dkim=x-New1").unwrap().word(), "x-New1");
    }

    #[test]
    fn tags_are_added_one_by_one() {
        let mut record = AdspRecord::new(Adsp::All);
        record.add_tag("ra", "postmaster").unwrap();
        record.add_tag("x", "a b=c").unwrap();
        assert_eq!(record.to_text(), "dkim=all; ra=postmaster; x=a b=c");
        let before = record.clone();
        for (name, value) in [
            ("ra", "again"),
            ("dkim", "all"),
            ("", ""),
            ("9", "x"),
            ("y", "a;z=b"),
            ("y", " a"),
            ("y", "a\r\n b"),
            ("y", "\u{fc}"),
            ("y", "\0"),
            ("y", &"x".repeat(AdspRecord::MAX_LEN)),
        ] {
            assert!(record.add_tag(name, value).is_err(), "{name}={value}");
            assert_eq!(record, before);
        }
    }

    #[test]
    fn what_is_no_record() {
        for record in [
            &b""[..],
            b" dkim=all",
            b"DKIM=all",
            b"Dkim=all",
            b"dkimx=all",
            b"dkimx=1; dkim=all",
            b"t=y; dkim=all",
            b"v=spf1 -all",
            b"v=DKIM1; p=",
            b"dkim",
            b"dkim all",
        ] {
            assert_eq!(AdspRecord::parse(record), Err(AdspError::NotAdsp), "{record:?}");
        }
        for record in
            [&b"dkim="[..], b"dkim=all discardable", b"dkim=-all", b"dkim=all-", b"dkim=1"]
        {
            assert_eq!(AdspRecord::parse(record), Err(AdspError::Practices), "{record:?}");
        }
        for record in [&b"dkim=all\r\n ; x=y"[..], b"dkim\r\n =all", b"dkim=all\n"] {
            let error = AdspRecord::parse(record).unwrap_err();
            assert!(matches!(error, AdspError::Folded | AdspError::NotAdsp), "{record:?}");
        }
        for record in [&b"dkim=all; dkim=all"[..], b"dkim=all; =", b"dkim=all;; x=y", b"dkim=all\0"]
        {
            let error = AdspRecord::parse(record).unwrap_err();
            assert!(matches!(error, AdspError::TagList(_)), "{record:?}");
        }
        let beyond_ascii = "dkim=all; n=caf\u{e9}".as_bytes();
        assert_eq!(AdspRecord::parse(beyond_ascii), Err(AdspError::NotAscii));
        let start = "dkim=all; x=";
        let long = |octets| format!("{start}{}", "y".repeat(octets - start.len())).into_bytes();
        assert!(AdspRecord::parse(&long(AdspRecord::MAX_LEN)).is_ok());
        let over = AdspRecord::parse(&long(AdspRecord::MAX_LEN + 1));
        assert_eq!(over, Err(AdspError::TooLong));
    }
}
