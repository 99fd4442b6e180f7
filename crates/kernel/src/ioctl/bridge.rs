//! Bridges by ioctl, as brctl makes them.

use crate::Kernel;
use crate::error::{Errno, Result};
use crate::types::NsId;

pub(super) fn handle(
    _kernel: &mut Kernel,
    _ns: NsId,
    _request: u32,
    _argument: &mut [u8],
    _data: Option<&mut Vec<u8>>,
) -> Result<i32, Errno> {
    Err(Errno::ENOTTY)
}
