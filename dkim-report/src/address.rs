//! Where a report goes.

use std::fmt;

use dkim_tags::{Auid, DomainName};

/// A local-part has at most this many octets (RFC 5321 §4.5.3.1.1).
const MAX_LOCAL_PART: usize = 64;

/// The local-part that `ra=` names: ASCII, and a local-part by RFC 5321 §4.1.2. An `@` in it stands
/// in quotes, or it is none.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct LocalPart(String);

impl LocalPart {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let printable = text.bytes().all(|octet| matches!(octet, b' '..=b'~'));
        let fits = !text.is_empty() && text.len() <= MAX_LOCAL_PART && printable;
        // The syntax of an AUID is that of an address (RFC 6376 §3.5 `i=`).
        (fits && Auid::parse(&format!("{text}@example.com")).is_ok()).then(|| Self(text.to_owned()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// The address that a report goes to: a local-part from the DNS in the domain that published it,
/// and no other. RFC 6651 §3.2: "The value MUST be interpreted as a local-part only."
///
/// A decision has one, of a [`ReportInquiry`](crate::ReportInquiry) or
/// [`adsp_decision`](crate::adsp_decision), and nothing else makes one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ReportAddress {
    local_part: LocalPart,
    domain: DomainName,
}

impl ReportAddress {
    pub(crate) fn new(local_part: &LocalPart, domain: &DomainName) -> Self {
        Self { local_part: local_part.clone(), domain: domain.in_a_labels() }
    }

    /// The local-part, quoted where it must be.
    #[must_use]
    pub fn local_part(&self) -> &str {
        self.local_part.as_str()
    }

    /// The domain: the SDID of the signature, or the Author Domain.
    #[must_use]
    pub fn domain(&self) -> &DomainName {
        &self.domain
    }
}

impl fmt::Display for ReportAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.local_part.as_str(), self.domain)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn local_parts_stay_within_their_domain() {
        for good in ["postmaster", "a.b", "dkim+errors", "\"a b\"", "\"a@b\"", &"x".repeat(64)] {
            let local_part = LocalPart::parse(good).unwrap();
            let domain = DomainName::parse("b\u{fc}cher.example").unwrap();
            let address = ReportAddress::new(&local_part, &domain).to_string();
            assert_eq!(address, format!("{good}@xn--bcher-kva.example"));
        }
        for bad in [
            "",
            "a@b",
            "a@b.example,c",
            "a b",
            "a..b",
            ".a",
            "a>",
            "<a",
            "a,b",
            "\"a",
            "a\r\nBcc: b",
            "\"a\r\n b\"",
            "\"a\0\"",
            "j\u{fc}rgen",
            "@relay.example:a",
            &"x".repeat(65),
        ] {
            assert_eq!(LocalPart::parse(bad), None, "{bad:?}");
        }
    }
}
