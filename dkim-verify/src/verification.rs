//! What is handed on about a signature.

use dkim_authres::ResInfo;
use dkim_hash::BodyHash;
use dkim_keyrec::KeyRecord;
use dkim_tags::{Claims, Signature, value::to_base64};

use crate::{Deviation, Outcome};

/// What the verifier found out about a DKIM-Signature field.
///
/// What a consumer may rely on is the SDID of a verification that passed (RFC 6376 §3.11, §6.2);
/// the AUID is the signer's own affair, and the selector is no identity at all.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Verification {
    /// Which of the message's DKIM-Signature fields, counted from 0, top to bottom.
    pub index: usize,
    /// What the field says of itself, valid or not.
    pub claims: Claims,
    /// The signature; `None` when the field is invalid.
    pub signature: Option<Signature>,
    /// The key record that the outcome rests on; `None` when it was not got so far.
    pub key_record: Option<KeyRecord>,
    /// The body hash computed, if it was.
    pub body_hash: Option<BodyHash>,
    /// What became of the signature.
    pub outcome: Outcome,
    /// What is not as it should be, whether or not the signature passes.
    pub deviations: Vec<Deviation>,
}

impl Verification {
    /// Whether the signature is valid and accepted.
    #[must_use]
    pub fn passes(&self) -> bool {
        self.outcome == Outcome::Pass
    }

    /// Whether the key says that the domain is testing DKIM (RFC 6376 §3.6.1 `t=y`): mail whose
    /// signature fails must then not be treated worse than unsigned mail.
    #[must_use]
    pub fn is_testing(&self) -> bool {
        self.deviations.contains(&Deviation::Testing)
    }

    /// The result for an Authentication-Results field (RFC 8601 §2.7.1), with the first octets of
    /// the signature to tell it from others (RFC 6008 §4).
    #[must_use]
    pub fn res_info(&self) -> ResInfo {
        let mut info = ResInfo::new("dkim", self.outcome.result().name());
        if !self.passes() {
            info = info.reason(self.outcome.to_string());
        }
        let claims = &self.claims;
        let b = self.signature.as_ref().map(|signature| to_base64(&signature.signature));
        for (property, value) in [
            ("d", claims.sdid.as_ref().map(ToString::to_string)),
            ("i", claims.auid.as_ref().map(ToString::to_string)),
            ("s", claims.selector.as_ref().map(ToString::to_string)),
            ("a", self.signature.as_ref().map(|signature| signature.algorithm.to_string())),
            ("b", b.map(|b| b.chars().take(8).collect())),
        ] {
            if let Some(value) = value {
                info = info.prop("header", property, value);
            }
        }
        info
    }
}
