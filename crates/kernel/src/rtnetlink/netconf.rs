//! `RTM_GETNETCONF`: the settings of IPv4 and IPv6 that decide whether packets pass, by device.

use super::attr::{Check, Header, Policy, Rule, Writer};
use super::dispatch::{Answer, Dump, Request};
use super::link::get::next_device;
use super::notify;
use super::uapi::*;
use crate::Kernel;
use crate::error::{Errno, Result};
use crate::types::{DevId, NsId};

/// Bytes of a `struct netconfmsg`, padded.
const NETCONFMSG: usize = 4;

const NETCONFA_IFINDEX: u16 = 1;
const NETCONFA_FORWARDING: u16 = 2;
const NETCONFA_RP_FILTER: u16 = 3;
const NETCONFA_MC_FORWARDING: u16 = 4;
const NETCONFA_PROXY_NEIGH: u16 = 5;
const NETCONFA_IGNORE_ROUTES_WITH_LINKDOWN: u16 = 6;
const NETCONFA_BC_FORWARDING: u16 = 8;

/// The ifindexes that stand for `conf/all` and `conf/default`.
const ALL: i32 = -1;
const DEFAULT: i32 = -2;

const POLICY: Policy = &[(NETCONFA_IFINDEX, Rule::U32)];

/// Whose settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// A device's (`conf/DEV`).
    Device(DevId),
    /// `conf/all`.
    All,
    /// `conf/default`: those that a new device gets.
    Default,
}

/// The settings; those that a family doesn't have are `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Settings {
    pub(crate) forwarding: i32,
    pub(crate) rp_filter: Option<i32>,
    pub(crate) mc_forwarding: i32,
    pub(crate) bc_forwarding: Option<i32>,
    pub(crate) proxy_neigh: i32,
    pub(crate) ignore_routes_with_linkdown: i32,
}

/// A device's settings, or those for all or for new ones.
pub(crate) fn get(kernel: &mut Kernel, request: &Request<'_>) -> Result<Answer> {
    let [family, ..] = request.fixed::<1>("Invalid header for netconf get request")?;
    let attrs = request.attributes(NETCONFMSG, POLICY, Check::Lenient)?;
    let index = attrs.get(NETCONFA_IFINDEX).ok_or(Errno::EINVAL)?.i32();
    let scope = match index {
        ALL => Scope::All,
        DEFAULT => Scope::Default,
        _ => {
            let netns = kernel.namespaces.get(request.ns).ok_or(Errno::EINVAL)?;
            let dev = u32::try_from(index).ok().and_then(|index| netns.device_by_index(index));
            Scope::Device(dev.ok_or(Errno::ENODEV)?)
        }
    };
    let settings = settings(kernel, request.ns, family, scope).ok_or(Errno::EINVAL)?;
    let mut out = Writer::new();
    fill(&mut out, request.reply(RTM_NEWNETCONF), family, index, Some(settings));
    Ok(Answer::Reply(out))
}

/// Every device's, then those for all and for new ones; of both families where none is named.
pub(crate) fn dump(_kernel: &mut Kernel, request: &Request<'_>) -> Result<Answer> {
    let [family, ..] = request.fixed::<1>("Invalid header for netconf dump request")?;
    let ns = request.ns;
    let families: &[u8] = match family {
        AF_UNSPEC => &[AF_INET, AF_INET6],
        AF_INET => &[AF_INET],
        AF_INET6 => &[AF_INET6],
        _ => return Err(Errno::EOPNOTSUPP.into()),
    };
    let mut families = families.iter().copied().peekable();
    let mut place = Place::After(0);
    Ok(Answer::Dump(Dump::new(move |kernel, out, header| {
        while let Some(family) = families.peek().copied() {
            let (index, scope);
            (index, scope, place) = match place {
                Place::After(last) => match next_device(kernel, ns, last) {
                    Some((ifindex, dev)) => (ifindex as i32, Scope::Device(dev), Place::After(ifindex)),
                    None => (ALL, Scope::All, Place::Default),
                },
                Place::Default => {
                    families.next();
                    (DEFAULT, Scope::Default, Place::After(0))
                }
            };
            if let Some(settings) = settings(kernel, ns, family, scope) {
                fill(out, header.with_kind(RTM_NEWNETCONF), family, index, Some(settings));
                return Ok(true);
            }
        }
        Ok(false)
    })))
}

/// Where a dump goes on.
#[derive(Clone, Copy)]
enum Place {
    /// After the device with that ifindex.
    After(u32),
    Default,
}

/// Tells the listeners that settings are there or have changed.
pub(crate) fn tell(kernel: &mut Kernel, ns: NsId, family: u8, scope: Scope) {
    tell_as(kernel, ns, family, scope, true);
}

/// Tells the listeners that a device no longer has settings.
pub(crate) fn tell_gone(kernel: &mut Kernel, ns: NsId, family: u8, dev: DevId) {
    tell_as(kernel, ns, family, Scope::Device(dev), false);
}

fn tell_as(kernel: &mut Kernel, ns: NsId, family: u8, scope: Scope, there: bool) {
    let group = if family == AF_INET6 { RTNLGRP_IPV6_NETCONF } else { RTNLGRP_IPV4_NETCONF };
    notify::multicast(kernel, ns, group, |kernel, out| {
        let index = match scope {
            Scope::All => ALL,
            Scope::Default => DEFAULT,
            Scope::Device(dev) => kernel.devices.get(dev).map_or(0, |device| device.ifindex as i32),
        };
        let kind = if there { RTM_NEWNETCONF } else { RTM_DELNETCONF };
        let settings = settings(kernel, ns, family, scope).filter(|_| there);
        fill(out, Header { kind, ..Header::default() }, family, index, settings);
    });
}

fn settings(kernel: &Kernel, ns: NsId, family: u8, scope: Scope) -> Option<Settings> {
    match family {
        AF_INET => crate::ipv4::netconf(kernel, ns, scope),
        AF_INET6 => crate::ipv6::netconf(kernel, ns, scope),
        _ => None,
    }
}

fn fill(out: &mut Writer, header: Header, family: u8, index: i32, settings: Option<Settings>) {
    out.message(header, |out| {
        out.raw(&[family]);
        out.u32(NETCONFA_IFINDEX, index as u32);
        let Some(settings) = settings else { return };
        for (kind, value) in [
            (NETCONFA_FORWARDING, Some(settings.forwarding)),
            (NETCONFA_RP_FILTER, settings.rp_filter),
            (NETCONFA_MC_FORWARDING, Some(settings.mc_forwarding)),
            (NETCONFA_BC_FORWARDING, settings.bc_forwarding),
            (NETCONFA_PROXY_NEIGH, Some(settings.proxy_neigh)),
            (NETCONFA_IGNORE_ROUTES_WITH_LINKDOWN, Some(settings.ignore_routes_with_linkdown)),
        ] {
            if let Some(value) = value {
                out.u32(kind, value as u32);
            }
        }
    });
}
