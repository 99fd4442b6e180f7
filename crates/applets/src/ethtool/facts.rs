//! Facts about a device that are asked for one by one: time stamping, permanent address, standard statistics.

use std::io;

use netloom_machine::netlink::{Netlink, Request};

use super::genetlink::{Bitset, GENL_HEADER, Session, begin, command, complain};
use crate::Context;

/// `-T`.
pub(super) fn timestamping(context: &mut Context<'_>, device: &str) -> io::Result<i32> {
    let mut session = Session::open(context, device)?;
    let reply = match session.get(&mut session.request(command::TIMESTAMPING, 0)) {
        Ok(reply) => reply,
        Err(error) => {
            complain(context, &error)?;
            return Ok(1);
        }
    };
    let table = reply.message().attributes(GENL_HEADER).table::<8>();
    writeln!(context.out, "Time stamping parameters for {device}:")?;
    let lists = [
        ("Capabilities:", "Capabilities: none", 2),
        ("Hardware Transmit Timestamp Modes:", "Hardware Transmit Timestamp Modes: none", 3),
        ("Hardware Receive Filter Modes:", "Hardware Receive Filter Modes: none", 4),
    ];
    for (title, none, attribute) in lists {
        let set = Bitset::verbose(table.nested(attribute));
        let names = set.set_names();
        if names.is_empty() {
            writeln!(context.out, "{none}")?;
        } else {
            writeln!(context.out, "{title}")?;
            for name in names {
                writeln!(context.out, "\t{name}")?;
            }
        }
        if attribute == 2 {
            match table.u32(5) {
                Some(clock) => writeln!(context.out, "PTP Hardware Clock: {clock}")?,
                None => writeln!(context.out, "PTP Hardware Clock: none")?,
            }
        }
    }
    Ok(0)
}

/// `-P`.
pub(super) fn permanent_address(context: &mut Context<'_>, device: &str) -> io::Result<i32> {
    const RTM_GETLINK: u16 = 18;
    const IFLA_IFNAME: u16 = 3;
    const IFLA_PERM_ADDRESS: u16 = 54;
    let mut netlink = Netlink::open(context.machine, &context.netns, libc::NETLINK_ROUTE)?;
    let mut request = Request::new(RTM_GETLINK, 0);
    request.put(&[0; 16]).string(IFLA_IFNAME, device);
    let reply = match netlink.get(&mut request) {
        Ok(reply) => reply,
        Err(error) => {
            complain(context, &error)?;
            return Ok(1);
        }
    };
    let address = reply.message().attributes(16).find(IFLA_PERM_ADDRESS).map(|attribute| attribute.value);
    match address {
        Some(address) if address.iter().any(|byte| *byte != 0) => {
            let bytes: Vec<String> = address.iter().map(|byte| format!("{byte:02x}")).collect();
            writeln!(context.out, "Permanent address: {}", bytes.join(":"))?;
        }
        _ => writeln!(context.out, "Permanent address: not set")?,
    }
    Ok(0)
}

/// `-S --groups NAME…` and `-S --all-groups`: statistics that IEEE 802.3 and RFC 2819 define.
pub(super) fn standard_statistics(context: &mut Context<'_>, device: &str, arguments: &[String]) -> io::Result<i32> {
    const ALL: [&str; 4] = ["eth-phy", "eth-mac", "eth-ctrl", "rmon"];
    /// The string set of group names.
    const ETH_SS_STATS_STD: u32 = 16;
    let groups: Vec<&str> = match arguments.split_first() {
        Some((first, [])) if first == "--all-groups" => ALL.to_vec(),
        Some((first, [])) if first == "--groups" => {
            writeln!(context.err, "ethtool (-S): no value for parameter '--groups'")?;
            return Ok(1);
        }
        Some((first, rest)) if first == "--groups" => rest.iter().map(String::as_str).collect(),
        _ => {
            let first = arguments.first().map_or("", String::as_str);
            writeln!(context.err, "ethtool (-S): unknown parameter '{first}'")?;
            return Ok(1);
        }
    };
    let mut session = Session::open(context, device)?;
    let mut request = session.request_with_header(command::STATISTICS, 2);
    let set = begin(&mut request, 3);
    request.attribute(1, &[]);
    let bits = begin(&mut request, 3);
    for group in groups {
        let bit = begin(&mut request, 1);
        request.string(2, group);
        request.end(bit);
    }
    request.end(bits);
    request.end(set);
    let reply = match session.get(&mut request) {
        Ok(reply) => reply,
        Err(error) => {
            complain(context, &error)?;
            return Ok(1);
        }
    };
    writeln!(context.out, "Standard stats for {device}:")?;
    let names = session.strings(ETH_SS_STATS_STD)?;
    for group in reply.message().attributes(GENL_HEADER).filter(|attribute| attribute.kind == 4) {
        let table = group.attributes().table::<8>();
        let name = table.u32(2).and_then(|id| names.get(id as usize)).cloned().unwrap_or_default();
        let counters = match table.u32(3) {
            Some(set) => session.strings(set)?,
            None => Vec::new(),
        };
        for counter in group.attributes().filter(|attribute| attribute.kind == 4) {
            for value in counter.attributes() {
                let counter = counters.get(usize::from(value.kind)).cloned().unwrap_or_default();
                writeln!(context.out, "{name}-{counter}: {}", value.u64().unwrap_or(0))?;
            }
        }
    }
    Ok(0)
}

/// A question whose answer, on a device that has one, is shown by its title alone.
pub(super) fn ask(context: &mut Context<'_>, number: u8, title: &str, device: &str) -> io::Result<i32> {
    let mut session = Session::open(context, device)?;
    match session.get(&mut session.request(number, 0)) {
        Ok(_) => {
            writeln!(context.out, "{title} for {device}:")?;
            Ok(0)
        }
        Err(error) => {
            complain(context, &error)?;
            Ok(1)
        }
    }
}

/// `-m`: the first 128 bytes of a pluggable module's memory.
pub(super) fn module_eeprom(context: &mut Context<'_>, device: &str) -> io::Result<i32> {
    let mut session = Session::open(context, device)?;
    let mut request = session.request(command::MODULE_EEPROM, 0);
    request.u32(3, 1).u32(2, 0).u8(4, 0).u8(5, 0).u8(6, 0x50);
    match session.get(&mut request) {
        Ok(reply) => {
            let data = reply.message().attributes(GENL_HEADER).find(7).map(|data| data.value).unwrap_or_default();
            for (line, bytes) in data.chunks(16).enumerate() {
                let bytes: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
                writeln!(context.out, "0x{:04x}:\t\t{}", line * 16, bytes.join(" "))?;
            }
            Ok(0)
        }
        Err(error) => {
            complain(context, &error)?;
            Ok(1)
        }
    }
}
