//! Ports: how a device joins a bridge and leaves it, and what is known of it meanwhile.

use super::parameters::BridgeId;
use super::{Bridge, PORTS, PortState, address, learning, mtu, promiscuity, state};
use crate::Kernel;
use crate::drivers::ARPHRD_ETHER;
use crate::error::{Errno, Error, Result};
use crate::netdev::{DevFlags, Device, PortRef};
use crate::timer::TimerId;
use crate::types::DevId;

bitflags::bitflags! {
    /// What can be switched on and off at a port.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(crate) struct PortFlags: u32 {
        /// A frame may leave through the port that it came in by.
        const HAIRPIN = 1;
        /// A BPDU disables the port.
        const BPDU_GUARD = 1 << 1;
        /// The port never becomes the root port.
        const ROOT_BLOCK = 1 << 2;
        /// A group is left without asking whether others are in it.
        const FAST_LEAVE = 1 << 3;
        /// Source addresses are learned.
        const LEARNING = 1 << 4;
        /// Frames to unknown addresses leave here.
        const FLOOD = 1 << 5;
        /// So do frames to groups.
        const MCAST_FLOOD = 1 << 6;
        /// And broadcasts.
        const BCAST_FLOOD = 1 << 7;
        const MCAST_TO_UNICAST = 1 << 8;
        const PROXYARP = 1 << 9;
        const PROXYARP_WIFI = 1 << 10;
        const NEIGH_SUPPRESS = 1 << 11;
        const VLAN_TUNNEL = 1 << 12;
        /// Isolated ports don't talk to each other.
        const ISOLATED = 1 << 13;
        /// Only known addresses may send.
        const LOCKED = 1 << 14;
        const MAB = 1 << 15;
        const NEIGH_VLAN_SUPPRESS = 1 << 16;
    }
}

impl Default for PortFlags {
    fn default() -> PortFlags {
        PortFlags::LEARNING | PortFlags::FLOOD | PortFlags::MCAST_FLOOD | PortFlags::BCAST_FLOOD
    }
}

/// One port: what a frame needs.
#[derive(Debug)]
pub(crate) struct Port {
    pub(crate) dev: DevId,
    pub(crate) flags: PortFlags,
    /// The longest frame that may leave here.
    pub(super) longest: u32,
    pub(crate) group_fwd_mask: u16,
    pub(crate) state: PortState,
    pub(crate) info: Box<PortInfo>,
}

/// What only control requests look at.
#[derive(Debug)]
pub(crate) struct PortInfo {
    pub(crate) priority: u8,
    pub(crate) cost: u32,
    /// A cost that somebody set does not follow the device's speed.
    pub(crate) cost_by_hand: bool,
    pub(crate) designated_root: BridgeId,
    pub(crate) designated_bridge: BridgeId,
    pub(crate) designated_port: u16,
    pub(crate) designated_cost: u32,
    pub(crate) multicast_router: u8,
    pub(crate) eht_hosts_limit: u32,
    pub(crate) multicast_max_groups: u32,
    pub(crate) backup_port: Option<DevId>,
    pub(super) forward_delay_timer: Option<TimerId>,
}

/// A port's identifier: its priority and its number (IEEE 802.1D, 9.2.7).
pub(crate) fn port_id(priority: u8, number: u16) -> u16 {
    u16::from(priority) << 10 | number & 0x3ff
}

impl Bridge {
    /// The lowest number that no port has.
    fn free_number(&self) -> Option<u16> {
        let free = self.ports.iter().skip(1).position(Option::is_none).map_or(self.ports.len().max(1), |at| at + 1);
        u16::try_from(free).ok().filter(|number| *number <= PORTS)
    }
}

/// The cost of a device's speed.
fn path_cost(kernel: &Kernel, device: &Device) -> u32 {
    match crate::ethtool::link_speed(kernel, device) {
        Some(_) => 2,
        None => 100,
    }
}

/// Makes `dev` a port of `master`, or of none; a port of another bridge leaves that one first.
pub(crate) fn set_master(kernel: &mut Kernel, dev: DevId, master: Option<DevId>) -> Result<()> {
    let member = kernel.devices.get(dev).ok_or(Errno::ENODEV)?.port;
    if let Some(member) = member {
        if Some(member.bridge) == master {
            return Ok(());
        }
        remove_port(kernel, dev);
    }
    match master {
        Some(bridge) => add_port(kernel, bridge, dev),
        None => Ok(()),
    }
}

/// Makes `dev` a port of `bridge`.
///
/// `EINVAL`: not an Ethernet device. `ELOOP`: a bridge. `EBUSY`: a port already. `EOPNOTSUPP`: `bridge` is none.
pub(crate) fn add_port(kernel: &mut Kernel, bridge: DevId, dev: DevId) -> Result<()> {
    let it = kernel.bridge(bridge).ok_or(Errno::EOPNOTSUPP)?;
    let device = kernel.devices.get(dev).ok_or(Errno::ENODEV)?;
    if device.flags.contains(DevFlags::LOOPBACK)
        || device.kind.hardware_type() != ARPHRD_ETHER
        || !(device.address.is_valid_unicast() || device.bridge().is_some())
    {
        return Err(Errno::EINVAL.into());
    }
    if device.bridge().is_some() {
        return Err(Error::new(Errno::ELOOP, "Can not enslave a bridge to a bridge"));
    }
    if device.port.is_some() {
        return Err(Errno::EBUSY.into());
    }
    let number = it.free_number().ok_or(Errno::EXFULL)?;
    let id = it.parameters.id;
    let mut port = Port {
        dev,
        flags: PortFlags::default(),
        longest: mtu::longest_frame(device.mtu),
        group_fwd_mask: 0,
        state: PortState::Disabled,
        info: Box::new(PortInfo {
            priority: 32,
            cost: path_cost(kernel, device),
            cost_by_hand: false,
            designated_root: id,
            designated_bridge: id,
            designated_port: 0,
            designated_cost: 0,
            multicast_router: 1,
            eht_hosts_limit: 512,
            multicast_max_groups: 0,
            backup_port: None,
            forward_delay_timer: None,
        }),
    };
    port.info.designated_port = port_id(port.info.priority, number);
    let address = device.address;

    let Some(it) = kernel.bridge_mut(bridge) else { return Ok(()) };
    let slot = usize::from(number);
    if it.ports.len() <= slot {
        it.ports.resize_with(slot + 1, || None);
    }
    it.ports[slot] = Some(port);
    it.members.insert(0, number);
    state::set(kernel, bridge, number, PortState::Blocking);
    state::set(kernel, bridge, number, PortState::Disabled);
    promiscuity::join_groups(kernel, dev);
    if let Err(errno) = may_stand_on(kernel, bridge, dev) {
        promiscuity::leave_groups(kernel, dev);
        forget(kernel, bridge, number);
        return Err(errno.into());
    }
    kernel.devices[dev].port = Some(PortRef { bridge, number });
    kernel.notify_link(dev, DevFlags::empty());
    promiscuity::join(kernel, dev);
    features_changed(kernel, bridge, 1);
    address::add_local(kernel, bridge, number, address);
    address::follow_new_port(kernel, bridge, address);
    state::select(kernel, bridge);
    state::port_joined(kernel, bridge, number);
    mtu::adjust(kernel, bridge);
    limit_segmentation_by(kernel, bridge, dev);
    Ok(())
}

/// `EBUSY`: its frames go to macvlans already, or it stands on the bridge itself. `EMLINK`: too many devices on top of
/// each other.
fn may_stand_on(kernel: &Kernel, bridge: DevId, dev: DevId) -> Result<(), Errno> {
    if kernel.devices[dev].macvlans.is_some() {
        return Err(Errno::EBUSY);
    }
    kernel.may_nest(dev, Some(bridge))
}

/// The port's place is free again.
fn forget(kernel: &mut Kernel, bridge: DevId, number: u16) {
    let Some(it) = kernel.bridge_mut(bridge) else { return };
    it.members.retain(|member| *member != number);
    it.ports[usize::from(number)] = None;
    it.list_forwarding();
}

/// Takes a port out of its bridge.
pub(crate) fn remove_port(kernel: &mut Kernel, dev: DevId) {
    let Some(PortRef { bridge, number }) = kernel.devices.get(dev).and_then(|device| device.port) else { return };
    promiscuity::leave(kernel, dev);
    state::disable_port(kernel, bridge, number);
    kernel.notify_bridge_port_gone(dev);
    learning::forget_port(kernel, bridge, number);
    kernel.devices[dev].port = None;
    forget(kernel, bridge, number);
    if let Some(it) = kernel.bridge_mut(bridge) {
        for port in it.ports.iter_mut().flatten().filter(|port| port.info.backup_port == Some(dev)) {
            port.info.backup_port = None;
        }
    }
    kernel.notify_link(dev, DevFlags::empty());
    mtu::adjust(kernel, bridge);
    limit_segmentation(kernel, bridge);
    features_changed(kernel, bridge, 0);
    address::follow_ports(kernel, bridge);
}

/// The bridge's own device may hand on what every port can segment: what they could before, and a new one can.
fn limit_segmentation_by(kernel: &mut Kernel, bridge: DevId, new: DevId) {
    if kernel.bridge(bridge).is_some_and(|it| it.members.len() == 1) {
        return limit_segmentation(kernel, bridge);
    }
    let new = &kernel.devices[new].info;
    let (size, segs) = (new.tso_max_size, new.tso_max_segs);
    let info = &mut kernel.devices[bridge].info;
    (info.tso_max_size, info.tso_max_segs) = (info.tso_max_size.min(size), info.tso_max_segs.min(segs));
}

/// The same from all of them, after one has left.
fn limit_segmentation(kernel: &mut Kernel, bridge: DevId) {
    let Some(it) = kernel.bridge(bridge) else { return };
    let ports = it.members().filter_map(|(_, port)| kernel.devices.get(port.dev));
    let lowest = ports.map(|device| (device.info.tso_max_size, device.info.tso_max_segs));
    let (size, segs) = lowest.reduce(|a, b| (a.0.min(b.0), a.1.min(b.1))).unwrap_or((524_280, 65_535));
    let info = &mut kernel.devices[bridge].info;
    (info.tso_max_size, info.tso_max_segs) = (size, segs);
}

/// With the first port and without the last one, the bridge's device offers other features.
fn features_changed(kernel: &mut Kernel, bridge: DevId, ports: usize) {
    const IFLA_EVENT_FEATURES: u32 = 2;
    if kernel.bridge(bridge).is_some_and(|it| it.members.len() == ports) {
        kernel.notify_link_event(bridge, IFLA_EVENT_FEATURES);
    }
}
