//! Passing frames up: the host is one more receiver, behind the bridge's own device.

use crate::Kernel;
use crate::frame::{ETH_HLEN, Frame, PacketType};
use crate::types::DevId;

/// The bridge's own device receives a frame. Its byte counter leaves the Ethernet header out, as Linux's does.
///
/// To whom a frame is was decided at the port that received it: what is for the port is for the host, too.
pub(super) fn pass_up(kernel: &mut Kernel, bridge: DevId, mut frame: Frame) {
    if let Some(device) = kernel.devices.get_mut(bridge) {
        if frame.bytes().starts_with(&device.address.0) {
            frame.set_packet_type(PacketType::Host);
        }
        device.traffic.received(1, frame.len().saturating_sub(ETH_HLEN));
    }
    kernel.receive_typed(bridge, frame);
}

/// One more frame to a group.
pub(super) fn count_multicast(kernel: &mut Kernel, bridge: DevId) {
    if let Some(device) = kernel.devices.get_mut(bridge) {
        device.info.incidents.multicast += 1;
    }
}
