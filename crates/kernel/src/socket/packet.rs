//! Packet sockets (packet(7)): frames as they pass a device.

use crate::Kernel;
use crate::frame::{Frame, PacketType};
use crate::netdev::NetdevEvent;
use crate::types::{DevId, SocketId};

/// Shows a frame to the packet sockets that listen on a device; `except` is the socket that sent it.
pub(crate) fn tap(_kernel: &mut Kernel, _dev: DevId, _frame: &Frame, _as_type: PacketType, _except: Option<SocketId>) {}

/// Whether a packet socket on this device is bound to just this protocol.
pub(crate) fn is_bound_to(_kernel: &Kernel, _dev: DevId, _protocol: u16) -> bool {
    false
}

/// Something happened to a device: sockets bound to it are told, memberships end.
pub(crate) fn netdev_event(_kernel: &mut Kernel, _dev: DevId, _event: NetdevEvent) {}
