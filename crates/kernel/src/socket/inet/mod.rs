//! Raw and ping sockets, and the datagram sockets that commands make for ioctls and to learn a source address.
//!
//! UDP and TCP come later; their sockets will be further kinds here.

mod deliver;
mod error_queue;
mod options;
mod receive;
mod send;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

pub(crate) use deliver::{deliver_ipv4, deliver_ipv6};
pub(crate) use error_queue::{icmp_error, icmpv6_error};
pub(super) use options::{option, set_option};
pub(super) use receive::{Received, receive};
pub(super) use send::send;

use super::{ReceiveQueue, SOCK_DGRAM, SOCK_RAW, SocketAddress, SocketKind, family};
use crate::error::{Errno, Result};
use crate::types::{DevId, SocketId};
use crate::{Control, Kernel, ipv4, ipv6};

/// IP protocol numbers.
pub(crate) mod protocol {
    pub(crate) const ICMP: u8 = 1;
    pub(crate) const UDP: u8 = 17;
    pub(crate) const ICMPV6: u8 = 58;
    pub(crate) const RAW: u8 = 255;
}

/// `RTN_BROADCAST`.
const BROADCAST_ROUTE: u8 = 3;

/// How a socket takes part in the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Sees every packet of its protocol.
    Raw,
    /// Sends echo requests under an identifier of its own and gets the replies to them.
    Ping,
    /// Has addresses and no data yet.
    Datagram,
}

/// A socket of `AF_INET` or `AF_INET6`.
#[derive(Debug)]
pub(crate) struct InetSocket {
    pub(super) domain: i32,
    pub(super) kind: i32,
    pub(super) protocol: u8,
    mode: Mode,
    /// The address it is bound to; unspecified for any.
    local: IpAddr,
    local_port: u16,
    /// Where it is connected to.
    remote: Option<IpAddr>,
    remote_port: u16,
    remote_scope: u32,
    options: options::InetOptions,
    pub(super) queue: ReceiveQueue<Received>,
}

impl InetSocket {
    /// `ping_sockets`: whether `ping_group_range` lets anybody have one.
    pub(super) fn new(domain: i32, kind: i32, protocol: i32, ping_sockets: bool) -> Result<InetSocket, Errno> {
        let number = u8::try_from(protocol).map_err(|_| Errno::EPROTONOSUPPORT)?;
        let icmp = if domain == family::INET { protocol::ICMP } else { protocol::ICMPV6 };
        let mode = match (kind, number) {
            (SOCK_RAW, 0) => return Err(Errno::EPROTONOSUPPORT),
            (SOCK_RAW, _) => Mode::Raw,
            // Nobody's group is in Linux's default `ping_group_range`: they are for whoever widens it.
            (SOCK_DGRAM, number) if number == icmp && ping_sockets => Mode::Ping,
            (SOCK_DGRAM, number) if number == icmp => return Err(Errno::EACCES),
            (SOCK_DGRAM, 0 | protocol::UDP) => Mode::Datagram,
            (SOCK_DGRAM, _) => return Err(Errno::EPROTONOSUPPORT),
            // TCP has no place yet.
            _ => return Err(Errno::ESOCKTNOSUPPORT),
        };
        let number = if mode == Mode::Datagram { protocol::UDP } else { number };
        let any =
            if domain == family::INET { IpAddr::V4(Ipv4Addr::UNSPECIFIED) } else { IpAddr::V6(Ipv6Addr::UNSPECIFIED) };
        Ok(InetSocket {
            domain,
            kind,
            protocol: number,
            mode,
            local: any,
            local_port: 0,
            remote: None,
            remote_port: 0,
            remote_scope: 0,
            options: options::InetOptions::new(domain, number),
            queue: ReceiveQueue::default(),
        })
    }
}

fn get(kernel: &mut Kernel, socket: SocketId) -> Result<&mut InetSocket, Errno> {
    match &mut kernel.open_socket(socket)?.kind {
        SocketKind::Inet(inet) => Ok(inet),
        _ => Err(Errno::ENOTSOCK),
    }
}

/// Parses an address of the socket's own family.
fn parse(inet: &InetSocket, address: &[u8]) -> Result<(IpAddr, u16, u32), Errno> {
    match (SocketAddress::parse(address)?, inet.domain) {
        (SocketAddress::V4 { address, port }, family::INET) => Ok((address.into(), port, 0)),
        (SocketAddress::V6 { address, port, scope }, family::INET6) => Ok((address.into(), port, scope)),
        _ => Err(Errno::EAFNOSUPPORT),
    }
}

pub(super) fn bind(kernel: &mut Kernel, socket: SocketId, address: &[u8]) -> Result<(), Errno> {
    let open = kernel.open_socket(socket)?;
    let (ns, bound) = (open.ns, open.bound_device);
    let (address, port, scope) = parse(get(kernel, socket)?, address)?;
    let known = match address {
        IpAddr::V4(address) => address.is_unspecified() || ipv4::is_bindable(kernel, ns, address),
        IpAddr::V6(address) => {
            let dev = bound.or_else(|| kernel.namespaces[ns].device_by_index(scope));
            address.is_unspecified() || ipv6::is_bindable(kernel, ns, address, dev)
        }
    };
    if !known {
        return Err(Errno::EADDRNOTAVAIL);
    }
    let inet = get(kernel, socket)?;
    inet.local = address;
    inet.local_port = port;
    if inet.mode == Mode::Ping && port == 0 {
        choose_ping_id(kernel, socket);
    }
    Ok(())
}

/// An echo identifier that no other ping socket of the namespace has.
fn choose_ping_id(kernel: &mut Kernel, socket: SocketId) {
    let Some(ns) = kernel.sockets.get(socket).map(|open| open.ns) else { return };
    let taken: Vec<u16> = kernel.namespaces[ns]
        .inet_sockets
        .iter()
        .filter_map(|other| match &kernel.sockets.get(*other)?.kind {
            SocketKind::Inet(inet) if inet.mode == Mode::Ping => Some(inet.local_port),
            _ => None,
        })
        .collect();
    let mut id = kernel.rng.u16(1..);
    while taken.contains(&id) {
        id = id.wrapping_add(1).max(1);
    }
    if let Ok(inet) = get(kernel, socket) {
        inet.local_port = id;
    }
}

pub(super) fn connect(kernel: &mut Kernel, socket: SocketId, address: &[u8]) -> Result<(), Errno> {
    if SocketAddress::parse(address)? == SocketAddress::Unspecified {
        get(kernel, socket)?.remote = None;
        return Ok(());
    }
    let open = kernel.open_socket(socket)?;
    let (ns, bound, broadcast) = (open.ns, open.bound_device, open.options.broadcast);
    let inet = get(kernel, socket)?;
    let (remote, port, scope) = parse(inet, address)?;
    let (local, options) = (inet.local, inet.options);
    let source = match (remote, local) {
        (IpAddr::V4(remote), IpAddr::V4(local)) => {
            let oif = bound.or_else(|| options.multicast_device(kernel, ns, remote.is_multicast()));
            let flow = ipv4::Flow { source: local, oif, tos: options.tos, ..ipv4::Flow::to(remote) };
            let route = ipv4::lookup(kernel, ns, &flow)?;
            if route.kind == BROADCAST_ROUTE && !broadcast {
                return Err(Errno::EACCES);
            }
            IpAddr::V4(route.source)
        }
        (IpAddr::V6(remote), IpAddr::V6(local)) => {
            let oif = bound
                .or_else(|| kernel.namespaces[ns].device_by_index(scope))
                .or_else(|| options.packet_device(kernel, ns))
                .or_else(|| options.multicast_device(kernel, ns, remote.is_multicast()));
            IpAddr::V6(ipv6::lookup(kernel, ns, &ipv6::Flow { destination: remote, source: local, oif })?.source)
        }
        _ => return Err(Errno::EAFNOSUPPORT),
    };
    let inet = get(kernel, socket)?;
    inet.remote = Some(remote);
    inet.remote_port = port;
    inet.remote_scope = scope;
    if inet.local.is_unspecified() {
        inet.local = source;
    }
    let unnamed = inet.local_port == 0;
    match inet.mode {
        Mode::Ping if unnamed => choose_ping_id(kernel, socket),
        Mode::Datagram if unnamed => get(kernel, socket)?.local_port = kernel_port(kernel),
        _ => {}
    }
    Ok(())
}

/// A port of `net.ipv4.ip_local_port_range`.
fn kernel_port(kernel: &mut Kernel) -> u16 {
    kernel.rng.u16(32_768..=60_999)
}

pub(super) fn local_address(kernel: &mut Kernel, socket: SocketId) -> Result<Vec<u8>, Errno> {
    let inet = get(kernel, socket)?;
    let port = inet.local_port;
    Ok(match inet.local {
        IpAddr::V4(address) => SocketAddress::V4 { address, port },
        IpAddr::V6(address) => SocketAddress::V6 { address, port, scope: inet.remote_scope },
    }
    .to_bytes())
}

/// An `int` as an ancillary message.
fn control_int(level: i32, kind: i32, value: i32) -> Control {
    Control { level, kind, data: value.to_ne_bytes().to_vec() }
}

/// Whether a socket bound to `bound` takes what came in on `dev`.
fn device_matches(bound: Option<DevId>, dev: DevId) -> bool {
    bound.is_none_or(|bound| bound == dev)
}
