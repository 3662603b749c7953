//! The machine: a header, then body octets and DNS answers in any order, then the outcomes.

use std::collections::HashMap;

use dkim_crypto::{Provider, VerifyError};
use dkim_dns::{Answer, Inquirer, Query, QueryId, QueryKind};
use dkim_hash::{BodyHashRequest, BodyHasher, BodyHashes, FieldIndex, Stance, close_input};
use dkim_keyrec::{KeyRecord, record_name};
use dkim_message::{Field, Header};
use dkim_tags::{Claims, Signature, TagList, UnixTime, without_b};

use crate::checks::{self, MessageFindings};
use crate::{Deviation, Limit, Outcome, Policy, Verification};

/// Verifies all DKIM signatures of a message (RFC 6376 §6).
///
/// It opens no socket, reads no clock and waits for nothing: what it wants to know it asks as an
/// [`Inquirer`], and answers and body octets may come in any order. It borrows nothing: the header
/// may go once [`new`](Self::new) returns.
///
/// ```
/// use dkim_crypto::ring::PROVIDER;
/// use dkim_dns::{Zone, drive_blocking};
/// use dkim_tags::UnixTime;
/// use dkim_verify::{Policy, Verifier};
///
/// let message = b"DKIM-Signature: v=1; oops\r\nFrom: joe@example.com\r\n\r\nHi.\r\n";
/// let (header, body) = dkim_message::split(message);
/// let now = UnixTime(1_700_000_000);
/// let mut verifier = Verifier::new(&header, &Policy::rfc(), now, &PROVIDER);
/// drive_blocking(&mut verifier, &Zone::new());
/// verifier.body_chunk(body);
/// for verification in verifier.finish() {
///     assert_eq!(verification.outcome.result().name(), "permerror");
/// }
/// ```
#[derive(Debug)]
pub struct Verifier {
    policy: Policy,
    provider: &'static dyn Provider,
    fields: Vec<Candidate>,
    unlisted: usize,
    questions: Questions,
    body: BodyHasher,
}

/// A DKIM-Signature field on its way to an outcome.
#[derive(Debug)]
struct Candidate {
    claims: Claims,
    signature: Option<Box<Signature>>,
    deviations: Vec<Deviation>,
    state: State,
}

#[derive(Debug)]
enum State {
    /// Judged by the header alone.
    Decided(Outcome),
    /// In want of its key and of the body.
    Open {
        /// What the header hash is computed over. It does not depend on the key, so it is made at
        /// once.
        input: Vec<u8>,
        key: QueryId,
        body_hash: BodyHashRequest,
    },
}

impl Verifier {
    /// Reads the signatures of a header and prepares everything that the header alone decides.
    /// `now` is when the message was received, if that is known (RFC 6376 §3.5 `x=`).
    #[must_use]
    pub fn new(
        header: &Header<'_>,
        policy: &Policy,
        now: UnixTime,
        provider: &'static dyn Provider,
    ) -> Self {
        let mut reading = Reading::new(header, policy, now, provider);
        let mut positions = header.fields().iter().enumerate();
        let mut signatures = positions.by_ref().filter(|(_, f)| f.is(Signature::FIELD_NAME));
        let mut fields = Vec::new();
        // RFC 6376 §6.1: each for itself; neither a bad one nor their order tells on another.
        for (position, field) in signatures.by_ref().take(policy.limits.listed) {
            fields.push(reading.candidate(position, field));
        }
        Self {
            policy: policy.clone(),
            provider,
            fields,
            unlisted: signatures.count(),
            questions: reading.questions,
            body: BodyHasher::new(provider, reading.body_hashes),
        }
    }

    /// How many DKIM-Signature fields there are beyond [`Limits::listed`](crate::Limits::listed),
    /// of which [`finish`](Self::finish) says nothing.
    #[must_use]
    pub fn unlisted(&self) -> usize {
        self.unlisted
    }

    /// Takes the next octets of the body, and tells whether more are needed.
    pub fn body_chunk(&mut self, chunk: &[u8]) -> Stance {
        self.body.chunk(chunk)
    }

    /// Whether more of the body is needed: not when every signature is judged by the header alone.
    #[must_use]
    pub fn stance(&self) -> Stance {
        self.body.stance()
    }

    /// The message has ended: one verification for each DKIM-Signature field, top to bottom. A
    /// signature whose key was not answered for is `temperror`.
    #[must_use]
    pub fn finish(self) -> Vec<Verification> {
        let Self { policy, provider, fields, questions, body, .. } = self;
        let end = End { policy: &policy, provider, questions: &questions, bodies: body.finish() };
        fields
            .into_iter()
            .enumerate()
            .map(|(index, candidate)| end.verification(index, candidate))
            .collect()
    }
}

impl Inquirer for Verifier {
    fn queries(&mut self) -> Vec<Query> {
        self.questions.take_new()
    }

    fn answer(&mut self, id: QueryId, answer: Answer) {
        self.questions.answer(id, answer);
    }
}

/// What is known of the message, and what its signatures ask for, while they are read.
struct Reading<'h, 'm> {
    policy: &'h Policy,
    now: UnixTime,
    provider: &'static dyn Provider,
    /// `None` for a header over the limit, of which nothing is read.
    message: Option<(FieldIndex<'h, 'm>, MessageFindings)>,
    judged: usize,
    body_hashes: Vec<BodyHashRequest>,
    questions: Questions,
}

impl<'h, 'm> Reading<'h, 'm> {
    fn new(
        header: &'h Header<'m>,
        policy: &'h Policy,
        now: UnixTime,
        provider: &'static dyn Provider,
    ) -> Self {
        let within = header.octets().len() <= policy.limits.header_octets;
        let message = within.then(|| {
            let index = FieldIndex::new(header);
            let findings = MessageFindings::of(header, &index, policy);
            (index, findings)
        });
        let (judged, body_hashes, questions) = (0, Vec::new(), Questions::default());
        Self { policy, now, provider, message, judged, body_hashes, questions }
    }

    /// Reads the signature at this position among the fields, and decides what the header alone
    /// decides.
    fn candidate(&mut self, position: usize, field: &Field<'_>) -> Candidate {
        let mut candidate = Candidate {
            claims: Claims::default(),
            signature: None,
            deviations: Vec::new(),
            state: State::Decided(Outcome::Limit(Limit::Header)),
        };
        if let Some((mut index, message)) = self.message.take() {
            let state = self.read(position, field, &mut index, &message, &mut candidate);
            candidate.state = state.unwrap_or_else(State::Decided);
            self.message = Some((index, message));
        }
        candidate
    }

    /// RFC 6376 §6.1.1. What a field says is read even where the message makes it worthless.
    fn read(
        &mut self,
        position: usize,
        field: &Field<'_>,
        index: &mut FieldIndex<'_, '_>,
        message: &MessageFindings,
        candidate: &mut Candidate,
    ) -> Result<State, Outcome> {
        let unless_refused = |outcome| message.refused.clone().unwrap_or(outcome);
        let tags = TagList::parse(field.body())
            .map_err(|error| unless_refused(Outcome::Signature(error.into())))?;
        candidate.claims = Claims::from_tags(&tags);
        let signature = checks::signature(&tags, self.policy).map_err(unless_refused)?;
        candidate.deviations = checks::deviations(&signature, message, self.policy, self.now);
        let signature = candidate.signature.insert(Box::new(signature));
        let refused = message.refused.clone();
        match refused.or_else(|| checks::refused_at_once(signature, self.policy)) {
            Some(outcome) => Err(outcome),
            None => self.open(signature, position, field, &tags, index),
        }
    }

    /// Claims the signature's share of the work, or says which limit forbids it.
    fn open(
        &mut self,
        signature: &Signature,
        position: usize,
        field: &Field<'_>,
        tags: &TagList<'_>,
        index: &mut FieldIndex<'_, '_>,
    ) -> Result<State, Outcome> {
        let limits = &self.policy.limits;
        if self.judged == limits.signatures {
            return Err(Outcome::Limit(Limit::Signatures));
        }
        let body_hash = BodyHashRequest {
            canonicalization: signature.canonicalization.body,
            hash: signature.algorithm.hash(),
            limit: signature.body_length,
        };
        if !self.body_hashes.contains(&body_hash) {
            if self.body_hashes.len() == limits.body_hashes {
                return Err(Outcome::Limit(Limit::BodyHashes));
            }
            if self.provider.digest(body_hash.hash).is_none() {
                return Err(Outcome::Unsupported(signature.algorithm));
            }
        }
        let name = record_name(&signature.selector, &signature.sdid);
        let key = self.questions.ask(name, limits.queries).ok_or(Outcome::Limit(Limit::Queries))?;
        self.judged += 1;
        if !self.body_hashes.contains(&body_hash) {
            self.body_hashes.push(body_hash);
        }
        let names = signature.signed_fields.iter().map(dkim_tags::FieldName::as_str);
        let form = signature.canonicalization.header;
        let mut input = index.open_input(form, names, Some(position));
        close_input(form, field.raw_name(), &without_b(field.body(), tags), &mut input);
        Ok(State::Open { input, key, body_hash })
    }
}

/// The questions of a message: each name is asked once, however many signatures name it.
#[derive(Debug, Default)]
struct Questions {
    ids: HashMap<String, QueryId>,
    fresh: Vec<Query>,
    answers: HashMap<QueryId, Answer>,
}

impl Questions {
    fn ask(&mut self, name: String, limit: usize) -> Option<QueryId> {
        if let Some(id) = self.ids.get(&name) {
            return Some(*id);
        }
        if self.ids.len() == limit {
            return None;
        }
        let id = QueryId(u32::try_from(self.ids.len()).ok()?);
        self.ids.insert(name.clone(), id);
        // RFC 6376 §3.6.2: keys stand in TXT records, the one binding there is.
        self.fresh.push(Query { id, name, kind: QueryKind::Txt });
        Some(id)
    }

    fn take_new(&mut self) -> Vec<Query> {
        std::mem::take(&mut self.fresh)
    }

    fn answer(&mut self, id: QueryId, answer: Answer) {
        // The first answer stands: a second one is nobody's.
        if self.ids.values().any(|asked| *asked == id) {
            self.answers.entry(id).or_insert(answer);
        }
    }
}

/// Everything at hand once the message has ended.
struct End<'v> {
    policy: &'v Policy,
    provider: &'static dyn Provider,
    questions: &'v Questions,
    bodies: BodyHashes,
}

impl End<'_> {
    fn verification(&self, index: usize, candidate: Candidate) -> Verification {
        let Candidate { claims, signature, deviations, state } = candidate;
        let mut found = Verification {
            index,
            claims,
            signature: signature.map(|signature| *signature),
            key_record: None,
            body_hash: None,
            outcome: Outcome::Pass,
            deviations,
        };
        found.outcome = match (state, found.signature.take()) {
            (State::Decided(outcome), signature) => {
                found.signature = signature;
                outcome
            }
            (State::Open { input, key, body_hash }, Some(signature)) => {
                found.body_hash = self.bodies.get(&body_hash);
                let outcome = self.conclude(&signature, &input, key, &mut found);
                found.signature = Some(signature);
                outcome
            }
            // Only a signature that was read is open.
            (State::Open { .. }, None) => Outcome::KeyUnavailable(None),
        };
        found
    }

    /// RFC 6376 §6.1.2 and §6.1.3.
    fn conclude(
        &self,
        signature: &Signature,
        input: &[u8],
        key: QueryId,
        found: &mut Verification,
    ) -> Outcome {
        let keys = checks::keys(signature, self.questions.answers.get(&key), self.policy);
        let (refused, record) = if keys.usable.is_empty() {
            let (outcome, record) = keys.refused;
            (Some(outcome), record)
        } else if let Err(outcome) = self.compare_body(signature, found) {
            (Some(outcome), keys.usable.into_iter().next())
        } else {
            self.verify_with_any(signature, input, keys.usable)
        };
        let refused = match refused {
            // One of the others might have been the key.
            Some(Outcome::SignatureMismatch) if keys.untried => {
                Some(Outcome::Limit(Limit::KeyRecords))
            }
            refused => refused,
        };
        if let Some(record) = &record {
            found.deviations.extend(checks::key_deviations(record, keys.several));
        }
        found.key_record = record;
        refused.unwrap_or_else(|| checks::judge(&found.deviations, self.policy))
    }

    /// The key record that verifies the signature. When none does, why the first does not, which
    /// is as good as any other reason.
    fn verify_with_any(
        &self,
        signature: &Signature,
        input: &[u8],
        records: Vec<KeyRecord>,
    ) -> (Option<Outcome>, Option<KeyRecord>) {
        let mut refused = (Some(Outcome::SignatureMismatch), None);
        for record in records {
            match self.verify(signature, input, &record) {
                Ok(()) => return (None, Some(record)),
                Err(outcome) if refused.1.is_none() => refused = (Some(outcome), Some(record)),
                Err(_) => {}
            }
        }
        refused
    }

    /// §6.1.3, step 3.
    fn compare_body(&self, signature: &Signature, found: &mut Verification) -> Result<(), Outcome> {
        let body = found.body_hash.ok_or(Outcome::Unsupported(signature.algorithm))?;
        // RFC 6376 §3.5 `l=`: "This value MUST NOT be larger than the actual number of octets in
        // the canonicalized message body."
        if let Some(signed) = signature.body_length.filter(|signed| *signed > body.hashed) {
            return Err(Outcome::BodyTooShort { signed, body: body.hashed });
        }
        if body.value.as_bytes() != signature.body_hash {
            return Err(Outcome::BodyHashMismatch);
        }
        if body.seen > body.hashed {
            let (signed, seen) = (body.hashed, body.seen);
            found.deviations.push(Deviation::BodyNotFullySigned { signed, seen });
        }
        Ok(())
    }

    /// §6.1.3, step 4.
    fn verify(
        &self,
        signature: &Signature,
        input: &[u8],
        record: &KeyRecord,
    ) -> Result<(), Outcome> {
        let key = record.key.as_ref().ok_or(Outcome::KeyRevoked)?;
        let prepared = self.provider.prepare(key).map_err(Outcome::KeyUnusable)?;
        prepared.verify(signature.algorithm, input, &signature.signature).map_err(|error| {
            match error {
                VerifyError::Unsupported(algorithm) => Outcome::Unsupported(algorithm),
                _ => Outcome::SignatureMismatch,
            }
        })
    }
}
