//! A packet passes through: its time to live, its length, and a word to a sender who had a shorter way.

use std::net::IpAddr;

use super::burst::Packet;
use super::header::{DF, Header, PLAIN, decrease_ttl};
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

/// Makes the first of `burst` that have the same verdict ready to leave, up to one for which there is more to do (somebody has to be
/// told something, or the neighbour isn't known): how many. `last` is the next hop of the packet before.
#[inline(never)]
pub(super) fn pass(
    kernel: &mut Kernel,
    route: &Route,
    burst: &mut [Frame],
    packets: &[Packet],
    last: &mut Option<Hop>,
) -> usize {
    let Some(first) = packets.first().filter(|first| first.header[0] == PLAIN) else { return 0 };
    let (mut ready, mut link) = (0, [0; 12]);
    for (frame, packet) in burst.iter_mut().zip(packets) {
        let header = Header::read(&packet.header);
        if packet.verdict != first.verdict
            || frame.packet_type() != PacketType::Host
            || header.ttl <= 1
            || header.total > route.mtu as usize
        {
            break;
        }
        // All have one gateway.
        if ready == 0 || route.gateway.is_none() {
            let Some(known) = next_hop(kernel, route, &header, last) else { break };
            link = known;
        }
        if let Some((header, packet)) = kernel.frames.bytes_mut(frame).split_first_chunk_mut::<ETH_HLEN>() {
            header[..12].copy_from_slice(&link);
            decrease_ttl(packet);
        }
        ready += 1;
    }
    ready
}

/// The Ethernet addresses of frames to a packet's next hop, which is looked up if it isn't the same as `last`.
#[inline(never)]
fn next_hop(kernel: &mut Kernel, route: &Route, header: &Header, last: &mut Option<Hop>) -> Option<[u8; 12]> {
    let place = match &route.gateway {
        Some(gateway) => Place::of(route.dev, gateway),
        None => Place::of(route.dev, &IpAddr::V4(header.destination)),
    };
    match last {
        Some(hop) if hop.place == place => Some(hop.link),
        _ => {
            let link = neighbour::link_addresses(kernel, route.dev, &place)?;
            Some(last.insert(Hop { place, link }).link)
        }
    }
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
    let _ = output::transmit(kernel, ns, *route, header, frame);
}
