//! Runs [`dkim_fuzz::private_key`].
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| dkim_fuzz::private_key(data));
