//! Notifications: every change is told to who listens, in the namespace where it happened.

use super::attr::{Header, Writer};
use super::link::fill::{self, View};
use super::uapi::*;
use crate::Kernel;
use crate::netdev::DevFlags;
use crate::socket::netlink::{self, NETLINK_ROUTE};
use crate::types::{DevId, NsId};

/// Whether anybody listens to an rtnetlink group (`RTNLGRP_…`).
pub(crate) fn listening(kernel: &Kernel, ns: NsId, group: u32) -> bool {
    netlink::listening(kernel, ns, NETLINK_ROUTE, group)
}

/// Says something to an rtnetlink group of a namespace. Nothing is written where nobody listens.
pub(crate) fn multicast(kernel: &mut Kernel, ns: NsId, group: u32, write: impl FnOnce(&mut Kernel, &mut Writer)) {
    if listening(kernel, ns, group) {
        let mut out = Writer::new();
        write(kernel, &mut out);
        if out.len() > 0 {
            netlink::multicast(kernel, ns, NETLINK_ROUTE, group, &out.into_bytes());
        }
    }
}

impl Kernel {
    /// Tells the listeners that a device is there or has changed; `changed` are the flags that did, all of them for a
    /// device that is new.
    pub(crate) fn notify_link(&mut self, dev: DevId, changed: DevFlags) {
        let change = if changed.is_all() { u32::MAX } else { changed.bits() };
        self.tell_link(dev, RTM_NEWLINK, View { change, ..View::default() });
    }

    /// Tells the listeners of an event (`IFLA_EVENT_…`) that changed nothing else.
    pub(crate) fn notify_link_event(&mut self, dev: DevId, event: u32) {
        self.tell_link(dev, RTM_NEWLINK, View { event: Some(event), ..View::default() });
    }

    /// Tells them that a device is going away. It is still there.
    pub(crate) fn notify_link_gone(&mut self, dev: DevId) {
        self.tell_link(dev, RTM_DELLINK, View { change: u32::MAX, leaving: true, ..View::default() });
    }

    /// Tells the listeners of the namespace that a device leaves that it is gone, and where to.
    pub(crate) fn notify_link_moved(&mut self, dev: DevId, target: NsId, new_ifindex: u32) {
        let Some(device) = self.devices.get(dev) else { return };
        let nsid = self.nsid(device.ns, target);
        let view = View { change: u32::MAX, leaving: true, moved: Some((nsid, new_ifindex)), ..View::default() };
        self.tell_link(dev, RTM_DELLINK, view);
    }

    fn tell_link(&mut self, dev: DevId, kind: u16, view: View) {
        let Some(ns) = self.devices.get(dev).map(|device| device.ns) else { return };
        if kind == RTM_NEWLINK {
            // Linux writes the message, and so chooses a number for the peer's namespace, even where nobody listens.
            fill::peer_nsid(self, dev);
        }
        multicast(self, ns, RTNLGRP_LINK, |kernel, out| {
            fill::link(kernel, dev, out, Header { kind, ..Header::default() }, view);
        });
    }

    /// Tells the listeners in `ns` that it has a number for another namespace, or no longer has it.
    pub(crate) fn notify_nsid(&mut self, ns: NsId, nsid: i32, new: bool) {
        let kind = if new { RTM_NEWNSID } else { RTM_DELNSID };
        multicast(self, ns, RTNLGRP_NSID, |_, out| {
            super::nsid::fill(out, Header { kind, ..Header::default() }, nsid, None);
        });
    }
}
