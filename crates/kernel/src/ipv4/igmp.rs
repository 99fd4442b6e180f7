//! Which groups a device is in (RFC 3376), and telling the routers of it.

use std::net::Ipv4Addr;
use std::time::Duration;

use super::header::protocol;
use super::{Flow, Outgoing, internet_checksum, output, scope, select_source};
use crate::Kernel;
use crate::error::Errno;
use crate::netdev::DevFlags;
use crate::types::{DevId, Instant, MacAddr, NsId};

/// Every host is in it, and nobody reports it.
pub(crate) const ALL_HOSTS: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 1);
/// Where reports of version 3 go.
const ALL_ROUTERS_V3: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 22);
/// Router alert (RFC 2113).
const ROUTER_ALERT: [u8; 4] = [0x94, 4, 0, 0];
/// Membership report, version 3.
const REPORT: u8 = 0x22;
/// Records: the group is listened to from now on, or no longer.
const TO_INCLUDE: u8 = 3;
const TO_EXCLUDE: u8 = 4;

/// A group that a device is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Group {
    pub(crate) address: Ipv4Addr,
    pub(crate) users: u32,
    /// Whether the device's filter has it.
    listening: bool,
}

/// The groups of a device, the newest first, and what is still to be told of them.
#[derive(Debug, Default)]
pub(crate) struct Groups {
    pub(crate) list: Vec<Group>,
    reports: Vec<Report>,
}

#[derive(Clone, Copy, Debug)]
struct Report {
    group: Ipv4Addr,
    record: u8,
    due: Instant,
    left: i32,
}

/// A group's address on the link.
fn group_mac(group: Ipv4Addr) -> MacAddr {
    let [_, b, c, d] = group.octets();
    MacAddr([0x01, 0x00, 0x5e, b & 0x7f, c, d])
}

/// Whether a device is in a group.
#[inline]
pub(crate) fn is_member(kernel: &Kernel, dev: DevId, group: Ipv4Addr) -> bool {
    group == ALL_HOSTS || groups(kernel, dev).iter().any(|member| member.address == group)
}

/// Has the device receive a group's frames, or no longer. `lo` has no filter for them.
fn listen(kernel: &mut Kernel, dev: DevId, group: Ipv4Addr, on: bool) {
    let Some(device) = kernel.devices.get_mut(dev) else { return };
    let loopback = device.flags.contains(DevFlags::LOOPBACK);
    let Some(interface) = device.ipv4.as_mut() else { return };
    let Some(member) = interface.groups.list.iter_mut().find(|member| member.address == group) else { return };
    if member.listening == on || loopback {
        return;
    }
    member.listening = on;
    if on { kernel.add_multicast(dev, group_mac(group)) } else { kernel.remove_multicast(dev, group_mac(group)) }
}

/// A device's groups, the newest first, as `/proc/net/igmp` lists them.
pub(crate) fn groups(kernel: &Kernel, dev: DevId) -> &[Group] {
    let interface = kernel.devices.get(dev).and_then(|device| device.ipv4.as_ref());
    interface.map(|interface| interface.groups.list.as_slice()).unwrap_or_default()
}

/// A device that goes up is in the group of all hosts, and in its other ones again.
pub(super) fn join_all_hosts(kernel: &mut Kernel, dev: DevId) {
    if kernel.devices.get(dev).is_some_and(|device| device.flags.contains(DevFlags::MULTICAST | DevFlags::UP))
        || kernel.devices.get(dev).is_some_and(|device| device.flags.contains(DevFlags::LOOPBACK))
    {
        let others: Vec<Ipv4Addr> = groups(kernel, dev).iter().map(|group| group.address).collect();
        for group in others.into_iter().rev().filter(|group| *group != ALL_HOSTS) {
            listen(kernel, dev, group, true);
            announce(kernel, dev, group, TO_EXCLUDE);
        }
        let _ = join(kernel, dev, ALL_HOSTS);
    }
}

/// A device that goes down is in no group; those that somebody joined come back with it.
pub(super) fn leave_all(kernel: &mut Kernel, dev: DevId) {
    let all: Vec<Ipv4Addr> = groups(kernel, dev).iter().map(|group| group.address).collect();
    if !all.contains(&ALL_HOSTS) {
        return;
    }
    for group in all {
        listen(kernel, dev, group, false);
    }
    if let Some(interface) = kernel.devices.get_mut(dev).and_then(|device| device.ipv4.as_mut()) {
        interface.groups.list.retain(|group| group.address != ALL_HOSTS);
        interface.groups.reports.clear();
    }
}

/// Joins a group on a device; each call is one user. `EINVAL`: no group; `ENODEV`: no such device, or one without IPv4.
pub(crate) fn join(kernel: &mut Kernel, dev: DevId, group: Ipv4Addr) -> Result<(), Errno> {
    if !group.is_multicast() {
        return Err(Errno::EINVAL);
    }
    let interface = kernel.devices.get_mut(dev).and_then(|device| device.ipv4.as_mut()).ok_or(Errno::ENODEV)?;
    if let Some(member) = interface.groups.list.iter_mut().find(|member| member.address == group) {
        member.users += 1;
        return Ok(());
    }
    interface.groups.list.insert(0, Group { address: group, users: 1, listening: false });
    listen(kernel, dev, group, true);
    if kernel.devices.get(dev).is_some_and(|device| device.is_up()) {
        announce(kernel, dev, group, TO_EXCLUDE);
    }
    Ok(())
}

/// Leaves it again. `EADDRNOTAVAIL`: the device isn't in it.
pub(crate) fn leave(kernel: &mut Kernel, dev: DevId, group: Ipv4Addr) -> Result<(), Errno> {
    let interface = kernel.devices.get_mut(dev).and_then(|device| device.ipv4.as_mut()).ok_or(Errno::ENODEV)?;
    let list = &mut interface.groups.list;
    let at = list.iter().position(|member| member.address == group).ok_or(Errno::EADDRNOTAVAIL)?;
    list[at].users -= 1;
    if list[at].users == 0 {
        listen(kernel, dev, group, false);
        if let Some(interface) = kernel.devices.get_mut(dev).and_then(|device| device.ipv4.as_mut()) {
            interface.groups.list.retain(|member| member.address != group);
        }
        if kernel.devices.get(dev).is_some_and(|device| device.is_up()) {
            announce(kernel, dev, group, TO_INCLUDE);
        }
    }
    Ok(())
}

/// Has a change reported: some random time from now, and once more.
fn announce(kernel: &mut Kernel, dev: DevId, group: Ipv4Addr, record: u8) {
    let Some(device) = kernel.devices.get(dev) else { return };
    let ns = device.ns;
    if group == ALL_HOSTS || device.flags.contains(DevFlags::LOOPBACK) {
        return;
    }
    let settings = &kernel.namespaces[ns].ipv4.settings;
    let left = settings.igmp_qrv.max(1);
    if group.octets()[..3] == [224, 0, 0] && settings.igmp_link_local_mcast_reports == 0 {
        return;
    }
    let due = kernel.now + Duration::from_millis(kernel.rng.u64(1..1_000));
    if let Some(interface) = kernel.devices.get_mut(dev).and_then(|device| device.ipv4.as_mut()) {
        interface.groups.reports.retain(|report| report.group != group);
        interface.groups.reports.push(Report { group, record, due, left });
    }
    schedule(kernel, ns);
}

fn schedule(kernel: &mut Kernel, ns: NsId) {
    let Some(netns) = kernel.namespaces.get(ns) else { return };
    let interfaces = netns.devices().filter_map(|dev| kernel.devices.get(dev)?.ipv4.as_ref());
    let first = interfaces.flat_map(|interface| &interface.groups.reports).map(|report| report.due).min();
    if let Some(first) = first {
        super::set_timer(kernel, ns, first, super::What::Reports);
    }
}

/// Sends the reports that are due.
pub(super) fn report(kernel: &mut Kernel, ns: NsId) {
    let now = kernel.now;
    let Some(netns) = kernel.namespaces.get(ns) else { return };
    let devices: Vec<DevId> = netns.devices().collect();
    for dev in devices {
        let again = Duration::from_millis(kernel.rng.u64(1..1_000));
        let Some(interface) = kernel.devices.get_mut(dev).and_then(|device| device.ipv4.as_mut()) else { continue };
        let mut records = Vec::new();
        for report in interface.groups.reports.iter_mut().filter(|report| report.due <= now) {
            records.push((report.record, report.group));
            report.left -= 1;
            report.due = now + again;
        }
        interface.groups.reports.retain(|report| report.left > 0);
        if !records.is_empty() {
            send_report(kernel, ns, dev, &records);
        }
    }
    schedule(kernel, ns);
}

fn send_report(kernel: &mut Kernel, ns: NsId, dev: DevId, records: &[(u8, Ipv4Addr)]) {
    let flow = Flow { oif: Some(dev), ..Flow::to(ALL_ROUTERS_V3) };
    let Ok(mut route) = super::lookup(kernel, ns, &flow) else { return };
    route.source = select_source(kernel, dev, None, scope::LINK);
    let mut message = vec![REPORT, 0, 0, 0, 0, 0];
    message.extend((records.len() as u16).to_be_bytes());
    for (record, group) in records {
        message.extend([*record, 0, 0, 0]);
        message.extend(group.octets());
    }
    let checksum = internet_checksum(&message);
    message[2..4].copy_from_slice(&checksum.to_be_bytes());
    let out = Outgoing {
        source: route.source,
        destination: ALL_ROUTERS_V3,
        protocol: protocol::IGMP,
        tos: 0xc0,
        ttl: 1,
        dont_fragment: true,
        options: &ROUTER_ALERT,
        head: None,
        payload: &message,
    };
    let _ = output::send(kernel, ns, out, route);
}
