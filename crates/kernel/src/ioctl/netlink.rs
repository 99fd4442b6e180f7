//! Old requests that are put to rtnetlink: routes and IPv6 addresses.

use std::net::Ipv4Addr;

use super::{inet::mask_prefix, request::*};
use crate::error::{Errno, Result};
use crate::ipv4::{address_type, kind};
use crate::rtnetlink::attr::{Header, Writer};
use crate::rtnetlink::dispatch::{self, Request};
use crate::rtnetlink::ifaddrmsg::{IFA_ADDRESS, IFA_LOCAL};
use crate::rtnetlink::rtmsg::{RTA_DST, RTA_GATEWAY, RTA_OIF, RTA_PRIORITY};
use crate::rtnetlink::uapi::*;
use crate::socket::SocketAddress;
use crate::types::{NsId, SocketId};
use crate::{Caller, Kernel};

const RTF_GATEWAY: u32 = 0x2;
const RTF_HOST: u32 = 0x4;
const RTF_REJECT: u32 = 0x200;

const RT_TABLE_MAIN: u8 = 254;
const RTPROT_BOOT: u8 = 3;
const RTN_UNICAST: u8 = 1;
const RTN_UNREACHABLE: u8 = 7;
const RT_SCOPE_UNIVERSE: u8 = 0;
const RT_SCOPE_LINK: u8 = 253;
const RT_SCOPE_HOST: u8 = 254;
const RT_SCOPE_NOWHERE: u8 = 255;

/// Puts a request to rtnetlink and waits for its end.
fn ask(
    kernel: &mut Kernel,
    ns: NsId,
    (kind, flags): (u16, u16),
    caller: &dyn Caller,
    body: impl FnOnce(&mut Writer),
) -> Result<i32, Errno> {
    let mut out = Writer::new();
    let flags = flags | NLM_F_REQUEST;
    out.message(Header { kind, flags, sequence: 0, port: 0 }, body);
    let message = out.into_bytes();
    let request = Request {
        ns,
        socket: SocketId::default(),
        port: 0,
        kind,
        flags,
        sequence: 0,
        strict: false,
        message: &message,
        caller,
    };
    dispatch::request(kernel, &request).map(|_| 0).map_err(Errno::from)
}

fn field<const N: usize>(argument: &[u8], at: usize) -> Result<[u8; N], Errno> {
    argument.get(at..).and_then(|rest| rest.first_chunk()).copied().ok_or(Errno::EFAULT)
}

fn sockaddr(argument: &[u8], at: usize) -> Result<(u16, Ipv4Addr), Errno> {
    let bytes: [u8; 16] = field(argument, at)?;
    match SocketAddress::parse(&bytes) {
        Ok(SocketAddress::V4 { address, .. }) => Ok((AF_INET.into(), address)),
        _ => Ok((u16::from_ne_bytes([bytes[0], bytes[1]]), Ipv4Addr::new(bytes[4], bytes[5], bytes[6], bytes[7]))),
    }
}

/// `SIOCADDRT` and `SIOCDELRT` with a `struct rtentry`; `device` is the name that it points to.
pub(super) fn route4(
    kernel: &mut Kernel,
    ns: NsId,
    request: u32,
    argument: &[u8],
    device: Option<&[u8]>,
    caller: &dyn Caller,
) -> Result<i32, Errno> {
    let adding = request == SIOCADDRT;
    let (family, destination) = sockaddr(argument, 8)?;
    let (_, gateway) = sockaddr(argument, 24)?;
    let (mask_family, mask) = sockaddr(argument, 40)?;
    let flags = u32::from(u16::from_ne_bytes(field(argument, 56)?));
    let metric = i16::from_ne_bytes(field(argument, 80)?);
    if family != u16::from(AF_INET) {
        return Err(Errno::EAFNOSUPPORT);
    }
    let prefix = if flags & RTF_HOST != 0 {
        32
    } else {
        if mask_family != u16::from(AF_INET) && (mask_family != 0 || !mask.is_unspecified()) {
            return Err(Errno::EAFNOSUPPORT);
        }
        let prefix = mask_prefix(mask).ok_or(Errno::EINVAL)?;
        if destination.to_bits() & !crate::ipv4::addr::netmask(prefix) != 0 {
            return Err(Errno::EINVAL);
        }
        prefix
    };
    let mut oif = None;
    let (kind, scope) = if flags & RTF_REJECT != 0 {
        (RTN_UNREACHABLE, RT_SCOPE_HOST)
    } else {
        if let Some(name) = device {
            let end = name.iter().position(|byte| *byte == 0).unwrap_or(name.len());
            let name = std::str::from_utf8(&name[..end]).map_err(|_| Errno::ENODEV)?;
            let name = name.split(':').next().unwrap_or_default();
            let dev = kernel.namespaces[ns].device_by_name(name).ok_or(Errno::ENODEV)?;
            oif = Some(kernel.devices[dev].ifindex);
        }
        if adding && flags & RTF_GATEWAY != 0 && gateway.is_unspecified() {
            return Err(Errno::EINVAL);
        }
        let scope = match (adding, flags & RTF_GATEWAY != 0) {
            (false, _) => RT_SCOPE_NOWHERE,
            // A gateway that is this host itself is no farther than the link.
            (true, true) if address_type(kernel, ns, gateway) == kind::UNICAST => RT_SCOPE_UNIVERSE,
            (true, _) => RT_SCOPE_LINK,
        };
        (RTN_UNICAST, scope)
    };
    let (message, create) = if adding { (RTM_NEWROUTE, NLM_F_CREATE) } else { (RTM_DELROUTE, 0) };
    ask(kernel, ns, (message, create), caller, |out| {
        // Who made a route to be deleted doesn't matter.
        let protocol = if adding { RTPROT_BOOT } else { 0 };
        out.raw(&[AF_INET, prefix, 0, 0, RT_TABLE_MAIN, protocol, scope, kind, 0, 0, 0, 0]);
        if prefix > 0 {
            out.put(RTA_DST, &destination.octets());
        }
        if let Some(oif) = oif {
            out.u32(RTA_OIF, oif);
        }
        if !gateway.is_unspecified() && flags & RTF_REJECT == 0 {
            out.put(RTA_GATEWAY, &gateway.octets());
        }
        // The number given is one more than the metric.
        if metric > 1 {
            out.u32(RTA_PRIORITY, metric as u32 - 1);
        }
    })
}

/// `SIOCADDRT` and `SIOCDELRT` with a `struct in6_rtmsg`.
pub(super) fn route6(
    kernel: &mut Kernel,
    ns: NsId,
    request: u32,
    argument: &[u8],
    caller: &dyn Caller,
) -> Result<i32, Errno> {
    let destination: [u8; 16] = field(argument, 0)?;
    let gateway: [u8; 16] = field(argument, 32)?;
    let prefix = u8::try_from(u16::from_ne_bytes(field(argument, 52)?)).map_err(|_| Errno::EINVAL)?;
    let metric = u32::from_ne_bytes(field(argument, 56)?);
    let flags = u32::from_ne_bytes(field(argument, 72)?);
    let ifindex = u32::from_ne_bytes(field(argument, 76)?);
    let adding = request == SIOCADDRT;
    let (message, create) = if adding { (RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL) } else { (RTM_DELROUTE, 0) };
    ask(kernel, ns, (message, create), caller, |out| {
        let kind = if flags & RTF_REJECT != 0 { RTN_UNREACHABLE } else { RTN_UNICAST };
        let protocol = if adding { RTPROT_BOOT } else { 0 };
        out.raw(&[AF_INET6, prefix, 0, 0, RT_TABLE_MAIN, protocol, RT_SCOPE_UNIVERSE, kind, 0, 0, 0, 0]);
        if prefix > 0 {
            out.put(RTA_DST, &destination);
        }
        if ifindex != 0 {
            out.u32(RTA_OIF, ifindex);
        }
        if flags & RTF_GATEWAY != 0 {
            out.put(RTA_GATEWAY, &gateway);
        }
        if metric != 0 {
            out.u32(RTA_PRIORITY, metric);
        }
    })
}

/// `SIOCSIFADDR` and `SIOCDIFADDR` with a `struct in6_ifreq`.
pub(super) fn address6(
    kernel: &mut Kernel,
    ns: NsId,
    request: u32,
    argument: &[u8],
    caller: &dyn Caller,
) -> Result<i32, Errno> {
    let address: [u8; 16] = field(argument, 0)?;
    let prefix = u8::try_from(u32::from_ne_bytes(field(argument, 16)?)).map_err(|_| Errno::EINVAL)?;
    let ifindex: [u8; 4] = field(argument, 20)?;
    let (message, create) = match request {
        SIOCSIFADDR => (RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL),
        SIOCDIFADDR => (RTM_DELADDR, 0),
        _ => return Err(Errno::EINVAL),
    };
    ask(kernel, ns, (message, create), caller, |out| {
        let [a, b, c, d] = ifindex;
        out.raw(&[AF_INET6, prefix, 0, 0, a, b, c, d]);
        out.put(IFA_LOCAL, &address);
        out.put(IFA_ADDRESS, &address);
    })
}
