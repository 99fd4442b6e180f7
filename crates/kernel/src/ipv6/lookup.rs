//! Which way a packet goes, and from which address: the local table, then the main one.

use std::net::Ipv6Addr;

use super::fib::{ANYCAST, Entry, Nexthop, RTAX_MTU, kind, table};
use super::{Conf, Flow, Route, exception, source};
use crate::Kernel;
use crate::error::Errno;
use crate::types::{DevId, NsId};

/// The tables, in the order in which they are asked.
const TABLES: [u32; 2] = [table::LOCAL, table::MAIN];

/// A route that fits, with the way that was chosen of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found<'a> {
    pub(crate) table: u32,
    pub(crate) length: u8,
    pub(crate) entry: &'a Entry,
    pub(crate) hop: &'a Nexthop,
}

/// What is asked of the tables.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key {
    pub(crate) destination: Ipv6Addr,
    pub(crate) source: Ipv6Addr,
    pub(crate) oif: Option<DevId>,
    /// Only routes through `oif` will do; else they are merely preferred.
    pub(crate) strict: bool,
}

impl Key {
    /// To a destination, with everything else left open.
    pub(crate) fn to(destination: Ipv6Addr) -> Key {
        Key { destination, source: Ipv6Addr::UNSPECIFIED, oif: None, strict: false }
    }
}

/// The errno of a route that refuses.
fn refusal(kind: u8) -> Errno {
    match kind {
        kind::BLACKHOLE => Errno::EINVAL,
        kind::PROHIBIT => Errno::EACCES,
        _ => Errno::EHOSTUNREACH,
    }
}

/// Spreads flows over several next hops: both addresses, well mixed.
fn flow_hash(source: Ipv6Addr, destination: Ipv6Addr) -> u32 {
    let word = source.to_bits().rotate_left(64) ^ destination.to_bits();
    let mixed = (word as u64 ^ (word >> 64) as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    ((mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 32) as u32
}

fn is_usable(kernel: &Kernel, hop: &Nexthop) -> bool {
    kernel.devices.get(hop.dev).is_some_and(|device| {
        let ignored = !device.carrier && kernel.conf6(hop.dev, Conf::IgnoreRoutesWithLinkdown) != 0;
        device.is_up() && !ignored
    })
}

/// One of an entry's ways, by weight.
fn choose<'a>(kernel: &Kernel, entry: &'a Entry, key: &Key, oif: Option<DevId>) -> Option<&'a Nexthop> {
    let usable = |hop: &&Nexthop| is_usable(kernel, hop) && oif.is_none_or(|oif| oif == hop.dev);
    if let [only] = entry.hops.as_slice() {
        return Some(only).filter(usable);
    }
    let shares = || entry.hops.iter().filter(usable).map(|hop| u32::from(hop.weight) + 1);
    let total: u32 = shares().sum();
    let mut point = (u64::from(flow_hash(key.source, key.destination)) * u64::from(total.max(1))) >> 32;
    entry.hops.iter().filter(usable).find(|hop| {
        let share = u64::from(hop.weight) + 1;
        let here = point < share;
        point = point.saturating_sub(share);
        here
    })
}

/// Asks the tables. `ENETUNREACH` where none has an answer.
pub(crate) fn find<'a>(kernel: &'a Kernel, ns: NsId, key: &Key) -> Result<Found<'a>, Errno> {
    let fib = &kernel.namespaces.get(ns).ok_or(Errno::ENETUNREACH)?.ipv6.fib;
    'tables: for number in TABLES {
        let Some(table) = fib.table(number) else { continue };
        for (length, entries) in table.matches(key.destination) {
            let passes: &[Option<DevId>] = match key.oif {
                Some(oif) if key.strict => &[Some(oif)],
                Some(oif) => &[Some(oif), None],
                None => &[None],
            };
            for oif in passes {
                for entry in entries {
                    if entry.refuses() {
                        if oif.is_some() {
                            continue;
                        }
                        match entry.kind {
                            kind::THROW => continue 'tables,
                            kind => return Err(refusal(kind)),
                        }
                    }
                    if let Some(hop) = choose(kernel, entry, key, *oif) {
                        return Ok(Found { table: number, length, entry, hop });
                    }
                }
            }
        }
    }
    Err(Errno::ENETUNREACH)
}

/// What an address is to this host (`RTN_…`): its own, an anycast one, a group, or somebody else's.
pub(crate) fn address_type(kernel: &Kernel, ns: NsId, address: Ipv6Addr) -> u8 {
    if address.is_multicast() {
        return kind::MULTICAST;
    }
    match find(kernel, ns, &Key::to(address)) {
        Ok(found) if matches!(found.entry.kind, kind::LOCAL | ANYCAST) => found.entry.kind,
        _ => kind::UNICAST,
    }
}

/// Whether a socket may be bound to it: an address of this host (on `dev`, if it is a link-local one) that is not tentative, or a
/// group.
pub(crate) fn is_bindable(kernel: &Kernel, ns: NsId, address: Ipv6Addr, dev: Option<DevId>) -> bool {
    let has = |dev: DevId| kernel.address6(dev, address).is_some_and(|own| own.is_usable());
    if address.is_multicast() {
        return true;
    }
    match dev {
        Some(dev) => has(dev),
        None if address.is_unicast_link_local() => false,
        None => {
            kernel.namespaces.get(ns).is_some_and(|netns| netns.devices().any(has))
                || address_type(kernel, ns, address) == kind::LOCAL
        }
    }
}

/// The longest packet that goes through a device.
fn device_mtu(kernel: &Kernel, dev: DevId) -> u32 {
    let Some(device) = kernel.devices.get(dev) else { return 0 };
    device.ipv6.as_ref().map_or(device.mtu, |interface| interface.mtu)
}

/// Looks a route up as a local socket would. `ENETUNREACH`, `EHOSTUNREACH`, `EADDRNOTAVAIL` (no address to speak from) …
pub(crate) fn lookup(kernel: &Kernel, ns: NsId, flow: &Flow) -> Result<Route, Errno> {
    let loopback = kernel.namespaces.get(ns).and_then(|netns| netns.ipv4.loopback).ok_or(Errno::ENETUNREACH)?;
    let mut destination = flow.destination;
    if destination.is_unspecified() {
        destination = if flow.source.is_unspecified() { Ipv6Addr::LOCALHOST } else { flow.source };
    }
    let near = destination.is_multicast() || destination.is_unicast_link_local() || destination.is_loopback();
    let strict = near || flow.source.is_unspecified();
    let key = Key { destination, source: flow.source, oif: flow.oif, strict };
    let found = match find(kernel, ns, &key) {
        // Packets for oneself needn't come from the device that has the address.
        Err(Errno::ENETUNREACH) if flow.oif == Some(loopback) => find(kernel, ns, &Key { oif: None, ..key })?,
        answer => answer?,
    };
    let choose_source = |out: DevId| {
        if !flow.source.is_unspecified() {
            Ok(flow.source)
        } else if !found.entry.source.is_unspecified() {
            Ok(found.entry.source)
        } else {
            source::select(kernel, ns, Some(out), destination).ok_or(Errno::EADDRNOTAVAIL)
        }
    };
    if matches!(found.entry.kind, kind::LOCAL | ANYCAST) {
        let source = choose_source(found.hop.dev)?;
        let mtu = device_mtu(kernel, loopback);
        return Ok(Route { kind: kind::LOCAL, dev: loopback, gateway: None, source, mtu });
    }
    let dev = found.hop.dev;
    let source = choose_source(dev)?;
    let kind = if destination.is_multicast() { kind::MULTICAST } else { kind::UNICAST };
    let mut mtu = match found.entry.metric(RTAX_MTU) {
        0 => device_mtu(kernel, dev),
        mtu => mtu,
    };
    if let Some((known, _)) = exception::mtu(kernel, ns, destination) {
        mtu = mtu.min(known);
    }
    Ok(Route { kind, dev, gateway: found.hop.gateway.filter(|_| kind == kind::UNICAST), source, mtu })
}
