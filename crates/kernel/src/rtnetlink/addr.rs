//! IPv4 addresses of devices (`RTM_*ADDR`).

use std::net::Ipv4Addr;

use super::attr::{Attr, Attributes, Check, Header, Policy, Rule, Writer};
use super::dispatch::{Answer, Dump, Request};
use super::notify;
use super::uapi::*;
use crate::Kernel;
use crate::error::{Errno, Error, Result};
use crate::ipv4::addr::{self, Address, FOREVER, flag};
use crate::types::{DevId, Instant, NsId};

/// Bytes of a `struct ifaddrmsg`.
const IFADDRMSG: usize = 8;

const IFA_ADDRESS: u16 = 1;
const IFA_LOCAL: u16 = 2;
const IFA_LABEL: u16 = 3;
const IFA_BROADCAST: u16 = 4;
const IFA_CACHEINFO: u16 = 6;
const IFA_FLAGS: u16 = 8;
const IFA_RT_PRIORITY: u16 = 9;
const IFA_TARGET_NETNSID: u16 = 10;
const IFA_PROTO: u16 = 11;

const POLICY: Policy = &[
    (IFA_ADDRESS, Rule::U32),
    (IFA_LOCAL, Rule::U32),
    (IFA_LABEL, Rule::Text(15)),
    (IFA_BROADCAST, Rule::U32),
    (IFA_CACHEINFO, Rule::Exact(16)),
    (IFA_FLAGS, Rule::U32),
    (IFA_RT_PRIORITY, Rule::U32),
    (IFA_TARGET_NETNSID, Rule::U32),
    (IFA_PROTO, Rule::U8),
];

/// `struct ifaddrmsg` after the family.
struct IfAddr {
    prefix_length: u8,
    flags: u8,
    scope: u8,
    index: u32,
}

impl IfAddr {
    fn parse(bytes: &[u8; IFADDRMSG]) -> IfAddr {
        let [_, prefix_length, flags, scope, index @ ..] = *bytes;
        IfAddr { prefix_length, flags, scope, index: u32::from_ne_bytes(index) }
    }
}

/// An attribute's IPv4 address.
pub(super) fn ipv4(attr: &Attr<'_>) -> Ipv4Addr {
    Ipv4Addr::from(attr.bytes::<4>().unwrap_or_default())
}

/// `RTM_NEWADDR`.
pub(crate) fn add(kernel: &mut Kernel, request: &Request<'_>) -> Result<Answer> {
    let info = IfAddr::parse(&request.fixed("ipv4: Invalid header for new address request")?);
    let attrs = request.attributes(IFADDRMSG, POLICY, Check::Lenient)?;
    let (dev, new) = wanted(kernel, request, &info, &attrs)?;
    let twin = |other: &Address| {
        other.prefix_length == new.prefix_length && other.local == new.local && other.covers(new.peer)
    };
    match kernel.addresses(dev).iter().position(twin) {
        // No address at all: accepted, and nothing comes of it.
        None if new.local.is_unspecified() => {}
        None => addr::add(kernel, dev, new)?,
        Some(at) if request.has(NLM_F_REPLACE) && !request.has(NLM_F_EXCL) => addr::change(kernel, dev, at, &new),
        Some(_) => return Err(Error::new(Errno::EEXIST, "ipv4: Address already assigned")),
    }
    Ok(Answer::Done)
}

fn wanted(kernel: &Kernel, request: &Request<'_>, info: &IfAddr, attrs: &Attributes<'_>) -> Result<(DevId, Address)> {
    if info.prefix_length > 32 {
        return Err(Error::new(Errno::EINVAL, "ipv4: Invalid prefix length"));
    }
    let local = attrs.get(IFA_LOCAL).ok_or(Error::new(Errno::EINVAL, "ipv4: Local address is not supplied"))?;
    let dev = device(kernel, request.ns, info.index)?;
    let device = kernel.devices.get(dev).filter(|device| device.ipv4.is_some()).ok_or(Errno::ENOBUFS)?;
    let label = attrs.get(IFA_LABEL).and_then(|label| label.text());
    let mut flags = attrs.get(IFA_FLAGS).map_or(info.flags.into(), |flags| flags.u32()) | flag::PERMANENT;
    let (mut valid, mut preferred) = (FOREVER, FOREVER);
    if let Some(lifetimes) = attrs.get(IFA_CACHEINFO) {
        let number = |at: usize| {
            lifetimes
                .payload
                .get(at..)
                .and_then(|rest| rest.first_chunk())
                .map_or(0, |bytes| u32::from_ne_bytes(*bytes))
        };
        (preferred, valid) = (number(0), number(4));
        if valid == 0 || preferred > valid {
            return Err(Error::new(Errno::EINVAL, "ipv4: address lifetime invalid"));
        }
        if valid != FOREVER {
            flags &= !flag::PERMANENT;
        }
        if preferred == 0 {
            flags |= flag::DEPRECATED;
        }
    }
    let new = Address {
        peer: ipv4(&attrs.get(IFA_ADDRESS).unwrap_or(local)),
        broadcast: attrs.get(IFA_BROADCAST).map(|broadcast| ipv4(&broadcast)),
        scope: info.scope,
        flags,
        metric: attrs.get(IFA_RT_PRIORITY).map_or(0, |metric| metric.u32()),
        protocol: attrs.get(IFA_PROTO).map_or(0, |protocol| protocol.u8()),
        valid,
        preferred,
        ..Address::new(ipv4(&local), info.prefix_length, label.unwrap_or(device.name.as_str()))
    };
    Ok((dev, new))
}

fn device(kernel: &Kernel, ns: NsId, index: u32) -> Result<DevId> {
    let found = kernel.namespaces.get(ns).and_then(|netns| netns.device_by_index(index));
    found.ok_or(Error::new(Errno::ENODEV, "ipv4: Device not found"))
}

/// `RTM_DELADDR`.
pub(crate) fn delete(kernel: &mut Kernel, request: &Request<'_>) -> Result<Answer> {
    let info = IfAddr::parse(&request.fixed("ipv4: Invalid header for delete address request")?);
    let attrs = request.attributes(IFADDRMSG, POLICY, Check::Lenient)?;
    let dev = device(kernel, request.ns, info.index)?;
    let local = attrs.get(IFA_LOCAL).map(|local| ipv4(&local));
    let peer = attrs.get(IFA_ADDRESS).map(|peer| ipv4(&peer));
    let label = attrs.get(IFA_LABEL).and_then(|label| label.text());
    let fits = |address: &Address| {
        local.is_none_or(|local| local == address.local)
            && label.is_none_or(|label| label == &*address.label)
            && peer.is_none_or(|peer| info.prefix_length == address.prefix_length && address.covers(peer))
    };
    let at = kernel.addresses(dev).iter().position(fits);
    let at = at.ok_or(Error::new(Errno::EADDRNOTAVAIL, "ipv4: Address not found"))?;
    addr::remove(kernel, dev, at);
    Ok(Answer::Done)
}

/// `RTM_GETADDR` for all: by ifindex, in each device's order.
pub(crate) fn dump(kernel: &mut Kernel, request: &Request<'_>) -> Result<Answer> {
    let mut ns = request.ns;
    let (mut only, mut nsid) = (None, None);
    if request.strict {
        let info = IfAddr::parse(&request.fixed("ipv4: Invalid header for address dump request")?);
        if info.prefix_length != 0 || info.flags != 0 || info.scope != 0 {
            return Err(Error::new(Errno::EINVAL, "ipv4: Invalid values in header for address dump request"));
        }
        let attrs = request.attributes(IFADDRMSG, POLICY, Check::Strict)?;
        attrs.only(&[IFA_TARGET_NETNSID], "ipv4: Unsupported attribute in dump request")?;
        if let Some(target) = attrs.get(IFA_TARGET_NETNSID) {
            ns = super::target::by_nsid(kernel, ns, target.i32())
                .ok_or(Error::new(Errno::EINVAL, "ipv4: Invalid target network namespace id"))?;
            nsid = Some(target.i32());
        }
        if info.index != 0 {
            only = Some(
                kernel.namespaces.get(ns).and_then(|netns| netns.device_by_index(info.index)).ok_or(Errno::ENODEV)?,
            );
        }
    }
    let filtered = if only.is_some() { NLM_F_DUMP_FILTERED } else { 0 };
    let (mut index, mut at) = (0, 0);
    let dump = Dump::new(move |kernel, out, header| {
        while let Some((ifindex, dev)) = super::link::get::next_device(kernel, ns, index) {
            match kernel.addresses(dev).get(at).cloned() {
                Some(address) if only.is_none_or(|only| only == dev) => {
                    at += 1;
                    let header = header.with_kind(RTM_NEWADDR).with_flags(filtered);
                    fill(kernel, dev, &address, out, header, nsid);
                    return Ok(true);
                }
                _ => (index, at) = (ifindex, 0),
            }
        }
        Ok(false)
    });
    Ok(Answer::Dump(dump.done_apart()))
}

/// Hundredths of a second since boot, as user space counts them.
pub(super) fn ticks(time: Instant) -> u32 {
    (time.since_boot().as_millis() / 10) as u32
}

fn fill(kernel: &Kernel, dev: DevId, address: &Address, out: &mut Writer, header: Header, nsid: Option<i32>) {
    let Some(device) = kernel.devices.get(dev) else { return };
    out.message(header, |out| {
        let [a, b, c, d] = device.ifindex.to_ne_bytes();
        out.raw(&[AF_INET, address.prefix_length, address.flags as u8, address.scope, a, b, c, d]);
        if let Some(nsid) = nsid {
            out.put(IFA_TARGET_NETNSID, &nsid.to_ne_bytes());
        }
        if !address.peer.is_unspecified() {
            out.put(IFA_ADDRESS, &address.peer.octets());
        }
        if !address.local.is_unspecified() {
            out.put(IFA_LOCAL, &address.local.octets());
        }
        if let Some(broadcast) = address.broadcast.filter(|broadcast| !broadcast.is_unspecified()) {
            out.put(IFA_BROADCAST, &broadcast.octets());
        }
        if !address.label.is_empty() {
            out.text(IFA_LABEL, &address.label);
        }
        if address.protocol != 0 {
            out.u8(IFA_PROTO, address.protocol);
        }
        out.u32(IFA_FLAGS, address.flags);
        if address.metric != 0 {
            out.u32(IFA_RT_PRIORITY, address.metric);
        }
        let lifetimes = [
            address.remaining(address.preferred, kernel.now),
            address.remaining(address.valid, kernel.now),
            ticks(address.created),
            ticks(address.updated),
        ];
        let lifetimes: Vec<u8> = lifetimes.iter().flat_map(|number| number.to_ne_bytes()).collect();
        out.put(IFA_CACHEINFO, &lifetimes);
    });
}

impl Kernel {
    /// An address is there or has changed (`new`), or is gone.
    pub(crate) fn notify_address(&mut self, dev: DevId, address: &Address, new: bool) {
        let Some(ns) = self.devices.get(dev).map(|device| device.ns) else { return };
        let kind = if new { RTM_NEWADDR } else { RTM_DELADDR };
        notify::multicast(self, ns, RTNLGRP_IPV4_IFADDR, |kernel, out| {
            fill(kernel, dev, address, out, Header { kind, ..Header::default() }, None);
        });
    }
}
