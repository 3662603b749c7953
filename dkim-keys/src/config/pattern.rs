//! Patterns for addresses.

use dkim_tags::DomainName;
use serde::{Deserialize, Serialize};

/// An address in which `*` stands for any octets, none included: `joe@example.com`, `*@example.com`,
/// `*@*.example.com`, `*`. Upper and lower case of ASCII are the same. What stands before the last `@`
/// is of the local part, and what stands behind it of the domain; without an `@`, `*` may stand for one.
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

    /// Whether it may fit the domain of an author, which has no U-labels when it is compared.
    pub(super) fn is_in_a_labels(&self) -> bool {
        self.domain().is_none_or(|domain| domain.as_str().is_ascii())
    }

    /// The domain of all addresses that it fits, where that is always the same.
    pub(super) fn domain_name(&self) -> Option<DomainName> {
        DomainName::parse(self.domain()?.as_str()).ok()
    }

    /// Whether it fits an address. A quoted local part may have an `@`, too: the last one counts.
    ///
    /// ```
    /// use dkim_keys::Pattern;
    ///
    /// assert!(Pattern::new("*@*.example.com").fits("joe@lists.example.com"));
    /// assert!(!Pattern::new("*@*.example.com").fits("joe@example.com"));
    /// assert!(!Pattern::new("*@mail*").fits("\"joe@mail\"@example.com"));
    /// ```
    #[must_use]
    pub fn fits(&self, address: &str) -> bool {
        match (self.0.rsplit_once('@'), address.rsplit_once('@')) {
            (None, _) => is_like(&self.0, address),
            (Some((local_part, domain)), Some((its_local_part, its_domain))) => {
                is_like(local_part, its_local_part) && is_like(domain, its_domain)
            }
            (Some(_), None) => false,
        }
    }
}

/// Whether a text is a pattern with something in the place of each `*`.
fn is_like(pattern: &str, text: &str) -> bool {
    let mut pieces = pattern.split('*').map(str::as_bytes);
    let (mut rest, first) = (text.as_bytes(), pieces.next().unwrap_or_default());
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

fn strip_prefix<'a>(text: &'a [u8], prefix: &[u8]) -> Option<&'a [u8]> {
    let (start, rest) = text.split_at_checked(prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By trying everything; no `*` on one side of the pattern's last `@` stands for the last one of
    /// the address.
    fn naive(pattern: &[u8], text: &[u8]) -> bool {
        let last = |of: &[u8]| of.iter().rposition(|octet| *octet == b'@');
        match (last(pattern), last(text)) {
            (Some(p), Some(t)) => {
                tries(&pattern[..p], &text[..t]) && tries(&pattern[p..], &text[t..])
            }
            (Some(_), None) => false,
            (None, _) => tries(pattern, text),
        }
    }

    fn tries(pattern: &[u8], text: &[u8]) -> bool {
        match (pattern, text) {
            ([], []) => true,
            ([b'*', after @ ..], _) => {
                tries(after, text)
                    || text.split_first().is_some_and(|(_, text)| tries(pattern, text))
            }
            ([p, pattern @ ..], [t, text @ ..]) => {
                p.eq_ignore_ascii_case(t) && tries(pattern, text)
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
        for pattern in texts(b"ab*", 5).into_iter().chain(texts(b"a@*", 5)) {
            for address in &addresses {
                let expected = naive(pattern.as_bytes(), address.as_bytes());
                assert_eq!(Pattern::new(&*pattern).fits(address), expected, "{pattern} {address}");
            }
        }
    }
}
