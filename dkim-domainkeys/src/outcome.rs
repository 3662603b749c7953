//! What became of a signature, and which row of the table of reasons that is.

use std::fmt;

use dkim_authres::DkimResult;
use dkim_crypto::{KeyType, PublicKeyError};
use dkim_dns::LookupError;
use dkim_keyrec::KeyRecordError;
use dkim_tags::{DomainName, TagListError};

use crate::{Deviation, Limit, Reason, SenderError, SenderField, SignatureError};

/// What became of a signature.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// It verified, and the policy accepts it.
    Pass,
    /// The DomainKey-Signature field is invalid (RFC 4870 §3.7.3).
    Signature(SignatureError),
    /// The sender of the message cannot be told (RFC 4870 §3.7.3, rule 1).
    Sender(SenderError),
    /// `d=` is neither the sending domain nor a parent of it (RFC 4870 §3.7.3, rule 2).
    DomainMismatch {
        /// The domain of the sending address.
        sending_domain: DomainName,
    },
    /// The field that names the sender is not signed (RFC 4870 §3.7.3, rule 3).
    SenderNotSigned(SenderField),
    /// There is no key record (RFC 4870 §3.7.4, step 3).
    KeyMissing(LookupError),
    /// The key record could not be had now; `None` when no answer was given to the verifier
    /// (RFC 4870 §3.7.4, step 2).
    KeyUnavailable(Option<LookupError>),
    /// What stands at the key's name is no usable key record (RFC 4870 §3.7.4, step 4).
    KeyRecord(KeyRecordError),
    /// The key was revoked (RFC 4870 §3.2.3 `p=`).
    KeyRevoked,
    /// The key is not an RSA key (RFC 4870 §3.7.4, step 5).
    KeyType(KeyType),
    /// The key is for another local-part than the sender's (RFC 4870 §3.2.3 `g=`).
    KeyGranularity(String),
    /// The cryptographic library has no SHA-1.
    Unsupported,
    /// The signature is not one of this key over this message.
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

    /// Its row in the table of reasons: "the exact reason why the verification fails" (RFC 4870
    /// §3.7.2), as [`Display`](fmt::Display) tells it with its particulars.
    #[must_use]
    pub fn reason(&self) -> Reason {
        match self {
            Self::Pass => Reason::Ok,
            Self::Signature(error) => of_signature(error),
            Self::Sender(error) => of_sender(error),
            Self::DomainMismatch { .. } => Reason::DomainMismatch,
            Self::SenderNotSigned(_) => Reason::SenderNotSigned,
            Self::KeyMissing(_) => Reason::KeyMissing,
            Self::KeyUnavailable(_) => Reason::KeyUnavailable,
            Self::KeyRecord(error) => of_key_record(error),
            Self::KeyRevoked => Reason::KeyRevoked,
            Self::KeyType(_) => Reason::KeyType,
            Self::KeyGranularity(_) => Reason::KeyGranularity,
            Self::Unsupported => Reason::UnsupportedAlgorithm,
            Self::SignatureMismatch => Reason::SignatureMismatch,
            Self::Refused(deviation) => deviation.reason(),
            Self::Limit(limit) => limit.reason(),
        }
    }
}

fn of_signature(error: &SignatureError) -> Reason {
    match error {
        SignatureError::TagList(TagListError::TooMany { .. }) => Reason::LimitTags,
        SignatureError::TooManyFields { .. } => Reason::LimitSignedFields,
        SignatureError::TagList(TagListError::Duplicate { .. }) => Reason::DuplicateTag,
        SignatureError::MissingTag(_) | SignatureError::TagList(TagListError::Empty) => {
            Reason::MissingTag
        }
        SignatureError::UnknownAlgorithm(_) => Reason::BadAlgorithm,
        SignatureError::UnknownCanonicalization(_) => Reason::BadCanonicalization,
        SignatureError::UnknownQueryMethod(_) => Reason::BadQueryMethod,
        _ => Reason::Syntax,
    }
}

fn of_sender(error: &SenderError) -> Reason {
    match error {
        SenderError::NoFrom => Reason::FromMissing,
        SenderError::Several(SenderField::From) => Reason::MultipleFrom,
        SenderError::Several(SenderField::Sender) => Reason::MultipleSender,
        _ => Reason::SenderSyntax,
    }
}

fn of_key_record(error: &KeyRecordError) -> Reason {
    match error {
        KeyRecordError::TooLong { .. } => Reason::LimitKeyRecord,
        KeyRecordError::Version(_) => Reason::KeyVersion,
        KeyRecordError::UnknownKeyType(_) => Reason::KeyType,
        KeyRecordError::Key { source, .. } => match source {
            PublicKeyError::TooSmall { .. } => Reason::KeyWeak,
            PublicKeyError::Malformed(_)
            | PublicKeyError::OtherAlgorithm
            | PublicKeyError::Wrapped
            | PublicKeyError::Length { .. } => Reason::KeySyntax,
            _ => Reason::KeyUnusable,
        },
        _ => Reason::KeySyntax,
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pass => f.write_str("the signature is valid"),
            Self::Signature(error) => write!(f, "invalid DomainKey-Signature: {error}"),
            Self::Sender(error) => error.fmt(f),
            Self::DomainMismatch { sending_domain } => {
                write!(f, "the sending domain {sending_domain} is not within d=")
            }
            Self::SenderNotSigned(field) => {
                write!(f, "the {} field, which names the sender, is not signed", field.name())
            }
            Self::KeyMissing(error) => write!(f, "no key record: {error}"),
            Self::KeyUnavailable(Some(error)) => write!(f, "key record unavailable: {error}"),
            Self::KeyUnavailable(None) => f.write_str("key record unavailable: no answer yet"),
            Self::KeyRecord(error) => write!(f, "invalid key record: {error}"),
            Self::KeyRevoked => f.write_str("the key was revoked"),
            Self::KeyType(key_type) => {
                write!(f, "a key of type {key_type} does not serve rsa-sha1")
            }
            Self::KeyGranularity(granularity) => {
                write!(f, "the key is for the local-part {granularity:?} only")
            }
            Self::Unsupported => f.write_str("rsa-sha1 is not supported"),
            Self::SignatureMismatch => {
                f.write_str("header or body was changed, or another key signed")
            }
            Self::Refused(deviation) => deviation.fmt(f),
            Self::Limit(limit) => f.write_str(limit.reason().cause()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use dkim_message::{AddressError, Defect, DefectKind};

    use super::*;

    /// Every way an outcome can go, and its row.
    #[test]
    fn the_whole_table() {
        let mut untold: Vec<_> = Reason::ALL.iter().map(|reason| reason.code()).collect();
        let text = String::new;
        let sending_domain = DomainName::parse("example.com").expect("a name");
        let defect = Defect { kind: DefectKind::Nul, offset: 0 };
        let duplicate = TagListError::Duplicate { name: text(), offset: 0 };
        let key = |source| KeyRecordError::Key { key_type: KeyType::Rsa, source };
        let field = SenderField::From;
        let source = AddressError::TooMany;
        for (outcome, row) in [
            (Outcome::Pass, "pass, good: ok"),
            (Outcome::SignatureMismatch, "fail, bad: signature-mismatch"),
            (
                Outcome::Signature(TagListError::Syntax { offset: 0, found: None }.into()),
                "permerror, bad format: syntax",
            ),
            (Outcome::Signature(SignatureError::TagName(text())), "permerror, bad format: syntax"),
            (Outcome::Signature(duplicate.into()), "permerror, bad format: duplicate-tag"),
            (Outcome::Signature(TagListError::Empty.into()), "permerror, bad format: missing-tag"),
            (
                Outcome::Signature(SignatureError::UnknownAlgorithm(text())),
                "permerror, bad format: bad-algorithm",
            ),
            (
                Outcome::Signature(SignatureError::UnknownCanonicalization(text())),
                "permerror, bad format: bad-canonicalization",
            ),
            (
                Outcome::Signature(SignatureError::UnknownQueryMethod(text())),
                "permerror, bad format: bad-query-method",
            ),
            (
                Outcome::Signature(TagListError::TooMany { limit: 256 }.into()),
                "policy, bad format: limit-tags",
            ),
            (
                Outcome::Signature(SignatureError::TooManyFields { limit: 1000 }),
                "policy, bad format: limit-signed-fields",
            ),
            (Outcome::Sender(SenderError::NoFrom), "permerror, bad: from-missing"),
            (Outcome::Sender(SenderError::Several(field)), "policy, bad: multiple-from"),
            (
                Outcome::Sender(SenderError::Several(SenderField::Sender)),
                "policy, bad: multiple-sender",
            ),
            (
                Outcome::Sender(SenderError::Syntax { field, source }),
                "permerror, bad: sender-syntax",
            ),
            (Outcome::Sender(SenderError::NoDomain(field)), "permerror, bad: sender-syntax"),
            (Outcome::DomainMismatch { sending_domain }, "permerror, bad: domain-mismatch"),
            (Outcome::SenderNotSigned(field), "permerror, bad: sender-not-signed"),
            (Outcome::KeyMissing(LookupError::NoSuchName), "permerror, no key: key-missing"),
            (Outcome::KeyUnavailable(None), "temperror, no key: key-unavailable"),
            (
                Outcome::KeyUnavailable(Some(LookupError::Timeout)),
                "temperror, no key: key-unavailable",
            ),
            (Outcome::KeyRecord(KeyRecordError::MissingKey), "permerror, bad format: key-syntax"),
            (
                Outcome::KeyRecord(KeyRecordError::Version(text())),
                "permerror, bad format: key-version",
            ),
            (
                Outcome::KeyRecord(KeyRecordError::TooLong { limit: 1 }),
                "policy, bad format: limit-key-record",
            ),
            (
                Outcome::KeyRecord(KeyRecordError::UnknownKeyType(text())),
                "permerror, bad: key-type",
            ),
            (Outcome::KeyRecord(key(PublicKeyError::Wrapped)), "permerror, bad format: key-syntax"),
            (
                Outcome::KeyRecord(key(PublicKeyError::Exponent)),
                "permerror, bad format: key-unusable",
            ),
            (Outcome::KeyRevoked, "permerror, revoked: key-revoked"),
            (Outcome::KeyType(KeyType::Ed25519), "permerror, bad: key-type"),
            (Outcome::KeyGranularity(text()), "permerror, bad: key-granularity"),
            (Outcome::Unsupported, "neutral, bad: unsupported-algorithm"),
            (Outcome::Refused(Deviation::Sha1), "policy, bad: weak-algorithm"),
            (Outcome::Refused(Deviation::ShortKey { bits: 1023 }), "policy, bad: key-weak"),
            (Outcome::Refused(Deviation::ShortKey { bits: 1024 }), "policy, bad: short-key"),
            (
                Outcome::Refused(Deviation::MalformedHeader(defect)),
                "permerror, bad: malformed-header",
            ),
            (Outcome::Refused(Deviation::SingleLabelDomain), "policy, bad: single-label-domain"),
            (Outcome::Refused(Deviation::UnacceptableDomain), "policy, bad: unacceptable-domain"),
            (Outcome::Refused(Deviation::Testing), "policy, bad: testing"),
            (Outcome::Limit(Limit::Signatures), "policy, bad: limit-signatures"),
            (Outcome::Limit(Limit::Header), "policy, bad: limit-header"),
            (Outcome::Limit(Limit::KeyRecords), "policy, bad: limit-key-records"),
            (Outcome::Limit(Limit::CnameHops), "policy, no key: limit-cname-hops"),
        ] {
            let reason = outcome.reason();
            untold.retain(|code| *code != reason.code());
            assert!(outcome.to_string().len() > 10, "{outcome:?} is put in words");
            let told = format!("{}, {}: {reason}", outcome.result(), reason.status());
            assert_eq!(told, row, "{outcome:?}");
        }
        assert_eq!(untold, [""; 0], "reasons that no outcome gives");
    }

    #[test]
    fn codes_are_told_apart_and_texts_are_texts() {
        let codes: BTreeSet<_> = Reason::ALL.iter().map(|reason| reason.code()).collect();
        assert_eq!(codes.len(), Reason::ALL.len());
        // RFC 4870 §3.8; the two others are of messages without a signature.
        let statuses = ["good", "bad", "no key", "revoked", "bad format"];
        for reason in Reason::ALL {
            assert!(reason.code().bytes().all(|b| b.is_ascii_lowercase() || b == b'-'), "{reason}");
            assert!(statuses.contains(&reason.status()), "{reason}");
            for text in [reason.cause(), reason.remedy()] {
                assert!(!text.is_empty() && !text.ends_with('.') && !text.contains("  "), "{text}");
            }
        }
    }
}
