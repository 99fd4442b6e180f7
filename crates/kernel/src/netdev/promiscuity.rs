//! Promiscuous and allmulticast mode: counters of reasons, with a log line when the mode itself changes.
//!
//! A device is promiscuous as long as anybody has a reason: the administrator's flag (once), a bridge it is a port of,
//! each packet socket that asked for it, an address in the unicast filter of a device that can't filter.

use super::DevFlags;
use crate::Kernel;
use crate::drivers::macvlan;
use crate::types::DevId;

impl Kernel {
    /// Adds `change` (1 or -1) reasons for promiscuous mode; the listeners are told when the mode itself changes.
    pub(crate) fn add_promiscuity(&mut self, dev: DevId, change: i32) {
        if self.count_promiscuity(dev, change) {
            self.notify_link(dev, DevFlags::PROMISC);
        }
    }

    /// The same without telling; whether the mode has changed.
    pub(super) fn count_promiscuity(&mut self, dev: DevId, change: i32) -> bool {
        let Some(device) = self.devices.get_mut(dev) else { return false };
        let count = &mut device.info.promiscuity;
        *count = count.saturating_add_signed(change);
        let on = *count > 0;
        if on == device.flags.contains(DevFlags::PROMISC) {
            return false;
        }
        device.flags.set(DevFlags::PROMISC, on);
        let name = self.log_name(dev);
        self.info(if on {
            format!("{name}: entered promiscuous mode")
        } else {
            format!("{name}: left promiscuous mode")
        });
        macvlan::mode_changed(self, dev, DevFlags::PROMISC, if on { 1 } else { -1 });
        true
    }

    /// Adds `change` (1 or -1) reasons for receiving every group. Nobody is told: rtnetlink shows only what the administrator asked for.
    pub(crate) fn add_allmulti(&mut self, dev: DevId, change: i32) {
        let Some(device) = self.devices.get_mut(dev) else { return };
        let count = &mut device.info.allmulti;
        *count = count.saturating_add_signed(change);
        let on = *count > 0;
        if on == device.flags.contains(DevFlags::ALLMULTI) {
            return;
        }
        device.flags.set(DevFlags::ALLMULTI, on);
        let name = self.log_name(dev);
        self.info(if on {
            format!("{name}: entered allmulticast mode")
        } else {
            format!("{name}: left allmulticast mode")
        });
        macvlan::mode_changed(self, dev, DevFlags::ALLMULTI, if on { 1 } else { -1 });
    }

    /// What the log calls a device: its name, with a note while it is being taken away.
    pub(crate) fn log_name(&self, dev: DevId) -> String {
        let Some(device) = self.devices.get(dev) else { return String::new() };
        let note = if self.is_unregistering(dev) { " (unregistering)" } else { "" };
        format!("{}{note}", device.name)
    }
}
