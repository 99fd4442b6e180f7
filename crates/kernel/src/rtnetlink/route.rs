//! IPv4 routes (`RTM_*ROUTE`): making, deleting and listing them, and asking which one a packet would take.

mod change;
mod get;

use std::net::{IpAddr, Ipv4Addr};

pub(crate) use change::{add, delete};
pub(crate) use get::get;

use super::attr::{Header, Policy, Rule, Writer};
use super::dispatch::{Answer, Dump, Request};
use super::notify;
use super::rtmsg::*;
use super::uapi::*;
use crate::Kernel;
use crate::error::{Errno, Error, Result};
use crate::ipv4::fib::{Alias, Insert, Inserted, Nexthop, RTAX_COUNT, hop_flags};
use crate::types::{DevId, NsId};

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

const REFUSALS: DumpRefusals = DumpRefusals {
    header: "ipv4: Invalid header for FIB dump request",
    values: "ipv4: Invalid values in header for FIB dump request",
    flags: Some("ipv4: Invalid flags for FIB dump request"),
    attribute: "ipv4: Unsupported attribute in dump request",
};

/// One route as a message.
fn fill(
    kernel: &Kernel,
    table: u32,
    (prefix, length): (Ipv4Addr, u8),
    alias: &Alias,
    out: &mut Writer,
    header: Header,
) {
    let single = if let [hop] = &alias.nexthops[..] { Some(hop) } else { None };
    let all = |flag: u8| !alias.nexthops.is_empty() && alias.nexthops.iter().all(|hop| hop.flags & flag != 0);
    let mut flags = single.map_or(0, |hop| hop.flags);
    for flag in [hop_flags::DEAD, hop_flags::LINKDOWN] {
        flags |= if all(flag) { flag } else { 0 };
    }
    let message = RtMsg {
        family: AF_INET,
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
        if let Some(metrics) = &alias.metrics {
            fill_metrics(metrics, out);
        }
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
                for hop in &alias.nexthops[..] {
                    let index = ifindex(kernel, hop).unwrap_or(0);
                    let fixed = RtNexthop { flags: hop.flags, weight: hop.weight, index };
                    fill_nexthop(fixed, out, |out| gateway(hop.gateway, out));
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

/// `RTM_GETROUTE` for all: table after table, by prefix.
pub(crate) fn dump(kernel: &mut Kernel, request: &Request<'_>) -> Result<Answer> {
    let ns = request.ns;
    let filter = DumpFilter::parse(kernel, request, POLICY, &REFUSALS)?;
    let fib = &kernel.namespaces.get(ns).ok_or(Errno::EINVAL)?.ipv4.fib;
    if filter.table.is_some_and(|table| fib.table(table).is_none()) {
        return no_table(request, AF_INET, "ipv4: FIB table does not exist");
    }
    let shows =
        |alias: &Alias| filter.shows(alias.protocol, alias.kind, alias.nexthops.iter().filter_map(|hop| hop.dev));
    let mut entries: Vec<(u32, Ipv4Addr, u8, Alias)> = Vec::new();
    for (number, table) in fib.tables().into_iter().filter(|(number, _)| filter.shows_table(*number)) {
        let shown = table.entries().filter(|(.., alias)| shows(alias));
        entries.extend(shown.map(|(prefix, length, alias)| (number, prefix, length, alias.clone())));
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
