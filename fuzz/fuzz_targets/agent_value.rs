//! Runs [`dkim_fuzz::agent_value`].
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| dkim_fuzz::agent_value(data));
