//! Text from mail, DNS and the file system, made harmless for a terminal.

use std::fmt::{self, Display, Formatter, Write};

/// Text in which whatever could steer a terminal, or show something else than it says, is written
/// as `\u{1b}`.
pub(crate) struct Printable<'t>(&'t str);

/// Makes text harmless when displayed.
pub(crate) fn printable(text: &str) -> Printable<'_> {
    Printable(text)
}

impl Display for Printable<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            if is_harmful(c) {
                write!(f, "{}", c.escape_unicode())?;
            } else {
                f.write_char(c)?;
            }
        }
        Ok(())
    }
}

/// Controls (C0, DEL, C1), line and paragraph separators, and the invisible characters that turn
/// the writing direction, join or separate letters, stand for letters, or carry hidden text (tags
/// and the variation selectors beyond those of scripts and emoji).
pub(crate) fn is_harmful(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff9}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_a_terminal_is_escaped() {
        for (text, shown) in [
            ("joe@example.com", "joe@example.com"),
            ("J\u{fc}rgen \u{65e5}\u{672c}", "J\u{fc}rgen \u{65e5}\u{672c}"),
            ("\u{1b}]0;owned\u{7}", "\\u{1b}]0;owned\\u{7}"),
            ("a\r\nb\tc\0", "a\\u{d}\\u{a}b\\u{9}c\\u{0}"),
            ("\u{9b}2J\u{7f}", "\\u{9b}2J\\u{7f}"),
            ("a\u{e0101}\u{e0041}\u{3164}", "a\\u{e0101}\\u{e0041}\\u{3164}"),
            ("moc.\u{202e}elpmaxe\u{2069}", "moc.\\u{202e}elpmaxe\\u{2069}"),
        ] {
            assert_eq!(printable(text).to_string(), shown);
        }
    }

    /// Unicode's Default_Ignorable_Code_Point, without the variation selectors that follow letters
    /// and emoji, and the separators and annotations beside it.
    #[test]
    fn what_is_not_seen_is_escaped() {
        let ignorable = [
            0xad..=0xad,
            0x34f..=0x34f,
            0x61c..=0x61c,
            0x115f..=0x1160,
            0x17b4..=0x17b5,
            0x180e..=0x180e,
            0x200b..=0x200f,
            0x202a..=0x202e,
            0x2060..=0x206f,
            0x3164..=0x3164,
            0xfeff..=0xfeff,
            0xffa0..=0xffa0,
            0x1bca0..=0x1bca3,
            0x1d173..=0x1d17a,
            0xe0000..=0xe0fff,
        ];
        let beside = [0x2028..=0x2029, 0xfff9..=0xfffb];
        for c in ignorable.into_iter().chain(beside).flatten().filter_map(char::from_u32) {
            assert!(is_harmful(c), "{}", c.escape_unicode());
        }
        for c in ['\u{fe0e}', '\u{fe0f}', '\u{180b}', '\u{2800}', '\u{3000}'] {
            assert!(!is_harmful(c), "{}", c.escape_unicode());
        }
    }
}
