//! The groups that the bridge's own device is a member of while it snoops: all snoopers (RFC 4286), to find multicast routers.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::Kernel;
use crate::ipv4::igmp;
use crate::ipv6::groups;
use crate::netdev::Device;
use crate::types::DevId;

const ALL_SNOOPERS: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 106);
const ALL_SNOOPERS_V6: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0x6a);

fn snoops(kernel: &Kernel, bridge: DevId) -> bool {
    kernel.bridge(bridge).is_some_and(|it| it.parameters.multicast.snooping)
}

/// The bridge is up.
pub(super) fn join(kernel: &mut Kernel, bridge: DevId) {
    if snoops(kernel, bridge) {
        // A bridge without one of the protocols is in none of its groups.
        let _ = igmp::join(kernel, bridge, ALL_SNOOPERS);
        let _ = groups::join(kernel, bridge, ALL_SNOOPERS_V6);
    }
}

/// The bridge goes down.
pub(super) fn leave(kernel: &mut Kernel, bridge: DevId) {
    if snoops(kernel, bridge) {
        let _ = igmp::leave(kernel, bridge, ALL_SNOOPERS);
        let _ = groups::leave(kernel, bridge, ALL_SNOOPERS_V6);
    }
}

/// Turns snooping on or off.
pub(super) fn set(kernel: &mut Kernel, bridge: DevId, on: bool) {
    if snoops(kernel, bridge) == on {
        return;
    }
    let up = kernel.devices.get(bridge).is_some_and(Device::is_up);
    if up && !on {
        leave(kernel, bridge);
    }
    if let Some(it) = kernel.bridge_mut(bridge) {
        it.parameters.multicast.snooping = on;
    }
    if up && on {
        join(kernel, bridge);
    }
}
