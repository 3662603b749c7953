//! Runs [`dkim_fuzz::assess`].
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| dkim_fuzz::assess(data));
