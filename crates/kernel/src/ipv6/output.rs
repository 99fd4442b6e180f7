//! A packet leaves: from a local socket, from the kernel itself, or passing through; to this host itself, to a group, or to a
//! neighbour.

use std::net::{IpAddr, Ipv6Addr};

use super::header::{Header, LEN, checksum, next};
use super::{Flow, Outgoing, Route, fib::kind, groups, input, lookup};
use crate::Kernel;
use crate::drop_reason::DropReason;
use crate::error::Errno;
use crate::frame::{ETH_HLEN, Frame, PacketType};
use crate::netdev::DevFlags;
use crate::path::ethertype;
use crate::types::{DevId, NsId};

/// The longest payload.
const MAX_PAYLOAD: usize = 65_535;
/// Bytes of a fragment header.
const FRAGMENT_LEN: usize = 8;
/// Hop-by-hop options with a router alert for MLD (RFC 2711), padded.
const ROUTER_ALERT: [u8; 8] = [next::ICMP, 0, 5, 2, 0, 0, 1, 0];

/// Sends a packet from a local socket. `EMSGSIZE`, and what [`super::lookup()`] gives.
pub(crate) fn send(kernel: &mut Kernel, ns: NsId, packet: &Outgoing<'_>) -> Result<(), Errno> {
    let flow = Flow { destination: packet.destination, source: packet.source, oif: packet.oif };
    let route = match lookup(kernel, ns, &flow) {
        Ok(route) => route,
        Err(errno) => {
            if errno == Errno::ENETUNREACH
                && let Some(netns) = kernel.namespaces.get_mut(ns)
            {
                netns.ipv6.snmp.ip.out_no_routes += 1;
            }
            return Err(errno);
        }
    };
    if packet.payload.len() > MAX_PAYLOAD || (packet.dont_fragment && LEN + packet.payload.len() > route.mtu as usize) {
        return Err(Errno::EMSGSIZE);
    }
    let header = Header {
        class: packet.traffic_class,
        flow: 0,
        payload: packet.payload.len(),
        next: packet.next_header,
        hop_limit: packet.hop_limit,
        source: if packet.source.is_unspecified() { route.source } else { packet.source },
        destination: if packet.destination.is_unspecified() { route.source } else { packet.destination },
    };
    let snmp = &mut kernel.namespaces.get_mut(ns).ok_or(Errno::ENETUNREACH)?.ipv6.snmp;
    snmp.ip.out_requests += 1;
    if packet.next_header == next::ICMP {
        snmp.icmp_sent(packet.payload.first().copied().unwrap_or(0));
    }
    let mut frame = build(kernel, &header, &[], packet.payload);
    frame.set_checksum_trusted(true);
    // Whoever drops it now has counted it.
    let _ = transmit(kernel, ns, &route, &header, frame, true);
    Ok(())
}

/// A frame without Ethernet addresses. The checksum of an ICMPv6 message is filled in.
fn build(kernel: &mut Kernel, header: &Header, extension: &[u8], payload: &[u8]) -> Frame {
    let start = ETH_HLEN + LEN + extension.len();
    let is_icmp = header.next == next::ICMP || extension.first() == Some(&next::ICMP);
    kernel.frames.build(start + payload.len(), |bytes| {
        bytes[12..ETH_HLEN].copy_from_slice(&ethertype::IPV6.to_be_bytes());
        bytes[ETH_HLEN..ETH_HLEN + LEN].copy_from_slice(&header.bytes());
        bytes[ETH_HLEN + LEN..start].copy_from_slice(extension);
        let message = &mut bytes[start..];
        message.copy_from_slice(payload);
        if is_icmp && message.len() >= 4 {
            message[2..4].fill(0);
            let sum = checksum(header.source, header.destination, next::ICMP, message);
            message[2..4].copy_from_slice(&sum.to_be_bytes());
        }
    })
}

/// Where a message goes that never leaves the link.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Link {
    pub(crate) dev: DevId,
    pub(crate) source: Ipv6Addr,
    pub(crate) destination: Ipv6Addr,
    pub(crate) hop_limit: u8,
    /// Routers are to look at it.
    pub(crate) router_alert: bool,
}

/// Sends an ICMPv6 message of the kernel's own (neighbour discovery, MLD) on a device's link, without asking the tables.
pub(crate) fn send_on_link(kernel: &mut Kernel, to: &Link, message: &[u8]) {
    let Some(ns) = kernel.devices.get(to.dev).map(|device| device.ns) else { return };
    let extension: &[u8] = if to.router_alert { &ROUTER_ALERT } else { &[] };
    let header = Header {
        class: 0,
        flow: 0,
        payload: extension.len() + message.len(),
        next: if to.router_alert { next::HOP_BY_HOP } else { next::ICMP },
        hop_limit: to.hop_limit,
        source: to.source,
        destination: to.destination,
    };
    let snmp = &mut kernel.namespaces[ns].ipv6.snmp;
    snmp.ip.out_requests += 1;
    snmp.icmp_sent(message.first().copied().unwrap_or(0));
    let frame = build(kernel, &header, extension, message);
    let kind = if to.destination.is_multicast() { kind::MULTICAST } else { kind::UNICAST };
    let route = Route { kind, dev: to.dev, gateway: None, source: to.source, mtu: u32::MAX };
    let _ = transmit(kernel, ns, &route, &header, frame, false);
}

/// Sends a complete packet on its way. What is longer than the route takes is cut up. `loops`: members of a group on this host get
/// it too.
pub(super) fn transmit(
    kernel: &mut Kernel,
    ns: NsId,
    route: &Route,
    header: &Header,
    frame: Frame,
    loops: bool,
) -> Result<(), DropReason> {
    let total = LEN + header.payload;
    if route.kind == kind::MULTICAST {
        let counters = &mut kernel.namespaces[ns].ipv6.snmp.ip;
        counters.out_mcast_pkts += 1;
        counters.out_mcast_octets += total as u64;
        let loopback = kernel.devices.get(route.dev).is_some_and(|device| device.flags.contains(DevFlags::LOOPBACK));
        if loops && !loopback && groups::is_member(kernel, route.dev, header.destination) {
            let mut copy = frame.share();
            copy.set_packet_type(PacketType::Multicast);
            input::receive_looped(kernel, route.dev, copy);
        }
        // A group of the device alone, or a packet that may not leave it.
        if header.destination.octets()[1] & 0xf <= 1 && !loopback || header.hop_limit == 0 {
            kernel.drop_frame(frame, DropReason::Consumed);
            return Ok(());
        }
    }
    if total <= route.mtu as usize {
        return emit(kernel, ns, route, header.destination, frame);
    }
    fragment(kernel, ns, route, header, frame)
}

/// The last step: to this host's own `lo`, or to a neighbour.
fn emit(kernel: &mut Kernel, ns: NsId, route: &Route, destination: Ipv6Addr, frame: Frame) -> Result<(), DropReason> {
    let counters = &mut kernel.namespaces[ns].ipv6.snmp.ip;
    counters.out_transmits += 1;
    counters.out_octets += (frame.len() - ETH_HLEN) as u64;
    if route.kind == kind::LOCAL {
        return kernel.transmit(route.dev, frame);
    }
    let next_hop = route.gateway.unwrap_or(destination);
    crate::neighbour::output(kernel, route.dev, IpAddr::V6(next_hop), frame)
}

/// Cuts a packet up (RFC 8200, 4.5). Packets of local sockets have no extension headers that every part would have to repeat.
fn fragment(kernel: &mut Kernel, ns: NsId, route: &Route, header: &Header, frame: Frame) -> Result<(), DropReason> {
    let room = (route.mtu as usize).saturating_sub(LEN + FRAGMENT_LEN) & !7;
    let data = frame.payload().get(LEN..LEN + header.payload);
    let (Some(data), true) = (data, room > 0) else {
        kernel.namespaces[ns].ipv6.snmp.ip.frag_fails += 1;
        kernel.drop_frame(frame, DropReason::PacketTooBig);
        return Err(DropReason::PacketTooBig);
    };
    let id = kernel.rng.u32(..);
    let parts = data.len().div_ceil(room);
    let mut result = Ok(());
    for (number, part) in data.chunks(room).enumerate() {
        let more = u16::from(number + 1 < parts);
        let place = (number * room) as u16 | more;
        let mut extension = [header.next, 0, 0, 0, 0, 0, 0, 0];
        extension[2..4].copy_from_slice(&place.to_be_bytes());
        extension[4..].copy_from_slice(&id.to_be_bytes());
        let part_header = Header { payload: FRAGMENT_LEN + part.len(), next: next::FRAGMENT, ..*header };
        let mut piece = kernel.frames.build(ETH_HLEN + LEN + FRAGMENT_LEN + part.len(), |bytes| {
            bytes[12..ETH_HLEN].copy_from_slice(&ethertype::IPV6.to_be_bytes());
            let bytes = &mut bytes[ETH_HLEN..];
            bytes[..LEN].copy_from_slice(&part_header.bytes());
            bytes[LEN..LEN + FRAGMENT_LEN].copy_from_slice(&extension);
            bytes[LEN + FRAGMENT_LEN..].copy_from_slice(part);
        });
        piece.set_checksum_trusted(frame.checksum_trusted());
        kernel.namespaces[ns].ipv6.snmp.ip.frag_creates += 1;
        result = result.and(emit(kernel, ns, route, header.destination, piece));
    }
    let counters = &mut kernel.namespaces[ns].ipv6.snmp.ip;
    if result.is_ok() {
        counters.frag_oks += 1
    } else {
        counters.frag_fails += 1
    }
    kernel.frames.recycle(frame);
    result
}
