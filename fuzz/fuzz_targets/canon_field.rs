//! Runs [`dkim_fuzz::canon_field`].
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| dkim_fuzz::canon_field(data));
