//! MACVLAN: several devices with addresses of their own on one device below, the lower device.
//!
//! Frames that the lower device receives go to the macvlan with their destination address, group frames to each that
//! listens; what a macvlan sends leaves through the lower device. Between macvlans of one lower device frames pass
//! directly where both are in bridge mode; in VEPA mode a switch outside has to send them back; private ones never
//! meet; a passthru macvlan has the lower device for itself, address and all.

use super::{ARPHRD_ETHER, DevKind, Profile};
use crate::Kernel;
use crate::drop_reason::DropReason;
use crate::error::{Errno, Error, Result};
use crate::frame::{Frame, PacketType};
use crate::netdev::{DevFlags, Device, NetdevEvent, NewDevice};
use crate::types::{DevId, MacAddr, NsId};

/// Who may speak to whom. Numbers are Linux's `MACVLAN_MODE_…`, each a bit of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Mode {
    Private = 1,
    #[default]
    Vepa = 2,
    Bridge = 4,
    Passthru = 8,
}

impl Mode {
    /// `EINVAL`: there is none of that number. `EOPNOTSUPP`: a list of sources is nothing that we keep.
    pub(crate) fn from_number(number: u32) -> Result<Mode> {
        match number {
            1 => Ok(Mode::Private),
            2 => Ok(Mode::Vepa),
            4 => Ok(Mode::Bridge),
            8 => Ok(Mode::Passthru),
            16 => Err(Error::new(Errno::EOPNOTSUPP, "macvlan: source mode is not supported")),
            _ => Err(Errno::EINVAL.into()),
        }
    }
}

/// `MACVLAN_FLAG_NOPROMISC`: a passthru macvlan leaves the lower device's mode alone.
const NOPROMISC: u16 = 1;
/// `MACVLAN_FLAG_NODST`.
const NODST: u16 = 2;

/// Room for group frames that wait to be handed around.
const QUEUE_LENGTH: u32 = 1000;

/// A macvlan.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Macvlan {
    /// The device below.
    pub(crate) lower: DevId,
    pub(crate) mode: Mode,
    pub(crate) flags: u16,
    /// `IFLA_MACVLAN_BC_QUEUE_LEN`.
    pub(crate) queue_length: u32,
}

/// What a request says about a macvlan.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Settings {
    pub(crate) mode: Option<Mode>,
    pub(crate) flags: Option<u16>,
    pub(crate) queue_length: Option<u32>,
}

/// A lower device's side.
#[derive(Debug, Default)]
pub(crate) struct Lower {
    /// Its macvlans, oldest first.
    pub(crate) devices: Vec<DevId>,
    /// Those that are up, by address.
    open: Vec<(MacAddr, DevId)>,
    passthru: bool,
}

pub(super) fn profile() -> Profile {
    Profile {
        flags: DevFlags::BROADCAST | DevFlags::MULTICAST,
        mtu: 1500,
        min_mtu: 68,
        max_mtu: 65_535,
        queues: 1,
        tso_max_size: 524_280,
        tx_queue_len: 1000,
    }
}

impl Device {
    /// The macvlan that it is.
    pub(crate) fn macvlan(&self) -> Option<Macvlan> {
        match &self.kind {
            DevKind::Macvlan(macvlan) => Some(*macvlan),
            _ => None,
        }
    }

    fn hears(&self, group: MacAddr) -> bool {
        group == self.broadcast
            || self.flags.intersects(DevFlags::PROMISC | DevFlags::ALLMULTI)
            || self.info.multicast_filter.iter().any(|entry| entry.address == group)
    }
}

fn settings(kernel: &mut Kernel, dev: DevId) -> Option<&mut Macvlan> {
    match kernel.devices.get_mut(dev).map(|device| &mut device.kind) {
        Some(DevKind::Macvlan(macvlan)) => Some(macvlan),
        _ => None,
    }
}

fn flags_are_known(flags: Option<u16>) -> Result<(), Errno> {
    if flags.is_some_and(|flags| flags & !(NOPROMISC | NODST) != 0) { Err(Errno::EINVAL) } else { Ok(()) }
}

/// Makes a macvlan on `below`, or on the device below that one where it is a macvlan itself.
///
/// `EINVAL`: not an Ethernet device, an MTU above its own, or somebody has it for himself. `EBUSY`: it is a bridge port.
/// `EMLINK`: too many devices on top of each other.
pub(crate) fn create(kernel: &mut Kernel, ns: NsId, new: NewDevice, below: DevId, wanted: Settings) -> Result<DevId> {
    flags_are_known(wanted.flags)?;
    let below = kernel.devices.get(below).ok_or(Errno::ENODEV)?.macvlan().map_or(below, |macvlan| macvlan.lower);
    let lower = kernel.devices.get(below).ok_or(Errno::ENODEV)?;
    if new.mtu.is_some_and(|mtu| mtu > lower.mtu) {
        return Err(Errno::EINVAL.into());
    }
    if lower.kind.hardware_type() != ARPHRD_ETHER || lower.flags.contains(DevFlags::LOOPBACK) {
        return Err(Errno::EINVAL.into());
    }
    if lower.port.is_some() {
        return Err(Errno::EBUSY.into());
    }
    let mode = wanted.mode.unwrap_or(Mode::Vepa);
    let others = lower.macvlans.as_ref();
    if others.is_some_and(|others| others.passthru || mode == Mode::Passthru) {
        return Err(Errno::EINVAL.into());
    }
    let (mtu, carrier) = (lower.mtu, lower.carrier);
    let segments = (lower.info.tso_max_size, lower.info.tso_max_segs);
    let inherited = (mode == Mode::Passthru).then_some((lower.address, lower.info.addr_assign));
    kernel.may_nest(below, None)?;

    let macvlan = Macvlan {
        lower: below,
        mode,
        flags: wanted.flags.unwrap_or(0),
        queue_length: wanted.queue_length.unwrap_or(QUEUE_LENGTH),
    };
    let new = NewDevice { mtu: Some(new.mtu.unwrap_or(mtu)), ..new };
    let dev = kernel.register_device(ns, new, DevKind::Macvlan(macvlan))?;
    let device = &mut kernel.devices[dev];
    (device.info.tso_max_size, device.info.tso_max_segs) = segments;
    if let Some((address, assigned)) = inherited {
        device.address = address;
        device.info.addr_assign = assigned;
    }
    let lower = kernel.devices[below].macvlans.get_or_insert_default();
    lower.devices.push(dev);
    lower.passthru = mode == Mode::Passthru;
    kernel.set_carrier(dev, carrier);
    kernel.link_event(dev);
    kernel.notify_link(below, DevFlags::empty());
    Ok(dev)
}

/// Changes what a request says. `EINVAL`: nobody becomes the only one afterwards, nor stops being it.
pub(crate) fn change(kernel: &mut Kernel, dev: DevId, wanted: Settings) -> Result<()> {
    flags_are_known(wanted.flags)?;
    let macvlan = settings(kernel, dev).ok_or(Errno::EOPNOTSUPP)?;
    let mode = wanted.mode.unwrap_or(macvlan.mode);
    if (mode == Mode::Passthru) != (macvlan.mode == Mode::Passthru) {
        return Err(Errno::EINVAL.into());
    }
    macvlan.mode = mode;
    macvlan.flags = wanted.flags.unwrap_or(macvlan.flags);
    macvlan.queue_length = wanted.queue_length.unwrap_or(macvlan.queue_length);
    Ok(())
}

/// The longest queue that any macvlan of the lower device asked for.
pub(crate) fn used_queue_length(kernel: &Kernel, macvlan: Macvlan) -> u32 {
    let lower = kernel.devices.get(macvlan.lower).and_then(|lower| lower.macvlans.as_ref());
    let all = lower.into_iter().flat_map(|lower| &lower.devices).filter_map(|dev| kernel.devices.get(*dev)?.macvlan());
    all.map(|macvlan| macvlan.queue_length).max().unwrap_or(macvlan.queue_length)
}

/// A macvlan that goes away leaves its lower device first.
pub(crate) fn unlink(kernel: &mut Kernel, dev: DevId) {
    let Some(below) = kernel.devices.get(dev).and_then(Device::macvlan).map(|macvlan| macvlan.lower) else { return };
    kernel.notify_link(below, DevFlags::empty());
}

/// It is gone.
pub(crate) fn forget(kernel: &mut Kernel, below: DevId, dev: DevId) {
    let Some(device) = kernel.devices.get_mut(below) else { return };
    let Some(lower) = &mut device.macvlans else { return };
    lower.devices.retain(|other| *other != dev);
    if lower.devices.is_empty() {
        device.macvlans = None;
    }
}

/// Whether nobody else at this lower device may have the address.
fn is_taken(kernel: &Kernel, macvlan: Macvlan, address: MacAddr) -> bool {
    let Some(lower) = kernel.devices.get(macvlan.lower) else { return false };
    let others = lower.macvlans.as_ref();
    (macvlan.mode != Mode::Passthru && lower.address == address)
        || others.is_some_and(|others| others.open.iter().any(|(open, _)| *open == address))
}

/// `EADDRINUSE`: the lower device or another macvlan on it has the address.
pub(super) fn open(kernel: &mut Kernel, dev: DevId) -> Result<()> {
    let device = &kernel.devices[dev];
    let Some(macvlan) = device.macvlan() else { return Ok(()) };
    let address = device.address;
    if is_taken(kernel, macvlan, address) {
        return Err(Errno::EADDRINUSE.into());
    }
    if let Some(lower) = kernel.devices.get_mut(macvlan.lower).and_then(|lower| lower.macvlans.as_mut()) {
        lower.open.push((address, dev));
    }
    attend(kernel, dev, macvlan, 1);
    Ok(())
}

pub(super) fn close(kernel: &mut Kernel, dev: DevId) {
    let Some(macvlan) = kernel.devices[dev].macvlan() else { return };
    attend(kernel, dev, macvlan, -1);
    if let Some(lower) = kernel.devices.get_mut(macvlan.lower).and_then(|lower| lower.macvlans.as_mut()) {
        lower.open.retain(|(_, open)| *open != dev);
    }
}

/// Has the lower device receive what a macvlan that goes up wants, and no longer when it goes down (`change` -1).
fn attend(kernel: &mut Kernel, dev: DevId, macvlan: Macvlan, change: i32) {
    let device = &kernel.devices[dev];
    let (address, flags) = (device.address, device.flags);
    let groups: Vec<MacAddr> = device.info.multicast_filter.iter().map(|entry| entry.address).collect();
    let below = macvlan.lower;
    if macvlan.mode == Mode::Passthru {
        if macvlan.flags & NOPROMISC == 0 {
            kernel.add_promiscuity(below, change);
        }
    } else {
        if change > 0 {
            kernel.add_unicast(below, address)
        } else {
            kernel.remove_unicast(below, address)
        }
        if flags.contains(DevFlags::ALLMULTI) {
            kernel.add_allmulti(below, change);
        }
        if flags.contains(DevFlags::PROMISC) {
            kernel.add_promiscuity(below, change);
        }
    }
    for group in groups {
        if change > 0 { kernel.add_multicast(below, group) } else { kernel.remove_multicast(below, group) }
    }
}

/// The lower device of a macvlan that is up: who has to hear of what it wants to receive.
pub(crate) fn attending(device: &Device) -> Option<Macvlan> {
    device.macvlan().filter(|_| device.is_up())
}

/// A mode is on or off (`change` -1).
pub(crate) fn mode_changed(kernel: &mut Kernel, dev: DevId, mode: DevFlags, change: i32) {
    let Some(macvlan) = kernel.devices.get(dev).and_then(attending) else { return };
    match mode {
        DevFlags::ALLMULTI => kernel.add_allmulti(macvlan.lower, change),
        _ if macvlan.mode == Mode::Passthru => {}
        _ => kernel.add_promiscuity(macvlan.lower, change),
    }
}

/// Gives a macvlan an address by hand. `EADDRINUSE`: the lower device or another macvlan on it has that one.
pub(crate) fn may_have_address(kernel: &mut Kernel, dev: DevId, address: MacAddr) -> Result<()> {
    let device = &kernel.devices[dev];
    let Some(macvlan) = device.macvlan().filter(|_| device.address != address) else { return Ok(()) };
    if macvlan.mode == Mode::Passthru {
        return kernel.set_address(macvlan.lower, address);
    }
    if is_taken(kernel, macvlan, address) { Err(Errno::EADDRINUSE.into()) } else { Ok(()) }
}

/// It has another address than `old`.
pub(crate) fn address_changed(kernel: &mut Kernel, dev: DevId, old: MacAddr) {
    let device = &kernel.devices[dev];
    let (address, Some(macvlan)) = (device.address, attending(device)) else { return };
    if let Some(lower) = kernel.devices.get_mut(macvlan.lower).and_then(|lower| lower.macvlans.as_mut())
        && let Some(entry) = lower.open.iter_mut().find(|(_, open)| *open == dev)
    {
        entry.0 = address;
    }
    if macvlan.mode != Mode::Passthru {
        kernel.add_unicast(macvlan.lower, address);
        kernel.remove_unicast(macvlan.lower, old);
    }
}

/// Something happened to a device that may have macvlans.
#[inline]
pub(crate) fn netdev_event(kernel: &mut Kernel, below: DevId, event: NetdevEvent) {
    let Some(lower) = kernel.devices.get(below).and_then(|device| device.macvlans.as_ref()) else { return };
    let devices = lower.devices.clone();
    let device = &kernel.devices[below];
    let (mtu, address, carrier, assigned) = (device.mtu, device.address, device.carrier, device.info.addr_assign);
    match event {
        NetdevEvent::Up | NetdevEvent::Down | NetdevEvent::Change => {
            for dev in devices {
                kernel.set_carrier(dev, carrier);
            }
        }
        NetdevEvent::ChangeMtu => {
            for dev in devices {
                if kernel.devices.get(dev).is_some_and(|device| device.mtu > mtu) {
                    let _ = kernel.set_mtu(dev, mtu);
                }
            }
        }
        NetdevEvent::ChangeAddress if lower_is_passthru(kernel, below) => {
            for dev in devices {
                kernel.devices[dev].info.addr_assign = assigned;
                kernel.change_address(dev, address);
            }
        }
        NetdevEvent::Unregister if kernel.is_unregistering(below) => {
            for dev in devices {
                kernel.unregister_device(dev);
            }
        }
        _ => {}
    }
}

fn lower_is_passthru(kernel: &Kernel, below: DevId) -> bool {
    kernel.devices[below].macvlans.as_ref().is_some_and(|lower| lower.passthru)
}

/// A macvlan's MTU is at most that of the lower device.
pub(crate) fn mtu_fits(kernel: &Kernel, device: &Device, mtu: u32) -> bool {
    let lower = device.macvlan().and_then(|macvlan| kernel.devices.get(macvlan.lower));
    lower.is_none_or(|lower| mtu <= lower.mtu)
}

fn addresses(frame: &Frame) -> Option<(MacAddr, MacAddr)> {
    let [a, b, c, d, e, f, g, h, i, j, k, l, ..] = *frame.header()?;
    Some((MacAddr([a, b, c, d, e, f]), MacAddr([g, h, i, j, k, l])))
}

/// A macvlan that is up, by its address.
fn find(kernel: &Kernel, below: DevId, address: MacAddr) -> Option<(DevId, Mode)> {
    let lower = kernel.devices.get(below)?.macvlans.as_ref()?;
    let (_, dev) = lower.open.iter().find(|(open, _)| *open == address)?;
    Some((*dev, kernel.devices.get(*dev)?.macvlan()?.mode))
}

/// A frame received by a lower device: the macvlan that it is for gets it, and the frame comes back where that is none
/// or not the only one.
pub(crate) fn input(kernel: &mut Kernel, below: DevId, frame: Frame) -> Option<Frame> {
    let Some((destination, source)) = addresses(&frame) else { return Some(frame) };
    if destination.is_multicast() {
        return group_input(kernel, below, frame, destination, source);
    }
    let to = if lower_is_passthru(kernel, below) {
        let lower = kernel.devices[below].macvlans.as_ref();
        lower.and_then(|lower| lower.devices.first().copied())
    } else {
        find(kernel, below, destination).map(|(dev, _)| dev)
    };
    let Some(dev) = to else { return Some(frame) };
    if !kernel.devices.get(dev).is_some_and(Device::is_up) {
        kernel.drop_frame(frame, DropReason::DevReady);
        return None;
    }
    deliver(kernel, dev, frame);
    None
}

/// The frame is the macvlan's, whatever its address.
fn deliver(kernel: &mut Kernel, dev: DevId, mut frame: Frame) {
    kernel.devices[dev].traffic.received(1, frame.len());
    frame.set_packet_type(PacketType::Host);
    kernel.receive_typed(dev, frame);
}

fn group_input(kernel: &mut Kernel, below: DevId, frame: Frame, group: MacAddr, source: MacAddr) -> Option<Frame> {
    const EVERYBODY: u8 = Mode::Private as u8 | Mode::Vepa as u8 | Mode::Bridge as u8 | Mode::Passthru as u8;
    let (from, modes) = match find(kernel, below, source) {
        None => (None, EVERYBODY),
        // It comes back from a switch. Those in bridge mode have it from each other already.
        Some((from, Mode::Vepa)) => (Some(from), Mode::Vepa as u8 | Mode::Bridge as u8),
        Some((from, Mode::Bridge)) => (Some(from), Mode::Vepa as u8),
        // Of these nobody hears but the one who sent it.
        Some((from, Mode::Private | Mode::Passthru)) => {
            hand_around(kernel, from, &frame);
            kernel.frames.recycle(frame);
            return None;
        }
    };
    broadcast(kernel, below, from, modes, &frame, group);
    Some(frame)
}

/// Gives a group frame to each macvlan that is up, in one of `modes`, not `from`, and listens.
fn broadcast(kernel: &mut Kernel, below: DevId, from: Option<DevId>, modes: u8, frame: &Frame, group: MacAddr) {
    let mut at = 0;
    while let Some(dev) = nth_open(kernel, below, at) {
        at += 1;
        let Some(device) = kernel.devices.get(dev).filter(|_| Some(dev) != from) else { continue };
        let in_mode = device.macvlan().is_some_and(|macvlan| macvlan.mode as u8 & modes != 0);
        if in_mode && device.hears(group) {
            hand_around(kernel, dev, frame);
        }
    }
}

fn nth_open(kernel: &Kernel, below: DevId, at: usize) -> Option<DevId> {
    Some(kernel.devices.get(below)?.macvlans.as_ref()?.open.get(at)?.1)
}

fn hand_around(kernel: &mut Kernel, dev: DevId, frame: &Frame) {
    let device = &mut kernel.devices[dev];
    device.traffic.received(1, frame.len());
    device.info.incidents.multicast += 1;
    let _ = kernel.enqueue(dev, frame.share());
}

pub(super) fn transmit(kernel: &mut Kernel, dev: DevId, frame: Frame) -> Result<(), DropReason> {
    let length = frame.len();
    let result = match kernel.devices[dev].macvlan() {
        Some(macvlan) => send(kernel, dev, macvlan, frame),
        None => Err(DropReason::DevReady),
    };
    let device = &mut kernel.devices[dev];
    match result {
        Ok(()) => device.traffic.sent(1, length),
        Err(_) => device.info.incidents.tx_dropped += 1,
    }
    result
}

fn send(kernel: &mut Kernel, dev: DevId, macvlan: Macvlan, frame: Frame) -> Result<(), DropReason> {
    let below = macvlan.lower;
    if macvlan.mode == Mode::Bridge {
        match addresses(&frame) {
            Some((group, _)) if group.is_multicast() => {
                broadcast(kernel, below, Some(dev), Mode::Bridge as u8, &frame, group);
            }
            Some((to, _)) if find(kernel, below, to).is_some_and(|(_, mode)| mode == Mode::Bridge) => {
                // Who listens at the lower device sees it first.
                return kernel.enqueue(below, frame);
            }
            _ => {}
        }
    }
    kernel.transmit(below, frame)
}
