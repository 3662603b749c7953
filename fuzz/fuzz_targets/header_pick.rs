//! Runs [`dkim_fuzz::header_pick`].
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| dkim_fuzz::header_pick(data));
