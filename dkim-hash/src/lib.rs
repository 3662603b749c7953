//! The two hashes of DKIM (RFC 6376 §3.7) and the choice of field instances (§5.4.2).
#![forbid(unsafe_code)]

mod body;
mod input;
mod pick;
mod places;

pub use body::{BodyHash, BodyHashRequest, BodyHasher, BodyHashes, Stance};
pub use input::{HeaderInputs, close_input};
pub use pick::FieldIndex;
