//! The machine: a header, then body octets and DNS answers in any order, then the outcomes.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use dkim_crypto::{Digest, HashValue, Provider, VerifyError};
use dkim_dns::{Answer, Inquirer, Query, QueryId, QueryKind};
use dkim_hash::Stance;
use dkim_keyrec::record_name;
use dkim_message::{Field, Header};
use dkim_tags::{Claims, TagList};

use crate::checks::{self, Message};
use crate::{BodyCanonicalizer, Form, Limit, Outcome, Policy, Sender, Signature, Verification};

/// Verifies all DomainKeys signatures of a message (RFC 4870 §3.7).
///
/// It opens no socket, reads no clock and waits for nothing: what it wants to know it asks as an
/// [`Inquirer`], and answers and body octets may come in any order. It borrows nothing, and holds
/// nothing of the message but hashes: the header may go once [`new`](Self::new) returns. A message
/// without a DomainKey-Signature field costs a look at the names of its fields.
///
/// ```
/// use dkim_crypto::ring::PROVIDER;
/// use dkim_dns::{Zone, drive_blocking};
/// use dkim_domainkeys::{Policy, Verifier};
///
/// let message = b"DomainKey-Signature: a=rsa-sha1; oops\r\nFrom: joe@example.com\r\n\r\nHi.\r\n";
/// let (header, body) = dkim_message::split(message);
/// let mut verifier = Verifier::new(&header, &Policy::default(), &PROVIDER);
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
    found: Vec<Verification>,
    /// Those of them that the header alone does not decide.
    open: Vec<Open>,
    unlisted: usize,
    questions: Vec<Question>,
    /// How many of them were handed out.
    taken: usize,
    /// One for each form that a signature is over.
    lanes: Vec<Lane>,
}

impl Verifier {
    /// Reads the signatures of a header and prepares everything that the header alone decides.
    #[must_use]
    pub fn new(header: &Header<'_>, policy: &Policy, provider: &'static dyn Provider) -> Self {
        let mut verifier = Self {
            policy: policy.clone(),
            provider,
            found: Vec::new(),
            open: Vec::new(),
            unlisted: 0,
            questions: Vec::new(),
            taken: 0,
            lanes: Vec::new(),
        };
        let mut positions = header.fields().iter().enumerate();
        let mut signatures =
            positions.by_ref().filter(|(_, field)| field.is(Signature::FIELD_NAME)).peekable();
        if signatures.peek().is_none() {
            return verifier;
        }
        // Of a header over the limit nothing is read.
        let within = header.octets().len() <= policy.limits.header_octets;
        let message = within.then(|| Message::of(header));
        for (position, field) in signatures.by_ref().take(policy.limits.listed) {
            verifier.signature(header, position, field, message.as_ref());
        }
        verifier.unlisted = signatures.count();
        verifier
    }

    /// How many DomainKey-Signature fields there are beyond [`Limits::listed`](crate::Limits), of
    /// which [`finish`](Self::finish) says nothing.
    #[must_use]
    pub fn unlisted(&self) -> usize {
        self.unlisted
    }

    /// Takes the next octets of the body, and tells whether more are needed.
    pub fn body_chunk(&mut self, chunk: &[u8]) -> Stance {
        for lane in &mut self.lanes {
            let Lane { body, digests, .. } = lane;
            body.chunk(chunk, |octets| update(digests, octets));
        }
        self.stance()
    }

    /// Whether more of the body is needed: not when every signature is judged by the header alone.
    #[must_use]
    pub fn stance(&self) -> Stance {
        if self.lanes.is_empty() { Stance::Done } else { Stance::Interested }
    }

    /// The message has ended: one verification for each DomainKey-Signature field, top to bottom. A
    /// signature whose key was not answered for is `temperror`.
    #[must_use]
    pub fn finish(self) -> Vec<Verification> {
        let Self { policy, provider, mut found, open, questions, lanes, .. } = self;
        for (index, hash) in lanes.into_iter().flat_map(Lane::finish) {
            let Some(open) = open.get(index) else { continue };
            let Some(found) = found.get_mut(open.index) else { continue };
            let answer = questions.get(open.question).and_then(|asked| asked.answer.as_ref());
            conclude(&open.sender, answer, &hash, &policy, provider, found);
        }
        found
    }

    /// Reads the signature at this position among the fields, and decides what the header alone
    /// decides.
    fn signature(
        &mut self,
        header: &Header<'_>,
        position: usize,
        field: &Field<'_>,
        message: Option<&Message>,
    ) {
        let mut found = Verification::new(self.found.len(), Outcome::Limit(Limit::Header));
        if let Some(message) = message {
            found.sender = message.sender().cloned();
            found.outcome = match self.read(header, position, field, message, &mut found) {
                // Until an answer is there.
                Ok(()) => Outcome::KeyUnavailable(None),
                Err(outcome) => outcome,
            };
        }
        self.found.push(found);
    }

    /// RFC 4870 §3.7.3. What a field says is read even where the message makes it worthless.
    fn read(
        &mut self,
        header: &Header<'_>,
        position: usize,
        field: &Field<'_>,
        message: &Message,
        found: &mut Verification,
    ) -> Result<(), Outcome> {
        let refused = message.refused(&self.policy);
        let unless_refused = |outcome| refused.clone().unwrap_or(outcome);
        let tags = TagList::parse(field.body())
            .map_err(|error| unless_refused(Outcome::Signature(error.into())))?;
        let signature = Signature::from_tags(&tags).map_err(|error| {
            found.unread = Some(Box::new(Claims::from_tags(&tags)));
            unless_refused(Outcome::Signature(error))
        })?;
        found.deviations = message.deviations(&signature, &self.policy);
        let signature = found.signature.insert(signature);
        match (refused, message.sender()) {
            (None, Some(sender)) => {
                checks::match_sender(signature, position, sender)?;
                if let Some(outcome) = checks::refused(&found.deviations, &self.policy) {
                    return Err(outcome);
                }
                self.open(signature, sender, header, position)
            }
            (Some(outcome), _) => Err(outcome),
            // A message is refused if its sender cannot be told.
            (None, None) => Err(Outcome::Sender(crate::SenderError::NoFrom)),
        }
    }

    /// Claims the signature's share of the work, or says which limit forbids it.
    fn open(
        &mut self,
        signature: &Signature,
        sender: &Arc<Sender>,
        header: &Header<'_>,
        position: usize,
    ) -> Result<(), Outcome> {
        if self.open.len() == self.policy.limits.signatures {
            return Err(Outcome::Limit(Limit::Signatures));
        }
        let hash = signature.algorithm.hash();
        let mut digest = self.provider.digest(hash).ok_or(Outcome::Unsupported)?;
        let below = header.fields().get(position + 1..).unwrap_or_default();
        hash_fields(signature, below, &mut *digest);
        let digest = (self.open.len(), digest);
        match self.lanes.iter_mut().find(|lane| lane.form == signature.form) {
            Some(lane) => lane.digests.push(digest),
            None => self.lanes.push(Lane::new(signature.form, digest)),
        }
        let name = record_name(&signature.selector, &signature.sdid);
        let asked = self.questions.iter().position(|question| question.name == name);
        let question = asked.unwrap_or_else(|| {
            self.questions.push(Question { name, answer: None });
            self.questions.len() - 1
        });
        self.open.push(Open { index: self.found.len(), question, sender: Arc::clone(sender) });
        Ok(())
    }
}

impl Inquirer for Verifier {
    fn queries(&mut self) -> Vec<Query> {
        let new = self.questions.iter().zip(0..).skip(self.taken);
        let queries = new.map(|(question, id)| Query {
            id: QueryId(id),
            name: question.name.clone(),
            kind: QueryKind::Txt,
        });
        let queries = queries.collect();
        self.taken = self.questions.len();
        queries
    }

    fn answer(&mut self, id: QueryId, answer: Answer) {
        let question = usize::try_from(id.0).ok().and_then(|at| self.questions.get_mut(at));
        if let Some(question) = question {
            // The first answer stands: a second one is nobody's.
            question.answer.get_or_insert(answer);
        }
    }
}

/// A signature in want of its key and of the body.
#[derive(Debug)]
struct Open {
    /// Which of the verifications.
    index: usize,
    /// Which question asks for the key.
    question: usize,
    sender: Arc<Sender>,
}

/// A question for a key: each name is asked once, however many signatures name it.
#[derive(Debug)]
struct Question {
    name: String,
    answer: Option<Answer>,
}

/// The body in one form, and the hashes that go on with it: each has begun with a header.
struct Lane {
    form: Form,
    body: BodyCanonicalizer,
    /// With the number of the open signature.
    digests: Vec<(usize, Box<dyn Digest>)>,
}

impl Lane {
    fn new(form: Form, digest: (usize, Box<dyn Digest>)) -> Self {
        Self { form, body: BodyCanonicalizer::new(form), digests: vec![digest] }
    }

    fn finish(self) -> impl Iterator<Item = (usize, HashValue)> {
        let Self { body, mut digests, .. } = self;
        body.finish(|octets| update(&mut digests, octets));
        digests.into_iter().map(|(index, digest)| (index, digest.finish()))
    }
}

impl fmt::Debug for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let open: Vec<usize> = self.digests.iter().map(|(index, _)| *index).collect();
        f.debug_struct("Lane").field("form", &self.form).field("open", &open).finish()
    }
}

fn update(digests: &mut [(usize, Box<dyn Digest>)], octets: &[u8]) {
    for (_, digest) in digests {
        digest.update(octets);
    }
}

/// Hashes the fields that are signed, of those that stand below the signature, "in the order found
/// in the email" (RFC 4870 §3.3 `h=`, §3.4.2). Of a name in `h=`, that is "all occurrences".
///
/// `h=` is said to be "in the order presented to the signing algorithm" as well: a signer that keeps
/// to §3.4.2 leaves no difference.
fn hash_fields(signature: &Signature, below: &[Field<'_>], digest: &mut dyn Digest) {
    /// So that the hash is not fed line by line.
    const ENOUGH: usize = 4096;
    let names = signature.signed_fields.as_ref();
    let names: Option<BTreeSet<Vec<u8>>> =
        names.map(|names| names.iter().map(|name| name.to_ascii_lowercase().into()).collect());
    let (mut name, mut canonical) = (Vec::new(), Vec::with_capacity(ENOUGH));
    for field in below {
        if let Some(names) = &names {
            name.clear();
            name.extend_from_slice(field.name());
            name.make_ascii_lowercase();
            if !names.contains(&name) {
                continue;
            }
        }
        signature.form.write_field(field.octets(), &mut canonical);
        if canonical.len() >= ENOUGH {
            digest.update(&canonical);
            canonical.clear();
        }
    }
    digest.update(&canonical);
}

/// RFC 4870 §3.7.4 and §3.7.5: says what became of a signature.
fn conclude(
    sender: &Sender,
    answer: Option<&Answer>,
    hash: &HashValue,
    policy: &Policy,
    provider: &'static dyn Provider,
    found: &mut Verification,
) {
    // Only a signature that was read is open.
    let Some(signature) = &found.signature else { return };
    let (refused, key) = checks::find_key(answer, sender, policy, |key| {
        provider.verify_hash(key, signature.algorithm, hash, &signature.signature).map_err(
            |error| match error {
                VerifyError::Unsupported(_) => Outcome::Unsupported,
                _ => Outcome::SignatureMismatch,
            },
        )
    });
    if let Some(key) = &key {
        found.deviations.extend(checks::key_deviations(key));
    }
    found.key = key;
    let accepted = || checks::refused(&found.deviations, policy).unwrap_or(Outcome::Pass);
    found.outcome = refused.unwrap_or_else(accepted);
}
