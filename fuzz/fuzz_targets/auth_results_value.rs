//! Runs [`dkim_fuzz::auth_results_value`].
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| dkim_fuzz::auth_results_value(data));
