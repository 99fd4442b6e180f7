//! A network namespace: its devices by name and ifindex, its routes, neighbours and settings, and what it calls other
//! namespaces.
//!
//! Namespaces are held: by names, processes and descriptors (outside), and by sockets. With the last hold the namespace
//! dies with every virtual device in it; the far ends of veth pairs die with them.

use std::collections::BTreeMap;

use crate::Kernel;
use crate::drivers::DevKind;
use crate::neighbour::Params;
use crate::netdev::{ByIndex, NewDevice};
use crate::types::{DevId, IfName, NsId};

/// One network namespace.
#[derive(Debug, Default)]
pub(crate) struct Netns {
    holds: u32,
    /// Devices by ifindex.
    pub(crate) by_index: ByIndex,
    /// Devices by name and alternative name.
    pub(crate) by_name: BTreeMap<Box<str>, DevId>,
    last_ifindex: u32,
    /// The last name pattern that was numbered, and the number: all below it are in use.
    pub(crate) numbered: Option<(Box<str>, u32)>,
    /// Grows whenever a device comes, goes or gets another name.
    pub(crate) link_generation: u64,
    /// What this namespace calls others (nsid), allocated when first needed.
    pub(crate) nsids: crate::nsid::Nsids,
    /// IPv4 routes, rules, settings, counters, reassembly.
    pub(crate) ipv4: crate::ipv4::Namespace,
    /// IPv6 routes, settings, counters.
    pub(crate) ipv6: crate::ipv6::Namespace,
    /// ARP and neighbour discovery tables.
    pub(crate) neighbours: crate::neighbour::Tables,
    /// Which netlink sockets listen to which multicast groups.
    pub(crate) listeners: crate::socket::netlink::Listeners,
    /// Whether `ping_group_range` lets anybody have ping sockets.
    pub(crate) ping_sockets: bool,
    /// Its raw and ping sockets, oldest first.
    pub(crate) inet_sockets: Vec<crate::types::SocketId>,
}

impl Netns {
    /// The device with that ifindex.
    pub(crate) fn device_by_index(&self, ifindex: u32) -> Option<DevId> {
        self.by_index.get(ifindex)
    }

    /// The device with that name or alternative name.
    pub(crate) fn device_by_name(&self, name: &str) -> Option<DevId> {
        self.by_name.get(name).copied()
    }

    /// Frees a name or alternative name.
    pub(crate) fn forget_name(&mut self, name: &str) {
        self.by_name.remove(name);
        self.numbered = None;
    }

    /// Its devices in ifindex order.
    pub(crate) fn devices(&self) -> impl DoubleEndedIterator<Item = DevId> + '_ {
        self.by_index.values()
    }

    /// The next automatic ifindex: indexes are not used again until they have wrapped.
    pub(crate) fn new_ifindex(&mut self) -> u32 {
        loop {
            self.last_ifindex = if self.last_ifindex >= i32::MAX as u32 { 1 } else { self.last_ifindex + 1 };
            if self.by_index.get(self.last_ifindex).is_none() {
                return self.last_ifindex;
            }
        }
    }

    /// The settings of a neighbour table, to write to: a device's, or those that new devices start with.
    pub(crate) fn neighbour_params_mut(&mut self, dev: Option<DevId>, ipv4: bool) -> &mut Params {
        if dev.is_none() {
            // The devices that are there keep what they started with.
            for dev in self.by_index.values() {
                self.neighbours.own(dev, ipv4);
            }
        }
        self.neighbours.params_mut(dev, ipv4)
    }

    /// What this namespace calls `other`, if it has a number for it.
    pub(crate) fn nsid_of(&self, other: NsId) -> Option<i32> {
        self.nsids.number(other)
    }
}

impl Kernel {
    /// The first namespace. It is never released.
    pub fn root(&self) -> NsId {
        self.root
    }

    /// A fresh namespace, held once by the caller, with a `lo` that is down.
    pub fn create_namespace(&mut self) -> NsId {
        let ns = self.namespaces.insert(Box::new(Netns { holds: 1, ..Netns::default() }));
        crate::ipv4::Namespace::init(self, ns);
        crate::ipv6::Namespace::init(self, ns);
        let name = IfName::new("lo").expect("a valid name");
        self.register_device(ns, NewDevice::named(name), DevKind::Loopback).expect("an empty namespace takes a lo");
        self.settle();
        ns
    }

    /// Holds it once more: for a name, a process, an open descriptor.
    pub fn hold_namespace(&mut self, ns: NsId) {
        if let Some(netns) = self.namespaces.get_mut(ns) {
            netns.holds += 1;
        }
    }

    /// Lets go; with the last hold it dies with every virtual device in it, and their peers.
    pub fn release_namespace(&mut self, ns: NsId) {
        let Some(netns) = self.namespaces.get_mut(ns) else { return };
        netns.holds = netns.holds.saturating_sub(1);
        if netns.holds == 0 && ns != self.root {
            self.destroy_namespace(ns);
            self.settle();
        }
    }

    /// Whether it is still there.
    pub fn has_namespace(&self, ns: NsId) -> bool {
        self.namespaces.contains_key(ns)
    }

    /// The device with that ifindex in a namespace.
    pub(crate) fn device_by_index(&self, ns: NsId, ifindex: u32) -> Option<DevId> {
        self.namespaces.get(ns)?.device_by_index(ifindex)
    }

    fn destroy_namespace(&mut self, ns: NsId) {
        loop {
            // Newest first, so that bridges (usually older than their ports' pairs) and lo go last.
            let Some(netns) = self.namespaces.get(ns) else { return };
            let Some(dev) = netns.devices().next_back() else { break };
            self.unregister_device(dev);
        }
        // The others forget their numbers for it.
        let watchers: Vec<(NsId, i32)> =
            self.namespaces.iter().filter_map(|(other, netns)| Some((other, netns.nsid_of(ns)?))).collect();
        for (other, nsid) in watchers {
            self.namespaces[other].nsids.remove(ns);
            self.notify_nsid(other, nsid, false);
        }
        crate::ipv4::Namespace::exit(self, ns);
        crate::ipv6::Namespace::exit(self, ns);
        self.namespaces.remove(ns);
    }

    /// What `ns` calls `other`; a number is allocated where it has none (the lowest free one from 0).
    pub(crate) fn nsid(&mut self, ns: NsId, other: NsId) -> i32 {
        let netns = &mut self.namespaces[ns];
        if let Some(nsid) = netns.nsid_of(other) {
            return nsid;
        }
        let nsid = netns.nsids.allocate(other);
        self.notify_nsid(ns, nsid, true);
        nsid
    }
}
