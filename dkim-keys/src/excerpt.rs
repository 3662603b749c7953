//! What an error tells of a text that may hold anything.

/// The longest word that is told whole, in characters: enough to find the place, and too little to be
/// of use if it is a key.
const MAX_WORD: usize = 24;

/// The longest message, in octets.
const MAX_LEN: usize = 400;

/// What is told of a word, or of a value that may be a key in a wrong place.
pub(crate) fn quoted(word: &str) -> String {
    match word.char_indices().nth(MAX_WORD) {
        Some((end, _)) => format!("{}...", word.get(..end).unwrap_or_default()),
        None => word.to_owned(),
    }
}

/// A message that quotes a file, cut word by word and as a whole. Blanks alone are between words: a
/// key has lines.
pub(crate) fn excerpt(text: &str) -> String {
    let words: Vec<String> = text.split(' ').map(quoted).collect();
    let mut said = words.join(" ");
    if said.len() > MAX_LEN {
        let end = (0..=MAX_LEN).rev().find(|&at| said.is_char_boundary(at)).unwrap_or(0);
        said.truncate(end);
        said.push_str("...");
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_have_24_characters() {
        let long = "\u{fc}".repeat(MAX_WORD);
        assert_eq!(excerpt(&format!("a {long} b")), format!("a {long} b"));
        assert_eq!(excerpt(&format!("a {long}x b")), format!("a {long}... b"));
        assert_eq!(excerpt(&format!("{long}\n{long}")), format!("{long}..."));
    }

    #[test]
    fn messages_have_400_octets() {
        let words = "abc ".repeat(MAX_LEN / 4);
        assert_eq!(excerpt(&words), words);
        assert_eq!(excerpt(&format!("{words}d")), format!("{words}..."));
        // No character is cut in two.
        let words = "\u{20ac} ".repeat(200);
        assert_eq!(excerpt(&words), format!("{}...", "\u{20ac} ".repeat(100)));
    }
}
