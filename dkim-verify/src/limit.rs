//! The limits of a policy, and their names.

use std::fmt;

use dkim_tags::Signature;

use crate::Reason;

/// How much work a message may cause. What exceeds a limit is `policy` with a reason of its own,
/// before the work is done; every signature is still listed.
///
/// These are the limits that a receiver may want to set otherwise. Those of what a single value may
/// be are constants of whoever reads it, the same for all: how many tags
/// ([`TagList::MAX_TAGS`](dkim_tags::TagList::MAX_TAGS)) and items
/// ([`Signature::MAX_ITEMS`]) there are, how long a key record is, how many aliases are followed
/// ([`MAX_CNAME_HOPS`](dkim_dns::MAX_CNAME_HOPS)).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// DKIM-Signature fields listed. Of more, the lower ones are not looked at at all, and
    /// [`Verifier::unlisted`](crate::Verifier::unlisted) counts them.
    pub listed: usize,
    /// Signatures judged; of more, the lower ones are `limit-signatures`. Those that the header
    /// shows to be invalid do not count, and those that the policy refuses for what the header
    /// says, such as expired ones, are judged after all others, within all of these limits: none
    /// hides a good one below it.
    pub signatures: usize,
    /// Questions to the DNS; signatures that need more are `limit-queries`.
    pub queries: usize,
    /// Octets of header; in a longer one every signature is `limit-header`.
    pub header_octets: usize,
    /// Names in `h=`; a signature with more is `limit-signed-fields`.
    pub signed_fields: usize,
    /// Different body hashes (by canonicalization, algorithm and `l=`); signatures that need more
    /// are `limit-body-hashes`.
    pub body_hashes: usize,
    /// Key records tried when several stand at one name; a signature that none of them verifies,
    /// while others were not tried, is `limit-key-records`. What is no key record does not count,
    /// but a record over 16 KiB is never tried, and after 64 records or 64 KiB of an answer nothing
    /// more is looked at.
    pub key_records: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            listed: 10_000,
            signatures: 10,
            queries: 10,
            header_octets: 1024 * 1024,
            signed_fields: Signature::MAX_ITEMS,
            body_hashes: 4,
            key_records: 3,
        }
    }
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
    /// Items in `q=` or `z=`.
    Items,
    /// Different body hashes.
    BodyHashes,
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
            Self::Queries => Reason::LimitQueries,
            Self::Header => Reason::LimitHeader,
            Self::Tags => Reason::LimitTags,
            Self::SignedFields => Reason::LimitSignedFields,
            Self::Items => Reason::LimitItems,
            Self::BodyHashes => Reason::LimitBodyHashes,
            Self::KeyRecord => Reason::LimitKeyRecord,
            Self::KeyRecords => Reason::LimitKeyRecords,
            Self::CnameHops => Reason::LimitCnameHops,
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
            Self::Items => "more items in q= or z= than are read",
            Self::BodyHashes => "more different body hashes than are computed for one message",
            Self::KeyRecord => "the key record is longer than is read",
            Self::KeyRecords => "more key records at one name than are tried",
            Self::CnameHops => "more CNAME records in a row than are followed",
        })
    }
}
