//! What a signature says of itself, whether or not it is valid: for reports to people.

use crate::signature::{is_defined, read_auid};
use crate::value::to_base64;
use crate::{Auid, DomainName, Selector, Signature, TagList};

/// The names and words of a signature, as far as they can be read; nothing here is verified. Where
/// the tag-list itself breaks the grammar nothing is: where one tag ends and the next begins would
/// be a guess.
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
    /// `c=`: in full if the signature is valid, as written if not
    pub canonicalization: Option<String>,
    /// `b=`, in base64 without white space; not checked to be base64 where the signature is
    /// invalid
    pub signature: Option<String>,
    /// Whether `r=y` asks for reports about failures (RFC 6651 §3.1)
    pub asks_for_reports: bool,
    /// Whether there are tags that no RFC defines
    pub has_unknown_tags: bool,
}

impl Claims {
    /// Reads what can be read of a tag-list.
    #[must_use]
    pub fn from_tags(tags: &TagList<'_>) -> Self {
        let word = |name| tags.value(name).filter(|word| !word.is_empty()).map(str::to_owned);
        Self {
            sdid: tags.value("d").and_then(|name| DomainName::parse(name).ok()),
            selector: tags.value("s").and_then(|name| Selector::parse(name).ok()),
            auid: tags.value("i").and_then(|auid| read_auid(auid).ok()),
            algorithm: word("a"),
            canonicalization: word("c"),
            signature: word("b").map(|b| b.replace([' ', '\t', '\r', '\n'], "")),
            asks_for_reports: tags.value("r").is_some_and(asks),
            has_unknown_tags: tags.tags().iter().any(|tag| !is_defined(tag.name())),
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
            signature: Some(to_base64(&signature.signature)),
            asks_for_reports: signature.other().iter().any(|(name, r)| name == "r" && asks(r)),
            has_unknown_tags: signature.other().iter().any(|(name, _)| !is_defined(name)),
        }
    }
}

/// `sig-r-tag = %x72 *WSP "=" *WSP %x79 ; "r=y" (lower-case only)` (RFC 6651 §3.1)
fn asks(r: &str) -> bool {
    r == "y"
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn an_invalid_signature_still_tells_its_names() {
        let list = b"v=2; d=Example.com; s=se/l; a=rsa-md5; i=joe@example.com; b=Zm\r\n 9v";
        let claims = Claims::from_tags(&TagList::parse(list).unwrap());
        assert_eq!(claims.sdid.unwrap().as_str(), "example.com");
        assert_eq!(claims.selector, None);
        assert_eq!(claims.auid.unwrap().to_string(), "joe@example.com");
        assert_eq!(claims.algorithm.as_deref(), Some("rsa-md5"));
        assert_eq!(claims.signature.as_deref(), Some("Zm9v"));
        assert!(!claims.asks_for_reports);
    }

    #[test]
    fn tags_that_no_rfc_defines_are_noticed() {
        const GOOD: &str = "v=1; a=rsa-sha256; b=YQ==; bh=YQ==; h=from; s=s; d=e.example";
        for (more, unknown) in [("", false), ("; r=y; atps=a; atpsh=b", false), ("; R=y", true)] {
            let signature = Signature::parse([GOOD, more].concat().as_bytes()).unwrap();
            assert_eq!(Claims::from(&signature).has_unknown_tags, unknown, "{more:?}");
            let list = ["q=dns; x=; t=; l=; z=; c=; i=", more].concat();
            let claims = Claims::from_tags(&TagList::parse(list.as_bytes()).unwrap());
            assert_eq!(claims.has_unknown_tags, unknown, "{more:?}");
        }
    }

    #[test]
    fn reports_are_asked_for_by_one_letter() {
        for (r, asks) in [("y", true), (" y ", true), ("Y", false), ("", false), ("y y", false)] {
            let list = format!("v=2; d=example.com; r={r}");
            let claims = Claims::from_tags(&TagList::parse(list.as_bytes()).unwrap());
            assert_eq!(claims.asks_for_reports, asks, "{r:?}");
            let list =
                format!("v=1; a=rsa-sha256; b=YQ==; bh=YQ==; h=from; s=s; d=e.example; r={r}");
            let signature = Signature::parse(list.as_bytes()).unwrap();
            assert_eq!(Claims::from(&signature).asks_for_reports, asks, "{r:?}");
        }
    }
}
