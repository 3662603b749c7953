//! Runs [`dkim_fuzz::signature`].
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| dkim_fuzz::signature(data));
