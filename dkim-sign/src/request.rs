//! What is asked of a signer.

use dkim_canon::Canonicalization;
use dkim_crypto::{SigningAlgorithm, SigningKey};
use dkim_message::Defect;
use dkim_tags::{Atps, Auid, Canonicalizations, DomainName, Selector, Signature, UnixTime};

use crate::Fields;

/// One signature to be made. Names of U-labels are written in A-labels, unless the header of the
/// message is internationalized itself, in UTF-8 (RFC 8616 §5).
///
/// ```
/// use dkim_crypto::SigningAlgorithm;
/// use dkim_sign::{Expiration, Request};
/// use dkim_tags::{DomainName, Selector};
///
/// let mut request = Request::new(
///     DomainName::parse("example.com")?,
///     Selector::parse("brisbane")?,
///     SigningAlgorithm::RSA_SHA256,
/// );
/// request.expiration = Expiration::After(7 * 24 * 3600);
/// # Ok::<(), dkim_tags::InvalidName>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Request {
    /// `d=`: who takes responsibility.
    pub sdid: DomainName,
    /// `s=`: where the key is published.
    pub selector: Selector,
    /// `a=`; that of the key. Not `rsa-sha1` (RFC 8301 §3.1).
    pub algorithm: SigningAlgorithm,
    /// `c=`: `relaxed/relaxed` by default, which survives what relays do to white space.
    pub canonicalization: Canonicalizations,
    /// `h=`: which fields are signed.
    pub fields: Fields,
    /// `i=`: absent by default.
    pub auid: Option<Auid>,
    /// `t=`: now, by default.
    pub timestamp: Timestamp,
    /// `x=`: absent by default.
    pub expiration: Expiration,
    /// `l=`: absent by default, so that the whole body is signed and nothing can be added to it.
    pub body_length: BodyLength,
    /// `q=`: absent by default.
    pub query_method: QueryMethod,
    /// `z=`: absent by default.
    pub copies: Copies,
    /// `r=`: absent by default.
    pub reports: Reports,
    /// `atps=` and `atpsh=` (RFC 6541, Experimental): for which other domain the signature is, and
    /// how that domain says so. Absent by default.
    pub atps: Option<Atps>,
}

impl Request {
    /// A request with our defaults.
    #[must_use]
    pub fn new(sdid: DomainName, selector: Selector, algorithm: SigningAlgorithm) -> Self {
        Self {
            sdid,
            selector,
            algorithm,
            canonicalization: Canonicalizations {
                header: Canonicalization::Relaxed,
                body: Canonicalization::Relaxed,
            },
            fields: Fields::default(),
            auid: None,
            timestamp: Timestamp::Now,
            expiration: Expiration::Never,
            body_length: BodyLength::Absent,
            query_method: QueryMethod::Unsaid,
            copies: Copies::Absent,
            reports: Reports::Unasked,
            atps: None,
        }
    }

    /// A request with our defaults, for a signature with this key.
    #[must_use]
    pub fn for_key(sdid: DomainName, selector: Selector, key: &dyn SigningKey) -> Self {
        Self::new(sdid, selector, key.algorithm())
    }
}

/// `t=` (RFC 6376 §3.5: RECOMMENDED).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Timestamp {
    /// The time given to the signer.
    Now,
    /// No `t=`.
    Absent,
}

/// `x=` (RFC 6376 §3.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Expiration {
    /// No `x=`.
    Never,
    /// So many seconds after the time given to the signer; at least one.
    After(u64),
}

/// `l=` (RFC 6376 §3.5, §8.2: what follows the signed octets can be anybody's).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BodyLength {
    /// No `l=`: the whole body is signed.
    Absent,
    /// `l=` with the length of the canonical body as it is signed: others may append to it.
    AsSigned,
}

/// `q=` (RFC 6376 §3.5). There is one method, and verifiers use it when nothing is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum QueryMethod {
    /// No `q=`.
    Unsaid,
    /// `q=dns/txt`.
    DnsTxt,
}

/// `z=` (RFC 6376 §3.5): what fields were when they were signed, to find out later what became of
/// them. It makes the signature longer, and whoever reads the message can read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Copies {
    /// No `z=`.
    Absent,
    /// A copy of each signed field.
    OfSignedFields,
}

/// `r=` (RFC 6651 §3.1): whether the signer wants reports about signatures that fail. Where they go
/// is said by a record in the DNS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reports {
    /// No `r=`.
    Unasked,
    /// `r=y`.
    Asked,
}

/// Why a message or a request cannot be signed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// The message has no From field, which every signature must cover (RFC 6376 §5.4).
    #[error("the message has no From field")]
    NoFrom,
    /// The message has several From fields; verifiers refuse it (RFC 6376 §8.15).
    #[error("the message has more than one From field")]
    SeveralFrom,
    /// The header has octets that readers disagree about; verifiers refuse it or read another one
    /// (RFC 6376 §3.8).
    #[error("{0}")]
    MalformedHeader(Defect),
    /// The list of fields does not name From (RFC 6376 §5.4).
    #[error("the fields to sign do not include From")]
    FromNotListed,
    /// The list of fields has more names than verifiers take, since the message has so many fields
    /// of them, or the request lists them: [`Signature::MAX_ITEMS`].
    #[error("more than {} fields to sign", Signature::MAX_ITEMS)]
    TooManyFields,
    /// The list of fields names DKIM-Signature more often than the message has it: the signature
    /// would be over itself (RFC 6376 §5.4).
    #[error("the fields to sign include the DKIM-Signature field to be made")]
    SignsItself,
    /// The AUID's domain is not within the SDID (RFC 6376 §3.5 `i=`).
    #[error("the domain of the identity {auid} is not within {sdid}")]
    AuidOutsideSdid {
        /// The identity asked for.
        auid: Auid,
        /// The signing domain.
        sdid: DomainName,
    },
    /// A signature for the SDID itself is none for "another ADMD" (RFC 6541 §4.2).
    #[error("{0} needs no leave to sign for itself")]
    AtpsForItself(DomainName),
    /// The SDID has one label only; verifiers refuse it (RFC 6376 §6.1.1).
    #[error("the signing domain {0} is a top-level domain")]
    SingleLabelDomain(DomainName),
    /// Selector and SDID are too long together: the DNS has no room for the name that verifiers ask
    /// for the key (RFC 6376 §3.6.2.1).
    #[error("no name in the DNS has room for a key of selector {selector} in {sdid}")]
    NoRoomForKey {
        /// The selector asked for.
        selector: Selector,
        /// The signing domain.
        sdid: DomainName,
    },
    /// The algorithm is for verifying archives only (RFC 8301 §3.1).
    #[error("{0} must not be used to sign")]
    Forbidden(SigningAlgorithm),
    /// The provider lacks the hash algorithm.
    #[error("{0} is not supported by the cryptographic library")]
    Unsupported(SigningAlgorithm),
    /// `x=` must be greater than `t=` (RFC 6376 §3.5 `x=`).
    #[error("a signature cannot expire at the time it is made")]
    ExpiresAtOnce,
    /// A time of more than the 12 digits that `t=` and `x=` may have (RFC 6376 §3.5).
    #[error("the time {0} has more than 12 digits")]
    TimeOutOfRange(UnixTime),
}
