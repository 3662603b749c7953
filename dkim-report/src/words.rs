//! Words, and the longest of them that ends where one has read to.

use std::ops::Range;

/// An automaton (Aho and Corasick, "Efficient string matching", 1975): however the words overlap
/// one another and the text, reading takes at most two looks at it for each octet.
///
/// The crate `aho-corasick` keeps all words that end in a place and promises no order of them; the
/// longest alone is wanted here, and which other one it ends with.
pub(crate) struct Words {
    /// The beginnings of all words, the short ones first; nothing at all is the first.
    nodes: Vec<Node>,
    /// For each word, the longest other one that it ends with.
    inner: Vec<Option<u8>>,
    #[cfg(test)]
    looks: std::cell::Cell<usize>,
}

/// A beginning of a word.
#[derive(Default)]
struct Node {
    /// Its last octet.
    octet: u8,
    /// What is longer by one octet, in the order of these.
    children: Range<usize>,
    /// The longest other beginning that this one ends with.
    end: usize,
    /// The longest word that this one ends with, itself included.
    word: Option<u8>,
}

/// What was read so far, as far as it matters.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct State(usize);

impl Words {
    /// Words in ascending order, each once, none empty; they are known by their place in it. What
    /// is beyond the 256th is no word.
    pub(crate) fn new<'w>(words: impl IntoIterator<Item = &'w [u8]>) -> Self {
        let words: Vec<(u8, &[u8])> = (0..=u8::MAX).zip(words).collect();
        let mut all = Self {
            nodes: vec![Node::default()],
            inner: vec![None; words.len()],
            #[cfg(test)]
            looks: std::cell::Cell::default(),
        };
        // Which words begin so, and how many octets that is.
        let mut begun = vec![(0..words.len(), 0)];
        let mut at = 0;
        while let Some((range, octets)) = begun.get(at).cloned() {
            let first = all.nodes.len();
            let end = all.nodes.get(at).map_or(0, |node| node.end);
            // All that is shorter is complete.
            let mut longest = all.longest(State(end)).filter(|_| at != 0);
            for (place, (word, text)) in
                words.iter().enumerate().skip(range.start).take(range.len())
            {
                let Some(octet) = text.get(octets).copied() else {
                    if let Some(inner) = all.inner.get_mut(usize::from(*word)) {
                        *inner = longest;
                    }
                    longest = Some(*word);
                    continue;
                };
                match begun.last_mut() {
                    Some((range, _))
                        if all.nodes.len() > first
                            && all.nodes.last().is_some_and(|last| last.octet == octet) =>
                    {
                        range.end = place + 1;
                    }
                    _ => {
                        let end = if at == 0 { State(0) } else { all.next(State(end), octet) };
                        all.nodes.push(Node { octet, end: end.0, ..Node::default() });
                        begun.push((place..place + 1, octets + 1));
                    }
                }
            }
            let children = first..all.nodes.len();
            if let Some(node) = all.nodes.get_mut(at) {
                (node.children, node.word) = (children, longest);
            }
            at += 1;
        }
        all
    }

    /// What was read when this octet is read, too.
    pub(crate) fn next(&self, state: State, octet: u8) -> State {
        let mut at = state.0;
        loop {
            #[cfg(test)]
            self.looks.set(self.looks.get() + 1);
            let Some(node) = self.nodes.get(at) else { return State(0) };
            let children = self.nodes.get(node.children.clone()).unwrap_or_default();
            match children.binary_search_by_key(&octet, |child| child.octet) {
                Ok(child) => return State(node.children.start + child),
                Err(_) if at == 0 => return State(0),
                Err(_) => at = node.end,
            }
        }
    }

    /// The longest word that ends here.
    pub(crate) fn longest(&self, state: State) -> Option<u8> {
        self.nodes.get(state.0)?.word
    }

    /// The longest other word that this one ends with.
    pub(crate) fn inner(&self, word: u8) -> Option<u8> {
        *self.inner.get(usize::from(word))?
    }

    #[cfg(test)]
    pub(crate) fn looks(&self) -> usize {
        self.looks.get()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn all_words_are_found_where_they_end() {
        let octets = b"ab";
        let mut texts: Vec<Vec<u8>> = vec![Vec::new()];
        for at in 0.. {
            if texts[at].len() == 4 {
                break;
            }
            texts.extend(octets.map(|octet| [&*texts[at], &[octet]].concat()));
        }
        for seed in 0..200_usize {
            let chosen = |(place, _): &(usize, &Vec<u8>)| (place * 7919 + seed * 104_729) % 11 < 3;
            let words: BTreeSet<&[u8]> =
                texts.iter().enumerate().skip(1).filter(chosen).map(|(_, text)| &**text).collect();
            let automaton = Words::new(words.iter().copied());
            let words: Vec<&[u8]> = words.into_iter().collect();
            for text in &texts {
                let state =
                    text.iter().fold(State::default(), |s, octet| automaton.next(s, *octet));
                let mut found = Vec::new();
                let mut word = automaton.longest(state);
                while let Some(one) = word {
                    found.push(words[usize::from(one)]);
                    word = automaton.inner(one);
                }
                let mut expected: Vec<&[u8]> =
                    words.iter().copied().filter(|word| text.ends_with(word)).collect();
                expected.sort_by_key(|word| std::cmp::Reverse(word.len()));
                assert_eq!(found, expected, "{text:?} {words:?}");
            }
        }
    }

    #[test]
    fn no_octet_is_looked_at_more_than_twice() {
        let words: Vec<Vec<u8>> = (1..=200).map(|octets| vec![b'a'; octets]).collect();
        for text in [vec![b'a'; 10_000], [&[b'a'; 199][..], b"b"].concat().repeat(50)] {
            let words = Words::new(words.iter().map(Vec::as_slice));
            let before = words.looks();
            text.iter().fold(State::default(), |state, octet| words.next(state, *octet));
            assert!(words.looks() - before <= 2 * text.len(), "{}", words.looks());
        }
    }
}
