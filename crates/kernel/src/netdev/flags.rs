//! `IFF_…`, the flags of a device.

use super::{Device, NetdevEvent, OperState};
use crate::Kernel;
use crate::error::{Errno, Result};
use crate::types::DevId;

bitflags::bitflags! {
    /// Interface flags, with Linux's numbers.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub(crate) struct DevFlags: u32 {
        const UP = 1;
        const BROADCAST = 1 << 1;
        const DEBUG = 1 << 2;
        const LOOPBACK = 1 << 3;
        const POINTOPOINT = 1 << 4;
        const NOTRAILERS = 1 << 5;
        const RUNNING = 1 << 6;
        const NOARP = 1 << 7;
        const PROMISC = 1 << 8;
        const ALLMULTI = 1 << 9;
        const MASTER = 1 << 10;
        const SLAVE = 1 << 11;
        const MULTICAST = 1 << 12;
        const PORTSEL = 1 << 13;
        const AUTOMEDIA = 1 << 14;
        const DYNAMIC = 1 << 15;
        const LOWER_UP = 1 << 16;
        const DORMANT = 1 << 17;
        const ECHO = 1 << 18;
        /// What a request may change besides `UP`, `PROMISC` and `ALLMULTI`.
        const SETTABLE = (1 << 2) | (1 << 5) | (1 << 7) | (1 << 15) | (1 << 12) | (1 << 13) | (1 << 14);
    }
}

impl Device {
    /// The flags as netlink and ioctls show them: what was asked for, and what the state adds.
    pub(crate) fn visible_flags(&self) -> DevFlags {
        let requested = self.info.requested_flags & (DevFlags::PROMISC | DevFlags::ALLMULTI);
        let hidden =
            DevFlags::PROMISC | DevFlags::ALLMULTI | DevFlags::RUNNING | DevFlags::LOWER_UP | DevFlags::DORMANT;
        let mut flags = (self.flags & !hidden) | requested;
        if self.is_up() {
            if matches!(self.info.operstate, OperState::Up | OperState::Unknown) {
                flags |= DevFlags::RUNNING;
            }
            if self.carrier {
                flags |= DevFlags::LOWER_UP;
            }
            if self.info.operstate == OperState::Dormant {
                flags |= DevFlags::DORMANT;
            }
        }
        flags
    }
}

impl Kernel {
    /// Sets a device's flags to `wanted` (`ip link set`, `SIOCSIFFLAGS`, `/sys/class/net/X/flags`): up and down,
    /// promiscuous and allmulticast mode by hand, and the rest of what can be set.
    pub(crate) fn change_flags(&mut self, dev: DevId, wanted: DevFlags) -> Result<()> {
        let device = self.devices.get(dev).ok_or(Errno::ENODEV)?;
        let old = device.flags;
        let old_requested = device.info.requested_flags;
        let mode = DevFlags::PROMISC | DevFlags::ALLMULTI;

        let device = &mut self.devices[dev];
        let kept = DevFlags::UP | DevFlags::PROMISC | DevFlags::ALLMULTI;
        device.flags = (wanted & DevFlags::SETTABLE) | (old & (kept | !DevFlags::SETTABLE));
        if (old ^ wanted).contains(DevFlags::UP) {
            if wanted.contains(DevFlags::UP) { self.open_device(dev)? } else { self.close_device(dev) }
        }
        if (old_requested ^ wanted).contains(DevFlags::PROMISC) {
            let on = wanted.contains(DevFlags::PROMISC);
            self.devices[dev].info.requested_flags.set(DevFlags::PROMISC, on);
            self.count_promiscuity(dev, if on { 1 } else { -1 });
        }
        if (old_requested ^ wanted).contains(DevFlags::ALLMULTI) {
            let on = wanted.contains(DevFlags::ALLMULTI);
            self.devices[dev].info.requested_flags.set(DevFlags::ALLMULTI, on);
            self.add_allmulti(dev, if on { 1 } else { -1 });
        }

        let Some(device) = self.devices.get(dev) else { return Ok(()) };
        let changed = (old ^ device.flags) | ((old_requested ^ device.info.requested_flags) & mode);
        // Up and down have told of themselves.
        let untold = changed & !DevFlags::UP;
        if !untold.is_empty() {
            self.notify_link(dev, untold);
            let others = !(untold & !mode).is_empty();
            if others && self.devices[dev].is_up() && !changed.contains(DevFlags::UP) {
                self.netdev_event(dev, NetdevEvent::Change);
            }
        }
        Ok(())
    }

    /// Brings a device up, if it is not.
    pub(crate) fn open_device(&mut self, dev: DevId) -> Result<()> {
        if self.devices.get(dev).ok_or(Errno::ENODEV)?.is_up() {
            return Ok(());
        }
        self.driver_open(dev)?;
        let device = &mut self.devices[dev];
        device.flags |= DevFlags::UP;
        device.info.activated = true;
        self.update_filter_promiscuity(dev);
        self.notify_link(dev, DevFlags::UP | DevFlags::RUNNING);
        self.netdev_event(dev, NetdevEvent::Up);
        Ok(())
    }

    /// Takes a device down, if it is up.
    pub(crate) fn close_device(&mut self, dev: DevId) {
        if !self.devices.get(dev).is_some_and(Device::is_up) {
            return;
        }
        self.netdev_event(dev, NetdevEvent::GoingDown);
        self.driver_close(dev);
        self.devices[dev].flags.remove(DevFlags::UP);
        self.notify_link(dev, DevFlags::UP | DevFlags::RUNNING);
        self.netdev_event(dev, NetdevEvent::Down);
    }
}
