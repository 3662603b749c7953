//! Runs [`dkim_fuzz::domainkeys_value`].
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| dkim_fuzz::domainkeys_value(data));
