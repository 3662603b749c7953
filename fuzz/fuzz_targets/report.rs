//! Runs [`dkim_fuzz::report`].
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| dkim_fuzz::report(data));
