//! The DKIM signer (RFC 6376 §5): a machine without socket, clock or key.
#![forbid(unsafe_code)]

mod fields;
mod long_lines;
mod request;
mod signer;
mod unsigned;

pub use fields::Fields;
pub use request::{
    BodyLength, Copies, Expiration, QueryMethod, Reports, Request, RequestError, Timestamp,
};
pub use signer::Signer;
pub use unsigned::{Unsigned, UnsignedError};
