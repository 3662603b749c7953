//! Authentication-Results (RFC 8601): the field's words, its writer, its parser, and which forged fields a border must delete.
#![forbid(unsafe_code)]
