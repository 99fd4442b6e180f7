//! Ports are promiscuous: a bridge has to see every frame, and every group.
//!
//! Linux lets some ports off when VLANs are filtered and at most one port learns or floods, and only where the device can filter
//! addresses itself. No device here can, so that every port is promiscuous for as long as it is a port.

use crate::Kernel;
use crate::types::DevId;

/// A device that becomes a port receives every group.
pub(super) fn join_groups(kernel: &mut Kernel, dev: DevId) {
    kernel.add_allmulti(dev, 1);
}

/// One that could not become a port gives that back.
pub(super) fn leave_groups(kernel: &mut Kernel, dev: DevId) {
    kernel.add_allmulti(dev, -1);
}

/// And every frame.
pub(super) fn join(kernel: &mut Kernel, dev: DevId) {
    kernel.add_promiscuity(dev, 1);
}

/// A port that leaves gives both back.
pub(super) fn leave(kernel: &mut Kernel, dev: DevId) {
    kernel.add_allmulti(dev, -1);
    kernel.add_promiscuity(dev, -1);
}
