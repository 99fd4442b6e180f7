//! IPv6 routes (`RTM_*ROUTE`): making, deleting and listing them, and asking which one a packet would take.

mod change;
mod get;

use std::net::Ipv6Addr;

pub(crate) use change::{add, delete};
pub(crate) use get::get;

use super::attr::{Header, Policy, Rule, Writer};
use super::dispatch::{Answer, Dump, Request};
use super::notify;
use super::uapi::*;
use crate::Kernel;
use crate::error::{Errno, Error, Result};
use crate::ipv6::fib::{ANYCAST, Entry, Nexthop, RTAX_COUNT, kind};
use crate::netdev::OperState;
use crate::types::{DevId, Instant, NsId};

/// Bytes of a `struct rtmsg`.
const RTMSG: usize = 12;

const RTA_DST: u16 = 1;
const RTA_SRC: u16 = 2;
const RTA_IIF: u16 = 3;
const RTA_OIF: u16 = 4;
const RTA_GATEWAY: u16 = 5;
const RTA_PRIORITY: u16 = 6;
const RTA_PREFSRC: u16 = 7;
const RTA_METRICS: u16 = 8;
const RTA_MULTIPATH: u16 = 9;
const RTA_CACHEINFO: u16 = 12;
const RTA_TABLE: u16 = 15;
const RTA_MARK: u16 = 16;
const RTA_VIA: u16 = 18;
const RTA_PREF: u16 = 20;
const RTA_EXPIRES: u16 = 23;
const RTA_UID: u16 = 25;
const RTA_IP_PROTO: u16 = 27;
const RTA_SPORT: u16 = 28;
const RTA_DPORT: u16 = 29;

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

/// `RT_TABLE_COMPAT`: what the header says of a table whose number is too large for it.
const TABLE_COMPAT: u8 = 252;
/// `RTM_F_CLONED`: what was learned, not what was configured.
const RTM_F_CLONED: u32 = 0x200;
/// `RTNH_F_ONLINK`, `RTNH_F_LINKDOWN`.
const ONLINK: u8 = 4;
const LINKDOWN: u8 = 16;

/// `struct rtmsg` after the family.
#[derive(Clone, Copy, Debug, Default)]
struct RtMsg {
    destination_length: u8,
    source_length: u8,
    tos: u8,
    table: u8,
    protocol: u8,
    scope: u8,
    kind: u8,
    flags: u32,
}

impl RtMsg {
    fn parse(bytes: &[u8; RTMSG]) -> RtMsg {
        let [_, destination_length, source_length, tos, table, protocol, scope, kind, flags @ ..] = *bytes;
        let flags = u32::from_ne_bytes(flags);
        RtMsg { destination_length, source_length, tos, table, protocol, scope, kind, flags }
    }

    fn write(&self, out: &mut Writer) {
        let [a, b, c, d] = self.flags.to_ne_bytes();
        let (lengths, what) = ([self.destination_length, self.source_length], [self.scope, self.kind]);
        out.raw(&[AF_INET6, lengths[0], lengths[1], self.tos, self.table, self.protocol, what[0], what[1], a, b, c, d]);
    }
}

fn compat(table: u32) -> u8 {
    u8::try_from(table).unwrap_or(TABLE_COMPAT)
}

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
                if let Some(gateway) = hop.gateway {
                    out.put(RTA_GATEWAY, &gateway.octets());
                }
                out.u32(RTA_OIF, ifindex(kernel, hop.dev));
            }
            None => out.nest(RTA_MULTIPATH, |out| {
                for hop in &entry.hops {
                    let mut inner = Writer::new();
                    if let Some(gateway) = hop.gateway {
                        inner.put(RTA_GATEWAY, &gateway.octets());
                    }
                    let inner = inner.into_bytes();
                    let mut bytes = ((8 + inner.len()) as u16).to_ne_bytes().to_vec();
                    bytes.extend([hop_flags(kernel, entry, hop), hop.weight]);
                    bytes.extend(ifindex(kernel, hop.dev).to_ne_bytes());
                    bytes.extend(inner);
                    out.raw(&bytes);
                }
            }),
        }
        cache_info(kernel, entry.expires, out);
        out.u8(RTA_PREF, entry.preference);
    });
}

fn fill_metrics(metrics: &[u32; RTAX_COUNT], out: &mut Writer) {
    out.nest_unless_empty(RTA_METRICS, |out| {
        for (number, value) in metrics.iter().enumerate().filter(|(_, value)| **value != 0) {
            out.u32(number as u16, *value);
        }
    });
}

/// `struct rta_cacheinfo`: when the route ends, in ticks.
fn cache_info(kernel: &Kernel, expires: Option<Instant>, out: &mut Writer) {
    let ticks = expires.map_or(0, |end| end.since(kernel.now).as_millis() / 10) as u32;
    let mut cache = [0; 32];
    cache[8..12].copy_from_slice(&ticks.to_ne_bytes());
    out.put(RTA_CACHEINFO, &cache);
}

/// What a dump shows.
#[derive(Clone, Copy, Debug, Default)]
struct Filter {
    table: Option<u32>,
    protocol: u8,
    kind: u8,
    dev: Option<DevId>,
}

impl Filter {
    fn shows(&self, entry: &Entry) -> bool {
        (self.protocol == 0 || self.protocol == entry.protocol)
            && (self.kind == 0 || self.kind == entry.kind)
            && self.dev.is_none_or(|dev| entry.hops.iter().any(|hop| hop.dev == dev))
    }
}

/// `RTM_GETROUTE` for all: table after table, by prefix.
pub(crate) fn dump(kernel: &mut Kernel, request: &Request<'_>) -> Result<Answer> {
    let ns = request.ns;
    let mut filter = Filter::default();
    let mut learned = false;
    if request.strict {
        let message = RtMsg::parse(&request.fixed("ipv6: Invalid header for FIB dump request")?);
        if message.destination_length != 0 || message.source_length != 0 || message.tos != 0 || message.scope != 0 {
            return Err(Error::new(Errno::EINVAL, "ipv6: Invalid values in header for FIB dump request"));
        }
        learned = message.flags & RTM_F_CLONED != 0;
        let attrs = request.attributes(RTMSG, POLICY, super::attr::Check::Strict)?;
        filter.protocol = message.protocol;
        filter.kind = message.kind;
        filter.table = Some(u32::from(message.table)).filter(|table| *table != 0);
        for attr in attrs.iter() {
            match attr.kind {
                RTA_TABLE => filter.table = Some(attr.u32()).filter(|table| *table != 0),
                RTA_OIF => {
                    let found = kernel.namespaces.get(ns).and_then(|netns| netns.device_by_index(attr.u32()));
                    filter.dev = Some(found.ok_or(Errno::ENODEV)?);
                }
                _ => return Err(attr.refuse(Errno::EINVAL, "ipv6: Unsupported attribute in dump request")),
            }
        }
    } else if let Some(body) = request.body().first_chunk::<RTMSG>() {
        learned = RtMsg::parse(body).flags & RTM_F_CLONED != 0;
    }
    let fib = &kernel.namespaces.get(ns).ok_or(Errno::EINVAL)?.ipv6.fib;
    if filter.table.is_some_and(|table| !fib.has(table)) {
        // Asked for every family, IPv6 has nothing to say of the table.
        return match request.body().first() {
            Some(&AF_INET6) => Err(Error::new(Errno::ENOENT, "ipv6: FIB table does not exist")),
            _ => Ok(Answer::Dump(Dump::new(|_, _, _| Ok(false)).done_apart())),
        };
    }
    let mut entries: Vec<(u32, Ipv6Addr, u8, Entry)> = Vec::new();
    if !learned {
        for (number, table) in fib.tables() {
            if filter.table.is_some_and(|only| only != number) {
                continue;
            }
            let shown = table.entries().into_iter().filter(|(.., entry)| filter.shows(entry));
            entries.extend(shown.map(|(prefix, length, entry)| (number, prefix, length, entry.clone())));
        }
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
