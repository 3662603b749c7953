//! What to do about a signature that is right but not as it should be, and how much work is done.

use std::fmt;

use dkim_crypto::PublicKey;
use dkim_message::Defect;
use dkim_tags::DomainName;

use crate::Reason;

/// What to do about a [`Deviation`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Treatment {
    /// The signature may still pass; the deviation is reported beside the result.
    Accept,
    /// The signature does not pass, even if it verifies.
    Refuse,
}

/// How a verifier judges.
///
/// By default no DomainKeys signature passes: `rsa-sha1` is the only algorithm there is, and RFC
/// 8301 §3.1 forbids it. Who looks at archives says so:
///
/// ```
/// use dkim_domainkeys::{Policy, Treatment};
///
/// let mut policy = Policy::default();
/// policy.sha1 = Treatment::Accept;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Policy {
    /// `a=rsa-sha1`, thus every signature: `policy`, reason `weak-algorithm`, before any question
    /// is asked and any octet hashed. Refused by default.
    pub sha1: Treatment,
    /// The shortest RSA key that may verify, in bits: below it `policy`, reason `short-key`; below
    /// 1024, under any policy, reason `key-weak` (RFC 8301 §3.2 against RFC 4870 §3.2.3, which has
    /// verifiers support 512). 1024 by default.
    pub min_rsa_bits: u32,
    /// A header with a bare CR, a bare LF, a NUL or a line that is no field: `permerror`, reason
    /// `malformed-header`. Refused by default: readers disagree about what it says.
    pub malformed_header: Treatment,
    /// `d=` with one label only, which would be the parent of every address below it: `policy`,
    /// reason `single-label-domain`. Refused by default.
    pub single_label_domain: Treatment,
    /// Domains that sign for nobody, such as `co.uk`: `policy`, reason `unacceptable-domain`.
    /// Empty by default.
    pub unacceptable_domains: Vec<DomainName>,
    /// A key that says `t=y`: `policy`, reason `testing`. Accepted by default and told beside the
    /// result: mail that does not verify must then not be treated otherwise than mail that does
    /// (RFC 4870 §3.2.3 `t=`).
    pub testing: Treatment,
    /// How much work a message may cause.
    pub limits: Limits,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            sha1: Treatment::Refuse,
            min_rsa_bits: PublicKey::MIN_RSA_BITS,
            malformed_header: Treatment::Refuse,
            single_label_domain: Treatment::Refuse,
            unacceptable_domains: Vec::new(),
            testing: Treatment::Accept,
            limits: Limits::default(),
        }
    }
}

/// Something about a signature that a policy may accept or refuse.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Deviation {
    /// `a=rsa-sha1` (RFC 8301 §3.1).
    Sha1,
    /// An RSA key of fewer than 2048 bits, or below the policy's minimum.
    ShortKey {
        /// Its length in bits.
        bits: u32,
    },
    /// The header has octets or lines that RFC 5322 does not know.
    MalformedHeader(Defect),
    /// `d=` has one label only.
    SingleLabelDomain,
    /// `d=` is on the policy's list of domains that sign for nobody.
    UnacceptableDomain,
    /// The key says `t=y`.
    Testing,
}

impl Deviation {
    /// Its row in the table of reasons.
    #[must_use]
    pub fn reason(&self) -> Reason {
        match self {
            Self::Sha1 => Reason::WeakAlgorithm,
            Self::ShortKey { bits } if *bits < PublicKey::MIN_RSA_BITS => Reason::KeyWeak,
            Self::ShortKey { .. } => Reason::ShortKey,
            Self::MalformedHeader(_) => Reason::MalformedHeader,
            Self::SingleLabelDomain => Reason::SingleLabelDomain,
            Self::UnacceptableDomain => Reason::UnacceptableDomain,
            Self::Testing => Reason::Testing,
        }
    }

    /// A stable code in kebab-case for machines.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            // However short; that no policy accepts it is another matter.
            Self::ShortKey { .. } => Reason::ShortKey.code(),
            other => other.reason().code(),
        }
    }
}

impl fmt::Display for Deviation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sha1 => f.write_str("signed with SHA-1, which no longer protects anything"),
            Self::ShortKey { bits } => write!(f, "an RSA key of only {bits} bits"),
            Self::MalformedHeader(defect) => defect.fmt(f),
            Self::SingleLabelDomain => f.write_str("d= is a top-level domain"),
            Self::UnacceptableDomain => f.write_str("d= is a domain that signs for nobody"),
            Self::Testing => f.write_str("the domain is testing DomainKeys (t=y)"),
        }
    }
}

/// How much work a message may cause. What exceeds a limit is `policy` with a reason of its own,
/// before the work is done; every signature is still listed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// DomainKey-Signature fields listed. Of more, the lower ones are not looked at at all, and
    /// [`Verifier::unlisted`](crate::Verifier::unlisted) counts them.
    pub listed: usize,
    /// Signatures judged, each of which has a hash of its own; of more, the lower ones are
    /// `limit-signatures`. Invalid ones do not count. Each asks at most one question.
    pub signatures: usize,
    /// Octets of header; in a longer one every signature is `limit-header`.
    pub header_octets: usize,
    /// Key records tried when several stand at one name; a signature that none of them verifies,
    /// while others were not tried, is `limit-key-records`. A record over 16 KiB is never tried.
    pub key_records: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { listed: 10_000, signatures: 4, header_octets: 1024 * 1024, key_records: 3 }
    }
}

/// A limit, exceeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Limit {
    /// Signatures judged.
    Signatures,
    /// Octets of header.
    Header,
    /// Tags in the DomainKey-Signature field.
    Tags,
    /// Names in `h=`.
    SignedFields,
    /// Octets of a key record.
    KeyRecord,
    /// Key records at one name.
    KeyRecords,
    /// CNAME records in a row.
    CnameHops,
}

impl Limit {
    /// Its row in the table of reasons.
    #[must_use]
    pub fn reason(self) -> Reason {
        match self {
            Self::Signatures => Reason::LimitSignatures,
            Self::Header => Reason::LimitHeader,
            Self::Tags => Reason::LimitTags,
            Self::SignedFields => Reason::LimitSignedFields,
            Self::KeyRecord => Reason::LimitKeyRecord,
            Self::KeyRecords => Reason::LimitKeyRecords,
            Self::CnameHops => Reason::LimitCnameHops,
        }
    }
}
