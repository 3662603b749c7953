//! Everything that can be said about why a signature does not verify.

use dkim_crypto::{HashValue, Provider};
use dkim_hash::FieldIndex;
use dkim_message::Header;
use dkim_verify::{Outcome, Verification};

use crate::body::{self, BodyFinding};
use crate::copies::{self, CopyDifference};
use crate::header::{self, HeaderFinding};
use crate::input::{self, HashInput};

/// What was hashed for a signature, and what became of it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Explanation {
    /// The fields that the signature is over, as the message is now.
    pub input: HashInput,
    /// How many octets of the canonical body it is over, as the message is now.
    pub body_length: usize,
    /// The hash of the canonical body as it is now; `None` if the provider lacks the algorithm.
    /// That of `bh=` is in the signature.
    pub body_hash: Option<HashValue>,
    /// What became of the body.
    pub body: BodyFinding,
    /// What became of the signed fields.
    pub header: HeaderFinding,
    /// The fields that are not as their copies in `z=` have them. Copies are not signed octet by
    /// octet and prove nothing by themselves.
    pub copies: Vec<CopyDifference>,
}

/// Finds out why a signature does not verify, or shows that it does (RFC 6376 §3.7, §6.1.3). The
/// message is the one that `found` was made from, its line ends CRLF as in transit.
///
/// At most 128 MiB of body are canonicalized in search of a change, and at most 10 000 headers and
/// 64 MiB of them verified; bodies over 16 MiB or of more than a million lines are looked at less
/// closely. That is for each signature: how many of a message are worth it is for the caller to
/// say.
///
/// `None` when the signature cannot be read, is beyond a limit of the policy, or is not of this
/// message.
///
/// ```
/// use dkim_crypto::ring::PROVIDER;
/// use dkim_dns::{Zone, drive_blocking};
/// use dkim_explain::explain;
/// use dkim_tags::UnixTime;
/// use dkim_verify::{Policy, Verifier};
///
/// let message = b"DKIM-Signature: v=1; a=rsa-sha256; d=example.com; s=s; h=from; bh=YQ==; b=YQ==\r\n\
///                 From: joe@example.com\r\n\r\nHi.\r\n";
/// let (header, body) = dkim_message::split(message);
/// let mut verifier = Verifier::new(&header, &Policy::rfc(), UnixTime(1_700_000_000), &PROVIDER);
/// drive_blocking(&mut verifier, &Zone::new());
/// verifier.body_chunk(body);
/// for found in verifier.finish() {
///     let explanation = explain(&header, body, &found, &PROVIDER).ok_or("not readable")?;
///     assert_eq!(explanation.input.fields.len(), 2);
///     assert_eq!(explanation.body_length, 5);
/// }
/// # Ok::<(), &str>(())
/// ```
#[must_use]
pub fn explain(
    header: &Header<'_>,
    body: &[u8],
    found: &Verification,
    provider: &dyn Provider,
) -> Option<Explanation> {
    // Whoever sends a thousand signatures is not told about each of them.
    if matches!(found.outcome, Outcome::Limit(_)) {
        return None;
    }
    let signature = found.signature.as_ref()?;
    let own = input::position_of(found.index, header)?;
    let (body_length, body_hash, body) = body::look(signature, body, provider);
    Some(Explanation {
        input: HashInput::of(signature, own, header),
        body_length,
        body_hash,
        body,
        header: header::find(signature, own, header, found, provider),
        copies: copies::compare(signature, header, &FieldIndex::new(header)),
    })
}
