//! Everything that can be said about why a signature does not verify.

use dkim_crypto::{HashValue, Provider};
use dkim_message::Header;
use dkim_tags::Signature;
use dkim_verify::{Outcome, Verification};

use crate::body::{self, BodyFinding};
use crate::copies::{self, CopyDifference};
use crate::header::{self, Budget, HeaderFinding};
use crate::input::{HashInput, Indexed};

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

/// How many signatures of a message are explained, at most.
pub const MAX_EXPLAINED: usize = 10;

/// Finds out why signatures do not verify, or shows that they do (RFC 6376 §3.7, §6.1.3): an
/// explanation for each of `found`, in their order. The message is the one that `found` was made
/// from, its line ends CRLF as in transit.
///
/// What is spent is bounded for the message, and signatures that do not pass share it: at most
/// 256 MiB of body are canonicalized in search of a change, and at most 128 MiB of headers
/// verified, 20 000 times with an RSA key of 2048 bits, less often with a longer one; of all that
/// half at most for one signature. Bodies over 16 MiB or of more than a million lines are looked at
/// less closely.
///
/// `None` for a signature that cannot be read, is beyond a limit of the policy, or is not of this
/// message, and when [ten](MAX_EXPLAINED) were explained before.
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
/// for explanation in explain(&header, body, &verifier.finish(), &PROVIDER) {
///     let explanation = explanation.ok_or("not readable")?;
///     assert_eq!(explanation.input.fields.len(), 2);
///     assert_eq!(explanation.body_length, 5);
/// }
/// # Ok::<(), &str>(())
/// ```
#[must_use]
pub fn explain(
    header: &Header<'_>,
    body: &[u8],
    found: &[Verification],
    provider: &dyn Provider,
) -> Vec<Option<Explanation>> {
    let positions: Vec<usize> = header.fields().positions(Signature::FIELD_NAME).collect();
    let mut left = MAX_EXPLAINED;
    let chosen: Vec<Option<(&Signature, usize)>> = found
        .iter()
        .map(|found| {
            // Whoever sends a thousand signatures is not told about each of them.
            let is_limited = matches!(found.outcome, Outcome::Limit(_));
            let signature = found.signature.as_ref().filter(|_| !is_limited)?;
            let own = positions.get(found.index)?;
            left = left.checked_sub(1)?;
            Some((signature, *own))
        })
        .collect();
    let signatures: Vec<&Signature> =
        chosen.iter().flatten().map(|(signature, _)| *signature).collect();
    let mut bodies = body::look(&signatures, body, provider).into_iter();
    let indexed = Indexed::new(header);
    let mut budget = Budget::of_message();
    // Those that pass need nothing of the budget.
    let is_broken =
        |(found, chosen): &(&Verification, &Option<_>)| chosen.is_some() && !found.passes();
    let mut broken = found.iter().zip(&chosen).filter(is_broken).count();
    found
        .iter()
        .zip(&chosen)
        .map(|(found, chosen)| {
            let (signature, own) = (*chosen)?;
            let (body_length, body_hash, body) = bodies.next()?;
            let work = (&mut budget, broken);
            broken = broken.saturating_sub(usize::from(!found.passes()));
            let form = signature.canonicalization.header;
            Some(Explanation {
                input: HashInput::in_form(form, signature, own, &indexed),
                body_length,
                body_hash,
                body,
                header: header::find((signature, own), &indexed, found, provider, work),
                copies: copies::compare(signature, &indexed),
            })
        })
        .collect()
}
