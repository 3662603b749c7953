//! Names of header fields, and the list of them that `h=` is.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;

use smol_str::SmolStr;

use crate::value::{pieces, split_colons};

/// The name of a header field as `h=` and `z=` carry it: printable ASCII without `:` and `;`
/// (RFC 5322 §3.6.8, RFC 6376 §3.2).
///
/// ```
/// use dkim_tags::FieldName;
///
/// let name = FieldName::parse("Subject")?;
/// assert!(name.is("subject"));
/// assert!(FieldName::parse("Sub ject").is_err());
/// # Ok::<(), dkim_tags::InvalidFieldName>(())
/// ```
#[derive(Clone, Debug)]
pub struct FieldName(SmolStr);

impl FieldName {
    /// Reads a field name, keeping the case it is written in.
    ///
    /// # Errors
    ///
    /// When it is empty or holds an octet that cannot stand in `h=`.
    pub fn parse(name: &str) -> Result<Self, InvalidFieldName> {
        check(name)?;
        Ok(Self(name.into()))
    }

    /// A field name that stands in the program.
    ///
    /// ```
    /// use dkim_tags::FieldName;
    ///
    /// const FROM: FieldName = FieldName::from_static("From");
    /// assert!(FROM.is("from"));
    /// ```
    ///
    /// # Panics
    ///
    /// When it is none; where a constant is made of it, the program does not compile.
    #[must_use]
    pub const fn from_static(name: &'static str) -> Self {
        assert!(check(name).is_ok(), "not a header field name");
        Self(SmolStr::new_static(name))
    }

    /// The name as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is the field name given, without regard to ASCII case.
    #[must_use]
    pub fn is(&self, name: &str) -> bool {
        self.0.eq_ignore_ascii_case(name)
    }
}

impl PartialEq for FieldName {
    fn eq(&self, other: &Self) -> bool {
        self.is(other.as_str())
    }
}

impl Eq for FieldName {}

impl fmt::Display for FieldName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The names of the signed fields, in the order hashed: the value of `h=` (RFC 6376 §3.5). Held in
/// one piece, as there may be a thousand.
///
/// ```
/// use dkim_tags::{FieldName, FieldNames};
///
/// let names: FieldNames = ["From", "To", "from"].into_iter().flat_map(FieldName::parse).collect();
/// assert_eq!(names.to_string(), "From:To:from");
/// assert_eq!((names.len(), names.count("FROM")), (3, 2));
/// assert!(names.contains("to") && !names.contains("cc"));
/// ```
#[derive(Clone, Debug, Default)]
pub struct FieldNames {
    /// With a colon between two.
    text: String,
}

impl FieldNames {
    /// `sig-h-tag = %x68 [FWS] "=" [FWS] hdr-name *( [FWS] ":" [FWS] hdr-name )`
    pub(crate) fn parse(value: &str) -> Result<Self, InvalidFieldName> {
        let mut text = String::with_capacity(value.len());
        for piece in pieces(value) {
            // White space stands before this piece, and within a name there is none.
            let begins_name = text.is_empty() || text.ends_with(':');
            if !(begins_name || piece.is_empty() || piece.starts_with(':')) {
                return Err(InvalidFieldName);
            }
            text.push_str(piece);
        }
        let octets = text.as_bytes();
        let is_empty = |pair: &[u8]| pair == b"::";
        // All names at once, by vector instructions, which want no branches.
        let strays =
            octets.iter().fold(false, |any, octet| any | !is_name_octet(*octet) & (*octet != b':'));
        if strays
            || octets.is_empty()
            || text.starts_with(':')
            || text.ends_with(':')
            || octets.windows(2).any(is_empty)
        {
            return Err(InvalidFieldName);
        }
        Ok(Self { text })
    }

    fn push(&mut self, name: &str) {
        if !self.is_empty() {
            self.text.push(':');
        }
        self.text.push_str(name);
    }

    /// The names as written, in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> + Clone {
        split_colons(&self.text).filter(|name| !name.is_empty())
    }

    /// How many names there are, each counted as often as it is listed.
    #[must_use]
    pub fn len(&self) -> usize {
        let colons = self.text.bytes().filter(|octet| *octet == b':').count();
        colons + usize::from(!self.is_empty())
    }

    /// Whether there is no name. The `h=` of a signature that was read has at least one.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Whether a name is listed, without regard to ASCII case.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.iter().any(|listed| listed.eq_ignore_ascii_case(name))
    }

    /// How often a name is listed, without regard to ASCII case.
    #[must_use]
    pub fn count(&self, name: &str) -> usize {
        self.iter().filter(|listed| listed.eq_ignore_ascii_case(name)).count()
    }
}

impl<N: Borrow<FieldName>> FromIterator<N> for FieldNames {
    fn from_iter<I: IntoIterator<Item = N>>(names: I) -> Self {
        // Room for what most signatures list.
        let mut all = Self { text: String::with_capacity(256) };
        names.into_iter().for_each(|name| all.push(name.borrow().as_str()));
        all
    }
}

impl PartialEq for FieldNames {
    fn eq(&self, other: &Self) -> bool {
        self.text.eq_ignore_ascii_case(&other.text)
    }
}

impl Eq for FieldNames {}

impl fmt::Display for FieldNames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for FieldName {
    type Err = InvalidFieldName;

    fn from_str(name: &str) -> Result<Self, InvalidFieldName> {
        Self::parse(name)
    }
}

/// Text is no field name that `h=` can carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a header field name")]
pub struct InvalidFieldName;

const fn check(name: &str) -> Result<(), InvalidFieldName> {
    let mut rest = name.as_bytes();
    if rest.is_empty() {
        return Err(InvalidFieldName);
    }
    while let [octet, after @ ..] = rest {
        if !is_name_octet(*octet) {
            return Err(InvalidFieldName);
        }
        rest = after;
    }
    Ok(())
}

/// Without branches, so that many octets are looked at together.
const fn is_name_octet(octet: u8) -> bool {
    (octet > b' ') & (octet <= b'~') & (octet != b':') & (octet != b';')
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn field_names_are_the_same_in_any_case() {
        let name = |name| FieldName::parse(name).unwrap();
        assert_eq!(name("Message-ID"), name("message-id"));
        assert_ne!(name("To"), name("Cc"));
    }

    #[test]
    fn a_list_is_its_names() {
        let list = FieldNames::parse("FROM :to: subject\r\n\t : date").unwrap();
        assert_eq!(list.iter().collect::<Vec<_>>(), ["FROM", "to", "subject", "date"]);
        let again = list.iter().map(|name| FieldName::parse(name).unwrap()).collect();
        assert_eq!(list, again);
        assert_eq!(list, FieldNames::parse("from:To:Subject:Date").unwrap());
        assert_ne!(list, FieldNames::parse("from:to:subject").unwrap());
        let none = FieldNames::default();
        assert_eq!((none.iter().count(), none.len(), none.is_empty()), (0, 0, true));
        assert!(!list.is_empty());
        for bad in ["", ":", "a:", ":a", "a::b", "a b", "a;b", "\u{fc}"] {
            assert_eq!(FieldNames::parse(bad), Err(InvalidFieldName), "{bad:?}");
        }
    }
}
