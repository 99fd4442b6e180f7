//! Netlink datagrams to a small network.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| netloom_testkit::hostile::netlink(bytes));
