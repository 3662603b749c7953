//! Runs [`dkim_fuzz::sign_verify`].
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| dkim_fuzz::sign_verify(data));
