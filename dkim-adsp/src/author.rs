//! Author Domains: whose practices count for a message (RFC 5617 §2.3, §2.4).

use dkim_message::address::{Address, AddressError, author_addresses};
use dkim_tags::{DomainName, InvalidName};

/// A message with more Author Domains than this is refused: each may cost two DNS questions, and
/// who forges mail chooses to whom they go (RFC 5617 §6.1).
pub const MAX_AUTHOR_DOMAINS: usize = 10;

/// An Author Address and its Author Domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Author {
    address: Address,
    domain: DomainName,
}

impl Author {
    /// The Author Address, as written.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// The Author Domain, in lower case and A-labels.
    #[must_use]
    pub fn domain(&self) -> &DomainName {
        &self.domain
    }
}

/// The authors that the body of a From field names: for each Author Domain, the first address in it.
///
/// ```
/// let authors = dkim_adsp::authors(b"a@Example.com, B <b@example.org>, c@example.COM")?;
/// let domains: Vec<_> = authors.iter().map(|author| author.domain().as_str()).collect();
/// assert_eq!(domains, ["example.com", "example.org"]);
/// # Ok::<(), dkim_adsp::AuthorError>(())
/// ```
///
/// # Errors
/// [`AuthorError`], if any of the authors cannot be told: a message that hides one author behind
/// another has none that counts.
pub fn authors(from_field_body: &[u8]) -> Result<Vec<Author>, AuthorError> {
    let mut authors: Vec<Author> = Vec::new();
    for address in author_addresses(from_field_body)? {
        let domain = author_domain(&address)?;
        if authors.iter().any(|author| author.domain == domain) {
            continue;
        }
        if authors.len() == MAX_AUTHOR_DOMAINS {
            return Err(AuthorError::TooManyDomains);
        }
        authors.push(Author { address, domain });
    }
    if authors.is_empty() { Err(AuthorError::NoAddress) } else { Ok(authors) }
}

fn author_domain(address: &Address) -> Result<DomainName, AuthorError> {
    if address.has_domain_literal() {
        return Err(AuthorError::DomainLiteral { address: address.to_string() });
    }
    // The address reader lets UTF-8 pass only, so nothing is lost here.
    DomainName::parse(&String::from_utf8_lossy(&address.domain))
        .map_err(|source| AuthorError::Domain { address: address.to_string(), source })
}

/// Why the Author Domains of a message cannot be told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AuthorError {
    /// The From field is no address-list.
    #[error("the From field cannot be read")]
    Syntax(#[from] AddressError),
    /// The From field has nothing but empty groups.
    #[error("the From field has no address")]
    NoAddress,
    /// An address at an IP address, which has no place in the DNS to publish practices at.
    #[error("{address} has no domain name")]
    DomainLiteral {
        /// The address.
        address: String,
    },
    /// An address whose domain is no domain name.
    #[error("the domain of {address} is no domain name")]
    Domain {
        /// The address.
        address: String,
        /// What is wrong with it.
        source: InvalidName,
    },
    /// More than [`MAX_AUTHOR_DOMAINS`].
    #[error("more than {MAX_AUTHOR_DOMAINS} Author Domains")]
    TooManyDomains,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn u_labels_and_case_make_no_difference() {
        let authors = authors("a@BÜCHER.example, b@xn--bcher-kva.EXAMPLE".as_bytes()).unwrap();
        assert_eq!(authors.len(), 1);
        assert_eq!(authors[0].domain().as_str(), "xn--bcher-kva.example");
        assert_eq!(authors[0].address().to_string(), "a@BÜCHER.example");
    }

    #[test]
    fn every_author_must_be_known() {
        assert!(matches!(authors(b"a@b.example, c"), Err(AuthorError::Syntax(_))));
        assert_eq!(authors(b"Nobody:;"), Err(AuthorError::NoAddress));
        assert_eq!(
            authors(b"a@b.example, a@[192.0.2.1]").unwrap_err().to_string(),
            "a@[192.0.2.1] has no domain name"
        );
        assert!(matches!(authors(b"a@b!c.example"), Err(AuthorError::Domain { .. })));
    }

    #[test]
    fn domains_have_a_limit_addresses_in_one_domain_none() {
        let many = |count: usize, domain: &dyn Fn(usize) -> String| {
            (0..count).map(|n| format!("a@{}", domain(n))).collect::<Vec<_>>().join(",")
        };
        let same = many(500, &|_| "b.example".to_owned());
        assert_eq!(authors(same.as_bytes()).unwrap().len(), 1);
        let ten = many(MAX_AUTHOR_DOMAINS, &|n| format!("b{n}.example"));
        assert_eq!(authors(ten.as_bytes()).unwrap().len(), MAX_AUTHOR_DOMAINS);
        let eleven = many(MAX_AUTHOR_DOMAINS + 1, &|n| format!("b{n}.example"));
        assert_eq!(authors(eleven.as_bytes()), Err(AuthorError::TooManyDomains));
    }
}
