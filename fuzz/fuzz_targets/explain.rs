//! Runs [`dkim_fuzz::explain`].
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| dkim_fuzz::explain(data));
