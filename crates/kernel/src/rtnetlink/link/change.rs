//! `RTM_SETLINK`, and `RTM_NEWLINK` for a device that is there: changing a device, one attribute after the other in
//! Linux's order. What was changed before a refusal stays changed.

use super::super::attr::{Attr, Attributes};
use super::super::dispatch::{Answer, Request};
use super::super::target;
use super::super::uapi::*;
use super::{IfInfo, LinkInfo, find};
use crate::Kernel;
use crate::drivers::DevKind;
use crate::error::{Errno, Error, Result};
use crate::netdev::{DevFlags, NetdevEvent, OperState};
use crate::types::{DevId, MacAddr};

/// Bytes of an Ethernet address.
const ETH_ALEN: usize = 6;

/// `IF_OPER_…` that a request may ask for.
const OPER_UP: u8 = OperState::Up as u8;
const OPER_DORMANT: u8 = OperState::Dormant as u8;

/// `RTM_SETLINK`.
pub(in crate::rtnetlink) fn set_link(kernel: &mut Kernel, request: &Request<'_>) -> Result<Answer> {
    let (info, attrs) = IfInfo::of(request)?;
    let dev = find(kernel, request.ns, &info, &attrs)?;
    // By index, IFLA_IFNAME is the new name; else it is the one the device was found by.
    change(kernel, request, dev, &info, &attrs)?;
    Ok(Answer::Done)
}

/// `RTM_NEWLINK` for a device that is there: the settings of its kind and of the port it is, then the rest.
pub(super) fn change_existing(
    kernel: &mut Kernel,
    request: &Request<'_>,
    dev: DevId,
    info: &IfInfo,
    attrs: &Attributes<'_>,
) -> Result<()> {
    if request.has(NLM_F_EXCL) {
        return Err(Errno::EEXIST.into());
    }
    if request.has(NLM_F_REPLACE) {
        return Err(Errno::EOPNOTSUPP.into());
    }
    let link_info = LinkInfo::of(attrs)?;
    let device = kernel.devices.get(dev).ok_or(Errno::ENODEV)?;
    if let Some(data) = link_info.data {
        match device.kind {
            _ if link_info.kind != device.kind.name() => return Err(Errno::EOPNOTSUPP.into()),
            DevKind::Bridge(_) => crate::bridge::netlink::change(kernel, dev, data)?,
            DevKind::Macvlan(_) => super::macvlan::change(kernel, dev, data)?,
            _ => return Err(Errno::EOPNOTSUPP.into()),
        }
    }
    if let Some(data) = link_info.port_data {
        let is_port = kernel.devices.get(dev).is_some_and(|device| device.port.is_some());
        if !is_port || link_info.port_kind.is_some_and(|kind| kind != "bridge") {
            return Err(Errno::EOPNOTSUPP.into());
        }
        crate::bridge::netlink::change_port(kernel, dev, data)?;
    }
    change(kernel, request, dev, info, attrs)
}

/// Everything that a request may change about any device.
pub(super) fn change(
    kernel: &mut Kernel,
    request: &Request<'_>,
    dev: DevId,
    info: &IfInfo,
    attrs: &Attributes<'_>,
) -> Result<()> {
    check(kernel, dev, attrs)?;
    // By index, the name is a new one; otherwise the device was found by it.
    let mut new_name = attrs.get(IFLA_IFNAME).filter(|_| info.index > 0).and_then(|name| name.text());
    new_name = new_name.filter(|name| !name.is_empty());
    if let Some(target) = target::destination(kernel, request, attrs)? {
        let new_index = attrs.get(IFLA_NEW_IFINDEX).map(|index| index.u32());
        let name = new_name.map(str::to_owned);
        kernel.move_device(dev, target, name.as_deref(), new_index)?;
    }
    if attrs.get(IFLA_MAP).is_some() {
        return Err(Errno::EOPNOTSUPP.into());
    }
    if let Some(address) = attrs.get(IFLA_ADDRESS) {
        kernel.set_address(dev, ethernet(&address)?)?;
    }
    if let Some(mtu) = attrs.get(IFLA_MTU) {
        kernel.set_mtu(dev, mtu.u32())?;
    }
    // What an up device tells about itself when everything is done.
    let mut tell = false;
    if let Some(group) = attrs.get(IFLA_GROUP) {
        device(kernel, dev)?.info.group = group.u32();
        tell = true;
    }
    if let Some(name) = new_name {
        kernel.rename_device(dev, name)?;
    }
    if let Some(alias) = attrs.get(IFLA_IFALIAS) {
        let alias = alias.text().ok_or(Errno::EINVAL)?;
        device(kernel, dev)?.info.alias = (!alias.is_empty()).then(|| alias.into());
        tell = true;
    }
    if let Some(broadcast) = attrs.get(IFLA_BROADCAST) {
        device(kernel, dev)?.broadcast = broadcast.mac().ok_or(Errno::EINVAL)?;
        kernel.netdev_event(dev, NetdevEvent::ChangeAddress);
        kernel.notify_link(dev, DevFlags::empty());
    }
    if let Some(master) = attrs.get(IFLA_MASTER) {
        set_master(kernel, dev, master.u32())?;
    }
    if info.flags != 0 || info.change != 0 {
        let wanted = combined_flags(device(kernel, dev)?.visible_flags(), info);
        kernel.change_flags(dev, wanted)?;
    }
    if attrs.get(IFLA_CARRIER).is_some() && !can_set_carrier(device(kernel, dev)?) {
        return Err(Errno::EOPNOTSUPP.into());
    }
    if let Some(carrier) = attrs.get(IFLA_CARRIER) {
        // Without a program at its end a TUN can't have one.
        if carrier.u8() != 0 && device(kernel, dev)?.tun().is_some_and(|tun| tun.queues == 0) {
            return Err(Errno::EPERM.into());
        }
        kernel.set_carrier(dev, carrier.u8() != 0);
    }
    if let Some(length) = attrs.get(IFLA_TXQLEN) {
        let current = &mut device(kernel, dev)?.info.tx_queue_len;
        if *current != length.u32() {
            *current = length.u32();
            kernel.notify_link(dev, DevFlags::empty());
        }
    }
    let settings = &mut device(kernel, dev)?.info;
    for (kind, setting) in [
        (IFLA_GSO_MAX_SIZE, &mut settings.gso_max_size),
        (IFLA_GSO_MAX_SEGS, &mut settings.gso_max_segs),
        (IFLA_GRO_MAX_SIZE, &mut settings.gro_max_size),
        (IFLA_GSO_IPV4_MAX_SIZE, &mut settings.gso_ipv4_max_size),
        (IFLA_GRO_IPV4_MAX_SIZE, &mut settings.gro_ipv4_max_size),
    ] {
        if let Some(value) = attrs.get(kind) {
            *setting = value.u32();
        }
    }
    if let Some(state) = attrs.get(IFLA_OPERSTATE) {
        set_operstate(kernel, dev, state.u8())?;
    }
    if let Some(mode) = attrs.get(IFLA_LINKMODE) {
        tell |= device(kernel, dev)?.info.link_mode != mode.u8();
        device(kernel, dev)?.info.link_mode = mode.u8();
    }
    if let Some(families) = attrs.get(IFLA_AF_SPEC) {
        for family in families.iter() {
            set_family(kernel, dev, &family)?;
            tell = true;
        }
    }
    if attrs.get(IFLA_PROTO_DOWN).is_some() {
        return Err(Error::new(Errno::EOPNOTSUPP, "Protodown not supported by device"));
    }
    if tell && device(kernel, dev)?.is_up() {
        kernel.netdev_event(dev, NetdevEvent::Change);
        kernel.notify_link(dev, DevFlags::empty());
    }
    Ok(())
}

/// What is refused before anything is changed.
fn check(kernel: &mut Kernel, dev: DevId, attrs: &Attributes<'_>) -> Result<()> {
    for kind in [IFLA_ADDRESS, IFLA_BROADCAST] {
        if let Some(address) = attrs.get(kind) {
            ethernet(&address)?;
        }
    }
    let info = &device(kernel, dev)?.info;
    let limits = [
        (IFLA_GSO_MAX_SIZE, info.tso_max_size.max(LEGACY_MAX_SIZE), "too big gso_max_size"),
        (IFLA_GSO_MAX_SEGS, MAX_SEGMENTS.max(info.tso_max_segs), "too big gso_max_segs"),
        (IFLA_GRO_MAX_SIZE, MAX_SIZE, "too big gro_max_size"),
        (IFLA_GSO_IPV4_MAX_SIZE, info.tso_max_size.max(LEGACY_MAX_SIZE), "too big gso_ipv4_max_size"),
        (IFLA_GRO_IPV4_MAX_SIZE, MAX_SIZE, "too big gro_ipv4_max_size"),
    ];
    for (kind, limit, message) in limits {
        if attrs.get(kind).is_some_and(|value| value.u32() > limit) {
            return Err(Error::new(Errno::EINVAL, message));
        }
    }
    Ok(())
}

/// Limits of offloaded segments.
const MAX_SIZE: u32 = 524_280;
const LEGACY_MAX_SIZE: u32 = 65_536;
const MAX_SEGMENTS: u32 = 65_535;

fn device(kernel: &mut Kernel, dev: DevId) -> Result<&mut crate::netdev::Device, Errno> {
    kernel.devices.get_mut(dev).ok_or(Errno::ENODEV)
}

/// A hardware address of a device; every kind here has Ethernet's length.
pub(super) fn ethernet(address: &Attr<'_>) -> Result<MacAddr, Errno> {
    if address.payload.len() < ETH_ALEN {
        return Err(Errno::EINVAL);
    }
    address.mac().ok_or(Errno::EINVAL)
}

/// Linux takes the flags as they are where the mask is empty, and else only those in the mask.
pub(super) fn combined_flags(current: DevFlags, info: &IfInfo) -> DevFlags {
    let wanted = DevFlags::from_bits_retain(info.flags);
    let mask = DevFlags::from_bits_retain(info.change);
    if mask.is_empty() { wanted } else { (wanted & mask) | (current & !mask) }
}

/// Puts a device into the bridge with that ifindex; 0: takes it out of the one it is in.
pub(super) fn set_master(kernel: &mut Kernel, dev: DevId, master: u32) -> Result<()> {
    let port = device(kernel, dev)?.port;
    let ns = device(kernel, dev)?.ns;
    if let Some(port) = port {
        if kernel.devices.get(port.bridge).is_some_and(|bridge| bridge.ifindex == master) {
            return Ok(());
        }
        crate::bridge::remove_port(kernel, dev);
    }
    if master == 0 {
        return Ok(());
    }
    let bridge = kernel.device_by_index(ns, master).ok_or(Errno::EINVAL)?;
    crate::bridge::set_master(kernel, dev, Some(bridge))
}

/// Whether the carrier is somebody's to set: not where a cable or ports make it.
fn can_set_carrier(device: &crate::netdev::Device) -> bool {
    matches!(device.kind, DevKind::Dummy | DevKind::Tun(_))
}

/// `IFLA_OPERSTATE`: programs that authenticate a link hold it dormant, and let it go up.
fn set_operstate(kernel: &mut Kernel, dev: DevId, state: u8) -> Result<(), Errno> {
    let device = device(kernel, dev)?;
    let current = device.info.operstate;
    let new = match state {
        OPER_UP if matches!(current, OperState::Dormant | OperState::Unknown) => OperState::Up,
        OPER_DORMANT if matches!(current, OperState::Up | OperState::Unknown) => OperState::Dormant,
        _ => current,
    };
    if new != current {
        device.info.operstate = new;
        if device.is_up() {
            kernel.netdev_event(dev, NetdevEvent::Change);
            kernel.notify_link(dev, DevFlags::empty());
        }
    }
    Ok(())
}

/// One family of `IFLA_AF_SPEC`.
fn set_family(kernel: &mut Kernel, dev: DevId, family: &Attr<'_>) -> Result<()> {
    match u8::try_from(family.kind) {
        Ok(AF_INET) => crate::ipv4::set_af_spec(kernel, dev, family),
        Ok(AF_INET6) => crate::ipv6::set_af_spec(kernel, dev, family),
        _ => Err(Errno::EAFNOSUPPORT.into()),
    }
}
