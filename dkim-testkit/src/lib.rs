//! Vectors for tests: a message, a zone, a time and what is expected. Knows no other crate of the stack.
#![forbid(unsafe_code)]
