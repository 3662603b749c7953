//! How fast the stack is, beside the limit that the cryptographic library sets.
//!
//! A [`Cell`] is one thing measured: our work, and the limit, which is what the library itself needs
//! for the same octets when everything else costs nothing. The benches measure all [`cells`].
#![forbid(unsafe_code)]

mod cells;
mod goal;
mod message;
#[cfg(feature = "peers")]
mod peers;
mod provider;
mod signing;
mod verifying;
mod work;

pub use cells::{Cell, cells};
pub use goal::Goal;
pub use work::{Pair, Work};
