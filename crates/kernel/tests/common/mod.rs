//! For tests: a kernel, and a netlink conversation with it in bytes.

pub(crate) use netloom_testkit::netlink::*;
