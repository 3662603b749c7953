//! The machine: a header, then body octets and DNS answers in any order, then the outcomes.

use std::sync::Arc;

use dkim_crypto::Provider;
use dkim_dns::{Answer, Inquirer, Query, QueryId, QueryKind};
use dkim_hash::{BodyHashRequest, BodyHasher, FieldIndex, Stance, close_input};
use dkim_keyrec::record_name;
use dkim_message::{Field, Header};
use dkim_tags::{Claims, Signature, TagList, UnixTime, without_b};

use crate::checks::{self, MessageFindings};
use crate::conclusion::{Conclusion, Open};
use crate::{KeyCache, Limit, Outcome, Policy, Verification};

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
    keys: Option<Arc<KeyCache>>,
    found: Vec<Verification>,
    /// Those of them that the header alone does not decide.
    open: Vec<Open>,
    unlisted: usize,
    questions: Questions,
    body: BodyHasher,
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
        // RFC 6376 §6.1: each for itself; neither a bad one nor their order tells on another.
        for (position, field) in signatures.by_ref().take(policy.limits.listed) {
            reading.signature(position, field);
        }
        Self {
            policy: policy.clone(),
            provider,
            keys: None,
            found: reading.found,
            open: reading.open,
            unlisted: signatures.count(),
            questions: reading.questions,
            body: BodyHasher::new(provider, reading.body_hashes),
        }
    }

    /// Uses the keys that are at hand there, and leaves there what it reads.
    #[must_use]
    pub fn with_key_cache(self, keys: &Arc<KeyCache>) -> Self {
        Self { keys: Some(Arc::clone(keys)), ..self }
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
        let Self { policy, provider, keys, mut found, open, questions, body, .. } = self;
        let conclusion =
            Conclusion { policy: &policy, provider, keys: keys.as_deref(), bodies: body.finish() };
        for open in open {
            if let Some(found) = found.get_mut(open.index) {
                conclusion.draw(&open, questions.answer_to(open.question), found);
            }
        }
        found
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
    found: Vec<Verification>,
    open: Vec<Open>,
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
        let (found, open, body_hashes) = (Vec::new(), Vec::new(), Vec::new());
        let questions = Questions::default();
        Self { policy, now, provider, message, found, open, body_hashes, questions }
    }

    /// Reads the signature at this position among the fields, and decides what the header alone
    /// decides.
    fn signature(&mut self, position: usize, field: &Field<'_>) {
        let mut found = Verification::new(self.found.len(), Outcome::Limit(Limit::Header));
        if let Some((mut index, message)) = self.message.take() {
            found.outcome = match self.read(position, field, &mut index, &message, &mut found) {
                Ok(open) => {
                    self.open.push(open);
                    // Until an answer is there.
                    Outcome::KeyUnavailable(None)
                }
                Err(outcome) => outcome,
            };
            self.message = Some((index, message));
        }
        self.found.push(found);
    }

    /// RFC 6376 §6.1.1. What a field says is read even where the message makes it worthless.
    fn read(
        &mut self,
        position: usize,
        field: &Field<'_>,
        index: &mut FieldIndex<'_, '_>,
        message: &MessageFindings,
        found: &mut Verification,
    ) -> Result<Open, Outcome> {
        let unless_refused = |outcome| message.refused.clone().unwrap_or(outcome);
        let tags = TagList::parse(field.body())
            .map_err(|error| unless_refused(Outcome::Signature(error.into())))?;
        found.claims = Claims::from_tags(&tags);
        let signature = checks::signature(&tags, self.policy).map_err(unless_refused)?;
        found.deviations = checks::deviations(&signature, message, self.policy, self.now);
        let signature = found.signature.insert(signature);
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
    ) -> Result<Open, Outcome> {
        let limits = &self.policy.limits;
        if self.open.len() == limits.signatures {
            return Err(Outcome::Limit(Limit::Signatures));
        }
        let body_hash = BodyHashRequest {
            canonicalization: signature.canonicalization.body,
            hash: signature.algorithm.hash(),
            limit: signature.body_length,
        };
        let is_new = !self.body_hashes.contains(&body_hash);
        if is_new && self.body_hashes.len() == limits.body_hashes {
            return Err(Outcome::Limit(Limit::BodyHashes));
        }
        if is_new && self.provider.digest(body_hash.hash).is_none() {
            return Err(Outcome::Unsupported(signature.algorithm));
        }
        let name = record_name(&signature.selector, &signature.sdid);
        let question =
            self.questions.ask(name, limits.queries).ok_or(Outcome::Limit(Limit::Queries))?;
        if is_new {
            self.body_hashes.push(body_hash);
        }
        let names = signature.signed_fields.iter().map(dkim_tags::FieldName::as_str);
        let form = signature.canonicalization.header;
        let mut input = index.open_input(form, names, Some(position));
        close_input(form, field.raw_name(), &without_b(field.body(), tags), &mut input);
        Ok(Open { index: self.found.len(), input, question, body_hash })
    }
}

/// The questions of a message: each name is asked once, however many signatures name it. They are
/// few, by [`Limits::queries`](crate::Limits::queries).
#[derive(Debug, Default)]
struct Questions {
    asked: Vec<Question>,
    /// How many of them were handed out.
    taken: usize,
}

#[derive(Debug)]
struct Question {
    name: String,
    answer: Option<Answer>,
}

impl Questions {
    fn ask(&mut self, name: String, limit: usize) -> Option<usize> {
        if let Some(known) = self.asked.iter().position(|question| question.name == name) {
            return Some(known);
        }
        let position = self.asked.len();
        (position < limit).then(|| {
            self.asked.push(Question { name, answer: None });
            position
        })
    }

    fn take_new(&mut self) -> Vec<Query> {
        let new = self.asked.iter().zip(0..).skip(self.taken).map(|(question, id)| Query {
            id: QueryId(id),
            name: question.name.clone(),
            // RFC 6376 §3.6.2: keys stand in TXT records, the one binding there is.
            kind: QueryKind::Txt,
        });
        let new = new.collect();
        self.taken = self.asked.len();
        new
    }

    fn answer(&mut self, id: QueryId, answer: Answer) {
        let question = usize::try_from(id.0).ok().and_then(|at| self.asked.get_mut(at));
        if let Some(question) = question {
            // The first answer stands: a second one is nobody's.
            question.answer.get_or_insert(answer);
        }
    }

    fn answer_to(&self, question: usize) -> Option<&Answer> {
        self.asked.get(question)?.answer.as_ref()
    }
}
