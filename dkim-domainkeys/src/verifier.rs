//! The machine: a header, then body octets and DNS answers in any order, then the outcomes.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::Arc;

use dkim_crypto::{Digest, HashValue, Provider, VerifyError};
use dkim_dns::{Answer, Inquirer, Query, QueryId, TxtQuestions};
use dkim_hash::Stance;
use dkim_keyrec::record_name;
use dkim_message::{Field, Fields, Header};
use dkim_tags::{Claims, FieldNames, TagList};

use crate::checks::{self, Message};
use crate::{
    BodyCanonicalizer, Canonicalization, Limit, Outcome, Policy, Sender, Signature, Verification,
};

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
    /// By the names of the keys: each is asked once, however many signatures name it.
    questions: TxtQuestions<String>,
    /// One for each canonicalization that a signature is over.
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
            questions: TxtQuestions::default(),
            lanes: Vec::new(),
        };
        let mut signatures = header.fields().named(Signature::FIELD_NAME).peekable();
        if signatures.peek().is_none() {
            return verifier;
        }
        // Of a header over the limit nothing is read.
        let within = header.octets().len() <= policy.limits.header_octets;
        let message = within.then(|| Message::of(header));
        for (position, field) in signatures.by_ref().take(policy.limits.listed) {
            verifier.signature(header, position, &field, message.as_ref());
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
            let answer = questions.answer_at(open.question);
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
        let below = header.fields().below(position);
        hash_fields(signature, below, &mut *digest);
        let digest = (self.open.len(), digest);
        match self.lanes.iter_mut().find(|lane| lane.canonicalization == signature.canonicalization)
        {
            Some(lane) => lane.digests.push(digest),
            None => self.lanes.push(Lane::new(signature.canonicalization, digest)),
        }
        let name = record_name(&signature.selector, &signature.domain);
        let asked = self.questions.place_of(&name);
        let question = asked.unwrap_or_else(|| self.questions.push(name));
        self.open.push(Open { index: self.found.len(), question, sender: Arc::clone(sender) });
        Ok(())
    }
}

impl Inquirer for Verifier {
    fn queries(&mut self) -> Vec<Query> {
        self.questions.queries(|name| Some(name.clone()))
    }

    fn answer(&mut self, id: QueryId, answer: Answer) {
        self.questions.answer(id, answer);
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

/// The body in one canonicalization, and the hashes that go on with it: each has begun with a
/// header.
struct Lane {
    canonicalization: Canonicalization,
    body: BodyCanonicalizer,
    /// With the number of the open signature.
    digests: Vec<(usize, Box<dyn Digest>)>,
}

impl Lane {
    fn new(canonicalization: Canonicalization, digest: (usize, Box<dyn Digest>)) -> Self {
        Self {
            canonicalization,
            body: BodyCanonicalizer::new(canonicalization),
            digests: vec![digest],
        }
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
        f.debug_struct("Lane")
            .field("canonicalization", &self.canonicalization)
            .field("open", &open)
            .finish()
    }
}

fn update(digests: &mut [(usize, Box<dyn Digest>)], octets: &[u8]) {
    for (_, digest) in digests {
        digest.update(octets);
    }
}

/// Hashes the fields that are signed, of those that stand below the signature.
fn hash_fields(signature: &Signature, below: Fields<'_, '_>, digest: &mut dyn Digest) {
    /// So that the hash is not fed line by line.
    const ENOUGH: usize = 4096;
    let mut canonical = Vec::with_capacity(ENOUGH);
    let mut write = |field: Field<'_>| {
        signature.canonicalization.write_field(field.octets(), &mut canonical);
        if canonical.len() >= ENOUGH {
            digest.update(&canonical);
            canonical.clear();
        }
    };
    match &signature.signed_fields {
        // RFC 4870 §3.3: without `h=`, "all headers subsequent to the signature header are included
        // in the order found in the email".
        None => below.iter().for_each(write),
        Some(names) => {
            let picked = pick(names, below);
            picked.into_iter().filter_map(|at| below.get(at)).for_each(&mut write);
        }
    }
    digest.update(&canonical);
}

/// The fields that `h=` names, as indexes into those below the signature, in the order hashed.
///
/// RFC 4870 §3.3 has `h=` list them "in the order presented to the signing algorithm", §3.4.2 has
/// lines presented "in the order it occurs in the complete email". A signer that keeps to both
/// leaves no difference; if fields changed places since, or a signer did not, the list tells.
///
/// "A verifier must include all occurrences of that header", however often a name is listed. Which
/// stands for which, the RFC leaves open: we count from the bottom, and what is left over goes to
/// the first, as the one other verifier that is still in use does.
fn pick(names: &FieldNames, below: Fields<'_, '_>) -> Vec<usize> {
    let mut places: BTreeMap<Vec<u8>, Places> = BTreeMap::new();
    for name in names.iter() {
        places.entry(name.to_ascii_lowercase().into()).or_default().listed += 1;
    }
    let mut lower = Vec::new();
    for (at, field) in below.iter().enumerate() {
        lower.clear();
        lower.extend_from_slice(field.name());
        lower.make_ascii_lowercase();
        if let Some(places) = places.get_mut(&lower) {
            places.found.push_back(at);
        }
    }
    let mut picked = Vec::new();
    for name in names.iter() {
        let Some(places) = places.get_mut(name.to_ascii_lowercase().as_bytes()) else { continue };
        places.listed -= 1;
        let these = places.found.len().saturating_sub(places.listed);
        picked.extend(places.found.drain(..these));
    }
    picked
}

/// Of a name in `h=`.
#[derive(Default)]
struct Places {
    /// How often it is listed still.
    listed: usize,
    /// The fields of this name that no entry has taken, top to bottom.
    found: VecDeque<usize>,
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
        found.deviations.extend(checks::key_deviations(key, policy));
    }
    found.key = key;
    let accepted = || checks::refused(&found.deviations, policy).unwrap_or(Outcome::Pass);
    found.outcome = refused.unwrap_or_else(accepted);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What Mail::DKIM 1.20230212 hashed when it signed with these lists, told from the hash in its
    /// signatures: digits are Received fields.
    #[test]
    fn names_listed_more_and_less_often_than_they_are_there() {
        let octets = b"Received: 1\r\nFrom: F\r\nReceived: 2\r\nTo: T\r\nReceived: 3\r\n";
        let header = Header::parse(octets);
        for (list, expected) in [
            ("received:from:received:to:received", "1F2T3"),
            ("received:from:received:to", "12F3T"),
            ("received:from:to", "123FT"),
            ("from:received:received:received", "F123"),
            ("from:to:received:received:cc", "FT123"),
            ("received:from:received:to:received:received", "F1T23"),
            ("received:from:received:received:to:received", "F12T3"),
            ("RECEIVED:from:Received:to:cc:received:cc:receiveD", "F1T23"),
            ("cc:x", ""),
        ] {
            let names = list.split(':').map(dkim_tags::FieldName::parse);
            let names: FieldNames = names.collect::<Result<_, _>>().expect("names");
            let picked = pick(&names, header.fields());
            let last =
                |at: usize| header.fields().get(at)?.octets().last().copied().map(char::from);
            assert_eq!(picked.into_iter().filter_map(last).collect::<String>(), expected, "{list}");
        }
    }
}
