//! TUN and TAP: devices whose cable ends at a program, which reads and writes packets (TUN) or frames (TAP) through a
//! descriptor of `/dev/net/tun`.
//!
//! A device is made, found again, made to stay and given away by ioctls on that descriptor, of which rtnetlink knows
//! nothing. Carrier is on exactly while a descriptor is attached. Descriptors don't carry packets yet: what a device
//! sends ends here.

use super::{DevKind, Profile};
use crate::Kernel;
use crate::drop_reason::DropReason;
use crate::error::{Errno, Result};
use crate::frame::Frame;
use crate::netdev::{DevFlags, Device, NameAssign, NewDevice};
use crate::rtnetlink::attr::Writer;
use crate::types::{DevId, IfName, NsId};

bitflags::bitflags! {
    /// `IFF_…` of `linux/if_tun.h`.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(crate) struct TunFlags: u16 {
        const TUN = 0x0001;
        const TAP = 0x0002;
        const NAPI = 0x0010;
        const NAPI_FRAGS = 0x0020;
        const MULTI_QUEUE = 0x0100;
        const PERSIST = 0x0800;
        /// No packet information in front of each packet. `TUNGETIFF` gives the same bit for "no filter".
        const NO_PI = 0x1000;
        const ONE_QUEUE = 0x2000;
        const VNET_HDR = 0x4000;
        /// Only a new device will do.
        const EXCL = 0x8000;
        const MODE = 0x0003;
        /// What a descriptor may choose each time it is attached.
        const FEATURES = 0x7130;
    }
}

/// How many queues a multi-queue device has.
const MULTI_QUEUES: u32 = 256;

/// A TUN or TAP device.
#[derive(Debug)]
pub(crate) struct Tun {
    pub(crate) flags: TunFlags,
    /// Who may attach to it, beside whoever may do anything.
    pub(crate) owner: Option<u32>,
    pub(crate) group: Option<u32>,
    /// How many descriptors are attached.
    pub(crate) queues: u32,
}

impl Tun {
    /// Whether it carries frames, not packets.
    pub(crate) fn is_tap(&self) -> bool {
        self.flags.contains(TunFlags::TAP)
    }

    pub(super) fn profile(&self) -> Profile {
        let tap = self.is_tap();
        let packets = DevFlags::POINTOPOINT | DevFlags::NOARP | DevFlags::MULTICAST;
        Profile {
            flags: if tap { DevFlags::BROADCAST | DevFlags::MULTICAST } else { packets },
            mtu: 1500,
            min_mtu: 68,
            max_mtu: if tap { 65_521 } else { 65_535 },
            queues: if self.flags.contains(TunFlags::MULTI_QUEUE) { MULTI_QUEUES } else { 1 },
            tso_max_size: 65_536,
            tx_queue_len: if tap { 1000 } else { 500 },
        }
    }

    /// `IFLA_INFO_DATA`, in Linux's order.
    pub(crate) fn fill_info(&self, out: &mut Writer) {
        const OWNER: u16 = 1;
        const GROUP: u16 = 2;
        const TYPE: u16 = 3;
        const PI: u16 = 4;
        const VNET_HDR: u16 = 5;
        const PERSIST: u16 = 6;
        const MULTI_QUEUE: u16 = 7;
        const NUM_QUEUES: u16 = 8;
        const NUM_DISABLED_QUEUES: u16 = 9;
        out.u8(TYPE, (self.flags & TunFlags::MODE).bits() as u8);
        if let Some(owner) = self.owner {
            out.u32(OWNER, owner);
        }
        if let Some(group) = self.group {
            out.u32(GROUP, group);
        }
        out.u8(PI, (!self.flags.contains(TunFlags::NO_PI)).into());
        out.u8(VNET_HDR, self.flags.contains(TunFlags::VNET_HDR).into());
        out.u8(PERSIST, self.flags.contains(TunFlags::PERSIST).into());
        let many = self.flags.contains(TunFlags::MULTI_QUEUE);
        out.u8(MULTI_QUEUE, many.into());
        if many {
            out.u32(NUM_QUEUES, self.queues);
            out.u32(NUM_DISABLED_QUEUES, 0);
        }
    }
}

impl Device {
    /// The TUN or TAP device that it is.
    pub(crate) fn tun(&self) -> Option<&Tun> {
        match &self.kind {
            DevKind::Tun(tun) => Some(tun),
            _ => None,
        }
    }

    fn tun_mut(&mut self) -> Option<&mut Tun> {
        match &mut self.kind {
            DevKind::Tun(tun) => Some(tun),
            _ => None,
        }
    }
}

/// What `TUNSETIFF` asks for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted<'a> {
    pub(crate) name: &'a str,
    pub(crate) flags: TunFlags,
    /// The ifindex of a new device, from `TUNSETIFINDEX`.
    pub(crate) ifindex: Option<u32>,
}

/// Attaches a descriptor to the device of that name, which is made if there is none.
///
/// `EINVAL`: another kind of device has the name, or the modes differ, or the name can't be one. `EBUSY`: a descriptor
/// is attached already, or only a new device would do. `EEXIST`: the name is another device's alternative one.
pub(crate) fn attach(kernel: &mut Kernel, ns: NsId, wanted: Wanted<'_>) -> Result<DevId, Errno> {
    let flags = wanted.flags;
    if flags.contains(TunFlags::NAPI_FRAGS) && !flags.contains(TunFlags::NAPI | TunFlags::TAP) {
        return Err(Errno::EINVAL);
    }
    let netns = kernel.namespaces.get(ns).ok_or(Errno::EINVAL)?;
    let found = netns.device_by_name(wanted.name).filter(|dev| kernel.devices[*dev].name.as_str() == wanted.name);
    let dev = match found {
        Some(dev) => attach_again(kernel, dev, flags).map(|()| dev)?,
        None => create(kernel, ns, wanted)?,
    };
    let Some(tun) = kernel.devices[dev].tun_mut() else { return Err(Errno::EINVAL) };
    tun.flags = (tun.flags & !TunFlags::FEATURES) | (flags & TunFlags::FEATURES);
    tun.queues += 1;
    kernel.set_carrier(dev, true);
    Ok(dev)
}

fn attach_again(kernel: &Kernel, dev: DevId, flags: TunFlags) -> Result<(), Errno> {
    if flags.contains(TunFlags::EXCL) {
        return Err(Errno::EBUSY);
    }
    let tun = kernel.devices[dev].tun().ok_or(Errno::EINVAL)?;
    if !flags.contains(tun.flags & TunFlags::MODE) || (flags ^ tun.flags).contains(TunFlags::MULTI_QUEUE) {
        return Err(Errno::EINVAL);
    }
    let most = if tun.flags.contains(TunFlags::MULTI_QUEUE) { MULTI_QUEUES } else { 1 };
    match tun.queues {
        queues if queues < most => Ok(()),
        _ if most == 1 => Err(Errno::EBUSY),
        _ => Err(Errno::E2BIG),
    }
}

fn create(kernel: &mut Kernel, ns: NsId, wanted: Wanted<'_>) -> Result<DevId, Errno> {
    // Both at once is a TUN.
    let (mode, pattern) = match wanted.flags {
        flags if flags.contains(TunFlags::TUN) => (TunFlags::TUN, "tun%d"),
        flags if flags.contains(TunFlags::TAP) => (TunFlags::TAP, "tap%d"),
        _ => return Err(Errno::EINVAL),
    };
    let name = if wanted.name.is_empty() { pattern } else { wanted.name };
    if wanted.ifindex.is_some_and(|index| kernel.namespaces[ns].by_index.get(index).is_some()) {
        return Err(Errno::EBUSY);
    }
    let name: IfName = kernel.resolve_name(ns, name)?;
    let new = NewDevice { ifindex: wanted.ifindex, name_assign: NameAssign::Unknown, ..NewDevice::named(name) };
    let flags = mode | (wanted.flags & TunFlags::FEATURES);
    let tun = Tun { flags, owner: None, group: None, queues: 0 };
    let dev = kernel.register_device(ns, new, DevKind::Tun(Box::new(tun)))?;
    kernel.notify_link(dev, DevFlags::all());
    Ok(dev)
}

/// A descriptor is closed: the last one takes the carrier along, and a device that is not to stay.
pub(crate) fn detach(kernel: &mut Kernel, dev: DevId) {
    let Some(tun) = kernel.devices.get_mut(dev).and_then(Device::tun_mut) else { return };
    tun.queues = tun.queues.saturating_sub(1);
    let (last, stays) = (tun.queues == 0, tun.flags.contains(TunFlags::PERSIST));
    if last {
        kernel.set_carrier(dev, false);
        if !stays {
            kernel.unregister_device(dev);
        }
    }
}

/// Has a device stay without a descriptor, or not.
pub(crate) fn set_persist(kernel: &mut Kernel, dev: DevId, stays: bool) -> Result<(), Errno> {
    change(kernel, dev, |tun| tun.flags.set(TunFlags::PERSIST, stays))
}

/// Gives a device to a user. `EINVAL`: no user has that number.
pub(crate) fn set_owner(kernel: &mut Kernel, dev: DevId, user: u32) -> Result<(), Errno> {
    let user = valid_id(user)?;
    change(kernel, dev, |tun| tun.owner = Some(user))
}

/// Gives a device to a group.
pub(crate) fn set_group(kernel: &mut Kernel, dev: DevId, group: u32) -> Result<(), Errno> {
    let group = valid_id(group)?;
    change(kernel, dev, |tun| tun.group = Some(group))
}

fn valid_id(id: u32) -> Result<u32, Errno> {
    if id == u32::MAX { Err(Errno::EINVAL) } else { Ok(id) }
}

fn change(kernel: &mut Kernel, dev: DevId, change: impl FnOnce(&mut Tun)) -> Result<(), Errno> {
    change(kernel.devices.get_mut(dev).and_then(Device::tun_mut).ok_or(Errno::EBADFD)?);
    Ok(())
}

/// Nobody takes it. Without a carrier Linux's queue drops it, and says so to nobody.
pub(super) fn transmit(kernel: &mut Kernel, dev: DevId, frame: Frame) -> Result<(), DropReason> {
    kernel.devices[dev].info.incidents.tx_dropped += 1;
    kernel.drop_frame(frame, DropReason::QdiscDrop);
    Ok(())
}
