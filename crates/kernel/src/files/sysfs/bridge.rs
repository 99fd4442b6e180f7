//! `bridge/`, `brport/` and `brforward`.

use crate::Kernel;
use crate::error::{Errno, Result};
use crate::types::DevId;

/// Files of `bridge/` with their permissions.
pub(super) const ATTRIBUTES: &[(&str, u32)] = &[];
/// Files of `brport/` with their permissions.
pub(super) const PORT_ATTRIBUTES: &[(&str, u32)] = &[];

pub(super) fn attribute(_kernel: &Kernel, _dev: DevId, _name: &str) -> Option<String> {
    None
}

pub(super) fn set_attribute(_kernel: &mut Kernel, _dev: DevId, _name: &str, _text: &str) -> Result<(), Errno> {
    Err(Errno::EINVAL)
}

pub(super) fn port_attribute(_kernel: &Kernel, _dev: DevId, _name: &str) -> Option<String> {
    None
}

pub(super) fn set_port_attribute(_kernel: &mut Kernel, _dev: DevId, _name: &str, _text: &str) -> Result<(), Errno> {
    Err(Errno::EINVAL)
}

pub(super) fn forwarding_file(_kernel: &Kernel, _dev: DevId) -> Vec<u8> {
    Vec::new()
}
