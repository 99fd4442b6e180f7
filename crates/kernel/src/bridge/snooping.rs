//! The groups that the bridge's own device is a member of while it snoops: all snoopers (RFC 4286), to find multicast routers.

use crate::Kernel;
use crate::netdev::Device;
use crate::types::{DevId, MacAddr};

const ALL_SNOOPERS: [MacAddr; 2] = [MacAddr([0x01, 0, 0x5e, 0, 0, 0x6a]), MacAddr([0x33, 0x33, 0, 0, 0, 0x6a])];

fn snoops(kernel: &Kernel, bridge: DevId) -> bool {
    kernel.bridge(bridge).is_some_and(|it| it.parameters.multicast.snooping)
}

/// The bridge is up.
pub(super) fn join(kernel: &mut Kernel, bridge: DevId) {
    if snoops(kernel, bridge) {
        for group in ALL_SNOOPERS {
            kernel.add_multicast(bridge, group);
        }
    }
}

/// The bridge goes down.
pub(super) fn leave(kernel: &mut Kernel, bridge: DevId) {
    if snoops(kernel, bridge) {
        for group in ALL_SNOOPERS {
            kernel.remove_multicast(bridge, group);
        }
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
