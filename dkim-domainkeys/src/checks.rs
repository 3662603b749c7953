//! Every reason to refuse a signature but that it does not verify (RFC 4870 §3.7.3, §3.7.4).

use std::sync::Arc;

use dkim_crypto::{KeyType, PrivateKey, PublicKey, SigningAlgorithm};
use dkim_dns::{Answer, LookupError, MAX_RECORDS, Record};
use dkim_keyrec::{KeyRecord, KeyRecordError};
use dkim_message::Header;
use dkim_tags::value::excerpt;

use crate::{
    Deviation, DomainKey, Limit, Outcome, Policy, Sender, SenderError, Signature, Treatment,
};

/// What there is to say of the message, whichever signature is looked at.
#[derive(Debug)]
pub(crate) struct Message {
    malformed: Option<Deviation>,
    sender: Result<Arc<Sender>, SenderError>,
}

impl Message {
    pub(crate) fn of(header: &Header<'_>) -> Self {
        Self {
            malformed: header.defects().first().copied().map(Deviation::MalformedHeader),
            sender: Sender::of(header).map(Arc::new),
        }
    }

    pub(crate) fn sender(&self) -> Option<&Arc<Sender>> {
        self.sender.as_ref().ok()
    }

    /// Why none of its signatures is judged.
    pub(crate) fn refused(&self, policy: &Policy) -> Option<Outcome> {
        let malformed =
            self.malformed.clone().filter(|_| policy.malformed_header == Treatment::Refuse);
        // Rule 1: "If this extraction fails, the email SHALL fail verification."
        let sender = || self.sender.as_ref().err().cloned().map(Outcome::Sender);
        malformed.map(Outcome::Refused).or_else(sender)
    }

    /// What deviates in it and in a signature of it, apart from its key.
    pub(crate) fn deviations(&self, signature: &Signature, policy: &Policy) -> Vec<Deviation> {
        let unacceptable = policy.unacceptable_domains.contains(&signature.domain);
        [
            self.malformed.clone(),
            Some(Deviation::Sha1),
            signature.domain.is_single_label().then_some(Deviation::SingleLabelDomain),
            unacceptable.then_some(Deviation::UnacceptableDomain),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

/// RFC 4870 §3.7.3, rules 2 and 3, for the signature at this position among the fields.
pub(crate) fn match_sender(
    signature: &Signature,
    position: usize,
    sender: &Sender,
) -> Result<(), Outcome> {
    if !sender.domain().is_within(&signature.domain) {
        return Err(Outcome::DomainMismatch { sending_domain: sender.domain().clone() });
    }
    let field = sender.field();
    let listed = signature.signed_fields.as_ref().is_none_or(|names| names.contains(field.name()));
    // Only what stands below is signed (§3.3). A field above may have been put there by anybody;
    // that "a verifier may look" there, we leave.
    if listed && sender.position() > position {
        Ok(())
    } else {
        Err(Outcome::SenderNotSigned(field))
    }
}

/// The deviation, of these, that the policy refuses.
pub(crate) fn refused(deviations: &[Deviation], policy: &Policy) -> Option<Outcome> {
    let treatment = |deviation: &Deviation| match deviation {
        Deviation::Sha1 => policy.sha1,
        Deviation::MalformedHeader(_) => policy.malformed_header,
        Deviation::SingleLabelDomain => policy.single_label_domain,
        Deviation::UnacceptableDomain => Treatment::Refuse,
        Deviation::Testing => policy.testing,
        // A key below the minimum did not get here.
        Deviation::ShortKey { .. } => Treatment::Accept,
    };
    let refused = deviations.iter().find(|one| treatment(one) == Treatment::Refuse);
    refused.cloned().map(Outcome::Refused)
}

/// The one type of key that DomainKeys knows.
const KEY_TYPE: KeyType = SigningAlgorithm::RSA_SHA1.key();

/// The most octets of an answer that are looked at: no answer from the DNS holds more (RFC 1035
/// §4.2.2).
const MAX_ANSWER: usize = 64 * 1024;

/// How much a record that does not do tells of why the signature does not verify, so that what tells
/// most is told, wherever it stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Telling {
    /// It says that it is something else.
    Other,
    /// It cannot be read.
    Broken,
    /// It is a key that may not be used, or not for this.
    Unsuitable,
    /// It is a key that does not verify the signature.
    Tried,
}

/// Why no key verifies the signature, `None` if one does; and that key, or the one that is the reason.
///
/// RFC 4870 §9: of several records an implementation may "pick any single TXT record". We pick the
/// one that verifies; what is no key record does not count.
pub(crate) fn find_key(
    answer: Option<&Answer>,
    sender: &Sender,
    policy: &Policy,
    verifies: impl Fn(&PublicKey) -> Result<(), Outcome>,
) -> (Option<Outcome>, Option<DomainKey>) {
    let records = match records(answer) {
        Ok(records) => records,
        Err(outcome) => return (Some(outcome), None),
    };
    let (mut candidates, mut octets, mut untried) = (0, 0, false);
    let mut told: Option<(Telling, Outcome, Option<DomainKey>)> = None;
    for (position, record) in records.iter().enumerate() {
        octets += record.len().min(KeyRecord::MAX_LEN);
        if candidates == policy.limits.key_records || position == MAX_RECORDS || octets > MAX_ANSWER
        {
            untried = true;
            break;
        }
        let refused = match read(record) {
            Err(outcome) => {
                let is_of_others =
                    matches!(outcome, Outcome::KeyRecord(KeyRecordError::Version(_)));
                (if is_of_others { Telling::Other } else { Telling::Broken }, outcome, None)
            }
            Ok(key) => {
                candidates += 1;
                match suits(&key, sender, policy).map(&verifies) {
                    Ok(Ok(())) => return (None, Some(key)),
                    Ok(Err(outcome)) => (Telling::Tried, outcome, Some(key)),
                    Err(outcome) => (Telling::Unsuitable, outcome, Some(key)),
                }
            }
        };
        // Alone at its name it is told as what it is.
        untried |= records.len() > 1 && refused.1 == Outcome::Limit(Limit::KeyRecord);
        // Of what tells as much, the first.
        if told.as_ref().is_none_or(|told| told.0 < refused.0) {
            told = Some(refused);
        }
    }
    let missing = || (Telling::Other, Outcome::KeyMissing(LookupError::NoRecords), None);
    let (_, outcome, key) = told.unwrap_or_else(missing);
    // One of the others might have been the key.
    (Some(if untried { Outcome::Limit(Limit::KeyRecords) } else { outcome }), key)
}

/// RFC 4870 §3.7.4, steps 2 and 3.
fn records(answer: Option<&Answer>) -> Result<&[Record], Outcome> {
    match answer.map(dkim_dns::records) {
        None => Err(Outcome::KeyUnavailable(None)),
        Some(Err(LookupError::ChainTooLong)) => Err(Outcome::Limit(Limit::CnameHops)),
        Some(Err(error)) if error.is_temporary() => Err(Outcome::KeyUnavailable(Some(error))),
        Some(Err(error)) => Err(Outcome::KeyMissing(error)),
        Some(Ok(records)) => Ok(records),
    }
}

/// Step 4: the record must "adhere to the format".
fn read(record: &Record) -> Result<DomainKey, Outcome> {
    let text = record.joined_within(KeyRecord::MAX_LEN).ok_or(Outcome::Limit(Limit::KeyRecord))?;
    DomainKey::parse(&text).map_err(|error| match error {
        // An Ed25519 key that is malformed is no RSA key in the first place.
        KeyRecordError::Key { key_type, .. } if key_type != KEY_TYPE => Outcome::KeyType(key_type),
        error => Outcome::KeyRecord(error),
    })
}

/// Step 5, and the terms of §3.2.3.
fn suits<'k>(
    key: &'k DomainKey,
    sender: &Sender,
    policy: &Policy,
) -> Result<&'k PublicKey, Outcome> {
    let public = key.record().key.as_ref().ok_or(Outcome::KeyRevoked)?;
    if public.key_type() != KEY_TYPE {
        return Err(Outcome::KeyType(public.key_type()));
    }
    if !key.allows(&sender.address().local_part) {
        let granularity = key.granularity().unwrap_or_default();
        return Err(Outcome::KeyGranularity(excerpt(granularity)));
    }
    // RFC 8301 §3.2, whatever the policy.
    let minimum = policy.min_rsa_bits.max(PublicKey::MIN_RSA_BITS);
    if public.bits() < minimum {
        return Err(Outcome::Refused(Deviation::ShortKey { bits: public.bits() }));
    }
    Ok(public)
}

/// What deviates in a key.
pub(crate) fn key_deviations(key: &DomainKey, policy: &Policy) -> Vec<Deviation> {
    let bits = key.record().key.as_ref().map_or(0, PublicKey::bits);
    let is_rsa = key.record().key_type == KEY_TYPE;
    let enough = PrivateKey::MIN_RSA_BITS.max(policy.min_rsa_bits);
    [
        (is_rsa && (1..enough).contains(&bits)).then_some(Deviation::ShortKey { bits }),
        key.record().is_testing().then_some(Deviation::Testing),
    ]
    .into_iter()
    .flatten()
    .collect()
}
