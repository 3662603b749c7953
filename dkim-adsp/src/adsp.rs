//! The ADSP record: what an Author Domain says about the mail it sends (RFC 5617 §4.2.1).

use std::fmt;

use dkim_tags::{Tag, TagList, TagListError};

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
    const ALL: [Self; 3] = [Self::Unknown, Self::All, Self::Discardable];

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
/// let record = AdspRecord::parse(b"dkim=discardable; ra=postmaster")?;
/// assert_eq!(record.practices(), Adsp::Discardable);
/// assert_eq!(record.tag("ra"), Some("postmaster"));
/// # Ok::<(), dkim_adsp::AdspError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdspRecord {
    practices: Adsp,
    tags: Vec<(String, String)>,
}

impl AdspRecord {
    /// A record of more octets than this is refused.
    pub const MAX_OCTETS: usize = 16_384;

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
        if record.len() > Self::MAX_OCTETS {
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
        let list = TagList::parse(record)?;
        let practices = list.value("dkim").ok_or(AdspError::NotAdsp)?;
        if !is_hyphenated_word(practices) {
            return Err(AdspError::Practices);
        }
        let owned = |tag: &Tag<'_>| (tag.name().to_owned(), tag.value().to_owned());
        let others = list.tags().iter().filter(|tag| tag.name() != "dkim");
        Ok(Self { practices: Adsp::from_name(practices), tags: others.map(owned).collect() })
    }

    /// What the domain says about its mail.
    #[must_use]
    pub const fn practices(&self) -> Adsp {
        self.practices
    }

    /// The value of a tag other than `dkim=`. RFC 5617 knows none, so they say nothing here;
    /// extensions do, as RFC 6651 §4 with `ra=`, `rp=`, `rr=` and `rs=` for reports.
    #[must_use]
    pub fn tag(&self, name: &str) -> Option<&str> {
        self.tags.iter().find(|(tag, _)| tag == name).map(|(_, value)| value.as_str())
    }
}

fn is_hyphenated_word(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.ends_with(|c: char| c.is_ascii_alphanumeric())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
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
    /// A CR or LF, which this tag-list must not have.
    #[error("the record has a line end in it")]
    Folded,
    /// It is no tag-list.
    #[error("the record is no tag-list")]
    TagList(#[from] TagListError),
    /// More than [`AdspRecord::MAX_OCTETS`].
    #[error("the record has more than {} octets", AdspRecord::MAX_OCTETS)]
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
        let long = [b"dkim=all; x=".to_vec(), vec![b'y'; AdspRecord::MAX_OCTETS]].concat();
        assert_eq!(AdspRecord::parse(&long), Err(AdspError::TooLong));
    }
}
