//! Devices on top of each other: a bridge on its ports, a macvlan on its lower device. Never in a circle, and never so
//! many that a frame on its way through them would need more stack than there is.

use super::Device;
use crate::Kernel;
use crate::drivers::DevKind;
use crate::error::{Errno, Result};
use crate::types::DevId;

/// The most devices on top of each other.
const LEVELS: usize = 8;

impl Kernel {
    /// Whether `upper` (a device that is still to be made, where `None`) may stand on `lower`.
    ///
    /// `EBUSY`: `lower` stands on it already. `EMLINK`: that would be too high.
    pub(crate) fn may_nest(&self, lower: DevId, upper: Option<DevId>) -> Result<(), Errno> {
        if upper.is_some_and(|upper| self.stands_on(lower, upper, LEVELS)) {
            return Err(Errno::EBUSY);
        }
        let above = upper.map_or(1, |upper| self.height(upper, &Kernel::uppers, LEVELS));
        let below = self.height(lower, &Kernel::lowers, LEVELS);
        if above + below > LEVELS { Err(Errno::EMLINK) } else { Ok(()) }
    }

    /// The devices right below.
    pub(crate) fn lowers(&self, dev: DevId) -> Vec<DevId> {
        match self.devices.get(dev).map(|device| &device.kind) {
            Some(DevKind::Bridge(bridge)) => bridge.members().map(|(_, port)| port.dev).collect(),
            Some(DevKind::Macvlan(macvlan)) => vec![macvlan.lower],
            _ => Vec::new(),
        }
    }

    /// The devices right above.
    pub(crate) fn uppers(&self, dev: DevId) -> Vec<DevId> {
        let Some(Device { port, macvlans, .. }) = self.devices.get(dev) else { return Vec::new() };
        let macvlans = macvlans.iter().flat_map(|lower| lower.devices.iter().copied());
        port.map(|port| port.bridge).into_iter().chain(macvlans).collect()
    }

    fn stands_on(&self, dev: DevId, below: DevId, levels: usize) -> bool {
        dev == below || levels > 0 && self.lowers(dev).into_iter().any(|dev| self.stands_on(dev, below, levels - 1))
    }

    /// How many devices stand on top of each other in one direction, this one included.
    fn height(&self, dev: DevId, next: &dyn Fn(&Kernel, DevId) -> Vec<DevId>, levels: usize) -> usize {
        if levels == 0 {
            return 1;
        }
        1 + next(self, dev).into_iter().map(|dev| self.height(dev, next, levels - 1)).max().unwrap_or(0)
    }
}
