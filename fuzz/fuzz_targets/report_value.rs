//! Runs [`dkim_fuzz::report_value`].
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| dkim_fuzz::report_value(data));
