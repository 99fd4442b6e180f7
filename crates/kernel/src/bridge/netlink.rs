//! Bridges over rtnetlink: their settings, those of their ports, and `AF_BRIDGE` requests.

use crate::Kernel;
use crate::error::{Errno, Result};
use crate::rtnetlink::attr::{Attr, Writer};
use crate::rtnetlink::dispatch::{Answer, Request};
use crate::types::DevId;

/// Writes what `IFLA_INFO_DATA` says about a bridge.
pub(crate) fn fill_info(_kernel: &Kernel, _bridge: DevId, _out: &mut Writer) {}

/// Writes what `IFLA_INFO_SLAVE_DATA` says about a port.
pub(crate) fn fill_port_info(_kernel: &Kernel, _port: DevId, _out: &mut Writer) {}

/// Changes a bridge as `IFLA_INFO_DATA` says.
pub(crate) fn change(_kernel: &mut Kernel, _bridge: DevId, _data: Attr<'_>) -> Result<()> {
    Ok(())
}

/// Changes a port as `IFLA_INFO_SLAVE_DATA` says.
pub(crate) fn change_port(_kernel: &mut Kernel, _port: DevId, _data: Attr<'_>) -> Result<()> {
    Ok(())
}

/// `RTM_GETLINK` with `AF_BRIDGE`: bridges and their ports.
pub(crate) fn dump_links(_kernel: &mut Kernel, _request: &Request<'_>) -> Result<Answer> {
    Err(Errno::EOPNOTSUPP.into())
}

/// `RTM_SETLINK` with `AF_BRIDGE`: a port's settings, VLANs.
pub(crate) fn set_link(_kernel: &mut Kernel, _request: &Request<'_>) -> Result<Answer> {
    Err(Errno::EOPNOTSUPP.into())
}

/// `RTM_DELLINK` with `AF_BRIDGE`: VLANs.
pub(crate) fn delete_link(_kernel: &mut Kernel, _request: &Request<'_>) -> Result<Answer> {
    Err(Errno::EOPNOTSUPP.into())
}

/// `RTM_NEWMDB`.
pub(crate) fn add_group(_kernel: &mut Kernel, _request: &Request<'_>) -> Result<Answer> {
    Err(Errno::EOPNOTSUPP.into())
}

/// `RTM_DELMDB`.
pub(crate) fn delete_group(_kernel: &mut Kernel, _request: &Request<'_>) -> Result<Answer> {
    Err(Errno::EOPNOTSUPP.into())
}

/// `RTM_GETMDB` for all bridges.
pub(crate) fn dump_groups(_kernel: &mut Kernel, _request: &Request<'_>) -> Result<Answer> {
    Err(Errno::EOPNOTSUPP.into())
}
