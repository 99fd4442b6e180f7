//! A packet passes through: its time to live, its length, and a word to a sender who had a shorter way.

use std::net::IpAddr;

use super::header::{DF, Header, MIN_LEN, decrease_ttl};
use super::{Route, icmp, output};
use crate::Kernel;
use crate::drop_reason::DropReason;
use crate::frame::{ETH_HLEN, Frame, PacketType};
use crate::neighbour::{self, Place};
use crate::types::{DevId, NsId};

/// The next hop that a packet was sent to, and the Ethernet addresses of frames to it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hop {
    place: Place,
    link: [u8; 12],
}

/// Makes a packet ready to leave if that is all there is to do: nobody has to be told anything, and the neighbour is known. Whether
/// it was made so. `last` is the next hop of the packet before.
#[inline(always)]
pub(super) fn pass(
    kernel: &mut Kernel,
    ns: NsId,
    frame: &mut Frame,
    header: &Header,
    route: &Route,
    last: &mut Option<Hop>,
) -> bool {
    if frame.packet_type() != PacketType::Host
        || header.length != MIN_LEN
        || header.ttl <= 1
        || header.total > route.mtu as usize
    {
        return false;
    }
    let place = match &route.gateway {
        Some(gateway) => Place::of(route.dev, gateway),
        None => Place::of(route.dev, &IpAddr::V4(header.destination)),
    };
    let link = match last {
        Some(hop) if hop.place == place => hop.link,
        _ => {
            let Some(link) = neighbour::link_addresses(kernel, route.dev, place) else { return false };
            last.insert(Hop { place, link }).link
        }
    };
    let bytes = kernel.frames.bytes_mut(frame);
    if let Some((header, packet)) = bytes.split_first_chunk_mut::<ETH_HLEN>() {
        header[..12].copy_from_slice(&link);
        decrease_ttl(packet);
    }
    let snmp = &mut kernel.namespaces[ns].ipv4.snmp;
    snmp.ip.forw_datagrams += 1;
    snmp.ip.out_transmits += 1;
    snmp.ip_ext.out_octets += header.total as u64;
    true
}

/// Sends a packet on.
#[inline(never)]
pub(super) fn forward(
    kernel: &mut Kernel,
    ns: NsId,
    dev: DevId,
    mut frame: Frame,
    header: &Header,
    route: &Route,
    redirect: bool,
) {
    if frame.packet_type() != PacketType::Host {
        return kernel.drop_frame(frame, DropReason::OtherHost);
    }
    let counters = &mut kernel.namespaces[ns].ipv4.snmp.ip;
    if header.ttl <= 1 {
        counters.in_hdr_errors += 1;
        icmp::answer(kernel, dev, &frame, icmp::TIME_EXCEEDED, 0, 0);
        return kernel.drop_frame(frame, DropReason::IpTtlExceeded);
    }
    counters.forw_datagrams += 1;
    if header.total > route.mtu as usize && header.fragment & DF != 0 {
        counters.frag_fails += 1;
        icmp::answer(kernel, dev, &frame, icmp::UNREACHABLE, icmp::FRAGMENTATION_NEEDED, route.mtu & 0xffff);
        return kernel.drop_frame(frame, DropReason::PacketTooBig);
    }
    if redirect {
        let gateway = match route.gateway {
            Some(IpAddr::V4(gateway)) => gateway,
            _ => header.destination,
        };
        icmp::redirect(kernel, dev, &frame, gateway);
    }
    decrease_ttl(&mut kernel.frames.bytes_mut(&mut frame)[ETH_HLEN..]);
    let header = Header { ttl: header.ttl - 1, ..*header };
    // Whoever drops it now has counted it.
    let _ = output::transmit(kernel, ns, route, &header, frame);
}
