//! Whether a published key record serves both DKIM and DomainKeys (RFC 5863 §A.1.1.1).

use dkim_crypto::{HashAlgorithm, KeyType, PublicKey};
use dkim_keyrec::{KeyRecord, KeyRecordError};
use dkim_tags::value::excerpt;

use crate::DomainKey;

/// What a key record is to DKIM and to DomainKeys.
///
/// ```
/// use dkim_domainkeys::{Compatibility, Finding};
///
/// let found = Compatibility::of(b"v=DKIM1; g=; k=rsa; p=");
/// assert!(found.findings().contains(&Finding::EmptyGranularity));
/// assert!(!found.serves_both());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compatibility {
    findings: Vec<Finding>,
}

impl Compatibility {
    /// Looks at a record, the strings of the TXT record put together.
    #[must_use]
    pub fn of(record: &[u8]) -> Self {
        let both = DomainKey::parse(record).and_then(|key| Ok((key, KeyRecord::parse(record)?)));
        let (key, record) = match &both {
            Ok((key, record)) => (key, record),
            Err(error) => return Self { findings: vec![Finding::NoKeyRecord(error.clone())] },
        };
        let findings = [
            of_granularity(key),
            (!record.versioned).then_some(Finding::NoVersion),
            of_key(record),
            // RFC 8301 §3.1: what DKIM still takes is signed with SHA-256.
            (!record.allows_hash(HashAlgorithm::Sha256)).then_some(Finding::NoSha256),
            (!record.allows_email()).then_some(Finding::OtherService),
        ];
        Self { findings: findings.into_iter().flatten().collect() }
    }

    /// Everything there is to say.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Whether verifiers of both take signatures by this key, and mean the same by the record.
    #[must_use]
    pub fn serves_both(&self) -> bool {
        !self.findings.iter().any(Finding::is_obstacle)
    }
}

fn of_granularity(key: &DomainKey) -> Option<Finding> {
    match key.granularity()? {
        "*" => None,
        "" => Some(Finding::EmptyGranularity),
        pattern if pattern.contains('*') => Some(Finding::WildcardGranularity(excerpt(pattern))),
        local_part => Some(Finding::Granularity(excerpt(local_part))),
    }
}

fn of_key(record: &KeyRecord) -> Option<Finding> {
    let Some(key) = &record.key else { return Some(Finding::Revoked) };
    let bits = key.bits();
    if key.key_type() != KeyType::Rsa {
        Some(Finding::NotRsa(key.key_type()))
    } else if bits < PublicKey::MIN_RSA_BITS {
        Some(Finding::ShortKey { bits })
    } else {
        None
    }
}

/// Something about a key record that matters to who uses it for both.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Finding {
    /// It is no key record that either could use.
    #[error("no usable key record: {0}")]
    NoKeyRecord(KeyRecordError),
    /// `g=` is empty.
    #[error(
        "g= is empty: to DomainKeys that is any sender, to DKIM by RFC 4871 nobody, to DKIM by \
         RFC 6376 nothing"
    )]
    EmptyGranularity,
    /// `g=` has a `*` among other characters.
    #[error(
        "g={0} is a pattern to DKIM by RFC 4871, and a local-part with an asterisk to DomainKeys"
    )]
    WildcardGranularity(String),
    /// `g=` is a local-part.
    #[error(
        "g={0} must be the local-part of the From or Sender field for DomainKeys, of i= for DKIM \
         by RFC 4871, and is nothing to DKIM by RFC 6376"
    )]
    Granularity(String),
    /// There is no `v=`.
    #[error("v= is missing, which both allow and DKIM advises against")]
    NoVersion,
    /// `p=` is empty.
    #[error("the key was revoked")]
    Revoked,
    /// The key is not an RSA key.
    #[error("a key of type {0} is of no use to DomainKeys")]
    NotRsa(KeyType),
    /// The key is too short for DKIM.
    #[error("a key of {bits} bits is too short for DKIM, which asks for 1024 at least (RFC 8301)")]
    ShortKey {
        /// Its length in bits.
        bits: u32,
    },
    /// `h=` does not allow SHA-256 (RFC 6376 §3.6.1), which DKIM asks for (RFC 8301 §3.1).
    /// DomainKeys does not look at it.
    #[error("h= does not allow sha256 to DKIM, which takes no other hash (RFC 8301)")]
    NoSha256,
    /// `s=` does not allow electronic mail, which DomainKeys does not look at.
    #[error("s= does not allow electronic mail to DKIM")]
    OtherService,
}

impl Finding {
    /// A stable code in kebab-case for machines.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoKeyRecord(_) => "no-key-record",
            Self::EmptyGranularity => "empty-granularity",
            Self::WildcardGranularity(_) => "wildcard-granularity",
            Self::Granularity(_) => "granularity",
            Self::NoVersion => "no-version",
            Self::Revoked => "key-revoked",
            Self::NotRsa(_) => "key-type",
            Self::ShortKey { .. } => "key-weak",
            Self::NoSha256 => "key-hash",
            Self::OtherService => "key-service",
        }
    }

    /// Whether it keeps the record from serving both; else it is advice.
    #[must_use]
    pub const fn is_obstacle(&self) -> bool {
        // RFC 5863 §A.1.1.1: without an empty `g=`, "it's probable that the record can be left
        // alone. But the best course of action would still be to make sure that it has a "v"
        // field." That `g=` names different addresses "might or might not affect transition".
        !matches!(self, Self::NoVersion | Self::Granularity(_))
    }

    /// What a person does about it.
    #[must_use]
    pub const fn remedy(&self) -> &'static str {
        match self {
            Self::NoKeyRecord(_) => "publish a key record, alone at its name",
            Self::EmptyGranularity => "take g= out, which means any sender to both",
            Self::WildcardGranularity(_) => {
                "take g= out, or publish a record of its own for each of the two"
            }
            Self::Granularity(_) => "sign with an i= of the same local-part, or take g= out",
            Self::NoVersion => "put v=DKIM1 first",
            Self::Revoked | Self::NotRsa(_) | Self::ShortKey { .. } => {
                "publish an RSA key of 2048 bits under a selector of its own"
            }
            Self::NoSha256 => "take h= out, or add sha256",
            Self::OtherService => "take s= out, or add email",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDwIRP/UC3SBsEmGqZ9ZJW3/DkMoGeLnQg1\
                       fWn7/zYtIxN2SnFCjxOCKG9v3b4jYfcTNh5ijSsq631uBItLa7od+v/RtdC2UzJ1lWT947qR+Rc\
                       ac2gbto/NMqJ0fzfVjH4OuKhitdY9tf6mcwGjaNBcWToIMmPSPDdQPNUYckcQ2QIDAQAB";

    #[test]
    fn what_both_mean_the_same_by_serves_both() {
        for (terms, codes, serves) in [
            ("v=DKIM1; ", &[][..], true),
            ("v=DKIM1; g=*; t=y:s; h=sha1:sha256; s=email; n=x; ", &[], true),
            ("", &["no-version"], true),
            ("k=rsa; ", &["no-version"], true),
            ("g=; ", &["empty-granularity", "no-version"], false),
            ("v=DKIM1; g=; ", &["empty-granularity"], false),
            ("v=DKIM1; g= ; ", &["empty-granularity"], false),
            ("v=DKIM1; g=joe; ", &["granularity"], true),
            ("v=DKIM1; g=joe+*; ", &["wildcard-granularity"], false),
            ("v=DKIM1; h=sha1; ", &["key-hash"], false),
            ("v=DKIM1; h=sha512; s=tlsrpt; ", &["key-hash", "key-service"], false),
            ("v=DKIM1; h=sha256; ", &[], true),
            ("v=DKIM1; s=tlsrpt; ", &["key-service"], false),
            ("v=DKIM2; ", &["no-key-record"], false),
        ] {
            let found = Compatibility::of(format!("{terms}{KEY}").as_bytes());
            let told: Vec<_> = found.findings().iter().map(Finding::code).collect();
            assert_eq!((told.as_slice(), found.serves_both()), (codes, serves), "{terms}");
        }
        for (record, code) in [
            ("v=DKIM1; p=", "key-revoked"),
            ("v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=", "key-type"),
            // RFC 4870 §3.2.3: 768 bits.
            (
                "v=DKIM1; p=MHwwDQYJKoZIhvcNAQEBBQADawAwaAJhAKJ2lzDLZ8XlVambQfMXn3LRGKOD5o6lMIgul\
                 clWjZwP56LRqdg5ZX15bhc/GsvW8xW/R5Sh1NnkJNyL/cqY1a+GzzL47t7EXzVc+nRLWT1kwTvFNGIoAU\
                 sFUq+J6+OprwIDAQAB",
                "key-weak",
            ),
            ("hello", "no-key-record"),
        ] {
            let found = Compatibility::of(record.as_bytes());
            let told: Vec<_> = found.findings().iter().map(Finding::code).collect();
            assert_eq!((told.as_slice(), found.serves_both()), (&[code][..], false), "{record}");
        }
    }
}
