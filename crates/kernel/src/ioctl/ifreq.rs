//! `struct ifreq`: a name of 16 bytes and a union of 24.

use crate::Kernel;
use crate::error::{Errno, Result};
use crate::types::{DevId, NsId};

/// Bytes of the name; the union starts behind them.
pub(crate) const NAME: usize = 16;

/// The name, up to its NUL.
pub(crate) fn name(argument: &[u8]) -> Result<&str, Errno> {
    let field = argument.get(..NAME).ok_or(Errno::EFAULT)?;
    let end = field.iter().position(|byte| *byte == 0).unwrap_or(NAME - 1);
    std::str::from_utf8(&field[..end]).map_err(|_| Errno::ENODEV)
}

/// The device that the name, without an alias behind a colon, stands for.
pub(crate) fn device(kernel: &Kernel, ns: NsId, argument: &[u8]) -> Result<DevId, Errno> {
    let name = name(argument)?;
    let name = name.split(':').next().unwrap_or_default();
    kernel.namespaces[ns].device_by_name(name).ok_or(Errno::ENODEV)
}

/// The union's first `N` bytes.
pub(crate) fn value<const N: usize>(argument: &[u8]) -> Result<[u8; N], Errno> {
    argument.get(NAME..).and_then(|union| union.first_chunk()).copied().ok_or(Errno::EFAULT)
}

/// Puts bytes at the front of the union.
pub(crate) fn set_value(argument: &mut [u8], bytes: &[u8]) -> Result<(), Errno> {
    argument.get_mut(NAME..NAME + bytes.len()).ok_or(Errno::EFAULT)?.copy_from_slice(bytes);
    Ok(())
}

/// The union as an `int`.
pub(crate) fn int(argument: &[u8]) -> Result<i32, Errno> {
    value(argument).map(i32::from_ne_bytes)
}
