//! What became of a signature, and THE table from there to the words of RFC 8601.

use std::fmt;

use dkim_authres::DkimResult;
use dkim_crypto::{KeyType, PublicKeyError, SigningAlgorithm};
use dkim_dns::LookupError;
use dkim_keyrec::KeyRecordError;
use dkim_message::Defect;
use dkim_tags::{SignatureError, TagListError};

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

/// Something about a signature that a policy may accept or refuse.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Deviation {
    /// `a=rsa-sha1` (RFC 8301 §3.1).
    Sha1,
    /// An RSA key of fewer than 2048 bits, which RFC 8301 §3.2 tells signers to use; or one below
    /// the policy's minimum.
    ShortKey {
        /// Its length in bits.
        bits: u32,
    },
    /// `l=` leaves octets of the body unsigned (RFC 6376 §8.2).
    BodyNotFullySigned {
        /// Octets of the canonical body that are signed.
        signed: u64,
        /// Octets of the canonical body that were seen.
        seen: u64,
    },
    /// There is more than one From field (RFC 6376 §8.15).
    MultipleFrom,
    /// The header is not one by RFC 5322.
    MalformedHeader(Defect),
    /// A field that may stand once only stands there more often than it is signed
    /// (RFC 6376 §8.15).
    UnsignedDuplicate(&'static str),
    /// `d=` has one label only (RFC 6376 §6.1.1).
    SingleLabelDomain,
    /// `x=` has passed (RFC 6376 §3.5 `x=`).
    Expired,
    /// `t=` is in the future (RFC 6376 §3.5 `t=`).
    Future,
    /// Several records stand at the key's name (RFC 6376 §3.6.2.2: "the results are undefined").
    SeveralKeyRecords,
    /// The key record does not say `v=DKIM1` (RFC 6376 §3.6.1: RECOMMENDED).
    KeyWithoutVersion,
    /// The key says `t=y`: the domain is testing DKIM (RFC 6376 §3.6.1).
    Testing,
}

/// A limit of [`Limits`](crate::Limits), exceeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Limit {
    /// Signatures judged.
    Signatures,
    /// Questions to the DNS.
    Queries,
    /// Octets of header.
    Header,
    /// Tags in the DKIM-Signature field.
    Tags,
    /// Names in `h=`.
    SignedFields,
    /// Different body hashes.
    BodyHashes,
    /// Octets of a key record.
    KeyRecord,
}

impl Outcome {
    /// The result in RFC 8601's words (§2.7.1).
    #[must_use]
    pub fn result(&self) -> DkimResult {
        self.row().0
    }

    /// A stable code in kebab-case for machines.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        self.row().1
    }

    /// THE table. RFC 6376 §6.1 knows SUCCESS, PERMFAIL and TEMPFAIL; RFC 8601 §2.7.1 tells the
    /// PERMFAILs apart: `fail` for a signature that did not verify, `policy` for one that we do
    /// not accept, `permerror` for one that cannot be judged.
    fn row(&self) -> (DkimResult, &'static str) {
        use DkimResult::{Fail, Neutral, Pass, PermError, Policy, TempError};
        match self {
            Self::Pass => (Pass, "ok"),
            Self::Signature(error) => signature_row(error),
            Self::NoFrom => (PermError, "from-missing"),
            Self::KeyMissing(_) => (PermError, "key-missing"),
            Self::KeyUnavailable(_) => (TempError, "key-unavailable"),
            Self::KeyRecord(error) => key_record_row(error),
            Self::KeyService => (PermError, "key-service"),
            Self::KeyHash(_) => (PermError, "key-hash"),
            Self::KeyRevoked => (PermError, "key-revoked"),
            Self::KeyType { .. } => (PermError, "key-type"),
            Self::KeyUnusable(error) => public_key_row(error),
            Self::Unsupported(_) => (Neutral, "unsupported-algorithm"),
            Self::StrictDomain => (PermError, "strict-domain"),
            Self::BodyTooShort { .. } => (PermError, "l-too-long"),
            Self::BodyHashMismatch => (Fail, "body-hash-mismatch"),
            Self::SignatureMismatch => (Fail, "signature-mismatch"),
            Self::Refused(deviation) => match deviation {
                Deviation::Sha1 => (Policy, "weak-algorithm"),
                Deviation::ShortKey { .. } => (Policy, "key-weak"),
                Deviation::MultipleFrom => (Policy, "multiple-from"),
                Deviation::MalformedHeader(_) => (PermError, "malformed-header"),
                Deviation::Expired => (Fail, "expired"),
                Deviation::Future => (Policy, "future"),
                Deviation::BodyNotFullySigned { .. }
                | Deviation::UnsignedDuplicate(_)
                | Deviation::SingleLabelDomain
                | Deviation::SeveralKeyRecords
                | Deviation::KeyWithoutVersion
                | Deviation::Testing => (Policy, deviation.code()),
            },
            Self::Limit(limit) => (Policy, limit.code()),
        }
    }
}

fn signature_row(error: &SignatureError) -> (DkimResult, &'static str) {
    use DkimResult::{PermError, Policy};
    match error {
        SignatureError::TagList(TagListError::TooMany { .. }) => (Policy, Limit::Tags.code()),
        SignatureError::TagList(TagListError::Duplicate { .. }) => (PermError, "duplicate-tag"),
        SignatureError::MissingTag(_) | SignatureError::TagList(TagListError::Empty) => {
            (PermError, "missing-tag")
        }
        SignatureError::Version(_) => (PermError, "version"),
        SignatureError::UnknownAlgorithm(_) => (PermError, "bad-algorithm"),
        SignatureError::UnknownCanonicalization(_) => (PermError, "bad-canonicalization"),
        SignatureError::UnknownQueryMethod(_) => (PermError, "bad-query-method"),
        SignatureError::FromNotSigned => (PermError, "from-not-signed"),
        SignatureError::DomainMismatch => (PermError, "domain-mismatch"),
        _ => (PermError, "syntax"),
    }
}

fn key_record_row(error: &KeyRecordError) -> (DkimResult, &'static str) {
    use DkimResult::{PermError, Policy};
    match error {
        KeyRecordError::TooLong { .. } => (Policy, Limit::KeyRecord.code()),
        KeyRecordError::Version(_) => (PermError, "key-version"),
        KeyRecordError::UnknownKeyType(_) => (PermError, "key-type"),
        KeyRecordError::Key { source, .. } => public_key_row(source),
        _ => (PermError, "key-syntax"),
    }
}

fn public_key_row(error: &PublicKeyError) -> (DkimResult, &'static str) {
    match error {
        PublicKeyError::TooSmall { .. } => (DkimResult::Policy, "key-weak"),
        _ => (DkimResult::PermError, "key-syntax"),
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
            Self::BodyTooShort { signed, body } => write!(
                f,
                "{signed} octets of body are signed and it has only {body} in canonical form"
            ),
            Self::BodyHashMismatch => f.write_str("the body was changed since it was signed"),
            Self::SignatureMismatch => {
                f.write_str("a signed header field was changed, or another key signed")
            }
            Self::Refused(deviation) => deviation.fmt(f),
            Self::Limit(limit) => limit.fmt(f),
        }
    }
}

impl Deviation {
    /// A stable code in kebab-case for machines.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Sha1 => "sha1",
            Self::ShortKey { .. } => "short-key",
            Self::BodyNotFullySigned { .. } => "body-not-fully-signed",
            Self::MultipleFrom => "multiple-from",
            Self::MalformedHeader(_) => "malformed-header",
            Self::UnsignedDuplicate(_) => "unsigned-duplicate",
            Self::SingleLabelDomain => "single-label-domain",
            Self::Expired => "expired",
            Self::Future => "future",
            Self::SeveralKeyRecords => "several-key-records",
            Self::KeyWithoutVersion => "key-without-version",
            Self::Testing => "testing",
        }
    }
}

impl fmt::Display for Deviation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sha1 => f.write_str("signed with SHA-1, which no longer protects anything"),
            Self::ShortKey { bits } => write!(f, "an RSA key of only {bits} bits"),
            Self::BodyNotFullySigned { signed, seen } => {
                write!(
                    f,
                    "only the first {signed} octets of the body are signed, of {seen} or more"
                )
            }
            Self::MultipleFrom => f.write_str("more than one From field"),
            Self::MalformedHeader(defect) => {
                write!(f, "malformed header: {} at octet {}", defect.kind, defect.offset)
            }
            Self::UnsignedDuplicate(name) => {
                write!(f, "a second {name} field that is not signed")
            }
            Self::SingleLabelDomain => f.write_str("d= is a top-level domain"),
            Self::Expired => f.write_str("the signature has expired"),
            Self::Future => f.write_str("the signature is from the future"),
            Self::SeveralKeyRecords => f.write_str("several records at the key's name"),
            Self::KeyWithoutVersion => f.write_str("the key record has no v=DKIM1"),
            Self::Testing => f.write_str("the domain is testing DKIM (t=y)"),
        }
    }
}

impl Limit {
    /// A stable code in kebab-case for machines.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Signatures => "limit-signatures",
            Self::Queries => "limit-queries",
            Self::Header => "limit-header",
            Self::Tags => "limit-tags",
            Self::SignedFields => "limit-signed-fields",
            Self::BodyHashes => "limit-body-hashes",
            Self::KeyRecord => "limit-key-record",
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Signatures => "more signatures in the message than are judged",
            Self::Queries => "more questions to the DNS than are asked for one message",
            Self::Header => "the header is longer than is judged",
            Self::Tags => "more tags than are read",
            Self::SignedFields => "more names in h= than are looked for",
            Self::BodyHashes => "more different body hashes than are computed for one message",
            Self::KeyRecord => "the key record is longer than is read",
        })
    }
}
