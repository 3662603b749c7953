//! What an error tells of names and values that somebody else chose.
#![allow(clippy::unwrap_used, missing_docs)]

use dkim_tags::value::MAX_EXCERPT;
use dkim_tags::{Signature, TagList, TagListError};

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
    let whole = "a".repeat(MAX_EXCERPT);
    assert!(told(MAX_EXCERPT).iter().all(|name| *name == whole));
    let cut = format!("{whole}...");
    for octets in [MAX_EXCERPT + 1, 16_000] {
        assert!(told(octets).iter().all(|name| *name == cut), "{octets}");
    }
}

/// Whatever the values are: the errors that quote them stay short.
#[test]
fn long_values_are_cut_and_said_to_be() {
    let field = |tag: &str| {
        let tags = ["v=1", "a=rsa-sha256", "b=Zg==", "bh=Zg==", "c=simple", "d=example.com"];
        let tags = tags.iter().chain(&["h=From", "q=dns/txt", "s=s"]).copied();
        let named = |tag: &str| tag.split('=').next().unwrap().to_owned();
        let tags = tags.map(|other| if named(other) == named(tag) { tag } else { other });
        tags.collect::<Vec<_>>().join(";")
    };
    assert!(Signature::parse(field("v=1").as_bytes()).is_ok());
    for name in ["v", "a", "c", "q"] {
        for unit in ["a", "\u{fc}", "\u{200b}"].into_iter().filter(|u| name != "q" || u.is_ascii())
        {
            let cut = format!("{}...", unit.repeat(MAX_EXCERPT));
            let whole = unit.repeat(MAX_EXCERPT);
            for (value, told) in [(unit.repeat(MAX_EXCERPT + 1), cut), (whole.clone(), whole)] {
                let error = Signature::parse(field(&format!("{name}={value}")).as_bytes());
                let said = error.unwrap_err().to_string();
                assert!(said.contains(&format!("{told:?}")), "{said}");
            }
        }
    }
}
