//! Runs [`dkim_fuzz::verify_message`].
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| dkim_fuzz::verify_message(data));
