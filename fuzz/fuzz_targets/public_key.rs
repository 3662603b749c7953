//! Runs [`dkim_fuzz::public_key`].
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| dkim_fuzz::public_key(data));
