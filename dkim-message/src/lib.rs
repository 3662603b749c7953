//! Internet messages (RFC 5322) at arm's length: split into header fields and body without
//! changing an octet.
#![forbid(unsafe_code)]

mod header;
mod split;

pub use header::{Defect, DefectKind, Field, Header, HeaderBuf};
pub use split::{HeaderTooLong, Splitter, split};
