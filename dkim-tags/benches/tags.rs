//! Benchmarks, to be filled.
fn main() {}
