//! A device's own MAC address.

use super::{AddrAssign, DevFlags, NetdevEvent};
use crate::Kernel;
use crate::drivers::{DevKind, macvlan};
use crate::error::{Errno, Result};
use crate::types::{DevId, MacAddr};

impl Kernel {
    /// A random, locally administered unicast address.
    pub(crate) fn random_mac(&mut self) -> MacAddr {
        let mut bytes = [0; 6];
        bytes.fill_with(|| self.address_rng.u8(..));
        bytes[0] = (bytes[0] & 0xfe) | 0x02;
        MacAddr(bytes)
    }

    /// Sets a device's address by hand.
    pub(crate) fn set_address(&mut self, dev: DevId, address: MacAddr) -> Result<()> {
        let device = self.devices.get_mut(dev).ok_or(Errno::ENODEV)?;
        if !device.kind.has_address() {
            return Err(Errno::EOPNOTSUPP.into());
        }
        if !address.is_valid_unicast() {
            return Err(Errno::EADDRNOTAVAIL.into());
        }
        macvlan::may_have_address(self, dev, address)?;
        self.devices[dev].info.addr_assign = AddrAssign::Set;
        self.change_address(dev, address);
        if matches!(self.devices[dev].kind, DevKind::Bridge(_)) {
            crate::bridge::address_set_by_hand(self, dev, address);
        }
        Ok(())
    }

    /// Gives a device another address and tells whom it concerns.
    pub(crate) fn change_address(&mut self, dev: DevId, address: MacAddr) {
        let Some(device) = self.devices.get_mut(dev) else { return };
        let old = std::mem::replace(&mut device.address, address);
        let changed = old != address;
        if changed {
            macvlan::address_changed(self, dev, old);
        }
        self.notify_link(dev, DevFlags::empty());
        if changed {
            self.netdev_event(dev, NetdevEvent::ChangeAddress);
        }
    }
}
