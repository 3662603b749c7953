//! What to do about a signature that is right but not as it should be.

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
    /// The shortest RSA key that may verify, in bits: below it `policy`, reason `key-weak`. 1024
    /// by default (RFC 8301 §3.2), and never less.
    pub min_rsa_bits: u32,
    /// Octets of the body that `l=` leaves unsigned: `policy`, reason `body-not-fully-signed`.
    /// Accepted by default (RFC 6376 §6.1.3 leaves it open), refused by [`strict`](Self::strict).
    pub unsigned_body: Treatment,
    /// More than one From field: `policy`, reason `multiple-from`. Refused by default
    /// (RFC 6376 §3.8, §8.15: readers show one of them, and not the one that was signed).
    pub multiple_from: Treatment,
    /// A header that RFC 5322 does not allow, such as one with a bare CR, a bare LF, a NUL or a
    /// line without colon, whether signed or not: `permerror`, reason `malformed-header`. Refused
    /// by default (RFC 6376 §3.8: readers that mend it would see another message).
    pub malformed_header: Treatment,
    /// A Subject, Content-Type or MIME-Version field that is signed, but stands there more often
    /// than that: `policy`, reason `unsigned-duplicate`. Accepted by default, refused by
    /// [`strict`](Self::strict) (RFC 6376 §8.15). Of the other fields that may stand once only it
    /// is reported and never refused.
    pub unsigned_duplicate: Treatment,
    /// `d=` with one label only, as `com` is: `policy`, reason `single-label-domain`. Refused by
    /// default (RFC 6376 §6.1.1).
    pub single_label_domain: Treatment,
    /// `x=` has passed: `fail`, reason `expired`. Refused by default (RFC 6376 §6.1.1); accept it
    /// for archives.
    pub expired: Treatment,
    /// `t=` is in the future: `policy`, reason `future`. Accepted by default (RFC 6376 §3.5: "MAY
    /// ignore"), refused by [`strict`](Self::strict).
    pub future: Treatment,
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
            min_rsa_bits: 1024,
            unsigned_body: Treatment::Accept,
            multiple_from: Treatment::Refuse,
            malformed_header: Treatment::Refuse,
            unsigned_duplicate: Treatment::Accept,
            single_label_domain: Treatment::Refuse,
            expired: Treatment::Refuse,
            future: Treatment::Accept,
            clock_skew: 300,
            limits: Limits::default(),
        }
    }

    /// For a gateway: whatever the RFCs let a verifier refuse.
    #[must_use]
    pub fn strict() -> Self {
        Self {
            unsigned_body: Treatment::Refuse,
            unsigned_duplicate: Treatment::Refuse,
            future: Treatment::Refuse,
            ..Self::rfc()
        }
    }

    /// For looking at mail: whatever verifies passes, its deviations beside it. SHA-1 and keys
    /// under 1024 bits do not pass here either.
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

/// How much work a message may cause. What exceeds a limit is `policy` with a reason of its own,
/// before the work is done; every signature is still listed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Signatures judged; of more, the lower ones are `limit-signatures`. Invalid ones do not
    /// count, so that none hides a good one below it.
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
    /// Key records tried when several stand at one name.
    pub key_records: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            signatures: 10,
            queries: 10,
            header_octets: 1024 * 1024,
            signed_fields: 1000,
            body_hashes: 4,
            key_records: 3,
        }
    }
}
