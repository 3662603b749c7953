//! Every reason to refuse a signature before its hashes are compared, in the order of RFC 6376
//! §6.1.1 and §6.1.2.

use std::sync::Arc;

use dkim_crypto::{KeyType, PrivateKey, PublicKey};
use dkim_dns::{Answer, LookupError, MAX_RECORDS, Record};
use dkim_hash::FieldIndex;
use dkim_keyrec::{KeyRecord, KeyRecordError};
use dkim_message::Header;
use dkim_tags::{Signature, TagList, UnixTime};
use smallvec::SmallVec;

use crate::key::Key;
use crate::{Deviation, Limit, Outcome, Policy, Treatment};

/// Fields that may stand once only (RFC 5322 §3.6, RFC 2045 §3, §5, §6), From apart, which has a
/// deviation of its own.
const SINGLETONS: [&str; 13] = [
    "Subject",
    "Content-Type",
    "MIME-Version",
    "Content-Transfer-Encoding",
    "Date",
    "To",
    "Cc",
    "Bcc",
    "Reply-To",
    "Sender",
    "Message-ID",
    "In-Reply-To",
    "References",
];

/// Those of them that decide what a reader takes the message to be about and to contain.
const STEERING: [&str; 4] =
    ["Subject", "Content-Type", "Content-Transfer-Encoding", "MIME-Version"];

/// What is wrong with the message, whichever signature is looked at.
#[derive(Debug)]
pub(crate) struct MessageFindings {
    /// Why none of its signatures is judged.
    pub(crate) refused: Option<Outcome>,
    deviations: Vec<Deviation>,
    /// Those of [`SINGLETONS`] that stand in the header more than once, and how often.
    singletons: Vec<(&'static str, usize)>,
}

impl MessageFindings {
    pub(crate) fn of(header: &Header<'_>, index: &FieldIndex<'_, '_>, policy: &Policy) -> Self {
        let from = index.count("From");
        let malformed = header.defects().first().copied().map(Deviation::MalformedHeader);
        let no_from = (from == 0).then_some(Outcome::NoFrom);
        let refused = match policy.malformed_header {
            Treatment::Accept => None,
            Treatment::Refuse => malformed.clone().map(Outcome::Refused),
        };
        let several_from = (from > 1).then_some(Deviation::MultipleFrom);
        Self {
            refused: refused.or(no_from),
            deviations: malformed.into_iter().chain(several_from).collect(),
            singletons: index.repeated(&SINGLETONS).collect(),
        }
    }
}

/// Reads the tags of a DKIM-Signature field, within the limits.
pub(crate) fn signature(tags: &TagList<'_>, policy: &Policy) -> Result<Signature, Outcome> {
    let most = policy.limits.signed_fields;
    let names = |value: &str| value.bytes().filter(|octet| *octet == b':').count() + 1;
    // A list of so few octets has no more names.
    if tags.value("h").is_some_and(|value| value.len() >= most && names(value) > most) {
        return Err(Outcome::Limit(Limit::SignedFields));
    }
    Signature::from_tags(tags).map_err(Outcome::Signature)
}

/// What the policy refuses before any work is done.
pub(crate) fn refused_at_once(signature: &Signature, policy: &Policy) -> Option<Outcome> {
    // RFC 8301 §3.1: signatures with "rsa-sha1" are "permanently failed".
    let refused = is_sha1(signature) && policy.sha1 == Treatment::Refuse;
    refused.then_some(Outcome::Refused(Deviation::Sha1))
}

fn is_sha1(signature: &Signature) -> bool {
    signature.algorithm == dkim_crypto::SigningAlgorithm::RSA_SHA1
}

/// What deviates in a signature and in its message, apart from its key and its body.
pub(crate) fn deviations(
    signature: &Signature,
    message: &MessageFindings,
    policy: &Policy,
    now: UnixTime,
) -> Vec<Deviation> {
    let mut found = message.deviations.clone();
    let mut note = |deviates, deviation| {
        if deviates {
            found.push(deviation);
        }
    };
    note(is_sha1(signature), Deviation::Sha1);
    // RFC 6376 §3.5: a signature may be considered invalid "if the verification time at the
    // Verifier is past the expiration date".
    let passed = |time: UnixTime| time.0.saturating_add(policy.clock_skew) < now.0;
    let to_come = |time: UnixTime| time.0 > now.0.saturating_add(policy.clock_skew);
    note(signature.expiration.is_some_and(passed), Deviation::Expired);
    note(signature.timestamp.is_some_and(to_come), Deviation::Future);
    note(signature.sdid.is_single_label(), Deviation::SingleLabelDomain);
    let unacceptable = policy.unacceptable_domains.contains(&signature.sdid);
    note(unacceptable, Deviation::UnacceptableDomain);
    for &(name, there) in &message.singletons {
        let signed = signature.signed_fields.count(name);
        // A field signed less often than it stands there: some instance is not signed, and not
        // knowing which one a reader shows, it might be that one.
        note(0 < signed && signed < there, Deviation::UnsignedDuplicate(name));
    }
    found
}

/// What an answer to a question for a key holds.
pub(crate) struct Keys {
    /// The records that suit the signature, in the order of the answer.
    pub(crate) usable: SmallVec<[Arc<Key>; 1]>,
    /// Why there is none, and the record that is the reason.
    pub(crate) refused: (Outcome, Option<Arc<KeyRecord>>),
    /// Whether several records stand there.
    pub(crate) several: bool,
    /// Whether some were left untried.
    pub(crate) untried: bool,
}

/// The most octets of an answer that are looked at. A message of the DNS has a length of two octets
/// (RFC 1035 §4.2.2), so that no answer which came from there holds more.
const MAX_ANSWER: usize = 64 * 1024;

/// Reads an answer to a question for a key (RFC 6376 §6.1.2); `read` reads a record.
pub(crate) fn keys(
    signature: &Signature,
    answer: Option<&Answer>,
    policy: &Policy,
    read: impl Fn(&Record) -> Result<Arc<Key>, KeyRecordError>,
) -> Keys {
    let none = |outcome| Keys {
        usable: SmallVec::new(),
        refused: (outcome, None),
        several: false,
        untried: false,
    };
    let records = match answer.map(dkim_dns::records) {
        // Step 2: "the query for the public key fails to respond".
        None => return none(Outcome::KeyUnavailable(None)),
        Some(Err(LookupError::ChainTooLong)) => return none(Outcome::Limit(Limit::CnameHops)),
        Some(Err(error)) if error.is_temporary() => {
            return none(Outcome::KeyUnavailable(Some(error)));
        }
        // Step 3: "the corresponding key record does not exist".
        Some(Err(error)) => return none(Outcome::KeyMissing(error)),
        Some(Ok(records)) => records,
    };
    let mut keys = none(Outcome::KeyMissing(LookupError::NoRecords));
    keys.several = records.len() > 1;
    // Step 4: we "cycle through the key records"; a record that is none does not count as one.
    let mut candidates = 0;
    let mut octets = 0;
    let mut told = None;
    for (position, record) in records.iter().enumerate() {
        octets += record.len().min(KeyRecord::MAX_LEN);
        if candidates == policy.limits.key_records || position == MAX_RECORDS || octets > MAX_ANSWER
        {
            keys.untried = true;
            break;
        }
        let (outcome, record) = match parse(signature, record, &read) {
            Err(outcome) => (outcome, None),
            Ok(key) => {
                candidates += 1;
                match unsuitable(signature, &key.record, policy) {
                    None => {
                        keys.usable.push(key);
                        continue;
                    }
                    Some(outcome) => (outcome, Some(Arc::clone(&key.record))),
                }
            }
        };
        // Alone at its name it is told as what it is.
        keys.untried |= keys.several && outcome == Outcome::Limit(Limit::KeyRecord);
        let telling = Telling::of(&outcome, record.as_deref());
        if told.is_none_or(|told| telling > told) {
            told = Some(telling);
            keys.refused = (outcome, record);
        }
    }
    // One of the others might have been the key.
    if keys.untried && keys.usable.is_empty() {
        keys.refused.0 = Outcome::Limit(Limit::KeyRecords);
    }
    keys
}

/// How much a refusal tells about why there is no key, when several records were refused. The
/// first of those that tell most is told.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Telling {
    /// A record of another kind, such as one for SPF.
    OtherVersion,
    /// A record that may have been meant to be a key.
    NoKeyRecord,
    /// A key that does not suit.
    UnsuitableKey,
}

impl Telling {
    fn of(outcome: &Outcome, record: Option<&KeyRecord>) -> Self {
        match (outcome, record) {
            (_, Some(_)) => Self::UnsuitableKey,
            (Outcome::KeyRecord(KeyRecordError::Version(_)), None) => Self::OtherVersion,
            (_, None) => Self::NoKeyRecord,
        }
    }
}

/// Step 5: the record must "adhere to the format".
fn parse(
    signature: &Signature,
    record: &Record,
    read: impl Fn(&Record) -> Result<Arc<Key>, KeyRecordError>,
) -> Result<Arc<Key>, Outcome> {
    // The limit comes before the strings are put together.
    if record.len() > KeyRecord::MAX_LEN {
        return Err(Outcome::Limit(Limit::KeyRecord));
    }
    let algorithm = signature.algorithm;
    read(record).map_err(|error| match error {
        // An Ed25519 key without `k=` is no RSA key, but that is not what is wrong with it.
        KeyRecordError::Key { key_type, .. } if key_type != algorithm.key() => {
            Outcome::KeyType { algorithm, key_type }
        }
        error => Outcome::KeyRecord(error),
    })
}

/// Steps 6 to 8, and the terms that §3.6.1 lets a record set: why the key does not suit.
fn unsuitable(signature: &Signature, record: &KeyRecord, policy: &Policy) -> Option<Outcome> {
    let algorithm = signature.algorithm;
    if !record.allows_email() {
        return Some(Outcome::KeyService);
    }
    if !record.allows_hash(algorithm.hash()) {
        return Some(Outcome::KeyHash(algorithm));
    }
    let Some(key) = &record.key else { return Some(Outcome::KeyRevoked) };
    if key.key_type() != algorithm.key() {
        return Some(Outcome::KeyType { algorithm, key_type: key.key_type() });
    }
    // §3.6.1 `t=s`: "the "i=" domain MUST NOT be a subdomain of "d="". Without it, §3.10 lets a key
    // sign for subdomains.
    let auid = signature.auid.as_ref();
    if record.is_strict() && auid.is_some_and(|auid| *auid.domain() != signature.sdid) {
        return Some(Outcome::StrictDomain);
    }
    // RFC 8301 §3.2: "Verifiers MUST NOT consider signatures using RSA keys of less than 1024 bits
    // as valid signatures." The provider keeps to that too.
    let short = key.key_type() == KeyType::Rsa && key.bits() < policy.min_rsa_bits;
    short.then_some(Outcome::Refused(Deviation::ShortKey { bits: key.bits() }))
}

/// What deviates in a key record, if there is one, and in how many there are.
pub(crate) fn key_deviations(
    record: Option<&KeyRecord>,
    several: bool,
    policy: &Policy,
) -> Vec<Deviation> {
    let key = record.and_then(|record| record.key.as_ref());
    let rsa = key.filter(|key| key.key_type() == KeyType::Rsa).map(PublicKey::bits);
    let enough = PrivateKey::MIN_RSA_BITS.max(policy.min_rsa_bits);
    [
        rsa.filter(|bits| *bits < enough).map(|bits| Deviation::ShortKey { bits }),
        several.then_some(Deviation::SeveralKeyRecords),
        record.filter(|record| !record.versioned).map(|_| Deviation::KeyWithoutVersion),
        record.filter(|record| record.is_testing()).map(|_| Deviation::Testing),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// A signature that verified passes, unless the policy refuses one of its deviations.
pub(crate) fn judge(deviations: &[Deviation], policy: &Policy) -> Outcome {
    let treatment = |deviation: &Deviation| match deviation {
        Deviation::Sha1 => policy.sha1,
        Deviation::BodyNotFullySigned { .. } => policy.unsigned_body,
        Deviation::MultipleFrom => policy.multiple_from,
        Deviation::MalformedHeader(_) => policy.malformed_header,
        Deviation::UnsignedDuplicate(name) if STEERING.contains(name) => policy.unsigned_duplicate,
        Deviation::SingleLabelDomain => policy.single_label_domain,
        Deviation::UnacceptableDomain => Treatment::Refuse,
        Deviation::Expired => policy.expired,
        Deviation::Future => policy.future,
        Deviation::SeveralKeyRecords => policy.several_key_records,
        Deviation::KeyWithoutVersion => policy.key_without_version,
        Deviation::Testing => policy.testing,
        // A key below the minimum did not get here.
        Deviation::ShortKey { .. } | Deviation::UnsignedDuplicate(_) => Treatment::Accept,
    };
    deviations
        .iter()
        .find(|deviation| treatment(deviation) == Treatment::Refuse)
        .map_or(Outcome::Pass, |deviation| Outcome::Refused(deviation.clone()))
}
