//! Setting what can be set on a bridge and its ports: netlink, files and ioctls all come here. Times are in hundredths of a second.

use super::parameters::{BridgeId, Stp};
use super::port::port_id;
use super::{Port, PortState, ageing, state};
use crate::Kernel;
use crate::error::{Errno, Result};
use crate::types::{DevId, MacAddr};

/// Of the sixteen link-local addresses a bridge may never forward three: BPDUs, PAUSE and link aggregation.
const NEVER_FORWARDED: u16 = 0b111;
/// A port may never forward PAUSE.
const NEVER_FORWARDED_BY_PORT: u16 = 0b10;
/// Bounds of the intervals of queries.
const QUERY_INTERVALS: std::ops::RangeInclusive<u64> = 100..=8_640_000;

/// `ERANGE` outside of 2…30 s while the spanning tree is on.
pub(crate) fn set_forward_delay(kernel: &mut Kernel, bridge: DevId, time: u32) -> Result<()> {
    let parameters = &mut kernel.bridge_mut(bridge).ok_or(Errno::EOPNOTSUPP)?.parameters;
    if parameters.stp != Stp::Off && !(200..=3000).contains(&time) {
        return Err(Errno::ERANGE.into());
    }
    parameters.bridge_forward_delay = time;
    if parameters.is_root() {
        parameters.forward_delay = time;
    }
    Ok(())
}

/// `ERANGE` outside of 1…10 s.
pub(crate) fn set_hello_time(kernel: &mut Kernel, bridge: DevId, time: u32) -> Result<()> {
    let parameters = &mut kernel.bridge_mut(bridge).ok_or(Errno::EOPNOTSUPP)?.parameters;
    if !(100..=1000).contains(&time) {
        return Err(Errno::ERANGE.into());
    }
    parameters.bridge_hello_time = time;
    if parameters.is_root() {
        parameters.hello_time = time;
    }
    Ok(())
}

/// `ERANGE` outside of 6…40 s.
pub(crate) fn set_max_age(kernel: &mut Kernel, bridge: DevId, time: u32) -> Result<()> {
    let parameters = &mut kernel.bridge_mut(bridge).ok_or(Errno::EOPNOTSUPP)?.parameters;
    if !(600..=4000).contains(&time) {
        return Err(Errno::ERANGE.into());
    }
    parameters.bridge_max_age = time;
    if parameters.is_root() {
        parameters.max_age = time;
    }
    Ok(())
}

/// How long a silent address is kept; 0: nothing is learned.
pub(crate) fn set_ageing_time(kernel: &mut Kernel, bridge: DevId, time: u32) -> Result<()> {
    let it = kernel.bridge_mut(bridge).ok_or(Errno::EOPNOTSUPP)?;
    it.parameters.bridge_ageing_time = time;
    it.parameters.ageing_time = time;
    it.update_room();
    ageing::hurry(kernel, bridge);
    Ok(())
}

/// The bridge's priority in the spanning tree.
pub(crate) fn set_priority(kernel: &mut Kernel, bridge: DevId, priority: u16) -> Result<()> {
    let it = kernel.bridge_mut(bridge).ok_or(Errno::EOPNOTSUPP)?;
    let was_root = it.parameters.is_root();
    let old = it.parameters.id;
    let id = BridgeId { priority, ..old };
    it.parameters.id = id;
    if was_root {
        it.parameters.designated_root = id;
    }
    // A disabled port keeps what it knew.
    for port in it.ports.iter_mut().flatten().filter(|port| port.state != PortState::Disabled) {
        if port.info.designated_bridge == old {
            port.info.designated_bridge = id;
            port.info.designated_root = it.parameters.designated_root;
        }
    }
    state::select(kernel, bridge);
    Ok(())
}

/// Which link-local addresses are forwarded. `EINVAL` for those that never are.
pub(crate) fn set_group_fwd_mask(kernel: &mut Kernel, bridge: DevId, mask: u16) -> Result<()> {
    if mask & NEVER_FORWARDED != 0 {
        return Err(Errno::EINVAL.into());
    }
    kernel.bridge_mut(bridge).ok_or(Errno::EOPNOTSUPP)?.group_fwd_mask = mask;
    Ok(())
}

/// Where BPDUs go. `EINVAL`: not a link-local address, or one that means something else.
pub(crate) fn set_group_address(kernel: &mut Kernel, bridge: DevId, address: MacAddr) -> Result<()> {
    if !address.is_link_local() || matches!(address.0[5], 1..=3) {
        return Err(Errno::EINVAL.into());
    }
    kernel.bridge_mut(bridge).ok_or(Errno::EOPNOTSUPP)?.parameters.group_address = address;
    Ok(())
}

/// How many addresses may be learned; 0: as many as there is memory for.
pub(crate) fn set_fdb_max_learned(kernel: &mut Kernel, bridge: DevId, limit: u32) -> Result<()> {
    let it = kernel.bridge_mut(bridge).ok_or(Errno::EOPNOTSUPP)?;
    it.parameters.fdb_max_learned = limit;
    it.update_room();
    Ok(())
}

/// Whether the sources of link-local frames are learned.
pub(crate) fn set_no_link_local_learning(kernel: &mut Kernel, bridge: DevId, on: bool) -> Result<()> {
    kernel.bridge_mut(bridge).ok_or(Errno::EOPNOTSUPP)?.no_link_local_learning = on;
    Ok(())
}

/// Whether the bridge looks for multicast routers: never, by their queries, always. `EINVAL` for others.
pub(crate) fn set_multicast_router(kernel: &mut Kernel, bridge: DevId, router: u8) -> Result<()> {
    if router > 2 {
        return Err(Errno::EINVAL.into());
    }
    kernel.bridge_mut(bridge).ok_or(Errno::EOPNOTSUPP)?.parameters.multicast.router = router;
    Ok(())
}

/// Which IGMP version the bridge asks in. `EINVAL`: neither 2 nor 3.
pub(crate) fn set_igmp_version(kernel: &mut Kernel, bridge: DevId, version: u64) -> Result<()> {
    let version = u8::try_from(version).ok().filter(|version| (2..=3).contains(version)).ok_or(Errno::EINVAL)?;
    kernel.bridge_mut(bridge).ok_or(Errno::EOPNOTSUPP)?.parameters.multicast.igmp_version = version;
    Ok(())
}

/// Which MLD version the bridge asks in. `EINVAL`: neither 1 nor 2.
pub(crate) fn set_mld_version(kernel: &mut Kernel, bridge: DevId, version: u64) -> Result<()> {
    let version = u8::try_from(version).ok().filter(|version| (1..=2).contains(version)).ok_or(Errno::EINVAL)?;
    kernel.bridge_mut(bridge).ok_or(Errno::EOPNOTSUPP)?.parameters.multicast.mld_version = version;
    Ok(())
}

/// An interval of queries within its bounds; the log tells where it was not.
fn query_interval(kernel: &mut Kernel, bridge: DevId, name: &str, interval: u64) -> u64 {
    let bounded = interval.clamp(*QUERY_INTERVALS.start(), *QUERY_INTERVALS.end());
    if bounded != interval {
        let side = if interval < bounded { "below minimum" } else { "above maximum" };
        let bridge = kernel.log_name(bridge);
        let milliseconds = bounded * 10;
        kernel.info(format!("{bridge}: trying to set {name} interval {side}, setting to {bounded} ({milliseconds}ms)"));
    }
    bounded
}

/// How often the bridge asks for members, within bounds.
pub(crate) fn set_query_interval(kernel: &mut Kernel, bridge: DevId, interval: u64) -> Result<()> {
    let interval = query_interval(kernel, bridge, "multicast query", interval);
    kernel.bridge_mut(bridge).ok_or(Errno::EOPNOTSUPP)?.parameters.multicast.query_interval = interval;
    Ok(())
}

/// How often at first.
pub(crate) fn set_startup_query_interval(kernel: &mut Kernel, bridge: DevId, interval: u64) -> Result<()> {
    let interval = query_interval(kernel, bridge, "multicast startup query", interval);
    kernel.bridge_mut(bridge).ok_or(Errno::EOPNOTSUPP)?.parameters.multicast.startup_query_interval = interval;
    Ok(())
}

fn port(kernel: &mut Kernel, dev: DevId) -> Result<&mut Port, Errno> {
    kernel.bridge_port_mut(dev).ok_or(Errno::EOPNOTSUPP)
}

/// What a path through this port costs. `ERANGE` outside of 1…65535.
pub(crate) fn set_port_cost(kernel: &mut Kernel, dev: DevId, cost: u64) -> Result<()> {
    let cost = u32::try_from(cost).ok().filter(|cost| (1..=65_535).contains(cost)).ok_or(Errno::ERANGE)?;
    let info = &mut port(kernel, dev)?.info;
    info.cost = cost;
    info.cost_by_hand = true;
    Ok(())
}

/// The port's priority among those of its bridge. `ERANGE` above 63.
pub(crate) fn set_port_priority(kernel: &mut Kernel, dev: DevId, priority: u64) -> Result<()> {
    let priority = u8::try_from(priority).ok().filter(|priority| *priority <= 63).ok_or(Errno::ERANGE)?;
    let number = kernel.devices.get(dev).and_then(|device| device.port).ok_or(Errno::EOPNOTSUPP)?.number;
    let info = &mut port(kernel, dev)?.info;
    let old = port_id(info.priority, number);
    info.priority = priority;
    if info.designated_port == old {
        info.designated_port = port_id(priority, number);
    }
    Ok(())
}

/// Which link-local addresses the port takes for forwarding. `EINVAL` with PAUSE among them.
pub(crate) fn set_port_group_fwd_mask(kernel: &mut Kernel, dev: DevId, mask: u16) -> Result<()> {
    if mask & NEVER_FORWARDED_BY_PORT != 0 {
        return Err(Errno::EINVAL.into());
    }
    port(kernel, dev)?.group_fwd_mask = mask;
    Ok(())
}

/// Whether a multicast router is behind the port. `EINVAL` above 3.
pub(crate) fn set_port_multicast_router(kernel: &mut Kernel, dev: DevId, router: u8) -> Result<()> {
    if router > 3 {
        return Err(Errno::EINVAL.into());
    }
    port(kernel, dev)?.info.multicast_router = router;
    Ok(())
}

/// The port that takes over what can't leave by this one. `EINVAL`: itself, or not a port of the same bridge.
pub(crate) fn set_backup_port(kernel: &mut Kernel, dev: DevId, backup: Option<DevId>) -> Result<()> {
    let bridge_of = |dev: DevId| kernel.devices.get(dev)?.port.map(|member| member.bridge);
    if backup.is_some_and(|backup| backup == dev || bridge_of(backup) != bridge_of(dev)) {
        return Err(Errno::EINVAL.into());
    }
    port(kernel, dev)?.info.backup_port = backup;
    Ok(())
}
