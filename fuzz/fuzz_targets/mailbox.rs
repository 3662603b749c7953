//! Runs [`dkim_fuzz::mailbox`].
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| dkim_fuzz::mailbox(data));
