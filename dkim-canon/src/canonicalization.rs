//! The two canonicalizations and their names.

use std::fmt;

/// A canonicalization of a DKIM-Signature's `c=` tag (RFC 6376 §3.4), for the header or the body.
///
/// ```
/// use dkim_canon::Canonicalization;
///
/// assert_eq!(Canonicalization::from_name(b"relaxed"), Some(Canonicalization::Relaxed));
/// assert_eq!(Canonicalization::from_name(b"nofws"), None);
/// assert_eq!(Canonicalization::default().name(), "simple");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Canonicalization {
    /// Almost nothing may change on the way (RFC 6376 §3.4.1, §3.4.3). What a signature without
    /// `c=` uses.
    #[default]
    Simple,
    /// White space and folding may change, and the case of field names (RFC 6376 §3.4.2, §3.4.4).
    Relaxed,
}

impl Canonicalization {
    /// All of them.
    pub const ALL: &'static [Self] = &[Self::Simple, Self::Relaxed];

    /// The name in tag values: `simple`, `relaxed`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Simple => "simple",
            Self::Relaxed => "relaxed",
        }
    }

    /// The canonicalization with this name. Tag values are case-sensitive (RFC 6376 §3.2).
    #[must_use]
    pub fn from_name(name: &[u8]) -> Option<Self> {
        Self::ALL.iter().copied().find(|one| one.name().as_bytes() == name)
    }
}

impl fmt::Display for Canonicalization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_go_both_ways() {
        for canonicalization in Canonicalization::ALL.iter().copied() {
            let name = canonicalization.to_string();
            assert_eq!(Canonicalization::from_name(name.as_bytes()), Some(canonicalization));
        }
    }

    #[test]
    fn names_are_case_sensitive_and_exact() {
        for name in ["Simple", "RELAXED", "relaxed ", "simple/simple", ""] {
            assert_eq!(Canonicalization::from_name(name.as_bytes()), None, "{name:?}");
        }
    }
}
