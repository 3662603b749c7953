//! The DKIM verifier (RFC 6376 §6): a machine without socket, clock or runtime.
//!
#![doc = include_str!("../REASONS.md")]
#![forbid(unsafe_code)]

mod checks;
mod conclusion;
mod deviation;
mod key;
mod limit;
mod outcome;
mod policy;
mod reason;
mod verification;
mod verifier;

pub use deviation::Deviation;
pub use dkim_hash::Stance;
pub use key::KeyCache;
pub use limit::{Limit, Limits};
pub use outcome::Outcome;
pub use policy::{Policy, Treatment};
pub use reason::Reason;
pub use verification::{Verification, res_infos};
pub use verifier::Verifier;
