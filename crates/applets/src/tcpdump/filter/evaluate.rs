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

/// The Ethernet type (or 802.3 length) behind `tags` VLAN tags, and what follows it.
fn network(frame: &Frame, tags: usize) -> Option<(u16, &[u8])> {
    let (kind_at, start) = match frame.link {
        Link::Ethernet => (12, 14),
        Link::Cooked => (0, 20),
    };
    let mut kind = be16(&frame.data, kind_at)?;
    let mut rest = frame.data.get(start..)?;
    for _ in 0..tags {
        if !VLANS.contains(&kind) {
            return None;
        }
        kind = be16(rest, 2)?;
        rest = rest.get(4..)?;
    }
    Some((kind, rest))
}

fn of_kind(frame: &Frame, tags: usize, wanted: u16) -> Option<&[u8]> {
    network(frame, tags).filter(|&(kind, _)| kind == wanted).map(|(_, rest)| rest)
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
    /// Whether the frame is wanted. What is missing of it matches nothing.
    pub(in crate::tcpdump) fn matches(&self, frame: &Frame) -> bool {
        let ethernet = || (frame.link == Link::Ethernet).then_some(&*frame.data);
        match self {
            Filter::Everything => true,
            Filter::Not(inner) => !inner.matches(frame),
            Filter::And(left, right) => left.matches(frame) && right.matches(frame),
            Filter::Or(left, right) => left.matches(frame) || right.matches(frame),
            Filter::EtherType(wanted, tags) => network(frame, *tags).is_some_and(|(kind, _)| kind == *wanted),
            Filter::Llc(sap, tags) => {
                network(frame, *tags).is_some_and(|(kind, rest)| kind <= 1500 && rest.first() == Some(sap))
            }
            Filter::Ip(protocol, tags) => {
                of_kind(frame, *tags, IPV4).and_then(|packet| packet.get(9)) == Some(protocol)
            }
            Filter::Ip6(protocol, tags) => of_kind(frame, *tags, IPV6).is_some_and(|packet| {
                let next = packet.get(6);
                next == Some(protocol) || (next == Some(&FRAGMENT) && packet.get(40) == Some(protocol))
            }),
            Filter::Net { within, direction, prefix, tags } => net(frame, *within, *direction, prefix, *tags),
            Filter::Port { transport, direction, from, to, tags } => {
                ports(frame, *transport, *tags).is_some_and(|(source, destination)| {
                    let wanted = *from..=*to;
                    direction.test(wanted.contains(&source), wanted.contains(&destination))
                })
            }
            Filter::Ether { direction, address } => ethernet()
                .is_some_and(|data| direction.test(data.get(6..12) == Some(address), data.get(..6) == Some(address))),
            Filter::EtherBroadcast => ethernet().is_some_and(|data| data.get(..6) == Some(&[0xff; 6])),
            Filter::EtherMulticast => ethernet().and_then(|data| data.first()).is_some_and(|first| first & 1 == 1),
            Filter::IpMulticast(tags) => {
                of_kind(frame, *tags, IPV4).and_then(|packet| packet.get(16)).is_some_and(|&first| first >= 224)
            }
            Filter::Ip6Multicast(tags) => of_kind(frame, *tags, IPV6).and_then(|packet| packet.get(24)) == Some(&0xff),
            Filter::Vlan(number, tags) => network(frame, *tags).is_some_and(|(kind, rest)| {
                VLANS.contains(&kind)
                    && number.is_none_or(|number| be16(rest, 0).is_some_and(|tag| tag & 0x0fff == number))
            }),
            Filter::Less(length) => frame.length <= *length,
            Filter::Greater(length) => frame.length >= *length,
        }
    }
}

fn net(frame: &Frame, within: Within, direction: Direction, prefix: &Prefix, tags: usize) -> bool {
    let Some((kind, packet)) = network(frame, tags) else { return false };
    let places = match (kind, prefix.address) {
        (IPV4, IpAddr::V4(_)) if matches!(within, Within::Any | Within::Ip) => [12..16, 16..20],
        (IPV6, IpAddr::V6(_)) if matches!(within, Within::Any | Within::Ip6) => [8..24, 24..40],
        (ARP, IpAddr::V4(_)) if matches!(within, Within::Any | Within::Arp) => [14..18, 24..28],
        (RARP, IpAddr::V4(_)) if matches!(within, Within::Any | Within::Rarp) => [14..18, 24..28],
        _ => return false,
    };
    let [source, destination] = places.map(|place| packet.get(place).is_some_and(|bytes| prefix.holds(bytes)));
    direction.test(source, destination)
}

/// Source and destination port of a packet's first fragment.
fn ports(frame: &Frame, transport: Transport, tags: usize) -> Option<(u16, u16)> {
    let (kind, packet) = network(frame, tags)?;
    let (protocol, at) = match kind {
        IPV4 => {
            let first_fragment = be16(packet, 6)? & 0x1fff == 0;
            let length = usize::from(packet.first()? & 0x0f) * 4;
            (*packet.get(9)?, first_fragment.then_some(length)?)
        }
        IPV6 => (*packet.get(6)?, 40),
        _ => return None,
    };
    let wanted = match transport {
        Transport::Any => matches!(protocol, TCP | UDP | SCTP),
        Transport::Protocol(wanted) => protocol == wanted,
    };
    if !wanted {
        return None;
    }
    Some((be16(packet, at)?, be16(packet, at + 2)?))
}
