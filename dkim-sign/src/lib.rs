//! The DKIM signer (RFC 6376 §5): a machine without socket, clock or key.
#![forbid(unsafe_code)]
