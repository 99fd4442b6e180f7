//! IPv4's tables.

use std::fmt::Write;

use super::text;
use crate::Kernel;
use crate::ipv4::fib::{self, Alias, RTAX_MTU, kind};
use crate::ipv4::igmp;
use crate::neighbour::nud;
use crate::types::{DevId, NsId};

fn name(kernel: &Kernel, dev: DevId) -> &str {
    kernel.devices.get(dev).map_or("*", |device| device.name.as_str())
}

/// `/proc/net/arp`.
pub(super) fn arp(kernel: &Kernel, ns: NsId) -> String {
    const COMPLETE: u32 = 0x02;
    const PERMANENT: u32 = 0x04;
    const PUBLISHED: u32 = 0x08;
    const KNOWN: u16 = nud::PERMANENT | nud::NOARP | nud::REACHABLE | nud::PROBE | nud::STALE | nud::DELAY;
    text(|out| {
        writeln!(out, "IP address       HW type     Flags       HW address            Mask     Device")?;
        let tables = &kernel.namespaces[ns].neighbours;
        for (_, entry) in tables.iter().filter(|(_, entry)| entry.is_ipv4() && entry.state & !nud::NOARP != 0) {
            let flags = match entry.state {
                nud::PERMANENT => COMPLETE | PERMANENT,
                state if state & KNOWN != 0 => COMPLETE,
                _ => 0,
            };
            let hardware = kernel.devices.get(entry.dev).map_or(1, |device| device.kind.hardware_type());
            row(out, &entry.address.to_string(), hardware, flags, &entry.lladdr.to_string(), name(kernel, entry.dev))?;
        }
        for (address, dev) in tables.proxies().filter(|(address, _)| address.is_ipv4()) {
            let zero = crate::MacAddr::ZERO.to_string();
            row(out, &address.to_string(), 1, PERMANENT | PUBLISHED, &zero, name(kernel, dev))?;
        }
        Ok(())
    })
}

fn row(out: &mut String, address: &str, hardware: u16, flags: u32, mac: &str, dev: &str) -> std::fmt::Result {
    writeln!(
        out,
        "{address:<16} {:<11} {:<11} {mac:<17}     *        {dev}",
        format!("{hardware:#x}"),
        format!("{flags:#x}")
    )
}

/// `/proc/net/route`: the main table.
pub(super) fn route(kernel: &Kernel, ns: NsId) -> String {
    const UP: u32 = 1;
    const GATEWAY: u32 = 2;
    const HOST: u32 = 4;
    const REJECT: u32 = 0x200;
    const WIDTH: usize = 127;
    // Before the first route there is no table, and not even a heading.
    let Some(table) = kernel.namespaces[ns].ipv4.fib.table(fib::table::MAIN) else { return String::new() };
    text(|out| {
        writeln!(
            out,
            "{:<WIDTH$}",
            "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT"
        )?;
        for (prefix, length, alias) in table.entries() {
            if matches!(alias.kind, kind::BROADCAST | kind::MULTICAST) {
                continue;
            }
            let hop = alias.nexthops.first();
            let gateway = match hop.and_then(|hop| hop.gateway) {
                Some(std::net::IpAddr::V4(gateway)) => u32::from_le_bytes(gateway.octets()),
                _ => 0,
            };
            let mut flags = UP;
            if matches!(alias.kind, kind::UNREACHABLE | kind::PROHIBIT) {
                flags = UP | REJECT;
            }
            if gateway != 0 {
                flags |= GATEWAY;
            }
            if length == 32 {
                flags |= HOST;
            }
            let dev = hop.and_then(|hop| hop.dev).map_or("*", |dev| name(kernel, dev));
            let line = format!(
                "{dev}\t{:08X}\t{gateway:08X}\t{flags:04X}\t0\t0\t{}\t{:08X}\t{}\t0\t0",
                u32::from_le_bytes(prefix.octets()),
                alias.priority,
                crate::ipv4::addr::netmask(length).swap_bytes(),
                mtu(alias),
            );
            writeln!(out, "{line:<WIDTH$}")?;
        }
        Ok(())
    })
}

fn mtu(alias: &Alias) -> u32 {
    match alias.metric(RTAX_MTU) {
        0 => 0,
        // What route(8) knows as the maximum segment size.
        mtu => mtu.saturating_sub(40),
    }
}

/// `/proc/net/igmp`.
pub(super) fn igmp(kernel: &Kernel, ns: NsId) -> String {
    text(|out| {
        writeln!(out, "Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter")?;
        for dev in kernel.namespaces[ns].devices() {
            let groups = igmp::groups(kernel, dev);
            let Some(device) = kernel.devices.get(dev).filter(|_| !groups.is_empty()) else { continue };
            writeln!(out, "{}\t{:<10}: {:>5} {:>7}", device.ifindex, device.name, groups.len(), "V3")?;
            for group in groups {
                let address = u32::from_le_bytes(group.address.octets());
                writeln!(out, "\t\t\t\t{address:08X} {:>5} 0:00000000\t\t0", group.users)?;
            }
        }
        Ok(())
    })
}

/// A line of names and a line of numbers.
fn pair<N: std::fmt::Display>(out: &mut String, group: &str, entries: &[(N, u64)]) -> std::fmt::Result {
    write!(out, "{group}:")?;
    for (name, _) in entries {
        write!(out, " {name}")?;
    }
    write!(out, "\n{group}:")?;
    for (_, value) in entries {
        write!(out, " {value}")?;
    }
    writeln!(out)
}

/// What TCP and UDP will count.
const TCP: &[(&str, u64)] = &[
    ("RtoAlgorithm", 1),
    ("RtoMin", 200),
    ("RtoMax", 120_000),
    ("MaxConn", u64::MAX),
    ("ActiveOpens", 0),
    ("PassiveOpens", 0),
    ("AttemptFails", 0),
    ("EstabResets", 0),
    ("CurrEstab", 0),
    ("InSegs", 0),
    ("OutSegs", 0),
    ("RetransSegs", 0),
    ("InErrs", 0),
    ("OutRsts", 0),
    ("InCsumErrors", 0),
];
const UDP: [&str; 9] = [
    "InDatagrams",
    "NoPorts",
    "InErrors",
    "OutDatagrams",
    "RcvbufErrors",
    "SndbufErrors",
    "InCsumErrors",
    "IgnoredMulti",
    "MemErrors",
];

/// `/proc/net/snmp`.
pub(super) fn snmp(kernel: &Kernel, ns: NsId) -> String {
    let ipv4 = &kernel.namespaces[ns].ipv4;
    let forwarding = ipv4.conf_all.get(crate::ipv4::Conf::Forwarding) != 0;
    text(|out| {
        let mut ip =
            vec![("Forwarding", if forwarding { 1 } else { 2 }), ("DefaultTTL", ipv4.settings.ip_default_ttl as u64)];
        ip.extend(ipv4.snmp.ip.entries());
        pair(out, "Ip", &ip)?;
        pair(out, "Icmp", &ipv4.snmp.icmp.entries())?;
        let messages = ipv4.snmp.icmp.message_entries();
        if !messages.is_empty() {
            pair(out, "IcmpMsg", &messages)?;
        }
        // MaxConn is a signed number, and unlimited.
        let tcp: Vec<(&str, String)> = TCP
            .iter()
            .map(|(name, value)| (*name, if *value == u64::MAX { "-1".to_owned() } else { value.to_string() }))
            .collect();
        writeln!(out, "Tcp: {}", tcp.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(" "))?;
        writeln!(out, "Tcp: {}", tcp.iter().map(|(_, value)| value.as_str()).collect::<Vec<_>>().join(" "))?;
        let udp = UDP.map(|name| (name, if name == "NoPorts" { ipv4.snmp.udp_no_ports } else { 0 }));
        pair(out, "Udp", &udp)?;
        pair(out, "UdpLite", &UDP.map(|name| (name, 0)))
    })
}

/// `/proc/net/netstat`: of `TcpExt` what the IP layer counts.
pub(super) fn netstat(kernel: &Kernel, ns: NsId) -> String {
    let snmp = &kernel.namespaces[ns].ipv4.snmp;
    text(|out| {
        pair(out, "TcpExt", &[("ArpFilter", snmp.arp_filter), ("IPReversePathFilter", snmp.reverse_path_filter)])?;
        pair(out, "IpExt", &snmp.ip_ext.entries())
    })
}
