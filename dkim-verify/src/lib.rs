//! The DKIM verifier (RFC 6376 §6): a machine without socket, clock or runtime.
#![forbid(unsafe_code)]

mod checks;
mod outcome;
mod policy;
mod verification;
mod verifier;

pub use dkim_hash::Stance;
pub use outcome::{Deviation, Limit, Outcome};
pub use policy::{Limits, Policy, Treatment};
pub use verification::Verification;
pub use verifier::Verifier;
