//! The DomainKey-Signature field: its tags read into values (RFC 4870 §3.3).

use dkim_crypto::SigningAlgorithm;
use dkim_tags::value::{base64, excerpt};
use dkim_tags::{DomainName, FieldName, FieldNames, InvalidName, Selector, TagList, TagListError};

use crate::Canonicalization;

/// A DomainKey-Signature field.
///
/// ```
/// use dkim_domainkeys::{Canonicalization, Signature};
///
/// // RFC 4870 §3.3
/// let signature = Signature::parse(
///     b" a=rsa-sha1; s=brisbane; d=example.net;\r\n c=simple; q=dns;\r\n \
///       b=dzdVyOfAKCdLXdJOc9G2q8LoXSlEniSbav+yuU4zGeeruD00lszZ\r\n VoG4ZHRNiYzR;",
/// )?;
/// assert_eq!(signature.domain.as_str(), "example.net");
/// assert_eq!(signature.canonicalization, Canonicalization::Simple);
/// assert_eq!(signature.signed_fields, None);
/// # Ok::<(), dkim_domainkeys::SignatureError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Signature {
    /// `a=`: the signing algorithm, `rsa-sha1` if the tag is absent.
    pub algorithm: SigningAlgorithm,
    /// `b=`: the signature, decoded.
    pub signature: Vec<u8>,
    /// `c=`: the canonicalization.
    pub canonicalization: Canonicalization,
    /// `d=`: the signing domain.
    pub domain: DomainName,
    /// `h=`: the names of the signed fields; `None` for all that stand below this one.
    pub signed_fields: Option<FieldNames>,
    /// `s=`: the selector.
    pub selector: Selector,
}

impl Signature {
    /// The name of the field.
    pub const FIELD_NAME: &'static str = "DomainKey-Signature";

    /// The most names that are read of `h=`.
    pub const MAX_FIELDS: usize = 1000;

    /// Reads a field body.
    ///
    /// # Errors
    ///
    /// As [`TagList::parse`] and [`from_tags`](Self::from_tags).
    pub fn parse(field_body: &[u8]) -> Result<Self, SignatureError> {
        Self::from_tags(&TagList::parse(field_body)?)
    }

    /// Reads the tags: "meticulously", as RFC 4870 §3.7.3 demands.
    ///
    /// Appendix A of RFC 4870 says how tags are written, more narrowly than RFC 6376 §3.2 does; what
    /// is more is refused here. Unknown tags are not.
    ///
    /// # Errors
    ///
    /// The first thing wrong.
    pub fn from_tags(tags: &TagList<'_>) -> Result<Self, SignatureError> {
        for tag in tags.tags() {
            // "A tag MUST be one character long and MUST be a lowercase alphabetic character."
            if !matches!(tag.name().as_bytes(), [b'a'..=b'z']) {
                return Err(SignatureError::TagName(excerpt(tag.name())));
            }
            // "within the ASCII range of characters from SPACE (0x20) to TILDE (0x7E)". Control
            // characters a tag-list has in folds only.
            if !tag.value().is_ascii() {
                return Err(SignatureError::NotAscii(excerpt(tag.name())));
            }
        }
        let required = |name| tags.value(name).ok_or(SignatureError::MissingTag(name));
        let algorithm = tags.value("a").map_or(Ok(SigningAlgorithm::RSA_SHA1), read_algorithm)?;
        let (b, c, d) = (required("b")?, required("c")?, required("d")?);
        let (q, s) = (required("q")?, required("s")?);
        if q != "dns" {
            return Err(SignatureError::UnknownQueryMethod(excerpt(q)));
        }
        let canonicalization = Canonicalization::from_name(c);
        Ok(Self {
            algorithm,
            signature: base64(b).ok_or(SignatureError::Invalid("b"))?,
            canonicalization: canonicalization
                .ok_or_else(|| SignatureError::UnknownCanonicalization(excerpt(c)))?,
            domain: DomainName::parse(d).map_err(name_error("d"))?,
            signed_fields: tags.value("h").map(read_fields).transpose()?,
            selector: Selector::parse(s).map_err(name_error("s"))?,
        })
    }
}

/// RFC 4870 §3.7.3, rule 4: "verifiers MUST ignore signatures that are coded with an unrecognized
/// signing algorithm", and `rsa-sha1` is all there ever was.
fn read_algorithm(value: &str) -> Result<SigningAlgorithm, SignatureError> {
    let known = Some(SigningAlgorithm::RSA_SHA1).filter(|known| known.name() == value);
    known.ok_or_else(|| SignatureError::UnknownAlgorithm(excerpt(value)))
}

/// "A colon-separated list of header field names […] Whitespace is ignored in this value", inside
/// of names too, and "this tag can never contain an empty value".
fn read_fields(value: &str) -> Result<FieldNames, SignatureError> {
    let names = value.bytes().filter(|octet| *octet == b':').count() + 1;
    if names > Signature::MAX_FIELDS {
        return Err(SignatureError::TooManyFields { limit: Signature::MAX_FIELDS });
    }
    let value = value.replace([' ', '\t', '\r', '\n'], "");
    let names = value.split(':').map(FieldName::parse);
    names.collect::<Result<_, _>>().map_err(|_| SignatureError::Invalid("h"))
}

fn name_error(tag: &'static str) -> impl Fn(InvalidName) -> SignatureError {
    move |source| SignatureError::Name { tag, source }
}

/// Why a tag-list is no valid DomainKey-Signature. What it tells of a value is no more than an
/// [`excerpt`](dkim_tags::value::excerpt).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureError {
    /// It is no tag-list.
    #[error(transparent)]
    TagList(#[from] TagListError),
    /// A tag's name is not one lower-case letter.
    #[error("tag {0}= is not one lower-case letter")]
    TagName(String),
    /// A tag's value is not ASCII.
    #[error("tag {0}= holds octets that are not ASCII")]
    NotAscii(String),
    /// A required tag is absent.
    #[error("required tag {0}= is missing")]
    MissingTag(&'static str),
    /// A tag's value breaks its grammar.
    #[error("tag {0}= has an invalid value")]
    Invalid(&'static str),
    /// A tag holds an invalid name.
    #[error("tag {tag}= holds an invalid name: {source}")]
    Name {
        /// The tag name.
        tag: &'static str,
        /// What is wrong with the name.
        source: InvalidName,
    },
    /// `a=` is not `rsa-sha1`.
    #[error("tag a= names an unknown algorithm: {0:?}")]
    UnknownAlgorithm(String),
    /// `c=` is neither `simple` nor `nofws`.
    #[error("tag c= names an unknown canonicalization: {0:?}")]
    UnknownCanonicalization(String),
    /// `q=` is not `dns`.
    #[error("tag q= names an unknown query method: {0:?}")]
    UnknownQueryMethod(String),
    /// `h=` lists more names than are read.
    #[error("tag h= lists more than {limit} names")]
    TooManyFields {
        /// The limit.
        limit: usize,
    },
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const GOOD: &str = "a=rsa-sha1; b=Zm9v; c=nofws; d=example.com; q=dns; s=sel";

    fn read(tags: &str) -> Result<Signature, SignatureError> {
        Signature::parse(tags.as_bytes())
    }

    #[test]
    fn every_tag_but_a_and_h_is_required() {
        read(GOOD).unwrap();
        assert_eq!(read(&GOOD.replace("a=rsa-sha1; ", "")), read(GOOD));
        for tag in ["b", "c", "d", "q", "s"] {
            let others = GOOD.split("; ").filter(|spec| !spec.starts_with(tag));
            let others: Vec<&str> = others.collect();
            assert_eq!(read(&others.join(";")), Err(SignatureError::MissingTag(tag)));
        }
    }

    /// Names of more than one letter are refused behind the limit, and with them all lists that
    /// could reach it.
    #[test]
    fn a_list_of_too_many_tags_is_not_looked_at() {
        let limit = TagList::MAX_TAGS;
        let tags = |count: usize| {
            let others = (6..count).map(|number| format!("; t{number}=")).collect::<String>();
            read(&format!("{GOOD}{others}"))
        };
        assert_eq!(tags(limit), Err(SignatureError::TagName("t6".to_owned())));
        let error = SignatureError::TagList(TagListError::TooMany { limit });
        assert_eq!(tags(limit + 1), Err(error));
    }

    #[test]
    fn values_are_those_that_the_rfc_names() {
        let with = |from: &str, to: &str| read(&GOOD.replace(from, to));
        let owned = str::to_owned;
        for a in ["", "rsa-sha256", "RSA-SHA1", "rsa"] {
            let error = SignatureError::UnknownAlgorithm(owned(a));
            assert_eq!(with("a=rsa-sha1", &format!("a={a}")), Err(error));
        }
        for c in ["", "relaxed", "simple/simple", "Nofws"] {
            let error = SignatureError::UnknownCanonicalization(owned(c));
            assert_eq!(with("c=nofws", &format!("c={c}")), Err(error));
        }
        for q in ["", "dns/txt", "DNS"] {
            let error = SignatureError::UnknownQueryMethod(owned(q));
            assert_eq!(with("q=dns", &format!("q={q}")), Err(error));
        }
        for b in ["", "@", "Zm9"] {
            assert_eq!(with("Zm9v", b), Err(SignatureError::Invalid("b")));
        }
        for (from, to, tag) in [("example.com", "a..b", "d"), ("=sel", "=a/b", "s")] {
            let error = with(from, to).unwrap_err();
            assert!(matches!(error, SignatureError::Name { tag: named, .. } if named == tag));
        }
    }

    /// Appendix A.
    #[test]
    fn tags_are_single_lower_case_letters_with_ascii_values() {
        for tag in ["aa=1", "A=1", "bh=1", "z_=1"] {
            let name = tag.split('=').next().unwrap().to_owned();
            assert_eq!(read(&format!("{GOOD}; {tag}")), Err(SignatureError::TagName(name)));
        }
        let error = SignatureError::NotAscii("x".to_owned());
        assert_eq!(read(&format!("{GOOD}; x=\u{fc}")), Err(error));
        let twice = read(&format!("{GOOD}; x=1; x=2"));
        assert!(matches!(twice, Err(SignatureError::TagList(TagListError::Duplicate { .. }))));
        assert_eq!(read(&format!("{GOOD}; x=a=b c; y=;")), read(GOOD));
    }

    #[test]
    fn white_space_counts_for_nothing_in_b_and_h() {
        let folded = "a = rsa-sha1 ;\r\n\tb= Zm\r\n 9v\t;c=nofws; d=example.com;\r\n q=dns; s=sel;\
                      h=fr om :\r\n\tto: Sub\r\n ject ";
        let signature = read(folded).unwrap();
        assert_eq!(signature.signature, b"foo");
        let names = signature.signed_fields.as_ref().unwrap();
        assert_eq!(names.iter().collect::<Vec<_>>(), ["from", "to", "Subject"]);
        for h in ["", " ", "from:", ":from", "from::to", "fr\u{7f}om"] {
            assert!(read(&format!("{GOOD}; h={h}")).is_err(), "{h:?}");
        }
        let many = |count: usize| read(&format!("{GOOD}; h={}", vec!["a"; count].join(":")));
        assert_eq!(many(1000).unwrap().signed_fields.unwrap().len(), 1000);
        assert_eq!(many(1001), Err(SignatureError::TooManyFields { limit: 1000 }));
    }
}
