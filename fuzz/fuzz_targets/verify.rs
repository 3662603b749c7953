//! Runs [`dkim_fuzz::verify`].
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| dkim_fuzz::verify(data));
