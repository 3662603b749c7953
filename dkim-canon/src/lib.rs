//! DKIM canonicalization (RFC 6376 §3.4): octets in, canonical octets out, lent and never copied whole.
#![forbid(unsafe_code)]
