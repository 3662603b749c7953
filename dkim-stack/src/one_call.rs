//! The paved path: a whole message verified or signed in one call.

use std::time::{SystemTime, UNIX_EPOCH};

use dkim_crypto::{Provider, SigningKey};
use dkim_dns::{BlockingResolver, Resolver, drive_blocking, drive_while};
use dkim_message::{Header, split};
use dkim_sign::{Request, RequestError, Signer, UnsignedError};
use dkim_tags::{Signature, UnixTime};
use dkim_verify::{Policy, Verification, Verifier};

/// Verifies all signatures of a message, on any async runtime that the resolver works with. The
/// body is hashed while the questions are on their way.
///
/// Line ends must be CRLF, as in transit. `now` is when the message was received, or [`now()`].
/// Returns one verification for each DKIM-Signature field, top to bottom.
///
/// ```
/// # use dkim_stack::{Policy, Zone, now, provider, verify};
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// # let message = b"From: joe@example.com\r\n\r\nHi.\r\n";
/// # let resolver = Zone::new();
/// let found = verify(message, &Policy::rfc(), now(), provider(), &resolver).await;
/// let signers = found.iter().filter(|v| v.counts()).filter_map(|v| v.sdid());
/// assert_eq!(signers.count(), 0);
/// # }
/// ```
pub async fn verify(
    message: &[u8],
    policy: &Policy,
    now: UnixTime,
    provider: &'static dyn Provider,
    resolver: &impl Resolver,
) -> Vec<Verification> {
    let (header, body) = split_within(message, policy);
    let mut verifier = Verifier::new(&header, policy, now, provider);
    let hash_body = |verifier: &mut Verifier| {
        verifier.body_chunk(body);
    };
    drive_while(&mut verifier, resolver, hash_body).await;
    verifier.finish()
}

/// Verifies all signatures of a message while the caller waits; otherwise as [`verify`].
///
/// ```
/// # use dkim_stack::{Policy, Zone, now, provider, verify_blocking};
/// let zone = Zone::new().txt("s._domainkey.example.org", "v=DKIM1; p=");
/// let message = b"From: joe@example.org\r\n\r\nHi.\r\n";
/// assert!(verify_blocking(message, &Policy::rfc(), now(), provider(), &zone).is_empty());
/// ```
pub fn verify_blocking(
    message: &[u8],
    policy: &Policy,
    now: UnixTime,
    provider: &'static dyn Provider,
    resolver: &(impl BlockingResolver + ?Sized),
) -> Vec<Verification> {
    let (header, body) = split_within(message, policy);
    let mut verifier = Verifier::new(&header, policy, now, provider);
    drive_blocking(&mut verifier, resolver);
    verifier.body_chunk(body);
    verifier.finish()
}

/// Splits a message, reading of a header over the policy's limit just so much that it is over it.
fn split_within<'m>(message: &'m [u8], policy: &Policy) -> (Header<'m>, &'m [u8]) {
    // The empty line after a header that is just within the limit belongs to what is read.
    let enough = policy.limits.header_octets.saturating_add(b"\r\n".len());
    let start = message.get(..enough).unwrap_or(message);
    let (header, rest) = split(start);
    (header, message.get(start.len() - rest.len()..).unwrap_or_default())
}

/// Signs a message with one key, and returns the signature. [`Signature::to_field`] is the field to
/// put on top of the message.
///
/// Line ends must be CRLF, as in transit.
///
/// # Errors
///
/// When the message or the request is one that verifiers would refuse, or the key fails.
///
/// ```
/// use dkim_stack::{DomainName, PrivateKey, Request, Selector, now, provider, sign};
///
/// # let pem = dkim_stack::PrivateKey::from_ed25519_seed(&[7; 32]).to_pkcs8_pem();
/// let key = provider().signing_key(&PrivateKey::from_pem(pem.as_bytes())?)?;
/// let (sdid, selector) = (DomainName::parse("example.com")?, Selector::parse("brisbane")?);
/// let request = Request::for_key(sdid, selector, &*key);
/// let message = b"From: joe@example.com\r\n\r\nHi.\r\n";
/// let field = sign(message, request, now(), provider(), &*key)?.to_field();
/// assert!(field.starts_with("DKIM-Signature: v=1; a=ed25519-sha256;"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn sign(
    message: &[u8],
    request: Request,
    now: UnixTime,
    provider: &dyn Provider,
    key: &dyn SigningKey,
) -> Result<Signature, SignMessageError> {
    let (header, body) = split(message);
    let algorithm = request.algorithm;
    let mut signer = Signer::new([request], &header, now, provider)?;
    signer.body_chunk(body);
    // One request, one signature.
    let unsigned = signer.finish().pop().ok_or(RequestError::Unsupported(algorithm))?;
    Ok(unsigned.sign(key)?)
}

/// The time, from the system's clock.
#[must_use]
pub fn now() -> UnixTime {
    // A clock before 1970 is as good as one at it.
    UnixTime(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs())
}

/// Why a message was not signed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignMessageError {
    /// The message or the request is one that verifiers would refuse.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// The key is of another algorithm, or it failed.
    #[error(transparent)]
    Unsigned(#[from] UnsignedError),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_over_the_limit_is_not_read_to_its_end() {
        let message = b"From: a\r\nTo: b\r\n\r\nbody\r\n";
        for limit in 0..=message.len() {
            let mut policy = Policy::rfc();
            policy.limits.header_octets = limit;
            let (header, body) = split_within(message, &policy);
            if limit < 16 {
                assert!(header.octets().len() > limit, "{limit}");
            } else {
                assert_eq!((header.octets().len(), body), (16, &b"body\r\n"[..]), "{limit}");
            }
        }
    }
}
