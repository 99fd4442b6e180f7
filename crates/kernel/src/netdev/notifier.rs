//! Who is told when something happens to a device, in which order.

use crate::Kernel;
use crate::types::DevId;

/// What happened to a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NetdevEvent {
    /// It is there now (also: it has arrived in another namespace).
    Register,
    /// It is going away (also: it is leaving its namespace). It is down already.
    Unregister,
    /// It is up.
    Up,
    /// It will be down in a moment; frames can still be sent.
    GoingDown,
    /// It is down.
    Down,
    /// Its carrier or its flags changed while it is up.
    Change,
    /// It has another MAC address.
    ChangeAddress,
    /// It has another MTU.
    ChangeMtu,
    /// It has another name.
    ChangeName,
}

impl Kernel {
    /// Tells every part of the kernel.
    pub(crate) fn netdev_event(&mut self, dev: DevId, event: NetdevEvent) {
        if matches!(event, NetdevEvent::Register | NetdevEvent::Unregister | NetdevEvent::ChangeName)
            && let Some(netns) = self.devices.get(dev).and_then(|device| self.namespaces.get_mut(device.ns))
        {
            netns.link_generation += 1;
        }
        crate::bridge::netdev_event(self, dev, event);
        crate::ipv4::netdev_event(self, dev, event);
        crate::ipv6::netdev_event(self, dev, event);
        crate::neighbour::netdev_event(self, dev, event);
        crate::socket::packet::netdev_event(self, dev, event);
        crate::drivers::macvlan::netdev_event(self, dev, event);
    }
}
