//! DKIM, whole: sign and verify in three lines, and every crate of the stack under one roof.
#![forbid(unsafe_code)]
