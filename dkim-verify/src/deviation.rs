//! What is not as it should be about a signature that may be right all the same.

use std::fmt;

use dkim_crypto::PublicKey;
use dkim_message::Defect;

use crate::Reason;

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
        /// Octets of the canonical body, as far as it was handed over.
        seen: u64,
    },
    /// There is more than one From field (RFC 6376 §8.15).
    MultipleFrom,
    /// The header has a bare CR or LF, a NUL or a line that is no field: obsolete in RFC 5322 (§4) or no
    /// syntax at all, and readers disagree about what it says.
    MalformedHeader(Defect),
    /// A field that may stand once only stands there more often than it is signed
    /// (RFC 6376 §8.15).
    UnsignedDuplicate(&'static str),
    /// `d=` has one label only (RFC 6376 §6.1.1).
    SingleLabelDomain,
    /// `d=` is on the policy's list of domains that sign for nobody (RFC 6376 §6.1.1).
    UnacceptableDomain,
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

impl Deviation {
    /// The reasons that are deviations too: of a signature that passes they say what is not as it
    /// should be.
    pub const REASONS: &'static [Reason] = &[
        Reason::WeakAlgorithm,
        Reason::ShortKey,
        Reason::BodyNotFullySigned,
        Reason::MultipleFrom,
        Reason::MalformedHeader,
        Reason::UnsignedDuplicate,
        Reason::SingleLabelDomain,
        Reason::UnacceptableDomain,
        Reason::Expired,
        Reason::Future,
        Reason::SeveralKeyRecords,
        Reason::KeyWithoutVersion,
        Reason::Testing,
    ];

    /// Whether it takes from what a pass says: somebody who believes the result, and sees neither key
    /// nor signature, has to be told. A domain that is testing has signed nothing (RFC 6376 §3.6.1
    /// `t=y`), and anybody may have added to a part of the body (`l=`, RFC 6376 §8.2), or put in
    /// another From or a second field of a kind (RFC 6376 §8.15).
    #[must_use]
    pub fn lessens_a_pass(&self) -> bool {
        matches!(
            self,
            Self::Testing
                | Self::BodyNotFullySigned { .. }
                | Self::MultipleFrom
                | Self::UnsignedDuplicate(_)
        )
    }

    /// The reason of a signature that is refused for it.
    #[must_use]
    pub fn reason(&self) -> Reason {
        match self {
            Self::Sha1 => Reason::WeakAlgorithm,
            Self::ShortKey { bits } if *bits < PublicKey::MIN_RSA_BITS => Reason::KeyWeak,
            Self::ShortKey { .. } => Reason::ShortKey,
            Self::BodyNotFullySigned { .. } => Reason::BodyNotFullySigned,
            Self::MultipleFrom => Reason::MultipleFrom,
            Self::MalformedHeader(_) => Reason::MalformedHeader,
            Self::UnsignedDuplicate(_) => Reason::UnsignedDuplicate,
            Self::SingleLabelDomain => Reason::SingleLabelDomain,
            Self::UnacceptableDomain => Reason::UnacceptableDomain,
            Self::Expired => Reason::Expired,
            Self::Future => Reason::Future,
            Self::SeveralKeyRecords => Reason::SeveralKeyRecords,
            Self::KeyWithoutVersion => Reason::KeyWithoutVersion,
            Self::Testing => Reason::Testing,
        }
    }

    /// A stable code in kebab-case for machines: one of [`REASONS`](Self::REASONS).
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
            Self::BodyNotFullySigned { signed, seen } => {
                write!(
                    f,
                    "only the first {signed} octets of the body are signed, of {seen} or more"
                )
            }
            Self::MultipleFrom => f.write_str("more than one From field"),
            Self::MalformedHeader(defect) => defect.fmt(f),
            Self::UnsignedDuplicate(name) => {
                write!(f, "a second {name} field that is not signed")
            }
            Self::SingleLabelDomain => f.write_str("d= is a top-level domain"),
            Self::UnacceptableDomain => f.write_str("d= is a domain that signs for nobody"),
            Self::Expired => f.write_str("the signature has expired"),
            Self::Future => f.write_str("the signature is from the future"),
            Self::SeveralKeyRecords => f.write_str("several records at the key's name"),
            Self::KeyWithoutVersion => f.write_str("the key record has no v=DKIM1"),
            Self::Testing => f.write_str("the domain is testing DKIM (t=y)"),
        }
    }
}
