//! Author Domain Signing Practices (RFC 5617, Historic): the record and its lookup.
#![forbid(unsafe_code)]
