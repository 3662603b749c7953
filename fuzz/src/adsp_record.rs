//! ADSP records (RFC 5617 §4.2.1) and Author Domains.

use dkim_adsp::{Adsp, AdspRecord, authors};

/// A record says one of three things, and the first word says which; authors have domains of the
/// DNS.
pub fn adsp_record(data: &[u8]) {
    if let Ok(record) = AdspRecord::parse(data) {
        let text = str::from_utf8(data).expect("a tag-list is UTF-8");
        let first = text.split(';').next().unwrap_or_default();
        let (name, value) = first.split_once('=').expect("the first tag has a value");
        assert_eq!(name.trim(), "dkim");
        let expected = match value.trim_matches([' ', '\t']) {
            "all" => Adsp::All,
            "discardable" => Adsp::Discardable,
            _ => Adsp::Unknown,
        };
        assert_eq!(record.practices(), expected);
        assert_eq!(record.tag("dkim"), None);
    }
    if let Ok(authors) = authors(data) {
        assert!((1..=dkim_adsp::MAX_AUTHOR_DOMAINS).contains(&authors.len()));
        for author in &authors {
            assert!(author.domain().as_str().len() <= 253);
            let same = |other: &&dkim_adsp::Author| other.domain() == author.domain();
            assert_eq!(authors.iter().filter(same).count(), 1);
        }
    }
}
