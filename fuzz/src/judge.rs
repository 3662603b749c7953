//! What must hold for the verdicts on any message, whatever the DNS answers.

use std::sync::Arc;

use dkim_authres::{AuthenticationResults, DkimResult};
use dkim_crypto::Provider;
use dkim_dns::{Answer, Dnssec, Inquirer, LookupError, Query, QueryId};
use dkim_message::split;
use dkim_tags::UnixTime;
use dkim_verify::{KeyCache, Outcome, Policy, Verification, Verifier, res_infos};

use crate::body_hash::digest;
use crate::canon_twin;
use crate::lines;
use crate::pieces::{Random, pieces};

/// A message at some time, judged by a provider.
#[derive(Clone, Copy)]
pub(crate) struct Case<'a> {
    pub(crate) message: &'a [u8],
    pub(crate) now: UnixTime,
    pub(crate) provider: &'static dyn Provider,
    /// What the DNS says; `None` for a question that nobody answers.
    pub(crate) answer: &'a dyn Fn(&Query) -> Option<Answer>,
}

/// In which order the verifier is told what.
#[derive(Clone, Copy, Debug)]
enum Order {
    AnswersFirst,
    /// The body in pieces, then the answers in reverse, each twice.
    BodyFirst,
    /// One answer between any two pieces.
    Mixed,
}

impl Case<'_> {
    /// The verifications under a policy, after asserting that
    ///
    /// - there is one for each DKIM-Signature field,
    /// - no order of answers and pieces makes a difference, nor do keys that were seen before,
    /// - a stricter policy passes less, limits apart,
    /// - what passes has the body it was signed with, and a key of its type,
    /// - only the DNS makes a temporary error,
    /// - the results can be written.
    pub(crate) fn judge(&self, policy: &Policy) -> Vec<Verification> {
        let found = self.verify(policy);
        // Of few keys, so that there is no room for all of them.
        let keys = Arc::new(KeyCache::new(self.provider, 2));
        for order in [Order::BodyFirst, Order::Mixed] {
            let again = self.run(policy, order, Some(&keys));
            assert_eq!(format!("{again:?}"), format!("{found:?}"), "{order:?}");
        }
        assert_eq!(found.len(), self.count("DKIM-Signature"));
        for (place, verification) in found.iter().enumerate() {
            assert_eq!(verification.index, place);
            self.assert_verdict(verification, policy);
        }
        self.assert_written(&found);
        self.assert_ranked();
        self.assert_not_hidden(&found, policy);
        found
    }

    /// The verifications alone.
    pub(crate) fn verify(&self, policy: &Policy) -> Vec<Verification> {
        self.run(policy, Order::AnswersFirst, None)
    }

    fn run(
        &self,
        policy: &Policy,
        order: Order,
        keys: Option<&Arc<KeyCache>>,
    ) -> Vec<Verification> {
        let (header, body) = split(self.message);
        let mut verifier = Verifier::new(&header, policy, self.now, self.provider);
        if let Some(keys) = keys {
            verifier = verifier.with_key_cache(keys);
        }
        let queries = verifier.queries();
        assert!(queries.len() <= policy.limits.queries);
        assert_eq!(verifier.queries(), [], "each question is asked once");
        let mut answers: Vec<(QueryId, Answer)> = queries
            .iter()
            .filter_map(|query| (self.answer)(query).map(|answer| (query.id, answer)))
            .collect();
        match order {
            Order::AnswersFirst => {
                answers.into_iter().for_each(|(id, answer)| verifier.answer(id, answer));
                verifier.body_chunk(body);
            }
            Order::BodyFirst => {
                for piece in pieces(body, 0) {
                    verifier.body_chunk(piece);
                }
                verifier.answer(QueryId(u32::MAX), Err(LookupError::Timeout));
                for (id, answer) in answers.into_iter().rev() {
                    verifier.answer(id, answer);
                    // The second answer to a question is nobody's.
                    verifier.answer(id, Err(LookupError::Timeout));
                }
            }
            Order::Mixed => {
                let mut random = Random::new(self.message, 1);
                for piece in pieces(body, 1) {
                    if !answers.is_empty() {
                        let (id, answer) = answers.remove(random.below(answers.len()));
                        verifier.answer(id, answer);
                    }
                    verifier.body_chunk(piece);
                }
                answers.into_iter().for_each(|(id, answer)| verifier.answer(id, answer));
            }
        }
        assert_eq!(verifier.queries(), [], "answers raise no questions");
        verifier.finish()
    }

    /// How many fields of this name the message has, counted by lines.
    fn count(&self, name: &str) -> usize {
        let lines = self.message.split(|octet| *octet == b'\n');
        let lines = lines.map(|line| line.strip_suffix(b"\r").unwrap_or(line));
        let field_names = lines.take_while(|line| !line.is_empty()).map(|line| {
            let colon = line.iter().position(|octet| *octet == b':').unwrap_or(0);
            String::from_utf8_lossy(&line[..colon])
        });
        field_names.filter(|n| n.trim_end_matches([' ', '\t']).eq_ignore_ascii_case(name)).count()
    }

    fn assert_verdict(&self, found: &Verification, policy: &Policy) {
        let result = found.outcome.result();
        assert!(
            !found.outcome.to_string().is_empty() && !found.outcome.reason().cause().is_empty()
        );
        assert_eq!(found.passes(), result == DkimResult::Pass);
        assert!(found.deviations.iter().all(|d| !d.to_string().is_empty() && !d.code().is_empty()));
        if result == DkimResult::TempError {
            let signature = found.signature.as_ref().expect("a key was asked for");
            let name = dkim_keyrec::record_name(&signature.selector, &signature.sdid);
            let query = Query { id: QueryId(0), name, kind: dkim_dns::QueryKind::Txt };
            assert!(match (self.answer)(&query) {
                None => true,
                Some(Ok(found)) => found.dnssec == Dnssec::Bogus,
                Some(Err(error)) => error.is_temporary(),
            });
        }
        if !found.passes() {
            return;
        }
        let signature = found.signature.as_ref().expect("what passes was read");
        let record = found.key_record.as_ref().expect("what passes has a key");
        let key = record.key.as_ref().expect("what passes has no revoked key");
        assert_eq!(key.key_type(), signature.algorithm.key());
        assert!(key.bits() >= 1024 || key.modulus().is_none());
        assert!(record.allows_hash(signature.algorithm.hash()) && record.allows_email());
        assert!(signature.signed_fields.contains("From"));
        assert!(self.count("From") >= 1);
        if *policy == Policy::rfc() {
            assert_eq!(self.count("From"), 1);
            assert!(signature.expiration.is_none_or(|x| x.0.saturating_add(300) >= self.now.0));
            assert_ne!(signature.algorithm.name(), "rsa-sha1");
        }
        let body = canon_twin::body(signature.canonicalization.body, split(self.message).1);
        let length = signature.body_length.unwrap_or(u64::MAX);
        let signed = match usize::try_from(length).ok().and_then(|length| body.get(..length)) {
            Some(signed) => signed,
            None => {
                assert_eq!(signature.body_length, None, "l= is larger than the body");
                &body
            }
        };
        let hash = digest(signature.algorithm.hash(), signed);
        assert_eq!(hash.as_bytes(), signature.body_hash);
    }

    fn assert_written(&self, found: &[Verification]) {
        let mut results = AuthenticationResults::new("mx.example.org");
        results.results = res_infos(found);
        lines::assert_field(&results.field());
        let body = results.field_body();
        let again = AuthenticationResults::parse(body.as_bytes()).expect("it was written");
        if again.results.len() == results.results.len() {
            let words = |results: &AuthenticationResults| -> Vec<String> {
                results.results.iter().map(|info| info.result.clone()).collect()
            };
            assert_eq!(words(&again), words(&results));
        }
    }

    /// What a policy refuses makes room within the limits for what a looser one judges no more.
    fn assert_ranked(&self) {
        let [strict, rfc, lenient] =
            [Policy::strict(), Policy::rfc(), Policy::lenient()].map(|policy| self.verify(&policy));
        for (tight, loose) in strict.iter().zip(&rfc).chain(rfc.iter().zip(&lenient)) {
            let is_limited = matches!(loose.outcome, Outcome::Limit(_));
            assert!(!tight.passes() || loose.passes() || is_limited);
        }
    }

    /// A signature that nobody can read, put on top, changes nothing below.
    fn assert_not_hidden(&self, found: &[Verification], policy: &Policy) {
        const JUNK: &[u8] = b"DKIM-Signature: v=1; oops\r\n";
        if !split(self.message).0.defects().is_empty() || self.message.len() > 1_000_000 {
            return;
        }
        let message = [JUNK, self.message].concat();
        let again = Case { message: &message, ..*self }.verify(policy);
        // Who names DKIM-Signature fields in `h=`, has signed that there are no more of them.
        let is_free = |v: &&Verification| {
            let signature = v.signature.as_ref();
            signature.is_none_or(|s| !s.signed_fields.contains("DKIM-Signature"))
        };
        let words = |found: &[Verification]| -> Vec<(DkimResult, &'static str)> {
            let free = found.iter().filter(is_free);
            free.map(|v| (v.outcome.result(), v.outcome.reason().code())).collect()
        };
        assert_eq!(words(&again[1..]), words(found));
        assert!(matches!(again.first(), Some(junk) if !junk.passes()));
    }
}
