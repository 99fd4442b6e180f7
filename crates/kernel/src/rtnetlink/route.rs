//! IPv4 routes (`RTM_*ROUTE`): making, deleting and listing them, and asking which one a packet would take.

mod change;
mod get;

use std::net::{IpAddr, Ipv4Addr};

pub(crate) use change::{add, delete};
pub(crate) use get::get;

use super::attr::{Header, Policy, Rule, Writer};
use super::dispatch::{Answer, Dump, Request};
use super::notify;
use super::uapi::*;
use crate::Kernel;
use crate::error::{Errno, Error, Result};
use crate::ipv4::fib::{Alias, Insert, Inserted, Nexthop, RTAX_COUNT, hop_flags};
use crate::types::{DevId, NsId};

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
const RTA_FLOW: u16 = 11;
const RTA_CACHEINFO: u16 = 12;
const RTA_TABLE: u16 = 15;
const RTA_MARK: u16 = 16;
const RTA_VIA: u16 = 18;
const RTA_UID: u16 = 25;
const RTA_IP_PROTO: u16 = 27;
const RTA_SPORT: u16 = 28;
const RTA_DPORT: u16 = 29;

const POLICY: Policy = &[
    (RTA_DST, Rule::U32),
    (RTA_SRC, Rule::U32),
    (RTA_IIF, Rule::U32),
    (RTA_OIF, Rule::U32),
    (RTA_GATEWAY, Rule::U32),
    (RTA_PRIORITY, Rule::U32),
    (RTA_PREFSRC, Rule::U32),
    (RTA_METRICS, Rule::Nested),
    (RTA_MULTIPATH, Rule::AtLeast(8)),
    (RTA_FLOW, Rule::U32),
    (RTA_TABLE, Rule::U32),
    (RTA_MARK, Rule::U32),
    (RTA_VIA, Rule::AtLeast(2)),
    (RTA_UID, Rule::U32),
    (RTA_IP_PROTO, Rule::U8),
    (RTA_SPORT, Rule::U16),
    (RTA_DPORT, Rule::U16),
];

/// `RT_TABLE_COMPAT`: what the header says of a table whose number is too large for it.
const TABLE_COMPAT: u8 = 252;
/// `RTM_F_CLONED`: what was learned, not what was configured.
const RTM_F_CLONED: u32 = 0x200;

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
        out.raw(&[
            AF_INET,
            self.destination_length,
            self.source_length,
            self.tos,
            self.table,
            self.protocol,
            self.scope,
            self.kind,
            a,
            b,
            c,
            d,
        ]);
    }
}

fn compat(table: u32) -> u8 {
    u8::try_from(table).unwrap_or(TABLE_COMPAT)
}

/// One route as a message.
fn fill(
    kernel: &Kernel,
    table: u32,
    (prefix, length): (Ipv4Addr, u8),
    alias: &Alias,
    out: &mut Writer,
    header: Header,
) {
    let single = if let [hop] = alias.nexthops.as_slice() { Some(hop) } else { None };
    let all = |flag: u8| !alias.nexthops.is_empty() && alias.nexthops.iter().all(|hop| hop.flags & flag != 0);
    let mut flags = single.map_or(0, |hop| hop.flags);
    for flag in [hop_flags::DEAD, hop_flags::LINKDOWN] {
        flags |= if all(flag) { flag } else { 0 };
    }
    let message = RtMsg {
        destination_length: length,
        source_length: 0,
        tos: alias.tos,
        table: compat(table),
        protocol: alias.protocol,
        scope: alias.scope,
        kind: alias.kind,
        flags: flags.into(),
    };
    out.message(header, |out| {
        message.write(out);
        out.u32(RTA_TABLE, table);
        if length > 0 {
            out.put(RTA_DST, &prefix.octets());
        }
        if alias.priority != 0 {
            out.u32(RTA_PRIORITY, alias.priority);
        }
        metrics(alias, out);
        if !alias.source.is_unspecified() {
            out.put(RTA_PREFSRC, &alias.source.octets());
        }
        match single {
            Some(hop) => {
                gateway(hop.gateway, out);
                if let Some(index) = ifindex(kernel, hop) {
                    out.u32(RTA_OIF, index);
                }
            }
            None if alias.nexthops.is_empty() => {}
            None => out.nest(RTA_MULTIPATH, |out| {
                for hop in &alias.nexthops {
                    let mut inner = Writer::new();
                    gateway(hop.gateway, &mut inner);
                    let inner = inner.into_bytes();
                    let length = (8 + inner.len()) as u16;
                    let mut bytes = length.to_ne_bytes().to_vec();
                    bytes.extend([hop.flags, hop.weight]);
                    bytes.extend(ifindex(kernel, hop).unwrap_or(0).to_ne_bytes());
                    bytes.extend(inner);
                    out.raw(&bytes);
                }
            }),
        }
    });
}

fn ifindex(kernel: &Kernel, hop: &Nexthop) -> Option<u32> {
    Some(kernel.devices.get(hop.dev?)?.ifindex)
}

fn gateway(gateway: Option<IpAddr>, out: &mut Writer) {
    match gateway {
        Some(IpAddr::V4(gateway)) => out.put(RTA_GATEWAY, &gateway.octets()),
        Some(IpAddr::V6(gateway)) => {
            let mut via = u16::from(AF_INET6).to_ne_bytes().to_vec();
            via.extend(gateway.octets());
            out.put(RTA_VIA, &via);
        }
        None => {}
    }
}

fn metrics(alias: &Alias, out: &mut Writer) {
    if let Some(metrics) = &alias.metrics {
        fill_metrics(metrics, out);
    }
}

fn fill_metrics(metrics: &[u32; RTAX_COUNT], out: &mut Writer) {
    out.nest_unless_empty(RTA_METRICS, |out| {
        for (number, value) in metrics.iter().enumerate().filter(|(_, value)| **value != 0) {
            out.u32(number as u16, *value);
        }
    });
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
    fn shows(&self, alias: &Alias) -> bool {
        (self.protocol == 0 || self.protocol == alias.protocol)
            && (self.kind == 0 || self.kind == alias.kind)
            && self.dev.is_none_or(|dev| alias.nexthops.iter().any(|hop| hop.dev == Some(dev)))
    }
}

/// `RTM_GETROUTE` for all: table after table, by prefix.
pub(crate) fn dump(kernel: &mut Kernel, request: &Request<'_>) -> Result<Answer> {
    let ns = request.ns;
    let mut filter = Filter::default();
    let mut learned = false;
    if request.strict {
        let message = RtMsg::parse(&request.fixed("ipv4: Invalid header for FIB dump request")?);
        if message.destination_length != 0 || message.source_length != 0 || message.tos != 0 || message.scope != 0 {
            return Err(Error::new(Errno::EINVAL, "ipv4: Invalid values in header for FIB dump request"));
        }
        if message.flags & !(RTM_F_CLONED | 0x800) != 0 {
            return Err(Error::new(Errno::EINVAL, "ipv4: Invalid flags for FIB dump request"));
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
                _ => return Err(attr.refuse(Errno::EINVAL, "ipv4: Unsupported attribute in dump request")),
            }
        }
    } else if let Some(body) = request.body().first_chunk::<RTMSG>() {
        learned = RtMsg::parse(body).flags & RTM_F_CLONED != 0;
    }
    let fib = &kernel.namespaces.get(ns).ok_or(Errno::EINVAL)?.ipv4.fib;
    if let Some(table) = filter.table.filter(|table| fib.table(*table).is_none()) {
        // Asked for every family, IPv4 has nothing to say of the table.
        return match request.body().first() {
            Some(&AF_INET) => {
                let _ = table;
                Err(Error::new(Errno::ENOENT, "ipv4: FIB table does not exist"))
            }
            _ => Ok(Answer::Dump(Dump::new(|_, _, _| Ok(false)).done_apart())),
        };
    }
    let mut entries: Vec<(u32, Ipv4Addr, u8, Alias)> = Vec::new();
    if !learned {
        for (number, table) in fib.tables() {
            if filter.table.is_some_and(|only| only != number) {
                continue;
            }
            let shown = table.entries().filter(|(.., alias)| filter.shows(alias));
            entries.extend(shown.map(|(prefix, length, alias)| (number, prefix, length, alias.clone())));
        }
    }
    let flags = if request.strict { NLM_F_DUMP_FILTERED } else { 0 };
    let mut entries = entries.into_iter();
    let dump = Dump::new(move |kernel, out, header| {
        let Some((table, prefix, length, alias)) = entries.next() else { return Ok(false) };
        fill(kernel, table, (prefix, length), &alias, out, header.with_kind(RTM_NEWROUTE).with_flags(flags));
        Ok(true)
    });
    Ok(Answer::Dump(dump.done_apart()))
}

impl Kernel {
    /// A route is there, put in as `inserted` says, or is gone.
    pub(crate) fn notify_route(
        &mut self,
        ns: NsId,
        table: u32,
        prefix: (Ipv4Addr, u8),
        alias: &Alias,
        inserted: Option<(Insert, &Inserted)>,
    ) {
        let (kind, flags) = match inserted {
            None => (RTM_DELROUTE, 0),
            Some((_, Inserted::Replaced)) => (RTM_NEWROUTE, NLM_F_REPLACE),
            Some((Insert::Append, _)) => (RTM_NEWROUTE, NLM_F_CREATE | NLM_F_APPEND),
            Some(_) => (RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL),
        };
        notify::multicast(self, ns, RTNLGRP_IPV4_ROUTE, |kernel, out| {
            fill(kernel, table, prefix, alias, out, Header { kind, flags, ..Header::default() });
        });
    }
}
