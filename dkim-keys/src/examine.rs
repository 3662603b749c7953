//! A published record, held against what usually goes wrong.

use dkim_crypto::{HashAlgorithm, KeyType, PrivateKey, PublicKey};
use dkim_dns::Record;
use dkim_keyrec::{KeyRecord, KeyRecordError};
use dkim_tags::{TagList, value};

use crate::RecordFault;
use crate::secret::is_private_der;

/// Everything wrong with a TXT record that is to be a key record, for a private key whose public one
/// is `expected`, if that is known.
///
/// ```
/// use dkim_dns::Record;
/// use dkim_keys::examine;
///
/// let record = Record { strings: vec![b"v=DKIM1; t=y; p=".to_vec()] };
/// let codes: Vec<_> = examine(&record, None).iter().map(|fault| fault.code()).collect();
/// assert_eq!(codes, ["revoked", "testing"]);
/// ```
#[must_use]
pub fn examine(record: &Record, expected: Option<&PublicKey>) -> Vec<RecordFault> {
    let text = record.joined();
    let mut faults = match KeyRecord::parse(&text) {
        Ok(parsed) => faults_of_key(&parsed, expected),
        Err(error) => vec![diagnose(record, &text, error)],
    };
    if let Ok(tags) = TagList::parse(&text) {
        if let Some(value) = tags.value("g") {
            faults.push(RecordFault::Granularity { value: value.to_owned() });
        }
        if tags.value("p").is_some_and(|key| key.contains([' ', '\t', '\r', '\n'])) {
            faults.push(RecordFault::SpaceInKey);
        }
    }
    faults
}

/// What a record says that can be read.
fn faults_of_key(record: &KeyRecord, expected: Option<&PublicKey>) -> Vec<RecordFault> {
    const LEAST: u32 = PublicKey::MIN_RSA_BITS;
    const ENOUGH: u32 = PrivateKey::MIN_RSA_BITS;

    let mut faults = Vec::new();
    match (&record.key, expected) {
        (None, _) => faults.push(RecordFault::Revoked),
        (Some(key), Some(expected)) if key != expected => {
            faults.push(match key.key_type() == expected.key_type() {
                true => RecordFault::OtherKey,
                false => RecordFault::WrongKeyType {
                    says: key.key_type().to_string(),
                    key: expected.key_type(),
                },
            });
        }
        _ => {}
    }
    let rsa = record.key.as_ref().filter(|key| key.key_type() == KeyType::Rsa);
    if let Some(bits) = rsa.map(PublicKey::bits) {
        match bits {
            ..LEAST => faults.push(RecordFault::TooShort { bits }),
            LEAST..ENOUGH => faults.push(RecordFault::Short { bits }),
            ENOUGH.. => {}
        }
    }
    let others = [
        (!record.allows_hash(HashAlgorithm::Sha256), RecordFault::NoSha256),
        (!record.allows_email(), RecordFault::NotForEmail),
        (record.is_testing(), RecordFault::Testing),
        (!record.versioned, RecordFault::NoVersion),
    ];
    faults.extend(others.into_iter().filter_map(|(is, fault)| is.then_some(fault)));
    faults
}

/// Why a record cannot be read: the slip of whoever entered it, if one explains it.
fn diagnose(record: &Record, text: &[u8], error: KeyRecordError) -> RecordFault {
    let without = |octets: &[u8]| -> Vec<u8> {
        text.iter().copied().filter(|octet| !octets.contains(octet)).collect()
    };
    let is_mended_by = |octets: &[u8]| {
        text.iter().any(|octet| octets.contains(octet))
            && KeyRecord::parse(&without(octets)).is_ok()
    };
    if holds_private_key(text) || holds_private_key(&without(b"\"\\")) {
        return RecordFault::PrivateKey;
    }
    if is_mended_by(b"\\") {
        return RecordFault::EscapedSemicolons;
    }
    if is_mended_by(b"\"") || is_mended_by(b"\"\\") {
        return RecordFault::QuotesInside;
    }
    if let Some(wrong) = wrong_key_type(text, &error) {
        return wrong;
    }
    match &*record.strings {
        [only] if only.len() == 255 => RecordFault::CutOff,
        _ => RecordFault::Unusable { error },
    }
}

/// Whether what stands in `p=` is a private key, in DER or in PEM.
fn holds_private_key(text: &[u8]) -> bool {
    const PEM: &[u8] = b"PRIVATE KEY-----";

    let tags = TagList::parse(text);
    let key = tags.as_ref().ok().and_then(|tags| value::base64(tags.value("p")?));
    key.is_some_and(|key| is_private_der(&key))
        || text.windows(PEM.len()).any(|octets| octets == PEM)
}

/// The key of another type than the record says, if it is one.
fn wrong_key_type(text: &[u8], error: &KeyRecordError) -> Option<RecordFault> {
    if !matches!(error, KeyRecordError::Key { .. } | KeyRecordError::UnknownKeyType(_)) {
        return None;
    }
    let tags = TagList::parse(text).ok()?;
    let key = value::base64(tags.value("p")?)?;
    let says = tags.value("k").unwrap_or("rsa").to_owned();
    let is = |key_type: &KeyType| PublicKey::from_p_tag(*key_type, &key).is_ok();
    let key = KeyType::ALL.iter().copied().find(is)?;
    Some(RecordFault::WrongKeyType { says, key })
}
