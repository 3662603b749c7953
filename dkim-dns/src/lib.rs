//! DNS questions as plain data, and the drivers that carry them there and back.
#![forbid(unsafe_code)]

mod query;

pub use query::{Answer, Dnssec, Found, Inquirer, LookupError, Query, QueryId, QueryKind, Record};
