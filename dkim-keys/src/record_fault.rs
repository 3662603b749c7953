//! What usually goes wrong with a published record, by name.

use std::fmt;

use dkim_crypto::KeyType;
use dkim_keyrec::KeyRecordError;

use crate::Severity::{Error, Note, Warning};
use crate::finding::Row;
use crate::{Finding, Severity};

/// Something wrong with what the DNS says at the name of a key record.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RecordFault {
    /// There is nothing of this name.
    NoRecord,
    /// The name exists and holds no TXT record.
    NoTxt,
    /// The record stands at a name with the domain twice.
    NameDoubled {
        /// Where it stands.
        at: String,
    },
    /// The name is an alias, and where it leads there is no TXT record.
    DanglingAlias {
        /// Where it leads.
        target: String,
    },
    /// Too many aliases one after the other, perhaps in a circle.
    AliasLoop,
    /// The name should be an alias of one that a provider keeps, and is none, or of another.
    NotDelegated {
        /// Where the record stands instead.
        at: String,
        /// Where it should stand.
        target: String,
    },
    /// No answer, for now.
    Unanswered {
        /// Why.
        why: String,
    },
    /// Several TXT records at the name.
    SeveralRecords {
        /// How many.
        count: usize,
    },
    /// Every name below `_domainkey` has a TXT record.
    Wildcard,
    /// The record has quotes in it that were meant to stand around it.
    QuotesInside,
    /// The record has backslashes before its semicolons.
    EscapedSemicolons,
    /// `p=` has the private key.
    PrivateKey,
    /// The record ends after 255 octets, the first string of it.
    CutOff,
    /// The record is no key record.
    Unusable {
        /// What is wrong.
        error: KeyRecordError,
    },
    /// `k=` names another key type than that of the key.
    WrongKeyType {
        /// What it says.
        says: String,
        /// What the key is.
        key: KeyType,
    },
    /// The key is revoked: `p=` is empty.
    Revoked,
    /// The key is not the one of the private key.
    OtherKey,
    /// White space within `p=`.
    SpaceInKey,
    /// The RSA key is so short that its signatures count as none.
    TooShort {
        /// Its length in bits.
        bits: u32,
    },
    /// The RSA key is shorter than it should be.
    Short {
        /// Its length in bits.
        bits: u32,
    },
    /// `h=` leaves out the hash algorithm in use.
    NoSha256,
    /// `s=` leaves mail out.
    NotForEmail,
    /// `t=y`: the domain says that it is testing.
    Testing,
    /// `g=`, which RFC 4871 had.
    Granularity {
        /// Its value.
        value: String,
    },
    /// `v=` is missing.
    NoVersion,
    /// The answer does not fit into the 512 octets of plain DNS over UDP.
    Large {
        /// Octets of the answer.
        octets: usize,
    },
    /// Resolvers may keep the record for very long.
    LongTtl {
        /// In seconds.
        seconds: u64,
    },
    /// The answer's DNSSEC signatures do not hold.
    Bogus,
    /// A message signed with the private key does not verify with what is published.
    LoopBack {
        /// What became of it.
        outcome: String,
    },
}

impl RecordFault {
    /// THE table.
    pub(crate) const fn row(&self) -> Row {
        const fn row(
            code: &'static str,
            severity: Severity,
            reference: &'static str,
            remedy: &'static str,
        ) -> Row {
            Row { code, severity, remedy, reference }
        }
        match self {
            Self::NoRecord => row(
                "no-record",
                Error,
                "RFC 6376 §3.6.2.1",
                "publish the record; `dkim key dns` prints it",
            ),
            Self::NoTxt => row(
                "no-txt",
                Error,
                "RFC 6376 §3.6.2.2",
                "publish the record as type TXT; `dkim key dns` prints it",
            ),
            Self::NameDoubled { .. } => row(
                "name-doubled",
                Error,
                "RFC 6376 §3.6.2.1",
                "enter the name without the domain, or with a dot at its end: the provider adds the domain itself",
            ),
            Self::DanglingAlias { .. } => row(
                "dangling-alias",
                Error,
                "RFC 6376 §3.6.2",
                "ask whoever owns the target to publish the record there, or correct the CNAME",
            ),
            Self::AliasLoop => row(
                "alias-loop",
                Error,
                "RFC 6376 §3.6.2",
                "let the CNAME lead to the name that holds the record",
            ),
            Self::NotDelegated { .. } => row(
                "not-delegated",
                Error,
                "RFC 5863 §3.4, §6.4.1",
                "replace what stands at the name by the CNAME record that `dkim delegate` prints",
            ),
            Self::Unanswered { .. } => row(
                "unanswered",
                Error,
                "RFC 6376 §6.1.2",
                "try again; if it stays so, look at the name servers of the domain",
            ),
            Self::SeveralRecords { .. } => row(
                "several-records",
                Error,
                "RFC 6376 §3.6.2.2",
                "delete all but the one that belongs to the key: which one a verifier takes is undefined",
            ),
            Self::Wildcard => row(
                "wildcard",
                Warning,
                "RFC 6376 §6.1.2",
                "delete the wildcard record: it answers for every selector, revoked ones too",
            ),
            Self::QuotesInside => row(
                "quotes-inside",
                Error,
                "RFC 6376 §3.6.2.2",
                "enter the record without quotes: the provider adds them itself",
            ),
            Self::EscapedSemicolons => row(
                "escaped-semicolons",
                Error,
                "RFC 6376 §3.6.1",
                "enter the record without backslashes: inside quotes a semicolon needs none",
            ),
            Self::PrivateKey => row(
                "private-key-published",
                Error,
                "RFC 6376 §8.3",
                "make a new key under a new selector at once: whoever has seen the record can sign for the domain",
            ),
            Self::CutOff => row(
                "cut-off",
                Error,
                "RFC 6376 §3.6.2.2",
                "publish all of the record, in several strings of at most 255 octets",
            ),
            Self::Unusable { .. } => row(
                "no-key-record",
                Error,
                "RFC 6376 §3.6.1",
                "replace the record by what `dkim key dns` prints",
            ),
            Self::WrongKeyType { .. } => row(
                "wrong-key-type",
                Error,
                "RFC 6376 §3.6.1, RFC 8463 §4.1",
                "correct k=, or publish the record that `dkim key dns` prints",
            ),
            Self::Revoked => row(
                "revoked",
                Error,
                "RFC 6376 §3.6.1",
                "sign with another key; a revoked selector is not used again",
            ),
            Self::OtherKey => row(
                "other-key",
                Error,
                "RFC 5863 §3.5.1",
                "publish the record of the key that signs, or sign with the key that is published",
            ),
            Self::SpaceInKey => row(
                "space-in-key",
                Warning,
                "RFC 6376 §3.6.1",
                "publish p= without white space: it is allowed, and not every verifier knows that",
            ),
            Self::TooShort { .. } => row(
                "key-too-short",
                Error,
                "RFC 8301 §3.2",
                "make a key of 2048 bits: `dkim key new`",
            ),
            Self::Short { .. } => row(
                "key-short",
                Warning,
                "RFC 8301 §3.2",
                "make a key of 2048 bits: `dkim key new`",
            ),
            Self::NoSha256 => row(
                "no-sha256",
                Error,
                "RFC 8301 §3.1",
                "take h= out of the record, or let it say sha256",
            ),
            Self::NotForEmail => row(
                "not-for-email",
                Error,
                "RFC 6376 §3.6.1",
                "take s= out of the record, or let it say email",
            ),
            Self::Testing => row(
                "testing",
                Warning,
                "RFC 6376 §3.6.1",
                "take t=y out of the record when the test is over: verifiers may treat the mail as unsigned",
            ),
            Self::Granularity { .. } => row(
                "granularity",
                Warning,
                "RFC 6376 appendix C.2, RFC 5863 appendix A.1.1.1",
                "take g= out of the record: it has no meaning any more, and old verifiers refuse mail for it",
            ),
            Self::NoVersion => {
                row("no-version", Note, "RFC 6376 §3.6.1", "let the record begin with v=DKIM1")
            }
            Self::Large { .. } => row(
                "large-answer",
                Warning,
                "RFC 6376 §3.3.3",
                "see that the name servers answer over TCP, or take a key of 2048 bits or Ed25519",
            ),
            Self::LongTtl { .. } => row(
                "long-ttl",
                Warning,
                "RFC 6376 §8.7",
                "let the record have a TTL of an hour or so: a key cannot be revoked any sooner",
            ),
            Self::Bogus => row(
                "dnssec-bogus",
                Error,
                "RFC 4033 §5",
                "sign the zone again, and see that its parent's DS record is that of its key: \
                 validating resolvers give no answer for it",
            ),
            Self::LoopBack { .. } => row(
                "loop-back",
                Error,
                "RFC 5863 §3.5.1",
                "see the other findings; if there are none, try `dkim verify` on a message that was sent",
            ),
        }
    }

    /// Its stable code, such as `no-record`.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        self.row().code
    }

    /// How bad it is.
    #[must_use]
    pub const fn severity(&self) -> Severity {
        self.row().severity
    }

    /// Whether it may be gone when one tries again.
    #[must_use]
    pub const fn is_temporary(&self) -> bool {
        matches!(self, Self::Unanswered { .. })
    }

    /// The finding at this name.
    #[must_use]
    pub fn finding(&self, name: &str) -> Finding {
        self.row().finding(name, self)
    }
}

impl fmt::Display for RecordFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRecord => f.write_str("there is no record of this name"),
            Self::NoTxt => f.write_str("the name exists and has no TXT record"),
            Self::NameDoubled { at } => {
                write!(f, "the record stands at {at}, where the domain is said twice")
            }
            Self::DanglingAlias { target } => {
                write!(f, "the name is an alias (CNAME) of {target}, where there is no TXT record")
            }
            Self::AliasLoop => f.write_str("the aliases (CNAME) lead in a circle, or too far"),
            Self::NotDelegated { at, target } => {
                write!(f, "the record stands at {at}, and should at {target}, by a CNAME")
            }
            Self::Unanswered { why } => write!(f, "no answer: {why}"),
            Self::SeveralRecords { count } => write!(f, "{count} TXT records at one name"),
            Self::Wildcard => {
                f.write_str("a wildcard TXT record answers for names that nobody made")
            }
            Self::QuotesInside => f.write_str("the record has quotes inside"),
            Self::EscapedSemicolons => {
                f.write_str("the record has backslashes before its semicolons")
            }
            Self::PrivateKey => f.write_str("the private key stands in the record, for all to see"),
            Self::CutOff => f.write_str("the record is cut off after 255 octets, its first string"),
            Self::Unusable { error } => write!(f, "not a key record: {error}"),
            Self::WrongKeyType { says, key } => {
                write!(f, "k= says {says}, and the key is one of type {key}")
            }
            Self::Revoked => f.write_str("the key is revoked: p= is empty"),
            Self::OtherKey => f.write_str(
                "the key published is not that of the private key: nothing it signs verifies",
            ),
            Self::SpaceInKey => f.write_str("there is white space inside p="),
            Self::TooShort { bits } => {
                write!(f, "an RSA key of {bits} bits, under 1024: its signatures count as none")
            }
            Self::Short { bits } => write!(f, "an RSA key of {bits} bits, under 2048"),
            Self::NoSha256 => f.write_str("h= does not allow sha256, with which mail is signed"),
            Self::NotForEmail => f.write_str("s= does not allow the key for email"),
            Self::Testing => f.write_str("t=y: the record says that the domain is testing"),
            Self::Granularity { value } if value.is_empty() => {
                f.write_str("an empty g=, by which RFC 4871 allows no address at all")
            }
            Self::Granularity { value } => {
                write!(f, "g={value}, a relic of RFC 4871 that restricts nothing any more")
            }
            Self::NoVersion => f.write_str("v=DKIM1 is missing"),
            Self::Large { octets } => {
                write!(
                    f,
                    "an answer of {octets} octets, over the 512 of plain UDP: it may need TCP"
                )
            }
            Self::LongTtl { seconds } => write!(f, "a TTL of {seconds} seconds, over a day"),
            Self::Bogus => f.write_str("the answer's DNSSEC signatures do not hold"),
            Self::LoopBack { outcome } => {
                write!(f, "a test message signed with the private key does not verify: {outcome}")
            }
        }
    }
}
