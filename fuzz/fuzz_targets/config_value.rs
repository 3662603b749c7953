//! Runs [`dkim_fuzz::config_value`].
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| dkim_fuzz::config_value(data));
