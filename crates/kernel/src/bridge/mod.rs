//! The bridge: a learning switch (IEEE 802.1D) whose ports are devices and whose own device is the host's port on it.

use crate::Kernel;
use crate::drivers::Profile;
use crate::drop_reason::DropReason;
use crate::error::Result;
use crate::frame::Frame;
use crate::netdev::{DevFlags, NetdevEvent, PortRef};
use crate::types::{DevId, MacAddr};

/// A bridge's own state.
#[derive(Debug, Default)]
pub(crate) struct Bridge {}

pub(crate) fn profile() -> Profile {
    Profile {
        flags: DevFlags::BROADCAST | DevFlags::MULTICAST,
        mtu: 1500,
        min_mtu: 68,
        max_mtu: 65_535,
        queues: 1,
        tso_max_size: 65_536,
    }
}

/// The bridge device goes up.
pub(crate) fn open(_kernel: &mut Kernel, _bridge: DevId) {}

/// The bridge device goes down.
pub(crate) fn close(_kernel: &mut Kernel, _bridge: DevId) {}

/// The bridge is about to go away: it lets go of its ports.
pub(crate) fn uninit(_kernel: &mut Kernel, _bridge: DevId) {}

/// Makes `dev` a port of `bridge`.
pub(crate) fn add_port(_kernel: &mut Kernel, _bridge: DevId, _dev: DevId) -> Result<()> {
    Ok(())
}

/// Takes a port out of its bridge.
pub(crate) fn remove_port(_kernel: &mut Kernel, _dev: DevId) {}

/// Somebody gave the bridge device an address: it no longer follows its ports.
pub(crate) fn address_set_by_hand(_kernel: &mut Kernel, _bridge: DevId, _address: MacAddr) {}

/// A frame received by a port.
pub(crate) fn input(kernel: &mut Kernel, _dev: DevId, _port: PortRef, frame: Frame) {
    kernel.drop_frame(frame, DropReason::BridgePortDisabled);
}

/// A frame that the host sends through the bridge device.
pub(crate) fn transmit(kernel: &mut Kernel, _bridge: DevId, frame: Frame) -> Result<(), DropReason> {
    kernel.drop_frame(frame, DropReason::BridgeNoEgress);
    Err(DropReason::BridgeNoEgress)
}

/// Something happened to a device: a bridge, a port, or another.
pub(crate) fn netdev_event(_kernel: &mut Kernel, _dev: DevId, _event: NetdevEvent) {}

/// Aged entries are due for removal.
pub(crate) fn age(_kernel: &mut Kernel, _bridge: DevId) {}

/// One of the bridge's own timers is due.
pub(crate) fn timer(_kernel: &mut Kernel, _bridge: DevId, _what: u32) {}
