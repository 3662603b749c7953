//! Internet messages (RFC 5322) at arm's length: split into header fields and body without changing an octet.
#![forbid(unsafe_code)]

pub mod address;
pub mod lex;

pub use address::{Address, AddressError, author_addresses};
