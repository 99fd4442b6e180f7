//! Passing frames up: the host is one more receiver, behind the bridge's own device.

use crate::Kernel;
use crate::frame::{ETH_HLEN, Frame, PacketType};
use crate::types::DevId;

/// The bridge's own device receives a frame. Its byte counter leaves the Ethernet header out, as Linux's does.
pub(super) fn pass_up(kernel: &mut Kernel, bridge: DevId, frame: Frame) {
    if let Some(device) = kernel.devices.get_mut(bridge) {
        device.stats.rx_packets += 1;
        device.stats.rx_bytes += frame.len().saturating_sub(ETH_HLEN) as u64;
    }
    if frame.packet_type == PacketType::Host {
        // It was for the port's own address, and so for this host.
        kernel.receive_typed(bridge, frame);
    } else {
        kernel.receive_frame(bridge, frame);
    }
}

/// One more frame to a group.
pub(super) fn count_multicast(kernel: &mut Kernel, bridge: DevId) {
    if let Some(device) = kernel.devices.get_mut(bridge) {
        device.stats.multicast += 1;
    }
}
