//! The key words of an RFC's text (RFC 2119), section by section.

use std::collections::BTreeMap;

/// The key words that make a requirement. MAY and OPTIONAL leave a choice.
pub(super) const LEVELS: [&str; 9] = [
    "MUST NOT",
    "MUST",
    "SHALL NOT",
    "SHALL",
    "SHOULD NOT",
    "SHOULD",
    "NOT RECOMMENDED",
    "RECOMMENDED",
    "REQUIRED",
];

/// The key words of each section that has any, in the order written.
pub(super) fn of_sections(text: &str) -> BTreeMap<String, Vec<&'static str>> {
    let mut sections: BTreeMap<String, String> = BTreeMap::new();
    let mut section = None;
    for line in text.lines().map(|line| line.trim_start_matches('\x0c')) {
        if is_page_furniture(line) {
            continue;
        }
        match line.chars().next() {
            // A heading; one without a number, as that of an appendix, ends what came before.
            Some(first) if !first.is_whitespace() => section = heading(line).map(str::to_owned),
            _ => {
                if let Some(section) = &section {
                    let text = sections.entry(section.clone()).or_default();
                    text.push_str(line);
                    text.push('\n');
                }
            }
        }
    }
    let words = sections.into_iter().map(|(section, text)| (section, of_text(&text)));
    words.filter(|(_, words)| !words.is_empty()).collect()
}

/// The lines at the top and the bottom of a page.
fn is_page_furniture(line: &str) -> bool {
    let numbered = line.ends_with(']') && line.contains("[Page ");
    let titled = line.strip_prefix("RFC ").is_some_and(|rest| rest.contains("   "));
    numbered || titled
}

/// The number of `3.2.  Tag=Value Lists`.
fn heading(line: &str) -> Option<&str> {
    let (number, _) = line.split_once(".  ")?;
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|octet| octet.is_ascii_digit());
    number.split('.').all(digits).then_some(number)
}

/// The key words of a text. Two that make one may stand on two lines.
fn of_text(text: &str) -> Vec<&'static str> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(word) = words.get(at) {
        let bare = |word: &str| word.trim_matches(|c: char| !c.is_ascii_alphabetic()).to_owned();
        let two = words.get(at + 1).map(|next| format!("{word} {}", bare(next)));
        let level = |known: &&&str| two.as_deref() == Some(known) || bare(word) == **known;
        let level = LEVELS.iter().find(level).copied();
        found.extend(level);
        at += level.map_or(1, |level| level.split(' ').count());
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_words_are_told_apart_by_section() {
        let text = "\
Somebody                 Standards Track                   [Page 1]
\x0c
RFC 6376                     DKIM Signatures              September 2011

   3.2.  Tags . . . . . 12

3.  Elements

   You MUST do it; it MUST
   NOT be (REQUIRED).

3.2.  Tags

   It SHOULD

Somebody                 Standards Track                   [Page 2]
\x0c
RFC 6376                     DKIM Signatures              September 2011

   NOT be NOT RECOMMENDED, nor RECOMMENDED: MUSTARD must not NOT MAY.

3.3.  Nothing

Appendix A.  Examples

   This MUST not count.
";
        let found = of_sections(text);
        let expected = [
            ("3", vec!["MUST", "MUST NOT", "REQUIRED"]),
            ("3.2", vec!["SHOULD NOT", "NOT RECOMMENDED", "RECOMMENDED"]),
        ];
        assert_eq!(found, expected.map(|(section, words)| (section.to_owned(), words)).into());
    }
}
