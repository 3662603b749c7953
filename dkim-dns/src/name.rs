//! Domain names as a zone compares them: label by label from the root down, in lower case.

use std::fmt;

/// Why labels make no domain name (RFC 1035 §2.3.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// Two dots in a row, or a dot at the beginning.
    #[error("the name has an empty label")]
    EmptyLabel,
    /// A label of more than 63 octets.
    #[error("a label of {0} octets, the limit is 63")]
    LabelTooLong(usize),
    /// More than 255 octets, counted as sent: each label with its length octet, and the root.
    #[error("a name of {0} octets, the limit is 255")]
    TooLong(usize),
}

/// An absolute domain name. Any octet may stand in a label (RFC 2181 §11).
///
/// The order puts a name right before all names below it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Name {
    /// From the root down, without the root's empty label.
    labels: Vec<Vec<u8>>,
}

impl Name {
    const MAX_LABEL: usize = 63;
    const MAX_NAME: usize = 255;

    /// The root of the DNS.
    pub(crate) fn root() -> Self {
        Self { labels: Vec::new() }
    }

    /// Takes labels as they are written, leftmost first, and puts them below `origin`.
    pub(crate) fn new(written: Vec<Vec<u8>>, origin: &Self) -> Result<Self, NameError> {
        let mut labels = origin.labels.clone();
        for mut label in written.into_iter().rev() {
            match label.len() {
                0 => return Err(NameError::EmptyLabel),
                1..=Self::MAX_LABEL => label.make_ascii_lowercase(),
                length => return Err(NameError::LabelTooLong(length)),
            }
            labels.push(label);
        }
        match labels.iter().map(|label| label.len() + 1).sum::<usize>() + 1 {
            ..=Self::MAX_NAME => Ok(Self { labels }),
            length => Err(NameError::TooLong(length)),
        }
    }

    /// Reads an absolute name without escapes, as questions carry it; a closing dot may be there.
    pub(crate) fn absolute(name: &str) -> Result<Self, NameError> {
        let name = name.strip_suffix('.').unwrap_or(name);
        if name.is_empty() {
            return Ok(Self::root());
        }
        Self::new(name.split('.').map(|label| label.as_bytes().to_vec()).collect(), &Self::root())
    }

    /// The labels as they are written, leftmost first.
    #[cfg(any(
        feature = "hickory",
        all(feature = "update", any(feature = "ring", feature = "aws-lc-rs"))
    ))]
    pub(crate) fn labels(&self) -> impl Iterator<Item = &[u8]> {
        self.labels.iter().rev().map(Vec::as_slice)
    }

    /// The names above this one, from its parent up to the root.
    pub(crate) fn ancestors(&self) -> impl Iterator<Item = Self> {
        (0..self.labels.len())
            .rev()
            .map(|depth| Self { labels: self.labels.iter().take(depth).cloned().collect() })
    }

    /// The wildcard right below this name (RFC 4592 §2.1.1).
    pub(crate) fn wildcard(mut self) -> Self {
        self.labels.push(b"*".to_vec());
        self
    }

    /// Whether this is `other` or a name below it.
    pub(crate) fn is_within(&self, other: &Self) -> bool {
        self.labels.starts_with(&other.labels)
    }
}

/// Without the closing dot; dots inside labels, backslashes and octets that are no printing ASCII
/// escaped (RFC 4343 §2.1).
impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.labels.is_empty() {
            return f.write_str(".");
        }
        for (index, label) in self.labels.iter().rev().enumerate() {
            if index > 0 {
                f.write_str(".")?;
            }
            for &octet in label {
                match octet {
                    b'.' | b'\\' => write!(f, "\\{}", char::from(octet))?,
                    0x21..=0x7e => write!(f, "{}", char::from(octet))?,
                    _ => write!(f, "\\{octet:03}")?,
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_name_stands_right_before_the_names_below_it() {
        let name = |text| Name::absolute(text).unwrap();
        let mut names = [name("b.a"), name("ab"), name("z.c.b.a"), name("a"), name("c.b.a.")];
        names.sort();
        let sorted: Vec<String> = names.iter().map(Name::to_string).collect();
        assert_eq!(sorted, ["a", "b.a", "c.b.a", "z.c.b.a", "ab"]);
    }

    #[test]
    fn limits_are_those_of_rfc_1035() {
        let label = |length| "x".repeat(length);
        assert!(Name::absolute(&label(63)).is_ok());
        assert_eq!(Name::absolute(&label(64)), Err(NameError::LabelTooLong(64)));
        // Three labels of 63 octets and one of 61 are 255 octets as sent.
        let long = |last| [label(63), label(63), label(63), label(last)].join(".");
        assert!(Name::absolute(&long(61)).is_ok());
        assert_eq!(Name::absolute(&long(62)), Err(NameError::TooLong(256)));
        assert_eq!(Name::absolute("a..b"), Err(NameError::EmptyLabel));
        assert_eq!(Name::absolute(".a"), Err(NameError::EmptyLabel));
        assert_eq!(Name::absolute("").unwrap(), Name::root());
        assert_eq!(Name::absolute(".").unwrap(), Name::root());
    }

    #[test]
    fn odd_octets_are_escaped_when_written() {
        let name = Name::new(vec![b"A.\\ \xff".to_vec(), b"org".to_vec()], &Name::root()).unwrap();
        assert_eq!(name.to_string(), "a\\.\\\\\\032\\255.org");
        assert_eq!(Name::root().to_string(), ".");
    }
}
