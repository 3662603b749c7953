//! Runs [`dkim_fuzz::tag_list`].
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| dkim_fuzz::tag_list(data));
