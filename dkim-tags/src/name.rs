//! The names in a signature: SDID, selector, AUID.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use idna::AsciiDenyList;
use smol_str::{SmolStr, StrExt as _};

use dkim_message::lex::is_atext;

/// A domain name, as `d=` carries the SDID (RFC 6376 §3.5).
///
/// ```text
/// domain-name = sub-domain 1*("." sub-domain)      ; RFC 5321 Domain without address-literal
/// sub-domain  = Let-dig [Ldh-str]
/// ```
///
/// U-labels become A-labels (RFC 8616 §3), ASCII becomes lower case; at most 63 octets a label
/// and [253](Self::MAX_LEN) in all. A single label is read (so that it can be refused by name,
/// RFC 6376 §6.1.1) and [`is_single_label`](Self::is_single_label) tells.
///
/// ```
/// use dkim_tags::DomainName;
///
/// let sdid = DomainName::parse("Example.COM")?;
/// assert_eq!(sdid.as_str(), "example.com");
/// assert!(DomainName::parse("mail.example.com")?.is_within(&sdid));
/// assert!(!DomainName::parse("notexample.com")?.is_within(&sdid));
/// assert_eq!(DomainName::parse("b\u{fc}cher.example")?.as_str(), "xn--bcher-kva.example");
/// # Ok::<(), dkim_tags::InvalidName>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DomainName(Labels);

impl DomainName {
    /// A name in the DNS has at most this many octets as text, without a closing dot (RFC 1035
    /// §3.1: 255 with the octets that tell lengths).
    pub const MAX_LEN: usize = 253;

    /// Reads a domain name of ASCII or U-labels.
    ///
    /// # Errors
    ///
    /// When it breaks the grammar or the length limits of the DNS.
    pub fn parse(name: &str) -> Result<Self, InvalidName> {
        Labels::parse(name, |label| is_let_dig_hyp(label, false)).map(Self)
    }

    /// Reads the domain of an address, which may have underscores in its labels, as some hosts do and
    /// no SDID does (RFC 2181 §11: "any binary string whatever can be used as the label").
    ///
    /// # Errors
    ///
    /// When it breaks the grammar with underscores, or the length limits of the DNS.
    pub fn of_address(name: &str) -> Result<Self, InvalidName> {
        Labels::parse(name, |label| is_let_dig_hyp(label, true)).map(Self)
    }

    /// The name in A-labels and lower case, without a closing dot: what is asked of the DNS.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0.ascii
    }

    /// The name for people: with the U-labels it was written in, if it was.
    #[must_use]
    pub fn as_written(&self) -> &str {
        self.0.as_written()
    }

    /// The same name, written in A-labels.
    #[must_use]
    pub fn in_a_labels(&self) -> Self {
        Self(self.0.in_a_labels())
    }

    /// Whether the name is `parent` or a subdomain of it, on label borders.
    #[must_use]
    pub fn is_within(&self, parent: &Self) -> bool {
        match self.as_str().strip_suffix(parent.as_str()) {
            Some(front) => front.is_empty() || front.ends_with('.'),
            None => false,
        }
    }

    /// Whether the name has one label only, as `com` has.
    #[must_use]
    pub fn is_single_label(&self) -> bool {
        !self.as_str().contains('.')
    }
}

impl FromStr for DomainName {
    type Err = InvalidName;

    fn from_str(name: &str) -> Result<Self, InvalidName> {
        Self::parse(name)
    }
}

impl fmt::Display for DomainName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A selector (RFC 6376 §3.1).
///
/// ```text
/// selector = sub-domain *( "." sub-domain )
/// ```
///
/// Labels may hold and begin with underscores, which the grammar does not allow and large
/// senders use.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Selector(Labels);

impl Selector {
    /// Reads a selector of ASCII or U-labels.
    ///
    /// # Errors
    ///
    /// When it breaks the grammar or the length limits of the DNS.
    pub fn parse(name: &str) -> Result<Self, InvalidName> {
        Labels::parse(name, |label| is_let_dig_hyp(label, true)).map(Self)
    }

    /// The selector in A-labels and lower case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0.ascii
    }

    /// The selector for people: with the U-labels it was written in, if it was.
    #[must_use]
    pub fn as_written(&self) -> &str {
        self.0.as_written()
    }

    /// The same selector, written in A-labels.
    #[must_use]
    pub fn in_a_labels(&self) -> Self {
        Self(self.0.in_a_labels())
    }
}

impl FromStr for Selector {
    type Err = InvalidName;

    fn from_str(name: &str) -> Result<Self, InvalidName> {
        Self::parse(name)
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An Agent or User Identifier, `i=` (RFC 6376 §3.5): a local-part that may be empty, and a
/// domain that is the SDID or below it.
///
/// To anyone but the signer it is an opaque token (RFC 6376 §3.11).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Auid {
    local_part: SmolStr,
    domain: DomainName,
}

impl Auid {
    /// Reads an AUID whose quoted-printable encoding has been undone.
    ///
    /// ```text
    /// [ Local-part ] "@" domain-name
    /// ```
    ///
    /// The local-part names whom the signer likes, and "the syntax is a standard email address":
    /// that of RFC 5321 §4.1.2, with UTF-8 as RFC 6531 §3.3 has it.
    ///
    /// # Errors
    ///
    /// When there is no `@`, or one of the two halves is invalid.
    pub fn parse(auid: &str) -> Result<Self, InvalidName> {
        let (local_part, domain) = auid.rsplit_once('@').ok_or(InvalidName::NoAt)?;
        if !(local_part.is_empty() || is_local_part(local_part)) {
            return Err(InvalidName::LocalPart);
        }
        Ok(Self { local_part: local_part.into(), domain: DomainName::parse(domain)? })
    }

    /// The AUID that `i=` has when it is absent: `@` and the SDID.
    #[must_use]
    pub fn of_domain(sdid: &DomainName) -> Self {
        Self { local_part: SmolStr::default(), domain: sdid.clone() }
    }

    /// The local-part; empty when there is none.
    #[must_use]
    pub fn local_part(&self) -> &str {
        &self.local_part
    }

    /// The domain.
    #[must_use]
    pub fn domain(&self) -> &DomainName {
        &self.domain
    }

    /// The same AUID, its domain written in A-labels.
    #[must_use]
    pub fn in_a_labels(&self) -> Self {
        Self { local_part: self.local_part.clone(), domain: self.domain.in_a_labels() }
    }
}

impl fmt::Display for Auid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.local_part, self.domain.as_written())
    }
}

/// Why text is no name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidName {
    /// A label is empty: the text is, or it has two dots in a row or one at an end.
    #[error("an empty label: a dot at an end, two in a row, or nothing at all")]
    EmptyLabel,
    /// A label holds an octet that cannot stand there.
    #[error("a label is not made of letters, digits and inner hyphens")]
    Label,
    /// A label is longer than 63 octets or the name longer than 253.
    #[error("longer than the DNS allows")]
    TooLong,
    /// An internationalized label has no A-label.
    #[error("not a valid internationalized domain name")]
    Idna,
    /// An AUID without `@`.
    #[error("no @")]
    NoAt,
    /// The local-part of an AUID is none by RFC 5321 §4.1.2.
    #[error("the local-part is neither atoms with single dots between them nor quoted")]
    LocalPart,
}

/// A name as the DNS has it, A-labels in lower case, and as it was written if that was otherwise
/// than in ASCII. Names are equal when they are for the DNS.
#[derive(Clone, Debug)]
struct Labels {
    ascii: SmolStr,
    written: Option<SmolStr>,
}

impl Labels {
    fn parse(name: &str, is_label: impl Fn(&[u8]) -> bool) -> Result<Self, InvalidName> {
        let ascii = to_ascii(name)?;
        check_labels(&ascii, is_label)?;
        Ok(Self { ascii, written: (!name.is_ascii()).then(|| name.into()) })
    }

    fn as_written(&self) -> &str {
        self.written.as_deref().unwrap_or(&self.ascii)
    }

    fn in_a_labels(&self) -> Self {
        Self { ascii: self.ascii.clone(), written: None }
    }
}

impl PartialEq for Labels {
    fn eq(&self, other: &Self) -> bool {
        self.ascii == other.ascii
    }
}

impl Eq for Labels {}

impl PartialOrd for Labels {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Labels {
    fn cmp(&self, other: &Self) -> Ordering {
        self.ascii.cmp(&other.ascii)
    }
}

impl std::hash::Hash for Labels {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.ascii.hash(state);
    }
}

/// Octets of a label (RFC 1035 §2.3.4).
const MAX_LABEL: usize = 63;

/// The full stop, and what becomes one when IDNA maps it (UTS 46 §4).
const fn is_dot(c: char) -> bool {
    matches!(c, '.' | '\u{3002}' | '\u{ff0e}' | '\u{ff61}')
}

fn to_ascii(name: &str) -> Result<SmolStr, InvalidName> {
    // Four octets a character and 253 octets in A-labels: longer text has no chance, and IDNA
    // mapping is not linear.
    if name.len() > 4 * DomainName::MAX_LEN {
        return Err(InvalidName::TooLong);
    }
    if name.is_ascii() {
        return Ok(name.to_ascii_lowercase_smolstr());
    }
    let labels: Vec<SmolStr> = name.split(is_dot).map(label_to_ascii).collect::<Result<_, _>>()?;
    Ok(labels.join(".").into())
}

/// RFC 8616 §3: where a name "includes U-labels, those labels are translated to A-labels". What
/// IDNA forbids in them may stand in the others, such as an underscore or `--` in the midst. A label
/// that has an ASCII twin (fullwidth letters, soft hyphens) is no U-label: it looks like one name and
/// is another (RFC 5890 §2.3.2.1).
fn label_to_ascii(label: &str) -> Result<SmolStr, InvalidName> {
    if label.is_ascii() {
        Ok(label.to_ascii_lowercase_smolstr())
    } else if label.chars().nth(MAX_LABEL).is_some() {
        // A label has as many octets in its A-label as it has characters, or more, and what makes
        // A-labels takes the square of their number.
        Err(InvalidName::TooLong)
    } else {
        // With a letter in front, a twin that begins with `xn--` is not taken for an A-label.
        let behind = format!("a{label}");
        let twin = idna::domain_to_ascii_cow(behind.as_bytes(), AsciiDenyList::STD3);
        let has_twin = twin.is_ok_and(|twin| !twin.starts_with("xn--"));
        let mapped = idna::domain_to_ascii_strict(label).ok().filter(|_| !has_twin);
        mapped.map(SmolStr::from).ok_or(InvalidName::Idna)
    }
}

fn check_labels(name: &str, is_label: impl Fn(&[u8]) -> bool) -> Result<(), InvalidName> {
    if name.len() > DomainName::MAX_LEN {
        return Err(InvalidName::TooLong);
    }
    name.as_bytes().split(|octet| *octet == b'.').try_for_each(|label| match label.len() {
        0 => Err(InvalidName::EmptyLabel),
        len if len > MAX_LABEL => Err(InvalidName::TooLong),
        _ if is_label(label) => Ok(()),
        _ => Err(InvalidName::Label),
    })
}

/// `sub-domain = Let-dig [Ldh-str]`, and underscores on request.
fn is_let_dig_hyp(label: &[u8], underscores: bool) -> bool {
    let let_dig = |octet: &u8| octet.is_ascii_alphanumeric() || (underscores && *octet == b'_');
    label.first().is_some_and(let_dig)
        && label.last().is_some_and(let_dig)
        && label.iter().all(|octet| let_dig(octet) || *octet == b'-')
}

/// ```text
/// Local-part       = Dot-string / Quoted-string
/// Dot-string       = Atom *("." Atom)
/// Quoted-string    = DQUOTE *QcontentSMTP DQUOTE
/// QcontentSMTP     = qtextSMTP / quoted-pairSMTP
/// quoted-pairSMTP  = %d92 %d32-126
/// qtextSMTP        = %d32-33 / %d35-91 / %d93-126
/// ```
///
/// RFC 5321 §4.1.2, with characters beyond ASCII in atoms and qtextSMTP (RFC 6531 §3.3).
fn is_local_part(text: &str) -> bool {
    let beyond = |c: char| !c.is_ascii() && !c.is_control();
    let is_atext = |c: char| c.is_ascii() && u8::try_from(c).is_ok_and(is_atext) || beyond(c);
    let is_atom = |atom: &str| !atom.is_empty() && atom.chars().all(is_atext);
    let Some(quoted) = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')) else {
        return text.split('.').all(is_atom);
    };
    let mut chars = quoted.chars();
    while let Some(c) = chars.next() {
        let good = match c {
            '"' => false,
            '\\' => chars.next().is_some_and(|c| matches!(c, ' '..='~')),
            c => matches!(c, ' '..='~') || beyond(c),
        };
        if !good {
            return false;
        }
    }
    true
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// As they are for the DNS, whatever they were written as.
    #[test]
    fn names_have_an_order() {
        let mut names: Vec<DomainName> = ["b\u{fc}cher.example", "c.example", "B.example"]
            .into_iter()
            .map(|name| name.parse().unwrap())
            .collect();
        names.sort();
        let sorted: Vec<&str> = names.iter().map(DomainName::as_str).collect();
        assert_eq!(sorted, ["b.example", "c.example", "xn--bcher-kva.example"]);
        assert!(names[0] < names[1] && names[1] <= names[1].clone());
    }

    #[test]
    fn names_are_the_same_that_are_so_for_the_dns() {
        let parse = |name: &str| DomainName::parse(name).unwrap();
        let names =
            ["Example.COM", "example.com", "b\u{fc}cher.example", "xn--bcher-kva.example", "b"];
        let names: std::collections::HashSet<DomainName> = names.map(parse).into();
        assert_eq!(names.len(), 3);
        assert_ne!(parse("a.example"), parse("b.example"));
        assert_eq!(parse("Example.COM").as_written(), "example.com");
        assert_eq!(parse("b\u{fc}cher.example").as_written(), "b\u{fc}cher.example");
        assert_eq!(
            parse("b\u{fc}cher.example").in_a_labels().as_written(),
            "xn--bcher-kva.example"
        );
    }

    /// Labels longer than any are not mapped: that they are too long is told sooner than what they
    /// would be.
    #[test]
    fn labels_have_63_characters_or_fewer() {
        for dot in ["\u{3002}", "\u{ff0e}", "\u{ff61}", "."] {
            // Mapping leaves the soft hyphens out.
            let label = "\u{fc}".to_owned() + &"\u{ad}".repeat(MAX_LABEL - 1);
            let name = [&*label, "a"].join(dot);
            assert_eq!(DomainName::parse(&name).unwrap().as_str(), "xn--tda.a");
            for too_many in [format!("{label}\u{ad}{dot}a"), format!("a{dot}a{label}")] {
                assert_eq!(DomainName::parse(&too_many), Err(InvalidName::TooLong), "{too_many}");
            }
        }
    }

    #[test]
    fn ascii_labels_are_the_same_with_u_labels_and_without() {
        let long = "a".repeat(MAX_LABEL + 1);
        for label in [
            "ab--cd", "a_b", "_x", "xn--zz", "XN--A", "1", "", "-a", "a-", "a b", "a/b", "*", &long,
        ] {
            for dot in [".", "\u{3002}", "\u{ff0e}", "\u{ff61}"] {
                for u_label in ["schl\u{fc}ssel", "\u{5d0}"] {
                    let whole = format!("{label}{dot}{u_label}{dot}{label}");
                    let a_label = idna::domain_to_ascii(u_label).unwrap();
                    let ascii = format!("{label}.{a_label}.{label}");
                    assert_eq!(DomainName::parse(&whole), DomainName::parse(&ascii), "{whole}");
                    assert_eq!(Selector::parse(&whole), Selector::parse(&ascii), "{whole}");
                }
            }
        }
        assert!(DomainName::parse("ab--cd.b\u{fc}cher.example").is_ok());
        assert!(Selector::parse("a_b.schl\u{fc}ssel").is_ok());
    }

    /// RFC 5891 §4.2.3, RFC 5893 §2.
    #[test]
    fn u_labels_keep_to_idna() {
        for label in ["\u{fc}_a", "a\u{fc}--b", "-\u{fc}", "\u{fc}-", "\u{300}\u{fc}", "\u{5d0}b"] {
            for name in [label.to_owned(), format!("{label}.example"), format!("a.{label}")] {
                assert_eq!(DomainName::parse(&name), Err(InvalidName::Idna), "{name}");
                assert_eq!(Selector::parse(&name), Err(InvalidName::Idna), "{name}");
            }
        }
    }

    /// RFC 5890 §2.3.2.1: a U-label has its A-label.
    #[test]
    fn what_is_ascii_once_mapped_is_no_label() {
        for label in [
            "\u{ff45}xample",
            "exam\u{ad}ple",
            "\u{212a}ey",
            "\u{24d0}",
            "\u{ff58}n--tda",
            "xn--t\u{ad}da",
        ] {
            assert!(idna::domain_to_ascii_strict(label).is_ok(), "{label}");
            assert_eq!(DomainName::parse(&format!("{label}.com")), Err(InvalidName::Idna));
            assert_eq!(Selector::parse(label), Err(InvalidName::Idna), "{label}");
        }
        assert!(DomainName::parse("\u{ff42}\u{fc}cher.com").is_ok());
    }

    /// [`is_dot`] against what IDNA makes of every character.
    #[test]
    fn dots_are_what_idna_makes_dots_of() {
        for c in ('\u{80}'..=char::MAX).step_by(if cfg!(miri) { 997 } else { 1 }) {
            let mapped = idna::domain_to_ascii_strict(&format!("a{c}a"));
            let has_dot = mapped.is_ok_and(|mapped| mapped.contains('.'));
            assert_eq!(has_dot, is_dot(c), "{c:?}");
        }
    }

    /// A-labels may be much shorter than what they stand for.
    #[test]
    fn the_length_that_counts_is_that_in_the_dns() {
        let label = "\u{fc}".repeat(50);
        let name = [&*label, &label, &label].join(".");
        assert!(name.len() > 253 && DomainName::parse(&name).unwrap().as_str().len() < 253);
        let name = vec!["\u{fc}"; 400].join(".");
        assert_eq!(DomainName::parse(&name), Err(InvalidName::TooLong));
    }

    #[test]
    fn names_of_one_label_are_told() {
        let is_single = |name| DomainName::parse(name).unwrap().is_single_label();
        assert!(is_single("com") && is_single("b\u{fc}cher") && !is_single("example.com"));
        assert_eq!(Selector::parse("Sel.2024").unwrap().to_string(), "sel.2024");
    }

    #[test]
    fn domain_names_keep_to_the_grammar() {
        for good in
            ["example.com", "a.b", "1.2.3.example", "xn--bcher-kva.example", "com", "a--b.c"]
        {
            assert_eq!(DomainName::parse(good).map(|name| name.to_string()).as_deref(), Ok(good));
        }
        for bad in [
            "",
            ".",
            "example..com",
            ".example.com",
            "example.com.",
            "example com",
            "exa_mple.com",
            "-a.com",
            "a-.com",
            "exa\0mple.com",
            "*.com",
            "a/b.com",
            "[192.0.2.1]",
            "a@b.com",
        ] {
            assert!(DomainName::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn an_empty_label_is_told_in_any_script() {
        for bad in ["", ".", "a.", ".a", "a..b", "\u{fc}.", ".\u{fc}", "\u{fc}..a", "a\u{3002}"] {
            assert_eq!(DomainName::parse(bad), Err(InvalidName::EmptyLabel), "{bad:?}");
        }
    }

    #[test]
    fn lengths_are_those_of_the_dns() {
        let label = "a".repeat(63);
        assert!(DomainName::parse(&format!("{label}.com")).is_ok());
        assert_eq!(DomainName::parse(&format!("a{label}.com")), Err(InvalidName::TooLong));
        let long = [label.as_str(); 4].join(".");
        assert_eq!(DomainName::parse(&long), Err(InvalidName::TooLong));
        assert!(DomainName::parse(&long[1..]).is_err());
        assert!(DomainName::parse(&long[2..]).is_ok());
        assert_eq!(
            DomainName::parse(&"\u{fc}".repeat(if cfg!(miri) { 1_000 } else { 100_000 })),
            Err(InvalidName::TooLong)
        );
    }

    #[test]
    fn subdomains_end_at_label_borders() {
        let name = |text| DomainName::parse(text).unwrap();
        for (child, parent, expected) in [
            ("example.com", "example.com", true),
            ("Mail.EXAMPLE.com", "example.COM", true),
            ("notexample.com", "example.com", false),
            ("example.com", "mail.example.com", false),
            ("example.com.evil.org", "example.com", false),
            ("b\u{fc}cher.example", "xn--bcher-kva.example", true),
        ] {
            assert_eq!(name(child).is_within(&name(parent)), expected, "{child} in {parent}");
        }
    }

    #[test]
    fn domains_of_addresses_may_hold_underscores() {
        for (name, is_sdid) in [("web_01.example.com", false), ("example.com", true)] {
            assert_eq!(DomainName::parse(name).is_ok(), is_sdid);
            assert_eq!(DomainName::of_address(name).unwrap().as_str(), name);
        }
        let long = format!("{}.example", "_".repeat(64));
        for name in ["", "a..b", "a!b.example", "[192.0.2.1]", &long] {
            assert!(DomainName::of_address(name).is_err(), "{name}");
        }
    }

    #[test]
    fn selectors_may_hold_underscores() {
        for good in ["sel", "a1.b2.sel", "k_1", "_x"] {
            assert_eq!(Selector::parse(good).unwrap().as_str(), good);
        }
        for bad in ["", "se/l", "a..b", "sel.", "*", "a\0b", "..", "a b"] {
            assert!(Selector::parse(bad).is_err(), "{bad:?}");
        }
        assert_eq!(Selector::parse("SEL"), Selector::parse("sel"));
    }

    #[test]
    fn auids_split_at_the_last_at() {
        let auid = Auid::parse("joe@football.example.com").unwrap();
        assert_eq!(auid.local_part(), "joe");
        assert_eq!(auid.domain().as_str(), "football.example.com");
        assert_eq!(auid.to_string(), "joe@football.example.com");
        assert_eq!(Auid::parse("@example.com").unwrap().local_part(), "");
        for good in
            ["a.b", "a+b=c", "\"a@b\"", "\"\"", "\"a b\\\\\\\"\"", "j\u{fc}r.gen", "\"\u{fc} \""]
        {
            let auid = Auid::parse(&format!("{good}@example.com"));
            assert_eq!(auid.map(|auid| auid.local_part), Ok(good.into()));
        }
        for bad in [
            ".a",
            "a.",
            "a..b",
            "a b",
            "a(c)b",
            "<a",
            "a:b",
            "a,b",
            "a[b",
            "\"a",
            "a\"",
            "\"",
            "\"a\"b\"",
            "\"a\\\"",
            "a\\b",
            "a\tb",
            "\"a\tb\"",
            "a\u{80}b",
            "\"a\u{7f}\"",
            "\"a\"b",
            "\"a\\\u{fc}\"",
        ] {
            let auid = Auid::parse(&format!("{bad}@example.com"));
            assert_eq!(auid, Err(InvalidName::LocalPart), "{bad:?}");
        }
        for (bad, why) in [
            ("example.com", InvalidName::NoAt),
            ("", InvalidName::NoAt),
            ("a@b@example.com", InvalidName::LocalPart),
            ("a\r\nb@example.com", InvalidName::LocalPart),
            ("a@", InvalidName::EmptyLabel),
        ] {
            assert_eq!(Auid::parse(bad), Err(why), "{bad:?}");
        }
    }
}
