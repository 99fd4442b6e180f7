//! Frames into a bridge and into hosts.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| netloom_testkit::hostile::frames(bytes));
