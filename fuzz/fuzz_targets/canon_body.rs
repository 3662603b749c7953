//! Runs [`dkim_fuzz::canon_body`].
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| dkim_fuzz::canon_body(data));
