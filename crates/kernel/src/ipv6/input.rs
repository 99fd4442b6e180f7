//! A packet comes in: is it well formed, is it for this host or for another, and who is to have it?

use std::net::Ipv6Addr;

use super::fib::{ANYCAST, RTAX_MTU, kind};
use super::header::{Header, LEN, Malformed, next};
use super::lookup::{Found, Key, find};
use super::{Conf, Route, fragment, groups, icmp, output};
use crate::Kernel;
use crate::drop_reason::DropReason;
use crate::error::Errno;
use crate::frame::{ETH_HLEN, Frame, PacketType};
use crate::netdev::DevFlags;
use crate::types::{DevId, NsId};

/// How many extension headers a packet may have.
const EXTENSIONS: usize = 16;
/// Where the hop limit stands in a header.
const HOP_LIMIT: usize = 7;
/// Padding options (RFC 8200, 4.2).
const PAD1: u8 = 0;
const PADN: u8 = 1;
/// The option by which routers are asked to look.
const ROUTER_ALERT: u8 = 5;

/// A packet on its way up: what has been read of it so far.
#[derive(Clone, Copy, Debug)]
pub(super) struct Packet {
    pub(super) header: Header,
    /// The type of what follows.
    pub(super) next: u8,
    /// Where that begins, and where its type stands.
    pub(super) at: usize,
    next_at: usize,
}

impl Packet {
    /// A packet of which only the header has been read.
    pub(super) fn new(header: Header, next: u8) -> Packet {
        Packet { header, next, at: LEN, next_at: 6 }
    }

    /// The same past another header, which began where it stands now.
    pub(super) fn after(&self, next: u8, at: usize) -> Packet {
        Packet { next, at, next_at: self.at, ..*self }
    }
}

/// An IPv6 packet received on a device.
pub(crate) fn receive(kernel: &mut Kernel, dev: DevId, mut frame: Frame) {
    if frame.packet_type() == PacketType::OtherHost {
        kernel.count_strangers(dev, 1);
        return kernel.frames.recycle(frame);
    }
    let Some(device) = kernel.devices.get(dev) else { return kernel.drop_frame(frame, DropReason::DevReady) };
    let ns = device.ns;
    let loopback = device.flags.contains(DevFlags::LOOPBACK);
    let enabled = device.ipv6.as_ref().is_some_and(|own| own.conf.get(Conf::DisableIpv6) == 0);
    let counters = &mut kernel.namespaces[ns].ipv6.snmp.ip;
    counters.in_receives += 1;
    counters.in_octets += frame.payload().len() as u64;
    if !enabled {
        counters.in_discards += 1;
        return kernel.drop_frame(frame, DropReason::IpInvalidAddress);
    }
    let header = match Header::parse(frame.payload()) {
        Ok(header) => header,
        Err(Malformed::Header) => {
            counters.in_hdr_errors += 1;
            return kernel.drop_frame(frame, DropReason::IpInvalidHeader);
        }
        Err(Malformed::Truncated) => {
            counters.in_truncated_pkts += 1;
            return kernel.drop_frame(frame, DropReason::PacketTooSmall);
        }
    };
    match header.class & 3 {
        0 => counters.in_no_ect_pkts += 1,
        1 => counters.in_ect1_pkts += 1,
        2 => counters.in_ect0_pkts += 1,
        _ => counters.in_ce_pkts += 1,
    }
    let (source, destination) = (header.source, header.destination);
    let own_only = source.is_loopback() || destination.is_loopback();
    let narrow = destination.is_multicast() && destination.octets()[1] & 0xf <= 1;
    if source.is_multicast() || (!loopback && (own_only || narrow)) {
        counters.in_hdr_errors += 1;
        return kernel.drop_frame(frame, DropReason::IpInvalidAddress);
    }
    frame.truncate(ETH_HLEN + LEN + header.payload);
    let mut packet = Packet::new(header, header.next);
    if packet.next == next::HOP_BY_HOP && !options(kernel, ns, dev, &frame, &mut packet) {
        return kernel.drop_frame(frame, DropReason::IpInvalidHeader);
    }
    route(kernel, ns, dev, frame, packet);
}

/// The copy of a packet that this host sent to a group that it is in itself.
pub(super) fn receive_looped(kernel: &mut Kernel, dev: DevId, frame: Frame) {
    let Some(ns) = kernel.devices.get(dev).map(|device| device.ns) else { return };
    let Ok(header) = Header::parse(frame.payload()) else { return };
    let counters = &mut kernel.namespaces[ns].ipv6.snmp.ip;
    counters.in_receives += 1;
    counters.in_octets += frame.payload().len() as u64;
    counters.in_no_ect_pkts += 1;
    route(kernel, ns, dev, frame, Packet::new(header, header.next));
}

fn route(kernel: &mut Kernel, ns: NsId, dev: DevId, frame: Frame, packet: Packet) {
    let destination = packet.header.destination;
    if destination.is_multicast() {
        let counters = &mut kernel.namespaces[ns].ipv6.snmp.ip;
        counters.in_mcast_pkts += 1;
        counters.in_mcast_octets += (LEN + packet.header.payload) as u64;
        if groups::is_member(kernel, dev, destination) {
            return deliver(kernel, ns, dev, frame, packet);
        }
        return kernel.drop_frame(frame, DropReason::IpInvalidAddress);
    }
    let near = destination.is_unicast_link_local();
    let from_self = kernel.devices.get(dev).is_some_and(|device| device.flags.contains(DevFlags::LOOPBACK));
    let oif = Some(dev).filter(|_| near && !from_self);
    let key = Key { destination, source: packet.header.source, oif, strict: near };
    match find(kernel, ns, &key) {
        Ok(found) if matches!(found.entry.kind, kind::LOCAL | ANYCAST) => {
            // What this host sends itself comes in through the device that has the address.
            let dev = if from_self { found.hop.dev } else { dev };
            deliver(kernel, ns, dev, frame, packet);
        }
        Ok(found) => {
            let route = onwards(kernel, &found, destination);
            forward(kernel, ns, dev, frame, packet, &route);
        }
        Err(errno) => {
            let counters = &mut kernel.namespaces[ns].ipv6.snmp.ip;
            if errno == Errno::ENETUNREACH {
                counters.in_no_routes += 1;
            }
            let code = match errno {
                Errno::ENETUNREACH => Some(icmp::NO_ROUTE),
                Errno::EHOSTUNREACH => Some(icmp::NO_ROUTE),
                Errno::EACCES => Some(icmp::PROHIBITED),
                _ => None,
            };
            if let Some(code) = code {
                icmp::answer(kernel, dev, &frame, icmp::UNREACHABLE, code, 0);
            }
            kernel.drop_frame(frame, DropReason::IpNoRoute);
        }
    }
}

fn onwards(kernel: &Kernel, found: &Found<'_>, destination: Ipv6Addr) -> Route {
    let dev = found.hop.dev;
    let own = kernel.devices.get(dev).and_then(|device| device.ipv6.as_ref()).map_or(0, |own| own.mtu);
    let mtu = match found.entry.metric(RTAX_MTU) {
        0 => own,
        mtu => mtu,
    };
    Route { kind: kind::UNICAST, dev, gateway: found.hop.gateway, source: destination, mtu }
}

/// A packet passes through: its hop limit, and its length.
fn forward(kernel: &mut Kernel, ns: NsId, dev: DevId, mut frame: Frame, packet: Packet, route: &Route) {
    let header = packet.header;
    if kernel.namespaces[ns].ipv6.conf_all.get(Conf::Forwarding) == 0 && kernel.conf6(dev, Conf::ForceForwarding) == 0 {
        kernel.namespaces[ns].ipv6.snmp.ip.in_discards += 1;
        return kernel.drop_frame(frame, DropReason::OtherHost);
    }
    if frame.packet_type() != PacketType::Host {
        return kernel.drop_frame(frame, DropReason::OtherHost);
    }
    if header.hop_limit <= 1 {
        icmp::answer(kernel, dev, &frame, icmp::TIME_EXCEEDED, 0, 0);
        kernel.namespaces[ns].ipv6.snmp.ip.in_hdr_errors += 1;
        return kernel.drop_frame(frame, DropReason::IpTtlExceeded);
    }
    if header.source.is_unspecified() || header.source.is_loopback() {
        kernel.namespaces[ns].ipv6.snmp.ip.in_addr_errors += 1;
        return kernel.drop_frame(frame, DropReason::IpInvalidAddress);
    }
    if header.source.is_unicast_link_local() {
        icmp::answer(kernel, dev, &frame, icmp::UNREACHABLE, icmp::BEYOND_SCOPE, 0);
        kernel.namespaces[ns].ipv6.snmp.ip.in_addr_errors += 1;
        return kernel.drop_frame(frame, DropReason::IpInvalidAddress);
    }
    if LEN + header.payload > route.mtu as usize {
        icmp::answer(kernel, dev, &frame, icmp::TOO_BIG, 0, route.mtu);
        let counters = &mut kernel.namespaces[ns].ipv6.snmp.ip;
        counters.in_too_big_errors += 1;
        counters.frag_fails += 1;
        return kernel.drop_frame(frame, DropReason::PacketTooBig);
    }
    kernel.namespaces[ns].ipv6.snmp.ip.out_forw_datagrams += 1;
    if let Some(hops) = kernel.frames.bytes_mut(&mut frame).get_mut(ETH_HLEN + HOP_LIMIT) {
        *hops = header.hop_limit - 1;
    }
    let header = Header { hop_limit: header.hop_limit - 1, ..header };
    // Whoever drops it now has counted it.
    let _ = output::transmit(kernel, ns, route, &header, frame, false);
}

/// Takes an options header; whether the packet may go on.
fn options(kernel: &mut Kernel, ns: NsId, dev: DevId, frame: &Frame, packet: &mut Packet) -> bool {
    let bytes = frame.payload();
    let verdict = check_options(bytes, packet.at);
    match verdict {
        Ok(end) => {
            packet.next_at = packet.at;
            packet.next = bytes.get(packet.at).copied().unwrap_or(next::NONE);
            packet.at = end;
            true
        }
        Err(problem) => {
            kernel.namespaces[ns].ipv6.snmp.ip.in_hdr_errors += 1;
            if let Some(at) = problem {
                icmp::answer(kernel, dev, frame, icmp::PARAMETER_PROBLEM, icmp::UNKNOWN_OPTION, at as u32);
            }
            false
        }
    }
}

/// Where an options header at `at` ends; else why not: where the option stands that has to be answered, if it has.
fn check_options(packet: &[u8], at: usize) -> Result<usize, Option<usize>> {
    let length = usize::from(*packet.get(at + 1).ok_or(None)?) * 8 + 8;
    let end = at + length;
    let mut place = at + 2;
    if packet.len() < end {
        return Err(None);
    }
    while place < end {
        let kind = *packet.get(place).ok_or(None)?;
        if kind == PAD1 {
            place += 1;
            continue;
        }
        let after = place + 2 + usize::from(*packet.get(place + 1).ok_or(None)?);
        if after > end {
            return Err(None);
        }
        if !matches!(kind, PADN | ROUTER_ALERT) {
            // What to do about an unknown option is written in its first bits.
            match kind >> 6 {
                0 => {}
                1 => return Err(None),
                2 => return Err(Some(place)),
                _ if packet.get(24) == Some(&0xff) => return Err(None),
                _ => return Err(Some(place)),
            }
        }
        place = after;
    }
    Ok(end)
}

/// Hands a packet for this host to whom it is for, past its extension headers.
fn deliver(kernel: &mut Kernel, ns: NsId, dev: DevId, mut frame: Frame, mut packet: Packet) {
    for _ in 0..EXTENSIONS {
        match packet.next {
            next::OPTIONS => {
                if !options(kernel, ns, dev, &frame, &mut packet) {
                    return kernel.drop_frame(frame, DropReason::IpInvalidHeader);
                }
            }
            next::ROUTING => {
                let bytes = frame.payload();
                let (Some(length), Some(left)) = (bytes.get(packet.at + 1), bytes.get(packet.at + 3)) else {
                    return kernel.drop_frame(frame, DropReason::IpInvalidHeader);
                };
                if *left != 0 {
                    // Nobody's packets are sent on by way of this host.
                    let at = packet.at as u32 + 2;
                    kernel.namespaces[ns].ipv6.snmp.ip.in_hdr_errors += 1;
                    icmp::answer(kernel, dev, &frame, icmp::PARAMETER_PROBLEM, 0, at);
                    return kernel.drop_frame(frame, DropReason::IpInvalidHeader);
                }
                let end = packet.at + usize::from(*length) * 8 + 8;
                let follows = bytes.get(packet.at).copied().unwrap_or(next::NONE);
                (packet.next_at, packet.next, packet.at) = (packet.at, follows, end);
            }
            next::FRAGMENT => match fragment::collect(kernel, ns, dev, frame, &packet) {
                Some((whole, its_packet)) => (frame, packet) = (whole, its_packet),
                None => return,
            },
            _ => return finish(kernel, ns, dev, frame, packet),
        }
    }
    kernel.drop_frame(frame, DropReason::IpInvalidHeader);
}

fn finish(kernel: &mut Kernel, ns: NsId, dev: DevId, frame: Frame, packet: Packet) {
    let bytes = frame.payload();
    if bytes.len() < packet.at {
        return kernel.drop_frame(frame, DropReason::PacketTooSmall);
    }
    let addresses = (packet.header.source, packet.header.destination);
    let unicast = !packet.header.destination.is_multicast();
    let mut reason = DropReason::Consumed;
    if packet.next == next::NONE {
        return kernel.drop_frame(frame, reason);
    }
    if packet.next == next::ICMP {
        kernel.namespaces[ns].ipv6.snmp.ip.in_delivers += 1;
        if !icmp::is_intact(kernel, ns, &frame, &packet) {
            return kernel.drop_frame(frame, DropReason::IpChecksum);
        }
        crate::socket::inet::deliver_ipv6(kernel, dev, &frame, packet.next, addresses, packet.at);
        reason = icmp::receive(kernel, ns, dev, &frame, &packet);
        return kernel.drop_frame(frame, reason);
    }
    let taken = crate::socket::inet::deliver_ipv6(kernel, dev, &frame, packet.next, addresses, packet.at);
    match packet.next {
        next::UDP => {
            kernel.namespaces[ns].ipv6.snmp.ip.in_delivers += 1;
            reason = DropReason::NoSocket;
            if unicast {
                kernel.namespaces[ns].ipv6.snmp.udp_no_ports += 1;
                icmp::answer(kernel, dev, &frame, icmp::UNREACHABLE, icmp::PORT, 0);
            }
        }
        next::TCP => reason = DropReason::NoSocket,
        _ if taken => kernel.namespaces[ns].ipv6.snmp.ip.in_delivers += 1,
        _ => {
            reason = DropReason::UnhandledProto;
            kernel.namespaces[ns].ipv6.snmp.ip.in_unknown_protos += 1;
            let at = packet.next_at as u32;
            icmp::answer(kernel, dev, &frame, icmp::PARAMETER_PROBLEM, icmp::UNKNOWN_HEADER, at);
        }
    }
    kernel.drop_frame(frame, reason);
}
