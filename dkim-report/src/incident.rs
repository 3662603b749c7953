//! The kinds of failure that a domain can ask to hear of, and which of them a verification is
//! (RFC 6651 §5).

use std::fmt;

use dkim_authres::DkimResult;
use dkim_verify::{Outcome, Reason, Verification};

/// A kind of failure that `rr=` can name.
pub trait Incident: Copy + Eq + fmt::Debug {
    /// Its word in `rr=`.
    fn word(self) -> &'static str;
}

/// What a domain can ask to hear of its signatures (RFC 6651 §5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum DkimIncident {
    /// `d`: trouble with the DNS, as a key that cannot be retrieved.
    Dns,
    /// `o`: a reason that no other word covers.
    Other,
    /// `p`: refused by the verifier's policy.
    Policy,
    /// `s`: a syntax error in the signature or the key.
    Syntax,
    /// `u`: the signature has tags that nobody knows.
    UnknownTags,
    /// `v`: the signature or the body hash does not verify.
    Verification,
    /// `x`: the signature has expired.
    Expired,
}

impl DkimIncident {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::Dns,
        Self::Other,
        Self::Policy,
        Self::Syntax,
        Self::UnknownTags,
        Self::Verification,
        Self::Expired,
    ];

    /// What a failed signature is a case of: its reason, and [`UnknownTags`](Self::UnknownTags) too
    /// if it has such. Nothing, if the signature passes.
    #[must_use]
    pub fn of(found: &Verification) -> Vec<Self> {
        if found.passes() {
            return Vec::new();
        }
        let mut incidents = vec![Self::of_outcome(&found.outcome)];
        if found.claims().has_unknown_tags {
            incidents.push(Self::UnknownTags);
        }
        incidents
    }

    fn of_outcome(outcome: &Outcome) -> Self {
        match outcome.reason() {
            Reason::Expired => Self::Expired,
            Reason::BodyHashMismatch | Reason::SignatureMismatch | Reason::LTooLong => {
                Self::Verification
            }
            Reason::KeyMissing | Reason::KeyUnavailable | Reason::LimitCnameHops => Self::Dns,
            Reason::Syntax
            | Reason::DuplicateTag
            | Reason::MissingTag
            | Reason::Version
            | Reason::BadAlgorithm
            | Reason::BadCanonicalization
            | Reason::BadQueryMethod
            | Reason::DomainMismatch
            | Reason::FromNotSigned
            | Reason::KeySyntax
            | Reason::KeyVersion => Self::Syntax,
            // A malformed header is refused because the policy says so.
            Reason::MalformedHeader => Self::Policy,
            reason if reason.result() == DkimResult::Policy => Self::Policy,
            _ => Self::Other,
        }
    }
}

impl Incident for DkimIncident {
    fn word(self) -> &'static str {
        match self {
            Self::Dns => "d",
            Self::Other => "o",
            Self::Policy => "p",
            Self::Syntax => "s",
            Self::UnknownTags => "u",
            Self::Verification => "v",
            Self::Expired => "x",
        }
    }
}

/// What an Author Domain can ask to hear of its signing practices (RFC 6651 §5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum AdspIncident {
    /// `o`: a reason that no other word covers.
    Other,
    /// `p`: refused by the verifier's policy.
    Policy,
    /// `s`: a valid signature, and not the one that the practices ask for.
    Signed,
    /// `u`: no valid signature, where the practices ask for one.
    Unsigned,
}

impl AdspIncident {
    /// All of them.
    pub const ALL: &'static [Self] = &[Self::Other, Self::Policy, Self::Signed, Self::Unsigned];
}

impl Incident for AdspIncident {
    fn word(self) -> &'static str {
        match self {
            Self::Other => "o",
            Self::Policy => "p",
            Self::Signed => "s",
            Self::Unsigned => "u",
        }
    }
}

#[cfg(test)]
mod tests {
    use dkim_crypto::{KeyType, SigningAlgorithm};
    use dkim_dns::LookupError;
    use dkim_tags::SignatureError;
    use dkim_verify::{Deviation, Limit};

    use super::*;

    #[test]
    fn each_outcome_has_its_word() {
        let algorithm = SigningAlgorithm::RSA_SHA256;
        for (outcome, word) in [
            (Outcome::BodyHashMismatch, "v"),
            (Outcome::SignatureMismatch, "v"),
            (Outcome::BodyTooShort { signed: 2, body: 1 }, "v"),
            (Outcome::Refused(Deviation::Expired), "x"),
            (Outcome::KeyMissing(LookupError::NoSuchName), "d"),
            (Outcome::KeyUnavailable(None), "d"),
            (Outcome::KeyMissing(LookupError::ChainTooLong), "d"),
            (Outcome::Signature(SignatureError::FromNotSigned), "s"),
            (Outcome::Signature(SignatureError::Invalid("t")), "s"),
            (Outcome::Refused(Deviation::Sha1), "p"),
            (Outcome::Refused(Deviation::MultipleFrom), "p"),
            (Outcome::Limit(Limit::Signatures), "p"),
            (Outcome::KeyRevoked, "o"),
            (Outcome::NoFrom, "o"),
            (Outcome::StrictDomain, "o"),
            (Outcome::KeyType { algorithm, key_type: KeyType::Ed25519 }, "o"),
            (Outcome::Unsupported(algorithm), "o"),
        ] {
            assert_eq!(DkimIncident::of_outcome(&outcome).word(), word, "{outcome}");
        }
    }

    #[test]
    fn words_are_those_of_the_rfc() {
        let words: Vec<_> = DkimIncident::ALL.iter().map(|incident| incident.word()).collect();
        assert_eq!(words.concat(), "dopsuvx");
        let words: Vec<_> = AdspIncident::ALL.iter().map(|incident| incident.word()).collect();
        assert_eq!(words.concat(), "opsu");
    }
}
