//! The DKIM verifier (RFC 6376 §6): a machine without socket, clock or runtime.
#![forbid(unsafe_code)]
