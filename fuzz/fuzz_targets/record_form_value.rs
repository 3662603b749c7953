//! Runs [`dkim_fuzz::record_form_value`].
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| dkim_fuzz::record_form_value(data));
