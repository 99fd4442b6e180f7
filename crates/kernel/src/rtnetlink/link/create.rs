//! `RTM_NEWLINK`: new devices, and changes of those that are there.

use super::super::attr::Attributes;
use super::super::dispatch::{Answer, Request};
use super::super::target;
use super::super::uapi::*;
use super::{IfInfo, LinkInfo, change, macvlan, name_of, veth};
use crate::Kernel;
use crate::bridge::Bridge;
use crate::drivers::{DevKind, Veth};
use crate::error::{Errno, Error, Result};
use crate::netdev::{DevFlags, NameAssign, NewDevice};
use crate::types::{DevId, IfName, NsId};

/// The kinds of device that there are.
pub(super) const KINDS: &[&str] = &["veth", "bridge", "dummy", "tun", "macvlan"];

/// How many queues a device may have.
const QUEUES: std::ops::RangeInclusive<u32> = 1..=4096;

/// Changes the device that is named, or makes one.
pub(in crate::rtnetlink) fn new_link(kernel: &mut Kernel, request: &Request<'_>) -> Result<Answer> {
    let (info, attrs) = IfInfo::of(request)?;
    if info.index < 0 {
        return Err(Error::new(Errno::EINVAL, "ifindex can't be negative"));
    }
    let name = name_of(&attrs)?;
    // What the kind refuses is said before that the name is taken.
    validate(kernel, &attrs)?;
    // A new device's name is looked for where it is to be.
    let ns = match target::destination(kernel, request, &attrs)? {
        Some(target) if request.has(NLM_F_CREATE) => target,
        _ => request.ns,
    };
    let netns = kernel.namespaces.get(ns).ok_or(Errno::EINVAL)?;
    let existing = match (info.index, name) {
        (1.., _) => netns.device_by_index(info.index as u32),
        (_, Some(name)) => netns.device_by_name(name),
        _ => None,
    };
    if let Some(dev) = existing {
        change::change_existing(kernel, request, dev, &info, &attrs)?;
    } else if request.has(NLM_F_CREATE) {
        create(kernel, request, &info, &attrs)?;
    } else {
        let group = attrs.get(IFLA_GROUP).filter(|_| info.index == 0 && name.is_none()).ok_or(Errno::ENODEV)?;
        change_group(kernel, request, group.u32(), &info, &attrs)?;
    }
    Ok(Answer::Done)
}

/// What a kind of device says about an address and an MTU, whether the device is there or not.
fn validate(kernel: &Kernel, attrs: &Attributes<'_>) -> Result<()> {
    let kind = match LinkInfo::of(attrs)?.kind {
        Some("veth") => DevKind::Veth(Veth::default()),
        Some("bridge") => DevKind::Bridge(Box::<Bridge>::default()),
        Some("dummy") => DevKind::Dummy,
        Some("macvlan") => DevKind::Macvlan(Default::default()),
        Some("tun") => {
            return Err(Error::new(Errno::EOPNOTSUPP, "tun/tap creation via rtnetlink is not supported."));
        }
        _ => return Ok(()),
    };
    check(kernel, &kind, attrs)?;
    match (&kind, LinkInfo::of(attrs)?.data) {
        (DevKind::Veth(_), Some(data)) => veth::validate_peer(kernel, &kind, data),
        _ => Ok(()),
    }
}

/// Changes every device of a group.
fn change_group(
    kernel: &mut Kernel,
    request: &Request<'_>,
    group: u32,
    info: &IfInfo,
    attrs: &Attributes<'_>,
) -> Result<()> {
    let netns = kernel.namespaces.get(request.ns).ok_or(Errno::EINVAL)?;
    let in_group = |dev: &DevId| kernel.devices.get(*dev).is_some_and(|device| device.info.group == group);
    for dev in netns.devices().filter(in_group).collect::<Vec<_>>() {
        change::change(kernel, request, dev, info, attrs)?;
    }
    Ok(())
}

/// What a new device is to be like, and where; its name is still to be chosen.
pub(super) struct Plan<'a> {
    ns: NsId,
    pub(super) info: IfInfo,
    pub(super) name: Option<&'a str>,
    pub(super) new: NewDevice,
}

impl<'a> Plan<'a> {
    /// Reads a plan from a request's attributes.
    pub(super) fn of(ns: NsId, info: IfInfo, attrs: &Attributes<'a>) -> Result<Plan<'a>> {
        let count = |kind: u16, message: &'static str| match attrs.get(kind).map(|count| count.u32()) {
            Some(count) if !QUEUES.contains(&count) => Err(Error::new(Errno::EINVAL, message)),
            count => Ok(count),
        };
        let mut new = NewDevice::named(IfName::UNNAMED);
        new.tx_queues = count(IFLA_NUM_TX_QUEUES, "Invalid number of transmit queues")?;
        new.rx_queues = count(IFLA_NUM_RX_QUEUES, "Invalid number of receive queues")?;
        new.ifindex = u32::try_from(info.index).ok().filter(|index| *index > 0);
        new.address = attrs.get(IFLA_ADDRESS).map(|address| change::ethernet(&address)).transpose()?;
        new.broadcast = attrs.get(IFLA_BROADCAST).map(|address| change::ethernet(&address)).transpose()?;
        new.mtu = attrs.get(IFLA_MTU).map(|mtu| mtu.u32());
        new.tx_queue_len = attrs.get(IFLA_TXQLEN).map(|length| length.u32());
        new.group = attrs.get(IFLA_GROUP).map_or(0, |group| group.u32());
        let name = match attrs.get(IFLA_IFNAME) {
            Some(name) => Some(name.text().ok_or(Errno::EINVAL)?).filter(|name| !name.is_empty()),
            None => None,
        };
        Ok(Plan { ns, info, name, new })
    }

    /// Chooses the name: the one that was asked for, or one after the pattern.
    pub(super) fn resolve(mut self, kernel: &mut Kernel, pattern: &str) -> Result<(NsId, NewDevice)> {
        if self.new.ifindex.is_some_and(|index| kernel.namespaces[self.ns].by_index.get(index).is_some()) {
            return Err(Errno::EBUSY.into());
        }
        self.new.name = kernel.resolve_name(self.ns, self.name.unwrap_or(pattern))?;
        self.new.name_assign = if self.name.is_some() { NameAssign::User } else { NameAssign::Enumerated };
        Ok((self.ns, self.new))
    }
}

/// Refuses what no device of that kind can be, before anything is made.
pub(super) fn check(kernel: &Kernel, kind: &DevKind, attrs: &Attributes<'_>) -> Result<()> {
    let profile = kind.profile(kernel.config.cpus);
    let address = attrs.get(IFLA_ADDRESS).map(|address| change::ethernet(&address)).transpose()?;
    if address.is_some_and(|address| !address.is_valid_unicast()) {
        return Err(Errno::EADDRNOTAVAIL.into());
    }
    match attrs.get(IFLA_MTU).map(|mtu| mtu.u32()) {
        Some(mtu) if mtu < profile.min_mtu || (profile.max_mtu > 0 && mtu > profile.max_mtu) => {
            Err(Errno::EINVAL.into())
        }
        _ => Ok(()),
    }
}

fn create(kernel: &mut Kernel, request: &Request<'_>, info: &IfInfo, attrs: &Attributes<'_>) -> Result<()> {
    let link_info = LinkInfo::of(attrs)?;
    let target = target::destination(kernel, request, attrs)?.unwrap_or(request.ns);
    if let Some(nsid) = attrs.get(IFLA_LINK_NETNSID) {
        target::by_nsid(kernel, request.ns, nsid.i32())
            .ok_or(Error::new(Errno::EINVAL, "Unknown network namespace id"))?;
    }
    let dev = match link_info.kind {
        _ if attrs.get(IFLA_MAP).is_some() || attrs.get(IFLA_PROTINFO).is_some() => {
            return Err(Errno::EOPNOTSUPP.into());
        }
        Some("veth") => veth::create(kernel, request, target, info, attrs, link_info.data)?,
        Some("bridge") => bridge(kernel, target, info, attrs, &link_info)?,
        Some("macvlan") => macvlan::create(kernel, request, target, info, attrs, link_info.data)?,
        Some("dummy") => {
            let (ns, new) = Plan::of(target, *info, attrs)?.resolve(kernel, "dummy%d")?;
            let dev = kernel.register_device(ns, new, DevKind::Dummy)?;
            configure(kernel, dev, info)?;
            dev
        }
        _ => return Err(Error::new(Errno::EOPNOTSUPP, "Unknown device type")),
    };
    if let Some(master) = attrs.get(IFLA_MASTER) {
        change::set_master(kernel, dev, master.u32()).inspect_err(|_| kernel.unregister_device(dev))?;
    }
    Ok(())
}

fn bridge(
    kernel: &mut Kernel,
    ns: NsId,
    info: &IfInfo,
    attrs: &Attributes<'_>,
    link_info: &LinkInfo<'_>,
) -> Result<DevId> {
    let (ns, new) = Plan::of(ns, *info, attrs)?.resolve(kernel, "bridge%d")?;
    let address = new.address;
    let dev = kernel.register_device(ns, new, DevKind::Bridge(Box::<Bridge>::default()))?;
    if let Some(address) = address {
        crate::bridge::address_set_by_hand(kernel, dev, address);
    }
    if let Some(data) = link_info.data {
        crate::bridge::netlink::change(kernel, dev, data).inspect_err(|_| kernel.unregister_device(dev))?;
    }
    configure(kernel, dev, info)?;
    Ok(dev)
}

/// The flags that a new device is to have; then everybody is told of it.
pub(super) fn configure(kernel: &mut Kernel, dev: DevId, info: &IfInfo) -> Result<()> {
    if info.flags != 0 || info.change != 0 {
        let device = kernel.devices.get(dev).ok_or(Errno::ENODEV)?;
        let wanted = change::combined_flags(device.visible_flags(), info);
        kernel.change_flags(dev, wanted)?;
    }
    kernel.notify_link(dev, DevFlags::all());
    Ok(())
}
