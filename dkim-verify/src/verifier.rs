//! The machine: a header, then body octets and DNS answers in any order, then the outcomes.

use std::collections::HashMap;

use dkim_crypto::{Provider, VerifyError};
use dkim_dns::{Answer, Inquirer, Query, QueryId, QueryKind};
use dkim_hash::{
    BodyHashId, BodyHashRequest, BodyHasher, BodyHashes, FieldIndex, Stance, close_input,
};
use dkim_keyrec::{KeyRecord, record_name};
use dkim_message::{Field, Header};
use dkim_tags::{Claims, Signature, SignatureError, TagList, UnixTime, without_b};

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
    questions: Questions,
    body: BodyHasher,
}

/// A DKIM-Signature field on its way to an outcome.
#[derive(Debug)]
struct Candidate {
    claims: Claims,
    state: State,
}

#[derive(Debug)]
enum State {
    /// Judged by the header alone.
    Decided { signature: Option<Box<Signature>>, outcome: Outcome },
    /// In want of its key and of the body.
    Open(Box<Open>),
}

/// A signature whose field is valid.
#[derive(Debug)]
struct Open {
    signature: Signature,
    deviations: Vec<Deviation>,
    /// What the header hash is computed over. It does not depend on the key, so it is made at
    /// once.
    input: Vec<u8>,
    key: QueryId,
    body_hash: BodyHashId,
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
        let mut verifier = Self {
            policy: policy.clone(),
            provider,
            fields: Vec::new(),
            questions: Questions::default(),
            body: BodyHasher::new(),
        };
        verifier.read(header, now);
        verifier
    }

    fn read(&mut self, header: &Header<'_>, now: UnixTime) {
        let mut signatures = header.named(Signature::FIELD_NAME).peekable();
        if signatures.peek().is_none() {
            return;
        }
        if header.octets().len() > self.policy.limits.header_octets {
            let decide = |_: &Field<'_>| Candidate {
                claims: Claims::default(),
                state: State::decided(None, Outcome::Limit(Limit::Header)),
            };
            self.fields = signatures.map(decide).collect();
            return;
        }
        let index = FieldIndex::new(header);
        let mut reading = Reading {
            message: MessageFindings::of(header, &index, &self.policy),
            index,
            now,
            judged: 0,
            body_hashes: Vec::new(),
        };
        for field in signatures {
            let candidate = self.read_signature(field, &mut reading);
            self.fields.push(candidate);
        }
    }

    fn read_signature(&mut self, field: &Field<'_>, reading: &mut Reading<'_, '_>) -> Candidate {
        let tags = TagList::parse(field.body());
        let tags = tags.as_ref().map_err(|error| SignatureError::TagList(error.clone()));
        let checked = checks::signature(tags.clone(), &reading.message, &self.policy);
        match (checked, tags) {
            (Ok(signature), Ok(tags)) => {
                let claims = Claims::from(&signature);
                let state = match self.open(&signature, field, tags, reading) {
                    Ok(open) => State::Open(Box::new(open)),
                    Err(outcome) => State::decided(Some(signature), outcome),
                };
                Candidate { claims, state }
            }
            (Err(outcome), _) => Candidate {
                claims: Claims::read(field.body()),
                state: State::decided(None, outcome),
            },
            (Ok(signature), Err(error)) => Candidate {
                claims: Claims::from(&signature),
                state: State::decided(Some(signature), Outcome::Signature(error)),
            },
        }
    }

    /// Claims the signature's share of the work, or says which limit forbids it.
    fn open(
        &mut self,
        signature: &Signature,
        field: &Field<'_>,
        tags: &TagList<'_>,
        reading: &mut Reading<'_, '_>,
    ) -> Result<Open, Outcome> {
        let limits = &self.policy.limits;
        if reading.judged == limits.signatures {
            return Err(Outcome::Limit(Limit::Signatures));
        }
        let request = BodyHashRequest {
            canonicalization: signature.canonicalization.body,
            hash: signature.algorithm.hash(),
            limit: signature.body_length,
        };
        if !reading.body_hashes.contains(&request) {
            if reading.body_hashes.len() == limits.body_hashes {
                return Err(Outcome::Limit(Limit::BodyHashes));
            }
            if self.provider.digest(request.hash).is_none() {
                return Err(Outcome::Unsupported(signature.algorithm));
            }
            reading.body_hashes.push(request);
        }
        let name = record_name(&signature.selector, &signature.sdid);
        let key = self.questions.ask(name, limits.queries).ok_or(Outcome::Limit(Limit::Queries))?;
        reading.judged += 1;
        let names = signature.signed_fields.iter().map(dkim_tags::FieldName::as_str);
        let form = signature.canonicalization.header;
        let mut input = reading.index.open_input(form, names);
        close_input(form, field.raw_name(), &without_b(field.body(), tags), &mut input);
        Ok(Open {
            signature: signature.clone(),
            deviations: checks::deviations(signature, &reading.message, &self.policy, reading.now),
            input,
            key,
            body_hash: self.body.request(self.provider, request),
        })
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
        let Self { policy, provider, fields, questions, body } = self;
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

impl State {
    fn decided(signature: Option<Signature>, outcome: Outcome) -> Self {
        Self::Decided { signature: signature.map(Box::new), outcome }
    }
}

/// What is known of the message while its signatures are read.
struct Reading<'h, 'm> {
    message: MessageFindings,
    index: FieldIndex<'h, 'm>,
    now: UnixTime,
    judged: usize,
    body_hashes: Vec<BodyHashRequest>,
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
        let Candidate { claims, state } = candidate;
        let verification = |signature, outcome| Verification {
            index,
            claims,
            signature,
            key_record: None,
            body_hash: None,
            outcome,
            deviations: Vec::new(),
        };
        match state {
            State::Decided { signature, outcome } => {
                verification(signature.map(|signature| *signature), outcome)
            }
            State::Open(open) => {
                let Open { signature, deviations, input, key, body_hash } = *open;
                let mut found = verification(Some(signature.clone()), Outcome::Pass);
                found.deviations = deviations;
                found.body_hash = self.bodies.get(body_hash);
                self.conclude(&signature, &input, key, &mut found);
                found
            }
        }
    }

    /// RFC 6376 §6.1.2 and §6.1.3.
    fn conclude(
        &self,
        signature: &Signature,
        input: &[u8],
        key: QueryId,
        found: &mut Verification,
    ) {
        let keys = checks::keys(signature, self.questions.answers.get(&key), self.policy);
        let Some(first) = keys.usable.first() else {
            found.outcome = keys.refused;
            return;
        };
        let hashes_match = self.compare_body(signature, found);
        let verified = hashes_match.and_then(|()| {
            // The first refusal is as good as any other when no key verifies.
            let mut refused = None;
            for record in &keys.usable {
                match self.verify(signature, input, record) {
                    Ok(()) => return Ok(record),
                    Err(outcome) => refused = refused.or(Some(outcome)),
                }
            }
            Err(refused.unwrap_or(Outcome::SignatureMismatch))
        });
        let record = *verified.as_ref().unwrap_or(&first);
        found.deviations.extend(checks::key_deviations(record, keys.several));
        found.key_record = Some(record.clone());
        found.outcome = match verified {
            Ok(_) => checks::judge(&found.deviations, self.policy),
            Err(outcome) => outcome,
        };
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
