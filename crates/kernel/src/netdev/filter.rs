//! The addresses beside its own that a device receives: its unicast and multicast filters.

use crate::Kernel;
use crate::drivers::macvlan;
use crate::error::{Errno, Result};
use crate::types::{DevId, MacAddr};

/// One address of a filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HwAddr {
    pub(crate) address: MacAddr,
    /// How many users it has.
    pub(crate) users: u32,
    /// Added by hand (`bridge fdb add … self`).
    pub(crate) global: bool,
}

/// A filter, oldest address first.
pub(crate) type FilterList = Vec<HwAddr>;

fn add(list: &mut FilterList, address: MacAddr, global: bool, exclusive: bool) -> Result<(), Errno> {
    if let Some(entry) = list.iter_mut().find(|entry| entry.address == address) {
        if exclusive || (global && entry.global) {
            return if exclusive { Err(Errno::EEXIST) } else { Ok(()) };
        }
        entry.users += 1;
        entry.global |= global;
    } else {
        if list.is_empty() {
            // Most stay as short as that.
            list.reserve_exact(2);
        }
        list.push(HwAddr { address, users: 1, global });
    }
    Ok(())
}

fn remove(list: &mut FilterList, address: MacAddr) -> Result<(), Errno> {
    let at = list.iter().position(|entry| entry.address == address).ok_or(Errno::ENOENT)?;
    list[at].users -= 1;
    if list[at].users == 0 {
        list.remove(at);
    }
    Ok(())
}

impl Kernel {
    /// Receives a group as well; each call is one user.
    pub(crate) fn add_multicast(&mut self, dev: DevId, address: MacAddr) {
        let Some(device) = self.devices.get_mut(dev) else { return };
        let known = device.info.multicast_filter.len();
        let _ = add(&mut device.info.multicast_filter, address, false, false);
        // Who receives for it has to receive that as well.
        if device.info.multicast_filter.len() > known
            && let Some(macvlan) = macvlan::attending(device)
        {
            self.add_multicast(macvlan.lower, address);
        }
    }

    /// One user of a group less.
    pub(crate) fn remove_multicast(&mut self, dev: DevId, address: MacAddr) {
        let Some(device) = self.devices.get_mut(dev) else { return };
        let known = device.info.multicast_filter.len();
        let _ = remove(&mut device.info.multicast_filter, address);
        if device.info.multicast_filter.len() < known
            && let Some(macvlan) = macvlan::attending(device)
        {
            self.remove_multicast(macvlan.lower, address);
        }
    }

    /// Receives another address as well; each call is one user.
    pub(crate) fn add_unicast(&mut self, dev: DevId, address: MacAddr) {
        if let Some(device) = self.devices.get_mut(dev) {
            let _ = add(&mut device.info.unicast_filter, address, false, false);
            self.update_filter_promiscuity(dev);
        }
    }

    /// One user of an address less.
    pub(crate) fn remove_unicast(&mut self, dev: DevId, address: MacAddr) {
        if let Some(device) = self.devices.get_mut(dev) {
            let _ = remove(&mut device.info.unicast_filter, address);
            self.update_filter_promiscuity(dev);
        }
    }

    /// Adds an address to a filter by hand. `EEXIST` where it is in it already.
    pub(crate) fn add_filter_by_hand(&mut self, dev: DevId, address: MacAddr) -> Result<(), Errno> {
        let device = self.devices.get_mut(dev).ok_or(Errno::ENODEV)?;
        if address.is_multicast() {
            return add(&mut device.info.multicast_filter, address, true, true);
        }
        add(&mut device.info.unicast_filter, address, true, true)?;
        self.update_filter_promiscuity(dev);
        Ok(())
    }

    /// Takes it out again. `ENOENT` where it isn't in it.
    pub(crate) fn remove_filter_by_hand(&mut self, dev: DevId, address: MacAddr) -> Result<(), Errno> {
        let device = self.devices.get_mut(dev).ok_or(Errno::ENODEV)?;
        if address.is_multicast() {
            return remove(&mut device.info.multicast_filter, address);
        }
        remove(&mut device.info.unicast_filter, address)?;
        self.update_filter_promiscuity(dev);
        Ok(())
    }

    /// None of the virtual devices filters: an address in the unicast filter makes them promiscuous, from when they are
    /// up. Nobody is told.
    pub(super) fn update_filter_promiscuity(&mut self, dev: DevId) {
        let Some(device) = self.devices.get_mut(dev).filter(|device| device.is_up()) else { return };
        let info = &mut device.info;
        let wanted = !info.unicast_filter.is_empty();
        if wanted != info.filter_promiscuity {
            info.filter_promiscuity = wanted;
            self.count_promiscuity(dev, if wanted { 1 } else { -1 });
        }
    }
}
