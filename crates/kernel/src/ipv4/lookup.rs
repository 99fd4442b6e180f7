//! Which way a packet goes, and from which address: the tables by the rules, then what has been learned since (path MTU,
//! redirects).

use std::net::{IpAddr, Ipv4Addr};

use super::cache::{Way, WayKey};
use super::fib::{Away, First, Found, Key, Nexthop, kind, scope, table};
use super::rule::{self, Rule};
use super::sysctl::Conf;
use super::{Flow, Route, exception};
use crate::Kernel;
use crate::error::Errno;
use crate::netdev::DevFlags;
use crate::types::{DevId, NsId};

/// The longest packet that IPv4 can describe.
const MAX_MTU: u32 = 65_535;

impl Kernel {
    /// Asks the tables, in the order of the rules. `ENETUNREACH` where none has an answer.
    #[inline(never)]
    pub(crate) fn fib_lookup(&self, ns: NsId, key: &Key) -> Result<Found<'_>, Errno> {
        let ipv4 = &self.namespaces.get(ns).ok_or(Errno::ENETUNREACH)?.ipv4;
        if ipv4.rules.are_custom() {
            return self.lookup_by_rules(ns, key);
        }
        ipv4.fib.lookup(key, self.usable())
    }

    /// Which next hops may be used while their link is down.
    #[inline(always)]
    fn usable(&self) -> impl Fn(&Nexthop) -> bool {
        |hop| hop.dev.is_none_or(|dev| self.conf_own(dev, Conf::IgnoreRoutesWithLinkdown) == 0)
    }

    /// The routes that are asked first about the destination of `key`, if everything for which that holds gets the same answer: it
    /// may differ in nothing but its destination.
    pub(super) fn sole_route(&self, ns: NsId, key: &Key) -> Option<First> {
        let ipv4 = &self.namespaces.get(ns)?.ipv4;
        let first = ipv4.fib.first(key.destination, Away::NOTHING)?;
        // Rules may ask for more than the tables do.
        (!ipv4.rules.are_custom() && ipv4.fib.settles(first, key, self.usable())).then_some(first)
    }

    /// The way that a lookup finds. With `keep` it is the one that was kept, or is kept now.
    #[inline(always)]
    fn find_way(&self, ns: NsId, key: &Key, keep: bool) -> Result<Way, Errno> {
        let ipv4 = &self.namespaces.get(ns).ok_or(Errno::ENETUNREACH)?.ipv4;
        let keep = keep && !ipv4.rules.are_custom();
        let place = WayKey { destination: Ipv4Addr::from_bits(key.destination), oif: key.oif, tos: key.tos };
        if keep && let Some(way) = ipv4.fib.way(place) {
            return Ok(way);
        }
        let found = self.fib_lookup(ns, key)?;
        let way = Way::of(&found);
        if keep && found.alias.nexthops.len() == 1 {
            ipv4.fib.keep_way(place, way);
        }
        Ok(way)
    }

    #[cold]
    fn lookup_by_rules(&self, ns: NsId, key: &Key) -> Result<Found<'_>, Errno> {
        let ipv4 = &self.namespaces.get(ns).ok_or(Errno::ENETUNREACH)?.ipv4;
        let name = |dev: Option<DevId>| dev.and_then(|dev| self.devices.get(dev)).map(|device| device.name);
        let (iif, oif) = (name(key.iif), name(key.oif));
        let suppressed = |rule: &Rule, found: &Found<'_>| i32::from(found.length) <= rule.suppress_prefix_length;
        let mut from = 0;
        for rule in ipv4.rules.iter() {
            if rule.priority < from || !rule.fits(key, iif, oif) {
                continue;
            }
            match rule.action {
                rule::action::TO_TABLE => {
                    let Some(table) = ipv4.fib.table(rule.table) else { continue };
                    match table.lookup(rule.table, key, self.usable()) {
                        None => continue,
                        Some(Ok(found)) if suppressed(rule, &found) => continue,
                        Some(answer) => return answer,
                    }
                }
                rule::action::GOTO => from = rule.target.unwrap_or(0).max(from),
                rule::action::BLACKHOLE => return Err(Errno::EINVAL),
                rule::action::UNREACHABLE => return Err(Errno::ENETUNREACH),
                rule::action::PROHIBIT => return Err(Errno::EACCES),
                _ => {}
            }
        }
        Err(Errno::ENETUNREACH)
    }
}

/// What an address is to this host (`RTN_…`): its own, a broadcast address, a group, or somebody else's.
pub(crate) fn address_type(kernel: &Kernel, ns: NsId, address: Ipv4Addr) -> u8 {
    if address.octets()[0] == 0 || address.is_broadcast() {
        return kind::BROADCAST;
    }
    if address.is_multicast() {
        return kind::MULTICAST;
    }
    let Some(local) = kernel.namespaces.get(ns).and_then(|netns| netns.ipv4.fib.table(table::LOCAL)) else {
        // Before there is any address at all, Linux takes everything for a broadcast.
        return kind::BROADCAST;
    };
    match local.lookup(table::LOCAL, &Key::to(address), |_| true) {
        Some(Ok(found)) => found.alias.kind,
        _ => kind::UNICAST,
    }
}

/// Whether an address is one of this host's own.
pub(crate) fn is_local(kernel: &Kernel, ns: NsId, address: Ipv4Addr) -> bool {
    address_type(kernel, ns, address) == kind::LOCAL
}

/// The device that has an address.
pub(crate) fn device_with_address(kernel: &Kernel, ns: NsId, address: Ipv4Addr) -> Option<DevId> {
    let local = kernel.namespaces.get(ns)?.ipv4.fib.table(table::LOCAL)?;
    let found = local.lookup(table::LOCAL, &Key::to(address), |_| true)?.ok()?;
    if found.alias.kind == kind::LOCAL { found.nexthop.dev } else { None }
}

/// The source address for packets to `destination` through a device: the first primary address in its network, else the first
/// one whose scope is wide enough, else one of another device.
pub(crate) fn select_source(kernel: &Kernel, dev: DevId, destination: Option<Ipv4Addr>, widest: u8) -> Ipv4Addr {
    let mut fallback = None;
    let primaries = kernel.addresses(dev).iter().filter(|address| !address.is_secondary() && address.scope <= widest);
    for address in primaries {
        if destination.is_none_or(|destination| address.covers(destination)) {
            return address.local;
        }
        fallback = fallback.or(Some(address.local));
    }
    if let Some(local) = fallback {
        return local;
    }
    let Some(ns) = kernel.devices.get(dev).map(|device| device.ns) else { return Ipv4Addr::UNSPECIFIED };
    let elsewhere = kernel.namespaces[ns]
        .devices()
        .flat_map(|dev| kernel.addresses(dev))
        .find(|address| !address.is_secondary() && address.scope != scope::LINK && address.scope <= widest);
    elsewhere.map_or(Ipv4Addr::UNSPECIFIED, |address| address.local)
}

/// What spreads flows over several next hops: both addresses, well mixed.
#[inline]
pub(super) fn flow_hash(source: u32, destination: u32) -> u32 {
    let mixed = (u64::from(source) << 32 | u64::from(destination)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    ((mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 32) as u32
}

/// The longest packet that a device takes.
fn device_mtu(kernel: &Kernel, dev: DevId) -> u32 {
    kernel.devices.get(dev).map_or(0, |device| device.mtu).min(MAX_MTU)
}

/// Looks a route up as a local socket would.
#[inline(always)]
pub(crate) fn output(kernel: &Kernel, ns: NsId, flow: Flow) -> Result<Route, Errno> {
    let route = match output_known(kernel, ns, &flow) {
        Some(route) => route,
        None => output_anew(kernel, ns, flow, true)?,
    };
    Ok(route)
}

/// The route that follows from the way that is kept, where there is nothing else to look at: a device, group or source that somebody
/// chose.
#[inline(always)]
fn output_known(kernel: &Kernel, ns: NsId, flow: &Flow) -> Option<Route> {
    let Flow { source, destination, oif, tos, .. } = *flow;
    let ipv4 = &kernel.namespaces.get(ns)?.ipv4;
    let source_is_settled = source.is_unspecified() || (flow.any_source && !is_many(source) && source.octets()[0] != 0);
    if oif.is_some() || is_many(destination) || !source_is_settled || ipv4.rules.are_custom() {
        return None;
    }
    let way = ipv4.fib.way(WayKey { destination, oif: None, tos: tos & 0x1c })?;
    follow(kernel, ns, flow, &way).ok()
}

/// The same, whatever there is to it. `keep`: it is likely to be asked for again.
#[inline(never)]
pub(crate) fn output_anew(kernel: &Kernel, ns: NsId, flow: Flow, keep: bool) -> Result<Route, Errno> {
    let Flow { source, destination, oif, .. } = flow;
    let loopback = kernel.namespaces.get(ns).and_then(|netns| netns.ipv4.loopback).ok_or(Errno::ENETUNREACH)?;
    if oif.is_some() || is_many(destination) || destination.is_unspecified() {
        return output_special(kernel, ns, loopback, &flow, keep);
    }
    if !source.is_unspecified() {
        if is_many(source) || source.octets()[0] == 0 {
            return Err(Errno::EINVAL);
        }
        if !flow.any_source && !is_local(kernel, ns, source) {
            return Err(Errno::ENETUNREACH);
        }
    }
    let way = kernel.find_way(ns, &full_key(loopback, &flow), keep)?;
    follow(kernel, ns, &flow, &way)
}

/// Whether it is a group's address or everybody's.
#[inline]
fn is_many(address: Ipv4Addr) -> bool {
    address.is_multicast() || address.is_broadcast()
}

/// The same where a device is named, and for destinations that are no single host's.
#[inline(never)]
fn output_special(kernel: &Kernel, ns: NsId, loopback: DevId, flow: &Flow, keep: bool) -> Result<Route, Errno> {
    let Flow { mut source, mut destination, mut oif, .. } = *flow;
    let to_many = is_many(destination);
    if !source.is_unspecified() {
        if is_many(source) || source.octets()[0] == 0 {
            return Err(Errno::EINVAL);
        }
        if oif.is_none() && to_many {
            oif = Some(device_with_address(kernel, ns, source).ok_or(Errno::ENETUNREACH)?);
        } else if !flow.any_source && !is_local(kernel, ns, source) {
            return Err(Errno::ENETUNREACH);
        }
    }
    if let Some(dev) = oif {
        let device = kernel.devices.get(dev).filter(|device| device.ns == ns).ok_or(Errno::ENODEV)?;
        if !device.is_up() || device.ipv4.is_none() {
            return Err(Errno::ENETUNREACH);
        }
        if source.is_unspecified() {
            if destination.is_broadcast() || destination.octets()[..3] == [224, 0, 0] {
                source = select_source(kernel, dev, None, scope::LINK);
            } else if destination.is_multicast() {
                source = select_source(kernel, dev, None, scope::UNIVERSE);
            } else if destination.is_unspecified() {
                source = select_source(kernel, dev, None, scope::HOST);
            }
        }
        if to_many {
            return Ok(on_link(kernel, dev, source, destination));
        }
    }
    if destination.is_unspecified() {
        destination = if source.is_unspecified() { Ipv4Addr::LOCALHOST } else { source };
        source = destination;
        return Ok(local(kernel, loopback, source, table::LOCAL));
    }
    let flow = Flow { source, oif, ..*flow };
    match kernel.find_way(ns, &full_key(loopback, &flow), keep) {
        Ok(way) => follow(kernel, ns, &flow, &way),
        // With a device named, everything is taken to be on its link.
        Err(errno) => {
            let dev = oif.ok_or(errno)?;
            if source.is_unspecified() {
                source = select_source(kernel, dev, None, scope::LINK);
            }
            Ok(on_link(kernel, dev, source, destination))
        }
    }
}

/// The route that follows from the way that the tables named.
#[inline(always)]
fn follow(kernel: &Kernel, ns: NsId, flow: &Flow, way: &Way) -> Result<Route, Errno> {
    let Flow { mut source, destination, .. } = *flow;
    let ipv4 = &kernel.namespaces.get(ns).ok_or(Errno::ENETUNREACH)?.ipv4;
    if way.kind == kind::LOCAL {
        let loopback = ipv4.loopback.ok_or(Errno::ENETUNREACH)?;
        if source.is_unspecified() {
            source = if way.source.is_unspecified() { destination } else { way.source };
        }
        return Ok(local(kernel, loopback, source, way.table));
    }
    let dev = way.dev.ok_or(Errno::EINVAL)?;
    if source.is_unspecified() {
        source = if way.source.is_unspecified() { way_source(kernel, dev, destination, *way) } else { way.source };
    }
    let device = kernel.devices.get(dev).ok_or(Errno::ENODEV)?;
    let own = device.mtu.min(MAX_MTU);
    let mtu = match way.mtu {
        0 => own,
        mtu => mtu.min(MAX_MTU),
    };
    let mut route = Route { kind: way.kind, dev, gateway: way.gateway, source, mtu, table: way.table };
    let to_many = is_many(destination);
    if to_many || way.kind == kind::BROADCAST {
        route.kind = if destination.is_multicast() { kind::MULTICAST } else { kind::BROADCAST };
        (route.gateway, route.mtu) = (None, own);
    } else if device.flags.contains(DevFlags::LOOPBACK) {
        // A route through lo without a local address: the packet comes back and is looked at then.
        (route.kind, route.table) = (kind::UNICAST, table::MAIN);
    } else if !ipv4.exceptions.is_empty()
        && let Some(known) = exception::get(kernel, ns, destination)
    {
        known.apply(&mut route);
    }
    Ok(route)
}

/// The source address for packets that go a way which names none.
#[inline(never)]
fn way_source(kernel: &Kernel, dev: DevId, destination: Ipv4Addr, way: Way) -> Ipv4Addr {
    let towards = match way.gateway {
        Some(IpAddr::V4(gateway)) => Some(gateway),
        Some(IpAddr::V6(_)) => None,
        None => Some(destination),
    };
    let widest = if way.scope == scope::LINK { scope::LINK } else { scope::UNIVERSE };
    select_source(kernel, dev, towards, widest)
}

/// What the tables are asked for a packet of this host's.
fn full_key(loopback: DevId, flow: &Flow) -> Key {
    let (source, destination) = (flow.source.to_bits(), flow.destination.to_bits());
    Key {
        destination,
        source,
        tos: flow.tos & 0x1c,
        scope: scope::UNIVERSE,
        oif: flow.oif,
        iif: Some(loopback),
        mark: flow.mark,
        hash: flow_hash(source, destination),
    }
}

fn on_link(kernel: &Kernel, dev: DevId, source: Ipv4Addr, destination: Ipv4Addr) -> Route {
    let kind = if destination.is_broadcast() {
        kind::BROADCAST
    } else if destination.is_multicast() {
        kind::MULTICAST
    } else {
        kind::UNICAST
    };
    Route { kind, dev, gateway: None, source, mtu: device_mtu(kernel, dev), table: table::MAIN }
}

fn local(kernel: &Kernel, loopback: DevId, source: Ipv4Addr, table: u32) -> Route {
    Route { kind: kind::LOCAL, dev: loopback, gateway: None, source, mtu: device_mtu(kernel, loopback), table }
}
