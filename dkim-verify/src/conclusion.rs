//! The end of a verification: the key is there or not, and the body has been hashed (RFC 6376
//! §6.1.2, §6.1.3).

use std::ops::Range;
use std::sync::Arc;

use dkim_crypto::{Provider, VerifyError};
use dkim_dns::Answer;
use dkim_hash::{BodyHash, BodyHashRequest, BodyHashes};
use dkim_tags::Signature;

use crate::checks;
use crate::key::Key;
use crate::{Deviation, KeyCache, Limit, Outcome, Policy, Verification};

/// A signature in want of its key and of the body.
#[derive(Debug)]
pub(crate) struct Open {
    /// Which of the verifications.
    pub(crate) index: usize,
    /// Where among the inputs stands what the header hash is computed over. It does not depend on
    /// the key, so it is made at once.
    pub(crate) input: Range<usize>,
    /// Which question asks for the key.
    pub(crate) question: usize,
    pub(crate) body_hash: BodyHashRequest,
}

/// Everything at hand once the message has ended.
pub(crate) struct Conclusion<'v> {
    pub(crate) policy: &'v Policy,
    pub(crate) provider: &'static dyn Provider,
    pub(crate) keys: Option<&'v KeyCache>,
    pub(crate) inputs: &'v [u8],
    pub(crate) bodies: BodyHashes,
}

impl Conclusion<'_> {
    /// Says what became of a signature.
    pub(crate) fn draw(&self, open: &Open, answer: Option<&Answer>, found: &mut Verification) {
        // Only a signature that was read is open.
        let Some(signature) = &found.signature else { return };
        found.body_hash = self.bodies.get(&open.body_hash);
        let keys = checks::keys(signature, answer, self.policy, |record| match self.keys {
            Some(keys) => keys.read(record),
            None => Key::read(record, self.provider),
        });
        let (refused, record) = if keys.usable.is_empty() {
            let (outcome, record) = keys.refused;
            (Some(outcome), record)
        } else {
            let (refused, key) = match compare_body(signature, found.body_hash) {
                Err(outcome) => (Some(outcome), keys.usable.into_iter().next()),
                Ok(unsigned) => {
                    found.deviations.extend(unsigned);
                    let input = self.inputs.get(open.input.clone()).unwrap_or_default();
                    verify_with_any(signature, input, keys.usable)
                }
            };
            (refused, key.map(|key| Arc::clone(&key.record)))
        };
        let refused = match refused {
            // One of the others might have been the key.
            Some(Outcome::SignatureMismatch | Outcome::KeyUnusable(_)) if keys.untried => {
                Some(Outcome::Limit(Limit::KeyRecords))
            }
            refused => refused,
        };
        let of_key = checks::key_deviations(record.as_deref(), keys.several, self.policy);
        found.deviations.extend(of_key);
        found.key_record = record;
        found.outcome = match (refused, checks::judge(&found.deviations, self.policy)) {
            (None, judged) => judged,
            // RFC 6376 §6.1: the result is that of the steps "in the indicated order", and §6.1.1
            // stands before §6.1.2. What the header refuses, but for a `t=` to come, would be tried again in vain. Whatever
            // else is wrong is permanent, too, and is told first.
            (Some(Outcome::KeyUnavailable(_)), judged @ Outcome::Refused(_)) => judged,
            (Some(refused), _) => refused,
        };
    }
}

/// §6.1.3, step 3. What of the body is not signed deviates.
fn compare_body(
    signature: &Signature,
    body: Option<BodyHash>,
) -> Result<Option<Deviation>, Outcome> {
    let body = body.ok_or(Outcome::Unsupported(signature.algorithm))?;
    // RFC 6376 §3.5 `l=`: "This value MUST NOT be larger than the actual number of octets in
    // the canonicalized message body."
    if let Some(signed) = signature.body_length.filter(|signed| *signed > body.hashed) {
        return Err(Outcome::BodyTooShort { signed, body: body.hashed });
    }
    if body.value.as_bytes() != signature.body_hash {
        return Err(Outcome::BodyHashMismatch);
    }
    let (signed, seen) = (body.hashed, body.seen);
    Ok((seen > signed).then_some(Deviation::BodyNotFullySigned { signed, seen }))
}

/// The key that verifies the signature. When none does, why the first does not, which is as good
/// as any other reason.
fn verify_with_any(
    signature: &Signature,
    input: &[u8],
    keys: impl IntoIterator<Item = Arc<Key>>,
) -> (Option<Outcome>, Option<Arc<Key>>) {
    let mut refused = (Some(Outcome::SignatureMismatch), None);
    for key in keys {
        match verify(signature, input, &key) {
            Ok(()) => return (None, Some(key)),
            Err(outcome) if refused.1.is_none() => refused = (Some(outcome), Some(key)),
            Err(_) => {}
        }
    }
    refused
}

/// §6.1.3, step 4.
fn verify(signature: &Signature, input: &[u8], key: &Key) -> Result<(), Outcome> {
    let prepared = key.prepared().ok_or(Outcome::KeyRevoked)?;
    let prepared = prepared.as_ref().map_err(|error| Outcome::KeyUnusable(error.clone()))?;
    prepared.verify(signature.algorithm, input, &signature.signature).map_err(|error| match error {
        VerifyError::Unsupported(algorithm) => Outcome::Unsupported(algorithm),
        _ => Outcome::SignatureMismatch,
    })
}
