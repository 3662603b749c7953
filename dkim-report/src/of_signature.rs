//! From a verification to the fields of a report.

use dkim_authres::AuthenticationResults;
use dkim_message::Header;
use dkim_tags::Auid;
use dkim_verify::{Outcome, Verification, res_infos};

use crate::{AuthFailure, CanonicalBody, Feedback, canonical_header};

impl Feedback {
    /// What there is to report about one of the signatures of a message: what failed, the result,
    /// and whose signature it is. `None` if it passes, or names no domain or selector that can be
    /// read (RFC 6591 §3.2.3 requires them). Mailing lists, too, should tell signers so (RFC 6377
    /// §6).
    ///
    /// `found` is what the verifier found in the message and `index` the signature among it;
    /// `authserv_id` is who says so.
    #[must_use]
    pub fn of_signature(found: &[Verification], index: usize, authserv_id: &str) -> Option<Self> {
        let (one, result) =
            found.iter().zip(res_infos(found)).find(|(one, _)| one.index == index)?;
        if one.passes() {
            return None;
        }
        let claims = one.claims();
        let (sdid, selector) = (claims.sdid?, claims.selector?);
        let mut feedback = Self::new(AuthFailure::of(&one.outcome));
        // RFC 6591 §3.1: "it MUST reflect only a single authentication method's result".
        feedback.authentication_results =
            vec![AuthenticationResults::new(authserv_id).with(result)];
        feedback.reported_domain = vec![sdid.as_str().to_owned()];
        let auid = claims.auid.unwrap_or_else(|| Auid::of_domain(&sdid));
        feedback.dkim_identity = Some(auid.in_a_labels());
        feedback.dkim_domain = Some(sdid.in_a_labels());
        feedback.dkim_selector = Some(selector.in_a_labels());
        Some(feedback)
    }

    /// Adds the canonical octets of header and body, as the verifier had them: both "SHOULD be
    /// included" (RFC 6591 §3.2.4), whatever failed. Those that cannot be had are left out.
    #[must_use]
    pub fn with_canonical(
        mut self,
        found: &Verification,
        header: &Header<'_>,
        body: Option<CanonicalBody>,
    ) -> Self {
        self.canonicalized_header = canonical_header(found, header);
        self.canonicalized_body = body.and_then(CanonicalBody::finish);
        self
    }
}

impl AuthFailure {
    /// The RFC knows three ways in which DKIM fails. A reason beyond them is `signature`, our
    /// choice: whatever it is, the signature "did not successfully verify against the header hash
    /// and public key".
    fn of(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::BodyHashMismatch | Outcome::BodyTooShort { .. } => Self::BodyHash,
            Outcome::KeyRevoked => Self::Revoked,
            _ => Self::Signature,
        }
    }
}
