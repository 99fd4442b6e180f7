//! 01:80:c2:00:00:00 to …:0f: what bridges say to each other, which no bridge forwards unless it is told to (IEEE 802.1D, 7.12.6).

use super::arrival::Arrival;
use super::parameters::Stp;
use super::ticks;
use super::{input::forward_link_local, learning};
use crate::Kernel;
use crate::drop_reason::DropReason;
use crate::frame::Frame;
use crate::netdev::PortRef;

/// The sixteen addresses without their last four bits.
pub(super) const RANGE: u64 = 0x0180_c200_0000;

/// The bridge group address: BPDUs.
const BRIDGE_GROUP: u32 = 0;
/// PAUSE frames end at the next station.
const PAUSE: u32 = 1;

/// A frame to one of them.
pub(super) fn input(kernel: &mut Kernel, member: PortRef, frame: Frame, arrival: &Arrival) {
    let last = (arrival.addresses.destination & 0xf) as u32;
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
        return forward_link_local(kernel, member, frame, arrival);
    }
    let source = it.fdb.seek(arrival.source().key);
    let learned = it.learn_only(member.number, source, now);
    learning::report(kernel, member, source.key, learned);
    // For the port itself: the spanning tree, LLDP and their like listen there.
    kernel.deliver(arrival.dev, frame, false);
}
