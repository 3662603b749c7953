//! Questions and answers as plain data, and who asks.

use std::sync::Arc;
use std::time::Duration;

/// Tells a question from others of the same [`Inquirer`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QueryId(pub u32);

/// What is asked of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum QueryKind {
    /// Its TXT records.
    Txt,
    /// Whether the name exists at all, with any type (RFC 5617 §4.3, step 1).
    Exists,
    /// Which name it is an alias of, not followed any further: where an alias leads nowhere, the
    /// other questions tell only that nothing is there.
    Cname,
}

/// A question for the DNS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// Returned with the answer.
    pub id: QueryId,
    /// An absolute domain name in ASCII (A-labels), without escapes and without the closing dot.
    pub name: String,
    /// What is asked of it.
    pub kind: QueryKind,
}

/// A TXT record: its character-strings, each of at most 255 octets (RFC 1035 §3.3.14).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Record {
    /// The strings, in order.
    pub strings: Vec<Vec<u8>>,
}

impl Query {
    /// The most octets of a name as it stands here: the DNS has no room for more (RFC 1035 §3.1). No
    /// such name exists, and none is asked for.
    pub const MAX_NAME: usize = 253;
}

impl Record {
    /// The strings put together without anything between them (RFC 6376 §3.6.2.2).
    #[must_use]
    pub fn joined(&self) -> Vec<u8> {
        self.strings.concat()
    }

    /// What [`joined`](Self::joined) returns, or `None` where that is longer than so many octets:
    /// the limit comes before the strings are put together.
    #[must_use]
    pub fn joined_within(&self, octets: usize) -> Option<Vec<u8>> {
        (self.len() <= octets).then(|| self.joined())
    }

    /// Length in octets of what [`joined`](Self::joined) returns.
    #[must_use]
    pub fn len(&self) -> usize {
        self.strings.iter().map(Vec::len).sum()
    }

    /// Whether the record holds no octet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// What the resolver knows of the answer's DNSSEC state (RFC 4033 §5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Dnssec {
    /// Signed, and validated here against a trust anchor.
    Secure,
    /// Unsigned, as the zone above says. Where that leaves unsigned delegations out of its NSEC3 records
    /// (opt-out, RFC 5155 §6), it may be that there is none: only `Secure` is proof of what is there.
    Insecure,
    /// Signed, and the signatures do not hold.
    Bogus,
    /// Nobody looked, or what would tell was not to be had (RFC 4035 §4.3 "Indeterminate").
    #[default]
    Unknown,
}

/// A positive answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// The TXT records in the order received; empty for other kinds of questions. Shared, so that
    /// an answer may be kept and given again.
    pub records: Arc<[Record]>,
    /// The CNAME targets followed, in order and in presentation form without the closing dot; empty
    /// when the name asked holds the records itself. For [`QueryKind::Cname`] the one target.
    pub chain: Vec<String>,
    /// DNSSEC state of the answer.
    pub dnssec: Dnssec,
    /// How long the answer may be kept.
    pub ttl: Duration,
}

/// Why there is no positive answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LookupError {
    /// NXDOMAIN: the name does not exist. Permanent.
    #[error("the name does not exist")]
    NoSuchName,
    /// The name exists and has no record of the type asked. Permanent.
    #[error("the name has no record of this type")]
    NoRecords,
    /// More than [`MAX_CNAME_HOPS`] CNAME records in a row, as a loop has them. Permanent.
    #[error("more than {MAX_CNAME_HOPS} CNAME records in a row")]
    ChainTooLong,
    /// No answer in time. Temporary.
    #[error("no answer in time")]
    Timeout,
    /// The DNSSEC signatures do not hold, or those that would prove that nothing is there. Temporary:
    /// anybody may have made the answer up (RFC 4033 §5), and the next may be the right one.
    #[error("the DNSSEC signatures do not hold")]
    Bogus,
    /// A server failed or refused, or the network did. Temporary.
    #[error("the lookup failed: {0}")]
    Failed(String),
}

impl LookupError {
    /// Whether another attempt may have another answer (RFC 6376 §6.1.2, step 2).
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::NoSuchName | Self::NoRecords | Self::ChainTooLong => false,
            Self::Timeout | Self::Bogus | Self::Failed(_) => true,
        }
    }
}

/// How many CNAME records our resolvers follow; beyond, the lookup fails. Bounds what an attacker's
/// aliases can cost.
pub const MAX_CNAME_HOPS: usize = 8;

/// How many records of an answer our verifiers look at. A resolver that keeps no more than it must
/// keeps one more, which tells that there are others.
pub const MAX_RECORDS: usize = 64;

/// What came back for a [`Query`].
pub type Answer = Result<Found, LookupError>;

/// The records of an answer, for who acts on what they say; no record is no error.
///
/// # Errors
/// That of the answer. [`LookupError::Bogus`] for one whose DNSSEC signatures do not hold, which
/// anybody may have made up (RFC 4033 §5), and [`LookupError::ChainTooLong`] for one that a resolver
/// of more patience than ours followed beyond [`MAX_CNAME_HOPS`].
pub fn records(answer: &Answer) -> Result<&[Record], LookupError> {
    match answer {
        Err(error) => Err(error.clone()),
        Ok(found) if found.dnssec == Dnssec::Bogus => Err(LookupError::Bogus),
        Ok(found) if found.chain.len() > MAX_CNAME_HOPS => Err(LookupError::ChainTooLong),
        Ok(found) => Ok(&found.records),
    }
}

/// Somebody with questions: the verifier, an ADSP lookup, and whoever comes later.
pub trait Inquirer {
    /// The questions not asked yet. Each is returned once; an answer may raise new ones, and some may
    /// be held back until others have their answers.
    fn queries(&mut self) -> Vec<Query>;

    /// Takes an answer, in any order. An unknown id is ignored.
    fn answer(&mut self, id: QueryId, answer: Answer);
}
