//! DomainKeys (RFC 4870), the elder of DKIM: its signatures verified, its records read.
//!
//! **DomainKeys is Historic.** It was published as such in 2007, on the day of its successor DKIM.
//! This crate is for archives, and to see what old software still puts on mail. All it does for a
//! message of today is to tell that there is such a signature: by default none passes, because all
//! are `rsa-sha1`, which RFC 8301 §3.1 forbids. For the same reason **nothing here signs**.
//!
//! A message is verified as with dkim-verify: a machine takes the header, asks for keys, takes the
//! body, and has a [`Verification`] for each DomainKey-Signature field.
//!
//! ```
//! use dkim_crypto::ring::PROVIDER;
//! use dkim_dns::{Zone, drive_blocking};
//! use dkim_domainkeys::{Policy, Treatment, Verifier};
//!
//! let zone = Zone::new().txt("sel._domainkey.example.com", "g=; k=rsa; p=");
//! let message = b"DomainKey-Signature: a=rsa-sha1; c=nofws; d=example.com; q=dns; s=sel; b=Zm9v\r\n\
//!     From: Joe <joe@example.com>\r\n\r\nHi.\r\n";
//! let (header, body) = dkim_message::split(message);
//!
//! // From an archive: SHA-1 is what was used then.
//! let mut policy = Policy::default();
//! policy.sha1 = Treatment::Accept;
//!
//! let mut verifier = Verifier::new(&header, &policy, &PROVIDER);
//! drive_blocking(&mut verifier, &zone);
//! verifier.body_chunk(body);
//! let found = verifier.finish();
//! assert_eq!(found[0].outcome.to_string(), "the key was revoked");
//! let info = found[0].res_info();
//! assert_eq!((info.method.as_str(), info.result.as_str()), ("domainkeys", "permerror"));
//! assert_eq!(info.get("header", "from"), Some("example.com"));
//! ```
//!
//! What differs from DKIM: a signature is by the domain of the [`Sender`] and no other, over the
//! fields *below* it and the whole body in one hash; its canonicalizations ([`Canonicalization`])
//! are its own; key records are shared, but not what `g=` means in them ([`DomainKey`],
//! [`Compatibility`]); and a domain may say how much of its mail it signs ([`SendingPolicy`]).
//!
//! # Not supported
//!
//! Signing. The DomainKey-X509 field, which was never defined. Fields above the signature, which a
//! verifier "may" look for (RFC 4870 §3.3 `h=`). RSA keys under 1024 bits (RFC 8301 §3.2).
#![forbid(unsafe_code)]

mod canonicalization;
mod checks;
mod compatibility;
mod key;
mod outcome;
mod policy;
mod policy_record;
mod reason;
mod sender;
mod signature;
mod verification;
mod verifier;

pub use canonicalization::{BodyCanonicalizer, Canonicalization};
pub use compatibility::{Compatibility, Finding};
pub use dkim_hash::Stance;
pub use key::DomainKey;
pub use outcome::Outcome;
pub use policy::{Deviation, Limit, Limits, Policy, Treatment};
pub use policy_record::{PolicyLookup, SendingPolicy, SendingPolicyError, Signs};
pub use reason::Reason;
pub use sender::{Sender, SenderError, SenderField};
pub use signature::{Signature, SignatureError};
pub use verification::{Verification, most_appropriate};
pub use verifier::Verifier;
