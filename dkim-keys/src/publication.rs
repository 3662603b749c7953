//! What is to be published, and where.

use std::iter;

use dkim_keyrec::{KeyRecord, record_name};
use dkim_tags::{DomainName, Selector};

/// A TXT record with its place in the DNS: a key record, or what else a domain says about mail.
///
/// ```
/// use dkim_keyrec::KeyRecord;
/// use dkim_keys::{Form, Publication};
/// use dkim_tags::{DomainName, Selector};
///
/// let record = KeyRecord::parse(b"v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=")?;
/// let (selector, domain) = (Selector::parse("e2024")?, DomainName::parse("example.com")?);
/// let publication = Publication::new(&selector, &domain, &record)?;
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
    /// The name, in ASCII and without a closing dot.
    pub name: String,
    /// The domain that the name is in, which is taken for the zone where a form asks for one.
    pub domain: DomainName,
    /// The record, on one line.
    pub text: String,
    /// How long resolvers may keep it, in seconds.
    pub ttl: u32,
}

impl Publication {
    /// An hour: long enough for caches to help, short enough for an emergency.
    pub const TTL: u32 = 3600;

    /// The longest that can be told, in seconds: 31 bits (RFC 2181 §8).
    pub const MAX_TTL: u32 = 0x7fff_ffff;

    /// Octets in one string of a TXT record (RFC 1035 §3.3.14).
    const STRING: usize = 255;

    /// A key record, to be kept for an hour.
    ///
    /// # Errors
    ///
    /// When the DNS has no room for its name: selector and domain are too long together.
    pub fn new(
        selector: &Selector,
        domain: &DomainName,
        record: &KeyRecord,
    ) -> Result<Self, NameTooLong> {
        Self::of(record_name(selector, domain), domain, record.to_text())
    }

    /// Any text at a name in a domain, to be kept for an hour.
    ///
    /// # Errors
    ///
    /// When the DNS has no room for the name.
    pub fn of(name: String, domain: &DomainName, text: String) -> Result<Self, NameTooLong> {
        let name = NameTooLong::unless_it_fits(name)?;
        Ok(Self { name, domain: domain.clone(), text, ttl: Self::TTL })
    }

    /// The name seen from the domain, such as `S._domainkey`.
    #[must_use]
    pub fn relative_name(&self) -> &str {
        let name = self.name.strip_suffix(self.domain.as_str());
        name.and_then(|name| name.strip_suffix('.')).unwrap_or(&self.name)
    }

    /// The strings that the TXT record holds: all the text, 255 octets at a time, or fewer where that
    /// would cut a character of a text that is not ASCII, as records are.
    pub fn strings(&self) -> impl Iterator<Item = &str> {
        let mut rest = &*self.text;
        iter::from_fn(move || {
            let mut ends = (0..=Self::STRING.min(rest.len())).rev();
            let (string, after) = rest.split_at(ends.find(|end| rest.is_char_boundary(*end))?);
            rest = after;
            (!string.is_empty()).then_some(string)
        })
    }
}

/// A name that the DNS has no room for: nothing can be published there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name}: longer than the {} octets of a name in the DNS", DomainName::MAX_LEN)]
#[non_exhaustive]
pub struct NameTooLong {
    /// The name.
    pub name: String,
}

impl NameTooLong {
    /// The name, without a closing dot, if the DNS has room for it.
    ///
    /// # Errors
    ///
    /// When it has not.
    pub fn unless_it_fits(name: String) -> Result<String, Self> {
        if name.len() > DomainName::MAX_LEN { Err(Self { name }) } else { Ok(name) }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn names_have_253_octets() {
        let domain = DomainName::parse("example.com").unwrap();
        for (octets, fits) in [(253, true), (254, false)] {
            let name = format!("{}.example.com", "a".repeat(octets - ".example.com".len()));
            assert_eq!(Publication::of(name, &domain, "x".to_owned()).is_ok(), fits, "{octets}");
        }
    }

    #[test]
    fn no_string_has_more_than_255_octets() {
        let domain = DomainName::parse("example.com").unwrap();
        for (text, lengths) in [
            (String::new(), &[][..]),
            ("a".repeat(255), &[255]),
            ("a".repeat(600), &[255, 255, 90]),
            ("\u{fc}".repeat(128), &[254, 2]),
        ] {
            let publication = Publication::of("x".to_owned(), &domain, text.clone()).unwrap();
            let strings: Vec<&str> = publication.strings().collect();
            assert_eq!(strings.concat(), text);
            assert_eq!(strings.iter().map(|string| string.len()).collect::<Vec<_>>(), lengths);
        }
    }

    /// Each of the two fits, and the record of the key does not.
    #[test]
    fn a_selector_may_be_too_long_for_its_domain() {
        let label = "a".repeat(63);
        let domain = DomainName::parse(&[&*label, &label, &label, "example"].join(".")).unwrap();
        let record = KeyRecord::parse(b"p=").unwrap();
        // Twelve octets are `._domainkey.`.
        let room = 253 - domain.as_str().len() - 12;
        for (octets, fits) in [(room, true), (room + 1, false)] {
            let selector = Selector::parse(&"s".repeat(octets)).unwrap();
            assert_eq!(Publication::new(&selector, &domain, &record).is_ok(), fits, "{octets}");
        }
    }
}
