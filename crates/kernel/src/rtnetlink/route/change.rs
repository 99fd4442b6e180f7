//! Routes made and deleted: what may be asked for, and which next hops make sense.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::super::addr::ipv4;
use super::super::attr::{Attr, Attributes, Check};
use super::super::dispatch::{Answer, Request};
use super::super::uapi::*;
use super::*;
use crate::few::Few;
use crate::ipv4::fib::{Key, Pattern, RTAX_MTU, kind, protocol, scope, table};
use crate::ipv4::{self as inet};

/// A next hop as it is asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hop {
    pub(crate) index: u32,
    pub(crate) gateway: Option<IpAddr>,
    pub(crate) flags: u8,
    pub(crate) weight: u8,
}

/// A route as it is asked for, by netlink or by ioctl.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    pub(crate) table: u32,
    pub(crate) prefix: Ipv4Addr,
    pub(crate) length: u8,
    pub(crate) tos: u8,
    pub(crate) kind: u8,
    pub(crate) scope: u8,
    pub(crate) protocol: u8,
    pub(crate) priority: u32,
    pub(crate) source: Option<Ipv4Addr>,
    pub(crate) metrics: Option<Box<[u32; RTAX_COUNT]>>,
    pub(crate) hops: Vec<Hop>,
    /// Whether they are several next hops in one attribute.
    pub(crate) multipath: bool,
}

/// `RTM_NEWROUTE`.
pub(crate) fn add(kernel: &mut Kernel, request: &Request<'_>) -> Result<Answer> {
    let wanted = parse(request)?;
    let how = match (request.has(NLM_F_CREATE), request.has(NLM_F_REPLACE)) {
        (true, true) => Insert::Replace,
        (false, true) => Insert::Change,
        (false, false) => Insert::Test,
        _ if request.has(NLM_F_EXCL) => Insert::Exclusive,
        _ if request.has(NLM_F_APPEND) => Insert::Append,
        (true, false) => Insert::Prepend,
    };
    insert(kernel, request.ns, &wanted, how)?;
    Ok(Answer::Done)
}

/// Makes a route, if it makes sense.
pub(crate) fn insert(kernel: &mut Kernel, ns: NsId, wanted: &Wanted, how: Insert) -> Result<()> {
    check_prefix(wanted)?;
    // It is there from now on, whatever becomes of the route.
    kernel.namespaces.get_mut(ns).ok_or(Errno::EINVAL)?.ipv4.fib.table_mut(wanted.table);
    let alias = resolve(kernel, ns, wanted)?;
    inet::insert_route(kernel, ns, wanted.table, wanted.prefix, wanted.length, alias, how)?;
    Ok(())
}

/// `RTM_DELROUTE`.
pub(crate) fn delete(kernel: &mut Kernel, request: &Request<'_>) -> Result<Answer> {
    let wanted = parse(request)?;
    remove(kernel, request.ns, &wanted)?;
    Ok(Answer::Done)
}

/// Deletes the first route that fits.
pub(crate) fn remove(kernel: &mut Kernel, ns: NsId, wanted: &Wanted) -> Result<()> {
    check_prefix(wanted)?;
    let netns = kernel.namespaces.get(ns).ok_or(Errno::EINVAL)?;
    if netns.ipv4.fib.table(wanted.table).is_none() {
        return Err(Error::new(Errno::ESRCH, "FIB table does not exist"));
    }
    let dev = |index: u32| match index {
        0 => Ok(None),
        // A device that isn't there has no routes.
        index => netns.device_by_index(index).map(Some).ok_or(Errno::ESRCH),
    };
    let hops = wanted.hops.iter().map(|hop| Ok((dev(hop.index)?, hop.gateway)));
    let pattern = Pattern {
        tos: wanted.tos,
        kind: Some(wanted.kind).filter(|kind| *kind != 0),
        scope: Some(wanted.scope).filter(|scope| *scope != scope::NOWHERE),
        protocol: Some(wanted.protocol).filter(|protocol| *protocol != 0),
        priority: Some(wanted.priority).filter(|priority| *priority != 0),
        source: wanted.source,
        nexthops: hops.collect::<Result<_, Errno>>()?,
    };
    inet::remove_route(kernel, ns, wanted.table, wanted.prefix, wanted.length, &pattern)
}

fn check_prefix(wanted: &Wanted) -> Result<()> {
    if wanted.length > 32 {
        return Err(Error::new(Errno::EINVAL, "Invalid prefix length"));
    }
    if wanted.prefix.to_bits() & !inet::addr::netmask(wanted.length) != 0 {
        return Err(Error::new(Errno::EINVAL, "Invalid prefix for given prefix length"));
    }
    Ok(())
}

fn parse(request: &Request<'_>) -> Result<Wanted> {
    let message = RtMsg::parse(&request.fixed("Invalid header for route request")?);
    let attrs = request.attributes(RTMSG, POLICY, Check::Lenient)?;
    if message.tos & 3 != 0 {
        return Err(Error::new(Errno::EINVAL, "Invalid dsfield (tos): ECN bits must be 0"));
    }
    if message.kind > 11 {
        return Err(Error::new(Errno::EINVAL, "Invalid route type"));
    }
    if attrs.get(RTA_GATEWAY).is_some() && attrs.get(RTA_VIA).is_some() {
        return Err(Error::new(Errno::EINVAL, "Nexthop configuration can not contain both GATEWAY and VIA"));
    }
    let mut wanted = Wanted {
        table: attrs.get(RTA_TABLE).map_or(message.table.into(), |table| table.u32()),
        prefix: attrs.get(RTA_DST).map_or(Ipv4Addr::UNSPECIFIED, |destination| ipv4(&destination)),
        length: message.destination_length,
        tos: message.tos & 0x1c,
        kind: message.kind,
        scope: message.scope,
        protocol: message.protocol,
        priority: attrs.get(RTA_PRIORITY).map_or(0, |priority| priority.u32()),
        source: attrs.get(RTA_PREFSRC).map(|source| ipv4(&source)),
        metrics: attrs.get(RTA_METRICS).map(|metrics| bounded_metrics(&metrics)).transpose()?,
        hops: Vec::new(),
        multipath: false,
    };
    if wanted.table == 0 {
        wanted.table = table::MAIN;
    }
    if let Some(several) = attrs.get(RTA_MULTIPATH) {
        wanted.hops = parse_nexthops(&several, POLICY, parse_hop)?;
        wanted.multipath = true;
    }
    let index = attrs.get(RTA_OIF).map_or(0, |index| index.u32());
    let gateway = parse_gateway(&attrs)?;
    if wanted.hops.is_empty() && (index != 0 || gateway.is_some()) {
        wanted.hops.push(Hop { index, gateway, flags: message.flags as u8, weight: 0 });
    }
    Ok(wanted)
}

fn bounded_metrics(attr: &Attr<'_>) -> Result<Box<[u32; RTAX_COUNT]>> {
    let mut metrics = parse_metrics(attr)?;
    // Larger ones make no sense.
    metrics[RTAX_MTU] = metrics[RTAX_MTU].min(65_535 - 15);
    Ok(metrics)
}

fn parse_gateway(attrs: &Attributes<'_>) -> Result<Option<IpAddr>> {
    if let Some(gateway) = attrs.get(RTA_GATEWAY) {
        return Ok(Some(ipv4(&gateway)).filter(|gateway| !gateway.is_unspecified()).map(IpAddr::V4));
    }
    let Some(via) = attrs.get(RTA_VIA) else { return Ok(None) };
    let address = via.payload.get(2..).unwrap_or_default();
    match via.u16() {
        family if family == u16::from(AF_INET) => {
            let address: [u8; 4] =
                address.try_into().map_err(|_| Error::new(Errno::EINVAL, "Invalid IPv4 address in RTA_VIA"))?;
            Ok(Some(IpAddr::V4(address.into())).filter(|gateway| !gateway.is_unspecified()))
        }
        family if family == u16::from(AF_INET6) => {
            let address: [u8; 16] =
                address.try_into().map_err(|_| Error::new(Errno::EINVAL, "Invalid IPv6 address in RTA_VIA"))?;
            Ok(Some(IpAddr::V6(Ipv6Addr::from(address))))
        }
        _ => Err(Error::new(Errno::EINVAL, "Unsupported address family in RTA_VIA")),
    }
}

fn parse_hop(hop: RtNexthop, attrs: &Attributes<'_>) -> Result<Hop> {
    Ok(Hop { index: hop.index, gateway: parse_gateway(attrs)?, flags: hop.flags, weight: hop.weight })
}

/// What Linux makes of the request: every next hop with its device, or why not.
fn resolve(kernel: &Kernel, ns: NsId, wanted: &Wanted) -> Result<Alias> {
    let widest = match wanted.kind {
        kind::LOCAL => scope::HOST,
        kind::BROADCAST => scope::LINK,
        _ => scope::UNIVERSE,
    };
    if widest > wanted.scope {
        return Err(Error::new(Errno::EINVAL, "Invalid scope"));
    }
    let mut alias = Alias {
        tos: wanted.tos,
        kind: wanted.kind,
        scope: wanted.scope,
        protocol: wanted.protocol,
        priority: wanted.priority,
        source: wanted.source.unwrap_or(Ipv4Addr::UNSPECIFIED),
        nexthops: Few::default(),
        metrics: wanted.metrics.clone().filter(|metrics| metrics.iter().any(|metric| *metric != 0)),
    };
    match wanted.kind {
        kind::BLACKHOLE | kind::UNREACHABLE | kind::PROHIBIT | kind::THROW => {
            if !wanted.hops.is_empty() {
                return Err(Error::new(
                    Errno::EINVAL,
                    "Gateway, device and multipath can not be specified for this route type",
                ));
            }
            return Ok(alias);
        }
        kind::UNICAST | kind::LOCAL | kind::BROADCAST | 4 | kind::MULTICAST => {}
        _ => return Err(Error::new(Errno::EINVAL, "Invalid route type")),
    }
    if wanted.scope > scope::HOST {
        return Err(Error::new(Errno::EINVAL, "Invalid scope"));
    }
    if wanted.scope == scope::HOST {
        let [hop] = wanted.hops.as_slice() else {
            return match wanted.hops.as_slice() {
                [] => Err(Errno::ENODEV.into()),
                _ => Err(Error::new(Errno::EINVAL, "Route with host scope can not have multiple nexthops")),
            };
        };
        if hop.gateway.is_some() {
            return Err(Error::new(Errno::EINVAL, "Route with host scope can not have a gateway"));
        }
        let dev = kernel.device_by_index(ns, hop.index).ok_or(Errno::ENODEV)?;
        alias.nexthops.push(Nexthop {
            dev: Some(dev),
            gateway: None,
            scope: scope::NOWHERE,
            flags: 0,
            weight: hop.weight,
        });
    } else {
        if wanted.hops.is_empty() {
            return Err(Errno::ENODEV.into());
        }
        for hop in &wanted.hops {
            alias.nexthops.push(resolve_hop(kernel, ns, wanted, hop)?);
        }
    }
    if let Some(source) = wanted.source.filter(|source| !source.is_unspecified()) {
        let own = wanted.kind == kind::LOCAL && source == wanted.prefix;
        if !own && inet::address_type(kernel, ns, source) != kind::LOCAL {
            return Err(Error::new(Errno::EINVAL, "Invalid prefsrc address"));
        }
    }
    Ok(alias)
}

fn resolve_hop(kernel: &Kernel, ns: NsId, wanted: &Wanted, hop: &Hop) -> Result<Nexthop> {
    let named = match hop.index {
        0 => None,
        index => Some(kernel.device_by_index(ns, index).ok_or(Errno::ENODEV)?),
    };
    let up = |dev: DevId| kernel.devices.get(dev).is_some_and(|device| device.is_up());
    let onlink = hop.flags & hop_flags::ONLINK != 0;
    let invalid_gateway = |errno: Errno| Error::new(errno, "Nexthop has invalid gateway");
    let (dev, scope) = match hop.gateway {
        None => {
            if onlink {
                return Err(Error::new(
                    Errno::EINVAL,
                    "Invalid flags for nexthop - PERVASIVE and ONLINK can not be set",
                ));
            }
            let dev = named.ok_or(Errno::ENODEV)?;
            if kernel.devices.get(dev).is_none_or(|device| device.ipv4.is_none()) {
                return Err(Errno::ENODEV.into());
            }
            if !up(dev) {
                return Err(Error::new(Errno::ENETDOWN, "Device for nexthop is not up"));
            }
            (dev, scope::HOST)
        }
        Some(IpAddr::V4(gateway)) if onlink => {
            if wanted.scope >= scope::LINK {
                return Err(Error::new(Errno::EINVAL, "Nexthop has invalid scope"));
            }
            let dev = named.ok_or(Error::new(Errno::ENODEV, "Nexthop device required for onlink"))?;
            if !up(dev) {
                return Err(Error::new(Errno::ENETDOWN, "Nexthop device is not up"));
            }
            if inet::address_type(kernel, ns, gateway) != kind::UNICAST {
                return Err(invalid_gateway(Errno::EINVAL));
            }
            (dev, scope::LINK)
        }
        Some(IpAddr::V4(gateway)) => {
            let key = Key { scope: scope::LINK.max(wanted.scope + 1), oif: named, ..Key::to(gateway) };
            let found = kernel.fib_lookup(ns, &key).map_err(invalid_gateway)?;
            if gateway.is_multicast() || !matches!(found.alias.kind, kind::UNICAST | kind::LOCAL) {
                return Err(invalid_gateway(Errno::EINVAL));
            }
            let dev = found.nexthop.dev.ok_or(Error::new(Errno::EINVAL, "No egress device for nexthop"))?;
            if !up(dev) {
                return Err(Errno::ENETDOWN.into());
            }
            (dev, found.alias.scope)
        }
        Some(IpAddr::V6(gateway)) => {
            let dev = named.ok_or(Error::new(Errno::EINVAL, "Gateway can not be resolved without a device"))?;
            let device = kernel.devices.get(dev).ok_or(Errno::ENODEV)?;
            if device.ipv6.is_none() {
                return Err(Error::new(Errno::EINVAL, "IPv6 is disabled on nexthop device"));
            }
            if gateway.is_multicast() {
                return Err(Error::new(Errno::EINVAL, "Invalid gateway address"));
            }
            if !up(dev) {
                return Err(Error::new(Errno::ENETDOWN, "Nexthop device is not up"));
            }
            (dev, scope::LINK)
        }
    };
    let carrier = kernel.devices.get(dev).is_some_and(|device| device.carrier);
    let flags = (hop.flags & hop_flags::ONLINK) | if carrier { 0 } else { hop_flags::LINKDOWN };
    Ok(Nexthop { dev: Some(dev), gateway: hop.gateway, scope, flags, weight: hop.weight })
}

/// What `RTM_NEWROUTE` takes for granted where it isn't told.
impl Default for Wanted {
    fn default() -> Wanted {
        Wanted {
            table: table::MAIN,
            prefix: Ipv4Addr::UNSPECIFIED,
            length: 0,
            tos: 0,
            kind: kind::UNICAST,
            scope: scope::UNIVERSE,
            protocol: protocol::BOOT,
            priority: 0,
            source: None,
            metrics: None,
            hops: Vec::new(),
            multipath: false,
        }
    }
}
