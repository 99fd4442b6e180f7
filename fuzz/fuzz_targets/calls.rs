//! Any sequence of system calls, requests, frames, files and time.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| netloom_testkit::hostile::calls(bytes));
