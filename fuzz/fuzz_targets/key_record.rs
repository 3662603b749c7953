//! Runs [`dkim_fuzz::key_record`].
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| dkim_fuzz::key_record(data));
