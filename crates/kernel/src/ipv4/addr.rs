//! IPv4 addresses of devices: primaries and their secondaries, lifetimes, and the routes that every address brings along.

use std::net::Ipv4Addr;
use std::time::Duration;

use super::fib::{Alias, Insert, Pattern, hop_flags, kind, protocol, scope, table};
use super::lookup::address_type;
use super::sysctl::Conf;
use crate::Kernel;
use crate::error::{Errno, Error, Result};
use crate::netdev::DevFlags;
use crate::types::{DevId, Instant, NsId};

/// `IFA_F_…`.
pub(crate) mod flag {
    pub(crate) const SECONDARY: u32 = 0x01;
    pub(crate) const DEPRECATED: u32 = 0x20;
    pub(crate) const PERMANENT: u32 = 0x80;
    pub(crate) const NOPREFIXROUTE: u32 = 0x200;
}

/// A lifetime without end.
pub(crate) const FOREVER: u32 = u32::MAX;

/// One address of a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) local: Ipv4Addr,
    /// The other end's address of a point-to-point link; else the same as `local`.
    pub(crate) peer: Ipv4Addr,
    pub(crate) prefix_length: u8,
    pub(crate) broadcast: Option<Ipv4Addr>,
    pub(crate) scope: u8,
    /// See [`flag`].
    pub(crate) flags: u32,
    pub(crate) label: Box<str>,
    /// The metric of its prefix route.
    pub(crate) metric: u32,
    /// `IFA_PROTO`.
    pub(crate) protocol: u8,
    /// In seconds from `updated` on.
    pub(crate) valid: u32,
    pub(crate) preferred: u32,
    pub(crate) created: Instant,
    pub(crate) updated: Instant,
}

impl Address {
    /// A permanent address with nothing out of the ordinary.
    pub(crate) fn new(local: Ipv4Addr, prefix_length: u8, label: &str) -> Address {
        Address {
            local,
            peer: local,
            prefix_length,
            broadcast: None,
            scope: scope::UNIVERSE,
            flags: flag::PERMANENT,
            label: label.into(),
            metric: 0,
            protocol: 0,
            valid: FOREVER,
            preferred: FOREVER,
            created: Instant::default(),
            updated: Instant::default(),
        }
    }

    /// The netmask as a number.
    pub(crate) fn mask(&self) -> u32 {
        netmask(self.prefix_length)
    }

    /// The network that it is in.
    pub(crate) fn network(&self) -> Ipv4Addr {
        Ipv4Addr::from_bits(self.peer.to_bits() & self.mask())
    }

    /// Whether `other` is in that network.
    #[inline]
    pub(crate) fn covers(&self, other: Ipv4Addr) -> bool {
        (self.peer.to_bits() ^ other.to_bits()) & self.mask() == 0
    }

    /// Whether it stands behind another address of the same network.
    pub(crate) fn is_secondary(&self) -> bool {
        self.flags & flag::SECONDARY != 0
    }

    fn in_same_network(&self, other: &Address) -> bool {
        self.prefix_length == other.prefix_length && self.covers(other.peer)
    }

    /// The all-ones address of its network.
    fn all_ones(&self) -> Ipv4Addr {
        Ipv4Addr::from_bits(self.peer.to_bits() | !self.mask())
    }

    /// What is left of a lifetime, in seconds.
    pub(crate) fn remaining(&self, lifetime: u32, now: Instant) -> u32 {
        if lifetime == FOREVER {
            return FOREVER;
        }
        let passed = u32::try_from(now.since(self.updated).as_secs()).unwrap_or(u32::MAX);
        lifetime.saturating_sub(passed)
    }
}

/// A netmask as a number.
pub(crate) fn netmask(prefix_length: u8) -> u32 {
    u32::MAX.checked_shl(32 - u32::from(prefix_length.min(32))).unwrap_or_default()
}

fn is_zero_net(address: Ipv4Addr) -> bool {
    address.octets()[0] == 0
}

impl Kernel {
    /// A device's addresses, in order.
    pub(crate) fn addresses(&self, dev: DevId) -> &[Address] {
        let interface = self.devices.get(dev).and_then(|device| device.ipv4.as_ref());
        interface.map(|interface| interface.addresses.as_slice()).unwrap_or_default()
    }

    fn addresses_mut(&mut self, dev: DevId) -> Option<&mut Vec<Address>> {
        Some(&mut self.devices.get_mut(dev)?.ipv4.as_mut()?.addresses)
    }
}

/// Adds an address: secondary where its network is there already, else primary.
///
/// `EEXIST`: address and prefix are there. `EINVAL`: the network is there with another scope.
pub(crate) fn add(kernel: &mut Kernel, dev: DevId, mut new: Address) -> Result<()> {
    let now = kernel.now;
    let addresses = kernel.addresses_mut(dev).ok_or(Errno::ENOBUFS)?;
    if new.local.is_unspecified() {
        // Linux says yes and does nothing.
        return Ok(());
    }
    new.flags &= !flag::SECONDARY;
    new.broadcast = new.broadcast.filter(|broadcast| !broadcast.is_unspecified());
    let mut after_primaries = 0;
    for (at, other) in addresses.iter().enumerate() {
        if !other.is_secondary() && new.scope <= other.scope {
            after_primaries = at + 1;
        }
        if other.prefix_length == new.prefix_length && other.covers(new.peer) {
            if other.local == new.local {
                return Err(Error::new(Errno::EEXIST, "ipv4: Address already assigned"));
            }
            if other.scope != new.scope {
                return Err(Error::new(Errno::EINVAL, "ipv4: Invalid scope value"));
            }
            new.flags |= flag::SECONDARY;
        }
    }
    (new.created, new.updated) = (now, now);
    let at = if new.is_secondary() { addresses.len() } else { after_primaries };
    addresses.insert(at, new.clone());
    kernel.notify_address(dev, &new, true);
    add_routes(kernel, dev, &new);
    schedule_lifetimes(kernel, dev);
    Ok(())
}

/// Gives an address that is there other lifetimes and another metric for its prefix route.
pub(crate) fn change(kernel: &mut Kernel, dev: DevId, at: usize, new: &Address) {
    let now = kernel.now;
    let Some(address) = kernel.addresses_mut(dev).and_then(|addresses| addresses.get_mut(at)) else { return };
    let kept = flag::SECONDARY;
    address.flags = (new.flags & !kept) | (address.flags & kept);
    (address.valid, address.preferred, address.updated) = (new.valid, new.preferred, now);
    address.protocol = new.protocol;
    let old = std::mem::replace(&mut address.metric, new.metric);
    let address = address.clone();
    if old != address.metric && address.flags & (flag::SECONDARY | flag::NOPREFIXROUTE) == 0 {
        let kind = prefix_kind(kernel, dev);
        let (network, length) = (address.network(), address.prefix_length);
        add_route(kernel, dev, kind, network, length, address.local, address.metric);
        remove_route(kernel, dev, kind, network, length, address.local, old);
    }
    kernel.notify_address(dev, &address, true);
    schedule_lifetimes(kernel, dev);
}

/// Takes an address away. Its secondaries go too, or the first of them takes its place (`promote_secondaries`).
pub(crate) fn remove(kernel: &mut Kernel, dev: DevId, at: usize) {
    let Some(gone) = kernel.addresses(dev).get(at).cloned() else { return };
    let heirs: Vec<Ipv4Addr> = if gone.is_secondary() {
        Vec::new()
    } else {
        let follows = |other: &&Address| other.is_secondary() && gone.in_same_network(other);
        kernel.addresses(dev)[at + 1..].iter().filter(follows).map(|other| other.local).collect()
    };
    let promote = kernel.conf_either(dev, Conf::PromoteSecondaries);
    let position = |kernel: &Kernel, local: Ipv4Addr| {
        let fits = |other: &Address| other.local == local && other.is_secondary() && gone.in_same_network(other);
        kernel.addresses(dev).iter().position(fits)
    };
    for heir in &heirs {
        let Some(at) = position(kernel, *heir) else { continue };
        if promote {
            // All of them change their primary: their routes are made anew below.
            let secondary = kernel.addresses(dev)[at].clone();
            remove_routes(kernel, dev, &secondary, Some(&gone));
        } else {
            take_out(kernel, dev, at);
        }
    }
    let Some(at) = kernel.addresses(dev).iter().position(|other| *other == gone) else { return };
    take_out(kernel, dev, at);
    if !promote {
        return;
    }
    for (number, heir) in heirs.iter().enumerate() {
        let Some(at) = position(kernel, *heir) else { continue };
        if number > 0 {
            let secondary = kernel.addresses(dev)[at].clone();
            add_routes(kernel, dev, &secondary);
            continue;
        }
        let Some(addresses) = kernel.addresses_mut(dev) else { return };
        let mut promoted = addresses.remove(at);
        promoted.flags &= !flag::SECONDARY;
        let last = addresses.iter().rposition(|other| !other.is_secondary() && promoted.scope <= other.scope);
        addresses.insert(last.map_or(0, |last| last + 1), promoted.clone());
        kernel.notify_address(dev, &promoted, true);
        add_routes(kernel, dev, &promoted);
        // The routes of those behind it are looked for among secondaries again.
    }
}

fn take_out(kernel: &mut Kernel, dev: DevId, at: usize) {
    let Some(addresses) = kernel.addresses_mut(dev) else { return };
    let gone = addresses.remove(at);
    kernel.notify_address(dev, &gone, false);
    remove_routes(kernel, dev, &gone, None);
    if kernel.addresses(dev).is_empty() {
        super::device_down(kernel, dev, true);
    }
}

/// Takes every address away.
pub(crate) fn remove_all(kernel: &mut Kernel, dev: DevId) {
    while !kernel.addresses(dev).is_empty() {
        remove(kernel, dev, 0);
    }
}

fn prefix_kind(kernel: &Kernel, dev: DevId) -> u8 {
    let loopback = kernel.devices.get(dev).is_some_and(|device| device.flags.contains(DevFlags::LOOPBACK));
    if loopback { kind::LOCAL } else { kind::UNICAST }
}

/// The routes of an address: to itself, its network and its broadcast addresses; the last two once the device is up.
pub(crate) fn add_routes(kernel: &mut Kernel, dev: DevId, address: &Address) {
    let network = address.network();
    let primary = if address.is_secondary() {
        let primary = |other: &&Address| !other.is_secondary() && other.in_same_network(address);
        match kernel.addresses(dev).iter().find(primary) {
            Some(primary) => primary.local,
            None => return,
        }
    } else {
        address.local
    };
    add_route(kernel, dev, kind::LOCAL, address.local, 32, primary, 0);
    if !kernel.devices.get(dev).is_some_and(|device| device.is_up()) {
        return;
    }
    if let Some(broadcast) = address.broadcast.filter(|broadcast| !broadcast.is_broadcast()) {
        add_route(kernel, dev, kind::BROADCAST, broadcast, 32, primary, 0);
    }
    if is_zero_net(network) || address.is_secondary() || (network == address.local && address.prefix_length == 32) {
        return;
    }
    if address.flags & flag::NOPREFIXROUTE == 0 {
        let kind = prefix_kind(kernel, dev);
        add_route(kernel, dev, kind, network, address.prefix_length, primary, address.metric);
    }
    if address.prefix_length < 31 {
        add_route(kernel, dev, kind::BROADCAST, address.all_ones(), 32, primary, 0);
    }
}

/// Takes an address' routes away, as far as no other address of the device needs them. The address itself is out of the list,
/// unless `primary` says which one's secondary it was.
fn remove_routes(kernel: &mut Kernel, dev: DevId, address: &Address, primary: Option<&Address>) {
    let network = address.network();
    let all_ones = address.all_ones();
    let has_subnet = !address.is_secondary() && !is_zero_net(network);
    let source = if address.is_secondary() {
        let named = primary.map(|primary| primary.local);
        let found = |other: &&Address| !other.is_secondary() && other.in_same_network(address);
        match named.or_else(|| kernel.addresses(dev).iter().find(found).map(|other| other.local)) {
            Some(source) => source,
            None => address.local,
        }
    } else {
        address.local
    };
    if has_subnet
        && (network != address.local || address.prefix_length < 32)
        && address.flags & flag::NOPREFIXROUTE == 0
    {
        let kind = prefix_kind(kernel, dev);
        remove_route(kernel, dev, kind, network, address.prefix_length, source, address.metric);
    }
    let (mut local_needed, mut broadcast_needed, mut all_ones_needed) = (false, false, false);
    for other in kernel.addresses(dev).iter().filter(|other| primary.is_none() || **other != *address) {
        local_needed |= other.local == address.local;
        let mut theirs = vec![other.broadcast];
        if !other.is_secondary() && other.prefix_length < 31 && !is_zero_net(other.network()) {
            theirs.push(Some(other.all_ones()));
        }
        broadcast_needed |= address.broadcast.is_some() && theirs.contains(&address.broadcast);
        all_ones_needed |= theirs.contains(&Some(all_ones));
    }
    if let Some(broadcast) = address.broadcast
        && !broadcast_needed
    {
        remove_route(kernel, dev, kind::BROADCAST, broadcast, 32, source, 0);
    }
    if has_subnet && address.prefix_length < 31 && !all_ones_needed {
        remove_route(kernel, dev, kind::BROADCAST, all_ones, 32, source, 0);
    }
    if !local_needed {
        remove_route(kernel, dev, kind::LOCAL, address.local, 32, source, 0);
        let Some(ns) = kernel.devices.get(dev).map(|device| device.ns) else { return };
        if address_type(kernel, ns, address.local) != kind::LOCAL {
            kernel.namespaces[ns].ipv4.fib.remove_by_source(address.local);
        }
    }
}

fn own_route(kind: u8, dev: DevId, source: Ipv4Addr, metric: u32) -> (u32, Alias) {
    let table = if kind == kind::UNICAST { table::MAIN } else { table::LOCAL };
    let scope = if kind == kind::LOCAL { scope::HOST } else { scope::LINK };
    let alias = Alias { priority: metric, protocol: protocol::KERNEL, ..Alias::on_link(kind, scope, dev, source) };
    (table, alias)
}

fn add_route(kernel: &mut Kernel, dev: DevId, kind: u8, prefix: Ipv4Addr, length: u8, source: Ipv4Addr, metric: u32) {
    let Some(device) = kernel.devices.get(dev) else { return };
    let ns = device.ns;
    let (table, mut alias) = own_route(kind, dev, source, metric);
    if device.is_up() && !device.carrier && kind != kind::LOCAL {
        alias.nexthops[0].flags |= hop_flags::LINKDOWN;
    }
    // One that is there already stays.
    let _ = super::insert_route(kernel, ns, table, prefix, length, alias, Insert::Append);
}

fn remove_route(
    kernel: &mut Kernel,
    dev: DevId,
    kind: u8,
    prefix: Ipv4Addr,
    length: u8,
    source: Ipv4Addr,
    metric: u32,
) {
    let Some(ns) = kernel.devices.get(dev).map(|device| device.ns) else { return };
    let (table, alias) = own_route(kind, dev, source, metric);
    let pattern = Pattern {
        tos: 0,
        kind: Some(kind),
        scope: Some(alias.scope),
        protocol: Some(protocol::KERNEL),
        priority: Some(metric).filter(|metric| *metric != 0),
        source: Some(source),
        nexthops: vec![(Some(dev), None)],
    };
    // Linux makes the table even to look for what is to go.
    kernel.namespaces[ns].ipv4.fib.table_mut(table);
    let _ = super::remove_route(kernel, ns, table, prefix, length, &pattern);
}

/// Sets the timer for the next lifetime to end in the device's namespace.
fn schedule_lifetimes(kernel: &mut Kernel, dev: DevId) {
    let Some(ns) = kernel.devices.get(dev).map(|device| device.ns) else { return };
    let ends = kernel.namespaces[ns].devices().flat_map(|dev| kernel.addresses(dev)).flat_map(|address| {
        let preferred = (address.flags & flag::DEPRECATED == 0).then_some(address.preferred);
        let ends = [Some(address.valid), preferred].into_iter().flatten().filter(|lifetime| *lifetime != FOREVER);
        ends.map(|lifetime| address.updated + Duration::from_secs(lifetime.into()))
    });
    if let Some(first) = ends.min() {
        super::set_timer(kernel, ns, first, super::What::Lifetimes);
    }
}

/// A lifetime has ended: the address is deprecated, or gone.
pub(super) fn lifetimes(kernel: &mut Kernel, ns: NsId) {
    let now = kernel.now;
    let Some(netns) = kernel.namespaces.get(ns) else { return };
    let devices: Vec<DevId> = netns.devices().collect();
    for dev in &devices {
        let over = |address: &Address| address.remaining(address.valid, now) == 0;
        while let Some(at) = kernel.addresses(*dev).iter().position(over) {
            remove(kernel, *dev, at);
        }
        for at in 0..kernel.addresses(*dev).len() {
            let Some(address) = kernel.addresses_mut(*dev).and_then(|addresses| addresses.get_mut(at)) else { break };
            if address.remaining(address.preferred, now) == 0 && address.flags & flag::DEPRECATED == 0 {
                address.flags |= flag::DEPRECATED;
                let address = address.clone();
                kernel.notify_address(*dev, &address, true);
            }
        }
    }
    if let Some(dev) = devices.first() {
        schedule_lifetimes(kernel, *dev);
    }
}
