//! Author Addresses (RFC 5322 §3.4, RFC 6854).

use dkim_message::address::{MAX_ADDRESSES, author_addresses};

use crate::said::unless_refused;

/// An address is written so that it reads as the same, alone and in a list; the line end at the end
/// of the field makes no difference.
pub fn addresses(data: &[u8]) {
    let found = author_addresses(data);
    if !data.ends_with(b"\r\n") {
        assert_eq!(author_addresses(&[data, b"\r\n"].concat()), found);
    }
    let Some(found) = unless_refused(found) else { return };
    assert!(found.len() <= MAX_ADDRESSES);
    for address in &found {
        let written = address.to_string();
        let again = author_addresses(written.as_bytes());
        assert_eq!(again.as_deref(), Ok(std::slice::from_ref(address)), "{written:?}");
    }
    if !found.is_empty() {
        let written: Vec<String> = found.iter().map(ToString::to_string).collect();
        let written = written.join(", ");
        assert_eq!(author_addresses(written.as_bytes()).as_ref(), Ok(&found), "{written:?}");
    }
}
