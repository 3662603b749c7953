//! Internet messages (RFC 5322) at arm's length: split into header fields and body without
//! changing an octet.
#![forbid(unsafe_code)]

pub mod address;
mod header;
mod header_buf;
pub mod lex;
mod split;

pub use address::{Address, AddressError, author_addresses};
pub use header::{Defect, DefectKind, Field, Fields, Header};
pub use header_buf::HeaderBuf;
pub use split::{HeaderTooLong, Splitter, split};
