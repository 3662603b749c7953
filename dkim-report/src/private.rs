//! Addresses not to be told, and where they stand in other text.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use dkim_message::{Address, author_addresses};
use dkim_tags::DomainName;

use crate::Redactor;
use crate::words::{State, Words};

/// Addresses not to be told.
#[derive(Default)]
pub(crate) struct Private {
    /// In the order in which they were added.
    addresses: Vec<PrivateAddress>,
    /// The local-part as it may stand somewhere, quoted or not, and the domain, in lower case.
    known: HashSet<(Vec<u8>, Vec<u8>)>,
    /// As they were given: one address may be there a quarter of a million times.
    given: HashSet<Address>,
}

struct PrivateAddress {
    /// Both in lower case.
    written: Vec<u8>,
    domain: Vec<u8>,
    local_part: String,
}

/// Private addresses beyond this many are not looked for in other fields: who writes so many to To
/// shall not make us search for each of them.
const MOST_PRIVATE: usize = 200;

/// Nor are those of more octets than this: no mail goes there (RFC 5321 §4.5.3.1.3).
const MAX_PATH: usize = 256;

impl Private {
    /// Whether there is no room for another.
    pub(crate) fn is_full(&self) -> bool {
        self.addresses.len() >= MOST_PRIVATE
    }

    pub(crate) fn add(&mut self, address: &Address) {
        if self.is_full() || self.given.contains(address) {
            return;
        }
        self.given.insert(address.clone());
        let quoted = address.to_string().to_ascii_lowercase();
        let quoted = quoted.rsplit_once('@').map_or("", |(local_part, _)| local_part);
        let domain = address.domain.to_ascii_lowercase();
        // As a report tells it.
        let a_labels = DomainName::parse(&domain).map(|domain| domain.as_str().to_owned());
        for domain in [Some(domain), a_labels.ok()].into_iter().flatten().map(String::into_bytes) {
            for written in [quoted, &address.local_part.to_ascii_lowercase()].map(str::as_bytes) {
                self.add_written(written, &domain, &address.local_part);
            }
        }
    }

    fn add_written(&mut self, written: &[u8], domain: &[u8], local_part: &str) {
        let fits = !written.is_empty() && written.len() + domain.len() < MAX_PATH;
        if fits && !self.is_full() && self.known.insert((written.to_vec(), domain.to_vec())) {
            self.addresses.push(PrivateAddress {
                written: written.to_vec(),
                domain: domain.to_vec(),
                local_part: local_part.to_owned(),
            });
        }
    }
}

/// Hides addresses, at a cost that grows with the text alone: neither how many they are nor how
/// they overlap makes a difference.
pub(crate) struct Mask {
    written: Words,
    /// Read from the right to the left.
    domains: Words,
    /// For each word of `written` and each of `domains`, in this order: of the addresses whose
    /// local-part the one ends with and whose domain the other begins with, that with the longest
    /// local-part, and of several the last one.
    around: Vec<Option<usize>>,
    /// How many domains there are.
    width: usize,
    /// How many octets the local-parts have, and what stands for them.
    addresses: Vec<(usize, String)>,
}

impl Mask {
    pub(crate) fn new(private: &Private, redactor: &Redactor) -> Self {
        let addresses = &private.addresses;
        let backward = |one: &PrivateAddress| one.domain.iter().rev().copied().collect::<Vec<_>>();
        let written: BTreeSet<&[u8]> = addresses.iter().map(|one| &*one.written).collect();
        let domains: BTreeSet<Vec<u8>> = addresses.iter().map(backward).collect();
        let words =
            (Words::new(written.iter().copied()), Words::new(domains.iter().map(Vec::as_slice)));
        let exact: BTreeMap<(&[u8], Vec<u8>), usize> = addresses
            .iter()
            .zip(0..)
            .map(|(one, at)| ((&*one.written, backward(one)), at))
            .collect();
        let width = domains.len();
        let mut around = vec![None; written.len() * width];
        let get = |row: &[Option<usize>], at: Option<u8>| {
            at.and_then(|at| row.get(usize::from(at)).copied().flatten())
        };
        // What a word ends with is shorter than it, and was looked at before.
        for (w, written) in by_length(written.iter().copied()) {
            let mut row = vec![None; width];
            for (d, domain) in by_length(domains.iter().map(Vec::as_slice)) {
                let here = exact.get(&(written, domain.to_vec())).copied();
                let last = here.max(get(&row, words.1.inner(d)));
                if let Some(cell) = row.get_mut(usize::from(d)) {
                    *cell = last;
                }
            }
            let shorter = words.0.inner(w).map_or(0..0, |shorter| row_of(shorter, width));
            let shorter = around.get(shorter).unwrap_or_default().to_vec();
            let filled = row.iter().zip(shorter.iter().copied().chain(std::iter::repeat(None)));
            let filled: Vec<_> = filled.map(|(own, shorter)| own.or(shorter)).collect();
            if let Some(cells) = around.get_mut(row_of(w, width)) {
                cells.copy_from_slice(&filled);
            }
        }
        let hidden = |one: &PrivateAddress| (one.written.len(), redactor.redact(&one.local_part));
        let addresses = addresses.iter().map(hidden).collect();
        Self { written: words.0, domains: words.1, around, width, addresses }
    }

    /// Octets with the addresses hidden, in upper or lower case.
    ///
    /// A sign stands between a local-part and a domain: `@` in an address, `=` in one that became
    /// part of another, as mailing lists make them, and `%40` and `=40` where URIs and encoded
    /// words have the `@`.
    pub(crate) fn hide(&self, octets: &[u8]) -> Vec<u8> {
        let domains = self.domains_of(octets);
        let mut hidden = Vec::with_capacity(octets.len());
        // What is before this was written.
        let mut done = 0;
        // Of what was read since.
        let mut state = State::default();
        for (at, octet) in octets.iter().enumerate() {
            if matches!(octet, b'@' | b'=' | b'%')
                && let Some(written) = self.written.longest(state)
            {
                let is_encoded = *octet != b'@'
                    && octets.get(at + 1..).is_some_and(|after| after.starts_with(b"40"));
                let plain = (*octet != b'%').then_some(at + 1);
                let domains = [plain, is_encoded.then_some(at + 3)]
                    .map(|start| domains.get(start?).copied().flatten());
                if let Some((length, redacted)) = self.around(written, domains) {
                    let start = at.saturating_sub(*length);
                    hidden.extend_from_slice(octets.get(done..start).unwrap_or_default());
                    hidden.extend_from_slice(redacted.as_bytes());
                    (done, state) = (at, State::default());
                }
            }
            state = self.written.next(state, octet.to_ascii_lowercase());
        }
        hidden.extend_from_slice(octets.get(done..).unwrap_or_default());
        hidden
    }

    /// For each octet, the longest domain that begins there.
    fn domains_of(&self, octets: &[u8]) -> Vec<Option<u8>> {
        let mut domains = vec![None; octets.len()];
        let mut state = State::default();
        for (octet, domain) in octets.iter().zip(&mut domains).rev() {
            state = self.domains.next(state, octet.to_ascii_lowercase());
            *domain = self.domains.longest(state);
        }
        domains
    }

    /// The address with the longest local-part among those between which a sign may stand, and how
    /// it is hidden.
    fn around(&self, written: u8, domains: [Option<u8>; 2]) -> Option<&(usize, String)> {
        let row = self.around.get(row_of(written, self.width))?;
        let found = domains.into_iter().flatten();
        let found = found.filter_map(|domain| row.get(usize::from(domain)).copied().flatten());
        let found = found.filter_map(|at| Some((at, self.addresses.get(at)?)));
        found.max_by_key(|(at, (length, _))| (*length, *at)).map(|(_, address)| address)
    }

    /// How often an octet was looked at.
    #[cfg(test)]
    fn looks(&self) -> usize {
        self.written.looks() + self.domains.looks()
    }
}

/// Where the cells of a word are.
fn row_of(word: u8, width: usize) -> std::ops::Range<usize> {
    let start = usize::from(word) * width;
    start..start + width
}

/// Words with their places, the short ones first.
fn by_length<'w>(words: impl Iterator<Item = &'w [u8]>) -> Vec<(u8, &'w [u8])> {
    let mut words: Vec<_> = (0..=u8::MAX).zip(words).collect();
    words.sort_by_key(|(_, word)| word.len());
    words
}

/// The addresses of a list, or the one of `Original-Recipient`.
pub(crate) fn addresses(body: &[u8]) -> Result<Vec<Address>, dkim_message::AddressError> {
    // `rfc822;joe@example.org`, as Original-Recipient has it (RFC 3798 §2.3).
    let body = body.trim_ascii();
    let typed = body.get(..7).is_some_and(|start| start.eq_ignore_ascii_case(b"rfc822;"));
    author_addresses(if typed { body.get(7..).unwrap_or_default() } else { body })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use dkim_crypto::ring::PROVIDER;

    use super::*;

    fn private(list: &str) -> Private {
        let mut private = Private::default();
        addresses(list.as_bytes()).unwrap().iter().for_each(|address| private.add(address));
        private
    }

    /// Tries each address at each sign.
    fn naive(private: &Private, redactor: &Redactor, octets: &[u8]) -> Vec<u8> {
        let is_around = |one: &PrivateAddress, before: &[u8], sign: u8, after: &[u8]| {
            let is_encoded =
                || after.strip_prefix(b"40").is_some_and(|at| at.starts_with(&one.domain));
            before.ends_with(&one.written)
                && match sign {
                    b'%' => is_encoded(),
                    b'=' => after.starts_with(&one.domain) || is_encoded(),
                    _ => after.starts_with(&one.domain),
                }
        };
        let lower = octets.to_ascii_lowercase();
        let mut hidden = Vec::new();
        let mut done = 0;
        for (at, sign) in lower.iter().enumerate() {
            if !matches!(sign, b'@' | b'=' | b'%') {
                continue;
            }
            let (before, after) = (&lower[done..at], &lower[at + 1..]);
            let found = private.addresses.iter();
            let found = found.filter(|one| is_around(one, before, *sign, after));
            if let Some(one) = found.max_by_key(|one| one.written.len()) {
                hidden.extend_from_slice(&octets[done..at - one.written.len()]);
                hidden.extend_from_slice(redactor.redact(&one.local_part).as_bytes());
                done = at;
            }
        }
        hidden.extend_from_slice(&octets[done..]);
        hidden
    }

    /// Numbers that look like chance, the same in every run (Marsaglia's xorshift).
    struct Numbers(u64);

    impl Numbers {
        fn below(&mut self, limit: usize) -> usize {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            usize::try_from(self.0 % u64::try_from(limit).unwrap()).unwrap()
        }

        fn text(&mut self, alphabet: &[&str], longest: usize) -> String {
            let pieces = 1 + self.below(longest);
            (0..pieces).map(|_| alphabet[self.below(alphabet.len())]).collect()
        }
    }

    #[test]
    fn addresses_are_hidden_as_if_each_was_tried_at_each_sign() {
        let redactor = Redactor::new(&PROVIDER, b"potatoes").unwrap();
        let mut numbers = Numbers(42);
        let mut hidden = 0;
        for _ in 0..if cfg!(miri) { 5 } else { 1000 } {
            let mut private = Private::default();
            for _ in 0..=numbers.below(12) {
                let local_part = numbers.text(&["a", "B", "@", "=", "%", "40", "\"", " "], 3);
                let local_part = local_part.replace('"', "\\\"");
                let domain = numbers.text(&["a", "b", "=", "%", "4", "0", "40"], 2);
                let address = format!("\"{local_part}\"@{domain}");
                for address in addresses(address.as_bytes()).unwrap() {
                    private.add(&address);
                }
            }
            let mask = Mask::new(&private, &redactor);
            let pieces = ["a", "A", "b", "@", "=", "%", "%40", "=40", "40", "4", "0", "\"", " "];
            for _ in 0..20 {
                let text = numbers.text(&pieces, 30);
                let expected = naive(&private, &redactor, text.as_bytes());
                hidden += usize::from(expected != text.as_bytes());
                assert_eq!(mask.hide(text.as_bytes()), expected, "{text}");
            }
        }
        assert!(cfg!(miri) || hidden > 1000, "{hidden}");
    }

    /// However many addresses there are, and however they overlap.
    #[test]
    fn each_octet_is_looked_at_a_few_times() {
        let redactor = Redactor::new(&PROVIDER, b"potatoes").unwrap();
        let list = |address: &dyn Fn(usize) -> String| {
            private(&(0..MOST_PRIVATE).map(address).collect::<Vec<_>>().join(","))
        };
        let signs = list(&|at| format!("\"{}\"@b.example", "@".repeat(at + 1)));
        let short = list(&|at| format!("{at:03}@b.example"));
        let domains = list(&|at| format!("a@{}", "=".repeat(at + 1)));
        let octets = 10_000;
        for (private, text) in [
            (signs, "@".repeat(octets)),
            (short, "=".repeat(octets)),
            (domains, "=".repeat(octets)),
        ] {
            assert_eq!(private.addresses.len(), MOST_PRIVATE);
            let mask = Mask::new(&private, &redactor);
            let before = mask.looks();
            assert_eq!(mask.hide(text.as_bytes()), text.as_bytes());
            assert!(mask.looks() - before <= 4 * octets, "{}", mask.looks() - before);
        }
    }

    #[test]
    fn so_many_are_looked_for() {
        let all: Vec<_> = (0..=MOST_PRIVATE).map(|at| format!("x{at:03}@example.net")).collect();
        let private = private(&all.join(","));
        let redactor = Redactor::new(&PROVIDER, b"potatoes").unwrap();
        let mask = Mask::new(&private, &redactor);
        let is_hidden = |address: &String| mask.hide(address.as_bytes()) != address.as_bytes();
        assert!(all[..MOST_PRIVATE].iter().all(is_hidden));
        assert!(!is_hidden(&all[MOST_PRIVATE]));
    }

    #[test]
    fn addresses_are_hidden_wherever_they_stand() {
        let redactor = Redactor::new(&PROVIDER, b"potatoes").unwrap();
        let private = private("Bob <Bob@Example.NET>, \"a b\"@example.net, b@example.net");
        let mask = Mask::new(&private, &redactor);
        let (bob, ab, b) = (redactor.redact("bob"), redactor.redact("a b"), redactor.redact("b"));
        for (text, hidden) in [
            ("for <bob@example.net>;", format!("for <{bob}@example.net>;")),
            ("BOB@EXAMPLE.NET", format!("{bob}@EXAMPLE.NET")),
            ("list-bob=example.net@lists.example", format!("list-{bob}=example.net@lists.example")),
            ("\"a b\"@example.net", format!("{ab}@example.net")),
            ("b@example.net,bob@example.net", format!("{b}@example.net,{bob}@example.net")),
            ("bob@example.org @= bob", "bob@example.org @= bob".to_owned()),
            ("=@=", "=@=".to_owned()),
            ("?u=bob%40example.net&x", format!("?u={bob}%40example.net&x")),
            ("=?utf-8?q?to_bob=40Example.net?=", format!("=?utf-8?q?to_{bob}=40Example.net?=")),
            ("bob%example.net bob%41example.net", "bob%example.net bob%41example.net".to_owned()),
            ("bob@bob@example.net", format!("bob@{bob}@example.net")),
        ] {
            let text = mask.hide(text.as_bytes());
            assert_eq!(String::from_utf8_lossy(&text), hidden);
        }
    }
}
