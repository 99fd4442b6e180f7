//! Bridges and their ports as `ip link` knows them: attributes, and the options that set them.

use netloom_machine::netlink::Request;

use super::info::{Field, Show};
use crate::rtnl::{Arguments, Failure, Outcome, Session, invalid_argument, matches, number};

/// The attributes of a bridge, in the order in which they are shown.
pub(crate) const BRIDGE_FIELDS: &[Field] = &[
    (1, "forward_delay", "forward_delay", Show::Number),
    (2, "hello_time", "hello_time", Show::Number),
    (3, "max_age", "max_age", Show::Number),
    (4, "ageing_time", "ageing_time", Show::Number),
    (5, "stp_state", "stp_state", Show::Number),
    (6, "priority", "priority", Show::Number),
    (7, "vlan_filtering", "vlan_filtering", Show::Number),
    (8, "vlan_protocol", "vlan_protocol", Show::VlanProtocol),
    (11, "bridge_id", "bridge_id", Show::BridgeId),
    (10, "root_id", "designated_root", Show::BridgeId),
    (12, "root_port", "root_port", Show::Number),
    (13, "root_path_cost", "root_path_cost", Show::Number),
    (14, "topology_change", "topology_change", Show::Number),
    (15, "topology_change_detected", "topology_change_detected", Show::Number),
    (16, "hello_timer", "hello_timer", Show::Timer),
    (17, "tcn_timer", "tcn_timer", Show::Timer),
    (18, "topology_change_timer", "topology_change_timer", Show::Timer),
    (19, "gc_timer", "gc_timer", Show::Timer),
    (39, "vlan_default_pvid", "vlan_default_pvid", Show::Number),
    (41, "vlan_stats_enabled", "vlan_stats_enabled", Show::Number),
    (45, "vlan_stats_per_port", "vlan_stats_per_port", Show::Number),
    (9, "group_fwd_mask", "group_fwd_mask", Show::Hex),
    (20, "group_addr", "group_address", Show::Mac),
    (23, "mcast_snooping", "mcast_snooping", Show::Number),
    (46, "", "", Show::BooleanOptions),
    (22, "mcast_router", "mcast_router", Show::Number),
    (24, "mcast_query_use_ifaddr", "mcast_query_use_ifaddr", Show::Number),
    (25, "mcast_querier", "mcast_querier", Show::Number),
    (26, "mcast_hash_elasticity", "mcast_hash_elasticity", Show::Number),
    (27, "mcast_hash_max", "mcast_hash_max", Show::Number),
    (28, "mcast_last_member_cnt", "mcast_last_member_count", Show::Number),
    (29, "mcast_startup_query_cnt", "mcast_startup_query_count", Show::Number),
    (30, "mcast_last_member_intvl", "mcast_last_member_interval", Show::Number),
    (31, "mcast_membership_intvl", "mcast_membership_interval", Show::Number),
    (32, "mcast_querier_intvl", "mcast_querier_interval", Show::Number),
    (33, "mcast_query_intvl", "mcast_query_interval", Show::Number),
    (34, "mcast_query_response_intvl", "mcast_query_response_interval", Show::Number),
    (35, "mcast_startup_query_intvl", "mcast_startup_query_interval", Show::Number),
    (42, "mcast_stats_enabled", "mcast_stats_enabled", Show::Number),
    (43, "mcast_igmp_version", "mcast_igmp_version", Show::Number),
    (44, "mcast_mld_version", "mcast_mld_version", Show::Number),
    (36, "nf_call_iptables", "nf_call_iptables", Show::Number),
    (37, "nf_call_ip6tables", "nf_call_ip6tables", Show::Number),
    (38, "nf_call_arptables", "nf_call_arptables", Show::Number),
];

/// The attributes of a bridge port, in the order in which they are shown.
pub(crate) const BRPORT_FIELDS: &[Field] = &[
    (1, "state", "state", Show::PortState),
    (2, "priority", "priority", Show::Number),
    (3, "cost", "cost", Show::Number),
    (4, "hairpin", "hairpin", Show::OnOff),
    (5, "guard", "guard", Show::OnOff),
    (6, "root_block", "root_block", Show::OnOff),
    (7, "fastleave", "fastleave", Show::OnOff),
    (8, "learning", "learning", Show::OnOff),
    (9, "flood", "flood", Show::OnOff),
    (17, "id", "port_id", Show::Hex),
    (18, "no", "port_no", Show::Hex),
    (15, "designated_port", "designated_port", Show::Number),
    (16, "designated_cost", "designated_cost", Show::Number),
    (14, "bridge_id", "designated_bridge", Show::BridgeId),
    (13, "root_id", "designated_root", Show::BridgeId),
    (23, "hold_timer", "hold_timer", Show::Timer),
    (21, "message_age_timer", "message_age_timer", Show::Timer),
    (22, "forward_delay_timer", "forward_delay_timer", Show::Timer),
    (19, "topology_change_ack", "topology_change_ack", Show::Number),
    (20, "config_pending", "config_pending", Show::Number),
    (10, "proxy_arp", "proxy_arp", Show::OnOff),
    (12, "proxy_arp_wifi", "proxy_arp_wifi", Show::OnOff),
    (25, "multicast_router", "mcast_router", Show::Number),
    (7, "", "mcast_fast_leave", Show::OnOffText),
    (27, "mcast_flood", "mcast_flood", Show::OnOff),
    (30, "bcast_flood", "bcast_flood", Show::OnOff),
    (28, "mcast_to_unicast", "mcast_to_unicast", Show::OnOff),
    (32, "neigh_suppress", "neigh_suppress", Show::OnOff),
    (31, "group_fwd_mask", "group_fwd_mask", Show::Hex),
    (31, "group_fwd_mask_str", "group_fwd_mask_str", Show::GroupMask),
    (29, "vlan_tunnel", "vlan_tunnel", Show::OnOff),
    (33, "isolated", "isolated", Show::OnOff),
    (39, "locked", "locked", Show::OnOff),
    (34, "backup_port", "backup_port", Show::Device),
];

/// The names of a port's states.
pub(crate) const PORT_STATES: &[&str] = &["disabled", "listening", "learning", "forwarding", "blocking"];

/// How an option's value becomes an attribute.
#[derive(Clone, Copy)]
enum Set {
    U8,
    U16,
    U32,
    U64,
    Mac,
    OnOff,
    Flag,
    Device,
    NoDevice,
    VlanProtocol,
    BooleanOption(u32),
}

/// The options of a bridge: their keyword, attribute and value, and what is said where the value is wrong.
const BRIDGE_OPTIONS: &[(&str, u16, Set, &str)] = &[
    ("forward_delay", 1, Set::U32, "invalid forward_delay"),
    ("hello_time", 2, Set::U32, "invalid hello_time"),
    ("max_age", 3, Set::U32, "invalid max_age"),
    ("ageing_time", 4, Set::U32, "invalid ageing_time"),
    ("stp_state", 5, Set::U32, "invalid stp_state"),
    ("priority", 6, Set::U16, "invalid priority"),
    ("vlan_filtering", 7, Set::U8, "invalid vlan_filtering"),
    ("vlan_protocol", 8, Set::VlanProtocol, "invalid vlan_protocol"),
    ("group_fwd_mask", 9, Set::U16, "invalid group_fwd_mask"),
    ("group_address", 20, Set::Mac, "invalid group_address"),
    ("fdb_flush", 21, Set::Flag, ""),
    ("vlan_default_pvid", 39, Set::U16, "invalid vlan_default_pvid"),
    ("vlan_stats_enabled", 41, Set::U8, "invalid vlan_stats_enabled"),
    ("vlan_stats_per_port", 45, Set::U8, "invalid vlan_stats_per_port"),
    ("mcast_router", 22, Set::U8, "invalid mcast_router"),
    ("mcast_snooping", 23, Set::U8, "invalid mcast_snooping"),
    ("mcast_vlan_snooping", 46, Set::BooleanOption(1), "invalid mcast_vlan_snooping"),
    ("mcast_query_use_ifaddr", 24, Set::U8, "invalid mcast_query_use_ifaddr"),
    ("mcast_querier", 25, Set::U8, "invalid mcast_querier"),
    ("mcast_hash_elasticity", 26, Set::U32, "invalid mcast_hash_elasticity"),
    ("mcast_hash_max", 27, Set::U32, "invalid mcast_hash_max"),
    ("mcast_last_member_count", 28, Set::U32, "invalid mcast_last_member_count"),
    ("mcast_startup_query_count", 29, Set::U32, "invalid mcast_startup_query_count"),
    ("mcast_last_member_interval", 30, Set::U64, "invalid mcast_last_member_interval"),
    ("mcast_membership_interval", 31, Set::U64, "invalid mcast_membership_interval"),
    ("mcast_querier_interval", 32, Set::U64, "invalid mcast_querier_interval"),
    ("mcast_query_interval", 33, Set::U64, "invalid mcast_query_interval"),
    ("mcast_query_response_interval", 34, Set::U64, "invalid mcast_query_response_interval"),
    ("mcast_startup_query_interval", 35, Set::U64, "invalid mcast_startup_query_interval"),
    ("mcast_stats_enabled", 42, Set::U8, "invalid mcast_stats_enabled"),
    ("mcast_igmp_version", 43, Set::U8, "invalid mcast_igmp_version"),
    ("mcast_mld_version", 44, Set::U8, "invalid mcast_mld_version"),
    ("nf_call_iptables", 36, Set::U8, "invalid nf_call_iptables"),
    ("nf_call_ip6tables", 37, Set::U8, "invalid nf_call_ip6tables"),
    ("nf_call_arptables", 38, Set::U8, "invalid nf_call_arptables"),
    ("no_linklocal_learn", 46, Set::BooleanOption(0), "invalid no_linklocal_learn"),
];

/// The options of a bridge port.
const BRPORT_OPTIONS: &[(&str, u16, Set, &str)] = &[
    ("fdb_flush", 24, Set::Flag, ""),
    ("state", 1, Set::U8, "state is invalid"),
    ("priority", 2, Set::U16, "priority is invalid"),
    ("cost", 3, Set::U32, "cost is invalid"),
    ("hairpin", 4, Set::OnOff, ""),
    ("guard", 5, Set::OnOff, ""),
    ("root_block", 6, Set::OnOff, ""),
    ("fastleave", 7, Set::OnOff, ""),
    ("learning", 8, Set::OnOff, ""),
    ("flood", 9, Set::OnOff, ""),
    ("mcast_flood", 27, Set::OnOff, ""),
    ("bcast_flood", 30, Set::OnOff, ""),
    ("mcast_to_unicast", 28, Set::OnOff, ""),
    ("proxy_arp", 10, Set::OnOff, ""),
    ("proxy_arp_wifi", 12, Set::OnOff, ""),
    ("mcast_router", 25, Set::U8, "invalid mcast_router"),
    ("mcast_fast_leave", 7, Set::OnOff, ""),
    ("neigh_suppress", 32, Set::OnOff, ""),
    ("group_fwd_mask", 31, Set::U16, "invalid group_fwd_mask"),
    ("vlan_tunnel", 29, Set::OnOff, ""),
    ("isolated", 33, Set::OnOff, ""),
    ("locked", 39, Set::OnOff, ""),
    ("backup_port", 34, Set::Device, "invalid backup_port"),
    ("nobackup_port", 34, Set::NoDevice, ""),
];

/// Reads the options of a bridge into the request.
pub(super) fn parse(session: &mut Session<'_>, arguments: &mut Arguments<'_>, request: &mut Request) -> Outcome {
    let mut booleans = None;
    while let Some(word) = arguments.next() {
        let found = BRIDGE_OPTIONS.iter().find(|(keyword, ..)| matches(word, keyword));
        let Some(&(_, kind, set, message)) = found else {
            return unknown(session, "bridge: unknown command", word, include_str!("../usage/link_bridge.txt"));
        };
        match set {
            Set::BooleanOption(bit) => {
                let value = arguments.value(session.err)?;
                let on = number(value).filter(|&value| value < 256);
                let on = on.ok_or_else(|| invalid_argument(session.err, message, value))?;
                let (values, mask) = booleans.get_or_insert((0u32, 0u32));
                *mask |= 1 << bit;
                *values = if on != 0 { *values | 1 << bit } else { *values & !(1 << bit) };
            }
            set => option(session, arguments, request, kind, set, message)?,
        }
    }
    if let Some((values, mask)) = booleans {
        let mut option = values.to_ne_bytes().to_vec();
        option.extend_from_slice(&mask.to_ne_bytes());
        request.attribute(46, &option);
    }
    Ok(())
}

/// Reads the options of a bridge port into the request.
pub(super) fn parse_port(session: &mut Session<'_>, arguments: &mut Arguments<'_>, request: &mut Request) -> Outcome {
    while let Some(word) = arguments.next() {
        let found = BRPORT_OPTIONS.iter().find(|(keyword, ..)| matches(word, keyword));
        let Some(&(_, kind, set, message)) = found else {
            return unknown(
                session,
                "bridge_slave: unknown option",
                word,
                include_str!("../usage/link_bridge_slave.txt"),
            );
        };
        if let Set::OnOff = set {
            let on = super::parse::on_off(session, word, arguments)?;
            request.u8(kind, on.into());
        } else {
            option(session, arguments, request, kind, set, message)?;
        }
    }
    Ok(())
}

fn unknown(session: &mut Session<'_>, what: &str, word: &str, usage: &str) -> Outcome {
    if !matches(word, "help") {
        session.complain(&format!("{what} \"{word}\"?"));
    }
    let _ = session.err.write_all(usage.as_bytes());
    Err(Failure::Command(1))
}

fn option(
    session: &mut Session<'_>,
    arguments: &mut Arguments<'_>,
    request: &mut Request,
    kind: u16,
    set: Set,
    message: &str,
) -> Outcome {
    if let Set::Flag = set {
        request.attribute(kind, &[]);
        return Ok(());
    }
    if let Set::NoDevice = set {
        request.u32(kind, 0);
        return Ok(());
    }
    let value = arguments.value(session.err)?;
    if let Set::Mac = set {
        let bytes = super::parse::address(session, value)?;
        request.attribute(kind, &bytes);
        return Ok(());
    }
    let whole = |most: u64| number(value).filter(|&number| number <= most);
    let bytes = match set {
        Set::U8 => whole(u8::MAX.into()).map(|number| vec![number as u8]),
        Set::U16 => whole(u16::MAX.into()).map(|number| (number as u16).to_ne_bytes().to_vec()),
        Set::U32 => whole(u32::MAX.into()).map(|number| (number as u32).to_ne_bytes().to_vec()),
        Set::U64 => number(value).map(|number| number.to_ne_bytes().to_vec()),
        Set::VlanProtocol => match value.to_ascii_lowercase().as_str() {
            "802.1q" => Some(vec![0x81, 0x00]),
            "802.1ad" => Some(vec![0x88, 0xa8]),
            _ => None,
        },
        Set::Device => match session.links.index(value) {
            Some(index) => Some(index.to_ne_bytes().to_vec()),
            None => return Err(invalid_argument(session.err, "Device does not exist\n", value)),
        },
        Set::Mac | Set::OnOff | Set::Flag | Set::NoDevice | Set::BooleanOption(_) => None,
    };
    let bytes = bytes.ok_or_else(|| invalid_argument(session.err, message, value))?;
    request.attribute(kind, &bytes);
    Ok(())
}
