//! Sending from raw and ping sockets.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::options::PathMtu;
use super::{BROADCAST_ROUTE, Mode, choose_ping_id, error_queue, get, parse, protocol};
use crate::error::{Errno, Result};
use crate::socket::{Socket, SocketKind};
use crate::types::SocketId;
use crate::{Kernel, ipv4, ipv6};

/// The longest datagram, header included.
const IP_MAX: usize = 65_535;
const ECHO_REQUEST: u8 = 8;
const ECHO_REQUEST_V6: u8 = 128;

pub(in crate::socket) fn send(
    kernel: &mut Kernel,
    socket: SocketId,
    data: &[u8],
    address: &[u8],
) -> Result<usize, Errno> {
    let inet = get(kernel, socket)?;
    if inet.mode == Mode::Datagram {
        return Err(Errno::EOPNOTSUPP);
    }
    let (destination, scope) = if address.is_empty() {
        (inet.remote.ok_or(Errno::EDESTADDRREQ)?, inet.remote_scope)
    } else {
        let (destination, _, scope) = parse(inet, address)?;
        (destination, scope)
    };
    if data.len() > IP_MAX {
        return Err(Errno::EMSGSIZE);
    }
    let mut prepared;
    let data_length = data.len();
    let data = if inet.mode == Mode::Ping {
        prepared = data.to_vec();
        prepare_echo(kernel, socket, &mut prepared)?;
        &prepared
    } else {
        data
    };
    match destination {
        IpAddr::V4(destination) => send_v4(kernel, socket, destination, data)?,
        IpAddr::V6(destination) => send_v6(kernel, socket, destination, scope, data)?,
    }
    Ok(data_length)
}

/// A ping socket sends nothing but echo requests, under its own identifier.
fn prepare_echo(kernel: &mut Kernel, socket: SocketId, message: &mut [u8]) -> Result<(), Errno> {
    if get(kernel, socket)?.local_port == 0 {
        choose_ping_id(kernel, socket);
    }
    let inet = get(kernel, socket)?;
    let v4 = inet.protocol == protocol::ICMP;
    let request = if v4 { ECHO_REQUEST } else { ECHO_REQUEST_V6 };
    let id = inet.local_port;
    let header: &mut [u8; 8] = message.first_chunk_mut().ok_or(Errno::EINVAL)?;
    if header[0] != request || header[1] != 0 {
        return Err(Errno::EINVAL);
    }
    header[2..4].fill(0);
    header[4..6].copy_from_slice(&id.to_be_bytes());
    if v4 {
        let sum = checksum(message);
        message[2..4].copy_from_slice(&sum.to_be_bytes());
    }
    Ok(())
}

/// The Internet checksum (RFC 1071).
fn checksum(bytes: &[u8]) -> u16 {
    let (words, rest) = bytes.as_chunks::<2>();
    let mut sum: u64 = words.iter().map(|word| u64::from(u16::from_be_bytes(*word))).sum();
    sum += rest.first().map_or(0, |byte| u64::from(*byte) << 8);
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

fn send_v4(kernel: &mut Kernel, socket: SocketId, destination: Ipv4Addr, data: &[u8]) -> Result<(), Errno> {
    let Some(Socket { ns, bound_device: bound, options: general, kind: SocketKind::Inet(inet), .. }) =
        kernel.sockets.get(socket)
    else {
        return Err(Errno::EBADF);
    };
    let (ns, bound, broadcast, options) = (*ns, *bound, general.broadcast, &inet.options);
    let IpAddr::V4(mut source) = inet.local else { return Err(Errno::EAFNOSUPPORT) };
    let to_group = destination.is_multicast();
    let oif = bound.or_else(|| options.multicast_device(kernel, ns, to_group));
    let (mut tos, mut ttl, mut number, mut data) = (options.tos, options.ttl, inet.protocol, data);
    let (path_mtu, header_included) = (options.path_mtu, options.header_included);
    let (multicast_ttl, ip_options) = (options.multicast_ttl, options.ip_options());
    let mut dont_fragment = path_mtu != PathMtu::Dont;
    if header_included {
        // The caller made the header: what it says goes, but for what the kernel always fills in.
        let header: &[u8; 20] = data.first_chunk().ok_or(Errno::EINVAL)?;
        let length = usize::from(header[0] & 15) * 4;
        if header[0] >> 4 != 4 || length < 20 || length > data.len() {
            return Err(Errno::EINVAL);
        }
        (tos, ttl, number) = (header[1], header[8], header[9]);
        dont_fragment = header[6] & 0x40 != 0;
        let given = Ipv4Addr::new(header[12], header[13], header[14], header[15]);
        if !given.is_unspecified() {
            source = given;
        }
        data = &data[length..];
    }
    let route = ipv4::lookup_here(kernel, ns, ipv4::Flow { source, oif, tos, ..ipv4::Flow::to(destination) })?;
    if route.kind == BROADCAST_ROUTE && !broadcast {
        return Err(Errno::EACCES);
    }
    let ip_options = ip_options.as_deref().unwrap_or_default();
    let length = 20 + ip_options.len() + data.len();
    if length > IP_MAX || (path_mtu == PathMtu::Do && length > route.mtu as usize) {
        return Err(too_long(kernel, socket, IpAddr::V4(destination), route.mtu));
    }
    let packet = ipv4::Outgoing {
        source: if source.is_unspecified() { route.source } else { source },
        destination,
        protocol: number,
        tos,
        ttl: match ttl {
            _ if to_group && !(header_included && ttl != 0) => multicast_ttl,
            0 => 64,
            ttl => ttl,
        },
        dont_fragment: dont_fragment && length <= route.mtu as usize,
        options: ip_options,
        head: None,
        payload: data,
    };
    ipv4::send_here(kernel, ns, &packet, &route)
}

fn send_v6(kernel: &mut Kernel, socket: SocketId, destination: Ipv6Addr, scope: u32, data: &[u8]) -> Result<(), Errno> {
    let open = kernel.open_socket(socket)?;
    let (ns, bound) = (open.ns, open.bound_device);
    let inet = get(kernel, socket)?;
    let (options, next_header) = (inet.options, inet.protocol);
    let IpAddr::V6(local) = inet.local else { return Err(Errno::EAFNOSUPPORT) };
    let multicast = destination.is_multicast();
    let oif = bound
        .or_else(|| kernel.namespaces[ns].device_by_index(scope))
        .or_else(|| options.packet_device(kernel, ns))
        .or_else(|| options.multicast_device(kernel, ns, multicast));
    let route = ipv6::lookup(kernel, ns, &ipv6::Flow { destination, source: local, oif })?;
    let length = 40 + data.len();
    if data.len() > IP_MAX || (options.path_mtu == PathMtu::Do && length > route.mtu as usize) {
        return Err(too_long(kernel, socket, IpAddr::V6(destination), route.mtu));
    }
    let packet = ipv6::Outgoing {
        source: if local.is_unspecified() { route.source } else { local },
        destination,
        oif,
        next_header,
        traffic_class: options.tos,
        hop_limit: match (options.ttl, multicast) {
            (_, true) => options.multicast_ttl,
            (0, false) => 64,
            (hops, false) => hops,
        },
        dont_fragment: options.path_mtu == PathMtu::Do,
        payload: data,
    };
    ipv6::send(kernel, ns, &packet)
}

/// The refusal of a datagram that is too long, which also goes on the error queue of a socket that reads it.
fn too_long(kernel: &mut Kernel, socket: SocketId, destination: IpAddr, mtu: u32) -> Errno {
    error_queue::local_error(kernel, socket, destination, Errno::EMSGSIZE, mtu);
    Errno::EMSGSIZE
}
