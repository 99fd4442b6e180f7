//! Telling the listeners what changes in a bridge.

use super::netlink::fill_link;
use super::{Entry, Key};
use crate::Kernel;
use crate::rtnetlink::attr::Header;
use crate::rtnetlink::notify::multicast;
use crate::rtnetlink::uapi::*;
use crate::types::DevId;

impl Kernel {
    /// Tells the listeners that a bridge's database has an entry, or no longer has it.
    pub(crate) fn notify_fdb(&mut self, bridge: DevId, key: Key, entry: &Entry, there: bool) {
        let Some(ns) = self.devices.get(bridge).map(|device| device.ns) else { return };
        let kind = if there { RTM_NEWNEIGH } else { RTM_DELNEIGH };
        multicast(self, ns, RTNLGRP_NEIGH, |kernel, out| {
            crate::rtnetlink::fdb::fill(kernel, bridge, key, entry, out, Header { kind, ..Header::default() });
        });
    }

    /// Tells them what a bridge port is like now.
    pub(crate) fn notify_bridge_port(&mut self, dev: DevId) {
        self.tell_bridge_port(dev, RTM_NEWLINK);
    }

    /// Tells them that a device is leaving its bridge.
    pub(crate) fn notify_bridge_port_gone(&mut self, dev: DevId) {
        self.tell_bridge_port(dev, RTM_DELLINK);
    }

    fn tell_bridge_port(&mut self, dev: DevId, kind: u16) {
        let Some(ns) = self.devices.get(dev).map(|device| device.ns) else { return };
        multicast(self, ns, RTNLGRP_LINK, |kernel, out| {
            fill_link(kernel, dev, out, Header { kind, ..Header::default() });
        });
    }
}
