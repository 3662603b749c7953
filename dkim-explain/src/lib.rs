//! Why a DKIM signature does not verify: what was hashed, and which change on the way, undone,
//! makes it right.
//!
//! [`explain`] tries what relays, lists and signers are known to do to a message. What it names
//! suffices: the body hash fits, or the key verifies the header, once the change is undone. [`diff`]
//! compares a message as it was signed with the same message as it arrived, and [`relayed`] tells
//! what a mailing list does to its signatures.
#![forbid(unsafe_code)]

mod body;
mod copies;
mod diff;
mod explanation;
mod header;
mod input;
mod key;
mod relay;

pub use body::{BodyChange, BodyFinding, Place};
pub use copies::CopyDifference;
pub use diff::{Difference, FieldDifference, LineDifference, diff};
pub use explanation::{Explanation, MAX_EXPLAINED, explain};
pub use header::{FieldChange, FieldChangeKind, HeaderChange, HeaderFinding};
pub use input::{HashInput, HashedField};
pub use key::KeyFit;
pub use relay::{Fate, Relayed, relayed};
