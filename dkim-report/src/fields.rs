//! Header fields written so that no value gets out of its own.

use dkim_tags::value::to_base64;

/// Lines are folded at this many characters where white space allows it (RFC 5322 §2.1.1).
const LINE: usize = 78;

/// Lines with encoded-words are at most so long (RFC 2047 §2).
const ENCODED_LINE: usize = 76;

/// An encoded-word has so many octets in it: 60 characters in base64, of the 75 that it may have
/// (RFC 2047 §2).
const ENCODED_OCTETS: usize = 45;

/// A word of more characters than this is cut, so that no line passes 998 (RFC 5322 §2.1.1).
pub(crate) const MAX_WORD: usize = 900;

/// White space of more characters than this is cut, for the same reason.
const MAX_BLANKS: usize = 60;

/// Fields, one below the other.
#[derive(Debug, Default)]
pub(crate) struct Fields {
    text: String,
}

impl Fields {
    /// Adds a field; none, if the name is none by RFC 5322 §2.2.
    pub(crate) fn add(&mut self, name: &str, value: &str) {
        if !self.begin(name) {
            return;
        }
        let mut column = name.len() + 1;
        let value = plain(value);
        let line = if value.contains("=?") { ENCODED_LINE } else { LINE };
        for (number, (blanks, word)) in words(value.trim()).enumerate() {
            let blanks = blanks.get(..MAX_BLANKS).unwrap_or(blanks);
            let word = word.get(..MAX_WORD).unwrap_or(word);
            let blanks = if number == 0 { " " } else { blanks };
            // The first word stays on the line of the name: some readers expect it there.
            if number > 0 && column + blanks.len() + word.len() > line {
                self.text.push_str("\r\n");
                column = 0;
            }
            self.text.push_str(blanks);
            self.text.push_str(word);
            column += blanks.len() + word.len();
        }
        self.text.push_str("\r\n");
    }

    /// Adds a field if there is a value.
    pub(crate) fn add_any(&mut self, name: &str, value: Option<impl AsRef<str>>) {
        if let Some(value) = value {
            self.add(name, value.as_ref());
        }
    }

    /// Adds a field whose value may be folded anywhere, as base64 may.
    pub(crate) fn add_breakable(&mut self, name: &str, value: &str) {
        if !self.begin(name) {
            return;
        }
        let (mut rest, mut room) = (value, LINE.saturating_sub(name.len() + 2).max(1));
        loop {
            let (line, after) = rest.split_at_checked(room).unwrap_or((rest, ""));
            self.text.push(' ');
            self.text.push_str(line);
            self.text.push_str("\r\n");
            (rest, room) = (after, LINE - 1);
            if rest.is_empty() {
                return;
            }
        }
    }

    /// Adds a field that was written elsewhere, by somebody who lets nothing out of it either.
    pub(crate) fn add_folded(&mut self, field: &str) {
        self.text.push_str(field);
    }

    fn begin(&mut self, name: &str) -> bool {
        let good = is_field_name(name);
        if good {
            self.text.push_str(name);
            self.text.push(':');
        }
        good
    }

    pub(crate) fn finish(self) -> String {
        self.text
    }
}

/// `1*ftext` (RFC 5322 §3.6.8), and not too long.
fn is_field_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() < LINE - 1
        && name.bytes().all(|octet| matches!(octet, b'!'..=b'~') && octet != b':')
}

/// Text in printable ASCII.
pub(crate) fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii() { printable(c) } else { '?' }).collect()
}

fn printable(c: char) -> char {
    match c {
        '\t' => ' ',
        c if c.is_control() => '?',
        c => c,
    }
}

/// Unstructured text in printable ASCII: words that are not become encoded-words (RFC 2047 §5), and
/// with them the white space to another encoded-word, which readers take out.
pub(crate) fn encoded(text: &str) -> String {
    let text: String = text.chars().map(printable).collect();
    let (mut whole, mut open) = (String::with_capacity(text.len()), String::new());
    let mut follows_encoded = false;
    for (blanks, word) in words(&text) {
        let is_encoded = word.starts_with("=?") && word.ends_with("?=");
        match (word.is_ascii(), open.is_empty()) {
            (true, false) if is_encoded => {
                open.push_str(blanks);
                whole.extend([&encoded_words(&open), " ", word]);
                open.clear();
            }
            (true, _) => {
                whole.extend([&encoded_words(&open), blanks, word]);
                open.clear();
            }
            (false, true) if follows_encoded => {
                whole.push(' ');
                open.extend([blanks, word]);
            }
            (false, true) => {
                whole.push_str(blanks);
                open.push_str(word);
            }
            (false, false) => open.extend([blanks, word]),
        }
        follows_encoded = is_encoded;
    }
    whole + &encoded_words(&open)
}

/// ```abnf
/// encoded-word = "=?" charset "?" encoding "?" encoded-text "?="
/// ```
/// (RFC 2047 §2.) "Each 'encoded-word' MUST represent an integral number of characters" (§5).
fn encoded_words(text: &str) -> String {
    let (mut words, mut rest) = (Vec::new(), text);
    while !rest.is_empty() {
        let end = (1..=ENCODED_OCTETS).rev().find(|end| rest.is_char_boundary(*end));
        let (word, after) = rest.split_at_checked(end.unwrap_or(rest.len())).unwrap_or((rest, ""));
        words.push(format!("=?utf-8?B?{}?=", to_base64(word.as_bytes())));
        rest = after;
    }
    words.join(" ")
}

/// The words of a text, each with the blanks before it.
fn words(mut text: &str) -> impl Iterator<Item = (&str, &str)> {
    std::iter::from_fn(move || {
        let word = text.find(|c| c != ' ')?;
        let (blanks, rest) = text.split_at_checked(word)?;
        let end = rest.find(' ').unwrap_or(rest.len());
        let (word, rest) = rest.split_at_checked(end)?;
        text = rest;
        Some((blanks, word))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(name: &str, value: &str) -> String {
        let mut fields = Fields::default();
        fields.add(name, value);
        fields.finish()
    }

    #[test]
    fn values_stay_in_their_field() {
        assert_eq!(field("A", "b\r\nX: y\0\u{85}\u{fc}\u{7f}"), "A: b??X: y????\r\n");
        assert_eq!(field("A", " \t b  c\td "), "A: b  c d\r\n");
        assert_eq!(field("A", ""), "A:\r\n");
        for bad in ["", "A:", "A B", "A\r\nB", "\u{fc}", &"x".repeat(80)] {
            assert_eq!(field(bad, "b"), "", "{bad:?}");
        }
    }

    #[test]
    fn lines_fold_before_white_space() {
        let text = field("Name", &format!("{} {}  {}", "a".repeat(70), "b".repeat(76), "c"));
        let (a, b) = ("a".repeat(70), "b".repeat(76));
        assert_eq!(text, format!("Name: {a}\r\n {b}\r\n  c\r\n"));
        let long = field("Name", &format!("{}{}x", "y".repeat(2000), " ".repeat(2000)));
        assert!(long.lines().all(|line| line.len() <= 998 && !line.trim().is_empty()));
        let mut fields = Fields::default();
        fields.add_breakable("Name", &"z".repeat(200));
        let text = fields.finish();
        assert!(text.lines().all(|line| line.len() <= LINE && !line.trim().is_empty()), "{text}");
        assert_eq!(text.replace("\r\n ", "").len(), "Name: \r\n".len() + 200);
    }

    /// RFC 2047 §2: "not more than 75 characters long", on lines of at most 76.
    #[test]
    fn words_beyond_ascii_are_encoded() {
        assert_eq!(encoded("a  b\tc\r\0\u{85}"), "a  b c???");
        assert_eq!(encoded("Gr\u{fc}\u{df}e an alle"), "=?utf-8?B?R3LDvMOfZQ==?= an alle");
        // White space between two is in them.
        assert_eq!(encoded("an \u{fc}  \u{fc} b \u{fc}"), {
            "an =?utf-8?B?w7wgIMO8?= b =?utf-8?B?w7w=?="
        });
        let line = field("Subject", &format!("FW: {}", encoded(&"\u{65e5}\u{672c} ".repeat(100))));
        assert!(line.is_ascii() && line.lines().all(|line| line.len() <= ENCODED_LINE), "{line}");
        let words: Vec<_> = line.split_whitespace().skip(2).collect();
        assert!(words.iter().all(|word| word.len() <= 75), "{line}");
        let octets = words.iter().flat_map(|word| {
            let text = word.strip_prefix("=?utf-8?B?").and_then(|word| word.strip_suffix("?="));
            let octets = text.and_then(dkim_tags::value::base64).unwrap_or_default();
            assert!(std::str::from_utf8(&octets).is_ok(), "{word}");
            octets
        });
        let text = String::from_utf8(octets.collect()).unwrap_or_default();
        assert_eq!(text, "\u{65e5}\u{672c} ".repeat(100).trim_end());
        for (octets, count) in [(ENCODED_OCTETS, 1), (ENCODED_OCTETS + 1, 2)] {
            let text = encoded(&format!("{}\u{fc}", "x".repeat(octets - 2)));
            assert_eq!(text.matches("=?utf-8").count(), count, "{text}");
        }
        // Who follows an encoded-word on its line keeps to its limit.
        let long = field("A", &format!("{} {}", encoded("\u{fc}"), "x ".repeat(60)));
        assert!(long.lines().next().is_some_and(|line| line.len() <= ENCODED_LINE), "{long}");
    }

    #[test]
    fn words_and_blanks_have_their_limits() {
        for (word, blanks) in [(MAX_WORD, MAX_BLANKS), (MAX_WORD + 1, MAX_BLANKS + 1)] {
            let text = field("A", &format!("b{}{}", " ".repeat(blanks), "c".repeat(word)));
            let expected = format!("A: b\r\n{}{}\r\n", " ".repeat(60), "c".repeat(900));
            assert_eq!(text, expected, "{word}");
        }
    }
}
