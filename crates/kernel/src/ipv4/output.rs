//! A packet leaves: from a local socket, or passing through; to this host itself, to everybody, or to a neighbour.

use std::net::{IpAddr, Ipv4Addr};

use super::header::{DF, Header, MF, MIN_LEN, OFFSET};
use super::{Outgoing, Route, fib::kind, igmp, input, options};
use crate::Kernel;
use crate::drop_reason::DropReason;
use crate::error::Errno;
use crate::frame::{ETH_HLEN, Frame, PacketType};
use crate::neighbour::{self, Place};
use crate::netdev::DevFlags;
use crate::path::ethertype;
use crate::types::NsId;

/// What can stand in a total-length field.
const MAX_PACKET: usize = 65_535;

/// Sends a packet of this host's on its way. `EMSGSIZE`, `ENOBUFS` (the device dropped it).
pub(super) fn send(kernel: &mut Kernel, ns: NsId, packet: Outgoing<'_>, route: Route) -> Result<(), Errno> {
    send_here(kernel, ns, &packet, &route)
}

/// The same, where every instruction counts.
#[inline(always)]
pub(crate) fn send_here(kernel: &mut Kernel, ns: NsId, packet: &Outgoing<'_>, route: &Route) -> Result<(), Errno> {
    let length = match packet.options {
        [] => MIN_LEN,
        options => MIN_LEN + options.len().min(40).next_multiple_of(4),
    };
    let total = length + packet.head.map_or(0, |head| head.len()) + packet.payload.len();
    let fits = total <= route.mtu as usize;
    if total > MAX_PACKET || (packet.dont_fragment && !fits) {
        return Err(Errno::EMSGSIZE);
    }
    let destination = if packet.destination.is_unspecified() { route.source } else { packet.destination };
    // The addresses of a neighbour that is known are written at once.
    let link = if route.kind == kind::UNICAST && fits {
        neighbour::link_addresses(kernel, route.dev, &next_hop(route, destination))
    } else {
        None
    };
    let now = if packet.options.is_empty() { 0 } else { options::clock(kernel) };
    let ipv4 = &mut kernel.namespaces.get_mut(ns).ok_or(Errno::ENETUNREACH)?.ipv4;
    let id = ipv4.next_id;
    ipv4.next_id = id.wrapping_add(1);
    ipv4.snmp.ip.out_requests += 1;
    let header = Header {
        length,
        tos: packet.tos,
        total,
        id,
        fragment: if packet.dont_fragment { DF } else { 0 },
        ttl: packet.ttl,
        protocol: packet.protocol,
        source: if packet.source.is_unspecified() { route.source } else { packet.source },
        destination,
    };
    if link.is_some() {
        ipv4.snmp.ip.out_transmits += 1;
        ipv4.snmp.ip_ext.out_octets += total as u64;
    }
    let mut frame = Frame::default();
    let bytes = kernel.frames.room(&mut frame, ETH_HLEN + total);
    if let Some((ethernet, bytes)) = bytes.split_first_chunk_mut::<ETH_HLEN>()
        && let Some((ip, bytes)) = bytes.split_at_mut_checked(length)
    {
        ethernet[..12].copy_from_slice(&link.unwrap_or_default());
        ethernet[12..].copy_from_slice(&ethertype::IPV4.to_be_bytes());
        if length > MIN_LEN {
            write_options(&mut ip[MIN_LEN..], packet.options, header.source, now);
        }
        header.write(ip);
        let payload = match packet.head {
            Some(head) => match bytes.split_first_chunk_mut() {
                Some((room, payload)) => {
                    *room = head;
                    payload
                }
                None => &mut [],
            },
            None => bytes,
        };
        payload.copy_from_slice(packet.payload);
    }
    frame.set_checksum_trusted(true);
    let sent =
        if link.is_some() { kernel.transmit(route.dev, frame) } else { transmit(kernel, ns, *route, header, frame) };
    match sent {
        Err(DropReason::PacketTooBig) => Err(Errno::ENOBUFS),
        _ => Ok(()),
    }
}

/// Writes a packet's options; what is left of the room ends them.
#[inline(never)]
fn write_options(room: &mut [u8], options: &[u8], source: Ipv4Addr, now: u32) {
    room.fill(0);
    room.iter_mut().zip(options).for_each(|(byte, option)| *byte = *option);
    options::record(room, source, now);
}

/// Sends a complete packet on its way. What is longer than the route takes is cut up.
#[inline(never)]
pub(super) fn transmit(
    kernel: &mut Kernel,
    ns: NsId,
    route: Route,
    header: Header,
    frame: Frame,
) -> Result<(), DropReason> {
    if matches!(route.kind, kind::MULTICAST | kind::BROADCAST) {
        let kept = loop_back(kernel, ns, &route, &header, &frame);
        if !kept {
            kernel.drop_frame(frame, DropReason::Consumed);
            return Ok(());
        }
    }
    if header.total <= route.mtu as usize {
        return emit(kernel, ns, &route, header.destination, frame);
    }
    fragment(kernel, ns, &route, &header, frame)
}

/// What goes to many is received by this host as well, as if it had come in through the device. Whether it goes to others, too.
#[inline(never)]
fn loop_back(kernel: &mut Kernel, ns: NsId, route: &Route, header: &Header, frame: &Frame) -> bool {
    let (group, octets) = (route.kind == kind::MULTICAST, header.total as u64);
    if let Some(netns) = kernel.namespaces.get_mut(ns) {
        let ext = &mut netns.ipv4.snmp.ip_ext;
        let (packets, bytes) = if group {
            (&mut ext.out_mcast_pkts, &mut ext.out_mcast_octets)
        } else {
            (&mut ext.out_bcast_pkts, &mut ext.out_bcast_octets)
        };
        *packets += 1;
        *bytes += octets;
    }
    let comes_back = kernel.devices.get(route.dev).is_some_and(|device| device.flags.contains(DevFlags::LOOPBACK));
    if !comes_back && (!group || igmp::is_member(kernel, route.dev, header.destination)) {
        let mut copy = frame.share();
        copy.set_packet_type(if group { PacketType::Multicast } else { PacketType::Broadcast });
        input::receive_looped(kernel, route.dev, copy);
    }
    !group || header.ttl > 0
}

/// Where on the link a packet goes.
#[inline(always)]
fn next_hop(route: &Route, destination: Ipv4Addr) -> Place {
    match &route.gateway {
        Some(gateway) => Place::of(route.dev, gateway),
        None => Place::of(route.dev, &IpAddr::V4(destination)),
    }
}

#[inline]
fn count_sent(kernel: &mut Kernel, ns: NsId, frame: &Frame) {
    if let Some(netns) = kernel.namespaces.get_mut(ns) {
        netns.ipv4.snmp.ip.out_transmits += 1;
        netns.ipv4.snmp.ip_ext.out_octets += (frame.len() - ETH_HLEN) as u64;
    }
}

/// The last step: to this host's own `lo`, or to a neighbour.
fn emit(kernel: &mut Kernel, ns: NsId, route: &Route, destination: Ipv4Addr, frame: Frame) -> Result<(), DropReason> {
    count_sent(kernel, ns, &frame);
    if route.kind == kind::LOCAL {
        return kernel.transmit(route.dev, frame);
    }
    let next_hop = route.gateway.unwrap_or(IpAddr::V4(destination));
    crate::neighbour::output(kernel, route.dev, next_hop, frame)
}

/// Cuts a packet up (RFC 791, 3.2): every part has the header and as many times eight bytes as fit.
#[inline(never)]
fn fragment(kernel: &mut Kernel, ns: NsId, route: &Route, header: &Header, frame: Frame) -> Result<(), DropReason> {
    let room = (route.mtu as usize).saturating_sub(header.length) & !7;
    let packet = frame.payload();
    let (Some(head), Some(data)) = (packet.get(..header.length), packet.get(header.length..header.total)) else {
        kernel.drop_frame(frame, DropReason::IpInvalidHeader);
        return Err(DropReason::IpInvalidHeader);
    };
    if room == 0 {
        if let Some(netns) = kernel.namespaces.get_mut(ns) {
            netns.ipv4.snmp.ip.frag_fails += 1;
        }
        kernel.drop_frame(frame, DropReason::PacketTooBig);
        return Err(DropReason::PacketTooBig);
    }
    let first = header.fragment & OFFSET;
    let more_follow = header.fragment & MF;
    let parts = data.len().div_ceil(room);
    let mut result = Ok(());
    let later = options::for_fragments(&head[MIN_LEN..]);
    for (number, part) in data.chunks(room).enumerate() {
        let offset = first + (number * room / 8) as u16;
        let more = if number + 1 < parts { MF } else { more_follow };
        let header = Header {
            total: header.length + part.len(),
            fragment: (header.fragment & DF) | more | (offset & OFFSET),
            ..*header
        };
        let mut piece = kernel.frames.build(ETH_HLEN + header.total, |bytes| {
            bytes[12..ETH_HLEN].copy_from_slice(&ethertype::IPV4.to_be_bytes());
            let bytes = &mut bytes[ETH_HLEN..];
            bytes[..header.length].copy_from_slice(head);
            if number > 0 {
                bytes[MIN_LEN..header.length].copy_from_slice(&later);
            }
            header.write(bytes);
            bytes[header.length..].copy_from_slice(part);
        });
        piece.set_checksum_trusted(frame.checksum_trusted());
        if let Some(netns) = kernel.namespaces.get_mut(ns) {
            netns.ipv4.snmp.ip.frag_creates += 1;
        }
        result = result.and(emit(kernel, ns, route, header.destination, piece));
    }
    if let Some(netns) = kernel.namespaces.get_mut(ns) {
        let counters = &mut netns.ipv4.snmp.ip;
        if result.is_ok() { counters.frag_oks += 1 } else { counters.frag_fails += 1 }
    }
    kernel.frames.recycle(frame);
    result
}
