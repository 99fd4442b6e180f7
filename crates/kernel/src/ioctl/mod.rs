//! The ioctls of sockets: netdevice(7), arp(7), routes, `SIOCBR…`, `SIOCETHTOOL`.

use crate::error::{Errno, Result};
use crate::types::NsId;
use crate::{Caller, Kernel};

/// Answers an ioctl on a socket of that domain. `argument` is the structure, `data` what a pointer in it points to.
/// `ENOTTY` where nobody knows the request.
pub(crate) fn handle(
    _kernel: &mut Kernel,
    _ns: NsId,
    _domain: i32,
    _request: u32,
    _argument: &mut [u8],
    _data: Option<&mut Vec<u8>>,
    _caller: &dyn Caller,
) -> Result<i32, Errno> {
    Err(Errno::ENOTTY)
}
