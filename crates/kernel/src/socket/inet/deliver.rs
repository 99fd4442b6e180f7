//! What IP hands up to raw and ping sockets.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::options::{IP_PKTINFO, IP_RETOPTS, IP_TTL, IPV6_HOPLIMIT, IPV6_PKTINFO, IPV6_TCLASS, SOL_IP, SOL_IPV6};
use super::{InetSocket, Mode, Received, control_int, device_matches, protocol};
use crate::drop_reason::DropReason;
use crate::socket::{SocketAddress, SocketKind};
use crate::types::{DevId, SocketId};
use crate::{Control, Datagram, Kernel};

const ECHO_REPLY: u8 = 0;
const ECHO_REPLY_V6: u8 = 129;
const IP_TOS: i32 = 1;

/// Hands a packet that was delivered to this host to every raw and ping socket that wants it. `packet` starts at the IPv4
/// header. Whether any socket took it.
pub(crate) fn deliver_ipv4(kernel: &mut Kernel, dev: DevId, packet: &[u8]) -> bool {
    let Some(header) = packet.first_chunk::<20>() else { return false };
    let header_length = usize::from(header[0] & 15) * 4;
    let Some(payload) = packet.get(header_length..) else { return false };
    let number = header[9];
    let source = Ipv4Addr::new(header[12], header[13], header[14], header[15]);
    let destination = Ipv4Addr::new(header[16], header[17], header[18], header[19]);
    let mut taken = false;
    for socket in candidates(kernel, dev) {
        let Some(inet) = wanting(kernel, socket, dev, number, source.into(), destination.into()) else { continue };
        let icmp_type = payload.first().copied().unwrap_or_default();
        let data = match inet.mode {
            Mode::Raw
                if number == protocol::ICMP && icmp_type < 32 && inet.options.icmp_filter & (1 << icmp_type) != 0 =>
            {
                continue;
            }
            Mode::Raw => packet,
            Mode::Ping if icmp_type == ECHO_REPLY && echo_id(payload) == Some(inet.local_port) => payload,
            _ => continue,
        };
        let options = inet.options;
        let mut control = Vec::new();
        if options.packet_info {
            let mut info = ifindex(kernel, dev).to_ne_bytes().to_vec();
            info.extend(destination.octets());
            info.extend(destination.octets());
            control.push(Control { level: SOL_IP, kind: IP_PKTINFO, data: info });
        }
        if options.receive_ttl {
            control.push(control_int(SOL_IP, IP_TTL, header[8].into()));
        }
        if options.receive_tos {
            control.push(Control { level: SOL_IP, kind: IP_TOS, data: vec![header[1]] });
        }
        if options.receive_options && header_length > 20 {
            control.push(Control { level: SOL_IP, kind: IP_RETOPTS, data: packet[20..header_length].to_vec() });
        }
        let address = SocketAddress::V4 { address: source, port: 0 }.to_bytes();
        taken |= queue(kernel, socket, Datagram { data: data.to_vec(), address, control, flags: 0 });
    }
    taken
}

/// The same for IPv6: `header` is the IPv6 header, `payload` what follows its extension headers.
pub(crate) fn deliver_ipv6(
    kernel: &mut Kernel,
    dev: DevId,
    header: &[u8; 40],
    next_header: u8,
    payload: &[u8],
) -> bool {
    let address_at = |at: usize| {
        let mut octets = [0; 16];
        octets.copy_from_slice(&header[at..at + 16]);
        Ipv6Addr::from(octets)
    };
    let (source, destination) = (address_at(8), address_at(24));
    let mut taken = false;
    for socket in candidates(kernel, dev) {
        let Some(inet) = wanting(kernel, socket, dev, next_header, source.into(), destination.into()) else { continue };
        let icmp_type = payload.first().copied().unwrap_or_default();
        let blocked = inet.options.icmpv6_filter[usize::from(icmp_type >> 5)] & (1 << (icmp_type & 31)) != 0;
        match inet.mode {
            Mode::Raw if next_header == protocol::ICMPV6 && blocked => continue,
            Mode::Raw => {}
            Mode::Ping if icmp_type == ECHO_REPLY_V6 && echo_id(payload) == Some(inet.local_port) => {}
            _ => continue,
        }
        let options = inet.options;
        let mut control = Vec::new();
        if options.packet_info {
            let mut info = destination.octets().to_vec();
            info.extend(ifindex(kernel, dev).to_ne_bytes());
            control.push(Control { level: SOL_IPV6, kind: IPV6_PKTINFO, data: info });
        }
        if options.receive_ttl {
            control.push(control_int(SOL_IPV6, IPV6_HOPLIMIT, header[7].into()));
        }
        if options.receive_tos {
            let class = (header[0] << 4) | (header[1] >> 4);
            control.push(control_int(SOL_IPV6, IPV6_TCLASS, class.into()));
        }
        let scope = if source.is_unicast_link_local() { ifindex(kernel, dev) } else { 0 };
        let address = SocketAddress::V6 { address: source, port: 0, scope }.to_bytes();
        taken |= queue(kernel, socket, Datagram { data: payload.to_vec(), address, control, flags: 0 });
    }
    taken
}

/// The raw and ping sockets of a device's namespace.
pub(super) fn candidates(kernel: &Kernel, dev: DevId) -> Vec<SocketId> {
    let Some(device) = kernel.devices.get(dev) else { return Vec::new() };
    kernel.namespaces[device.ns].inet_sockets.clone()
}

/// The socket, if it wants packets of this protocol between these addresses from this device.
pub(super) fn wanting(
    kernel: &Kernel,
    socket: SocketId,
    dev: DevId,
    number: u8,
    source: IpAddr,
    destination: IpAddr,
) -> Option<&InetSocket> {
    let open = kernel.sockets.get(socket)?;
    let SocketKind::Inet(inet) = &open.kind else { return None };
    let same_family = inet.local.is_ipv4() == source.is_ipv4();
    // A bound group or broadcast address is a destination like any other.
    let local = inet.local.is_unspecified() || inet.local == destination;
    let remote = inet.remote.is_none_or(|remote| remote == source);
    let wants = inet.mode != Mode::Datagram && inet.protocol == number && same_family && local && remote;
    (wants && device_matches(open.bound_device, dev)).then_some(inet)
}

fn echo_id(message: &[u8]) -> Option<u16> {
    message.get(4..6)?.first_chunk().map(|id| u16::from_be_bytes(*id))
}

fn ifindex(kernel: &Kernel, dev: DevId) -> u32 {
    kernel.devices.get(dev).map_or(0, |device| device.ifindex)
}

fn queue(kernel: &mut Kernel, socket: SocketId, datagram: Datagram) -> bool {
    let time = kernel.now;
    let Some(open) = kernel.sockets.get_mut(socket) else { return false };
    let SocketKind::Inet(inet) = &mut open.kind else { return false };
    if !inet.queue.has_room(open.options.receive_buffer) {
        kernel.drops.count(DropReason::SocketRcvbuff);
        return false;
    }
    inet.queue.push(Received { datagram, time });
    kernel.announce(socket);
    true
}
