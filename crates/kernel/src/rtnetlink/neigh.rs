//! Neighbours of both families (`RTM_*NEIGH`), and their tables' parameters.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::attr::{Attributes, Check, Header, Policy, Rule, Writer};
use super::dispatch::{Answer, Dump, Request};
use super::ifaddrmsg::ticks;
use super::notify;
use super::uapi::*;
use crate::Kernel;
use crate::error::{Errno, Error, Result};
use crate::neighbour::{self, Change, NeighId, Neighbour, Params, Place, ntf, nud};
use crate::types::{DevId, Instant, NsId};

/// Bytes of a `struct ndmsg`.
const NDMSG: usize = 12;

const NDA_DST: u16 = 1;
const NDA_LLADDR: u16 = 2;
const NDA_CACHEINFO: u16 = 3;
const NDA_PROBES: u16 = 4;
const NDA_IFINDEX: u16 = 8;
const NDA_MASTER: u16 = 9;
const NDA_PROTOCOL: u16 = 12;
const NDA_FLAGS_EXT: u16 = 15;

/// `NTF_USE`: ask, as if a packet were to be sent.
const NTF_USE: u8 = 1;

const POLICY: Policy = &[
    (NDA_DST, Rule::Binary(32)),
    (NDA_LLADDR, Rule::Binary(32)),
    (NDA_CACHEINFO, Rule::Exact(16)),
    (NDA_PROBES, Rule::U32),
    (NDA_IFINDEX, Rule::U32),
    (NDA_MASTER, Rule::U32),
    (NDA_PROTOCOL, Rule::U8),
    (NDA_FLAGS_EXT, Rule::U32),
];

/// `struct ndmsg`.
struct NdMsg {
    family: u8,
    index: u32,
    state: u16,
    flags: u8,
    kind: u8,
}

impl NdMsg {
    fn parse(bytes: &[u8; NDMSG]) -> NdMsg {
        let [family, _, _, _, i0, i1, i2, i3, s0, s1, flags, kind] = *bytes;
        NdMsg { family, index: u32::from_ne_bytes([i0, i1, i2, i3]), state: u16::from_ne_bytes([s0, s1]), flags, kind }
    }

    fn write(&self, out: &mut Writer) {
        let [i0, i1, i2, i3] = self.index.to_ne_bytes();
        let [s0, s1] = self.state.to_ne_bytes();
        out.raw(&[self.family, 0, 0, 0, i0, i1, i2, i3, s0, s1, self.flags, self.kind]);
    }
}

fn family(address: IpAddr) -> u8 {
    if address.is_ipv4() { AF_INET } else { AF_INET6 }
}

fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    }
}

/// The address that a request is about. `EAFNOSUPPORT`, `EINVAL`.
fn address(family: u8, attrs: &Attributes<'_>) -> Result<IpAddr> {
    let destination = attrs.get(NDA_DST).ok_or(Error::new(Errno::EINVAL, "Network address not specified"))?;
    let short = Error::new(Errno::EINVAL, "Invalid network address");
    match family {
        AF_INET => Ok(IpAddr::V4(Ipv4Addr::from(destination.bytes::<4>().ok_or(short)?))),
        AF_INET6 => Ok(IpAddr::V6(Ipv6Addr::from(destination.bytes::<16>().ok_or(short)?))),
        _ => Err(Errno::EAFNOSUPPORT.into()),
    }
}

fn device(kernel: &Kernel, ns: NsId, index: u32) -> Result<Option<DevId>> {
    match index {
        0 => Ok(None),
        index => Ok(Some(kernel.device_by_index(ns, index).ok_or(Errno::ENODEV)?)),
    }
}

/// `RTM_NEWNEIGH`.
pub(crate) fn add(kernel: &mut Kernel, request: &Request<'_>) -> Result<Answer> {
    let message = NdMsg::parse(&request.fixed("Invalid header for neighbour request")?);
    let attrs = request.attributes(NDMSG, POLICY, Check::Lenient)?;
    if attrs.get(NDA_DST).is_none() {
        return Err(Error::new(Errno::EINVAL, "Network address not specified"));
    }
    let dev = device(kernel, request.ns, message.index)?;
    let lladdr = match (dev, attrs.get(NDA_LLADDR)) {
        (Some(_), Some(lladdr)) => Some(lladdr.mac().ok_or(Error::new(Errno::EINVAL, "Invalid link address"))?),
        _ => None,
    };
    let address = address(message.family, &attrs)?;
    let dev = dev.ok_or(Error::new(Errno::EINVAL, "Device not specified"))?;
    if message.flags & ntf::PROXY != 0 {
        neighbour::add_proxy(kernel, request.ns, dev, address)?;
        return Ok(Answer::Done);
    }
    if message.flags & NTF_USE != 0 {
        neighbour::touch(kernel, dev, address)?;
        return Ok(Answer::Done);
    }
    let wanted = Change {
        lladdr,
        state: message.state,
        flags: message.flags,
        protocol: attrs.get(NDA_PROTOCOL).map(|protocol| protocol.u8()),
        create: request.has(NLM_F_CREATE),
        exclusive: request.has(NLM_F_EXCL),
        replace: request.has(NLM_F_REPLACE),
    };
    neighbour::change(kernel, dev, address, &wanted)?;
    Ok(Answer::Done)
}

/// `RTM_DELNEIGH`.
pub(crate) fn delete(kernel: &mut Kernel, request: &Request<'_>) -> Result<Answer> {
    let message = NdMsg::parse(&request.fixed("Invalid header for neighbour request")?);
    let attrs = request.attributes(NDMSG, POLICY, Check::Lenient)?;
    if attrs.get(NDA_DST).is_none() {
        return Err(Error::new(Errno::EINVAL, "Network address not specified"));
    }
    let dev = device(kernel, request.ns, message.index)?;
    let address = address(message.family, &attrs)?;
    let dev = dev.ok_or(Errno::EINVAL)?;
    if message.flags & ntf::PROXY != 0 {
        neighbour::delete_proxy(kernel, request.ns, dev, address)?;
    } else {
        neighbour::delete(kernel, dev, address)?;
    }
    Ok(Answer::Done)
}

/// `RTM_GETNEIGH` for one.
pub(crate) fn get(kernel: &mut Kernel, request: &Request<'_>) -> Result<Answer> {
    let message = NdMsg::parse(&request.fixed("Invalid header for neighbor get request")?);
    let attrs = request.attributes(NDMSG, POLICY, request.check())?;
    if message.state != 0 || message.kind != 0 || message.flags & !ntf::PROXY != 0 {
        return Err(Error::new(Errno::EINVAL, "Invalid values in header for neighbor get request"));
    }
    let dev = device(kernel, request.ns, message.index)?;
    let address = match address(message.family, &attrs) {
        Err(error) if error.message.as_deref() == Some("Invalid network address") => {
            return Err(Error::new(Errno::EINVAL, "Invalid network address in neighbor get request"));
        }
        Err(error) if error.errno == Errno::EAFNOSUPPORT => {
            return Err(Error::new(Errno::EAFNOSUPPORT, "Unsupported family in header for neighbor get request"));
        }
        address => address?,
    };
    let mut out = Writer::new();
    let header = request.reply(RTM_NEWNEIGH);
    let tables = &kernel.namespaces.get(request.ns).ok_or(Errno::EINVAL)?.neighbours;
    if message.flags & ntf::PROXY != 0 {
        let found = tables.proxies().find(|(proxied, on)| *proxied == address && dev.is_none_or(|dev| dev == *on));
        let (address, dev) = found.ok_or(Error::new(Errno::ENOENT, "Proxy neighbour entry not found"))?;
        fill_proxy(kernel, dev, address, &mut out, header);
        return Ok(Answer::Reply(out));
    }
    let dev = dev.ok_or(Error::new(Errno::EINVAL, "No device specified"))?;
    let entry = tables.find(Place::of(dev, &address)).and_then(|id| tables.get(id));
    let entry = entry.ok_or(Error::new(Errno::ENOENT, "Neighbour entry not found"))?;
    fill(kernel, entry, &mut out, header);
    Ok(Answer::Reply(out))
}

/// `RTM_GETNEIGH` for all: IPv4's, then IPv6's.
pub(crate) fn dump(kernel: &mut Kernel, request: &Request<'_>) -> Result<Answer> {
    let ns = request.ns;
    let wanted_family = request.body().first().copied().unwrap_or(AF_UNSPEC);
    let (mut only, mut master) = (None, None);
    // A short header (struct rtgenmsg) asks for everything.
    let message = request.body().first_chunk().map(NdMsg::parse);
    if request.strict {
        let message = message.as_ref().ok_or(Error::new(Errno::EINVAL, "Invalid header for neighbor dump request"))?;
        if message.index != 0 || message.state != 0 || message.kind != 0 {
            return Err(Error::new(Errno::EINVAL, "Invalid values in header for neighbor dump request"));
        }
    }
    let attrs = request.attributes(NDMSG, POLICY, request.check());
    let attrs = if request.strict { attrs? } else { attrs.unwrap_or_default() };
    for attr in attrs.iter() {
        match attr.kind {
            NDA_IFINDEX => only = Some(attr.u32()),
            NDA_MASTER => master = Some(attr.u32()),
            _ if request.strict => {
                return Err(attr.refuse(Errno::EINVAL, "Unsupported attribute in neighbor dump request"));
            }
            _ => {}
        }
    }
    let proxies = message.is_some_and(|message| message.flags == ntf::PROXY);
    let shows = |kernel: &Kernel, address: IpAddr, dev: DevId| {
        let Some(device) = kernel.devices.get(dev) else { return false };
        let upper = device.port.and_then(|port| kernel.devices.get(port.bridge)).map(|bridge| bridge.ifindex);
        (wanted_family == AF_UNSPEC || wanted_family == family(address))
            && only.is_none_or(|only| only == device.ifindex)
            && master.is_none_or(|master| upper == Some(master))
    };
    let tables = &kernel.namespaces.get(ns).ok_or(Errno::EINVAL)?.neighbours;
    let filtered = if only.is_some() || master.is_some() { NLM_F_DUMP_FILTERED } else { 0 };
    if proxies {
        let found: Vec<(IpAddr, DevId)> =
            tables.proxies().filter(|(address, dev)| shows(kernel, *address, *dev)).collect();
        let mut found = found.into_iter();
        return Ok(Answer::Dump(Dump::new(move |kernel, out, header| {
            let Some((address, dev)) = found.next() else { return Ok(false) };
            fill_proxy(kernel, dev, address, out, header.with_kind(RTM_NEWNEIGH).with_flags(filtered));
            Ok(true)
        })));
    }
    let mut found: Vec<(bool, NeighId)> = tables
        .iter()
        .filter(|(_, entry)| shows(kernel, entry.address, entry.dev))
        .map(|(id, entry)| (entry.address.is_ipv6(), id))
        .collect();
    found.sort_by_key(|(ipv6, _)| *ipv6);
    let mut found = found.into_iter();
    Ok(Answer::Dump(Dump::new(move |kernel, out, header| {
        for (_, id) in found.by_ref() {
            let entry = kernel.namespaces.get(ns).and_then(|netns| netns.neighbours.get(id));
            if let Some(entry) = entry {
                fill(kernel, entry, out, header.with_kind(RTM_NEWNEIGH).with_flags(filtered));
                return Ok(true);
            }
        }
        Ok(false)
    })))
}

fn ifindex(kernel: &Kernel, dev: DevId) -> u32 {
    kernel.devices.get(dev).map_or(0, |device| device.ifindex)
}

fn fill(kernel: &Kernel, entry: &Neighbour, out: &mut Writer, header: Header) {
    let message = NdMsg {
        family: family(entry.address),
        index: ifindex(kernel, entry.dev),
        state: entry.state,
        flags: entry.flags,
        kind: entry.kind,
    };
    let ago = |then: Instant| ticks(Instant(kernel.now.since(then).as_nanos() as u64));
    out.message(header, |out| {
        message.write(out);
        out.put(NDA_DST, &octets(entry.address));
        if entry.state & nud::VALID != 0 {
            out.put(NDA_LLADDR, &entry.lladdr.0);
        }
        out.u32(NDA_PROBES, entry.probes);
        let users = u32::from(entry.state & nud::IN_TIMER != 0);
        let times = [ago(entry.confirmed), ago(entry.used), ago(entry.updated), users];
        let times: Vec<u8> = times.iter().flat_map(|number| number.to_ne_bytes()).collect();
        out.put(NDA_CACHEINFO, &times);
        if entry.protocol != 0 {
            out.u8(NDA_PROTOCOL, entry.protocol);
        }
    });
}

fn fill_proxy(kernel: &Kernel, dev: DevId, address: IpAddr, out: &mut Writer, header: Header) {
    let message = NdMsg {
        family: family(address),
        index: ifindex(kernel, dev),
        state: 0,
        flags: ntf::PROXY,
        kind: crate::ipv4::kind::UNICAST,
    };
    out.message(header, |out| {
        message.write(out);
        out.put(NDA_DST, &octets(address));
    });
}

impl Kernel {
    /// A neighbour is there or has changed (`new`), or is going away.
    pub(crate) fn notify_neighbour(&mut self, ns: NsId, id: NeighId, new: bool) {
        let kind = if new { RTM_NEWNEIGH } else { RTM_DELNEIGH };
        notify::multicast(self, ns, RTNLGRP_NEIGH, |kernel, out| {
            if let Some(entry) = kernel.namespaces.get(ns).and_then(|netns| netns.neighbours.get(id)) {
                fill(kernel, entry, out, Header { kind, ..Header::default() });
            }
        });
    }
}

const NDTA_NAME: u16 = 1;
const NDTA_THRESH1: u16 = 2;
const NDTA_THRESH2: u16 = 3;
const NDTA_THRESH3: u16 = 4;
const NDTA_CONFIG: u16 = 5;
const NDTA_PARMS: u16 = 6;
const NDTA_STATS: u16 = 7;
const NDTA_GC_INTERVAL: u16 = 8;

const NDTPA_IFINDEX: u16 = 1;

const TABLE_POLICY: Policy = &[(NDTA_NAME, Rule::Text(16)), (NDTA_PARMS, Rule::Nested), (NDTA_GC_INTERVAL, Rule::U64)];

/// Settings by their number in `NDTA_PARMS`, in Linux's order.
const SETTINGS: [(u16, &str); 7] = [
    (15, "unres_qlen_bytes"),
    (9, "unres_qlen"),
    (14, "proxy_qlen"),
    (10, "app_solicit"),
    (11, "ucast_solicit"),
    (12, "mcast_solicit"),
    (17, "mcast_resolicit"),
];

/// The times among them, with what one unit of the setting is in milliseconds.
const TIMES: [(u16, &str, i64); 8] = [
    (4, "base_reachable_time_ms", 1),
    (6, "gc_stale_time", 1_000),
    (7, "delay_first_probe_time", 1_000),
    (5, "retrans_time_ms", 1),
    (8, "anycast_delay", 10),
    (13, "proxy_delay", 10),
    (16, "locktime", 10),
    (18, "interval_probe_time_ms", 1),
];

/// `RTM_GETNEIGHTBL` for all: each table, then its devices.
pub(crate) fn dump_tables(kernel: &mut Kernel, request: &Request<'_>) -> Result<Answer> {
    let ns = request.ns;
    let wanted = request.body().first().copied().unwrap_or(AF_UNSPEC);
    let netns = kernel.namespaces.get(ns).ok_or(Errno::EINVAL)?;
    let mut parts: Vec<(bool, Option<DevId>)> = Vec::new();
    for ipv4 in [true, false] {
        if wanted == AF_UNSPEC || (wanted == AF_INET) == ipv4 {
            parts.push((ipv4, None));
            parts.extend(netns.devices().map(|dev| (ipv4, Some(dev))));
        }
    }
    let mut parts = parts.into_iter();
    Ok(Answer::Dump(Dump::new(move |kernel, out, header| {
        let Some((ipv4, dev)) = parts.next() else { return Ok(false) };
        let Some(netns) = kernel.namespaces.get(ns) else { return Ok(false) };
        let tables = &netns.neighbours;
        out.message(header.with_kind(RTM_NEWNEIGHTBL), |out| {
            out.raw(&[if ipv4 { AF_INET } else { AF_INET6 }, 0, 0, 0]);
            out.text(NDTA_NAME, if ipv4 { "arp_cache" } else { "ndisc_cache" });
            if dev.is_none() {
                let entries = tables.iter().filter(|(_, entry)| entry.is_ipv4() == ipv4).count() as u32;
                out.u64(NDTA_GC_INTERVAL, 30_000);
                for (number, threshold) in [(NDTA_THRESH1, 128), (NDTA_THRESH2, 512), (NDTA_THRESH3, 1024)] {
                    out.u32(number, threshold);
                }
                let mut config = vec![if ipv4 { 4 } else { 16 }, 0];
                config.extend(336u16.to_ne_bytes());
                config.extend(entries.to_ne_bytes());
                config.resize(32, 0);
                out.put(NDTA_CONFIG, &config);
                out.put(NDTA_STATS, &[0; 88]);
            }
            let params = tables.params(dev, ipv4);
            out.nest(NDTA_PARMS, |out| {
                if let Some(dev) = dev {
                    out.u32(NDTPA_IFINDEX, ifindex(kernel, dev));
                }
                fill_params(params, out);
            });
        });
        Ok(true)
    })))
}

fn fill_params(params: &Params, out: &mut Writer) {
    // References to the settings, and the time that was drawn from the base.
    out.u32(2, 1);
    for (number, name) in SETTINGS {
        out.u32(number, params.get(name).unwrap_or(0) as u32);
    }
    out.u64(3, params.get("base_reachable_time_ms").unwrap_or(0) as u64);
    for (number, name, unit) in TIMES {
        out.u64(number, (i64::from(params.get(name).unwrap_or(0)) * unit) as u64);
    }
}

/// `RTM_SETNEIGHTBL`.
pub(crate) fn set_table(kernel: &mut Kernel, request: &Request<'_>) -> Result<Answer> {
    let attrs = request.attributes(4, TABLE_POLICY, Check::Lenient)?;
    let name = attrs.get(NDTA_NAME).and_then(|name| name.text()).ok_or(Errno::EINVAL)?;
    let ipv4 = match name {
        "arp_cache" => true,
        "ndisc_cache" => false,
        _ => return Err(Errno::ENOENT.into()),
    };
    let Some(settings) = attrs.get(NDTA_PARMS) else { return Ok(Answer::Done) };
    let index = settings.iter().find(|attr| attr.kind == NDTPA_IFINDEX).map_or(0, |attr| attr.u32());
    let dev = device(kernel, request.ns, index).map_err(|_| Errno::ENOENT)?;
    let netns = kernel.namespaces.get_mut(request.ns).ok_or(Errno::EINVAL)?;
    let params = netns.neighbour_params_mut(dev, ipv4);
    for attr in settings.iter() {
        if let Some((_, name)) = SETTINGS.iter().find(|(number, _)| *number == attr.kind) {
            params.set(name, attr.i32());
        }
        if let Some((_, name, unit)) = TIMES.iter().find(|(number, ..)| *number == attr.kind) {
            let value = i64::try_from(attr.u64()).unwrap_or(i64::MAX) / unit;
            params.set(name, i32::try_from(value).unwrap_or(i32::MAX));
        }
    }
    Ok(Answer::Done)
}
