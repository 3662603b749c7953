//! What is said of an input that is refused.

use std::fmt::Display;

/// What was read. An error says on one line what is wrong: whatever was read, and whoever writes it
/// to a log or a terminal, it steers neither and is short.
pub(crate) fn unless_refused<T, E: Display>(read: Result<T, E>) -> Option<T> {
    match read {
        Ok(read) => Some(read),
        Err(error) => {
            assert_harmless(&error);
            None
        }
    }
}

pub(crate) fn assert_harmless(error: &dyn Display) {
    let said = error.to_string();
    assert!(!said.is_empty());
    let bidi = |c| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    assert!(!said.contains(|c: char| c.is_control() || bidi(c)), "{said:?}");
    assert!(said.len() <= 1024, "{} octets: {said:?}", said.len());
}
