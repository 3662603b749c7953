//! What is to be published, and where.

use dkim_keyrec::{KeyRecord, record_name};
use dkim_tags::{DomainName, Selector};

/// A key record with its place in the DNS.
///
/// ```
/// use dkim_keyrec::KeyRecord;
/// use dkim_keys::{Form, Publication};
/// use dkim_tags::{DomainName, Selector};
///
/// let record = KeyRecord::parse(b"v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=")?;
/// let (selector, domain) = (Selector::parse("e2024")?, DomainName::parse("example.com")?);
/// let publication = Publication::new(selector, domain, &record);
/// assert_eq!(
///     Form::Zone.write(&publication),
///     "e2024._domainkey.example.com. 3600 IN TXT (\n    \
///      \"v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\" )\n"
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Publication {
    /// The selector.
    pub selector: Selector,
    /// The SDID, which is taken for the zone where a form asks for one.
    pub domain: DomainName,
    /// The record, on one line.
    pub text: String,
    /// How long resolvers may keep it, in seconds.
    pub ttl: u32,
}

impl Publication {
    /// An hour: long enough for caches to help, short enough for an emergency.
    pub const TTL: u32 = 3600;

    /// Octets in one string of a TXT record (RFC 1035 §3.3.14).
    const STRING: usize = 255;

    /// A record to be published for an hour at a time.
    #[must_use]
    pub fn new(selector: Selector, domain: DomainName, record: &KeyRecord) -> Self {
        Self { selector, domain, text: record.to_text(), ttl: Self::TTL }
    }

    /// The name under which it stands, without a closing dot.
    #[must_use]
    pub fn name(&self) -> String {
        record_name(&self.selector, &self.domain)
    }

    /// The name seen from the domain: `S._domainkey`.
    #[must_use]
    pub fn relative_name(&self) -> String {
        format!("{}._domainkey", self.selector.as_str())
    }

    /// The strings that the TXT record holds: all the text, 255 octets at a time. A record is ASCII.
    pub fn strings(&self) -> impl Iterator<Item = &str> {
        let chunks = self.text.as_bytes().chunks(Self::STRING);
        chunks.map(|chunk| std::str::from_utf8(chunk).unwrap_or_default())
    }
}
