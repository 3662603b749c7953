//! The domain that a key signs for.

use std::fmt;
use std::str::FromStr;

use dkim_tags::{DomainName, InvalidName};

/// `d=` of a key's signatures.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SigningDomain {
    /// That of the author, whoever it is: `%`.
    Author,
    /// Always this one.
    Named(DomainName),
}

impl SigningDomain {
    const AUTHOR: &str = "%";

    /// The domain that signs for an author.
    #[must_use]
    pub const fn for_author<'a>(&'a self, author: &'a DomainName) -> &'a DomainName {
        match self {
            Self::Author => author,
            Self::Named(domain) => domain,
        }
    }

    /// The domain, if it is always the same.
    #[must_use]
    pub const fn named(&self) -> Option<&DomainName> {
        match self {
            Self::Author => None,
            Self::Named(domain) => Some(domain),
        }
    }
}

impl FromStr for SigningDomain {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        match text {
            Self::AUTHOR => Ok(Self::Author),
            domain => DomainName::parse(domain).map(Self::Named),
        }
    }
}

impl From<DomainName> for SigningDomain {
    fn from(domain: DomainName) -> Self {
        Self::Named(domain)
    }
}

impl fmt::Display for SigningDomain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Author => f.write_str(Self::AUTHOR),
            Self::Named(domain) => domain.fmt(f),
        }
    }
}
