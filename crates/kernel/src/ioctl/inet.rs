//! Addresses, routes and neighbours by ioctl.

use crate::Kernel;
use crate::error::{Errno, Result};
use crate::types::NsId;
use std::net::Ipv4Addr;

/// Every IPv4 address with the label it goes by.
pub(super) fn labelled_addresses(_kernel: &Kernel, _ns: NsId) -> Vec<(String, Ipv4Addr)> {
    Vec::new()
}

pub(super) fn ipv4(_: &mut Kernel, _: NsId, _request: u32, _argument: &mut [u8]) -> Result<i32, Errno> {
    Err(Errno::ENOTTY)
}

pub(super) fn ipv6(_: &mut Kernel, _: NsId, _request: u32, _argument: &mut [u8]) -> Result<i32, Errno> {
    Err(Errno::ENOTTY)
}
