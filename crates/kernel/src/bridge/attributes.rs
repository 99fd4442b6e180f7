//! The files of a bridge and of its ports: `/sys/class/net/BR/bridge/*`, `BR/brforward` and `PORT/brport/*`.

use super::netlink::tell_change;
use super::parameters::BridgeId;
use super::port::port_id;
use super::{Bridge, EntryFlags, PortFlags, learning, settings, snooping, state, ticks};
use crate::Kernel;
use crate::error::{Errno, Result};
use crate::timer::TimerId;
use crate::types::{DevId, Instant, MacAddr};

/// The files in `bridge/` with their modes.
pub(crate) const BRIDGE_FILES: &[(&str, u32)] = &[
    ("ageing_time", 0o644),
    ("bridge_id", 0o444),
    ("flush", 0o200),
    ("forward_delay", 0o644),
    ("gc_timer", 0o444),
    ("group_addr", 0o644),
    ("group_fwd_mask", 0o644),
    ("hash_elasticity", 0o644),
    ("hash_max", 0o644),
    ("hello_time", 0o644),
    ("hello_timer", 0o444),
    ("max_age", 0o644),
    ("multicast_igmp_version", 0o644),
    ("multicast_last_member_count", 0o644),
    ("multicast_last_member_interval", 0o644),
    ("multicast_membership_interval", 0o644),
    ("multicast_mld_version", 0o644),
    ("multicast_querier", 0o644),
    ("multicast_querier_interval", 0o644),
    ("multicast_query_interval", 0o644),
    ("multicast_query_response_interval", 0o644),
    ("multicast_query_use_ifaddr", 0o644),
    ("multicast_router", 0o644),
    ("multicast_snooping", 0o644),
    ("multicast_startup_query_count", 0o644),
    ("multicast_startup_query_interval", 0o644),
    ("multicast_stats_enabled", 0o644),
    ("nf_call_arptables", 0o644),
    ("nf_call_ip6tables", 0o644),
    ("nf_call_iptables", 0o644),
    ("no_linklocal_learn", 0o644),
    ("priority", 0o644),
    ("root_id", 0o444),
    ("root_path_cost", 0o444),
    ("root_port", 0o444),
    ("stp_state", 0o644),
    ("tcn_timer", 0o444),
    ("topology_change", 0o444),
    ("topology_change_detected", 0o444),
    ("topology_change_timer", 0o444),
];

/// The files in `brport/` with their modes; beside them stands `bridge`, a link to the bridge.
pub(crate) const PORT_FILES: &[(&str, u32)] = &[
    ("backup_port", 0o644),
    ("bpdu_guard", 0o644),
    ("broadcast_flood", 0o644),
    ("change_ack", 0o444),
    ("config_pending", 0o444),
    ("designated_bridge", 0o444),
    ("designated_cost", 0o444),
    ("designated_port", 0o444),
    ("designated_root", 0o444),
    ("flush", 0o200),
    ("forward_delay_timer", 0o444),
    ("group_fwd_mask", 0o644),
    ("hairpin_mode", 0o644),
    ("hold_timer", 0o444),
    ("isolated", 0o644),
    ("learning", 0o644),
    ("message_age_timer", 0o444),
    ("multicast_fast_leave", 0o644),
    ("multicast_flood", 0o644),
    ("multicast_router", 0o644),
    ("multicast_to_unicast", 0o644),
    ("neigh_suppress", 0o644),
    ("path_cost", 0o644),
    ("port_id", 0o444),
    ("port_no", 0o444),
    ("priority", 0o644),
    ("proxyarp", 0o644),
    ("proxyarp_wifi", 0o644),
    ("root_block", 0o644),
    ("state", 0o444),
    ("unicast_flood", 0o644),
];

/// The flag behind one of a port's files.
fn port_flag(name: &str) -> Option<PortFlags> {
    Some(match name {
        "bpdu_guard" => PortFlags::BPDU_GUARD,
        "broadcast_flood" => PortFlags::BCAST_FLOOD,
        "hairpin_mode" => PortFlags::HAIRPIN,
        "isolated" => PortFlags::ISOLATED,
        "learning" => PortFlags::LEARNING,
        "multicast_fast_leave" => PortFlags::FAST_LEAVE,
        "multicast_flood" => PortFlags::MCAST_FLOOD,
        "multicast_to_unicast" => PortFlags::MCAST_TO_UNICAST,
        "neigh_suppress" => PortFlags::NEIGH_SUPPRESS,
        "proxyarp" => PortFlags::PROXYARP,
        "proxyarp_wifi" => PortFlags::PROXYARP_WIFI,
        "root_block" => PortFlags::ROOT_BLOCK,
        "unicast_flood" => PortFlags::FLOOD,
        _ => return None,
    })
}

/// How long a timer still runs, in hundredths of a second.
pub(super) fn remaining(timer: Option<TimerId>, now: Instant) -> u64 {
    timer.map_or(0, |timer| (timer.deadline().since(now).as_millis() / 10) as u64)
}

fn id(id: BridgeId) -> String {
    let [a, b, c, d, e, f] = id.address.0;
    format!("{:04x}.{a:02x}{b:02x}{c:02x}{d:02x}{e:02x}{f:02x}", id.priority)
}

/// What stands in a file of `bridge/`, with its newline. `None`: there is no such file, it can't be read, or this is no bridge.
pub(crate) fn attribute(kernel: &Kernel, bridge: DevId, name: &str) -> Option<String> {
    let it = kernel.bridge(bridge)?;
    let parameters = &it.parameters;
    let multicast = &parameters.multicast;
    let timer = |timer| remaining(timer, kernel.now);
    let number = match name {
        "bridge_id" => return Some(format!("{}\n", id(parameters.id))),
        "root_id" => return Some(format!("{}\n", id(parameters.designated_root))),
        "group_addr" => return Some(format!("{}\n", parameters.group_address)),
        "group_fwd_mask" => return Some(format!("{:#x}\n", it.group_fwd_mask)),
        "ageing_time" => parameters.ageing_time.into(),
        "forward_delay" => parameters.forward_delay.into(),
        "gc_timer" => timer(it.timers.ageing),
        "hash_elasticity" => 16,
        "hash_max" => multicast.hash_max.into(),
        "hello_time" => parameters.hello_time.into(),
        "hello_timer" => timer(it.timers.hello),
        "max_age" => parameters.max_age.into(),
        "multicast_igmp_version" => multicast.igmp_version.into(),
        "multicast_last_member_count" => multicast.last_member_count.into(),
        "multicast_last_member_interval" => multicast.last_member_interval,
        "multicast_membership_interval" => multicast.membership_interval,
        "multicast_mld_version" => multicast.mld_version.into(),
        "multicast_querier" => multicast.querier.into(),
        "multicast_querier_interval" => multicast.querier_interval,
        "multicast_query_interval" => multicast.query_interval,
        "multicast_query_response_interval" => multicast.query_response_interval,
        "multicast_query_use_ifaddr" => multicast.query_use_ifaddr.into(),
        "multicast_router" => multicast.router.into(),
        "multicast_snooping" => multicast.snooping.into(),
        "multicast_startup_query_count" => multicast.startup_query_count.into(),
        "multicast_startup_query_interval" => multicast.startup_query_interval,
        "multicast_stats_enabled" => multicast.stats_enabled.into(),
        "nf_call_arptables" => parameters.nf_call_arptables.into(),
        "nf_call_ip6tables" => parameters.nf_call_ip6tables.into(),
        "nf_call_iptables" => parameters.nf_call_iptables.into(),
        "no_linklocal_learn" => it.no_link_local_learning.into(),
        "priority" => parameters.id.priority.into(),
        "root_path_cost" => parameters.root_path_cost.into(),
        "root_port" => parameters.root_port.into(),
        "stp_state" => (parameters.stp as u8).into(),
        "tcn_timer" => timer(it.timers.topology_change_notification),
        "topology_change" => parameters.topology_change.into(),
        "topology_change_detected" => parameters.topology_change_detected.into(),
        "topology_change_timer" => timer(it.timers.topology_change),
        _ => return None,
    };
    Some(format!("{number}\n"))
}

/// The digits of a number as C reads it (`0x…`, `0…`, or decimal), and what follows them.
fn digits(text: &str) -> Option<(u64, &str)> {
    let (radix, body) = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(body) if body.starts_with(|c: char| c.is_ascii_hexdigit()) => (16, body),
        _ if text.starts_with('0') => (8, text),
        _ => (10, text),
    };
    let end = body.find(|c: char| !c.is_digit(radix)).unwrap_or(body.len());
    let (number, rest) = (body.get(..end)?, body.get(end..)?);
    if number.is_empty() {
        return None;
    }
    let number = number
        .chars()
        .filter_map(|c| c.to_digit(radix))
        .fold(0u64, |number, digit| number.wrapping_mul(radix.into()).wrapping_add(digit.into()));
    Some((number, rest))
}

/// A whole line that is a number.
fn number(text: &str) -> Result<u64, Errno> {
    match digits(text) {
        Some((number, "" | "\n")) => Ok(number),
        _ => Err(Errno::EINVAL),
    }
}

/// A time that is too long for the kernel's arithmetic is as long as can be.
fn time(value: u64) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

/// `xx:xx:xx:xx:xx:xx`, digits as many as one likes.
fn address(text: &str) -> Result<MacAddr, Errno> {
    let mut bytes = [0; 6];
    let mut parts = text.trim_end_matches('\n').split(':');
    for byte in &mut bytes {
        let part = parts.next().ok_or(Errno::EINVAL)?;
        *byte = u8::from_str_radix(part, 16).map_err(|_| Errno::EINVAL)?;
    }
    if parts.next().is_some() { Err(Errno::EINVAL) } else { Ok(MacAddr(bytes)) }
}

/// Writes to a file of `bridge/`. `EACCES`: it can't be written; `ENOENT`: there is no such file.
pub(crate) fn set_attribute(kernel: &mut Kernel, bridge: DevId, name: &str, text: &str) -> Result<()> {
    match BRIDGE_FILES.iter().find(|(file, _)| *file == name) {
        Some((_, mode)) if mode & 0o200 != 0 => {}
        Some(_) => return Err(Errno::EACCES.into()),
        None => return Err(Errno::ENOENT.into()),
    }
    set(kernel, bridge, name, text)?;
    tell_change(kernel, bridge);
    Ok(())
}

fn set(kernel: &mut Kernel, bridge: DevId, name: &str, text: &str) -> Result<()> {
    if name == "group_addr" {
        return settings::set_group_address(kernel, bridge, address(text)?);
    }
    let value = number(text)?;
    match name {
        "ageing_time" => return settings::set_ageing_time(kernel, bridge, time(value)),
        "forward_delay" => return settings::set_forward_delay(kernel, bridge, time(value)),
        "hello_time" => return settings::set_hello_time(kernel, bridge, time(value)),
        "max_age" => return settings::set_max_age(kernel, bridge, time(value)),
        "group_fwd_mask" => return settings::set_group_fwd_mask(kernel, bridge, value as u16),
        "priority" => return settings::set_priority(kernel, bridge, value as u16),
        "multicast_router" => {
            return settings::set_multicast_router(kernel, bridge, u8::try_from(value).unwrap_or(u8::MAX));
        }
        "multicast_igmp_version" => return settings::set_igmp_version(kernel, bridge, value),
        "multicast_mld_version" => return settings::set_mld_version(kernel, bridge, value),
        "multicast_query_interval" => return settings::set_query_interval(kernel, bridge, value),
        "multicast_startup_query_interval" => return settings::set_startup_query_interval(kernel, bridge, value),
        "no_linklocal_learn" => return settings::set_no_link_local_learning(kernel, bridge, value != 0),
        "flush" => learning::flush(kernel, bridge, None),
        "stp_state" => state::set_stp(kernel, bridge, value != 0),
        "multicast_snooping" => snooping::set(kernel, bridge, value != 0),
        "hash_elasticity" => {
            let name = kernel.log_name(bridge);
            kernel.info(format!("{name}: bridge: the hash_elasticity option has been deprecated and is always 16"));
        }
        _ => kernel.bridge_mut(bridge).ok_or(Errno::EOPNOTSUPP)?.set_plain(name, value),
    }
    Ok(())
}

impl Bridge {
    /// Sets what nothing else depends on.
    fn set_plain(&mut self, name: &str, value: u64) {
        let parameters = &mut self.parameters;
        let multicast = &mut parameters.multicast;
        match name {
            "hash_max" => multicast.hash_max = value as u32,
            "multicast_last_member_count" => multicast.last_member_count = value as u32,
            "multicast_startup_query_count" => multicast.startup_query_count = value as u32,
            "multicast_last_member_interval" => multicast.last_member_interval = value,
            "multicast_membership_interval" => multicast.membership_interval = value,
            "multicast_querier_interval" => multicast.querier_interval = value,
            "multicast_query_response_interval" => multicast.query_response_interval = value,
            "multicast_querier" => multicast.querier = value != 0,
            "multicast_query_use_ifaddr" => multicast.query_use_ifaddr = value != 0,
            "multicast_stats_enabled" => multicast.stats_enabled = value != 0,
            "nf_call_arptables" => parameters.nf_call_arptables = value != 0,
            "nf_call_ip6tables" => parameters.nf_call_ip6tables = value != 0,
            "nf_call_iptables" => parameters.nf_call_iptables = value != 0,
            _ => {}
        }
    }
}

/// What stands in a file of `brport/`, with its newline. `None`: there is no such file, it can't be read, or this is no port.
pub(crate) fn port_attribute(kernel: &Kernel, dev: DevId, name: &str) -> Option<String> {
    let number = kernel.devices.get(dev)?.port?.number;
    let port = kernel.bridge_port(dev)?;
    let info = &port.info;
    if let Some(flag) = port_flag(name) {
        return Some(format!("{}\n", u8::from(port.flags.contains(flag))));
    }
    Some(match name {
        "backup_port" => match info.backup_port.and_then(|backup| kernel.devices.get(backup)) {
            Some(backup) => format!("{}\n", backup.name),
            None => String::new(),
        },
        "designated_bridge" => format!("{}\n", id(info.designated_bridge)),
        "designated_root" => format!("{}\n", id(info.designated_root)),
        "designated_cost" => format!("{}\n", info.designated_cost),
        "designated_port" => format!("{}\n", info.designated_port),
        "forward_delay_timer" => format!("{}\n", remaining(info.forward_delay_timer, kernel.now)),
        "change_ack" | "config_pending" | "hold_timer" | "message_age_timer" => "0\n".to_owned(),
        "group_fwd_mask" => format!("{:#x}\n", port.group_fwd_mask),
        "multicast_router" => format!("{}\n", info.multicast_router),
        "path_cost" => format!("{}\n", info.cost),
        "port_id" => format!("{:#x}\n", port_id(info.priority, number)),
        "port_no" => format!("{number:#x}\n"),
        "priority" => format!("{}\n", info.priority),
        "state" => format!("{}\n", port.state as u8),
        _ => return None,
    })
}

/// Writes to a file of `brport/`. `EACCES`: it can't be written; `ENOENT`: there is no such file.
pub(crate) fn set_port_attribute(kernel: &mut Kernel, dev: DevId, name: &str, text: &str) -> Result<()> {
    match PORT_FILES.iter().find(|(file, _)| *file == name) {
        Some((_, mode)) if mode & 0o200 != 0 => {}
        Some(_) => return Err(Errno::EACCES.into()),
        None => return Err(Errno::ENOENT.into()),
    }
    let device = kernel.devices.get(dev).ok_or(Errno::ENODEV)?;
    let (ns, member) = (device.ns, device.port.ok_or(Errno::ENODEV)?);
    if name == "backup_port" {
        let wanted = text.trim_end_matches('\n');
        let backup = match wanted {
            "" => None,
            name => Some(kernel.namespaces[ns].device_by_name(name).ok_or(Errno::ENOENT)?),
        };
        return settings::set_backup_port(kernel, dev, backup);
    }
    // What follows the digits doesn't matter here.
    let (value, _) = digits(text).ok_or(Errno::EINVAL)?;
    match name {
        "flush" => learning::flush(kernel, member.bridge, Some(member.number)),
        "group_fwd_mask" => settings::set_port_group_fwd_mask(kernel, dev, value as u16)?,
        "multicast_router" => {
            settings::set_port_multicast_router(kernel, dev, u8::try_from(value).unwrap_or(u8::MAX))?;
        }
        "path_cost" => settings::set_port_cost(kernel, dev, value)?,
        "priority" => settings::set_port_priority(kernel, dev, value)?,
        _ => {
            let flag = port_flag(name).ok_or(Errno::ENOENT)?;
            kernel.bridge_port_mut(dev).ok_or(Errno::ENODEV)?.flags.set(flag, value != 0);
        }
    }
    kernel.notify_bridge_port(dev);
    Ok(())
}

/// `brforward`: 16 bytes for each address that is behind a port (`struct __fdb_entry`), newest first.
pub(crate) fn forwarding_table(kernel: &Kernel, bridge: DevId) -> Option<Vec<u8>> {
    let it = kernel.bridge(bridge)?;
    let now = ticks(kernel.now);
    let mut table = Vec::new();
    for (key, entry) in it.fdb.newest_first(|_, entry| entry.port != 0) {
        let age = if entry.flags.contains(EntryFlags::STATIC) { 0 } else { now.wrapping_sub(entry.updated) };
        let [low, high] = entry.port.to_le_bytes();
        table.extend(key.address().0);
        table.extend([low, u8::from(entry.flags.contains(EntryFlags::LOCAL))]);
        table.extend(age.to_ne_bytes());
        table.extend([high, 0, 0, 0]);
    }
    Some(table)
}
