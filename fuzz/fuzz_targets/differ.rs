//! Runs [`dkim_fuzz::differ`].
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| dkim_fuzz::differ(data));
