//! Runs [`dkim_fuzz::opendkim`].
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| dkim_fuzz::opendkim(data));
