//! IPv6 addresses of devices (`RTM_*ADDR`).

use std::net::Ipv6Addr;

use super::attr::{Attr, Attributes, Check, Header, Policy, Rule, Writer};
use super::dispatch::{Answer, Dump, Request};
use super::ifaddrmsg::*;
use super::notify;
use super::uapi::*;
use crate::Kernel;
use crate::error::{Errno, Error, Result};
use crate::ipv6::addr::{self, Address, flag};
use crate::types::{DevId, NsId};

const POLICY: Policy = &[
    (IFA_ADDRESS, Rule::Exact(16)),
    (IFA_LOCAL, Rule::Exact(16)),
    (IFA_CACHEINFO, Rule::Exact(16)),
    (IFA_FLAGS, Rule::U32),
    (IFA_RT_PRIORITY, Rule::U32),
    (IFA_TARGET_NETNSID, Rule::U32),
    (IFA_PROTO, Rule::U8),
];

const REFUSALS: DumpRefusals = DumpRefusals {
    header: "ipv6: Invalid header for address dump request",
    values: "ipv6: Invalid values in header for address dump request",
    attribute: "ipv6: Unsupported attribute in address request",
    nsid: "ipv6: Invalid target network namespace id",
};

/// An attribute's IPv6 address.
pub(super) fn ipv6(attr: &Attr<'_>) -> Ipv6Addr {
    Ipv6Addr::from(attr.bytes::<16>().unwrap_or_default())
}

/// The address that a request is about, and the other end's if it names one.
fn named(attrs: &Attributes<'_>) -> Result<(Ipv6Addr, Ipv6Addr), Errno> {
    let (local, address) = (attrs.get(IFA_LOCAL), attrs.get(IFA_ADDRESS));
    let own = ipv6(&local.or(address).ok_or(Errno::EINVAL)?);
    let peer = address.map(|address| ipv6(&address)).filter(|peer| local.is_some() && *peer != own);
    Ok((own, peer.unwrap_or(Ipv6Addr::UNSPECIFIED)))
}

fn device(kernel: &Kernel, ns: NsId, index: u32) -> Result<DevId> {
    let found = kernel.device_by_index(ns, index);
    found.ok_or(Error::new(Errno::ENODEV, "ipv6: Unable to find the interface"))
}

/// `RTM_NEWADDR`.
pub(crate) fn add(kernel: &mut Kernel, request: &Request<'_>) -> Result<Answer> {
    let info = IfAddr::parse(&request.fixed("ipv6: Invalid header for new address request")?);
    let attrs = request.attributes(IFADDRMSG, POLICY, Check::Lenient)?;
    let new = wanted(&info, &attrs)?;
    let dev = device(kernel, request.ns, info.index)?;
    match kernel.address6(dev, new.address) {
        None => addr::add_by_hand(kernel, dev, new)?,
        Some(_) if request.has(NLM_F_REPLACE) && !request.has(NLM_F_EXCL) => addr::change(kernel, dev, &new),
        Some(_) => return Err(Error::new(Errno::EEXIST, "ipv6: address already assigned")),
    }
    Ok(Answer::Done)
}

fn wanted(info: &IfAddr, attrs: &Attributes<'_>) -> Result<Address> {
    let (address, peer) = named(attrs)?;
    if info.prefix_length > 128 {
        return Err(Error::new(Errno::EINVAL, "ipv6: Invalid prefix length"));
    }
    let flags = attrs.get(IFA_FLAGS).map_or(info.flags.into(), |flags| flags.u32()) & flag::SETTABLE;
    let lifetimes = Lifetimes::parse(attrs, "ipv6: address lifetime invalid")?;
    Ok(Address {
        peer,
        flags: flags | lifetimes.flags,
        metric: attrs.get(IFA_RT_PRIORITY).map_or(0, |metric| metric.u32()),
        protocol: attrs.get(IFA_PROTO).map_or(0, |protocol| protocol.u8()),
        valid: lifetimes.valid,
        preferred: lifetimes.preferred,
        ..Address::new(address, info.prefix_length)
    })
}

/// `RTM_DELADDR`.
pub(crate) fn delete(kernel: &mut Kernel, request: &Request<'_>) -> Result<Answer> {
    let info = IfAddr::parse(&request.fixed("ipv6: Invalid header for delete address request")?);
    let attrs = request.attributes(IFADDRMSG, POLICY, Check::Lenient)?;
    let (address, _) = named(&attrs)?;
    if info.prefix_length > 128 {
        return Err(Error::new(Errno::EINVAL, "ipv6: Invalid prefix length"));
    }
    let dev = device(kernel, request.ns, info.index)?;
    if kernel.devices.get(dev).is_some_and(|device| device.ipv6.is_none()) {
        return Err(Error::new(Errno::ENXIO, "ipv6: IPv6 is disabled on this device"));
    }
    if kernel.address6(dev, address).is_none_or(|own| own.prefix_length != info.prefix_length) {
        return Err(Error::new(Errno::EADDRNOTAVAIL, "ipv6: address not found"));
    }
    addr::remove(kernel, dev, address);
    Ok(Answer::Done)
}

/// `RTM_GETADDR` for all: by ifindex, in each device's order.
pub(crate) fn dump(kernel: &mut Kernel, request: &Request<'_>) -> Result<Answer> {
    let filter = DumpFilter::parse(kernel, request, POLICY, &REFUSALS)?;
    let (mut index, mut at) = (0, 0);
    let dump = Dump::new(move |kernel, out, header| {
        while let Some((ifindex, dev)) = super::link::get::next_device(kernel, filter.ns, index) {
            match kernel.addresses6(dev).get(at) {
                Some(address) if filter.shows(dev) => {
                    at += 1;
                    let header = header.with_kind(RTM_NEWADDR).with_flags(filter.flags());
                    fill(kernel, dev, address, out, header, filter.nsid);
                    return Ok(true);
                }
                _ => (index, at) = (ifindex, 0),
            }
        }
        Ok(false)
    });
    Ok(Answer::Dump(dump))
}

/// `RTM_GETADDR` for one: by device and address, or by address alone.
pub(crate) fn get(kernel: &mut Kernel, request: &Request<'_>) -> Result<Answer> {
    let info = IfAddr::parse(&request.fixed("ipv6: Invalid header for get address request")?);
    let attrs = request.attributes(IFADDRMSG, POLICY, request.check())?;
    let (address, _) = named(&attrs)?;
    let netns = kernel.namespaces.get(request.ns).ok_or(Errno::EINVAL)?;
    let named = netns.device_by_index(info.index);
    let has = |dev: &DevId| kernel.address6(*dev, address).is_some();
    let dev = named.filter(|dev| has(dev)).or_else(|| netns.devices().find(has)).ok_or(Errno::EADDRNOTAVAIL)?;
    let own = kernel.address6(dev, address).ok_or(Errno::EADDRNOTAVAIL)?;
    let mut out = Writer::new();
    fill(kernel, dev, own, &mut out, request.reply(RTM_NEWADDR), None);
    Ok(Answer::Reply(out))
}

fn fill(kernel: &Kernel, dev: DevId, own: &Address, out: &mut Writer, header: Header, nsid: Option<i32>) {
    let Some(device) = kernel.devices.get(dev) else { return };
    out.message(header, |out| {
        let [a, b, c, d] = device.ifindex.to_ne_bytes();
        out.raw(&[AF_INET6, own.prefix_length, own.flags as u8, own.scope, a, b, c, d]);
        if let Some(nsid) = nsid {
            out.put(IFA_TARGET_NETNSID, &nsid.to_ne_bytes());
        }
        if own.peer.is_unspecified() {
            out.put(IFA_ADDRESS, &own.address.octets());
        } else {
            out.put(IFA_LOCAL, &own.address.octets());
            out.put(IFA_ADDRESS, &own.peer.octets());
        }
        if own.metric != 0 {
            out.u32(IFA_RT_PRIORITY, own.metric);
        }
        let remaining = [own.preferred, own.valid].map(|lifetime| own.remaining(lifetime, kernel.now));
        fill_cache_info(remaining, [own.created, own.updated], out);
        out.u32(IFA_FLAGS, own.flags);
        if own.protocol != 0 {
            out.u8(IFA_PROTO, own.protocol);
        }
    });
}

impl Kernel {
    /// An address is there or has changed.
    pub(crate) fn notify_address6(&mut self, dev: DevId, address: Ipv6Addr) {
        if let Some(own) = self.address6(dev, address).cloned() {
            self.tell_address6(dev, &own, true);
        }
    }

    /// An address is gone.
    pub(crate) fn notify_address6_gone(&mut self, dev: DevId, own: &Address) {
        self.tell_address6(dev, own, false);
    }

    fn tell_address6(&mut self, dev: DevId, own: &Address, new: bool) {
        let Some(ns) = self.devices.get(dev).map(|device| device.ns) else { return };
        let kind = if new { RTM_NEWADDR } else { RTM_DELADDR };
        notify::multicast(self, ns, RTNLGRP_IPV6_IFADDR, |kernel, out| {
            fill(kernel, dev, own, out, Header { kind, ..Header::default() }, None);
        });
    }
}
