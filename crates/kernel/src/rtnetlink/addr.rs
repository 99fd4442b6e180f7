//! IPv4 addresses of devices (`RTM_*ADDR`).

use std::net::Ipv4Addr;

use super::attr::{Attr, Attributes, Check, Header, Policy, Rule, Writer};
use super::dispatch::{Answer, Dump, Request};
use super::ifaddrmsg::*;
use super::notify;
use super::uapi::*;
use crate::Kernel;
use crate::error::{Errno, Error, Result};
use crate::ipv4::addr::{self, Address, FOREVER, flag};
use crate::types::{DevId, NsId};

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

const REFUSALS: DumpRefusals = DumpRefusals {
    header: "ipv4: Invalid header for address dump request",
    values: "ipv4: Invalid values in header for address dump request",
    attribute: "ipv4: Unsupported attribute in dump request",
    nsid: "ipv4: Invalid target network namespace id",
};

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
    let flags = attrs.get(IFA_FLAGS).map_or(info.flags.into(), |flags| flags.u32()) & !flag::PERMANENT;
    let lifetimes = Lifetimes::parse(attrs, "ipv4: address lifetime invalid")?;
    let new = Address {
        peer: ipv4(&attrs.get(IFA_ADDRESS).unwrap_or(local)),
        broadcast: attrs.get(IFA_BROADCAST).map(|broadcast| ipv4(&broadcast)),
        scope: info.scope,
        flags: flags | lifetimes.flags,
        metric: attrs.get(IFA_RT_PRIORITY).map_or(0, |metric| metric.u32()),
        protocol: attrs.get(IFA_PROTO).map_or(0, |protocol| protocol.u8()),
        valid: lifetimes.valid,
        preferred: lifetimes.preferred,
        ..Address::new(ipv4(&local), info.prefix_length, label.unwrap_or(device.name.as_str()))
    };
    Ok((dev, new))
}

fn device(kernel: &Kernel, ns: NsId, index: u32) -> Result<DevId> {
    let found = kernel.device_by_index(ns, index);
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
    let filter = DumpFilter::parse(kernel, request, POLICY, &REFUSALS)?;
    let (mut index, mut at) = (0, 0);
    let dump = Dump::new(move |kernel, out, header| {
        while let Some((ifindex, dev)) = super::link::get::next_device(kernel, filter.ns, index) {
            match kernel.addresses(dev).get(at).cloned() {
                Some(address) if filter.shows(dev) => {
                    at += 1;
                    let header = header.with_kind(RTM_NEWADDR).with_flags(filter.flags());
                    fill(kernel, dev, &address, out, header, filter.nsid);
                    return Ok(true);
                }
                _ => (index, at) = (ifindex, 0),
            }
        }
        Ok(false)
    });
    Ok(Answer::Dump(dump.done_apart()))
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
        let permanent = address.flags & flag::PERMANENT != 0;
        let remaining = [address.preferred, address.valid]
            .map(|lifetime| if permanent { FOREVER } else { address.remaining(lifetime, kernel.now) });
        fill_cache_info(remaining, [address.created, address.updated], out);
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
