//! 01:80:c2:00:00:00 to …:0f: what bridges say to each other, which no bridge forwards unless it is told to (IEEE 802.1D, 7.12.6).

use super::fdb::Key;
use super::input::{self, Addresses};
use super::learning;
use super::parameters::Stp;
use super::ticks;
use crate::Kernel;
use crate::drop_reason::DropReason;
use crate::frame::Frame;
use crate::netdev::PortRef;
use crate::types::DevId;

/// The sixteen addresses without their last four bits.
pub(super) const RANGE: u64 = 0x0180_c200_0000;

/// The bridge group address: BPDUs.
const BRIDGE_GROUP: u32 = 0;
/// PAUSE frames end at the next station.
const PAUSE: u32 = 1;

/// A frame to one of them.
pub(super) fn input(kernel: &mut Kernel, dev: DevId, member: PortRef, frame: Frame, addresses: &Addresses) {
    let last = (addresses.destination & 0xf) as u32;
    let now = ticks(kernel.now);
    let Some(it) = kernel.bridge_mut(member.bridge) else {
        return kernel.drop_frame(frame, DropReason::BridgePortDisabled);
    };
    let port_mask = it.port(member.number).map_or(0, |port| port.group_fwd_mask);
    let forwarded = (port_mask | it.group_fwd_mask) >> last & 1 != 0;
    let without_stp = last == BRIDGE_GROUP && it.parameters.stp == Stp::Off;
    if last == PAUSE {
        return kernel.drop_frame(frame, DropReason::BridgeLinkLocal);
    }
    if forwarded || without_stp {
        return input::forward_link_local(kernel, dev, member, frame, addresses);
    }
    let source = Key::from_bits(addresses.source, 0);
    let learned = it.learn_only(member.number, source, now);
    learning::report(kernel, member, source, learned);
    // For the port itself: the spanning tree, LLDP and their like listen there.
    kernel.deliver(dev, frame, false);
}
