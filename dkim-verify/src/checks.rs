//! Every reason to refuse a signature before its hashes are compared, in the order of RFC 6376
//! §6.1.1 and §6.1.2.

use dkim_crypto::KeyType;
use dkim_dns::{Answer, Dnssec, LookupError, Record};
use dkim_keyrec::{KeyRecord, KeyRecordError};
use dkim_message::Header;
use dkim_tags::{Signature, SignatureError, TagList, UnixTime};

use crate::{Deviation, Limit, Outcome, Policy, Treatment};

/// Fields that may stand once only (RFC 5322 §3.6, RFC 2045 §4) and steer what a reader shows.
const SINGLETONS: [&str; 3] = ["Subject", "Content-Type", "MIME-Version"];

/// The length that RFC 8301 §3.2 tells signers to use, in bits.
const RECOMMENDED_RSA_BITS: u32 = 2048;

/// What is wrong with the message, whichever signature is looked at.
#[derive(Debug)]
pub(crate) struct MessageFindings {
    refused: Option<Outcome>,
    deviations: Vec<Deviation>,
    /// How often each of [`SINGLETONS`] stands in the header.
    singletons: [usize; SINGLETONS.len()],
}

impl MessageFindings {
    pub(crate) fn of(header: &Header<'_>, policy: &Policy) -> Self {
        let count = |name| header.named(name).count();
        let mut findings =
            Self { refused: None, deviations: Vec::new(), singletons: SINGLETONS.map(count) };
        if let Some(defect) = header.defects().first() {
            let deviation = Deviation::MalformedHeader(*defect);
            match policy.malformed_header {
                Treatment::Accept => findings.deviations.push(deviation),
                Treatment::Refuse => findings.refused = Some(Outcome::Refused(deviation)),
            }
        }
        match count("From") {
            0 => findings.refused = findings.refused.or(Some(Outcome::NoFrom)),
            1 => {}
            _ => findings.deviations.push(Deviation::MultipleFrom),
        }
        findings
    }
}

/// Reads a DKIM-Signature field and refuses what §6.1.1 lets nobody accept.
pub(crate) fn signature(
    tags: Result<&TagList<'_>, SignatureError>,
    message: &MessageFindings,
    policy: &Policy,
) -> Result<Signature, Outcome> {
    let signature = tags.and_then(Signature::from_tags).map_err(Outcome::Signature)?;
    if let Some(refused) = &message.refused {
        return Err(refused.clone());
    }
    if signature.signed_fields.len() > policy.limits.signed_fields {
        return Err(Outcome::Limit(Limit::SignedFields));
    }
    // RFC 8301 §3.1: signatures with "rsa-sha1" are "permanently failed".
    if is_sha1(&signature) && policy.sha1 == Treatment::Refuse {
        return Err(Outcome::Refused(Deviation::Sha1));
    }
    Ok(signature)
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
    for (name, there) in SINGLETONS.into_iter().zip(message.singletons) {
        let signed = signature.signed_fields.iter().filter(|signed| signed.is(name)).count();
        // A field signed less often than it stands there: some instance is not signed, and not
        // knowing which one a reader shows, it might be that one.
        note(there > 1 && signed > 0 && signed < there, Deviation::UnsignedDuplicate(name));
    }
    found
}

/// The key records in an answer, and what came of those that are none.
pub(crate) struct Keys {
    /// Usable for this signature, best first.
    pub(crate) usable: Vec<KeyRecord>,
    /// Why the first of the others is not, when none is.
    pub(crate) refused: Outcome,
    /// Whether several records stood there.
    pub(crate) several: bool,
}

/// Reads an answer to a question for a key (RFC 6376 §6.1.2).
pub(crate) fn keys(signature: &Signature, answer: Option<&Answer>, policy: &Policy) -> Keys {
    let none = |refused| Keys { usable: Vec::new(), refused, several: false };
    let found = match answer {
        // Step 2: "the query for the public key fails to respond".
        None => return none(Outcome::KeyUnavailable(None)),
        Some(Err(error)) if error.is_temporary() => {
            return none(Outcome::KeyUnavailable(Some(error.clone())));
        }
        // Step 3: "the corresponding key record does not exist".
        Some(Err(error)) => return none(Outcome::KeyMissing(error.clone())),
        Some(Ok(found)) if found.dnssec == Dnssec::Bogus => {
            let error = LookupError::Failed("the DNSSEC signatures do not hold".to_owned());
            return none(Outcome::KeyUnavailable(Some(error)));
        }
        Some(Ok(found)) => found,
    };
    let mut keys = none(Outcome::KeyMissing(LookupError::NoRecords));
    keys.several = found.records.len() > 1;
    // Step 4: we "cycle through the key records"; those that are none do not count as one.
    let mut candidates = 0;
    let mut refused: Option<(bool, Outcome)> = None;
    for record in &found.records {
        if candidates == policy.limits.key_records {
            break;
        }
        let parsed = parse(signature, record);
        let is_key = !matches!(parsed, Err(Outcome::KeyRecord(_)));
        candidates += usize::from(is_key);
        match parsed.and_then(|record| suitable(signature, record, policy)) {
            Ok(record) => keys.usable.push(record),
            // A key that does not suit tells more than a record that is none.
            Err(outcome) => match &refused {
                Some((was_key, _)) if *was_key || !is_key => {}
                _ => refused = Some((is_key, outcome)),
            },
        }
    }
    if let Some((_, outcome)) = refused {
        keys.refused = outcome;
    }
    keys
}

/// Step 5: the record must "adhere to the format".
fn parse(signature: &Signature, record: &Record) -> Result<KeyRecord, Outcome> {
    // The limit comes before the strings are put together.
    if record.len() > KeyRecord::MAX_LEN {
        return Err(Outcome::Limit(Limit::KeyRecord));
    }
    let algorithm = signature.algorithm;
    KeyRecord::parse(&record.joined()).map_err(|error| match error {
        // An Ed25519 key without `k=` is no RSA key, but that is not what is wrong with it.
        KeyRecordError::Key { key_type, .. } if key_type != algorithm.key() => {
            Outcome::KeyType { algorithm, key_type }
        }
        error => Outcome::KeyRecord(error),
    })
}

/// Steps 6 to 8, and the terms that §3.6.1 lets a record set.
fn suitable(
    signature: &Signature,
    record: KeyRecord,
    policy: &Policy,
) -> Result<KeyRecord, Outcome> {
    if !record.allows_email() {
        return Err(Outcome::KeyService);
    }
    if !record.allows_hash(signature.algorithm.hash()) {
        return Err(Outcome::KeyHash(signature.algorithm));
    }
    let Some(key) = &record.key else { return Err(Outcome::KeyRevoked) };
    if key.key_type() != signature.algorithm.key() {
        let (algorithm, key_type) = (signature.algorithm, key.key_type());
        return Err(Outcome::KeyType { algorithm, key_type });
    }
    // §3.6.1 `t=s`: "the "i=" domain MUST NOT be a subdomain of "d="".
    if record.is_strict()
        && signature.auid.as_ref().is_some_and(|auid| *auid.domain() != signature.sdid)
    {
        return Err(Outcome::StrictDomain);
    }
    // RFC 8301 §3.2: "Verifiers MUST NOT consider signatures using RSA keys of less than 1024 bits
    // as valid signatures." The provider keeps to that too.
    if key.key_type() == KeyType::Rsa && key.bits() < policy.min_rsa_bits {
        return Err(Outcome::Refused(Deviation::ShortKey { bits: key.bits() }));
    }
    Ok(record)
}

/// What deviates in a key.
pub(crate) fn key_deviations(record: &KeyRecord, several: bool) -> Vec<Deviation> {
    let bits = record.key.as_ref().map_or(0, dkim_crypto::PublicKey::bits);
    [
        (record.key_type == KeyType::Rsa && bits < RECOMMENDED_RSA_BITS)
            .then_some(Deviation::ShortKey { bits }),
        several.then_some(Deviation::SeveralKeyRecords),
        (!record.versioned).then_some(Deviation::KeyWithoutVersion),
        record.is_testing().then_some(Deviation::Testing),
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
        Deviation::UnsignedDuplicate(_) => policy.unsigned_duplicate,
        Deviation::SingleLabelDomain => policy.single_label_domain,
        Deviation::Expired => policy.expired,
        Deviation::Future => policy.future,
        // A key below the minimum did not get here.
        Deviation::ShortKey { .. }
        | Deviation::SeveralKeyRecords
        | Deviation::KeyWithoutVersion
        | Deviation::Testing => Treatment::Accept,
    };
    deviations
        .iter()
        .find(|deviation| treatment(deviation) == Treatment::Refuse)
        .map_or(Outcome::Pass, |deviation| Outcome::Refused(deviation.clone()))
}
