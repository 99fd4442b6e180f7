//! The bridge's MTU: the lowest of its ports', unless somebody has set one.

use crate::Kernel;
use crate::frame::ETH_HLEN;
use crate::netdev::PortRef;
use crate::types::DevId;

/// The longest frame that fits a port: its MTU, the Ethernet header and one 802.1Q tag.
pub(super) fn longest_frame(mtu: u32) -> u32 {
    mtu.saturating_add(ETH_HLEN as u32 + 4)
}

/// Brings the bridge's MTU into line with its ports'.
pub(super) fn adjust(kernel: &mut Kernel, bridge: DevId) {
    let Some(it) = kernel.bridge(bridge) else { return };
    if it.parameters.mtu_by_hand {
        return;
    }
    // From what stands with the ports: looking at a thousand devices takes ten times as long.
    let lowest = it.ports.iter().flatten().map(|port| port.longest.saturating_sub(longest_frame(0))).min();
    set_adjusting(kernel, bridge, true);
    // Ports may have MTUs that no bridge can have; it stays as it is then.
    let _ = kernel.set_mtu(bridge, lowest.unwrap_or(1500));
    set_adjusting(kernel, bridge, false);
}

fn set_adjusting(kernel: &mut Kernel, bridge: DevId, adjusting: bool) {
    if let Some(it) = kernel.bridge_mut(bridge) {
        it.adjusting_mtu = adjusting;
    }
}

/// The bridge has another MTU.
pub(super) fn changed_on_bridge(kernel: &mut Kernel, bridge: DevId) {
    if let Some(it) = kernel.bridge_mut(bridge) {
        it.parameters.mtu_by_hand |= !it.adjusting_mtu;
    }
}

/// A port has another MTU.
pub(super) fn changed_on_port(kernel: &mut Kernel, dev: DevId, member: PortRef) {
    let Some(mtu) = kernel.devices.get(dev).map(|device| device.mtu) else { return };
    if let Some(port) = kernel.bridge_mut(member.bridge).and_then(|it| it.port_mut(member.number)) {
        port.longest = longest_frame(mtu);
    }
    adjust(kernel, member.bridge);
}
