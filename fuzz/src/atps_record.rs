//! ATPS records, both ways (RFC 6541 §4.4), and their names.

use arbitrary::Unstructured;
use dkim_adsp::AtpsRecord;
use dkim_crypto::ring::PROVIDER;

use crate::made_up;
use crate::said::unless_refused;

/// What is read and written reads as the same value, and lets one domain sign or any.
pub fn atps_record(data: &[u8]) {
    let Some(record) = unless_refused(AtpsRecord::parse(data)) else { return };
    assert!(data.is_ascii());
    assert_eq!((record.tag("v"), record.tag("d")), (None, None));
    if let Some(domain) = record.domain() {
        assert!(record.authorizes(domain));
    }
    let text = record.to_text();
    // White space is written after each `;`, so a record at the limit may outgrow it.
    if text.len() <= AtpsRecord::MAX_LEN {
        assert_eq!(AtpsRecord::parse(text.as_bytes()), Ok(record), "{text:?}");
    }
}

/// Any record that can be made reads back as it was written; a name is made of labels of the DNS
/// that begin with the SDID or its hash.
pub fn atps_record_value(data: &[u8]) {
    let mut octets = Unstructured::new(data);
    if let Ok(record) = made_up::atps_record(&mut octets) {
        assert_eq!(AtpsRecord::parse(record.to_text().as_bytes()), Ok(record));
    }
    if let Ok((sdid, claim)) = made_up::atps_claim(&mut octets) {
        let name = AtpsRecord::name(&sdid, &claim, &PROVIDER).expect("ring has all hashes");
        let (encoded, author_domain) = name.split_once("._atps.").expect("as §4.3 has it");
        assert_eq!(author_domain, claim.author_domain.as_str());
        if claim.hash.name() == "none" {
            assert_eq!(encoded, sdid.as_str());
        } else {
            assert!((1..=63).contains(&encoded.len()));
            assert!(encoded.bytes().all(|octet| matches!(octet, b'A'..=b'Z' | b'2'..=b'7')));
        }
    }
}
