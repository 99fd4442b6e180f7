//! Forwarding entries of bridges and devices' filters (`RTM_*NEIGH` with `AF_BRIDGE`).
//!
//! `master` means the database of the bridge that a device is a port of, `self` the device's own: its filter, or for a bridge its
//! database (the entries that lead to the bridge itself).

use std::collections::VecDeque;

use super::attr::{Attributes, Check, Header, Policy, Rule, Writer};
use super::dispatch::{Answer, Dump, Request};
use super::uapi::*;
use crate::Kernel;
use crate::bridge::{self, Change, Entry, EntryFlags, Flush, Key};
use crate::drivers::ARPHRD_ETHER;
use crate::error::{Errno, Error, Result};
use crate::types::{DevId, MacAddr};

/// Bytes of a `struct ndmsg`.
const NDMSG: usize = 12;

const NDA_LLADDR: u16 = 2;
const NDA_CACHEINFO: u16 = 3;
const NDA_VLAN: u16 = 5;
const NDA_IFINDEX: u16 = 8;
const NDA_MASTER: u16 = 9;
const NDA_FLAGS_EXT: u16 = 15;
const NDA_NDM_STATE_MASK: u16 = 16;
const NDA_NDM_FLAGS_MASK: u16 = 17;

const NTF_USE: u8 = 0x01;
const NTF_SELF: u8 = 0x02;
const NTF_MASTER: u8 = 0x04;
const NTF_EXT_LEARNED: u8 = 0x10;
const NTF_STICKY: u8 = 0x40;

const NUD_REACHABLE: u16 = 0x02;
const NUD_STALE: u16 = 0x04;
const NUD_NOARP: u16 = 0x40;
const NUD_PERMANENT: u16 = 0x80;

/// Asks to delete all that match.
const NLM_F_BULK: u16 = 0x200;

const POLICY: Policy = &[
    (1, Rule::Binary(32)),
    (NDA_LLADDR, Rule::Binary(32)),
    (NDA_CACHEINFO, Rule::Binary(64)),
    (NDA_VLAN, Rule::Binary(4)),
    (6, Rule::U16),
    (7, Rule::U32),
    (NDA_IFINDEX, Rule::U32),
    (NDA_MASTER, Rule::U32),
    (11, Rule::U32),
    (NDA_FLAGS_EXT, Rule::U32),
    (NDA_NDM_STATE_MASK, Rule::U16),
    (NDA_NDM_FLAGS_MASK, Rule::U8),
];

/// A `struct ndmsg` and what follows it.
struct Neighbour<'a> {
    ifindex: u32,
    state: u16,
    flags: u8,
    kind: u8,
    padded: bool,
    attrs: Attributes<'a>,
}

impl<'a> Neighbour<'a> {
    fn of(request: &Request<'a>, check: Check, message: &'static str) -> Result<Neighbour<'a>> {
        let [_, p0, p1, p2, i0, i1, i2, i3, s0, s1, flags, kind] = request.fixed::<NDMSG>(message)?;
        Ok(Neighbour {
            ifindex: u32::from_ne_bytes([i0, i1, i2, i3]),
            state: u16::from_ne_bytes([s0, s1]),
            flags,
            kind,
            padded: [p0, p1, p2] != [0; 3],
            attrs: request.attributes(NDMSG, POLICY, check)?,
        })
    }

    fn device(&self, kernel: &Kernel, request: &Request<'_>) -> Result<DevId> {
        if self.ifindex == 0 {
            return Err(Error::new(Errno::EINVAL, "invalid ifindex"));
        }
        device(kernel, request, self.ifindex).ok_or(Error::new(Errno::ENODEV, "unknown ifindex"))
    }

    fn address(&self) -> Result<MacAddr> {
        let attr = self.attrs.get(NDA_LLADDR).filter(|attr| attr.payload.len() == 6);
        attr.and_then(|attr| attr.mac()).ok_or(Error::new(Errno::EINVAL, "invalid address"))
    }

    fn vlan(&self) -> Result<u16> {
        let Some(attr) = self.attrs.get(NDA_VLAN) else { return Ok(0) };
        if attr.payload.len() != 2 {
            return Err(attr.refuse(Errno::EINVAL, "invalid vlan"));
        }
        match attr.u16() {
            vlan @ 1..=4094 => Ok(vlan),
            _ => Err(attr.refuse(Errno::EINVAL, "invalid vlan id")),
        }
    }
}

fn device(kernel: &Kernel, request: &Request<'_>, ifindex: u32) -> Option<DevId> {
    kernel.device_by_index(request.ns, ifindex)
}

/// The bridge that a device is a port of.
fn master(kernel: &Kernel, dev: DevId) -> Option<DevId> {
    Some(kernel.devices.get(dev)?.port?.bridge)
}

/// `RTM_NEWNEIGH`.
pub(crate) fn add(kernel: &mut Kernel, request: &Request<'_>) -> Result<Answer> {
    let asked = Neighbour::of(request, Check::Lenient, "Invalid header")?;
    let dev = asked.device(kernel, request)?;
    let address = asked.address()?;
    if kernel.devices.get(dev).is_some_and(|it| it.kind.hardware_type() != ARPHRD_ETHER) {
        return Err(Error::new(Errno::EINVAL, "FDB add only supported for Ethernet devices"));
    }
    let vlan = asked.vlan()?;
    let mut result = Err(Errno::EOPNOTSUPP.into());
    if (asked.flags == 0 || asked.flags & NTF_MASTER != 0)
        && let Some(bridge) = master(kernel, dev)
    {
        add_to_bridge(kernel, request, bridge, dev, &asked, Key::new(address, vlan))?;
        result = Ok(Answer::Done);
    }
    if asked.flags & NTF_SELF != 0 {
        if kernel.bridge(dev).is_some() {
            add_to_bridge(kernel, request, dev, dev, &asked, Key::new(address, vlan))?;
        } else {
            add_to_filter(kernel, request, dev, &asked, address, vlan)?;
            notify_filter(kernel, dev, address, asked.state, true);
        }
        result = Ok(Answer::Done);
    }
    result
}

fn add_to_bridge(
    kernel: &mut Kernel,
    request: &Request<'_>,
    bridge: DevId,
    dev: DevId,
    asked: &Neighbour<'_>,
    key: Key,
) -> Result<()> {
    let refused = |kernel: &mut Kernel, what: String| {
        kernel.info(format!("bridge: RTM_NEWNEIGH {what}"));
        Err(Errno::EINVAL.into())
    };
    let name = kernel.log_name(dev);
    if asked.state & (NUD_PERMANENT | NUD_NOARP | NUD_REACHABLE) == 0 {
        return refused(kernel, format!("with invalid state {:#x}", asked.state));
    }
    if key.address().is_zero() {
        return refused(kernel, "with invalid ether address".to_owned());
    }
    if key.vlan() != 0 {
        return refused(kernel, format!("with unconfigured vlan {} on {name}", key.vlan()));
    }
    let port = if dev == bridge { None } else { Some(dev) };
    if asked.flags & NTF_USE != 0 {
        return match port {
            Some(port) => {
                bridge::use_entry(kernel, port, key);
                Ok(())
            }
            None => refused(kernel, format!("{name} with NTF_USE is not supported")),
        };
    }
    let permanent = asked.state & NUD_PERMANENT != 0;
    if asked.flags & NTF_EXT_LEARNED != 0 {
        if port.is_none() && !permanent {
            return Err(Error::new(Errno::EINVAL, "FDB entry towards bridge must be permanent"));
        }
        bridge::learn_from_outside(kernel, bridge, port, key);
        return Ok(());
    }
    if port.is_none() && !permanent {
        return refused(kernel, format!("{name} without NUD_PERMANENT"));
    }
    let flags = match asked.state {
        _ if permanent => EntryFlags::LOCAL | EntryFlags::STATIC,
        state if state & NUD_NOARP != 0 => EntryFlags::STATIC,
        _ => EntryFlags::empty(),
    };
    let sticky = asked.flags & NTF_STICKY != 0;
    bridge::add_entry(
        kernel,
        bridge,
        port,
        key,
        Change { flags, sticky, create: request.has(NLM_F_CREATE), exclusive: request.has(NLM_F_EXCL) },
    )?;
    Ok(())
}

fn add_to_filter(
    kernel: &mut Kernel,
    request: &Request<'_>,
    dev: DevId,
    asked: &Neighbour<'_>,
    address: MacAddr,
    vlan: u16,
) -> Result<()> {
    let refused = |kernel: &mut Kernel, what: &str| {
        let name = kernel.log_name(dev);
        kernel.info(format!("{name}: {what}"));
        Err(Errno::EINVAL.into())
    };
    if asked.state != 0 && asked.state & NUD_PERMANENT == 0 {
        return refused(kernel, "default FDB implementation only supports local addresses");
    }
    if vlan != 0 {
        return refused(kernel, "vlans aren't supported yet for dev_uc|mc_add()");
    }
    if address.is_zero() {
        return Err(Errno::EINVAL.into());
    }
    match kernel.add_filter_by_hand(dev, address) {
        Err(Errno::EEXIST) if !request.has(NLM_F_EXCL) => Ok(()),
        result => Ok(result?),
    }
}

/// `RTM_DELNEIGH`.
pub(crate) fn delete(kernel: &mut Kernel, request: &Request<'_>) -> Result<Answer> {
    let asked = Neighbour::of(request, Check::Lenient, "Invalid header")?;
    let dev = asked.device(kernel, request)?;
    let named = if request.has(NLM_F_BULK) { None } else { Some((asked.address()?, asked.vlan()?)) };
    if kernel.devices.get(dev).is_some_and(|it| it.kind.hardware_type() != ARPHRD_ETHER) {
        return Err(Error::new(Errno::EINVAL, "FDB delete only supported for Ethernet devices"));
    }
    let Some((address, vlan)) = named else { return flush(kernel, request, dev, &asked) };
    let key = Key::new(address, vlan);
    let mut result = Err(Errno::EOPNOTSUPP.into());
    if (asked.flags == 0 || asked.flags & NTF_MASTER != 0)
        && let Some(bridge) = master(kernel, dev)
    {
        bridge::delete_entry(kernel, bridge, Some(dev), key)?;
        result = Ok(Answer::Done);
    }
    if asked.flags & NTF_SELF != 0 {
        if kernel.bridge(dev).is_some() {
            bridge::delete_entry(kernel, dev, None, key)?;
        } else {
            if asked.state & NUD_PERMANENT == 0 {
                return Err(Error::new(Errno::EINVAL, "default FDB implementation only supports local addresses"));
            }
            kernel.remove_filter_by_hand(dev, address)?;
            notify_filter(kernel, dev, address, asked.state, false);
        }
        result = Ok(Answer::Done);
    }
    result
}

/// Deletes all that match (`bridge fdb flush`).
fn flush(kernel: &mut Kernel, request: &Request<'_>, dev: DevId, asked: &Neighbour<'_>) -> Result<Answer> {
    let vlan = asked.vlan()?;
    let mut done = false;
    for (wanted, bridge, port) in [
        (asked.flags == 0 || asked.flags & NTF_MASTER != 0, master(kernel, dev), Some(dev)),
        (asked.flags & NTF_SELF != 0, kernel.bridge(dev).map(|_| dev), None),
    ] {
        let (true, Some(bridge)) = (wanted, bridge) else { continue };
        let port = match asked.attrs.get(NDA_IFINDEX) {
            Some(index) => {
                let port = device(kernel, request, index.u32());
                let port = port.ok_or(Error::new(Errno::ENODEV, "Unknown flush ifindex"))?;
                if port != bridge && master(kernel, port) != Some(bridge) {
                    return Err(Error::new(Errno::EINVAL, "Flush interface is not a port of the bridge"));
                }
                Some(port)
            }
            None => port,
        };
        let state_mask = asked.attrs.get(NDA_NDM_STATE_MASK).map_or(asked.state, |mask| mask.u16());
        let given = asked.flags & !(NTF_SELF | NTF_MASTER);
        let flags_mask = asked.attrs.get(NDA_NDM_FLAGS_MASK).map_or(given, |mask| mask.u8());
        bridge::flush_entries(
            kernel,
            bridge,
            Flush { port, vlan, flags: entry_flags(asked.state, given), mask: entry_flags(state_mask, flags_mask) },
        );
        done = true;
    }
    if done { Ok(Answer::Done) } else { Err(Errno::EOPNOTSUPP.into()) }
}

/// What states and flags of a neighbour mean for entries.
fn entry_flags(state: u16, flags: u8) -> EntryFlags {
    let mut meant = EntryFlags::empty();
    meant.set(EntryFlags::LOCAL, state & NUD_PERMANENT != 0);
    meant.set(EntryFlags::STATIC, state & NUD_NOARP != 0);
    meant.set(EntryFlags::USER, flags & NTF_USE != 0);
    meant.set(EntryFlags::EXT_LEARN, flags & NTF_EXT_LEARNED != 0);
    meant.set(EntryFlags::STICKY, flags & NTF_STICKY != 0);
    meant
}

/// A `struct ndmsg` of `AF_BRIDGE`.
fn header(ifindex: u32, state: u16, flags: u8) -> [u8; NDMSG] {
    let [i0, i1, i2, i3] = ifindex.to_ne_bytes();
    let [s0, s1] = state.to_ne_bytes();
    [AF_BRIDGE, 0, 0, 0, i0, i1, i2, i3, s0, s1, flags, 0]
}

/// Writes a message about an entry of a bridge's database.
pub(crate) fn fill(kernel: &Kernel, bridge: DevId, key: Key, entry: &Entry, out: &mut Writer, head: Header) {
    let Some(device) = kernel.devices.get(bridge) else { return };
    let port = kernel.bridge(bridge).and_then(|it| it.port(entry.port));
    let ifindex = port.and_then(|port| kernel.devices.get(port.dev)).map_or(device.ifindex, |port| port.ifindex);
    let age = bridge::entry_age(kernel, bridge, entry);
    let state = match entry.flags {
        flags if flags.contains(EntryFlags::LOCAL) => NUD_PERMANENT,
        flags if flags.contains(EntryFlags::STATIC) => NUD_NOARP,
        _ if age.expired => NUD_STALE,
        _ => NUD_REACHABLE,
    };
    let mut flags = 0;
    if entry.flags.contains(EntryFlags::EXT_LEARN) {
        flags |= NTF_EXT_LEARNED;
    }
    if entry.flags.contains(EntryFlags::STICKY) {
        flags |= NTF_STICKY;
    }
    out.message(head, |out| {
        out.raw(&header(ifindex, state, flags));
        out.put(NDA_LLADDR, &key.address().0);
        out.u32(NDA_MASTER, device.ifindex);
        out.u32(NDA_FLAGS_EXT, 0);
        let times = [0, age.used, age.updated, 0];
        out.put(NDA_CACHEINFO, &times.map(u32::to_ne_bytes).concat());
        if key.vlan() != 0 {
            out.u16(NDA_VLAN, key.vlan());
        }
    });
}

/// Writes a message about an address of a device's filter.
fn fill_filter(ifindex: u32, address: MacAddr, state: u16, out: &mut Writer, head: Header) {
    out.message(head, |out| {
        out.raw(&header(ifindex, state, NTF_SELF));
        out.put(NDA_LLADDR, &address.0);
    });
}

fn notify_filter(kernel: &mut Kernel, dev: DevId, address: MacAddr, state: u16, there: bool) {
    let Some(device) = kernel.devices.get(dev) else { return };
    let (ns, ifindex) = (device.ns, device.ifindex);
    let kind = if there { RTM_NEWNEIGH } else { RTM_DELNEIGH };
    super::notify::multicast(kernel, ns, RTNLGRP_NEIGH, |_, out| {
        fill_filter(ifindex, address, state, out, Header { kind, ..Header::default() });
    });
}

/// Which entries a dump shows.
struct Filter {
    /// Those of this bridge.
    bridge: Option<u32>,
    /// Those of this device.
    device: Option<u32>,
}

impl Filter {
    fn of(request: &Request<'_>) -> Result<Filter> {
        let found = |index: u32| (index != 0).then_some(index);
        if !request.strict && !matches!(request.body().len(), NDMSG | 20) {
            // Old programs send a struct ifinfomsg.
            let info = super::link::IfInfo::parse(&request.fixed("Invalid header for fdb dump request")?);
            let attrs = request.attributes(super::link::IFINFOMSG, super::link::LINK, Check::Lenient)?;
            let bridge = attrs.get(IFLA_MASTER).map(|master| master.u32());
            return Ok(Filter { bridge: bridge.and_then(found), device: found(info.index.unsigned_abs()) });
        }
        let asked = Neighbour::of(request, request.check(), "Invalid header for fdb dump request")?;
        if !request.strict {
            return Ok(Filter { bridge: None, device: None });
        }
        if asked.padded || asked.state != 0 || asked.flags != 0 || asked.kind != 0 {
            return Err(Error::new(Errno::EINVAL, "Invalid values in header for fdb dump request"));
        }
        asked.attrs.only(&[NDA_IFINDEX, NDA_MASTER], "Unsupported attribute in fdb dump request")?;
        let index = |kind| asked.attrs.get(kind).map(|attr| attr.u32()).and_then(found);
        Ok(Filter { bridge: index(NDA_MASTER), device: index(NDA_IFINDEX).or(found(asked.ifindex)) })
    }
}

/// What a dump has still to tell of a device.
enum Item {
    Entry(DevId, Key, Entry),
    Filter(u32, MacAddr),
}

/// `RTM_GETNEIGH` for all: device by device, for a port first its entries in the bridge's database, then its filter; for a bridge first
/// its filter, then the entries that lead to itself.
pub(crate) fn dump(kernel: &mut Kernel, request: &Request<'_>) -> Result<Answer> {
    let filter = Filter::of(request)?;
    let wanted_bridge = match filter.bridge {
        Some(index) => Some(device(kernel, request, index).ok_or(Errno::ENODEV)?),
        None => None,
    };
    let netns = kernel.namespaces.get(request.ns).ok_or(Errno::EINVAL)?;
    let mut devices = Vec::new();
    for dev in netns.devices() {
        let Some(it) = kernel.devices.get(dev) else { continue };
        let member = master(kernel, dev);
        let shown = match wanted_bridge {
            Some(bridge) => member == Some(bridge) || (dev == bridge && it.bridge().is_some()),
            None => true,
        };
        if shown && filter.device.is_none_or(|index| index == it.ifindex) {
            devices.push(dev);
        }
    }
    let mut devices = devices.into_iter();
    let mut items = VecDeque::new();
    Ok(Answer::Dump(
        Dump::new(move |kernel, out, head| {
            while items.is_empty() {
                let Some(dev) = devices.next() else { return Ok(false) };
                items = of_device(kernel, dev);
            }
            let head = head.with_kind(RTM_NEWNEIGH);
            match items.pop_front() {
                Some(Item::Entry(bridge, key, entry)) => fill(kernel, bridge, key, &entry, out, head),
                Some(Item::Filter(ifindex, address)) => fill_filter(ifindex, address, NUD_PERMANENT, out, head),
                None => return Ok(false),
            }
            Ok(true)
        })
        .done_apart(),
    ))
}

fn of_device(kernel: &Kernel, dev: DevId) -> VecDeque<Item> {
    let Some(it) = kernel.devices.get(dev) else { return VecDeque::new() };
    if it.kind.hardware_type() != ARPHRD_ETHER {
        return VecDeque::new();
    }
    let filter = it.info.unicast_filter.iter().chain(&it.info.multicast_filter);
    let filter = filter.map(|entry| Item::Filter(it.ifindex, entry.address));
    let entries = |bridge: DevId, port: u16| {
        let entries = bridge::entries(kernel, bridge, port).into_iter();
        entries.map(move |(key, entry)| Item::Entry(bridge, key, entry))
    };
    match (it.port, it.bridge()) {
        (Some(member), _) => entries(member.bridge, member.number).chain(filter).collect(),
        (None, Some(_)) => filter.chain(entries(dev, 0)).collect(),
        (None, None) => filter.collect(),
    }
}

/// `RTM_GETNEIGH` for one.
pub(crate) fn get(kernel: &mut Kernel, request: &Request<'_>) -> Result<Answer> {
    let refuse = |message: &'static str| Error::new(Errno::EINVAL, message);
    let asked = Neighbour::of(request, Check::Strict, "Invalid header for fdb get request")?;
    if asked.padded || asked.state != 0 || asked.kind != 0 {
        return Err(refuse("Invalid values in header for fdb get request"));
    }
    if asked.flags & !(NTF_MASTER | NTF_SELF) != 0 {
        return Err(refuse("Invalid flags in header for fdb get request"));
    }
    asked.attrs.only(&[NDA_MASTER, NDA_LLADDR, NDA_VLAN], "Unsupported attribute in fdb get request")?;
    let Some(address) = asked.attrs.get(NDA_LLADDR).and_then(|attr| attr.mac()) else {
        return Err(refuse("Missing lookup address for fdb get request"));
    };
    let vlan = asked.vlan()?;
    let dev = match asked.ifindex {
        0 => None,
        index => Some(device(kernel, request, index).ok_or(Error::new(Errno::ENODEV, "Unknown device ifindex"))?),
    };
    let named = match asked.attrs.get(NDA_MASTER) {
        Some(_) if dev.is_some() => return Err(refuse("Master and device are mutually exclusive")),
        Some(index) => Some(device(kernel, request, index.u32()).ok_or(refuse("Invalid master ifindex"))?),
        None => None,
    };
    let bridge = match (named, dev) {
        (Some(bridge), _) => bridge,
        (None, Some(dev)) if asked.flags == 0 || asked.flags & NTF_MASTER != 0 => {
            master(kernel, dev).ok_or(refuse("Device is not a bridge port"))?
        }
        (None, Some(dev)) => dev,
        (None, None) => return Err(refuse("No device specified")),
    };
    if kernel.bridge(bridge).is_none() {
        return Err(Error::new(Errno::EOPNOTSUPP, "Fdb get operation not supported by device"));
    }
    let key = Key::new(address, vlan);
    let entry = bridge::entry(kernel, bridge, key).ok_or(Error::new(Errno::ENOENT, "Fdb entry not found"))?;
    let mut out = Writer::new();
    fill(kernel, bridge, key, &entry, &mut out, request.reply(RTM_NEWNEIGH));
    Ok(Answer::Reply(out))
}
