//! A message signed here and verified with what is published (RFC 5863 §3.5.1, step 4).

use dkim_crypto::{Provider, SigningKey};
use dkim_dns::{BlockingResolver, drive_blocking};
use dkim_message::{Header, split};
use dkim_sign::{Request, RequestError, Signer, UnsignedError};
use dkim_tags::{Auid, DomainName, Selector, UnixTime};
use dkim_verify::{Outcome, Policy, Verifier};

/// Signs a test message and verifies it with the key that the DNS has: what a receiver would say of
/// mail signed so, with this `i=`, if one is given.
///
/// # Errors
///
/// When the message cannot be signed; whatever the verifier says is an outcome.
pub fn loop_back(
    key: &dyn SigningKey,
    (selector, domain): (&Selector, &DomainName),
    identity: Option<&Auid>,
    now: UnixTime,
    provider: &'static dyn Provider,
    resolver: &(impl BlockingResolver + ?Sized),
) -> Result<Outcome, LoopBackError> {
    let message = format!(
        "From: postmaster@{}\r\nSubject: Is the key published?\r\n\r\nThen this verifies.\r\n",
        domain.as_str()
    );
    let (header, body) = split(message.as_bytes());
    let mut request = Request::new(domain.clone(), selector.clone(), key.algorithm());
    request.auid = identity.cloned();
    let mut signer = Signer::new([request], &header, now, provider)?;
    signer.body_chunk(body);
    let unsigned = signer.finish().into_iter().next().ok_or(LoopBackError::Nothing)?;
    let signed = unsigned.sign(key)?.to_field() + &message;
    let header = Header::parse(signed.as_bytes());
    let mut verifier = Verifier::new(&header, &Policy::rfc(), now, provider);
    drive_blocking(&mut verifier, resolver);
    verifier.body_chunk(body);
    let found = verifier.finish().into_iter().next().ok_or(LoopBackError::Nothing)?;
    Ok(found.outcome)
}

/// Why a test message was not signed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoopBackError {
    /// It cannot be asked for so.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// The key does not sign.
    #[error(transparent)]
    Key(#[from] UnsignedError),
    /// There is no signature.
    #[error("no signature was made")]
    Nothing,
}
