//! What is handed on about a signature.

use std::collections::HashMap;
use std::sync::Arc;

use dkim_authres::{DkimResult, ResInfo};
use dkim_hash::BodyHash;
use dkim_keyrec::KeyRecord;
use dkim_tags::{Auid, Claims, DomainName, Signature};

use crate::{Deviation, Outcome};

/// What the verifier found out about a DKIM-Signature field: for every one, whatever its result,
/// more than RFC 6376 §3.9 asks for.
///
/// What a consumer may rely on is the SDID of a verification that passed (RFC 6376 §3.11, §6.2);
/// the AUID is opaque, the signer's own affair, and the selector is no identity at all. In
/// Authentication-Results they are `header.d`, `header.i` (where the signature has an `i=`; its
/// domain alone, where the local-part is not ASCII and the message's header is) and `header.s`; who
/// relays them to others sees to it that nobody can forge them on the way (RFC 5863 §5.6): see
/// `dkim_authres::forged`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Verification {
    /// Which of the message's DKIM-Signature fields, counted from 0, top to bottom.
    pub index: usize,
    /// The signature; `None` when the field is invalid or exceeds a limit.
    pub signature: Option<Signature>,
    /// What a field says of itself that is no signature.
    pub(crate) unread: Option<Box<Claims>>,
    /// Whether the message's header is ASCII, looked at where `i=` is not.
    pub(crate) is_header_ascii: bool,
    /// The key record that the outcome rests on; `None` when it was not got so far.
    pub key_record: Option<Arc<KeyRecord>>,
    /// The body hash computed, if it was.
    pub body_hash: Option<BodyHash>,
    /// What became of the signature.
    pub outcome: Outcome,
    /// What is not as it should be, whether or not the signature passes.
    pub deviations: Vec<Deviation>,
}

impl Verification {
    /// Of a field that was not looked into yet.
    pub(crate) fn new(index: usize, outcome: Outcome) -> Self {
        Self {
            index,
            signature: None,
            unread: None,
            is_header_ascii: false,
            key_record: None,
            body_hash: None,
            outcome,
            deviations: Vec::new(),
        }
    }

    /// What the field says of itself, valid or not.
    #[must_use]
    pub fn claims(&self) -> Claims {
        match (&self.signature, &self.unread) {
            (Some(signature), _) => Claims::from(signature),
            (None, Some(claims)) => Claims::clone(claims),
            (None, None) => Claims::default(),
        }
    }

    /// Whose responsibility the field claims, `d=`: proven if the verification
    /// [passes](Self::passes), and no more than claimed otherwise.
    #[must_use]
    pub fn sdid(&self) -> Option<&DomainName> {
        match &self.signature {
            Some(signature) => Some(&signature.sdid),
            None => self.unread.as_ref()?.sdid.as_ref(),
        }
    }

    /// Whether the local-part of `i=` has characters beyond ASCII.
    pub(crate) fn is_internationalized(&self) -> bool {
        let auid = match (&self.signature, &self.unread) {
            (Some(signature), _) => signature.auid.as_ref(),
            (None, unread) => unread.as_ref().and_then(|claims| claims.auid.as_ref()),
        };
        auid.is_some_and(|auid| !auid.local_part().is_ascii())
    }

    /// `i=` as others are told it.
    fn identity(&self, auid: &Auid) -> String {
        // RFC 8601 §2.7.1 has UTF-8 in the results of "an EAI-formatted message"; in the
        // quoted-printable of `i=` it may stand in any.
        let is_told = auid.local_part().is_ascii() || !self.is_header_ascii;
        let local_part = if is_told { auid.local_part() } else { "" };
        // Domains are A-labels throughout, so that consumers need not know two spellings.
        format!("{local_part}@{}", auid.domain())
    }

    /// Whether the signature is valid and accepted.
    #[must_use]
    pub fn passes(&self) -> bool {
        self.outcome == Outcome::Pass
    }

    /// Whether the signature is one to go by: it passes, and its domain is not testing DKIM.
    ///
    /// RFC 6376 §3.6.1 `t=y`: "Verifiers MUST NOT treat messages from Signers in testing mode
    /// differently from unsigned email", be their signatures valid or not.
    #[must_use]
    pub fn counts(&self) -> bool {
        self.passes() && !self.is_testing()
    }

    /// Whether the key says that the domain is testing DKIM (RFC 6376 §3.6.1 `t=y`): the message is
    /// then to be treated as an unsigned one, whether the signature is valid or not.
    #[must_use]
    pub fn is_testing(&self) -> bool {
        self.deviations.contains(&Deviation::Testing)
    }

    /// The result for an Authentication-Results field (RFC 8601 §2.7.1), with so many characters
    /// of the signature.
    fn res_info(&self, claims: &Claims, b_len: usize) -> ResInfo {
        let mut info = ResInfo::new("dkim", self.outcome.result().name());
        let refused = (!self.passes()).then(|| self.outcome.to_string());
        let is_told = |deviation: &&Deviation| match deviation {
            // RFC 6376 §3.6.1 has such mail treated as unsigned, pass or fail.
            Deviation::Testing => self.outcome != Outcome::Refused(Deviation::Testing),
            other => self.passes() && other.lessens_a_pass(),
        };
        let told = self.deviations.iter().filter(is_told).map(ToString::to_string);
        let reasons: Vec<String> = refused.into_iter().chain(told).collect();
        if !reasons.is_empty() {
            info = info.reason(reasons.join(", "));
        }
        // Of an invalid signature anything may be claimed; what is no word is not handed on.
        let word = |text: &Option<String>| {
            text.clone().filter(|text| text.bytes().all(|octet| octet.is_ascii_graphic()))
        };
        for (property, value) in [
            ("d", claims.sdid.as_ref().map(ToString::to_string)),
            ("i", claims.auid.as_ref().map(|auid| self.identity(auid))),
            ("s", claims.selector.as_ref().map(ToString::to_string)),
            ("a", word(&claims.algorithm)),
            ("b", word(&claims.signature).map(|b| b.chars().take(b_len).collect())),
        ] {
            if let Some(value) = value {
                info = info.prop("header", property, value);
            }
        }
        info
    }
}

/// So many characters of a signature are told at least (RFC 6008 §4).
const MIN_B: usize = 8;

/// The results for an Authentication-Results field (RFC 8601 §2.7.1), in the same order; `none` for a
/// message without signatures. Each carries the first characters of its signature, at least eight and
/// so many that no other signature begins with them (RFC 6008 §4).
#[must_use]
pub fn res_infos(found: &[Verification]) -> Vec<ResInfo> {
    if found.is_empty() {
        return vec![ResInfo::new("dkim", DkimResult::None.name())];
    }
    let claims: Vec<Claims> = found.iter().map(Verification::claims).collect();
    let lengths = telling_lengths(claims.iter().filter_map(|claims| claims.signature.as_deref()));
    let length = |claims: &Claims| lengths.get(claims.signature.as_deref()?).copied();
    let all = found.iter().zip(&claims);
    all.map(|(one, claims)| one.res_info(claims, length(claims).unwrap_or_default())).collect()
}

/// How many characters of each signature tell it from the others.
fn telling_lengths<'s>(signatures: impl Iterator<Item = &'s str>) -> HashMap<&'s str, usize> {
    let mut sorted: Vec<&str> = signatures.collect();
    sorted.sort_unstable();
    sorted.dedup();
    let mut lengths: HashMap<&str, usize> = sorted.iter().map(|one| (*one, MIN_B)).collect();
    // Whoever shares the longest beginning with a signature stands next to it.
    for (one, next) in sorted.iter().zip(sorted.iter().skip(1)) {
        let shared = one.chars().zip(next.chars()).take_while(|(a, b)| a == b).count();
        for signature in [one, next] {
            lengths.entry(signature).and_modify(|length| *length = (*length).max(shared + 1));
        }
    }
    lengths
}
