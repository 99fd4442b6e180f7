//! Which groups a device is in.

use std::net::Ipv6Addr;

use super::mld;
use super::{addr, anycast};
use crate::Kernel;
use crate::error::Errno;
use crate::netdev::DevFlags;
use crate::types::{DevId, MacAddr};

/// Every host on the link; nobody reports it.
pub(crate) const ALL_NODES: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);
/// Every host on the device alone.
const OWN_NODES: Ipv6Addr = Ipv6Addr::new(0xff01, 0, 0, 0, 0, 0, 0, 1);
/// Every router on the link.
pub(crate) const ALL_ROUTERS: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 2);
const OWN_ROUTERS: Ipv6Addr = Ipv6Addr::new(0xff01, 0, 0, 0, 0, 0, 0, 2);
const SITE_ROUTERS: Ipv6Addr = Ipv6Addr::new(0xff05, 0, 0, 0, 0, 0, 0, 2);

/// A group that a device is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Group {
    pub(crate) address: Ipv6Addr,
    pub(crate) users: u32,
}

impl Group {
    /// Whether routers hear of it.
    pub(super) fn is_reported(&self) -> bool {
        self.address != ALL_NODES && reaches_link(self.address)
    }

    /// The flags in `/proc/net/igmp6`: not reported, in the device's filter.
    pub(crate) fn shown_flags(&self) -> u32 {
        let silent = if self.is_reported() { 0 } else { 8 };
        silent | if reaches_link(self.address) { 4 } else { 0 }
    }
}

/// The group in which everybody is whose address ends like this one (RFC 4291, 2.7.1).
pub(crate) fn solicited_node(address: Ipv6Addr) -> Ipv6Addr {
    let [.., a, b, c] = address.octets();
    Ipv6Addr::from([0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, a, b, c])
}

/// A group's address on the link.
fn group_mac(group: Ipv6Addr) -> MacAddr {
    let [.., a, b, c, d] = group.octets();
    MacAddr([0x33, 0x33, a, b, c, d])
}

fn reaches_link(group: Ipv6Addr) -> bool {
    group.octets()[1] & 0xf >= 2
}

/// A device's groups, the newest first.
pub(crate) fn groups(kernel: &Kernel, dev: DevId) -> &[Group] {
    let interface = kernel.devices.get(dev).and_then(|device| device.ipv6.as_ref());
    interface.map(|interface| interface.groups.as_slice()).unwrap_or_default()
}

/// Whether a device is in a group.
#[inline]
pub(crate) fn is_member(kernel: &Kernel, dev: DevId, group: Ipv6Addr) -> bool {
    groups(kernel, dev).iter().any(|own| own.address == group)
}

/// The groups of a device that has just got IPv6.
pub(super) fn join_first(kernel: &mut Kernel, dev: DevId) {
    if let Some(interface) = kernel.devices.get_mut(dev).and_then(|device| device.ipv6.as_mut()) {
        interface.groups.reserve_exact(2);
    }
    let _ = join(kernel, dev, OWN_NODES);
    let _ = join(kernel, dev, ALL_NODES);
}

/// Joins a group on a device; each call is one user. `EINVAL`: no group; `ENODEV`: no such device, or one without IPv6.
pub(crate) fn join(kernel: &mut Kernel, dev: DevId, group: Ipv6Addr) -> Result<(), Errno> {
    if !group.is_multicast() {
        return Err(Errno::EINVAL);
    }
    let interface = kernel.devices.get_mut(dev).and_then(|device| device.ipv6.as_mut()).ok_or(Errno::ENODEV)?;
    if let Some(own) = interface.groups.iter_mut().find(|own| own.address == group) {
        own.users += 1;
        return Ok(());
    }
    let new = Group { address: group, users: 1 };
    interface.groups.insert(0, new);
    filter(kernel, dev, group, true);
    if new.is_reported() {
        mld::changed(kernel, dev, group, true);
    }
    Ok(())
}

/// Leaves it again. `EADDRNOTAVAIL`: the device isn't in it.
pub(crate) fn leave(kernel: &mut Kernel, dev: DevId, group: Ipv6Addr) -> Result<(), Errno> {
    let interface = kernel.devices.get_mut(dev).and_then(|device| device.ipv6.as_mut()).ok_or(Errno::ENODEV)?;
    let at = interface.groups.iter().position(|own| own.address == group).ok_or(Errno::EADDRNOTAVAIL)?;
    interface.groups[at].users -= 1;
    if interface.groups[at].users == 0 {
        let gone = interface.groups.remove(at);
        filter(kernel, dev, group, false);
        if gone.is_reported() {
            mld::changed(kernel, dev, group, false);
        }
    }
    Ok(())
}

/// The device's filter follows; `lo` has none.
fn filter(kernel: &mut Kernel, dev: DevId, group: Ipv6Addr, member: bool) {
    let loopback = kernel.devices.get(dev).is_none_or(|device| device.flags.contains(DevFlags::LOOPBACK));
    if loopback || !reaches_link(group) {
        return;
    }
    if member { kernel.add_multicast(dev, group_mac(group)) } else { kernel.remove_multicast(dev, group_mac(group)) }
}

/// Joins the group in which an address is asked for.
pub(super) fn join_solicited(kernel: &mut Kernel, dev: DevId, address: Ipv6Addr) {
    if has_solicited(kernel, dev) && !address.is_multicast() {
        let _ = join(kernel, dev, solicited_node(address));
    }
}

/// Leaves it.
pub(super) fn leave_solicited(kernel: &mut Kernel, dev: DevId, address: Ipv6Addr) {
    if has_solicited(kernel, dev) && !address.is_multicast() {
        let _ = leave(kernel, dev, solicited_node(address));
    }
}

fn has_solicited(kernel: &Kernel, dev: DevId) -> bool {
    let silent = DevFlags::LOOPBACK | DevFlags::NOARP;
    kernel.devices.get(dev).is_some_and(|device| !device.flags.intersects(silent))
}

/// Has the groups told of once more: the link may be another one.
pub(super) fn tell_all(kernel: &mut Kernel, dev: DevId) {
    for group in groups(kernel, dev).to_vec() {
        if group.is_reported() {
            mld::changed(kernel, dev, group.address, true);
        }
    }
}

/// A device without IPv6 is in no group.
pub(super) fn leave_all(kernel: &mut Kernel, dev: DevId) {
    let Some(interface) = kernel.devices.get_mut(dev).and_then(|device| device.ipv6.as_mut()) else { return };
    for group in std::mem::take(&mut interface.groups) {
        filter(kernel, dev, group.address, false);
    }
}

/// Routers are in groups of their own, and answer for whole networks.
pub(super) fn routers(kernel: &mut Kernel, dev: DevId, on: bool) {
    for group in [ALL_ROUTERS, OWN_ROUTERS, SITE_ROUTERS] {
        let _ = if on { join(kernel, dev, group) } else { leave(kernel, dev, group) };
    }
    if addr::link_local(kernel, dev, true).is_some() || !kernel.addresses6(dev).is_empty() {
        anycast::follow(kernel, dev);
    }
}
