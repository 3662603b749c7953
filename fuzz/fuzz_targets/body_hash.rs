//! Runs [`dkim_fuzz::body_hash`].
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| dkim_fuzz::body_hash(data));
