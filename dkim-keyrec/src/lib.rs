//! DKIM key records (RFC 6376 §3.6.1): read, written, located.
#![forbid(unsafe_code)]

mod locate;
mod record;

pub use locate::record_name;
pub use record::{KeyRecord, KeyRecordError};
