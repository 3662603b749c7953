//! What an error tells of a name that somebody else chose.
#![allow(clippy::unwrap_used, missing_docs)]

use dkim_tags::{TagList, TagListError};

/// The names that the errors of a list of one such name carry.
fn told(octets: usize) -> [String; 3] {
    let name = "a".repeat(octets);
    let name = name.as_bytes();
    let lists =
        [[name, b"=\x01"].concat(), [name, b"=\xff"].concat(), [name, b"=;", name, b"="].concat()];
    lists.map(|list| match TagList::parse(&list).unwrap_err() {
        TagListError::Octet { name, .. }
        | TagListError::Encoding { name }
        | TagListError::Duplicate { name, .. } => name,
        error => panic!("{error}"),
    })
}

#[test]
fn long_names_are_cut_and_said_to_be() {
    let whole = "a".repeat(TagListError::MAX_NAME);
    assert!(told(TagListError::MAX_NAME).iter().all(|name| *name == whole));
    let cut = format!("{whole}...");
    for octets in [TagListError::MAX_NAME + 1, 16_000] {
        assert!(told(octets).iter().all(|name| *name == cut), "{octets}");
    }
}
