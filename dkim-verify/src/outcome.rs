//! What became of a signature, and which row of the table of reasons that is.

use std::fmt;

use dkim_authres::DkimResult;
use dkim_crypto::{KeyType, PublicKeyError, SigningAlgorithm};
use dkim_dns::LookupError;
use dkim_keyrec::KeyRecordError;
use dkim_tags::{SignatureError, TagListError};

use crate::{Deviation, Limit, Reason};

/// What became of a signature.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// It verified, and the policy accepts it.
    Pass,
    /// The DKIM-Signature field is invalid (RFC 6376 §6.1.1).
    Signature(SignatureError),
    /// The message has no From field (RFC 5322 §3.6, RFC 6376 §5.4).
    NoFrom,
    /// There is no key record (RFC 6376 §6.1.2, step 3).
    KeyMissing(LookupError),
    /// The key record could not be had now; `None` when no answer was given to the verifier
    /// (RFC 6376 §6.1.2, step 2).
    KeyUnavailable(Option<LookupError>),
    /// What stands at the key's name is no usable key record (RFC 6376 §6.1.2, step 5).
    KeyRecord(KeyRecordError),
    /// The key is not for electronic mail (RFC 6376 §3.6.1 `s=`).
    KeyService,
    /// The key is not for the signature's hash algorithm (RFC 6376 §6.1.2, step 6).
    KeyHash(SigningAlgorithm),
    /// The key was revoked (RFC 6376 §6.1.2, step 7).
    KeyRevoked,
    /// The key is not of the signature's key type (RFC 6376 §6.1.2, step 8).
    KeyType {
        /// The signature's algorithm.
        algorithm: SigningAlgorithm,
        /// The key's type.
        key_type: KeyType,
    },
    /// The cryptographic library cannot use the key.
    KeyUnusable(PublicKeyError),
    /// The cryptographic library does not offer the algorithm.
    Unsupported(SigningAlgorithm),
    /// The key is strict, and the domain of `i=` is below that of `d=` (RFC 6376 §3.6.1 `t=s`).
    StrictDomain,
    /// `l=` is larger than the canonical body (RFC 6376 §3.5 `l=`).
    BodyTooShort {
        /// The value of `l=`.
        signed: u64,
        /// Octets of the canonical body.
        body: u64,
    },
    /// The body hash is not that of `bh=` (RFC 6376 §6.1.3, step 3).
    BodyHashMismatch,
    /// The signature is not one of this key over this header (RFC 6376 §6.1.3, step 4).
    SignatureMismatch,
    /// The policy refuses what is said here.
    Refused(Deviation),
    /// The message exceeds a limit of the policy.
    Limit(Limit),
}

impl Outcome {
    /// The result in RFC 8601's words (§2.7.1).
    #[must_use]
    pub fn result(&self) -> DkimResult {
        self.reason().result()
    }

    /// Its row in the table of reasons: "the exact reason why the verification fails" (RFC 6376
    /// §6.3), as [`Display`](fmt::Display) tells it with its particulars.
    #[must_use]
    pub fn reason(&self) -> Reason {
        match self {
            Self::Pass => Reason::Ok,
            Self::Signature(error) => of_signature(error),
            Self::NoFrom => Reason::FromMissing,
            Self::KeyMissing(_) => Reason::KeyMissing,
            Self::KeyUnavailable(_) => Reason::KeyUnavailable,
            Self::KeyRecord(error) => of_key_record(error),
            Self::KeyService => Reason::KeyService,
            Self::KeyHash(_) => Reason::KeyHash,
            Self::KeyRevoked => Reason::KeyRevoked,
            Self::KeyType { .. } => Reason::KeyType,
            Self::KeyUnusable(error) => of_public_key(error),
            Self::Unsupported(_) => Reason::UnsupportedAlgorithm,
            Self::StrictDomain => Reason::StrictDomain,
            Self::BodyTooShort { .. } => Reason::LTooLong,
            Self::BodyHashMismatch => Reason::BodyHashMismatch,
            Self::SignatureMismatch => Reason::SignatureMismatch,
            Self::Refused(deviation) => deviation.reason(),
            Self::Limit(limit) => limit.reason(),
        }
    }
}

fn of_signature(error: &SignatureError) -> Reason {
    match error {
        SignatureError::TagList(TagListError::TooMany { .. }) => Reason::LimitTags,
        SignatureError::TooManyItems { .. } => Reason::LimitItems,
        SignatureError::TagList(TagListError::Duplicate { .. }) => Reason::DuplicateTag,
        SignatureError::MissingTag(_) | SignatureError::TagList(TagListError::Empty) => {
            Reason::MissingTag
        }
        SignatureError::Version(_) => Reason::Version,
        SignatureError::UnknownAlgorithm(_) => Reason::BadAlgorithm,
        SignatureError::UnknownCanonicalization(_) => Reason::BadCanonicalization,
        SignatureError::UnknownQueryMethod(_) => Reason::BadQueryMethod,
        SignatureError::FromNotSigned => Reason::FromNotSigned,
        SignatureError::DomainMismatch => Reason::DomainMismatch,
        _ => Reason::Syntax,
    }
}

fn of_key_record(error: &KeyRecordError) -> Reason {
    match error {
        KeyRecordError::TooLong { .. } => Reason::LimitKeyRecord,
        KeyRecordError::Version(_) => Reason::KeyVersion,
        KeyRecordError::UnknownKeyType(_) => Reason::KeyType,
        KeyRecordError::Key { source, .. } => of_public_key(source),
        _ => Reason::KeySyntax,
    }
}

fn of_public_key(error: &PublicKeyError) -> Reason {
    match error {
        PublicKeyError::TooSmall { .. } => Reason::KeyWeak,
        PublicKeyError::Malformed(_)
        | PublicKeyError::OtherAlgorithm
        | PublicKeyError::Wrapped
        | PublicKeyError::Length { .. } => Reason::KeySyntax,
        _ => Reason::KeyUnusable,
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pass => f.write_str("the signature is valid"),
            Self::Signature(error) => write!(f, "invalid DKIM-Signature: {error}"),
            Self::NoFrom => f.write_str("the message has no From field"),
            Self::KeyMissing(error) => write!(f, "no key record: {error}"),
            Self::KeyUnavailable(Some(error)) => write!(f, "key record unavailable: {error}"),
            Self::KeyUnavailable(None) => f.write_str("key record unavailable: no answer yet"),
            Self::KeyRecord(error) => write!(f, "invalid key record: {error}"),
            Self::KeyService => f.write_str("the key is not for electronic mail"),
            Self::KeyHash(algorithm) => write!(f, "the key does not allow {}", algorithm.hash()),
            Self::KeyRevoked => f.write_str("the key was revoked"),
            Self::KeyType { algorithm, key_type } => {
                write!(f, "a key of type {key_type} does not serve {algorithm}")
            }
            Self::KeyUnusable(error) => write!(f, "unusable key: {error}"),
            Self::Unsupported(algorithm) => write!(f, "{algorithm} is not supported"),
            Self::StrictDomain => f.write_str("the key allows no i= in a subdomain of d= (t=s)"),
            Self::BodyTooShort { signed, body } => {
                // What does not fit is read as the largest number that does.
                let more = if *signed == u64::MAX { " or more" } else { "" };
                write!(
                    f,
                    "{signed}{more} octets of body are signed and it has only {body} in canonical form"
                )
            }
            Self::BodyHashMismatch => f.write_str("the body was changed since it was signed"),
            Self::SignatureMismatch => {
                f.write_str("a signed header field was changed, or another key signed")
            }
            Self::Refused(deviation) => deviation.fmt(f),
            Self::Limit(limit) => limit.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use dkim_message::{Defect, DefectKind};
    use dkim_tags::InvalidName;

    use super::*;

    /// Every way an outcome can go, and its row.
    #[test]
    fn the_whole_table() {
        let mut untold: Vec<_> = Reason::ALL.iter().map(|reason| reason.code()).collect();
        let syntax = TagListError::Syntax { offset: 0, found: None };
        let duplicate = TagListError::Duplicate { name: "d".to_owned(), offset: 0 };
        let text = String::new;
        let defect = Defect { kind: DefectKind::Nul, offset: 0 };
        let a = SigningAlgorithm::RSA_SHA256;
        let key = |source| KeyRecordError::Key { key_type: KeyType::Rsa, source };
        let short = PublicKeyError::TooSmall { bits: 1023, minimum: 1024 };
        for (outcome, row) in [
            (Outcome::Pass, "pass ok"),
            (Outcome::Signature(TagListError::Empty.into()), "permerror missing-tag"),
            (Outcome::Signature(syntax.clone().into()), "permerror syntax"),
            (
                Outcome::Signature(
                    TagListError::Octet { name: text(), offset: 0, found: 1 }.into(),
                ),
                "permerror syntax",
            ),
            (Outcome::Signature(duplicate.into()), "permerror duplicate-tag"),
            (
                Outcome::Signature(TagListError::Encoding { name: text() }.into()),
                "permerror syntax",
            ),
            (Outcome::Signature(TagListError::TooMany { limit: 256 }.into()), "policy limit-tags"),
            (
                Outcome::Signature(SignatureError::TooManyItems { tag: "z", limit: 1000 }),
                "policy limit-items",
            ),
            (Outcome::Signature(SignatureError::MissingTag("b")), "permerror missing-tag"),
            (Outcome::Signature(SignatureError::Version(text())), "permerror version"),
            (Outcome::Signature(SignatureError::Invalid("b")), "permerror syntax"),
            (
                Outcome::Signature(SignatureError::Name { tag: "d", source: InvalidName::Label }),
                "permerror syntax",
            ),
            (
                Outcome::Signature(SignatureError::UnknownAlgorithm(text())),
                "permerror bad-algorithm",
            ),
            (
                Outcome::Signature(SignatureError::UnknownCanonicalization(text())),
                "permerror bad-canonicalization",
            ),
            (
                Outcome::Signature(SignatureError::UnknownQueryMethod(text())),
                "permerror bad-query-method",
            ),
            (Outcome::Signature(SignatureError::FromNotSigned), "permerror from-not-signed"),
            (Outcome::Signature(SignatureError::DomainMismatch), "permerror domain-mismatch"),
            (Outcome::Signature(SignatureError::ExpirationNotAfterTimestamp), "permerror syntax"),
            (Outcome::NoFrom, "permerror from-missing"),
            (Outcome::KeyMissing(LookupError::NoSuchName), "permerror key-missing"),
            (Outcome::KeyUnavailable(None), "temperror key-unavailable"),
            (Outcome::KeyUnavailable(Some(LookupError::Timeout)), "temperror key-unavailable"),
            (Outcome::KeyRecord(KeyRecordError::TooLong { limit: 1 }), "policy limit-key-record"),
            (Outcome::KeyRecord(KeyRecordError::NotAscii), "permerror key-syntax"),
            (Outcome::KeyRecord(syntax.into()), "permerror key-syntax"),
            (Outcome::KeyRecord(KeyRecordError::Version(text())), "permerror key-version"),
            (Outcome::KeyRecord(KeyRecordError::VersionNotFirst), "permerror key-syntax"),
            (Outcome::KeyRecord(KeyRecordError::MissingKey), "permerror key-syntax"),
            (Outcome::KeyRecord(KeyRecordError::UnknownKeyType(text())), "permerror key-type"),
            (Outcome::KeyRecord(KeyRecordError::Invalid("k")), "permerror key-syntax"),
            (Outcome::KeyRecord(key(PublicKeyError::Wrapped)), "permerror key-syntax"),
            (Outcome::KeyRecord(key(PublicKeyError::Exponent)), "permerror key-unusable"),
            (
                Outcome::KeyRecord(key(PublicKeyError::TooLarge { bits: 8193 })),
                "permerror key-unusable",
            ),
            (Outcome::KeyRecord(key(PublicKeyError::SmallOrder)), "permerror key-unusable"),
            (Outcome::KeyUnusable(short), "policy key-weak"),
            (Outcome::KeyService, "permerror key-service"),
            (Outcome::KeyHash(a), "permerror key-hash"),
            (Outcome::KeyRevoked, "permerror key-revoked"),
            (Outcome::KeyType { algorithm: a, key_type: KeyType::Ed25519 }, "permerror key-type"),
            (Outcome::Unsupported(a), "neutral unsupported-algorithm"),
            (Outcome::StrictDomain, "permerror strict-domain"),
            (Outcome::BodyTooShort { signed: 2, body: 1 }, "permerror l-too-long"),
            (Outcome::BodyHashMismatch, "fail body-hash-mismatch"),
            (Outcome::SignatureMismatch, "fail signature-mismatch"),
            (Outcome::Refused(Deviation::Sha1), "policy weak-algorithm"),
            (Outcome::Refused(Deviation::ShortKey { bits: 1023 }), "policy key-weak"),
            (Outcome::Refused(Deviation::ShortKey { bits: 1024 }), "policy short-key"),
            (
                Outcome::Refused(Deviation::BodyNotFullySigned { signed: 1, seen: 2 }),
                "policy body-not-fully-signed",
            ),
            (Outcome::Refused(Deviation::MultipleFrom), "policy multiple-from"),
            (Outcome::Refused(Deviation::MalformedHeader(defect)), "permerror malformed-header"),
            (
                Outcome::Refused(Deviation::UnsignedDuplicate("Subject")),
                "policy unsigned-duplicate",
            ),
            (Outcome::Refused(Deviation::SingleLabelDomain), "policy single-label-domain"),
            (Outcome::Refused(Deviation::UnacceptableDomain), "policy unacceptable-domain"),
            (Outcome::Refused(Deviation::Expired), "fail expired"),
            (Outcome::Refused(Deviation::Future), "policy future"),
            (Outcome::Refused(Deviation::SeveralKeyRecords), "policy several-key-records"),
            (Outcome::Refused(Deviation::KeyWithoutVersion), "policy key-without-version"),
            (Outcome::Refused(Deviation::Testing), "policy testing"),
            (Outcome::Limit(Limit::Signatures), "policy limit-signatures"),
            (Outcome::Limit(Limit::Queries), "policy limit-queries"),
            (Outcome::Limit(Limit::Header), "policy limit-header"),
            (Outcome::Limit(Limit::SignedFields), "policy limit-signed-fields"),
            (Outcome::Limit(Limit::BodyHashes), "policy limit-body-hashes"),
            (Outcome::Limit(Limit::KeyRecords), "policy limit-key-records"),
            (Outcome::Limit(Limit::CnameHops), "policy limit-cname-hops"),
        ] {
            untold.retain(|code| *code != outcome.reason().code());
            assert!(outcome.to_string().len() > 10, "{outcome:?} is put in words");
            assert_eq!(format!("{} {}", outcome.result(), outcome.reason()), row, "{outcome:?}");
        }
        assert_eq!(untold, [""; 0], "reasons that no outcome gives");
    }
}
