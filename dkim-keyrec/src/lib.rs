//! DKIM key records (RFC 6376 §3.6.1): read, written, located.
#![forbid(unsafe_code)]
