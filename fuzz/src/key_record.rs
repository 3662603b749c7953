//! Key records, both ways (RFC 6376 §3.6.1).

use arbitrary::Unstructured;
use dkim_crypto::HashAlgorithm;
use dkim_keyrec::KeyRecord;

use crate::made_up;
use crate::said::unless_refused;

/// What is read and written reads as the same value.
pub fn key_record(data: &[u8]) {
    let Some(record) = unless_refused(KeyRecord::parse(data)) else { return };
    assert!(data.len() <= KeyRecord::MAX_LEN);
    if let Some(key) = &record.key {
        assert_eq!(key.key_type(), record.key_type);
    }
    // Asked, whatever the record says.
    let _ = (record.allows_email(), record.is_testing(), record.is_strict());
    let listed = |name: &str| record.hashes().is_none_or(|all| all.iter().any(|h| h == name));
    assert_eq!(record.allows_hash(HashAlgorithm::Sha256), listed("sha256"));
    assert_eq!(record.allows_hash(HashAlgorithm::Sha1), listed("sha1"));
    assert_twins(&record);
}

/// Any record that can be made reads back as it was written.
pub fn key_record_value(data: &[u8]) {
    if let Ok(record) = made_up::key_record(&mut Unstructured::new(data)) {
        assert_twins(&record);
    }
}

fn assert_twins(record: &KeyRecord) {
    let text = record.to_text();
    // A bare RSA key is written with its wrapping, so a record at the limit may outgrow it.
    if text.len() <= KeyRecord::MAX_LEN {
        assert_eq!(KeyRecord::parse(text.as_bytes()).as_ref(), Ok(record), "{text:?}");
    }
}
