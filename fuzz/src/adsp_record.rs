//! ADSP records, both ways (RFC 5617 §4.2.1), and Author Domains.

use arbitrary::Unstructured;
use dkim_adsp::{Adsp, AdspRecord, authors};

use crate::made_up;
use crate::said::unless_refused;

/// A record says one of three things, the first word says which, and what is read and written reads
/// as the same value; authors have domains of the DNS.
pub fn adsp_record(data: &[u8]) {
    if let Some(record) = unless_refused(AdspRecord::parse(data)) {
        assert!(data.is_ascii() && !data.iter().any(|octet| matches!(octet, b'\r' | b'\n')));
        let text = str::from_utf8(data).expect("a tag-list is UTF-8");
        let first = text.split(';').next().unwrap_or_default();
        let (name, value) = first.split_once('=').expect("the first tag has a value");
        assert_eq!(name.trim(), "dkim");
        let word = value.trim_matches([' ', '\t']);
        let expected = match word {
            "all" => Adsp::All,
            "discardable" => Adsp::Discardable,
            _ => Adsp::Unknown,
        };
        assert_eq!((record.practices(), record.word()), (expected, word));
        assert_eq!(record.tag("dkim"), None);
        assert_twins(&record);
    }
    if let Some(authors) = unless_refused(authors(data)) {
        assert!((1..=dkim_adsp::MAX_AUTHOR_DOMAINS).contains(&authors.len()));
        for author in &authors {
            let Some(domain) = unless_refused(author.domain()) else { continue };
            assert!(domain.as_str().len() <= 253);
            let same = |other: &&dkim_adsp::Author| other.domain() == Ok(domain);
            assert_eq!(authors.iter().filter(same).count(), 1);
        }
    }
}

/// Any record that can be made reads back as it was written.
pub fn adsp_record_value(data: &[u8]) {
    if let Ok(record) = made_up::adsp_record(&mut Unstructured::new(data)) {
        assert_eq!(AdspRecord::parse(record.to_text().as_bytes()), Ok(record));
    }
}

fn assert_twins(record: &AdspRecord) {
    let text = record.to_text();
    // A space is written after each `;`, so a record at the limit may outgrow it.
    if text.len() <= AdspRecord::MAX_LEN {
        assert_eq!(AdspRecord::parse(text.as_bytes()).as_ref(), Ok(record), "{text:?}");
    }
}
