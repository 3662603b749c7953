//! Runs [`dkim_fuzz::zone_file`].
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| dkim_fuzz::zone_file(data));
