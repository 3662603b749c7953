//! What is handed on about a signature.

use std::sync::Arc;

use dkim_authres::ResInfo;
use dkim_tags::{Claims, DomainName};

use crate::{Deviation, DomainKey, Outcome, Sender, Signature};

/// What the verifier found out about a DomainKey-Signature field: for every one, whatever its
/// result.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Verification {
    /// Which of the message's DomainKey-Signature fields, counted from 0, top to bottom.
    pub index: usize,
    /// The signature; `None` when the field is invalid or exceeds a limit.
    pub signature: Option<Signature>,
    /// What a field says of itself that is no signature.
    pub(crate) unread: Option<Box<Claims>>,
    /// Who sent the message; `None` if that cannot be told. The same for all its signatures.
    pub sender: Option<Arc<Sender>>,
    /// The key record that the outcome rests on; `None` when it was not got so far.
    pub key: Option<DomainKey>,
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
            sender: None,
            key: None,
            outcome,
            deviations: Vec::new(),
        }
    }

    /// What the field says of itself, valid or not.
    #[must_use]
    pub fn claims(&self) -> Claims {
        let Some(signature) = &self.signature else {
            return self.unread.as_deref().cloned().unwrap_or_default();
        };
        let mut claims = Claims::default();
        claims.sdid = Some(signature.domain.clone());
        claims.selector = Some(signature.selector.clone());
        claims.algorithm = Some(signature.algorithm.name().to_owned());
        claims.canonicalization = Some(signature.canonicalization.name().to_owned());
        claims.signature = Some(dkim_tags::value::to_base64(&signature.signature));
        claims
    }

    /// The signing domain that the field claims, `d=`: proven if the verification
    /// [passes](Self::passes), and no more than claimed otherwise.
    #[must_use]
    pub fn domain(&self) -> Option<&DomainName> {
        match &self.signature {
            Some(signature) => Some(&signature.domain),
            None => self.unread.as_ref()?.sdid.as_ref(),
        }
    }

    /// Whether the signature is valid and accepted.
    #[must_use]
    pub fn passes(&self) -> bool {
        self.outcome == Outcome::Pass
    }

    /// Whether the key says that the domain is testing DomainKeys (RFC 4870 §3.2.3 `t=y`).
    #[must_use]
    pub fn is_testing(&self) -> bool {
        self.deviations.contains(&Deviation::Testing)
    }

    /// The result for an Authentication-Results field: method `domainkeys`, with `header.d` and
    /// either `header.from` or `header.sender` (RFC 8601 §2.7.1, RFC 7601 §2.7.1).
    #[must_use]
    pub fn res_info(&self) -> ResInfo {
        let mut info = ResInfo::new("domainkeys", self.outcome.result().name());
        if !self.passes() {
            info = info.reason(self.outcome.to_string());
        }
        if let Some(domain) = self.domain() {
            info = info.prop("header", "d", domain.as_str());
        }
        match &self.sender {
            Some(sender) => info.prop("header", sender.field().property(), self.proven(sender)),
            None => info,
        }
    }

    /// "The local-part of the address and the "@" character are removed if it has not been
    /// authenticated in some way": that does a key for this address alone.
    fn proven(&self, sender: &Sender) -> String {
        let for_one = self.key.as_ref().is_some_and(DomainKey::is_for_one_address);
        if self.passes() && for_one {
            sender.address().to_string()
        } else {
            sender.domain().to_string()
        }
    }
}

/// The signature that RFC 4870 §3.7.3 has a verifier use and "ignore all other signatures": the
/// topmost that is a signature by the sending domain over the field that names the sender.
///
/// Whether it passes is another matter; if not, none of the others counts in its place.
#[must_use]
pub fn most_appropriate(found: &[Verification]) -> Option<&Verification> {
    found.iter().find(|one| {
        let no_match = matches!(
            one.outcome,
            Outcome::Signature(_)
                | Outcome::Sender(_)
                | Outcome::DomainMismatch { .. }
                | Outcome::SenderNotSigned(_)
        );
        one.signature.is_some() && !no_match
    })
}
