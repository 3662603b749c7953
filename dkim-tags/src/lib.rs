//! The tag-list language of DKIM (RFC 6376 §3.2) and the DKIM-Signature field written in it (§3.5).
#![forbid(unsafe_code)]
