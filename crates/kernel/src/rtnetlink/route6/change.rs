//! Routes made and deleted: what may be asked for, and which next hops make sense.

use std::time::Duration;

use super::super::attr::{Attributes, Check};
use super::super::dispatch::{Answer, Request};
use super::*;
use crate::ipv6::fib::{Insert, Pattern, USER_METRIC, protocol, table};
use crate::ipv6::{self as inet, Conf, Key};

/// `RTN_UNSPEC`.
const UNSPEC: u8 = 0;

/// A next hop as it is asked for.
#[derive(Clone, Copy, Debug)]
struct Hop {
    index: u32,
    gateway: Option<Ipv6Addr>,
    onlink: bool,
    weight: u8,
}

/// A route as it is asked for.
#[derive(Clone, Debug)]
struct Wanted {
    table: u32,
    prefix: Ipv6Addr,
    length: u8,
    kind: u8,
    protocol: u8,
    /// 0: the usual one.
    metric: u32,
    preference: u8,
    source: Ipv6Addr,
    metrics: Option<Box<[u32; RTAX_COUNT]>>,
    hops: Vec<Hop>,
    expires: Option<u32>,
}

/// `RTM_NEWROUTE`.
pub(crate) fn add(kernel: &mut Kernel, request: &Request<'_>) -> Result<Answer> {
    let wanted = parse(request)?;
    let how = if request.has(NLM_F_REPLACE) {
        Insert::Replace { create: request.has(NLM_F_CREATE) }
    } else if request.has(NLM_F_EXCL) {
        Insert::Exclusive
    } else {
        Insert::Append
    };
    let entry = resolve(kernel, request.ns, &wanted)?;
    inet::insert_route(kernel, request.ns, wanted.table, wanted.prefix, wanted.length, entry, how)?;
    Ok(Answer::Done)
}

/// `RTM_DELROUTE`.
pub(crate) fn delete(kernel: &mut Kernel, request: &Request<'_>) -> Result<Answer> {
    let wanted = parse(request)?;
    let netns = kernel.namespaces.get(request.ns).ok_or(Errno::EINVAL)?;
    if !netns.ipv6.fib.has(wanted.table) {
        return Err(Error::new(Errno::ESRCH, "FIB table does not exist"));
    }
    let dev = |index: u32| match index {
        0 => Ok(None),
        // A device that isn't there has no routes.
        index => netns.device_by_index(index).map(Some).ok_or(Errno::ESRCH),
    };
    let hops = wanted.hops.iter().map(|hop| Ok((dev(hop.index)?, hop.gateway)));
    let pattern = Pattern {
        kind: Some(wanted.kind).filter(|kind| !matches!(*kind, UNSPEC | kind::UNICAST)),
        protocol: Some(wanted.protocol).filter(|protocol| *protocol != 0),
        metric: Some(wanted.metric).filter(|metric| *metric != 0),
        hops: hops.collect::<Result<_, Errno>>()?,
    };
    inet::remove_route(kernel, request.ns, wanted.table, wanted.prefix, wanted.length, &pattern)?;
    Ok(Answer::Done)
}

fn parse(request: &Request<'_>) -> Result<Wanted> {
    let message = RtMsg::parse(&request.fixed("Invalid header for route request")?);
    let attrs = request.attributes(RTMSG, POLICY, Check::Lenient)?;
    if message.destination_length > 128 {
        return Err(Error::new(Errno::EINVAL, "Invalid prefix length"));
    }
    if message.source_length > 0 {
        return Err(Error::new(Errno::EINVAL, "Specifying source address requires IPV6_SUBTREES to be enabled"));
    }
    if attrs.get(RTA_VIA).is_some() {
        return Err(Error::new(Errno::EINVAL, "IPv6 does not support RTA_VIA attribute"));
    }
    let given = |number: u16| attrs.get(number).map(|attr| address(attr.payload));
    let prefix = inet::fib::prefix_bits(given(RTA_DST).unwrap_or(Ipv6Addr::UNSPECIFIED), message.destination_length);
    let number = attrs.get(RTA_TABLE).map_or(message.table.into(), |table| table.u32());
    let mut wanted = Wanted {
        table: if number == 0 { table::MAIN } else { number },
        prefix: Ipv6Addr::from_bits(prefix),
        length: message.destination_length,
        kind: message.kind,
        protocol: message.protocol,
        metric: attrs.get(RTA_PRIORITY).map_or(0, |metric| metric.u32()),
        preference: attrs.get(RTA_PREF).map_or(0, |preference| preference.u8()),
        source: given(RTA_PREFSRC).unwrap_or(Ipv6Addr::UNSPECIFIED),
        metrics: attrs.get(RTA_METRICS).map(|metrics| parse_metrics(&metrics)).transpose()?,
        hops: attrs
            .get(RTA_MULTIPATH)
            .map(|hops| parse_nexthops(&hops, POLICY, parse_hop))
            .transpose()?
            .unwrap_or_default(),
        expires: attrs.get(RTA_EXPIRES).map(|expires| expires.u32()),
    };
    // Only two of the three preferences of RFC 4191 differ from the usual one.
    if wanted.preference == 2 {
        wanted.preference = 0;
    }
    let index = attrs.get(RTA_OIF).map_or(0, |index| index.u32());
    let gateway = given(RTA_GATEWAY);
    if wanted.hops.is_empty() && (index != 0 || gateway.is_some()) {
        let onlink = message.flags & u32::from(ONLINK) != 0;
        wanted.hops.push(Hop { index, gateway, onlink, weight: 0 });
    }
    Ok(wanted)
}

fn parse_hop(hop: RtNexthop, attrs: &Attributes<'_>) -> Result<Hop> {
    let gateway = attrs.get(RTA_GATEWAY).map(|gateway| address(gateway.payload));
    Ok(Hop { index: hop.index, gateway, onlink: hop.flags & ONLINK != 0, weight: hop.weight })
}

/// What Linux makes of the request: every next hop with its device, or why not.
fn resolve(kernel: &Kernel, ns: NsId, wanted: &Wanted) -> Result<Entry> {
    let mut entry = Entry {
        kind: if wanted.kind == UNSPEC { kind::UNICAST } else { wanted.kind },
        protocol: if wanted.protocol == 0 { protocol::BOOT } else { wanted.protocol },
        metric: if wanted.metric == 0 { USER_METRIC } else { wanted.metric },
        preference: wanted.preference,
        source: wanted.source,
        hops: Vec::new(),
        metrics: wanted.metrics.clone().filter(|metrics| metrics.iter().any(|metric| *metric != 0)),
        expires: wanted.expires.map(|seconds| kernel.now + Duration::from_secs(seconds.into())),
    };
    if entry.kind > kind::THROW {
        return Err(Error::new(Errno::EINVAL, "Invalid route type"));
    }
    if entry.refuses() {
        let loopback = kernel.namespaces.get(ns).and_then(|netns| netns.ipv4.loopback).ok_or(Errno::ENODEV)?;
        entry.hops.push(Nexthop { dev: loopback, gateway: None, onlink: false, weight: 0 });
        return Ok(entry);
    }
    if wanted.hops.is_empty() {
        return Err(Errno::ENODEV.into());
    }
    for hop in &wanted.hops {
        let resolved = resolve_hop(kernel, ns, hop)?;
        entry.hops.push(resolved);
    }
    if !wanted.source.is_unspecified() && inet::address_type(kernel, ns, wanted.source) != kind::LOCAL {
        return Err(Error::new(Errno::EINVAL, "Invalid source address"));
    }
    Ok(entry)
}

fn resolve_hop(kernel: &Kernel, ns: NsId, hop: &Hop) -> Result<Nexthop> {
    let named = match hop.index {
        0 => None,
        index => Some(kernel.device_by_index(ns, index).ok_or(Errno::ENODEV)?),
    };
    if let Some(device) = named.and_then(|dev| kernel.devices.get(dev))
        && device.ipv6.is_none()
    {
        return Err(Errno::ENODEV.into());
    }
    if hop.onlink {
        let dev = named.ok_or(Error::new(Errno::ENODEV, "Nexthop device required for onlink"))?;
        if !kernel.devices.get(dev).is_some_and(|device| device.is_up()) {
            return Err(Error::new(Errno::ENETDOWN, "Nexthop device is not up"));
        }
    }
    let dev = match hop.gateway {
        None => named.ok_or(Errno::ENODEV)?,
        Some(gateway) => through(kernel, ns, gateway, named, hop.onlink)?,
    };
    if kernel.conf6(dev, Conf::DisableIpv6) != 0 {
        return Err(Error::new(Errno::EACCES, "IPv6 is disabled on nexthop device"));
    }
    if !kernel.devices.get(dev).is_some_and(|device| device.is_up()) {
        return Err(Error::new(Errno::ENETDOWN, "Nexthop device is not up"));
    }
    Ok(Nexthop { dev, gateway: hop.gateway, onlink: hop.onlink, weight: hop.weight })
}

/// The device through which a gateway is reached.
fn through(kernel: &Kernel, ns: NsId, gateway: Ipv6Addr, named: Option<DevId>, onlink: bool) -> Result<DevId> {
    if gateway.is_multicast() || gateway.is_unspecified() || gateway.is_loopback() {
        return Err(Error::new(Errno::EINVAL, "Invalid gateway address"));
    }
    let netns = kernel.namespaces.get(ns).ok_or(Errno::EINVAL)?;
    let near = gateway.is_unicast_link_local();
    let is_own = |dev: DevId| kernel.address6(dev, gateway).is_some();
    let own = match named {
        Some(dev) if near => is_own(dev),
        _ => netns.devices().any(is_own),
    };
    if own {
        return Err(Error::new(Errno::EINVAL, "Gateway can not be a local address"));
    }
    if near {
        return named.ok_or(Error::new(Errno::EINVAL, "Egress device not specified"));
    }
    if let (true, Some(dev)) = (onlink, named) {
        return Ok(dev);
    }
    let key = Key { oif: named, strict: named.is_some(), ..Key::to(gateway) };
    let found = inet::find(kernel, ns, &key).map_err(|_| Errno::EHOSTUNREACH)?;
    if found.hop.gateway.is_some() || found.entry.kind != kind::UNICAST {
        return Err(Errno::EHOSTUNREACH.into());
    }
    Ok(found.hop.dev)
}
