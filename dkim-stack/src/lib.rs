//! DKIM, whole: sign and verify in three lines, and every crate of the stack under one roof but
//! `dkim-keys`, whose trade is files.
//!
//! ```
//! # use dkim_stack::{Policy, Zone, now, provider, verify_blocking};
//! # let message = b"From: joe@example.com\r\n\r\nHi.\r\n";
//! # let resolver = Zone::new();
//! for verification in verify_blocking(message, &Policy::rfc(), now(), provider(), &resolver) {
//!     println!("{}: {}", verification.outcome.result(), verification.outcome);
//! }
//! ```
//!
//! The resolver is the DNS (`HickoryResolver`, `HickoryBlocking`, feature `hickory`), a [`Zone`] in
//! a file, or one of your own. What a filter makes its decision from is an [`Assessment`]. For
//! messages that come in pieces, answers that come from elsewhere, and keys that are not at hand,
//! use the machines themselves: [`Verifier`] and [`Signer`].
#![forbid(unsafe_code)]

mod assessment;
mod author_practices;
mod covered;
mod local_practices;
pub mod manual;
mod mediation;
mod mediators;
mod one_call;
#[cfg(any(feature = "ring", feature = "aws-lc-rs"))]
mod provider;
mod trusted_results;

pub use dkim_adsp as adsp;
pub use dkim_authres as authres;
pub use dkim_canon as canon;
pub use dkim_crypto as crypto;
pub use dkim_dns as dns;
pub use dkim_domainkeys as domainkeys;
pub use dkim_explain as explain;
pub use dkim_hash as hash;
pub use dkim_keyrec as keyrec;
pub use dkim_message as message;
pub use dkim_report as report;
pub use dkim_sign as sign;
pub use dkim_tags as tags;
pub use dkim_verify as verify;

pub use assessment::{
    Alignment, Assessment, Known, OpaqueAuid, Practices, Role, Source, VerifiedSigner,
};
pub use author_practices::{AuthorPractices, PracticesCheck};
pub use dkim_crypto::{PrivateKey, Provider, SigningAlgorithm, SigningKey};
pub use dkim_dns::{BlockingResolver, Resolver, Zone};
#[cfg(feature = "hickory")]
pub use dkim_dns::{HickoryBlocking, HickoryResolver};
pub use dkim_sign::{
    BodyLength, Copies, Expiration, Fields, QueryMethod, Reports, Request, Signer, Timestamp,
    Unsigned,
};
pub use dkim_tags::{Auid, DomainName, Selector, Signature, UnixTime};
pub use dkim_verify::{
    Deviation, KeyCache, Limits, Outcome, Policy, Treatment, Verification, Verifier, res_infos,
};
pub use local_practices::LocalPractices;
pub use mediation::Mediation;
pub use one_call::{SignMessageError, now, sign, verify, verify_blocking};
#[cfg(any(feature = "ring", feature = "aws-lc-rs"))]
pub use provider::provider;
pub use trusted_results::TrustedResults;
