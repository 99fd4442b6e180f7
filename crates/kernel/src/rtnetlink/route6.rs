//! IPv6 routes (`RTM_*ROUTE`): making, deleting and listing them, and asking which one a packet would take.

mod change;
mod get;

use std::net::Ipv6Addr;

pub(crate) use change::{add, delete};
pub(crate) use get::get;

use super::attr::{Header, Policy, Rule, Writer};
use super::dispatch::{Answer, Dump, Request};
use super::notify;
use super::rtmsg::*;
use super::uapi::*;
use crate::Kernel;
use crate::error::{Errno, Error, Result};
use crate::ipv6::fib::{ANYCAST, Entry, Nexthop, RTAX_COUNT, kind};
use crate::netdev::OperState;
use crate::types::{DevId, Instant, NsId};

const POLICY: Policy = &[
    (RTA_DST, Rule::AtLeast(0)),
    (RTA_SRC, Rule::AtLeast(0)),
    (RTA_IIF, Rule::U32),
    (RTA_OIF, Rule::U32),
    (RTA_GATEWAY, Rule::Exact(16)),
    (RTA_PRIORITY, Rule::U32),
    (RTA_PREFSRC, Rule::Exact(16)),
    (RTA_METRICS, Rule::Nested),
    (RTA_MULTIPATH, Rule::AtLeast(8)),
    (RTA_TABLE, Rule::U32),
    (RTA_MARK, Rule::U32),
    (RTA_VIA, Rule::AtLeast(2)),
    (RTA_PREF, Rule::U8),
    (RTA_EXPIRES, Rule::U32),
    (RTA_UID, Rule::U32),
    (RTA_IP_PROTO, Rule::U8),
    (RTA_SPORT, Rule::U16),
    (RTA_DPORT, Rule::U16),
];

/// `RTNH_F_ONLINK`, `RTNH_F_LINKDOWN`.
const ONLINK: u8 = 4;
const LINKDOWN: u8 = 16;

const REFUSALS: DumpRefusals = DumpRefusals {
    header: "ipv6: Invalid header for FIB dump request",
    values: "ipv6: Invalid values in header for FIB dump request",
    flags: None,
    attribute: "ipv6: Unsupported attribute in dump request",
};

/// An attribute's address; missing bytes count as 0, as in prefixes that are cut.
fn address(bytes: &[u8]) -> Ipv6Addr {
    let mut octets = [0; 16];
    octets.iter_mut().zip(bytes).for_each(|(octet, byte)| *octet = *byte);
    Ipv6Addr::from(octets)
}

/// A way is marked once everybody has heard that the carrier is gone; local addresses need none.
fn hop_flags(kernel: &Kernel, entry: &Entry, hop: &Nexthop) -> u8 {
    let near = matches!(entry.kind, kind::LOCAL | ANYCAST);
    let down = kernel.devices.get(hop.dev).is_some_and(|device| {
        let told = matches!(device.info.operstate, OperState::Down | OperState::LowerLayerDown);
        !device.carrier && told
    });
    (if hop.onlink { ONLINK } else { 0 }) | if down && !near { LINKDOWN } else { 0 }
}

fn ifindex(kernel: &Kernel, dev: DevId) -> u32 {
    kernel.devices.get(dev).map_or(0, |device| device.ifindex)
}

/// One route as a message.
fn fill(
    kernel: &Kernel,
    table: u32,
    (prefix, length): (Ipv6Addr, u8),
    entry: &Entry,
    out: &mut Writer,
    header: Header,
) {
    let single = if let [hop] = entry.hops.as_slice() { Some(hop) } else { None };
    let message = RtMsg {
        family: AF_INET6,
        destination_length: length,
        table: compat(table),
        protocol: entry.protocol,
        kind: entry.kind,
        flags: single.map_or(0, |hop| hop_flags(kernel, entry, hop)).into(),
        ..RtMsg::default()
    };
    out.message(header, |out| {
        message.write(out);
        out.u32(RTA_TABLE, table);
        if length > 0 {
            out.put(RTA_DST, &prefix.octets());
        }
        if !entry.source.is_unspecified() {
            out.put(RTA_PREFSRC, &entry.source.octets());
        }
        if let Some(metrics) = &entry.metrics {
            fill_metrics(metrics, out);
        }
        out.u32(RTA_PRIORITY, entry.metric);
        match single {
            Some(hop) => {
                gateway(hop, out);
                out.u32(RTA_OIF, ifindex(kernel, hop.dev));
            }
            None => out.nest(RTA_MULTIPATH, |out| {
                for hop in &entry.hops {
                    let (flags, index) = (hop_flags(kernel, entry, hop), ifindex(kernel, hop.dev));
                    fill_nexthop(RtNexthop { flags, weight: hop.weight, index }, out, |out| gateway(hop, out));
                }
            }),
        }
        cache_info(kernel, entry.expires, out);
        out.u8(RTA_PREF, entry.preference);
    });
}

fn gateway(hop: &Nexthop, out: &mut Writer) {
    if let Some(gateway) = hop.gateway {
        out.put(RTA_GATEWAY, &gateway.octets());
    }
}

/// `struct rta_cacheinfo`: when the route ends, in ticks.
fn cache_info(kernel: &Kernel, expires: Option<Instant>, out: &mut Writer) {
    let ticks = expires.map_or(0, |end| end.since(kernel.now).as_millis() / 10) as u32;
    let mut cache = [0; 32];
    cache[8..12].copy_from_slice(&ticks.to_ne_bytes());
    out.put(RTA_CACHEINFO, &cache);
}

/// `RTM_GETROUTE` for all: table after table, by prefix.
pub(crate) fn dump(kernel: &mut Kernel, request: &Request<'_>) -> Result<Answer> {
    let ns = request.ns;
    let filter = DumpFilter::parse(kernel, request, POLICY, &REFUSALS)?;
    let fib = &kernel.namespaces.get(ns).ok_or(Errno::EINVAL)?.ipv6.fib;
    if filter.table.is_some_and(|table| !fib.has(table)) {
        return no_table(request, AF_INET6, "ipv6: FIB table does not exist");
    }
    let shows = |entry: &Entry| filter.shows(entry.protocol, entry.kind, entry.hops.iter().map(|hop| hop.dev));
    let mut entries: Vec<(u32, Ipv6Addr, u8, Entry)> = Vec::new();
    for (number, table) in fib.tables().into_iter().filter(|(number, _)| filter.shows_table(*number)) {
        let shown = table.entries().into_iter().filter(|(.., entry)| shows(entry));
        entries.extend(shown.map(|(prefix, length, entry)| (number, prefix, length, entry.clone())));
    }
    let flags = if request.strict { NLM_F_DUMP_FILTERED } else { 0 };
    let mut entries = entries.into_iter();
    let dump = Dump::new(move |kernel, out, header| {
        let Some((table, prefix, length, entry)) = entries.next() else { return Ok(false) };
        fill(kernel, table, (prefix, length), &entry, out, header.with_kind(RTM_NEWROUTE).with_flags(flags));
        Ok(true)
    });
    Ok(Answer::Dump(dump.done_apart()))
}

impl Kernel {
    /// A route is there, as the flags of the message say, or is gone.
    pub(crate) fn notify_route6(
        &mut self,
        ns: NsId,
        table: u32,
        prefix: (Ipv6Addr, u8),
        entry: &Entry,
        there: Option<u16>,
    ) {
        let kind = if there.is_some() { RTM_NEWROUTE } else { RTM_DELROUTE };
        let flags = there.unwrap_or(0);
        notify::multicast(self, ns, RTNLGRP_IPV6_ROUTE, |kernel, out| {
            fill(kernel, table, prefix, entry, out, Header { kind, flags, ..Header::default() });
        });
    }
}
