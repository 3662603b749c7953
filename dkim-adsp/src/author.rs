//! Author Domains: whose practices count for a message (RFC 5617 §2.3, §2.4).

use dkim_message::Header;
use dkim_message::address::{Address, AddressError, author_addresses};
use dkim_tags::{DomainName, InvalidName};

/// A message with more Author Domains than this is refused: each may cost two DNS questions, and
/// who forges mail chooses to whom they go (RFC 5617 §6.1).
pub const MAX_AUTHOR_DOMAINS: usize = 10;

/// An Author Address and its Author Domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Author {
    address: Address,
    domain: Result<DomainName, OutOfScope>,
}

impl Author {
    fn new(address: Address) -> Self {
        let domain = if address.has_domain_literal() {
            Err(OutOfScope::DomainLiteral)
        } else {
            DomainName::of_address(&address.domain).map_err(OutOfScope::Name)
        };
        Self { address, domain }
    }

    /// The Author Address, as written.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// The Author Domain, in lower case and A-labels.
    ///
    /// # Errors
    /// [`OutOfScope`], if what stands there has no place in the DNS.
    pub fn domain(&self) -> Result<&DomainName, OutOfScope> {
        self.domain.as_ref().map_err(|why| *why)
    }

    /// Whether both are of the same domain.
    fn is_of_domain_of(&self, other: &Self) -> bool {
        match (&self.domain, &other.domain) {
            (Ok(one), Ok(two)) => one == two,
            (Err(_), Err(_)) => self.address.domain.eq_ignore_ascii_case(&other.address.domain),
            _ => false,
        }
    }
}

/// The authors that the body of a From field names: for each Author Domain, the first address in it.
///
/// Group members count, comments and display names do not, and U-labels are the A-labels they stand
/// for.
///
/// ```
/// let authors = dkim_adsp::authors(b"a@Example.com, B <b@example.org>, c@example.COM")?;
/// let domains: Vec<_> = authors.iter().map(|author| author.domain().unwrap().as_str()).collect();
/// assert_eq!(domains, ["example.com", "example.org"]);
/// # Ok::<(), dkim_adsp::AuthorError>(())
/// ```
///
/// # Errors
/// [`AuthorError`], if it cannot be told who the authors are: a field that each reader reads in
/// another way names nobody.
pub fn authors(from_field_body: &[u8]) -> Result<Vec<Author>, AuthorError> {
    let mut authors: Vec<Author> = Vec::new();
    for address in author_addresses(from_field_body)? {
        let author = Author::new(address);
        if authors.iter().any(|other| other.is_of_domain_of(&author)) {
            continue;
        }
        if authors.len() == MAX_AUTHOR_DOMAINS {
            return Err(AuthorError::TooManyDomains);
        }
        authors.push(author);
    }
    if authors.is_empty() { Err(AuthorError::NoAddress) } else { Ok(authors) }
}

/// The authors of a message.
///
/// # Errors
/// [`AuthorError`], for a message without From field or with several, too.
pub fn authors_of(header: &Header<'_>) -> Result<Vec<Author>, AuthorError> {
    let mut fields = header.named("From");
    match (fields.next(), fields.next()) {
        (Some(field), None) => authors(field.body()),
        (None, _) => Err(AuthorError::NoFrom),
        (Some(_), Some(_)) => Err(AuthorError::SeveralFrom),
    }
}

/// Why an Author Domain is out of the scope of ADSP, which is bound to the DNS (RFC 5617 §3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OutOfScope {
    /// An IP address stands there, as in `user@[192.0.2.1]`.
    #[error("the Author Domain is an IP address")]
    DomainLiteral,
    /// What stands there is no domain name.
    #[error("the Author Domain is no domain name: {0}")]
    Name(InvalidName),
}

/// Why the Author Domains of a message cannot be told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AuthorError {
    /// The From field is no address-list.
    #[error("the From field cannot be read: {0}")]
    Syntax(#[from] AddressError),
    /// The From field has nothing but empty groups.
    #[error("the From field has no address")]
    NoAddress,
    /// The message has no From field (RFC 5322 §3.6).
    #[error("the message has no From field")]
    NoFrom,
    /// The message has more than one From field: readers differ in which one they show.
    #[error("the message has more than one From field")]
    SeveralFrom,
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
        assert_eq!(authors[0].domain().unwrap().as_str(), "xn--bcher-kva.example");
        assert_eq!(authors[0].address().to_string(), "a@BÜCHER.example");
    }

    #[test]
    fn every_author_must_be_known() {
        assert!(matches!(authors(b"a@b.example, c"), Err(AuthorError::Syntax(_))));
        assert_eq!(authors(b"Nobody:;"), Err(AuthorError::NoAddress));
    }

    #[test]
    fn what_has_no_place_in_the_dns_hides_nobody_else() {
        let authors =
            authors(b"a@[192.0.2.1], a@b.example, c@b!c.example, d@[192.0.2.1], e@B!C.example")
                .unwrap();
        let domains: Vec<_> =
            authors.iter().map(|author| author.domain().map(DomainName::as_str)).collect();
        assert_eq!(
            domains,
            [
                Err(OutOfScope::DomainLiteral),
                Ok("b.example"),
                Err(OutOfScope::Name(InvalidName::Label))
            ]
        );
    }

    /// What is no addr-spec is no author, wherever it stands.
    #[test]
    fn authors_are_the_addresses_and_nothing_else() {
        for (from, domains) in [
            (
                "A Group: Ed <e@a.example>, joe@B.example, John <j@a.example>;",
                &["a.example", "b.example"][..],
            ),
            (r#""x@c.example, \"y\"@d.example"@a.example"#, &["a.example"]),
            (r#""x@c.example" <x@a.example> (y@d.example)"#, &["a.example"]),
            ("=?utf-8?q?x=40c.example?= <x@a.example>", &["a.example"]),
            ("x@a(y@c.example).(d)example", &["a.example"]),
            ("x@a.example,,\r\n y@b.example,", &["a.example", "b.example"]),
            ("J\u{fc}rgen <j\u{fc}rgen@b\u{fc}cher.example>", &["xn--bcher-kva.example"]),
        ] {
            let found = authors(from.as_bytes()).unwrap();
            let found: Vec<_> =
                found.iter().map(|author| author.domain().unwrap().as_str()).collect();
            assert_eq!(found, domains, "{from}");
        }
    }

    #[test]
    fn a_message_has_one_from_field() {
        let of = |header: &[u8]| authors_of(&Header::parse(header));
        assert_eq!(of(b"from : a@b.example\r\nTo: c@d.example\r\n").unwrap().len(), 1);
        assert_eq!(of(b"Sender: a@b.example\r\n"), Err(AuthorError::NoFrom));
        assert_eq!(
            of(b"From: a@b.example\r\nFrom: a@b.example\r\n"),
            Err(AuthorError::SeveralFrom)
        );
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
