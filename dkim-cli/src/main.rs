//! The `dkim` command.
#![forbid(unsafe_code)]
fn main() {}
