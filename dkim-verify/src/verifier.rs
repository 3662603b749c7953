//! The machine: a header, then body octets and DNS answers in any order, then the outcomes.

use std::sync::Arc;

use dkim_crypto::Provider;
use dkim_dns::{Answer, Inquirer, Query, QueryId, TxtQuestions};
use dkim_hash::{BodyHashRequest, BodyHasher, HeaderInputs, Stance};
use dkim_keyrec::record_name;
use dkim_message::{Field, Header};
use dkim_tags::{Claims, Signature, TagList, UnixTime, without_b};
use smallvec::SmallVec;

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
    open: SmallVec<[Open; 1]>,
    /// What their header hashes are computed over.
    inputs: Vec<u8>,
    unlisted: usize,
    /// Each is about the first of the verifications that wants the key: its name is asked once, however
    /// many signatures name it.
    questions: TxtQuestions<usize>,
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
        let mut reading = Reading::new(policy, now, provider);
        // Of a header over the limit nothing is read.
        let within = header.octets().len() <= policy.limits.header_octets;
        let mut inputs = within.then(|| HeaderInputs::new(header));
        let findings =
            inputs.as_ref().map(|inputs| MessageFindings::of(header, inputs.index(), policy));
        let mut signatures = header.fields().named(Signature::FIELD_NAME);
        // RFC 6376 §6.1: each for itself; neither a bad one nor their order tells on another.
        let listed = signatures.by_ref().take(policy.limits.listed);
        let mut candidates: SmallVec<[Candidate<'_>; 1]> = listed
            .filter_map(|(position, field)| reading.signature(position, field, findings.as_ref()))
            .collect();
        // RFC 6376 §6.1: "Verifiers MAY try signatures in any order they like". What cannot pass
        // takes the place of none that can.
        candidates.sort_by_key(|candidate| candidate.is_refused);
        if let Some(inputs) = &mut inputs {
            candidates.iter().for_each(|candidate| reading.open(candidate, inputs));
        }
        // Rarely asked, and looked at once.
        if reading.found.iter().any(Verification::is_internationalized)
            && header.octets().is_ascii()
        {
            reading.found.iter_mut().for_each(|found| found.is_header_ascii = true);
        }
        Self {
            policy: policy.clone(),
            provider,
            keys: None,
            found: reading.found,
            open: reading.open,
            inputs: inputs.map(HeaderInputs::into_octets).unwrap_or_default(),
            unlisted: signatures.count(),
            questions: reading.questions,
            body: reading.body,
        }
    }

    /// Uses the keys that are at hand there, and leaves there what it reads. A cache of another
    /// provider's keys is of no use, and not used.
    #[must_use]
    pub fn with_key_cache(self, keys: &Arc<KeyCache>) -> Self {
        let keys = keys.is_of(self.provider).then(|| Arc::clone(keys));
        Self { keys, ..self }
    }

    /// How many DKIM-Signature fields there are beyond [`Limits::listed`](crate::Limits::listed),
    /// of which [`finish`](Self::finish) says nothing.
    #[must_use]
    pub fn unlisted(&self) -> usize {
        self.unlisted
    }

    /// The signatures that can be read, each with what will be its [`Verification::index`]: for whoever
    /// is to do something with the body as it comes, such as keep it in their form for a report.
    ///
    /// ```
    /// use dkim_crypto::ring::PROVIDER;
    /// use dkim_message::Header;
    /// use dkim_tags::UnixTime;
    /// use dkim_verify::{Policy, Verifier};
    ///
    /// let header = Header::parse(
    ///     b"DKIM-Signature: v=0\r\n\
    ///       DKIM-Signature: v=1; a=rsa-sha256; d=a.example; s=s; h=from; bh=YQ==; b=YQ==\r\n\
    ///       From: joe@a.example\r\n",
    /// );
    /// let verifier = Verifier::new(&header, &Policy::rfc(), UnixTime(1_700_000_000), &PROVIDER);
    /// let signatures: Vec<_> = verifier.signatures().collect();
    /// assert_eq!(signatures.len(), 1);
    /// assert_eq!((signatures[0].0, signatures[0].1.sdid.as_str()), (1, "a.example"));
    /// ```
    pub fn signatures(&self) -> impl Iterator<Item = (usize, &Signature)> {
        self.found.iter().filter_map(|one| Some((one.index, one.signature.as_ref()?)))
    }

    /// Takes the next octets of the body as it was received, with CRLF at the ends of lines, and tells
    /// whether more are needed.
    pub fn body_chunk(&mut self, chunk: &[u8]) -> Stance {
        self.body.chunk(chunk)
    }

    /// Whether more of the body is needed: not when every signature is judged by the header alone.
    #[must_use]
    pub fn stance(&self) -> Stance {
        self.body.stance()
    }

    /// The message has ended: one verification for each DKIM-Signature field, top to bottom. A
    /// signature whose key was not answered for is `temperror`, unless the policy refuses it for
    /// what the header says.
    #[must_use]
    pub fn finish(self) -> Vec<Verification> {
        let Self { policy, provider, keys, mut found, open, inputs, questions, body, .. } = self;
        let (keys, bodies) = (keys.as_deref(), body.finish());
        let conclusion = Conclusion { policy: &policy, provider, keys, inputs: &inputs, bodies };
        for open in open {
            if let Some(found) = found.get_mut(open.index) {
                conclusion.draw(&open, questions.answer_at(open.question), found);
            }
        }
        found
    }
}

impl Inquirer for Verifier {
    fn queries(&mut self) -> Vec<Query> {
        // RFC 6376 §3.6.2: keys stand in TXT records, the one binding there is.
        self.questions.queries(|asker| {
            let signature = self.found.get(*asker)?.signature.as_ref()?;
            Some(record_name(&signature.selector, &signature.sdid))
        })
    }

    fn answer(&mut self, id: QueryId, answer: Answer) {
        self.questions.answer(id, answer);
    }
}

/// A signature that the header alone does not decide.
struct Candidate<'m> {
    /// Which of the verifications.
    index: usize,
    /// Where among the fields of the header it stands.
    position: usize,
    field: Field<'m>,
    body_without_b: [&'m [u8]; 2],
    /// Whether the policy refuses what the header says of it: it passes with no key.
    is_refused: bool,
}

/// What the signatures of a message ask for, while they are read.
struct Reading<'p> {
    policy: &'p Policy,
    now: UnixTime,
    provider: &'static dyn Provider,
    found: Vec<Verification>,
    open: SmallVec<[Open; 1]>,
    body: BodyHasher,
    questions: TxtQuestions<usize>,
}

impl<'p> Reading<'p> {
    fn new(policy: &'p Policy, now: UnixTime, provider: &'static dyn Provider) -> Self {
        let (found, open) = (Vec::new(), SmallVec::new());
        let (questions, body) = (TxtQuestions::default(), BodyHasher::default());
        Self { policy, now, provider, found, open, questions, body }
    }

    /// Reads the signature at this position among the fields, and decides what the header alone
    /// decides; returns the signature if there is more to it.
    fn signature<'m>(
        &mut self,
        position: usize,
        field: Field<'m>,
        message: Option<&MessageFindings>,
    ) -> Option<Candidate<'m>> {
        let index = self.found.len();
        let mut found = Verification::new(index, Outcome::Limit(Limit::Header));
        let read = message.map(|message| self.read(&field, message, &mut found));
        let candidate = match read {
            None => None,
            Some(Err(outcome)) => {
                found.outcome = outcome;
                None
            }
            Some(Ok(body_without_b)) => {
                // Until an answer is there.
                found.outcome = Outcome::KeyUnavailable(None);
                let is_refused = checks::judge(&found.deviations, self.policy) != Outcome::Pass;
                Some(Candidate { index, position, field, body_without_b, is_refused })
            }
        };
        // Nearly every message has one.
        self.found.reserve_exact(usize::from(self.found.is_empty()));
        self.found.push(found);
        candidate
    }

    /// RFC 6376 §6.1.1. What a field says is read even where the message makes it worthless.
    /// Returns the field body [without the value of `b=`](without_b).
    fn read<'m>(
        &self,
        field: &Field<'m>,
        message: &MessageFindings,
        found: &mut Verification,
    ) -> Result<[&'m [u8]; 2], Outcome> {
        let unless_refused = |outcome| message.refused.clone().unwrap_or(outcome);
        let tags = TagList::parse(field.body())
            .map_err(|error| unless_refused(Outcome::Signature(error.into())))?;
        let signature = checks::signature(&tags, self.policy).map_err(|outcome| {
            found.unread = Some(Box::new(Claims::from_tags(&tags)));
            unless_refused(outcome)
        })?;
        found.deviations = checks::deviations(&signature, message, self.policy, self.now);
        let signature = found.signature.insert(signature);
        let refused = message.refused.clone();
        match refused.or_else(|| checks::refused_at_once(signature, self.policy)) {
            Some(outcome) => Err(outcome),
            None => Ok(without_b(field.body(), &tags)),
        }
    }

    /// Opens a signature, unless a limit forbids it.
    fn open(&mut self, candidate: &Candidate<'_>, inputs: &mut HeaderInputs<'_, '_>) {
        let refused = self.claim(candidate, inputs).err();
        if let Some((found, outcome)) = self.found.get_mut(candidate.index).zip(refused) {
            found.outcome = outcome;
        }
    }

    /// Claims the signature's share of the work, or says which limit forbids it.
    fn claim(
        &mut self,
        candidate: &Candidate<'_>,
        inputs: &mut HeaderInputs<'_, '_>,
    ) -> Result<(), Outcome> {
        let &Candidate { index, position, field, body_without_b, .. } = candidate;
        let found = self.found.get(index).and_then(|found| found.signature.as_ref());
        // Only a signature that was read is a candidate.
        let Some(signature) = found else { return Ok(()) };
        let limits = &self.policy.limits;
        if self.open.len() == limits.signatures {
            return Err(Outcome::Limit(Limit::Signatures));
        }
        let body_hash = BodyHashRequest {
            canonicalization: signature.canonicalization.body,
            hash: signature.algorithm.hash(),
            limit: signature.body_length,
        };
        let is_new = self.body.requests().all(|request| request != body_hash);
        if is_new && self.body.requests().count() == limits.body_hashes {
            return Err(Outcome::Limit(Limit::BodyHashes));
        }
        let asked = self.question(signature)?;
        if !self.body.add(self.provider, body_hash) {
            return Err(Outcome::Unsupported(signature.algorithm));
        }
        let question = asked.unwrap_or_else(|| self.questions.push(index));
        let form = signature.canonicalization.header;
        let start = inputs.open(form, signature.signed_fields.iter(), Some(position)).start;
        let input = start..inputs.close(form, field.raw_name(), body_without_b).end;
        self.open.push(Open { index, input, question, body_hash });
        Ok(())
    }

    /// The question for the key, if another signature asks it; `None` if it may be asked.
    fn question(&self, signature: &Signature) -> Result<Option<usize>, Outcome> {
        let names_the_key = |open: &&Open| {
            let other = self.found.get(open.index).and_then(|found| found.signature.as_ref());
            other.is_some_and(|other| {
                other.selector == signature.selector && other.sdid == signature.sdid
            })
        };
        if let Some(open) = self.open.iter().find(names_the_key) {
            return Ok(Some(open.question));
        }
        if self.questions.len() == self.policy.limits.queries {
            return Err(Outcome::Limit(Limit::Queries));
        }
        Ok(None)
    }
}
