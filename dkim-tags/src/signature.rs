//! The DKIM-Signature field: its tags read into values.

use std::fmt;
use std::str::FromStr;

use dkim_canon::Canonicalization;
use dkim_crypto::SigningAlgorithm;

use crate::value::{base64, colon_list, excerpt, is_hyphenated_word, number, quoted_printable};
use crate::{
    Auid, DomainName, FieldName, FieldNames, InvalidName, Selector, TagList, TagListError,
};

/// Seconds since 1970-01-01 00:00:00 UTC, leap seconds not counted (RFC 6376 §3.5 `t=`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixTime(pub u64);

impl UnixTime {
    /// So many seconds later; the last time that can be told, if that comes first.
    #[must_use]
    pub const fn after(self, seconds: u64) -> Self {
        Self(self.0.saturating_add(seconds))
    }

    /// How many seconds have passed since an earlier time; none since a later one.
    #[must_use]
    pub const fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl fmt::Display for UnixTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The two canonicalizations of `c=` (RFC 6376 §3.5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Canonicalizations {
    /// For the header.
    pub header: Canonicalization,
    /// For the body.
    pub body: Canonicalization,
}

impl Canonicalizations {
    /// Reads `c=`: one name means that one for the header and `simple` for the body.
    ///
    /// Returns `None` for any other name or form.
    #[must_use]
    pub fn parse(value: &str) -> Option<Self> {
        let (header, body) = value.split_once('/').unwrap_or((value, "simple"));
        Some(Self {
            header: Canonicalization::from_name(header.as_bytes())?,
            body: Canonicalization::from_name(body.as_bytes())?,
        })
    }
}

impl FromStr for Canonicalizations {
    type Err = UnknownCanonicalization;

    fn from_str(value: &str) -> Result<Self, UnknownCanonicalization> {
        Self::parse(value).ok_or(UnknownCanonicalization)
    }
}

/// A text names no canonicalizations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not `simple` or `relaxed`, for the header and after `/` for the body")]
pub struct UnknownCanonicalization;

impl fmt::Display for Canonicalizations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.header, self.body)
    }
}

/// A header field copied into `z=` when the message was signed: for diagnosis only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopiedField {
    /// The field name. A copy whose name holds a `|` is not written: `z=` separates copies by it.
    pub name: FieldName,
    /// The field body, decoded.
    pub body: Vec<u8>,
}

/// The one query method there is (RFC 6376 §3.5 `q=`).
const DNS_TXT: &str = "dns/txt";

/// A DKIM-Signature field (RFC 6376 §3.5).
///
/// ```
/// use dkim_tags::{Signature, TagList};
///
/// let body = b" v=1; a=rsa-sha256; d=example.net; s=brisbane; c=simple; h=from:to;\r\n\
///              \tbh=MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI=; b=Zm9v";
/// let signature = Signature::from_tags(&TagList::parse(body)?)?;
/// assert_eq!(signature.sdid.as_str(), "example.net");
/// assert_eq!(signature.canonicalization.to_string(), "simple/simple");
/// # Ok::<(), dkim_tags::SignatureError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Signature {
    /// `a=`: the signing algorithm.
    pub algorithm: SigningAlgorithm,
    /// `b=`: the signature, decoded. Empty while the message is being signed.
    pub signature: Vec<u8>,
    /// `bh=`: the body hash, decoded.
    pub body_hash: Vec<u8>,
    /// `c=`: the canonicalizations.
    pub canonicalization: Canonicalizations,
    /// `d=`: the SDID, who takes responsibility.
    pub sdid: DomainName,
    /// `h=`: the names of the signed fields, in the order hashed; never empty.
    pub signed_fields: FieldNames,
    /// `i=`: the AUID, `None` when the tag is absent.
    pub auid: Option<Auid>,
    /// `l=`: how many octets of the canonical body are signed, `None` for all of them.
    pub body_length: Option<u64>,
    /// `s=`: the selector.
    pub selector: Selector,
    /// `t=`: when the signature was made.
    pub timestamp: Option<UnixTime>,
    /// `x=`: when it expires.
    pub expiration: Option<UnixTime>,
    /// `z=`: copies of header fields.
    pub copied_fields: Vec<CopiedField>,
    pub(crate) query_methods: Vec<String>,
    pub(crate) other: Vec<(String, String)>,
}

impl Signature {
    /// The most items read of `q=` and `z=`, and the most names in `h=` that are signed, and verified
    /// unless a policy has it otherwise. A list of nothing but items costs many times its octets.
    pub const MAX_ITEMS: usize = 1000;

    /// A signature yet to be made: no `b=`, and every optional tag absent.
    #[must_use]
    pub fn new(
        algorithm: SigningAlgorithm,
        sdid: DomainName,
        selector: Selector,
        signed_fields: FieldNames,
    ) -> Self {
        Self {
            algorithm,
            signature: Vec::new(),
            body_hash: Vec::new(),
            canonicalization: Canonicalizations::default(),
            sdid,
            signed_fields,
            auid: None,
            body_length: None,
            query_methods: Vec::new(),
            selector,
            timestamp: None,
            expiration: None,
            copied_fields: Vec::new(),
            other: Vec::new(),
        }
    }

    /// Reads a field body.
    ///
    /// # Errors
    ///
    /// As [`TagList::parse`] and [`from_tags`](Self::from_tags).
    pub fn parse(field_body: &[u8]) -> Result<Self, SignatureError> {
        Self::from_tags(&TagList::parse(field_body).map_err(SignatureError::TagList)?)
    }

    /// Reads the tags: "meticulously", as RFC 6376 §6.1.1 demands. Whatever a tag's grammar does
    /// not allow makes the whole signature invalid; unknown tags do not.
    ///
    /// # Errors
    ///
    /// The first thing wrong, in the order of RFC 6376 §6.1.1.
    pub fn from_tags(tags: &TagList<'_>) -> Result<Self, SignatureError> {
        let values = Values::of(tags);
        if let Some(version) = values.v {
            check_version(version)?;
        }
        let [_, a, b, bh, d, h, s] = values.required()?;
        let sdid = DomainName::parse(d).map_err(name_error("d"))?;
        let auid = values.i.map(read_auid).transpose()?;
        // RFC 6376 §6.1.1: "Verifiers MUST confirm that the domain specified in the "d=" tag is
        // the same as or a parent domain of the domain part of the "i=" tag."
        if auid.as_ref().is_some_and(|auid| !auid.domain().is_within(&sdid)) {
            return Err(SignatureError::DomainMismatch);
        }
        let signature = Self {
            algorithm: read_algorithm(a)?,
            signature: base64(b).ok_or(SignatureError::Invalid("b"))?,
            body_hash: base64(bh).ok_or(SignatureError::Invalid("bh"))?,
            canonicalization: values.c.map_or(Ok(Canonicalizations::default()), |value| {
                Canonicalizations::parse(value)
                    .ok_or_else(|| SignatureError::UnknownCanonicalization(excerpt(value)))
            })?,
            sdid,
            signed_fields: FieldNames::parse(h).map_err(|_| SignatureError::Invalid("h"))?,
            auid,
            body_length: optional_number("l", values.l, 76)?,
            query_methods: values.q.map_or(Ok(Vec::new()), read_query_methods)?,
            selector: Selector::parse(s).map_err(name_error("s"))?,
            timestamp: optional_number("t", values.t, 12)?.map(UnixTime),
            expiration: optional_number("x", values.x, 12)?.map(UnixTime),
            copied_fields: values.z.map_or(Ok(Vec::new()), read_copied_fields)?,
            other: Values::others(tags),
        };
        signature.check()?;
        Ok(signature)
    }

    /// What one tag demands of another.
    fn check(&self) -> Result<(), SignatureError> {
        // RFC 6376 §5.4: "The From header field MUST be signed".
        if !self.signed_fields.contains("From") {
            return Err(SignatureError::FromNotSigned);
        }
        // RFC 6376 §3.5: "The value of the "x=" tag MUST be greater than the value of the "t=" tag
        // if both are present."
        match (self.timestamp, self.expiration) {
            (Some(made), Some(expires)) if expires <= made => {
                Err(SignatureError::ExpirationNotAfterTimestamp)
            }
            _ => Ok(()),
        }
    }

    /// `q=`: the query methods; empty when the tag is absent, which means `dns/txt`.
    #[must_use]
    pub fn query_methods(&self) -> &[String] {
        &self.query_methods
    }

    /// Puts in `q=dns/txt`, which is what its absence means too.
    pub fn say_query_method(&mut self) {
        self.query_methods = vec![DNS_TXT.to_owned()];
    }

    /// All tags that RFC 6376 does not define, name and value, in the order written; values
    /// unfolded (RFC 5322 §2.2.3).
    #[must_use]
    pub fn other(&self) -> &[(String, String)] {
        &self.other
    }

    /// Adds a tag that RFC 6376 does not define.
    ///
    /// # Errors
    ///
    /// When name and value are no tag-spec, the value is folded, or the tag is there already.
    pub fn add_other(&mut self, name: &str, value: &str) -> Result<(), TagListError> {
        let written = format!("{name}={value}");
        let list = TagList::parse(written.as_bytes())?;
        match list.tags() {
            [tag] if tag.name() == name && tag.value() == value && !value.contains('\r') => {}
            _ => return Err(TagListError::Syntax { offset: 0, found: None }),
        }
        if Values::default().slot(name).is_some()
            || self.other.iter().any(|(there, _)| there == name)
        {
            return Err(TagListError::Duplicate { name: name.to_owned(), offset: 0 });
        }
        self.other.push((name.to_owned(), value.to_owned()));
        Ok(())
    }

    /// The AUID, which is `@` and the SDID when `i=` is absent (RFC 6376 §3.5).
    #[must_use]
    pub fn auid_or_default(&self) -> Auid {
        self.auid.clone().unwrap_or_else(|| Auid::of_domain(&self.sdid))
    }
}

/// Tags that later RFCs define (RFC 6541 §4.1, RFC 6651 §3.1).
const DEFINED_LATER: [&str; 3] = ["atps", "atpsh", "r"];

/// Whether a tag of this name is defined by any RFC.
pub(crate) fn is_defined(name: &str) -> bool {
    Values::default().slot(name).is_some() || DEFINED_LATER.contains(&name)
}

/// The values of the tags that RFC 6376 §3.5 defines.
#[derive(Default)]
struct Values<'a> {
    v: Option<&'a str>,
    a: Option<&'a str>,
    b: Option<&'a str>,
    bh: Option<&'a str>,
    c: Option<&'a str>,
    d: Option<&'a str>,
    h: Option<&'a str>,
    i: Option<&'a str>,
    l: Option<&'a str>,
    q: Option<&'a str>,
    s: Option<&'a str>,
    t: Option<&'a str>,
    x: Option<&'a str>,
    z: Option<&'a str>,
}

impl<'a> Values<'a> {
    fn of(tags: &TagList<'a>) -> Self {
        let mut values = Self::default();
        for tag in tags.tags() {
            if let Some(slot) = values.slot(tag.name()) {
                *slot = Some(tag.value());
            }
        }
        values
    }

    /// The tags that are none of these, unfolded.
    fn others(tags: &TagList<'_>) -> Vec<(String, String)> {
        let mut known = Self::default();
        let others = tags.tags().iter().filter(|tag| known.slot(tag.name()).is_none());
        others.map(|tag| (tag.name().to_owned(), tag.value().replace("\r\n", ""))).collect()
    }

    fn slot(&mut self, name: &str) -> Option<&mut Option<&'a str>> {
        Some(match name {
            "v" => &mut self.v,
            "a" => &mut self.a,
            "b" => &mut self.b,
            "bh" => &mut self.bh,
            "c" => &mut self.c,
            "d" => &mut self.d,
            "h" => &mut self.h,
            "i" => &mut self.i,
            "l" => &mut self.l,
            "q" => &mut self.q,
            "s" => &mut self.s,
            "t" => &mut self.t,
            "x" => &mut self.x,
            "z" => &mut self.z,
            _ => return None,
        })
    }

    /// RFC 6376 §6.1.1: "If any tag listed as "required" [...] is omitted".
    fn required(&self) -> Result<[&'a str; 7], SignatureError> {
        let or = |value: Option<&'a str>, name| value.ok_or(SignatureError::MissingTag(name));
        Ok([
            or(self.v, "v")?,
            or(self.a, "a")?,
            or(self.b, "b")?,
            or(self.bh, "bh")?,
            or(self.d, "d")?,
            or(self.h, "h")?,
            or(self.s, "s")?,
        ])
    }
}

/// The octets of a DKIM-Signature field body with the value of `b=` deleted, "including all
/// surrounding whitespace" (RFC 6376 §3.7), every other octet as it stands. `tags` must have been
/// read from this `field_body`. They come as what stands before that value, which ends in `=`, and
/// what stands after it, which begins with `;` if there is something: where the two meet is no
/// white space.
#[must_use]
pub fn without_b<'a>(field_body: &'a [u8], tags: &TagList<'_>) -> [&'a [u8]; 2] {
    let end = field_body.len();
    let span = tags.get("b").map_or(end..end, |tag| tag.span());
    let before = field_body.get(..span.start).unwrap_or_default();
    let after = field_body.get(span.end..).unwrap_or_default();
    [before, after]
}

/// Why a tag-list is no valid DKIM-Signature. What it tells of a value is no more than an
/// [`excerpt`](crate::value::excerpt).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureError {
    /// It is no tag-list.
    #[error(transparent)]
    TagList(#[from] TagListError),
    /// A required tag is absent.
    #[error("required tag {0}= is missing")]
    MissingTag(&'static str),
    /// `v=` is not `1`.
    #[error("tag v= is {0:?}, not \"1\"")]
    Version(String),
    /// A tag's value breaks its grammar.
    #[error("tag {0}= has an invalid value")]
    Invalid(&'static str),
    /// A tag lists more items than are read.
    #[error("tag {tag}= lists more than {limit} items")]
    TooManyItems {
        /// The tag name.
        tag: &'static str,
        /// The limit.
        limit: usize,
    },
    /// A tag holds an invalid name.
    #[error("tag {tag}= holds an invalid name: {source}")]
    Name {
        /// The tag name.
        tag: &'static str,
        /// What is wrong with the name.
        source: InvalidName,
    },
    /// `a=` names an algorithm that DKIM does not know.
    #[error("tag a= names an unknown algorithm: {0:?}")]
    UnknownAlgorithm(String),
    /// `c=` names a canonicalization that DKIM does not know.
    #[error("tag c= names an unknown canonicalization: {0:?}")]
    UnknownCanonicalization(String),
    /// `q=` lists no method that DKIM knows.
    #[error("tag q= names no known query method: {0:?}")]
    UnknownQueryMethod(String),
    /// `h=` does not list From.
    #[error("tag h= does not name the From field")]
    FromNotSigned,
    /// The domain of `i=` is neither that of `d=` nor below it.
    #[error("the domain of i= is not within d=")]
    DomainMismatch,
    /// `x=` is not greater than `t=`.
    #[error("x= is not later than t=")]
    ExpirationNotAfterTimestamp,
}

/// `sig-v-tag = %x76 [FWS] "=" [FWS] 1*DIGIT`, and of all versions only "1" is defined.
fn check_version(version: &str) -> Result<(), SignatureError> {
    match version {
        "1" => Ok(()),
        "" => Err(SignatureError::Invalid("v")),
        other => Err(SignatureError::Version(excerpt(other))),
    }
}

/// `sig-a-tag-alg = sig-a-tag-k "-" sig-a-tag-h`. RFC 6376 §3.3.4: signatures by algorithms that
/// are not implemented are ignored.
fn read_algorithm(value: &str) -> Result<SigningAlgorithm, SignatureError> {
    match value {
        "" => Err(SignatureError::Invalid("a")),
        name => SigningAlgorithm::from_name(name.as_bytes())
            .ok_or_else(|| SignatureError::UnknownAlgorithm(excerpt(name))),
    }
}

fn name_error(tag: &'static str) -> impl Fn(InvalidName) -> SignatureError {
    move |source| SignatureError::Name { tag, source }
}

/// `sig-i-tag = %x69 [FWS] "=" [FWS] [ Local-part ] "@" domain-name`, the whole of it in
/// dkim-quoted-printable.
pub(crate) fn read_auid(value: &str) -> Result<Auid, SignatureError> {
    let decoded = quoted_printable(value).and_then(|octets| String::from_utf8(octets).ok());
    Auid::parse(&decoded.ok_or(SignatureError::Invalid("i"))?).map_err(name_error("i"))
}

/// ```text
/// sig-q-tag        = %x71 [FWS] "=" [FWS] sig-q-tag-method *([FWS] ":" [FWS] sig-q-tag-method)
/// sig-q-tag-method = "dns/txt" / x-sig-q-tag-type ["/" x-sig-q-tag-args]
/// ```
fn read_query_methods(value: &str) -> Result<Vec<String>, SignatureError> {
    limit_items("q", colon_list(value))?;
    // Unfolded: written again, a fold in the midst could stand on a line of its own.
    let methods: Vec<String> = colon_list(value).map(|text| text.replace("\r\n", "")).collect();
    let well_formed = |method: &String| {
        let (kind, args) = method.split_once('/').unwrap_or((method, ""));
        is_hyphenated_word(kind) && quoted_printable(args).is_some()
    };
    if !methods.iter().all(well_formed) {
        return Err(SignatureError::Invalid("q"));
    }
    // RFC 6376 §3.5: "Unrecognized query mechanisms MUST be ignored."
    if methods.iter().any(|method| method == DNS_TXT) {
        Ok(methods)
    } else {
        Err(SignatureError::UnknownQueryMethod(excerpt(value)))
    }
}

/// ```text
/// sig-z-tag      = %x7A [FWS] "=" [FWS] sig-z-tag-copy *( "|" [FWS] sig-z-tag-copy )
/// sig-z-tag-copy = hdr-name [FWS] ":" qp-hdr-value
/// ```
///
/// `hdr-name` has no white space within; the text of RFC 6376 §3.5 adds "FWS [...] at arbitrary
/// locations [...] such whitespace is NOT part of the value". We keep to the text, as OpenDKIM
/// folds within names; that is our choice.
fn read_copied_fields(value: &str) -> Result<Vec<CopiedField>, SignatureError> {
    let read = |copy: &str| {
        let (name, body) = copy.split_once(':')?;
        let name: String = name.split([' ', '\t', '\r', '\n']).collect();
        let name = FieldName::parse(&name).ok()?;
        Some(CopiedField { name, body: quoted_printable(body)? })
    };
    limit_items("z", value.split('|'))?;
    value.split('|').map(read).collect::<Option<_>>().ok_or(SignatureError::Invalid("z"))
}

fn limit_items<'v>(
    tag: &'static str,
    mut items: impl Iterator<Item = &'v str>,
) -> Result<(), SignatureError> {
    const LIMIT: usize = Signature::MAX_ITEMS;
    items.nth(LIMIT).map_or(Ok(()), |_| Err(SignatureError::TooManyItems { tag, limit: LIMIT }))
}

fn optional_number(
    tag: &'static str,
    value: Option<&str>,
    max_digits: usize,
) -> Result<Option<u64>, SignatureError> {
    value.map(|value| number(value, max_digits).ok_or(SignatureError::Invalid(tag))).transpose()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const TAGS: [(&str, &str); 7] = [
        ("v", "1"),
        ("a", "rsa-sha256"),
        ("d", "example.com"),
        ("s", "sel"),
        ("h", "from:to"),
        ("bh", "MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI="),
        ("b", "Zm9v"),
    ];

    /// A valid signature with one tag replaced or added.
    fn with(name: &str, value: &str) -> Result<Signature, SignatureError> {
        let mut tags: Vec<_> = TAGS.into_iter().filter(|tag| tag.0 != name).collect();
        tags.push((name, value));
        parse(&tags)
    }

    fn parse(tags: &[(&str, &str)]) -> Result<Signature, SignatureError> {
        let list: Vec<String> =
            tags.iter().map(|(name, value)| format!("{name}={value}")).collect();
        Signature::parse(list.join("; ").as_bytes())
    }

    #[test]
    fn times_lie_apart() {
        let (early, late) = (UnixTime(10), UnixTime(13));
        assert_eq!((late.since(early), early.since(late), early.since(early)), (3, 0, 0));
        assert_eq!((early.after(3), UnixTime(u64::MAX).after(1)), (late, UnixTime(u64::MAX)));
    }

    #[test]
    fn canonicalizations_are_read_from_text() {
        for text in ["simple/simple", "simple/relaxed", "relaxed/simple", "relaxed/relaxed"] {
            assert_eq!(text.parse::<Canonicalizations>().unwrap().to_string(), text);
        }
        assert_eq!("Relaxed".parse::<Canonicalizations>(), Err(UnknownCanonicalization));
    }

    #[test]
    fn the_example_of_section_3_5() {
        let signature = Signature::parse(
            b" v=1; a=rsa-sha256; d=example.net; s=brisbane;\r\n   \
              c=simple; q=dns/txt; i=@eng.example.net;\r\n   \
              t=1117574938; x=1118006938;\r\n   \
              h=from:to:subject:date;\r\n   \
              z=From:foo@eng.example.net|To:joe@example.com|\r\n    \
              Subject:demo=20run|Date:July=205,=202005=203:44:08=20PM=20-0700;\r\n   \
              bh=MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI=;\r\n   \
              b=dzdVyOfAKCdLXdJOc9G2q8LoXSlEniSbav+yuU4zGeeruD00lszZVoG4ZHRNiYzR",
        )
        .unwrap();
        assert_eq!(signature.algorithm, SigningAlgorithm::RSA_SHA256);
        assert_eq!(signature.auid_or_default().to_string(), "@eng.example.net");
        assert_eq!(signature.timestamp, Some(UnixTime(1_117_574_938)));
        assert_eq!(signature.expiration, Some(UnixTime(1_118_006_938)));
        assert_eq!(signature.body_hash, b"12345678901234567890123456789012");
        assert_eq!(signature.copied_fields.len(), 4);
        assert_eq!(signature.copied_fields[2].body, b"demo run");
    }

    #[test]
    fn each_required_tag_is_required() {
        for (name, _) in TAGS {
            let rest: Vec<_> = TAGS.into_iter().filter(|tag| tag.0 != name).collect();
            assert_eq!(parse(&rest), Err(SignatureError::MissingTag(name)));
            assert!(with(name, "").is_err(), "{name}");
        }
    }

    #[test]
    fn the_version_is_one() {
        for version in ["2", "0.5", "01", "1.0", "one", "1 1"] {
            assert_eq!(with("v", version), Err(SignatureError::Version(version.to_owned())));
        }
        // RFC 6376 §3.2: tag names are case-sensitive.
        assert_eq!(with("V", "1").unwrap().other(), [("V".to_owned(), "1".to_owned())]);
    }

    #[test]
    fn other_tags_are_kept_unfolded() {
        let signature = with("r", "a\r\n \r\n\tb").unwrap();
        assert_eq!(signature.other(), [("r".to_owned(), "a \tb".to_owned())]);
    }

    #[test]
    fn numbers_keep_to_their_digits() {
        assert_eq!(with("l", &"9".repeat(70)).unwrap().body_length, Some(u64::MAX));
        assert_eq!(with("l", "00012").unwrap().body_length, Some(12));
        assert_eq!(with("x", "0").unwrap().expiration, Some(UnixTime(0)));
        for (tag, value) in [
            ("l", "-1"),
            ("l", ""),
            ("l", "abc"),
            ("t", "yesterday"),
            ("t", ""),
            ("x", "never"),
            ("t", "1234567890123"),
            ("x", "1 2"),
        ] {
            assert_eq!(with(tag, value), Err(SignatureError::Invalid(tag)), "{tag}={value}");
        }
        assert_eq!(with("l", &"0".repeat(77)), Err(SignatureError::Invalid("l")));
    }

    #[test]
    fn expiration_is_later_than_the_timestamp() {
        let expiring = |t, x| {
            let mut tags = TAGS.to_vec();
            tags.extend([("x", x), ("t", t)]);
            parse(&tags)
        };
        assert!(expiring("1", "2").is_ok());
        for (t, x) in [("2", "2"), ("2", "1")] {
            assert_eq!(expiring(t, x), Err(SignatureError::ExpirationNotAfterTimestamp));
        }
    }

    #[test]
    fn the_auid_is_within_the_sdid() {
        for good in ["@example.com", "a@EXAMPLE.com", "@a.b.example.com", "a=3Db=2Ec@example.com"] {
            assert!(with("i", good).is_ok(), "{good}");
        }
        for bad in ["@example.net", "joe@evilexample.com", "@com"] {
            assert_eq!(with("i", bad), Err(SignatureError::DomainMismatch), "{bad}");
        }
        for bad in ["example.com", "", "a=3db@example.com", "a=00@example.com", "=FF@example.com"] {
            assert!(with("i", bad).is_err(), "{bad}");
        }
        assert_eq!(with("i", "a=2Bb@example.com").unwrap().auid_or_default().local_part(), "a+b");
    }

    #[test]
    fn signed_fields_include_from() {
        let names = |value| with("h", value).map(|signature| signature.signed_fields.to_string());
        assert_eq!(names("FROM :to: subject\r\n\t : date").unwrap(), "FROM:to:subject:date");
        assert_eq!(names("to:subject"), Err(SignatureError::FromNotSigned));
        for bad in ["from:", ":from", "from::to", "from:a b", "from:\u{fc}"] {
            assert_eq!(names(bad), Err(SignatureError::Invalid("h")), "{bad}");
        }
    }

    #[test]
    fn query_methods_are_kept_unfolded() {
        let signature = with("q", "dns/txt:x/a\r\n \r\n b").unwrap();
        assert_eq!(signature.query_methods(), ["dns/txt", "x/a  b"]);
        assert!(!signature.to_field().contains("\r\n \r\n"));
        // White space stays where a fold was, and makes another word of it.
        assert!(with("q", "dns/\r\n txt").is_err() && with("q", "dns\r\n /txt").is_err());
    }

    #[test]
    fn query_methods_need_one_that_is_known() {
        for good in ["dns/txt", "http/rest:dns/txt", "dns/txt :\r\n\t http", "x/a=20b:dns/txt"] {
            assert!(with("q", good).is_ok(), "{good}");
        }
        for bad in ["http/rest", "dns", "dns/TXT"] {
            let error = with("q", bad).unwrap_err();
            assert_eq!(error, SignatureError::UnknownQueryMethod(bad.to_owned()));
        }
        for bad in ["", "dns/txt:", "/txt"] {
            assert_eq!(with("q", bad), Err(SignatureError::Invalid("q")), "{bad}");
        }
    }

    #[test]
    fn canonicalizations_and_algorithms_are_known_names() {
        assert_eq!(with("c", "relaxed").unwrap().canonicalization.to_string(), "relaxed/simple");
        for bad in ["", "nowsp/simple", "relaxed/none", "relaxed/relaxed/relaxed", "Relaxed", "/"] {
            assert!(
                matches!(with("c", bad), Err(SignatureError::UnknownCanonicalization(_))),
                "{bad}"
            );
        }
        for bad in ["rsa-md5", "rsa", "ed25519-sha1", "RSA-SHA256", "rsa -sha256"] {
            assert!(matches!(with("a", bad), Err(SignatureError::UnknownAlgorithm(_))), "{bad}");
        }
    }

    #[test]
    fn names_that_the_dns_cannot_hold_are_refused() {
        for (tag, bad) in [("d", "example com"), ("d", "example..com"), ("s", "se/l"), ("s", "a b")]
        {
            assert!(matches!(with(tag, bad), Err(SignatureError::Name { .. })), "{tag}={bad}");
        }
        assert_eq!(
            with("d", "b\u{fc}cher.example").unwrap().sdid.as_str(),
            "xn--bcher-kva.example"
        );
    }

    #[test]
    fn copied_fields_break_like_any_tag() {
        for bad in ["", "From", "From:a|", " :a", "Fr\u{fc}m:a", "From:=3d"] {
            assert_eq!(with("z", bad), Err(SignatureError::Invalid("z")), "{bad}");
        }
    }

    #[test]
    fn lists_of_nothing_but_items_are_not_read() {
        let too_many = |tag| Err(SignatureError::TooManyItems { tag, limit: 1000 });
        assert!(with("q", &format!("dns/txt{}", ":a".repeat(999))).is_ok());
        assert_eq!(with("q", &format!("dns/txt{}", ":a".repeat(1000))), too_many("q"));
        assert!(with("z", &format!("a:{}", "|a:".repeat(999))).is_ok());
        assert_eq!(with("z", &format!("a:{}", "|a:".repeat(1000))), too_many("z"));
    }

    #[test]
    fn added_tags_are_tag_specs() {
        let mut signature = with("zz", "1").unwrap();
        assert_eq!(signature.add_other("r", "y"), Ok(()));
        assert_eq!(signature.other().len(), 2);
        for (name, value) in [
            ("r", "n"),
            ("d", "example.org"),
            ("a b", ""),
            ("x-y", ""),
            ("q1", "a; b=Zm9v"),
            ("q2", "a\r\nX: injected"),
            ("q3", " a"),
            ("q5", "a\r\n \r\n b"),
            ("q4", "a;"),
            ("q5", "a\r\n b"),
        ] {
            assert!(signature.add_other(name, value).is_err(), "{name}={value}");
        }
    }

    #[test]
    fn the_value_of_b_is_deleted_with_the_white_space_around_it() {
        for (field, expected) in [
            (&b" b= \r\n\tYQ== \t;c=2"[..], &b" b=;c=2"[..]),
            (b"bb=AAAA; z=b=c; b = YQ==\r\n ", b"bb=AAAA; z=b=c; b ="),
            (b"a=1", b"a=1"),
        ] {
            let parts = without_b(field, &TagList::parse(field).unwrap());
            assert_eq!(parts.concat(), expected);
        }
    }
}
