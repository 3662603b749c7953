//! Runs [`dkim_fuzz::rotation_state`].
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| dkim_fuzz::rotation_state(data));
