//! Keys that change: a new one is published, proven and put to work, the old one retires, is revoked
//! and goes (RFC 5863 §3.5).
//!
//! Where each key stands is said in one file, and a step is taken when that file has been replaced:
//! whoever is stopped half-way finds it as it was, and does the rest again. All that is done between
//! two states can be done twice.

mod file;
mod fingerprint;
mod forecast;
mod hands;
mod late;
mod plan;
mod state;
mod step;

pub use self::file::{LockedState, StateFile, StateFileError};
pub use self::fingerprint::public_sha256;
pub use self::forecast::{Event, forecast};
pub use self::hands::{Done, Hands, Sharer};
#[cfg(test)]
pub(crate) use self::late::RotationFault;
pub use self::late::check_rotation;
pub use self::plan::{Plan, SelectorTemplate, TemplateError};
pub use self::state::{Phase, RotatedKey, RotationState, StateError, Transition};
pub use self::step::{Progress, RotationError, abort, revoke, step};
