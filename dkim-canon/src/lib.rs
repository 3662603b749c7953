//! DKIM canonicalization (RFC 6376 §3.4): octets in, canonical octets out, lent and never copied whole.
//!
//! | | header fields | body |
//! | --- | --- | --- |
//! | `simple` | §3.4.1 | §3.4.3 |
//! | `relaxed` | §3.4.2 | §3.4.4 |
//!
//! Nothing here can fail: every octet sequence has a canonical form. A line end is CRLF and white
//! space is SP and TAB (§2.8); a bare CR, a bare LF, NUL, form feed or a no-break space is an octet
//! like any other and comes out as it went in. Whether such a message deserves a signature is for
//! the caller to say.
#![forbid(unsafe_code)]

mod body;
mod canonicalization;
mod field;
mod gather;
mod scan;
mod shared;

pub use body::BodyCanonicalizer;
pub use canonicalization::Canonicalization;
pub use field::{write_field, write_field_body};
pub use shared::body_slices;
