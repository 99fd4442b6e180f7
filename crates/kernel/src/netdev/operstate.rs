//! Carrier and operational state (RFC 2863), and the link events that bring one into line with the other.
//!
//! A change of carrier is noted at once and acted upon when the system call that caused it is done, as Linux's
//! linkwatch does: only then is the operational state computed and everybody told.

use super::{DevFlags, NetdevEvent};
use crate::Kernel;
use crate::types::DevId;

/// `IF_OPER_…` of RFC 2863, with Linux's numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum OperState {
    #[default]
    Unknown = 0,
    Down = 2,
    LowerLayerDown = 3,
    Dormant = 5,
    Up = 6,
}

impl OperState {
    /// The word in `/sys/class/net/X/operstate`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            OperState::Unknown => "unknown",
            OperState::Down => "down",
            OperState::LowerLayerDown => "lowerlayerdown",
            OperState::Dormant => "dormant",
            OperState::Up => "up",
        }
    }
}

impl Kernel {
    /// Sets or takes away the carrier.
    pub(crate) fn set_carrier(&mut self, dev: DevId, carrier: bool) {
        let Some(device) = self.devices.get_mut(dev) else { return };
        if device.carrier == carrier {
            return;
        }
        device.carrier = carrier;
        if carrier {
            device.info.carrier_up_count += 1
        } else {
            device.info.carrier_down_count += 1
        }
        self.link_event(dev);
    }

    /// Has the link state of a device looked at when the current system call is done.
    pub(crate) fn link_event(&mut self, dev: DevId) {
        if !self.link_events.contains(&dev) {
            self.link_events.push_back(dev);
        }
    }

    /// Acts on every pending link event.
    #[inline]
    pub(crate) fn run_link_events(&mut self) {
        if !self.link_events.is_empty() {
            self.act_on_link_events();
        }
    }

    fn act_on_link_events(&mut self) {
        while let Some(dev) = self.link_events.pop_front() {
            self.update_operstate(dev);
            let Some(device) = self.devices.get(dev) else { continue };
            if device.is_up() {
                self.netdev_event(dev, NetdevEvent::Change);
                self.notify_link(dev, DevFlags::empty());
            }
        }
    }

    /// Brings the operational state into line with the carrier.
    pub(crate) fn update_operstate(&mut self, dev: DevId) {
        let Some(device) = self.devices.get(dev) else { return };
        let state = if device.carrier {
            if device.info.link_mode == 1 && device.info.operstate != OperState::Up {
                OperState::Dormant
            } else {
                OperState::Up
            }
        } else {
            // Linux looks the lower device's index up in the upper device's own namespace, wherever the lower one is.
            let lower = self.lower_ifindex(dev).filter(|lower| *lower != device.ifindex);
            let lower = lower.and_then(|lower| self.namespaces[device.ns].device_by_index(lower));
            match lower.and_then(|lower| self.devices.get(lower)) {
                Some(lower) if !lower.carrier => OperState::LowerLayerDown,
                _ => OperState::Down,
            }
        };
        self.devices[dev].info.operstate = state;
    }

    /// `iflink`: the ifindex of the device below or at the other end, in that device's namespace; `None` where there is none.
    pub(crate) fn lower_ifindex(&self, dev: DevId) -> Option<u32> {
        let peer = self.devices.get(dev)?.link()?;
        Some(self.devices.get(peer)?.ifindex)
    }
}
