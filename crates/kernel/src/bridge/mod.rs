//! The bridge: a learning switch (IEEE 802.1D) whose ports are devices and whose own device is the host's port on it.
//!
//! A frame's way: [`mod@input`] (may it come in?), `learning` (which port its source is behind), `fdb` (which port its destination is
//! behind), `forward` (to that port, or flooded) and `local` (up to the host). Addresses that bridges don't forward take the way of
//! `link_local`. Everything else here answers control requests and keeps the rules: `port` (joining and leaving), `state` (port
//! states), `carrier`, `address`, `mtu`, `promiscuity`, `ageing`.

mod address;
mod ageing;
mod arrival;
mod attributes;
mod carrier;
mod entries;
mod fdb;
mod forward;
mod input;
pub(crate) mod ioctl;
mod learning;
mod link_local;
mod local;
mod mtu;
mod notify;
mod parameters;
mod port;
mod promiscuity;
mod settings;
mod snooping;
mod state;

#[cfg(test)]
mod tests;

pub(crate) use arrival::Arrival;
pub(crate) use attributes::{
    BRIDGE_FILES, PORT_FILES, attribute, forwarding_table, port_attribute, set_attribute, set_port_attribute,
};
pub(crate) use entries::{
    Change, Flush, add_entry, delete_entry, entries, entry, entry_age, flush_entries, learn_from_outside, use_entry,
};
pub(crate) use fdb::{Entry, EntryFlags, Key};
pub(crate) use forward::transmit;
pub(crate) use input::{input, input_alone};
pub(crate) use port::{Port, PortFlags, add_port, remove_port, set_master};
pub(crate) use state::PortState;

pub(crate) mod netlink;

use crate::Kernel;
use crate::drivers::{DevKind, Profile};
use crate::netdev::{DevFlags, Device, NetdevEvent};
use crate::timer::TimerId;
use crate::types::{DevId, Instant, MacAddr};
use fdb::Fdb;
use parameters::Parameters;

/// Ports are numbered from 1 to this.
const PORTS: u16 = 1023;

/// A bridge's own state. What every frame needs comes first.
#[derive(Debug, Default)]
pub(crate) struct Bridge {
    fdb: Fdb,
    /// By number; nobody is number 0.
    ports: Vec<Option<Port>>,
    /// The numbers of the forwarding ports, newest member first: the order of a flood.
    forwarding: Vec<u16>,
    /// How many addresses may be learned; 0 where nothing is.
    room: usize,
    group_fwd_mask: u16,
    no_link_local_learning: bool,
    /// Every port's number, newest member first.
    members: Vec<u16>,
    parameters: Box<Parameters>,
    timers: Timers,
    /// The bridge changes its own MTU just now; otherwise it was somebody else.
    adjusting_mtu: bool,
}

/// What a bridge waits for.
#[derive(Debug, Default)]
struct Timers {
    ageing: Option<TimerId>,
    hello: Option<TimerId>,
    topology_change_notification: Option<TimerId>,
    topology_change: Option<TimerId>,
}

/// The bridge's own numbers for its timers: those of the bridge, and above them four for each port.
mod timer_number {
    pub(super) const HELLO: u32 = 0;
    pub(super) const TOPOLOGY_CHANGE: u32 = 2;
    pub(super) const FORWARD_DELAY: u32 = 0;

    pub(super) fn of_port(number: u16, which: u32) -> u32 {
        u32::from(number) << 2 | which
    }
}

impl Bridge {
    /// The port with that number.
    #[inline]
    pub(crate) fn port(&self, number: u16) -> Option<&Port> {
        self.ports.get(usize::from(number))?.as_ref()
    }

    /// The same, to change it.
    #[inline]
    fn port_mut(&mut self, number: u16) -> Option<&mut Port> {
        self.ports.get_mut(usize::from(number))?.as_mut()
    }

    /// Its ports, newest member first.
    pub(crate) fn members(&self) -> impl Iterator<Item = (u16, &Port)> {
        self.members.iter().filter_map(|number| Some((*number, self.port(*number)?)))
    }
}

impl Device {
    /// The bridge that it is.
    #[inline]
    pub(crate) fn bridge(&self) -> Option<&Bridge> {
        match &self.kind {
            DevKind::Bridge(bridge) => Some(bridge),
            _ => None,
        }
    }
}

impl Kernel {
    /// The bridge that a device is.
    #[inline]
    pub(crate) fn bridge(&self, dev: DevId) -> Option<&Bridge> {
        self.devices.get(dev)?.bridge()
    }

    /// The same, to change it.
    #[inline]
    fn bridge_mut(&mut self, dev: DevId) -> Option<&mut Bridge> {
        match &mut self.devices.get_mut(dev)?.kind {
            DevKind::Bridge(bridge) => Some(bridge),
            _ => None,
        }
    }

    /// The port that a device is.
    pub(crate) fn bridge_port(&self, dev: DevId) -> Option<&Port> {
        let member = self.devices.get(dev)?.port?;
        self.bridge(member.bridge)?.port(member.number)
    }

    /// The same, to change it.
    fn bridge_port_mut(&mut self, dev: DevId) -> Option<&mut Port> {
        let member = self.devices.get(dev)?.port?;
        self.bridge_mut(member.bridge)?.port_mut(member.number)
    }
}

/// Time as the database counts it: hundredths of a second since boot (497 days until it starts again).
#[inline]
fn ticks(now: Instant) -> u32 {
    (now.0 / 10_000_000) as u32
}

/// Seconds since boot as the database keeps them.
#[inline]
fn seconds(ticks: u32) -> u32 {
    (ticks / 100) & fdb::USED_MASK
}

pub(crate) fn profile() -> Profile {
    Profile {
        flags: DevFlags::BROADCAST | DevFlags::MULTICAST,
        mtu: 1500,
        min_mtu: 68,
        max_mtu: 65_535,
        queues: 1,
        tso_max_size: 65_536,
        tx_queue_len: 1000,
    }
}

/// The bridge device goes up.
pub(crate) fn open(kernel: &mut Kernel, bridge: DevId) {
    state::enable_bridge(kernel, bridge);
    snooping::join(kernel, bridge);
}

/// The bridge device goes down.
pub(crate) fn close(kernel: &mut Kernel, bridge: DevId) {
    state::disable_bridge(kernel, bridge);
    snooping::leave(kernel, bridge);
}

/// The bridge is about to go away: it lets go of its ports.
pub(crate) fn uninit(kernel: &mut Kernel, bridge: DevId) {
    while let Some(dev) = kernel.bridge(bridge).and_then(|it| it.members().next().map(|(_, port)| port.dev)) {
        remove_port(kernel, dev);
    }
    ageing::stop(kernel, bridge);
}

/// Somebody gave the bridge device an address: it no longer follows its ports.
pub(crate) fn address_set_by_hand(kernel: &mut Kernel, bridge: DevId, address: MacAddr) {
    address::set_by_hand(kernel, bridge, address);
}

/// Something happened to a device: a bridge, a port, or another.
pub(crate) fn netdev_event(kernel: &mut Kernel, dev: DevId, event: NetdevEvent) {
    let Some(device) = kernel.devices.get(dev) else { return };
    if device.bridge().is_some() {
        match event {
            NetdevEvent::Register => address::init(kernel, dev),
            NetdevEvent::ChangeMtu => mtu::changed_on_bridge(kernel, dev),
            _ => {}
        }
        return;
    }
    let Some(member) = device.port else { return };
    let told = match event {
        NetdevEvent::ChangeMtu => return mtu::changed_on_port(kernel, dev, member),
        NetdevEvent::ChangeAddress => {
            address::changed_on_port(kernel, dev, member);
            false
        }
        NetdevEvent::Change => state::check_link(kernel, dev, member),
        NetdevEvent::Down => state::port_down(kernel, member),
        NetdevEvent::Up => state::port_up(kernel, dev, member),
        _ => return,
    };
    if !told {
        kernel.notify_bridge_port(dev);
    }
}

/// Aged entries are due for removal.
pub(crate) fn age(kernel: &mut Kernel, bridge: DevId) {
    ageing::collect(kernel, bridge);
}

/// One of the bridge's own timers is due.
pub(crate) fn timer(kernel: &mut Kernel, bridge: DevId, what: u32) {
    state::timer(kernel, bridge, what);
}
