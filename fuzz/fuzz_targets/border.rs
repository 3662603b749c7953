//! Runs [`dkim_fuzz::border`].
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| dkim_fuzz::border(data));
