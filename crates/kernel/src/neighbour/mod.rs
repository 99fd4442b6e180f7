//! Neighbours: who has which IP address on a link, and how sure we are (RFC 4861's states, for ARP too).

pub(crate) mod arp;

use std::net::IpAddr;

use crate::Kernel;
use crate::drop_reason::DropReason;
use crate::frame::Frame;
use crate::netdev::NetdevEvent;
use crate::types::{DevId, NsId};

/// A namespace's neighbours, IPv4 and IPv6.
#[derive(Debug, Default)]
pub(crate) struct Tables {}

/// Something happened to a device.
pub(crate) fn netdev_event(_kernel: &mut Kernel, _dev: DevId, _event: NetdevEvent) {}

/// An entry's next step is due.
pub(crate) fn timer(_kernel: &mut Kernel, _ns: NsId, _entry: u64) {}

/// Sends a packet to a neighbour: `frame` is complete but for its Ethernet addresses. It waits in the neighbour's queue while
/// that is being asked for.
pub(crate) fn output(kernel: &mut Kernel, _dev: DevId, _next_hop: IpAddr, frame: Frame) -> Result<(), DropReason> {
    kernel.drop_frame(frame, DropReason::NeighFailed);
    Err(DropReason::NeighFailed)
}
