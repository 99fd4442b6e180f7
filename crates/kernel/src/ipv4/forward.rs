//! A packet passes through: its time to live, its length, and a word to a sender who had a shorter way.

use std::net::IpAddr;

use super::header::{DF, Header, decrease_ttl};
use super::{Route, icmp, output};
use crate::Kernel;
use crate::drop_reason::DropReason;
use crate::frame::{ETH_HLEN, Frame, PacketType};
use crate::types::{DevId, NsId};

/// Sends a packet on.
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
