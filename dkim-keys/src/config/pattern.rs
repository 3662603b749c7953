//! Patterns for addresses.

use dkim_tags::DomainName;
use serde::{Deserialize, Serialize};

/// An address in which `*` stands for any octets, none included: `joe@example.com`, `*@example.com`,
/// `*@*.example.com`, `*`. Upper and lower case of ASCII are the same.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Pattern(String);

impl Pattern {
    /// A pattern; any text is one.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What the domain of the addresses that it fits looks like; `None` where it fits no address.
    pub(super) fn domain(&self) -> Option<Self> {
        let domain = match self.0.rsplit_once('@') {
            Some((_, domain)) => domain,
            // The last `*` stands for the `@` and whatever else.
            None => self.0.get(self.0.rfind('*')?..)?,
        };
        Some(Self::new(domain))
    }

    /// The domain of all addresses that it fits, where that is always the same.
    pub(super) fn domain_name(&self) -> Option<DomainName> {
        DomainName::parse(self.domain()?.as_str()).ok()
    }

    /// Whether it fits.
    ///
    /// ```
    /// use dkim_keys::Pattern;
    ///
    /// assert!(Pattern::new("*@*.example.com").fits("joe@lists.example.com"));
    /// assert!(!Pattern::new("*@*.example.com").fits("joe@example.com"));
    /// ```
    #[must_use]
    pub fn fits(&self, address: &str) -> bool {
        let mut pieces = self.0.split('*').map(str::as_bytes);
        let (mut rest, first) = (address.as_bytes(), pieces.next().unwrap_or_default());
        let Some(after) = strip_prefix(rest, first) else { return false };
        rest = after;
        let Some(last) = pieces.next_back() else { return rest.is_empty() };
        // The leftmost place for each piece leaves the most for those after it.
        for piece in pieces {
            let fits =
                |at: &usize| rest.get(*at..).and_then(|rest| strip_prefix(rest, piece)).is_some();
            let Some(at) = (0..=rest.len()).find(fits) else { return false };
            rest = rest.get(at + piece.len()..).unwrap_or_default();
        }
        let end = rest.len().checked_sub(last.len()).and_then(|at| rest.get(at..));
        end.is_some_and(|end| end.eq_ignore_ascii_case(last))
    }
}

fn strip_prefix<'a>(text: &'a [u8], prefix: &[u8]) -> Option<&'a [u8]> {
    let (start, rest) = text.split_at_checked(prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By trying everything.
    fn naive(pattern: &[u8], text: &[u8]) -> bool {
        match (pattern, text) {
            ([], []) => true,
            ([b'*', after @ ..], _) => {
                naive(after, text)
                    || text.split_first().is_some_and(|(_, text)| naive(pattern, text))
            }
            ([p, pattern @ ..], [t, text @ ..]) => {
                p.eq_ignore_ascii_case(t) && naive(pattern, text)
            }
            _ => false,
        }
    }

    fn texts(alphabet: &[u8], most: u32) -> Vec<String> {
        let count = alphabet.len();
        let text = |len: u32, number: usize| {
            let octet = |place| char::from(alphabet[number / count.pow(place) % count]);
            (0..len).map(octet).collect()
        };
        (0..=most)
            .flat_map(|len| (0..count.pow(len)).map(move |n| (len, n)))
            .map(|(l, n)| text(l, n))
            .collect()
    }

    #[test]
    fn patterns_fit_as_by_trying_everything() {
        let addresses = texts(b"aB@", 5);
        for pattern in texts(b"ab*", 5) {
            for address in &addresses {
                let expected = naive(pattern.as_bytes(), address.as_bytes());
                assert_eq!(Pattern::new(&*pattern).fits(address), expected, "{pattern} {address}");
            }
        }
    }
}
