//! Runs [`dkim_fuzz::tsig_key`].
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| dkim_fuzz::tsig_key(data));
