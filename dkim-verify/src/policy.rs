//! What to do about a signature that is right but not as it should be.

use dkim_crypto::PublicKey;
use dkim_tags::DomainName;

use crate::Limits;

/// What to do about a [`Deviation`](crate::Deviation).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Treatment {
    /// The signature may still pass; the deviation is reported beside the result.
    Accept,
    /// The signature does not pass, even if it verifies.
    Refuse,
}

/// How a verifier judges what the RFCs leave to it. What is wrong with a signature is found the
/// same way under every policy; here stands what follows from it.
///
/// Whatever the policy, RSA keys under 1024 bits never verify (RFC 8301 §3.2), and every
/// deviation of a signature that passes is reported with it.
///
/// ```
/// use dkim_verify::{Policy, Treatment};
///
/// let mut policy = Policy::rfc();
/// policy.sha1 = Treatment::Accept; // to verify an archive
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Policy {
    /// `a=rsa-sha1`: `policy`, reason `weak-algorithm`. Refused by default (RFC 8301 §3.1).
    pub sha1: Treatment,
    /// The shortest RSA key that may verify, in bits: below it `policy`, reason `short-key`; below
    /// 1024, under any policy, reason `key-weak`. 1024 by default (RFC 8301 §3.2).
    pub min_rsa_bits: u32,
    /// Octets of the body that `l=` leaves unsigned: `policy`, reason `body-not-fully-signed`.
    /// Accepted by default (RFC 6376 §6.1.3 leaves it open), refused by [`strict`](Self::strict).
    pub unsigned_body: Treatment,
    /// More than one From field: `policy`, reason `multiple-from`. Refused by default
    /// (RFC 6376 §3.8, §8.15: readers show one of them, and not the one that was signed).
    pub multiple_from: Treatment,
    /// A header with a bare CR, a bare LF, a NUL or a line that is no field, whether signed or not:
    /// `permerror`, reason `malformed-header`. Refused by default: such octets are obsolete syntax
    /// (RFC 5322 §4) or none, and readers that mend them would see another message (RFC 6376 §3.8).
    pub malformed_header: Treatment,
    /// A Subject, Content-Type, Content-Transfer-Encoding or MIME-Version field that is signed, but
    /// stands there more often than that: `policy`, reason `unsigned-duplicate`. Accepted by default,
    /// refused by [`strict`](Self::strict) (RFC 6376 §8.15). Of the other fields that may stand once
    /// only it is reported and never refused.
    pub unsigned_duplicate: Treatment,
    /// `d=` with one label only, as `com` is: `policy`, reason `single-label-domain`. Refused by
    /// default (RFC 6376 §6.1.1).
    pub single_label_domain: Treatment,
    /// Domains that sign for nobody, such as `co.uk`: `policy`, reason `unacceptable-domain`.
    /// Empty by default (RFC 6376 §6.1.1: "The list of unacceptable domains SHOULD be
    /// configurable").
    pub unacceptable_domains: Vec<DomainName>,
    /// `x=` has passed: `fail`, reason `expired`. Refused by default (RFC 6376 §6.1.1); accept it
    /// for archives.
    pub expired: Treatment,
    /// `t=` is in the future: `policy`, reason `future`. Accepted by default (RFC 6376 §3.5: "MAY
    /// ignore"), refused by [`strict`](Self::strict).
    pub future: Treatment,
    /// Several records at the key's name: `policy`, reason `several-key-records`. Accepted by
    /// default: the key records among them are tried in turn (RFC 6376 §6.1.2, step 4, against
    /// §3.6.2.2: "the results are undefined").
    pub several_key_records: Treatment,
    /// A key record without `v=DKIM1`: `policy`, reason `key-without-version`. Accepted by default
    /// (RFC 6376 §3.6.1: RECOMMENDED).
    pub key_without_version: Treatment,
    /// A key that says `t=y`: `policy`, reason `testing`. Accepted by default and told beside the
    /// result; refused, the signature counts as little as none (RFC 6376 §3.6.1 `t=`).
    pub testing: Treatment,
    /// By how many seconds clocks may differ before `x=` has passed or `t=` is in the future. 300
    /// by default (RFC 6376 §3.5, `x=`: "fudge factor").
    pub clock_skew: u64,
    /// How much work a message may cause.
    pub limits: Limits,
}

impl Policy {
    /// What the RFCs ask for; the default.
    #[must_use]
    pub fn rfc() -> Self {
        Self {
            sha1: Treatment::Refuse,
            min_rsa_bits: PublicKey::MIN_RSA_BITS,
            unsigned_body: Treatment::Accept,
            multiple_from: Treatment::Refuse,
            malformed_header: Treatment::Refuse,
            unsigned_duplicate: Treatment::Accept,
            single_label_domain: Treatment::Refuse,
            unacceptable_domains: Vec::new(),
            expired: Treatment::Refuse,
            future: Treatment::Accept,
            several_key_records: Treatment::Accept,
            key_without_version: Treatment::Accept,
            testing: Treatment::Accept,
            clock_skew: 300,
            limits: Limits::default(),
        }
    }

    /// Besides what [`rfc`](Self::rfc) refuses, bodies that are not signed to the end, unsigned
    /// duplicates of what steers a reader, and signatures from the future.
    #[must_use]
    pub fn strict() -> Self {
        Self {
            unsigned_body: Treatment::Refuse,
            unsigned_duplicate: Treatment::Refuse,
            future: Treatment::Refuse,
            ..Self::rfc()
        }
    }

    /// For a border, whose results are read where no deviation is seen (RFC 8601): besides what
    /// [`strict`](Self::strict) refuses, keys in test.
    #[must_use]
    pub fn border() -> Self {
        Self { testing: Treatment::Refuse, ..Self::strict() }
    }

    /// For looking at mail: what verifies passes, its deviations beside it. SHA-1, keys under 1024
    /// bits and a message without From do not pass here either.
    #[must_use]
    pub fn lenient() -> Self {
        Self {
            multiple_from: Treatment::Accept,
            malformed_header: Treatment::Accept,
            single_label_domain: Treatment::Accept,
            expired: Treatment::Accept,
            ..Self::rfc()
        }
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self::rfc()
    }
}
