//! Evaluates a filter on a frame.

use std::net::IpAddr;

use super::{Direction, Filter, Prefix, Transport, Within};
use crate::tcpdump::frame::{Frame, Link};

const IPV4: u16 = 0x0800;
const ARP: u16 = 0x0806;
const RARP: u16 = 0x8035;
const IPV6: u16 = 0x86dd;
const VLANS: [u16; 3] = [0x8100, 0x88a8, 0x9100];
const TCP: u8 = 6;
const UDP: u8 = 17;
const FRAGMENT: u8 = 44;
const SCTP: u8 = 132;

fn be16(data: &[u8], at: usize) -> Option<u16> {
    data.get(at..)?.first_chunk().map(|bytes| u16::from_be_bytes(*bytes))
}

/// The Ethernet type (or 802.3 length) behind `tags` VLAN tags, and what follows it; 0 where a tag is missing.
fn network(frame: &Frame, tags: usize) -> Option<(u16, &[u8])> {
    let (kind_at, start) = match frame.link {
        Link::Ethernet => (12, 14),
        Link::Cooked => (0, 20),
    };
    let mut kind = be16(&frame.data, kind_at)?;
    let mut rest = frame.data.get(start..)?;
    for _ in 0..tags {
        if !VLANS.contains(&kind) {
            return Some((0, &[]));
        }
        kind = be16(rest, 2)?;
        rest = rest.get(4..)?;
    }
    Some((kind, rest))
}

impl Prefix {
    fn holds(&self, bytes: &[u8]) -> bool {
        let own = match self.address {
            IpAddr::V4(address) => address.octets().to_vec(),
            IpAddr::V6(address) => address.octets().to_vec(),
        };
        if bytes.len() != own.len() {
            return false;
        }
        let mut bits = u32::from(self.bits);
        own.iter().zip(bytes).all(|(own, other)| {
            let mask = if bits >= 8 { 0xff } else { !(0xffu8 >> bits) };
            bits = bits.saturating_sub(8);
            own & mask == other & mask
        })
    }
}

impl Direction {
    fn test(self, source: bool, destination: bool) -> bool {
        match self {
            Direction::Either => source || destination,
            Direction::Source => source,
            Direction::Destination => destination,
            Direction::Both => source && destination,
        }
    }
}

impl Filter {
    /// Whether the frame is wanted. One that is cut before something that counts is not, whatever is asked for.
    pub(in crate::tcpdump) fn matches(&self, frame: &Frame) -> bool {
        self.test(frame).unwrap_or(false)
    }

    fn test(&self, frame: &Frame) -> Option<bool> {
        // A test of a packet's bytes, where the frame holds such a packet.
        let packet = |tags: usize, wanted: u16, test: &dyn Fn(&[u8]) -> Option<bool>| {
            let (kind, rest) = network(frame, tags)?;
            if kind == wanted { test(rest) } else { Some(false) }
        };
        let ethernet = |test: &dyn Fn(&[u8]) -> Option<bool>| match frame.link {
            Link::Ethernet => test(&frame.data),
            Link::Cooked => Some(false),
        };
        match self {
            Filter::Everything => Some(true),
            Filter::Not(inner) => Some(!inner.test(frame)?),
            Filter::And(left, right) => Some(left.test(frame)? && right.test(frame)?),
            Filter::Or(left, right) => Some(left.test(frame)? || right.test(frame)?),
            Filter::EtherType(wanted, tags) => Some(network(frame, *tags)?.0 == *wanted),
            Filter::Llc(sap, tags) => {
                let (kind, rest) = network(frame, *tags)?;
                Some(kind <= 1500 && rest.first()? == sap)
            }
            Filter::Ip(protocol, tags) => packet(*tags, IPV4, &|packet| Some(packet.get(9)? == protocol)),
            Filter::Ip6(protocol, tags) => packet(*tags, IPV6, &|packet| {
                let next = packet.get(6)?;
                Some(next == protocol || (*next == FRAGMENT && packet.get(40)? == protocol))
            }),
            Filter::Net { within, direction, prefix, tags } => net(frame, *within, *direction, prefix, *tags),
            Filter::Port { transport, direction, from, to, tags } => {
                let Some((source, destination)) = ports(frame, *transport, *tags)? else { return Some(false) };
                let wanted = *from..=*to;
                Some(direction.test(wanted.contains(&source), wanted.contains(&destination)))
            }
            Filter::Ether { direction, address } => {
                ethernet(&|data| Some(direction.test(data.get(6..12)? == address, data.get(..6)? == address)))
            }
            Filter::EtherBroadcast => ethernet(&|data| Some(data.get(..6)? == [0xff; 6])),
            Filter::EtherMulticast => ethernet(&|data| Some(data.first()? & 1 == 1)),
            Filter::IpMulticast(tags) => packet(*tags, IPV4, &|packet| Some(*packet.get(16)? >= 224)),
            Filter::Ip6Multicast(tags) => packet(*tags, IPV6, &|packet| Some(*packet.get(24)? == 0xff)),
            Filter::Vlan(number, tags) => {
                let (kind, rest) = network(frame, *tags)?;
                let right = |number: &u16| Some(be16(rest, 0)? & 0x0fff == *number);
                Some(VLANS.contains(&kind) && number.as_ref().map_or(Some(true), right)?)
            }
            Filter::Less(length) => Some(frame.length <= *length),
            Filter::Greater(length) => Some(frame.length >= *length),
        }
    }
}

/// Whether the prefix holds the packet's addresses.
fn net(frame: &Frame, within: Within, direction: Direction, prefix: &Prefix, tags: usize) -> Option<bool> {
    let (kind, packet) = network(frame, tags)?;
    let [source, destination] = match (kind, prefix.address) {
        (IPV4, IpAddr::V4(_)) if matches!(within, Within::Any | Within::Ip) => [12..16, 16..20],
        (IPV6, IpAddr::V6(_)) if matches!(within, Within::Any | Within::Ip6) => [8..24, 24..40],
        (ARP, IpAddr::V4(_)) if matches!(within, Within::Any | Within::Arp) => [14..18, 24..28],
        (RARP, IpAddr::V4(_)) if matches!(within, Within::Any | Within::Rarp) => [14..18, 24..28],
        _ => return Some(false),
    };
    // Only what is asked for must be there.
    let source = || Some(prefix.holds(packet.get(source.clone())?));
    let destination = || Some(prefix.holds(packet.get(destination.clone())?));
    match direction {
        Direction::Source => source(),
        Direction::Destination => destination(),
        Direction::Either => Some(source()? || destination()?),
        Direction::Both => Some(source()? && destination()?),
    }
}

/// Source and destination port of a packet's first fragment; `Some(None)` where it can't have any.
fn ports(frame: &Frame, transport: Transport, tags: usize) -> Option<Option<(u16, u16)>> {
    let (kind, packet) = network(frame, tags)?;
    let protocol = match kind {
        IPV4 => *packet.get(9)?,
        IPV6 => *packet.get(6)?,
        _ => return Some(None),
    };
    let wanted = match transport {
        Transport::Any => matches!(protocol, TCP | UDP | SCTP),
        Transport::Protocol(wanted) => protocol == wanted,
    };
    if !wanted {
        return Some(None);
    }
    let at = if kind == IPV6 { 40 } else { usize::from(packet.first()? & 0x0f) * 4 };
    if kind == IPV4 && be16(packet, 6)? & 0x1fff != 0 {
        return Some(None);
    }
    Some(Some((be16(packet, at)?, be16(packet, at + 2)?)))
}
