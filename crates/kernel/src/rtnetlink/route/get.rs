//! Which route a packet would take (`ip route get`).

use std::net::Ipv4Addr;

use super::super::addr::ipv4;
use super::super::dispatch::{Answer, Request};
use super::super::uapi::*;
use super::*;
use crate::ipv4::fib::{Key, RTAX_MTU, kind, table};
use crate::ipv4::{self as inet, Flow, Route, exception};

/// `RTM_F_LOOKUP_TABLE`, `RTM_F_FIB_MATCH`.
const LOOKUP_TABLE: u32 = 0x1000;
const FIB_MATCH: u32 = 0x2000;

/// `RTCF_…`: what a route that was looked up is.
const BROADCAST: u32 = 0x1000_0000;
const MULTICAST: u32 = 0x2000_0000;
const LOCAL: u32 = 0x8000_0000;
const REDIRECTED: u32 = 0x0004_0000;

/// `RTM_GETROUTE`: a lookup.
pub(crate) fn get(kernel: &mut Kernel, request: &Request<'_>) -> Result<Answer> {
    let message = RtMsg::parse(&request.fixed("ipv4: Invalid header for route get request")?);
    let attrs = request.attributes(RTMSG, POLICY, request.check())?;
    let ns = request.ns;
    let address = |number: u16| attrs.get(number).map_or(Ipv4Addr::UNSPECIFIED, |attr| ipv4(&attr));
    let (iif, oif) = (device(kernel, ns, &attrs, RTA_IIF)?, device(kernel, ns, &attrs, RTA_OIF)?);
    let flow = Flow {
        source: address(RTA_SRC),
        oif,
        tos: message.tos,
        mark: attrs.get(RTA_MARK).map_or(0, |mark| mark.u32()),
        ..Flow::to(address(RTA_DST))
    };
    let route = match iif {
        Some(dev) => inet::input_route(kernel, dev, &flow)?,
        None => inet::output_anew(kernel, ns, flow, false)?,
    };
    let mut out = Writer::new();
    let header = request.reply(RTM_NEWROUTE);
    if message.flags & FIB_MATCH != 0 {
        let key = Key {
            source: flow.source.to_bits(),
            tos: flow.tos,
            oif,
            iif,
            mark: flow.mark,
            ..Key::to(flow.destination)
        };
        if flow.destination.is_unspecified() {
            // It is this host without a route.
            return Err(Errno::EHOSTUNREACH.into());
        }
        let found = kernel.fib_lookup(ns, &key)?;
        let prefix = flow.destination.to_bits() & inet::addr::netmask(found.length);
        let place = (Ipv4Addr::from_bits(prefix), found.length);
        let fib = &kernel.namespaces.get(ns).ok_or(Errno::EINVAL)?.ipv4.fib;
        let shown = if message.flags & LOOKUP_TABLE != 0 { fib.shown(found.table) } else { table::MAIN };
        fill(kernel, shown, place, found.alias, &mut out, header);
        return Ok(Answer::Reply(out));
    }
    let shown = if message.flags & LOOKUP_TABLE != 0 { route.table } else { table::MAIN };
    cached(kernel, ns, &flow, iif, &route, shown, &mut out, header);
    Ok(Answer::Reply(out))
}

/// The route of one packet as a message.
#[allow(clippy::too_many_arguments, reason = "one caller")]
fn cached(
    kernel: &Kernel,
    ns: NsId,
    flow: &Flow,
    iif: Option<DevId>,
    route: &Route,
    table: u32,
    out: &mut Writer,
    header: Header,
) {
    let known = exception::get(kernel, ns, flow.destination).filter(|_| route.kind == kind::UNICAST);
    let mut flags = RTM_F_CLONED;
    flags |= match route.kind {
        kind::LOCAL => LOCAL,
        kind::BROADCAST => BROADCAST | LOCAL,
        kind::MULTICAST if inet::igmp::is_member(kernel, route.dev, flow.destination) => MULTICAST | LOCAL,
        kind::MULTICAST => MULTICAST,
        _ => 0,
    };
    if known.is_some_and(|known| known.gateway.is_some()) {
        flags |= REDIRECTED;
    }
    let has_source = !flow.source.is_unspecified();
    let message = RtMsg {
        family: AF_INET,
        destination_length: 32,
        source_length: if has_source { 32 } else { 0 },
        tos: flow.tos,
        table: compat(table),
        protocol: 0,
        scope: 0,
        kind: route.kind,
        flags,
    };
    out.message(header, |out| {
        message.write(out);
        out.u32(RTA_TABLE, table);
        out.put(RTA_DST, &flow.destination.octets());
        if has_source {
            out.put(RTA_SRC, &flow.source.octets());
        }
        if let Some(device) = kernel.devices.get(route.dev) {
            out.u32(RTA_OIF, device.ifindex);
        }
        if iif.is_none() && route.source != flow.source {
            out.put(RTA_PREFSRC, &route.source.octets());
        }
        gateway(route.gateway, out);
        let mut metrics = [0; RTAX_COUNT];
        if let Some(alias) = metrics_of(kernel, ns, flow, route) {
            metrics = alias;
        }
        if let Some(mtu) = known.map(|known| known.mtu).filter(|mtu| *mtu != 0) {
            metrics[RTAX_MTU] = mtu;
        }
        fill_metrics(&metrics, out);
        if flow.mark != 0 {
            out.u32(RTA_MARK, flow.mark);
        }
        match iif.and_then(|dev| kernel.devices.get(dev)) {
            Some(device) => out.u32(RTA_IIF, device.ifindex),
            None => out.u32(RTA_UID, 0),
        }
        let expires = known.map_or(0, |known| known.expires.since(kernel.now).as_millis() / 10) as u32;
        let mut cache = [0; 32];
        cache[..4].copy_from_slice(&1u32.to_ne_bytes());
        cache[8..12].copy_from_slice(&expires.to_ne_bytes());
        out.put(RTA_CACHEINFO, &cache);
    });
}

/// The metrics of the route behind a lookup.
fn metrics_of(kernel: &Kernel, ns: NsId, flow: &Flow, route: &Route) -> Option<[u32; RTAX_COUNT]> {
    if !matches!(route.kind, kind::UNICAST | kind::LOCAL) {
        return None;
    }
    let key = Key { source: flow.source.to_bits(), tos: flow.tos, mark: flow.mark, ..Key::to(flow.destination) };
    let found = kernel.fib_lookup(ns, &Key { oif: flow.oif, ..key }).ok()?;
    found.alias.metrics.as_deref().copied()
}
