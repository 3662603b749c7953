//! Runs [`dkim_fuzz::domainkeys_message`].
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| dkim_fuzz::domainkeys_message(data));
