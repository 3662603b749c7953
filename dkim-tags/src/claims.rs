//! What a signature says of itself, whether or not it is valid: for reports to people.

use crate::{Auid, DomainName, Selector, Signature, TagList, value};

/// The names and words of a signature, as far as they can be read; nothing here is verified.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Claims {
    /// `d=`
    pub sdid: Option<DomainName>,
    /// `s=`
    pub selector: Option<Selector>,
    /// `i=`
    pub auid: Option<Auid>,
    /// `a=`, as written
    pub algorithm: Option<String>,
    /// `c=`, as written
    pub canonicalization: Option<String>,
}

impl Claims {
    /// Reads what can be read of a field body. A list that breaks the grammar yields nothing:
    /// where one tag ends and the next begins is a guess then.
    #[must_use]
    pub fn read(field_body: &[u8]) -> Self {
        TagList::parse(field_body).map_or_else(|_| Self::default(), |tags| Self::from_tags(&tags))
    }

    fn from_tags(tags: &TagList<'_>) -> Self {
        let auid = tags.value("i").and_then(value::quoted_printable);
        let auid = auid.and_then(|octets| String::from_utf8(octets).ok());
        let word = |name| tags.value(name).filter(|word| !word.is_empty()).map(str::to_owned);
        Self {
            sdid: tags.value("d").and_then(|name| DomainName::parse(name).ok()),
            selector: tags.value("s").and_then(|name| Selector::parse(name).ok()),
            auid: auid.and_then(|auid| Auid::parse(&auid).ok()),
            algorithm: word("a"),
            canonicalization: word("c"),
        }
    }
}

impl From<&Signature> for Claims {
    fn from(signature: &Signature) -> Self {
        Self {
            sdid: Some(signature.sdid.clone()),
            selector: Some(signature.selector.clone()),
            auid: signature.auid.clone(),
            algorithm: Some(signature.algorithm.name().to_owned()),
            canonicalization: Some(signature.canonicalization.to_string()),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn an_invalid_signature_still_tells_its_names() {
        let claims = Claims::read(b"v=2; d=Example.com; s=se/l; a=rsa-md5; i=joe@example.com");
        assert_eq!(claims.sdid.unwrap().as_str(), "example.com");
        assert_eq!(claims.selector, None);
        assert_eq!(claims.auid.unwrap().to_string(), "joe@example.com");
        assert_eq!(claims.algorithm.as_deref(), Some("rsa-md5"));
        assert_eq!(Claims::read(b"d=example.com;;"), Claims::default());
    }
}
