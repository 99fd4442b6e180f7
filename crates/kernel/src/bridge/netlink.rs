//! Bridges over rtnetlink: their settings, those of their ports, and `AF_BRIDGE` links.

use super::attributes::remaining;
use super::port::port_id;
use super::{PortFlags, learning, settings, snooping, state};
use crate::Kernel;
use crate::error::{Errno, Error, Result};
use crate::netdev::{DevFlags, NetdevEvent};
use crate::rtnetlink::attr::{Attr, Attributes, Check, Header, NLA_F_NESTED, Policy, Rule, Writer};
use crate::rtnetlink::dispatch::{Answer, Dump, Request};
use crate::rtnetlink::link::fill::{if_info, operstate};
use crate::rtnetlink::link::{IFINFOMSG, IfInfo, LINK};
use crate::rtnetlink::uapi::*;
use crate::types::DevId;

/// `IFLA_BR_…` (`linux/if_link.h`).
mod br {
    pub(super) const FORWARD_DELAY: u16 = 1;
    pub(super) const HELLO_TIME: u16 = 2;
    pub(super) const MAX_AGE: u16 = 3;
    pub(super) const AGEING_TIME: u16 = 4;
    pub(super) const STP_STATE: u16 = 5;
    pub(super) const PRIORITY: u16 = 6;
    pub(super) const VLAN_FILTERING: u16 = 7;
    pub(super) const VLAN_PROTOCOL: u16 = 8;
    pub(super) const GROUP_FWD_MASK: u16 = 9;
    pub(super) const ROOT_ID: u16 = 10;
    pub(super) const BRIDGE_ID: u16 = 11;
    pub(super) const ROOT_PORT: u16 = 12;
    pub(super) const ROOT_PATH_COST: u16 = 13;
    pub(super) const TOPOLOGY_CHANGE: u16 = 14;
    pub(super) const TOPOLOGY_CHANGE_DETECTED: u16 = 15;
    pub(super) const HELLO_TIMER: u16 = 16;
    pub(super) const TCN_TIMER: u16 = 17;
    pub(super) const TOPOLOGY_CHANGE_TIMER: u16 = 18;
    pub(super) const GC_TIMER: u16 = 19;
    pub(super) const GROUP_ADDR: u16 = 20;
    pub(super) const FDB_FLUSH: u16 = 21;
    pub(super) const MCAST_ROUTER: u16 = 22;
    pub(super) const MCAST_SNOOPING: u16 = 23;
    pub(super) const MCAST_QUERY_USE_IFADDR: u16 = 24;
    pub(super) const MCAST_QUERIER: u16 = 25;
    pub(super) const MCAST_HASH_ELASTICITY: u16 = 26;
    pub(super) const MCAST_HASH_MAX: u16 = 27;
    pub(super) const MCAST_LAST_MEMBER_CNT: u16 = 28;
    pub(super) const MCAST_STARTUP_QUERY_CNT: u16 = 29;
    pub(super) const MCAST_LAST_MEMBER_INTVL: u16 = 30;
    pub(super) const MCAST_MEMBERSHIP_INTVL: u16 = 31;
    pub(super) const MCAST_QUERIER_INTVL: u16 = 32;
    pub(super) const MCAST_QUERY_INTVL: u16 = 33;
    pub(super) const MCAST_QUERY_RESPONSE_INTVL: u16 = 34;
    pub(super) const MCAST_STARTUP_QUERY_INTVL: u16 = 35;
    pub(super) const NF_CALL_IPTABLES: u16 = 36;
    pub(super) const NF_CALL_IP6TABLES: u16 = 37;
    pub(super) const NF_CALL_ARPTABLES: u16 = 38;
    pub(super) const VLAN_DEFAULT_PVID: u16 = 39;
    pub(super) const VLAN_STATS_ENABLED: u16 = 41;
    pub(super) const MCAST_STATS_ENABLED: u16 = 42;
    pub(super) const MCAST_IGMP_VERSION: u16 = 43;
    pub(super) const MCAST_MLD_VERSION: u16 = 44;
    pub(super) const VLAN_STATS_PER_PORT: u16 = 45;
    pub(super) const MULTI_BOOLOPT: u16 = 46;
    pub(super) const FDB_N_LEARNED: u16 = 48;
    pub(super) const FDB_MAX_LEARNED: u16 = 49;
}

/// `IFLA_BRPORT_…` (`linux/if_link.h`) of what is no flag.
mod brport {
    pub(super) const STATE: u16 = 1;
    pub(super) const PRIORITY: u16 = 2;
    pub(super) const COST: u16 = 3;
    pub(super) const ROOT_ID: u16 = 13;
    pub(super) const BRIDGE_ID: u16 = 14;
    pub(super) const DESIGNATED_PORT: u16 = 15;
    pub(super) const DESIGNATED_COST: u16 = 16;
    pub(super) const ID: u16 = 17;
    pub(super) const NO: u16 = 18;
    pub(super) const TOPOLOGY_CHANGE_ACK: u16 = 19;
    pub(super) const CONFIG_PENDING: u16 = 20;
    pub(super) const MESSAGE_AGE_TIMER: u16 = 21;
    pub(super) const FORWARD_DELAY_TIMER: u16 = 22;
    pub(super) const HOLD_TIMER: u16 = 23;
    pub(super) const FLUSH: u16 = 24;
    pub(super) const MULTICAST_ROUTER: u16 = 25;
    pub(super) const GROUP_FWD_MASK: u16 = 31;
    pub(super) const BACKUP_PORT: u16 = 34;
    pub(super) const MRP_RING_OPEN: u16 = 35;
    pub(super) const MRP_IN_OPEN: u16 = 36;
    pub(super) const MCAST_EHT_HOSTS_LIMIT: u16 = 37;
    pub(super) const MCAST_EHT_HOSTS_CNT: u16 = 38;
    pub(super) const MCAST_N_GROUPS: u16 = 41;
    pub(super) const MCAST_MAX_GROUPS: u16 = 42;
}

/// The flags of a port by attribute, in the order in which they are told before the spanning tree's attributes …
const FLAGS: &[(u16, PortFlags)] = &[
    (4, PortFlags::HAIRPIN),
    (5, PortFlags::BPDU_GUARD),
    (6, PortFlags::ROOT_BLOCK),
    (7, PortFlags::FAST_LEAVE),
    (28, PortFlags::MCAST_TO_UNICAST),
    (8, PortFlags::LEARNING),
    (9, PortFlags::FLOOD),
    (27, PortFlags::MCAST_FLOOD),
    (30, PortFlags::BCAST_FLOOD),
    (10, PortFlags::PROXYARP),
    (12, PortFlags::PROXYARP_WIFI),
];
/// … and after them.
const VLAN_TUNNEL: (u16, PortFlags) = (29, PortFlags::VLAN_TUNNEL);
const NEIGH_SUPPRESS: (u16, PortFlags) = (32, PortFlags::NEIGH_SUPPRESS);
const LATE_FLAGS: &[(u16, PortFlags)] =
    &[(33, PortFlags::ISOLATED), (39, PortFlags::LOCKED), (40, PortFlags::MAB), (43, PortFlags::NEIGH_VLAN_SUPPRESS)];

/// The bits of `IFLA_BR_MULTI_BOOLOPT`.
const NO_LINK_LOCAL_LEARNING: u32 = 1;
const MCAST_VLAN_SNOOPING: u32 = 2;
const BOOLEAN_OPTIONS: u32 = 0x1f;

const BRIDGE: Policy = &[
    (br::FORWARD_DELAY, Rule::U32),
    (br::HELLO_TIME, Rule::U32),
    (br::MAX_AGE, Rule::U32),
    (br::AGEING_TIME, Rule::U32),
    (br::STP_STATE, Rule::U32),
    (br::PRIORITY, Rule::U16),
    (br::VLAN_FILTERING, Rule::U8),
    (br::VLAN_PROTOCOL, Rule::U16),
    (br::GROUP_FWD_MASK, Rule::U16),
    (br::GROUP_ADDR, Rule::Binary(32)),
    (br::FDB_FLUSH, Rule::Binary(usize::MAX)),
    (br::MCAST_ROUTER, Rule::U8),
    (br::MCAST_SNOOPING, Rule::U8),
    (br::MCAST_QUERY_USE_IFADDR, Rule::U8),
    (br::MCAST_QUERIER, Rule::U8),
    (br::MCAST_HASH_ELASTICITY, Rule::U32),
    (br::MCAST_HASH_MAX, Rule::U32),
    (br::MCAST_LAST_MEMBER_CNT, Rule::U32),
    (br::MCAST_STARTUP_QUERY_CNT, Rule::U32),
    (br::MCAST_LAST_MEMBER_INTVL, Rule::U64),
    (br::MCAST_MEMBERSHIP_INTVL, Rule::U64),
    (br::MCAST_QUERIER_INTVL, Rule::U64),
    (br::MCAST_QUERY_INTVL, Rule::U64),
    (br::MCAST_QUERY_RESPONSE_INTVL, Rule::U64),
    (br::MCAST_STARTUP_QUERY_INTVL, Rule::U64),
    (br::NF_CALL_IPTABLES, Rule::U8),
    (br::NF_CALL_IP6TABLES, Rule::U8),
    (br::NF_CALL_ARPTABLES, Rule::U8),
    (br::VLAN_DEFAULT_PVID, Rule::U16),
    (br::VLAN_STATS_ENABLED, Rule::U8),
    (br::MCAST_STATS_ENABLED, Rule::U8),
    (br::MCAST_IGMP_VERSION, Rule::U8),
    (br::MCAST_MLD_VERSION, Rule::U8),
    (br::VLAN_STATS_PER_PORT, Rule::U8),
    (br::MULTI_BOOLOPT, Rule::Exact(8)),
    (br::FDB_N_LEARNED, Rule::Reject),
    (br::FDB_MAX_LEARNED, Rule::U32),
];

const PORT: Policy = &[
    (brport::STATE, Rule::U8),
    (brport::PRIORITY, Rule::U16),
    (brport::COST, Rule::U32),
    (4, Rule::U8),
    (5, Rule::U8),
    (6, Rule::U8),
    (7, Rule::U8),
    (8, Rule::U8),
    (9, Rule::U8),
    (10, Rule::U8),
    (12, Rule::U8),
    (brport::FLUSH, Rule::Binary(usize::MAX)),
    (brport::MULTICAST_ROUTER, Rule::U8),
    (27, Rule::U8),
    (28, Rule::U8),
    (29, Rule::U8),
    (30, Rule::U8),
    (brport::GROUP_FWD_MASK, Rule::U16),
    (32, Rule::U8),
    (33, Rule::U8),
    (brport::BACKUP_PORT, Rule::U32),
    (brport::MCAST_EHT_HOSTS_LIMIT, Rule::U32),
    (39, Rule::U8),
    (40, Rule::U8),
    (brport::MCAST_N_GROUPS, Rule::Reject),
    (brport::MCAST_MAX_GROUPS, Rule::U32),
    (43, Rule::U8),
];

/// Writes what `IFLA_INFO_DATA` says about a bridge.
pub(crate) fn fill_info(kernel: &Kernel, bridge: DevId, out: &mut Writer) {
    let Some(it) = kernel.bridge(bridge) else { return };
    let parameters = &it.parameters;
    let multicast = &parameters.multicast;
    let timer = |timer| remaining(timer, kernel.now);
    out.u64(br::HELLO_TIMER, timer(it.timers.hello));
    out.u64(br::TCN_TIMER, timer(it.timers.topology_change_notification));
    out.u64(br::TOPOLOGY_CHANGE_TIMER, timer(it.timers.topology_change));
    out.u64(br::GC_TIMER, timer(it.timers.ageing));
    out.u32(br::FORWARD_DELAY, parameters.forward_delay);
    out.u32(br::HELLO_TIME, parameters.hello_time);
    out.u32(br::MAX_AGE, parameters.max_age);
    out.u32(br::AGEING_TIME, parameters.ageing_time);
    out.u32(br::STP_STATE, parameters.stp as u32);
    out.u16(br::PRIORITY, parameters.id.priority);
    out.u8(br::VLAN_FILTERING, parameters.vlan_filtering.into());
    out.u16(br::GROUP_FWD_MASK, it.group_fwd_mask);
    out.put(br::BRIDGE_ID, &parameters.id.to_bytes());
    out.put(br::ROOT_ID, &parameters.designated_root.to_bytes());
    out.u16(br::ROOT_PORT, parameters.root_port);
    out.u32(br::ROOT_PATH_COST, parameters.root_path_cost);
    out.u8(br::TOPOLOGY_CHANGE, parameters.topology_change.into());
    out.u8(br::TOPOLOGY_CHANGE_DETECTED, parameters.topology_change_detected.into());
    out.put(br::GROUP_ADDR, &parameters.group_address.0);
    let options = [(it.no_link_local_learning, NO_LINK_LOCAL_LEARNING), (multicast.vlan_snooping, MCAST_VLAN_SNOOPING)];
    let options = options.iter().filter(|(on, _)| *on).fold(0, |options, (_, bit)| options | bit);
    let [a, b] = [options, BOOLEAN_OPTIONS].map(u32::to_ne_bytes);
    out.put(br::MULTI_BOOLOPT, &[a, b].concat());
    out.u32(br::FDB_N_LEARNED, u32::try_from(it.fdb.learned()).unwrap_or(u32::MAX));
    out.u32(br::FDB_MAX_LEARNED, parameters.fdb_max_learned);
    out.u8(br::MCAST_ROUTER, multicast.router);
    out.u8(br::MCAST_SNOOPING, multicast.snooping.into());
    out.u8(br::MCAST_QUERY_USE_IFADDR, multicast.query_use_ifaddr.into());
    out.u8(br::MCAST_QUERIER, multicast.querier.into());
    out.u8(br::MCAST_STATS_ENABLED, multicast.stats_enabled.into());
    out.u32(br::MCAST_HASH_ELASTICITY, 16);
    out.u32(br::MCAST_HASH_MAX, multicast.hash_max);
    out.u32(br::MCAST_LAST_MEMBER_CNT, multicast.last_member_count);
    out.u32(br::MCAST_STARTUP_QUERY_CNT, multicast.startup_query_count);
    out.u8(br::MCAST_IGMP_VERSION, multicast.igmp_version);
    out.u8(br::MCAST_MLD_VERSION, multicast.mld_version);
    out.u64(br::MCAST_LAST_MEMBER_INTVL, multicast.last_member_interval);
    out.u64(br::MCAST_MEMBERSHIP_INTVL, multicast.membership_interval);
    out.u64(br::MCAST_QUERIER_INTVL, multicast.querier_interval);
    out.u64(br::MCAST_QUERY_INTVL, multicast.query_interval);
    out.u64(br::MCAST_QUERY_RESPONSE_INTVL, multicast.query_response_interval);
    out.u64(br::MCAST_STARTUP_QUERY_INTVL, multicast.startup_query_interval);
    out.u8(br::NF_CALL_IPTABLES, parameters.nf_call_iptables.into());
    out.u8(br::NF_CALL_IP6TABLES, parameters.nf_call_ip6tables.into());
    out.u8(br::NF_CALL_ARPTABLES, parameters.nf_call_arptables.into());
}

/// Writes what `IFLA_INFO_SLAVE_DATA` says about a port.
pub(crate) fn fill_port_info(kernel: &Kernel, dev: DevId, out: &mut Writer) {
    let Some(number) = kernel.devices.get(dev).and_then(|device| device.port).map(|member| member.number) else {
        return;
    };
    let Some(port) = kernel.bridge_port(dev) else { return };
    let info = &port.info;
    let flag = |out: &mut Writer, (kind, flag): (u16, PortFlags)| out.u8(kind, port.flags.contains(flag).into());
    out.u8(brport::STATE, port.state as u8);
    out.u16(brport::PRIORITY, info.priority.into());
    out.u32(brport::COST, info.cost);
    FLAGS.iter().for_each(|it| flag(out, *it));
    out.put(brport::ROOT_ID, &info.designated_root.to_bytes());
    out.put(brport::BRIDGE_ID, &info.designated_bridge.to_bytes());
    out.u16(brport::DESIGNATED_PORT, info.designated_port);
    out.u16(brport::DESIGNATED_COST, info.designated_cost as u16);
    out.u16(brport::ID, port_id(info.priority, number));
    out.u16(brport::NO, number);
    out.u8(brport::TOPOLOGY_CHANGE_ACK, 0);
    out.u8(brport::CONFIG_PENDING, 0);
    flag(out, VLAN_TUNNEL);
    out.u16(brport::GROUP_FWD_MASK, port.group_fwd_mask);
    flag(out, NEIGH_SUPPRESS);
    out.u8(brport::MRP_RING_OPEN, 0);
    out.u8(brport::MRP_IN_OPEN, 0);
    LATE_FLAGS.iter().for_each(|it| flag(out, *it));
    out.u64(brport::MESSAGE_AGE_TIMER, 0);
    out.u64(brport::FORWARD_DELAY_TIMER, remaining(info.forward_delay_timer, kernel.now));
    out.u64(brport::HOLD_TIMER, 0);
    out.u8(brport::MULTICAST_ROUTER, info.multicast_router);
    out.u32(brport::MCAST_EHT_HOSTS_LIMIT, info.eht_hosts_limit);
    out.u32(brport::MCAST_EHT_HOSTS_CNT, 0);
    out.u32(brport::MCAST_N_GROUPS, 0);
    out.u32(brport::MCAST_MAX_GROUPS, info.multicast_max_groups);
    if let Some(backup) = info.backup_port.and_then(|backup| kernel.devices.get(backup)) {
        out.u32(brport::BACKUP_PORT, backup.ifindex);
    }
}

/// Changes a bridge as `IFLA_INFO_DATA` says, and tells of it.
pub(crate) fn change(kernel: &mut Kernel, bridge: DevId, data: Attr<'_>) -> Result<()> {
    let attrs = data.nested(BRIDGE, Check::Lenient)?;
    change_timing(kernel, bridge, &attrs)?;
    change_forwarding(kernel, bridge, &attrs)?;
    change_multicast(kernel, bridge, &attrs)?;
    if let Some([o0, o1, o2, o3, m0, m1, m2, m3]) = attrs.get(br::MULTI_BOOLOPT).and_then(|attr| attr.bytes()) {
        let (options, mask) = (u32::from_ne_bytes([o0, o1, o2, o3]), u32::from_ne_bytes([m0, m1, m2, m3]));
        if mask & NO_LINK_LOCAL_LEARNING != 0 {
            settings::set_no_link_local_learning(kernel, bridge, options & NO_LINK_LOCAL_LEARNING != 0)?;
        }
    }
    if let Some(limit) = attrs.get(br::FDB_MAX_LEARNED) {
        settings::set_fdb_max_learned(kernel, bridge, limit.u32())?;
    }
    tell_change(kernel, bridge);
    Ok(())
}

fn change_timing(kernel: &mut Kernel, bridge: DevId, attrs: &Attributes<'_>) -> Result<()> {
    if let Some(time) = attrs.get(br::FORWARD_DELAY) {
        settings::set_forward_delay(kernel, bridge, time.u32())?;
    }
    if let Some(time) = attrs.get(br::HELLO_TIME) {
        settings::set_hello_time(kernel, bridge, time.u32())?;
    }
    if let Some(time) = attrs.get(br::MAX_AGE) {
        settings::set_max_age(kernel, bridge, time.u32())?;
    }
    if let Some(time) = attrs.get(br::AGEING_TIME) {
        settings::set_ageing_time(kernel, bridge, time.u32())?;
    }
    if let Some(stp) = attrs.get(br::STP_STATE) {
        state::set_stp(kernel, bridge, stp.u32() != 0);
    }
    if let Some(priority) = attrs.get(br::PRIORITY) {
        settings::set_priority(kernel, bridge, priority.u16())?;
    }
    Ok(())
}

fn change_forwarding(kernel: &mut Kernel, bridge: DevId, attrs: &Attributes<'_>) -> Result<()> {
    if attrs.get(br::VLAN_FILTERING).is_some_and(|on| on.u8() != 0) {
        return Err(Errno::EOPNOTSUPP.into());
    }
    if let Some(mask) = attrs.get(br::GROUP_FWD_MASK) {
        settings::set_group_fwd_mask(kernel, bridge, mask.u16())?;
    }
    if let Some(address) = attrs.get(br::GROUP_ADDR) {
        let address = address.mac().filter(|_| address.payload.len() == 6).ok_or(Errno::EINVAL)?;
        settings::set_group_address(kernel, bridge, address)?;
    }
    if attrs.get(br::FDB_FLUSH).is_some() {
        learning::flush(kernel, bridge, None);
    }
    let it = kernel.bridge_mut(bridge).ok_or(Errno::EOPNOTSUPP)?;
    let parameters = &mut it.parameters;
    for (kind, setting) in [
        (br::NF_CALL_IPTABLES, &mut parameters.nf_call_iptables),
        (br::NF_CALL_IP6TABLES, &mut parameters.nf_call_ip6tables),
        (br::NF_CALL_ARPTABLES, &mut parameters.nf_call_arptables),
    ] {
        if let Some(on) = attrs.get(kind) {
            *setting = on.u8() != 0;
        }
    }
    Ok(())
}

fn change_multicast(kernel: &mut Kernel, bridge: DevId, attrs: &Attributes<'_>) -> Result<()> {
    if let Some(router) = attrs.get(br::MCAST_ROUTER) {
        settings::set_multicast_router(kernel, bridge, router.u8())?;
    }
    if let Some(on) = attrs.get(br::MCAST_SNOOPING) {
        snooping::set(kernel, bridge, on.u8() != 0);
    }
    if let Some(version) = attrs.get(br::MCAST_IGMP_VERSION) {
        settings::set_igmp_version(kernel, bridge, version.u8().into())?;
    }
    if let Some(version) = attrs.get(br::MCAST_MLD_VERSION) {
        settings::set_mld_version(kernel, bridge, version.u8().into())?;
    }
    if let Some(interval) = attrs.get(br::MCAST_QUERY_INTVL) {
        settings::set_query_interval(kernel, bridge, interval.u64())?;
    }
    if let Some(interval) = attrs.get(br::MCAST_STARTUP_QUERY_INTVL) {
        settings::set_startup_query_interval(kernel, bridge, interval.u64())?;
    }
    let it = kernel.bridge_mut(bridge).ok_or(Errno::EOPNOTSUPP)?;
    let multicast = &mut it.parameters.multicast;
    for (kind, setting) in [
        (br::MCAST_QUERY_USE_IFADDR, &mut multicast.query_use_ifaddr),
        (br::MCAST_QUERIER, &mut multicast.querier),
        (br::MCAST_STATS_ENABLED, &mut multicast.stats_enabled),
    ] {
        if let Some(on) = attrs.get(kind) {
            *setting = on.u8() != 0;
        }
    }
    for (kind, setting) in [
        (br::MCAST_HASH_MAX, &mut multicast.hash_max),
        (br::MCAST_LAST_MEMBER_CNT, &mut multicast.last_member_count),
        (br::MCAST_STARTUP_QUERY_CNT, &mut multicast.startup_query_count),
    ] {
        if let Some(number) = attrs.get(kind) {
            *setting = number.u32();
        }
    }
    for (kind, setting) in [
        (br::MCAST_LAST_MEMBER_INTVL, &mut multicast.last_member_interval),
        (br::MCAST_MEMBERSHIP_INTVL, &mut multicast.membership_interval),
        (br::MCAST_QUERIER_INTVL, &mut multicast.querier_interval),
        (br::MCAST_QUERY_RESPONSE_INTVL, &mut multicast.query_response_interval),
    ] {
        if let Some(interval) = attrs.get(kind) {
            *setting = interval.u64();
        }
    }
    Ok(())
}

/// Changes a port as `IFLA_INFO_SLAVE_DATA` says, and tells of it.
pub(crate) fn change_port(kernel: &mut Kernel, dev: DevId, data: Attr<'_>) -> Result<()> {
    set_port(kernel, dev, &data.nested(PORT, Check::Lenient)?)?;
    tell_change(kernel, dev);
    Ok(())
}

fn set_port(kernel: &mut Kernel, dev: DevId, attrs: &Attributes<'_>) -> Result<()> {
    let port = kernel.bridge_port_mut(dev).ok_or(Errno::EOPNOTSUPP)?;
    let mut flags = port.flags;
    for (kind, flag) in FLAGS.iter().chain(LATE_FLAGS).chain([&VLAN_TUNNEL, &NEIGH_SUPPRESS]) {
        if let Some(on) = attrs.get(*kind) {
            flags.set(*flag, on.u8() != 0);
        }
    }
    if flags.contains(PortFlags::MAB) && !flags.contains(PortFlags::LOCKED) {
        return Err(Error::new(Errno::EINVAL, "Bridge port must be locked when MAB is enabled"));
    }
    port.flags = flags;
    if let Some(cost) = attrs.get(brport::COST) {
        settings::set_port_cost(kernel, dev, cost.u32().into())?;
    }
    if let Some(priority) = attrs.get(brport::PRIORITY) {
        settings::set_port_priority(kernel, dev, priority.u16().into())?;
    }
    if let Some(wanted) = attrs.get(brport::STATE) {
        state::set_by_hand(kernel, dev, wanted.u8())?;
    }
    if attrs.get(brport::FLUSH).is_some()
        && let Some(member) = kernel.devices.get(dev).and_then(|device| device.port)
    {
        learning::flush(kernel, member.bridge, Some(member.number));
    }
    if let Some(router) = attrs.get(brport::MULTICAST_ROUTER) {
        settings::set_port_multicast_router(kernel, dev, router.u8())?;
    }
    if let Some(port) = kernel.bridge_port_mut(dev) {
        if let Some(limit) = attrs.get(brport::MCAST_EHT_HOSTS_LIMIT) {
            port.info.eht_hosts_limit = limit.u32();
        }
        if let Some(limit) = attrs.get(brport::MCAST_MAX_GROUPS) {
            port.info.multicast_max_groups = limit.u32();
        }
    }
    if let Some(mask) = attrs.get(brport::GROUP_FWD_MASK) {
        settings::set_port_group_fwd_mask(kernel, dev, mask.u16())?;
    }
    if let Some(backup) = attrs.get(brport::BACKUP_PORT) {
        let ns = kernel.devices.get(dev).ok_or(Errno::ENODEV)?.ns;
        let backup = match backup.u32() {
            0 => None,
            ifindex => Some(kernel.namespaces[ns].device_by_index(ifindex).ok_or(Errno::ENOENT)?),
        };
        settings::set_backup_port(kernel, dev, backup)?;
    }
    Ok(())
}

/// What an up device tells of itself after a change.
pub(super) fn tell_change(kernel: &mut Kernel, dev: DevId) {
    if kernel.devices.get(dev).is_some_and(|device| device.is_up()) {
        kernel.netdev_event(dev, NetdevEvent::Change);
        kernel.notify_link(dev, DevFlags::empty());
    }
}

/// Writes an `AF_BRIDGE` message about a port, or about a bridge itself.
pub(super) fn fill_link(kernel: &Kernel, dev: DevId, out: &mut Writer, header: Header) {
    let Some(device) = kernel.devices.get(dev) else { return };
    let master = match device.port {
        Some(member) => kernel.devices.get(member.bridge),
        None => Some(device),
    };
    out.message(header, |out| {
        out.raw(&if_info(device, AF_BRIDGE, 0));
        out.text(IFLA_IFNAME, device.name.as_str());
        out.u32(IFLA_MASTER, master.map_or(0, |master| master.ifindex));
        out.u32(IFLA_MTU, device.mtu);
        out.u8(IFLA_OPERSTATE, operstate(device) as u8);
        out.put(IFLA_ADDRESS, &device.address.0);
        if let Some(lower) = kernel.lower_ifindex(dev).filter(|lower| *lower != device.ifindex) {
            out.u32(IFLA_LINK, lower);
        }
        if device.port.is_some() && header.kind == RTM_NEWLINK {
            out.nest(IFLA_PROTINFO | NLA_F_NESTED, |out| fill_port_info(kernel, dev, out));
        }
    });
}

/// `RTM_GETLINK` with `AF_BRIDGE`: ports, and with VLANs asked for the bridges themselves.
pub(crate) fn dump_links(kernel: &mut Kernel, request: &Request<'_>) -> Result<Answer> {
    const WITH_VLANS: u32 = 2 | 4;
    if request.strict {
        let info = IfInfo::parse(&request.fixed("Invalid header for bridge link dump")?);
        if info.asks_too_much() || info.index != 0 {
            return Err(Error::new(Errno::EINVAL, "Invalid values in header for bridge link dump request"));
        }
    }
    let attrs = match request.attributes(IFINFOMSG, LINK, request.check()) {
        Err(_) if !request.strict => Attributes::default(),
        attrs => attrs?,
    };
    if request.strict {
        attrs.only(&[IFLA_EXT_MASK], "Unsupported attribute in bridge link dump request")?;
    }
    let bridges = attrs.get(IFLA_EXT_MASK).is_some_and(|mask| mask.u32() & WITH_VLANS != 0);
    let netns = kernel.namespaces.get(request.ns).ok_or(Errno::EINVAL)?;
    let shown = |dev: &DevId| {
        let device = kernel.devices.get(*dev);
        device.is_some_and(|device| device.port.is_some() || (bridges && device.bridge().is_some()))
    };
    let mut devices = netns.devices().filter(shown).collect::<Vec<_>>().into_iter();
    Ok(Answer::Dump(
        Dump::new(move |kernel, out, header| {
            let Some(dev) = devices.next() else { return Ok(false) };
            fill_link(kernel, dev, out, header.with_kind(RTM_NEWLINK));
            Ok(true)
        })
        .done_apart(),
    ))
}

/// `RTM_SETLINK` with `AF_BRIDGE`: a port's settings, VLANs.
pub(crate) fn set_link(kernel: &mut Kernel, request: &Request<'_>) -> Result<Answer> {
    const BRIDGE_FLAGS: u16 = 0;
    const FLAG_MASTER: u16 = 1;
    const FLAG_SELF: u16 = 2;
    let info = IfInfo::parse(&request.fixed("Invalid header for set link")?);
    let attrs = request.attributes(IFINFOMSG, LINK, Check::Lenient)?;
    let netns = kernel.namespaces.get(request.ns).ok_or(Errno::EINVAL)?;
    let dev = u32::try_from(info.index).ok().and_then(|index| netns.device_by_index(index));
    let dev = dev.ok_or(Error::new(Errno::ENODEV, "unknown ifindex"))?;
    let device = kernel.devices.get(dev).ok_or(Errno::ENODEV)?;
    let families = attrs.get(IFLA_AF_SPEC);
    let flags = families.and_then(|spec| spec.iter().find(|attr| attr.kind == BRIDGE_FLAGS)).map_or(0, |it| it.u16());
    if flags == 0 || flags & FLAG_MASTER != 0 {
        if device.port.is_none() {
            return Err(Errno::EOPNOTSUPP.into());
        }
        if let Some(settings) = attrs.get(IFLA_PROTINFO) {
            match settings.payload {
                // What spanning tree daemons sent before there were attributes.
                [state] => state::set_by_hand(kernel, dev, *state)?,
                _ => set_port(kernel, dev, &settings.nested(PORT, Check::Lenient)?)?,
            }
        }
        refuse_vlans(families)?;
        if attrs.get(IFLA_PROTINFO).is_some() {
            kernel.notify_bridge_port(dev);
        }
    }
    if flags & FLAG_SELF != 0 {
        if kernel.bridge(dev).is_none() {
            return Err(Errno::EOPNOTSUPP.into());
        }
        refuse_vlans(families)?;
    }
    Ok(Answer::Done)
}

/// VLANs are not filtered.
fn refuse_vlans(families: Option<Attr<'_>>) -> Result<()> {
    const VLAN_INFO: u16 = 2;
    match families.and_then(|spec| spec.iter().find(|attr| attr.kind == VLAN_INFO)) {
        Some(_) => Err(Errno::EOPNOTSUPP.into()),
        None => Ok(()),
    }
}

/// `RTM_DELLINK` with `AF_BRIDGE`: VLANs, of which there are none.
pub(crate) fn delete_link(_kernel: &mut Kernel, _request: &Request<'_>) -> Result<Answer> {
    Err(Errno::EOPNOTSUPP.into())
}

/// `RTM_NEWMDB`: groups are not kept.
pub(crate) fn add_group(_kernel: &mut Kernel, _request: &Request<'_>) -> Result<Answer> {
    Err(Errno::EOPNOTSUPP.into())
}

/// `RTM_DELMDB`: groups are not kept.
pub(crate) fn delete_group(_kernel: &mut Kernel, _request: &Request<'_>) -> Result<Answer> {
    Err(Errno::EOPNOTSUPP.into())
}

/// `RTM_GETMDB` for all bridges: groups are not kept, so there are none to tell of.
pub(crate) fn dump_groups(_kernel: &mut Kernel, _request: &Request<'_>) -> Result<Answer> {
    Ok(Answer::Dump(Dump::new(|_, _, _| Ok(false))))
}
