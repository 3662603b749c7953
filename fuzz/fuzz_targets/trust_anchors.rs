//! Runs [`dkim_fuzz::trust_anchors`].
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| dkim_fuzz::trust_anchors(data));
