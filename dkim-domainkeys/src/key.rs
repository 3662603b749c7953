//! The key record as DomainKeys reads it (RFC 4870 §3.2.3).

use dkim_keyrec::{KeyRecord, KeyRecordError};
use dkim_tags::TagList;

/// A key record, which DomainKeys shares with DKIM, and the one tag that is not the same to both.
///
/// What DKIM has added (`v=`, `h=`, `s=`, `t=s`) "DK needs to ignore" (RFC 5863 §A.1.1.1), even where
/// DKIM cannot read it; but a record of another version is none.
///
/// ```
/// use dkim_domainkeys::DomainKey;
///
/// let key = DomainKey::parse(b"g=joe; k=rsa; p=")?;
/// assert!(key.allows("joe") && !key.allows("Joe"));
/// assert!(DomainKey::parse(b"g=; k=rsa; p=")?.allows("anyone"));
/// # Ok::<(), dkim_keyrec::KeyRecordError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DomainKey {
    record: KeyRecord,
    granularity: Option<String>,
}

impl DomainKey {
    /// Reads a record, the strings of the TXT record put together (RFC 4870 §9).
    ///
    /// # Errors
    ///
    /// As [`KeyRecord::parse`].
    pub fn parse(record: &[u8]) -> Result<Self, KeyRecordError> {
        let read = KeyRecord::parse(record);
        let tags = TagList::parse(record)?;
        let read = match read {
            Err(KeyRecordError::Invalid("h" | "s" | "t")) => {
                KeyRecord::parse(without_additions(&tags).as_bytes())
            }
            read => read,
        };
        Ok(Self { record: read?, granularity: tags.value("g").map(str::to_owned) })
    }

    /// What DKIM reads of it; without `h=`, `s=` and an empty `t=` where they keep DKIM from reading it.
    #[must_use]
    pub const fn record(&self) -> &KeyRecord {
        &self.record
    }

    /// [`record`](Self::record).
    #[must_use]
    pub fn into_record(self) -> KeyRecord {
        self.record
    }

    /// `g=`: as written, `None` if the tag is absent.
    #[must_use]
    pub fn granularity(&self) -> Option<&str> {
        self.granularity.as_deref()
    }

    /// Whether the key is for one local-part only.
    #[must_use]
    pub fn is_for_one_address(&self) -> bool {
        // RFC 4870 §3.2.3: "If present with a non-zero length value". `*` would be a local-part by
        // that; but those who publish it have read RFC 4871 §3.6.1, where it means anybody.
        self.granularity.as_deref().is_some_and(|granularity| !matches!(granularity, "" | "*"))
    }

    /// Whether the key is for this local-part: `g=` "MUST exactly match the local part of the
    /// sending address". There are no wildcards, as there were in DKIM (RFC 5863 §A.1.1.1).
    #[must_use]
    pub fn allows(&self, local_part: &str) -> bool {
        let named = self.granularity.as_deref().unwrap_or_default();
        !self.is_for_one_address() || named == local_part
    }
}

/// The record without the tags that only DKIM knows, and without flags if there are none. RFC 4870 §A:
/// values may be empty.
fn without_additions(tags: &TagList<'_>) -> String {
    let all = tags.tags().iter().map(|tag| (tag.name(), tag.value()));
    let own = all.filter(|(name, value)| match *name {
        "h" | "s" => false,
        "t" => !value.is_empty(),
        _ => true,
    });
    own.map(|(name, value)| format!("{name}={value};")).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn granularity_is_the_local_part_or_anybody() {
        for (tag, joe, star) in [
            ("", true, true),
            ("g=;", true, true),
            ("g= \t;", true, true),
            ("g=*;", true, true),
            ("g=joe;", true, false),
            ("g= joe ;", true, false),
            ("g=JOE;", false, false),
            ("g=j*;", false, false),
            ("g=jo e;", false, false),
        ] {
            let key = DomainKey::parse(format!("{tag} k=rsa; p=").as_bytes()).unwrap();
            assert_eq!((key.allows("joe"), key.allows("*")), (joe, star), "{tag}");
        }
    }

    #[test]
    fn what_dkim_added_is_ignored() {
        for terms in ["v=DKIM1; ", "h=sha256; ", "s=tlsrpt; ", "t=s; ", "z=anything; "] {
            assert!(DomainKey::parse(format!("{terms}p=").as_bytes()).is_ok(), "{terms}");
        }
        // What DKIM refuses.
        for terms in ["s=; ", "h=-; ", "h=; s=a b; ", "t=; ", "t= ; s=; g=joe; "] {
            let text = format!("{terms}n=a; p=");
            assert!(KeyRecord::parse(text.as_bytes()).is_err(), "{terms}");
            let key = DomainKey::parse(text.as_bytes()).unwrap();
            assert_eq!(key.granularity().is_some(), terms.contains("joe"));
            assert_eq!(key.record().notes(), Some("a"));
        }
        // What neither may: the rest is read as ever, and no tag left out makes it shorter or ASCII.
        let long = format!("s={}; ", " x".repeat(KeyRecord::MAX_LEN / 2));
        for terms in ["t=y:; ", "k=; ", "s=; v=DKIM1; ", "v=DKIM2; s=; ", "s=\u{fc}; ", &long] {
            assert!(DomainKey::parse(format!("{terms}p=").as_bytes()).is_err(), "{terms}");
        }
        assert!(DomainKey::parse(b"v=DKIM2; p=").is_err());
        assert!(DomainKey::parse(b"v=spf1 -all").is_err());
    }
}
