//! IPv6's tables.

use std::fmt::Write;
use std::net::Ipv6Addr;

use super::text;
use crate::Kernel;
use crate::ipv4::scope;
use crate::ipv6::fib::{ANYCAST, kind, table};
use crate::ipv6::{anycast, groups};
use crate::types::NsId;

fn hex(address: Ipv6Addr) -> String {
    format!("{:032x}", address.to_bits())
}

/// `/proc/net/ipv6_route`: the main table, then the local one.
pub(super) fn route(kernel: &Kernel, ns: NsId) -> String {
    const UP: u32 = 0x1;
    const GATEWAY: u32 = 0x2;
    const REJECT: u32 = 0x200;
    const EXPIRES: u32 = 0x0040_0000;
    const NONEXTHOP: u32 = 0x0020_0000;
    const ANYCAST_FLAG: u32 = 0x0010_0000;
    const LOCAL: u32 = 0x8000_0000;
    let none = hex(Ipv6Addr::UNSPECIFIED);
    text(|out| {
        let fib = &kernel.namespaces[ns].ipv6.fib;
        for routes in [table::MAIN, table::LOCAL].into_iter().filter_map(|number| fib.table(number)) {
            for (prefix, length, entry) in routes.entries() {
                let mut flags = match entry.kind {
                    kind::LOCAL => UP | LOCAL | NONEXTHOP,
                    ANYCAST => UP | ANYCAST_FLAG | NONEXTHOP,
                    _ if entry.refuses() => REJECT | NONEXTHOP,
                    _ => UP,
                };
                if entry.expires.is_some() {
                    flags |= EXPIRES;
                }
                // The table's, and that of the address or of the refusal.
                let references = if entry.kind == kind::LOCAL || entry.refuses() { 2 } else { 1 };
                for hop in &entry.hops {
                    let gateway = hop.gateway.map_or(none.clone(), hex);
                    let through = if hop.gateway.is_some() { GATEWAY } else { 0 };
                    let dev = kernel.devices.get(hop.dev).map_or("", |device| device.name.as_str());
                    writeln!(
                        out,
                        "{} {length:02x} {none} 00 {gateway} {:08x} {:08x} {:08x} {:08x} {dev:>8}",
                        hex(prefix),
                        entry.metric,
                        references,
                        0,
                        flags | through
                    )?;
                }
            }
            // What a table says where it has no default route.
            if routes.at(Ipv6Addr::UNSPECIFIED, 0).is_empty() {
                let refusal = REJECT | NONEXTHOP;
                let metric = u32::MAX;
                writeln!(out, "{none} 00 {none} 00 {none} {metric:08x} {:08x} {:08x} {refusal:08x} {:>8}", 1, 0, "lo")?;
            }
        }
        Ok(())
    })
}

/// `/proc/net/if_inet6`. Linux's order is a hash's; here addresses rise, those of the host alone last.
pub(super) fn if_inet6(kernel: &Kernel, ns: NsId) -> String {
    let devices = kernel.namespaces[ns].devices().filter_map(|dev| Some((dev, kernel.devices.get(dev)?)));
    let mut rows: Vec<_> =
        devices.flat_map(|(dev, device)| kernel.addresses6(dev).iter().map(move |own| (device, own))).collect();
    rows.sort_by_key(|(device, own)| (own.scope == scope::HOST, own.address, device.ifindex));
    text(|out| {
        for (device, own) in rows {
            // An older notation of scopes.
            let scope = match own.scope {
                scope::HOST => 0x10,
                scope::LINK => 0x20,
                scope::UNIVERSE => 0,
                _ => 0x40,
            };
            let (length, flags) = (own.prefix_length, own.flags as u8);
            let address = hex(own.address);
            writeln!(out, "{address} {:02x} {length:02x} {scope:02x} {flags:02x} {:>8}", device.ifindex, device.name)?;
        }
        Ok(())
    })
}

/// `/proc/net/igmp6`.
pub(super) fn igmp6(kernel: &Kernel, ns: NsId) -> String {
    text(|out| {
        for dev in kernel.namespaces[ns].devices() {
            let Some(device) = kernel.devices.get(dev) else { continue };
            for group in groups::groups(kernel, dev) {
                let (index, name) = (device.ifindex, device.name);
                let (address, flags) = (hex(group.address), group.shown_flags());
                writeln!(out, "{index:<4} {name:<15} {address} {:>5} {flags:08X} 0", group.users)?;
            }
        }
        Ok(())
    })
}

/// `/proc/net/anycast6`.
pub(super) fn anycast6(kernel: &Kernel, ns: NsId) -> String {
    text(|out| {
        for dev in kernel.namespaces[ns].devices() {
            let Some(device) = kernel.devices.get(dev) else { continue };
            for (address, users) in anycast::list(kernel, dev) {
                writeln!(out, "{:<4} {:<15} {} {users:>5}", device.ifindex, device.name, hex(*address))?;
            }
        }
        Ok(())
    })
}

/// `/proc/net/snmp6`.
pub(super) fn snmp6(kernel: &Kernel, ns: NsId) -> String {
    text(|out| {
        for (name, value) in kernel.namespaces[ns].ipv6.snmp.entries() {
            writeln!(out, "{name:<32}\t{value}")?;
        }
        Ok(())
    })
}
