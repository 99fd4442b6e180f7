//! IPv6 addresses of devices: their order, their lifetimes, and the routes and groups that every address brings along.

use std::net::Ipv6Addr;
use std::time::Duration;

use super::fib::{ADDRESS_METRIC, Entry, Insert, Pattern, kind, protocol, table};
use super::{Conf, Job, anycast, dad, groups};
use crate::Kernel;
use crate::error::{Errno, Error, Result};
use crate::ipv4::scope;
use crate::netdev::DevFlags;
use crate::types::{DevId, Instant, NsId};

/// `IFA_F_…`.
pub(crate) mod flag {
    pub(crate) const NODAD: u32 = 0x02;
    pub(crate) const OPTIMISTIC: u32 = 0x04;
    pub(crate) const DADFAILED: u32 = 0x08;
    pub(crate) const HOMEADDRESS: u32 = 0x10;
    pub(crate) const DEPRECATED: u32 = 0x20;
    pub(crate) const TENTATIVE: u32 = 0x40;
    pub(crate) const PERMANENT: u32 = 0x80;
    pub(crate) const MANAGETEMPADDR: u32 = 0x100;
    pub(crate) const NOPREFIXROUTE: u32 = 0x200;
    pub(crate) const MCAUTOJOIN: u32 = 0x400;
    /// What a request may set.
    pub(crate) const SETTABLE: u32 = NODAD | OPTIMISTIC | HOMEADDRESS | MANAGETEMPADDR | NOPREFIXROUTE | MCAUTOJOIN;
}

/// A lifetime without end.
pub(crate) const FOREVER: u32 = u32::MAX;

/// `IFAPROT_…`: who made an address.
pub(crate) const PROTO_LOOPBACK: u8 = 1;
pub(crate) const PROTO_LINK_LOCAL: u8 = 3;

/// One address of a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) address: Ipv6Addr,
    /// The other end's address of a point-to-point link; else `::`.
    pub(crate) peer: Ipv6Addr,
    pub(crate) prefix_length: u8,
    /// `RT_SCOPE_…`.
    pub(crate) scope: u8,
    /// See [`flag`].
    pub(crate) flags: u32,
    /// The metric of its prefix route; 0: the usual one.
    pub(crate) metric: u32,
    /// `IFA_PROTO`.
    pub(crate) protocol: u8,
    /// In seconds from `updated` on.
    pub(crate) valid: u32,
    pub(crate) preferred: u32,
    pub(crate) created: Instant,
    pub(crate) updated: Instant,
    /// The next step of duplicate address detection.
    pub(crate) dad: Option<dad::State>,
    /// The device is in the group in which it is asked for.
    pub(crate) solicited: bool,
}

impl Address {
    /// A permanent address with nothing out of the ordinary.
    pub(crate) fn new(address: Ipv6Addr, prefix_length: u8) -> Address {
        Address {
            address,
            peer: Ipv6Addr::UNSPECIFIED,
            prefix_length,
            scope: scope_of(address),
            flags: flag::PERMANENT,
            metric: 0,
            protocol: 0,
            valid: FOREVER,
            preferred: FOREVER,
            created: Instant::default(),
            updated: Instant::default(),
            dad: None,
            solicited: false,
        }
    }

    /// Whether it is still to be found out if somebody else has it.
    pub(crate) fn is_tentative(&self) -> bool {
        self.flags & flag::TENTATIVE != 0
    }

    /// Whether packets may have it as their source.
    pub(crate) fn is_usable(&self) -> bool {
        !self.is_tentative() || self.flags & (flag::OPTIMISTIC | flag::DADFAILED) == flag::OPTIMISTIC
    }

    fn priority(&self) -> u32 {
        if self.metric == 0 { ADDRESS_METRIC } else { self.metric }
    }

    /// What is left of a lifetime, in seconds.
    pub(crate) fn remaining(&self, lifetime: u32, now: Instant) -> u32 {
        if lifetime == FOREVER {
            return FOREVER;
        }
        let passed = u32::try_from(now.since(self.updated).as_secs()).unwrap_or(u32::MAX);
        lifetime.saturating_sub(passed)
    }

    /// Whether `other` is in its network.
    pub(crate) fn covers(&self, other: Ipv6Addr) -> bool {
        super::fib::prefix_bits(self.address, self.prefix_length) == super::fib::prefix_bits(other, self.prefix_length)
    }
}

/// `RT_SCOPE_…` of an address.
pub(crate) fn scope_of(address: Ipv6Addr) -> u8 {
    const SITE: u8 = 200;
    if address.is_loopback() {
        scope::HOST
    } else if address.is_unicast_link_local() {
        scope::LINK
    } else if address.segments()[0] & 0xffc0 == 0xfec0 {
        SITE
    } else {
        scope::UNIVERSE
    }
}

/// How wide an address' scope is, for the order of addresses: global, site, link.
fn width(address: Ipv6Addr) -> u8 {
    match scope_of(address) {
        scope::UNIVERSE => 14,
        200 => 5,
        _ => 2,
    }
}

impl Kernel {
    /// A device's IPv6 addresses: the widest scope first, and of each scope the newest.
    pub(crate) fn addresses6(&self, dev: DevId) -> &[Address] {
        let interface = self.devices.get(dev).and_then(|device| device.ipv6.as_ref());
        interface.map(|interface| interface.addresses.as_slice()).unwrap_or_default()
    }

    /// One of them.
    pub(crate) fn address6(&self, dev: DevId, address: Ipv6Addr) -> Option<&Address> {
        self.addresses6(dev).iter().find(|own| own.address == address)
    }

    /// One of them to write to.
    pub(super) fn address6_mut(&mut self, dev: DevId, address: Ipv6Addr) -> Option<&mut Address> {
        let interface = self.devices.get_mut(dev)?.ipv6.as_mut()?;
        interface.addresses.iter_mut().find(|own| own.address == address)
    }
}

/// A device's link-local address; a tentative one only if `tentative`.
pub(crate) fn link_local(kernel: &Kernel, dev: DevId, tentative: bool) -> Option<Ipv6Addr> {
    let link_local = |own: &&Address| own.scope == scope::LINK && (tentative || own.is_usable());
    kernel.addresses6(dev).iter().rev().find(link_local).map(|own| own.address)
}

/// Adds an address. `EEXIST`, `EADDRNOTAVAIL` (not an address that the device may have), `EACCES` (IPv6 is off there).
pub(crate) fn add(kernel: &mut Kernel, dev: DevId, mut new: Address) -> Result<()> {
    let now = kernel.now;
    let device = kernel.devices.get_mut(dev).ok_or(Errno::ENODEV)?;
    let loopback = device.flags.contains(DevFlags::LOOPBACK);
    let address = new.address;
    if address.is_unspecified() {
        return Err(Error::new(Errno::EADDRNOTAVAIL, "ipv6: Invalid address"));
    }
    if address.is_multicast() && new.flags & flag::MCAUTOJOIN == 0 {
        let message = "ipv6: Cannot assign multicast address without \"IFA_F_MCAUTOJOIN\" flag";
        return Err(Error::new(Errno::EADDRNOTAVAIL, message));
    }
    if address.is_loopback() && !loopback {
        return Err(Error::new(Errno::EADDRNOTAVAIL, "ipv6: Cannot assign loopback address on this device"));
    }
    let interface = device.ipv6.as_mut().ok_or(Errno::EINVAL)?;
    if interface.conf.get(Conf::DisableIpv6) != 0 {
        return Err(Error::new(Errno::EACCES, "ipv6: IPv6 is disabled on this device"));
    }
    if interface.addresses.iter().any(|own| own.address == address) {
        return Err(Error::new(Errno::EEXIST, "ipv6: address already assigned"));
    }
    (new.created, new.updated) = (now, now);
    new.flags |= flag::TENTATIVE;
    let at = interface.addresses.iter().position(|own| width(own.address) <= width(address));
    interface.addresses.insert(at.unwrap_or(interface.addresses.len()), new);
    Ok(())
}

/// The same for one that somebody asks for: it has a route to its network, is told of, and looked for on the link.
pub(crate) fn add_by_hand(kernel: &mut Kernel, dev: DevId, new: Address) -> Result<()> {
    let (address, multicast) = (new.address, new.flags & flag::MCAUTOJOIN != 0 && new.address.is_multicast());
    let routed = new.flags & flag::NOPREFIXROUTE == 0;
    add(kernel, dev, new)?;
    if multicast {
        let _ = groups::join(kernel, dev, address);
    }
    if routed {
        add_prefix_route(kernel, dev, address);
    }
    // One that is settled at once is told of when that is done.
    if !dad::is_needless(kernel, dev, address) {
        kernel.notify_address6(dev, address);
    }
    dad::start(kernel, dev, address);
    schedule_lifetimes(kernel, dev);
    Ok(())
}

/// Gives an address that is there other flags and lifetimes, and another metric to its prefix route.
pub(crate) fn change(kernel: &mut Kernel, dev: DevId, new: &Address) {
    let now = kernel.now;
    let Some(own) = kernel.address6_mut(dev, new.address) else { return };
    let kept = flag::TENTATIVE | flag::DADFAILED | flag::OPTIMISTIC;
    let had_route = own.flags & flag::NOPREFIXROUTE == 0;
    let (old_metric, address) = (own.priority(), own.address);
    own.flags = (own.flags & kept) | (new.flags & !kept);
    (own.valid, own.preferred, own.updated) = (new.valid, new.preferred, now);
    own.protocol = new.protocol;
    own.metric = new.metric;
    let (has_route, metric) = (own.flags & flag::NOPREFIXROUTE == 0, own.priority());
    if had_route && (!has_route || metric != old_metric) {
        remove_prefix_route(kernel, dev, address, old_metric);
    }
    if has_route && (!had_route || metric != old_metric) {
        add_prefix_route(kernel, dev, address);
    }
    kernel.notify_address6(dev, address);
    schedule_lifetimes(kernel, dev);
}

/// Takes an address away, with what it brought along.
pub(crate) fn remove(kernel: &mut Kernel, dev: DevId, address: Ipv6Addr) {
    let Some(own) = kernel.address6(dev, address).cloned() else { return };
    if let Some(interface) = kernel.devices.get_mut(dev).and_then(|device| device.ipv6.as_mut()) {
        interface.addresses.retain(|other| other.address != address);
    }
    kernel.notify_address6_gone(dev, &own);
    if own.solicited {
        groups::leave_solicited(kernel, dev, address);
    }
    if own.flags & flag::MCAUTOJOIN != 0 && address.is_multicast() {
        let _ = groups::leave(kernel, dev, address);
    }
    anycast::left(kernel, dev, &own);
    let Some(ns) = kernel.devices.get(dev).map(|device| device.ns) else { return };
    remove_host_routes(kernel, ns, dev, &own);
    let shared = |other: &Address| {
        other.prefix_length == own.prefix_length
            && other.flags & flag::NOPREFIXROUTE == 0
            && other.priority() == own.priority()
            && other.covers(address)
    };
    if own.flags & flag::NOPREFIXROUTE == 0 && !kernel.addresses6(dev).iter().any(shared) {
        take_prefix_route(kernel, ns, dev, &own, own.priority());
    }
    super::exception::forget(kernel, ns);
}

/// Sends the address to the table of local ones: from now on packets for it are taken in.
pub(super) fn add_host_routes(kernel: &mut Kernel, dev: DevId, address: Ipv6Addr) {
    let Some(own) = kernel.address6(dev, address).cloned() else { return };
    let Some(ns) = kernel.devices.get(dev).map(|device| device.ns) else { return };
    if address.is_multicast() {
        return;
    }
    let entry = Entry::on_link(kind::LOCAL, dev, 0);
    let _ = super::insert_route(kernel, ns, table::LOCAL, address, 128, entry, Insert::Append);
    if !own.peer.is_unspecified() {
        let entry = Entry::on_link(kind::UNICAST, dev, own.priority());
        let _ = super::insert_route(kernel, ns, table::MAIN, own.peer, 128, entry, Insert::Append);
    }
}

fn remove_host_routes(kernel: &mut Kernel, ns: NsId, dev: DevId, own: &Address) {
    let local = |kind| Pattern { kind: Some(kind), hops: vec![(Some(dev), None)], ..Pattern::default() };
    let _ = super::remove_route(kernel, ns, table::LOCAL, own.address, 128, &local(kind::LOCAL));
    if !own.peer.is_unspecified() {
        let _ = super::remove_route(kernel, ns, table::MAIN, own.peer, 128, &local(kind::UNICAST));
    }
}

/// The route to an address' network; one that is there already stays.
pub(super) fn add_prefix_route(kernel: &mut Kernel, dev: DevId, address: Ipv6Addr) {
    let Some(own) = kernel.address6(dev, address).cloned() else { return };
    let Some(device) = kernel.devices.get(dev).filter(|device| device.is_up()) else { return };
    let (ns, loopback) = (device.ns, device.flags.contains(DevFlags::LOOPBACK));
    if loopback && address.is_loopback() {
        return;
    }
    let mut entry = Entry::on_link(kind::UNICAST, dev, own.priority());
    if own.valid != FOREVER {
        entry.expires = Some(kernel.now + Duration::from_secs(own.valid.into()));
    }
    let prefix = Ipv6Addr::from_bits(super::fib::prefix_bits(address, own.prefix_length));
    let _ = super::insert_route(kernel, ns, table::MAIN, prefix, own.prefix_length, entry, Insert::Append);
}

fn remove_prefix_route(kernel: &mut Kernel, dev: DevId, address: Ipv6Addr, metric: u32) {
    let Some(own) = kernel.address6(dev, address).cloned() else { return };
    let Some(ns) = kernel.devices.get(dev).map(|device| device.ns) else { return };
    take_prefix_route(kernel, ns, dev, &own, metric);
}

fn take_prefix_route(kernel: &mut Kernel, ns: NsId, dev: DevId, own: &Address, metric: u32) {
    let pattern = Pattern {
        kind: Some(kind::UNICAST),
        protocol: Some(protocol::KERNEL),
        metric: Some(metric),
        hops: vec![(Some(dev), None)],
    };
    let prefix = Ipv6Addr::from_bits(super::fib::prefix_bits(own.address, own.prefix_length));
    let _ = super::remove_route(kernel, ns, table::MAIN, prefix, own.prefix_length, &pattern);
}

/// Sees to it that lifetimes of a device's addresses end in time.
fn schedule_lifetimes(kernel: &mut Kernel, dev: DevId) {
    let ends = kernel.addresses6(dev).iter().flat_map(|own| {
        let deprecated = own.flags & flag::DEPRECATED != 0;
        let end = |lifetime: u32| own.updated + Duration::from_secs(lifetime.into());
        let preferred = (own.preferred != FOREVER && !deprecated).then(|| end(own.preferred));
        [preferred, (own.valid != FOREVER).then(|| end(own.valid))]
    });
    let Some(first) = ends.flatten().min() else { return };
    let Some(ns) = kernel.devices.get(dev).map(|device| device.ns) else { return };
    super::schedule(kernel, ns, first, Job::Lifetimes(dev));
}

/// Addresses whose time is up are deprecated, or go.
pub(super) fn lifetimes(kernel: &mut Kernel, dev: DevId) {
    let now = kernel.now;
    let mut gone = Vec::new();
    let mut deprecated = Vec::new();
    for own in kernel.addresses6(dev) {
        if own.remaining(own.valid, now) == 0 {
            gone.push(own.address);
        } else if own.flags & flag::DEPRECATED == 0 && own.remaining(own.preferred, now) == 0 {
            deprecated.push(own.address);
        }
    }
    for address in gone {
        remove(kernel, dev, address);
    }
    for address in deprecated {
        if let Some(own) = kernel.address6_mut(dev, address) {
            own.flags |= flag::DEPRECATED;
        }
        kernel.notify_address6(dev, address);
    }
    schedule_lifetimes(kernel, dev);
}
