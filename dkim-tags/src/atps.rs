//! The tags with which a third party says for whom it signs (RFC 6541 §4.2, Experimental).

use std::fmt;

use dkim_crypto::HashAlgorithm;

use crate::{DomainName, InvalidName, Signature, TagListError};

const DOMAIN: &str = "atps";
const HASH: &str = "atpsh";

/// The claim that the SDID signs for another domain (ATPS, RFC 6541): the tags `atps=` and
/// `atpsh=`. The claim proves nothing; a record of that domain may confirm it.
///
/// ```
/// use dkim_tags::{Atps, AtpsHash, Signature};
///
/// let signature = Signature::parse(
///     b" v=1; a=rsa-sha256; d=one.example.net; s=s; h=from; bh=Zm9v; b=Zm9v;\r\n\
///       \tatps=example.com; atpsh=none",
/// )?;
/// let Some(Ok(Atps { author_domain, hash })) = signature.atps() else { panic!() };
/// assert_eq!((author_domain.as_str(), hash), ("example.com", AtpsHash::Plain));
/// # Ok::<(), dkim_tags::SignatureError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Atps {
    /// `atps=`: the domain that the SDID signs for.
    pub author_domain: DomainName,
    /// `atpsh=`: how that domain writes the SDID in the name of its record.
    pub hash: AtpsHash,
}

/// `atpsh=`: what becomes of the SDID in the name of the record (RFC 6541 §4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AtpsHash {
    /// `none`: it stands there as it is.
    Plain,
    /// Its hash stands there, so that a name of any length fits.
    Hashed(HashAlgorithm),
}

impl AtpsHash {
    /// The word in the tag: `none`, `sha1`, `sha256`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plain => "none",
            Self::Hashed(hash) => hash.name(),
        }
    }

    /// The choice with this name. Tag values are case-sensitive (RFC 6376 §3.2).
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "none" => Some(Self::Plain),
            name => HashAlgorithm::from_name(name.as_bytes()).map(Self::Hashed),
        }
    }
}

impl fmt::Display for AtpsHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Signature {
    /// The claim of ATPS, if the signature makes one: it has a tag `atps=`.
    ///
    /// To DKIM these are tags like any unknown one, and what is wrong with them is nothing wrong
    /// with the signature.
    ///
    /// ```abnf
    /// dkim-atps-tag  = %x61.74.70.73 *WSP "=" *WSP domain-name
    /// dkim-atpsh-tag = %x61.74.70.73.68 *WSP "=" *WSP ( "none" / key-h-tag-alg )
    /// ```
    #[must_use]
    pub fn atps(&self) -> Option<Result<Atps, AtpsError>> {
        let value = |name| {
            let tag = self.other().iter().find(|(tag, _)| tag == name);
            tag.map(|(_, value)| value.as_str())
        };
        let (domain, hash) = (value(DOMAIN)?, value(HASH));
        Some(DomainName::parse(domain).map_err(AtpsError::Domain).and_then(|author_domain| {
            match hash.and_then(AtpsHash::from_name) {
                Some(hash) => Ok(Atps { author_domain, hash }),
                None => Err(AtpsError::Hash { author_domain, hash: hash.map(str::to_owned) }),
            }
        }))
    }

    /// Adds the two tags, the domain in A-labels (RFC 6541 §4.2).
    ///
    /// # Errors
    ///
    /// When one of them is there already; none is added then.
    pub fn say_atps(&mut self, atps: &Atps) -> Result<(), TagListError> {
        self.add_other(DOMAIN, atps.author_domain.as_str())?;
        self.add_other(HASH, atps.hash.name()).inspect_err(|_| {
            self.other.pop();
        })
    }
}

/// Why a claim of ATPS cannot be followed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AtpsError {
    /// `atps=` holds no domain name.
    #[error("tag atps= holds an invalid name: {0}")]
    Domain(InvalidName),
    /// There is no `atpsh=`, which "MUST also be included" (RFC 6541 §4.2), or it names no hash of
    /// DKIM.
    #[error("{}", match hash {
        Some(hash) => format!("tag atpsh= names an unknown hash: {hash:?}"),
        None => "tag atpsh= is missing beside atps=".to_owned(),
    })]
    Hash {
        /// `atps=`.
        author_domain: DomainName,
        /// `atpsh=`.
        hash: Option<String>,
    },
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const SIGNATURE: &str = "v=1; a=rsa-sha256; d=one.example.net; s=s; h=from; bh=Zm9v; b=Zm9v";

    fn with(tags: &str) -> Signature {
        Signature::parse(format!("{SIGNATURE}; {tags}").as_bytes()).unwrap()
    }

    #[test]
    fn claims_are_read() {
        assert_eq!(with("r=y").atps(), None);
        assert_eq!(with("atpsh=none").atps(), None);
        assert_eq!(with("ATPS=example.com; atpsh=none").atps(), None);
        let sha1 = AtpsHash::Hashed(HashAlgorithm::Sha1);
        let sha256 = AtpsHash::Hashed(HashAlgorithm::Sha256);
        for (tags, domain, hash) in [
            ("atps=example.com; atpsh=none", "example.com", AtpsHash::Plain),
            ("atpsh = sha1 ; atps \t=\r\n Example.COM ", "example.com", sha1),
            ("atps=b\u{fc}cher.example; atpsh=sha256", "xn--bcher-kva.example", sha256),
        ] {
            let author_domain = DomainName::parse(domain).unwrap();
            assert_eq!(with(tags).atps(), Some(Ok(Atps { author_domain, hash })), "{tags}");
        }
    }

    #[test]
    fn what_is_wrong_with_a_claim_is_nothing_wrong_with_the_signature() {
        for (tags, error) in [
            (
                "atps=; atpsh=none",
                "tag atps= holds an invalid name: an empty label: a dot at an end, two in a row, or nothing at all",
            ),
            (
                "atps=example.\r\n com; atpsh=none",
                "tag atps= holds an invalid name: a label is not made of letters, digits and inner \
                 hyphens",
            ),
            ("atps=example.com", "tag atpsh= is missing beside atps="),
            ("atps=example.com; atpsh=", "tag atpsh= names an unknown hash: \"\""),
            ("atps=example.com; atpsh=SHA1", "tag atpsh= names an unknown hash: \"SHA1\""),
            ("atps=example.com; atpsh=sha512", "tag atpsh= names an unknown hash: \"sha512\""),
        ] {
            assert_eq!(with(tags).atps().unwrap().unwrap_err().to_string(), error, "{tags}");
        }
    }

    #[test]
    fn what_is_said_is_read() {
        let hashes = HashAlgorithm::ALL.iter().copied().map(AtpsHash::Hashed);
        for hash in hashes.chain([AtpsHash::Plain]) {
            assert_eq!(AtpsHash::from_name(hash.name()), Some(hash));
            let author_domain = DomainName::parse("b\u{fc}cher.example").unwrap();
            let atps = Atps { author_domain, hash };
            let mut signature = with("r=y");
            signature.say_atps(&atps).unwrap();
            let written = signature.to_field_body();
            let tags = format!("atps=xn--bcher-kva.example; atpsh={hash};");
            assert!(written.replace("\r\n\t", " ").contains(&tags), "{written}");
            let read = Signature::parse(written.as_bytes()).unwrap();
            assert_eq!(read.atps(), Some(Ok(atps.clone())));
            assert_eq!(read, signature);
            for tags in ["r=y; atpsh=none", "atps=a; r=y", &tags] {
                let before = with(tags);
                let mut signature = before.clone();
                assert!(signature.say_atps(&atps).is_err());
                assert_eq!(signature, before);
            }
        }
    }
}
