//! Which frames are wanted: an expression in pcap-filter(7)'s language, evaluated here on each frame.

mod evaluate;
mod parse;

use std::net::IpAddr;

pub(super) use parse::parse;

/// Source, destination, or how both count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Direction {
    #[default]
    Either,
    Source,
    Destination,
    Both,
}

/// A network: the address and how many of its leading bits count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Prefix {
    pub(super) address: IpAddr,
    pub(super) bits: u8,
}

/// In which protocols an address is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Within {
    /// IP, ARP and RARP, as the address allows.
    Any,
    Ip,
    Ip6,
    Arp,
    Rarp,
}

/// The transport protocol of a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Transport {
    Any,
    Protocol(u8),
}

/// An expression. `usize` counts the VLAN tags before the protocols that a test speaks of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Filter {
    Everything,
    Not(Box<Filter>),
    And(Box<Filter>, Box<Filter>),
    Or(Box<Filter>, Box<Filter>),
    EtherType(u16, usize),
    /// 802.3 with that destination service access point.
    Llc(u8, usize),
    /// IPv4 protocol.
    Ip(u8, usize),
    /// IPv6 next header, or the one behind a fragment header.
    Ip6(u8, usize),
    Net {
        within: Within,
        direction: Direction,
        prefix: Prefix,
        tags: usize,
    },
    Port {
        transport: Transport,
        direction: Direction,
        from: u16,
        to: u16,
        tags: usize,
    },
    Ether {
        direction: Direction,
        address: [u8; 6],
    },
    EtherBroadcast,
    EtherMulticast,
    IpMulticast(usize),
    Ip6Multicast(usize),
    /// A tag behind that many others, with that number or any.
    Vlan(Option<u16>, usize),
    /// Frames of at most, of at least so many bytes.
    Less(usize),
    Greater(usize),
}
