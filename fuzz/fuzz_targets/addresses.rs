//! Runs [`dkim_fuzz::addresses`].
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| dkim_fuzz::addresses(data));
