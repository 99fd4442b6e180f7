//! What both versions of IP carry: which printer a protocol number means.

use std::net::IpAddr;

use super::{Printed, Printer, checksum, say};

/// The packet around a transport protocol.
#[derive(Clone, Debug)]
pub(super) struct Around {
    pub(super) source: IpAddr,
    pub(super) destination: IpAddr,
    /// Part of a fragmented packet: its checksum can't be told.
    pub(super) fragment: bool,
}

impl Around {
    /// The checksum of a message over IP's pseudo header; 0 where the message holds its own.
    pub(super) fn checksum(&self, protocol: u8, message: &[u8]) -> u16 {
        let length = (message.len() as u32).to_be_bytes();
        let tail = [length[0], length[1], length[2], length[3], 0, 0, 0, protocol];
        match (self.source, self.destination) {
            (IpAddr::V4(from), IpAddr::V4(to)) => checksum(&[&from.octets(), &to.octets(), &tail, message]),
            (IpAddr::V6(from), IpAddr::V6(to)) => checksum(&[&from.octets(), &to.octets(), &tail, message]),
            _ => 0,
        }
    }
}

impl Printer {
    /// `SOURCE > DESTINATION: `.
    pub(super) fn ends(&mut self, around: &Around) {
        let (from, to) = (self.names.host(around.source), self.names.host(around.destination));
        say!(self, "{from} > {to}: ");
    }

    /// `SOURCE.PORT > DESTINATION.PORT: `.
    pub(super) fn ends_with_ports(&mut self, around: &Around, ports: (u16, u16), protocol: &'static str) {
        let (from, to) = (self.names.host(around.source), self.names.host(around.destination));
        let (source, destination) = (self.names.port(ports.0, protocol), self.names.port(ports.1, protocol));
        say!(self, "{from}.{source} > {to}.{destination}: ");
    }

    /// Protocols that nothing more is told of than their number.
    pub(super) fn other_protocol(&mut self, number: u8, length: usize) -> Printed {
        match self.names.protocol(number) {
            Some(name) => {
                say!(self, " {name} {length}");
            }
            None => {
                say!(self, " ip-proto-{number} {length}");
            }
        }
        Ok(())
    }
}

/// Names as the verbose header has them.
pub(super) fn protocol_name(number: u8) -> &'static str {
    match number {
        0 => "Options",
        1 => "ICMP",
        2 => "IGMP",
        4 => "IPIP",
        6 => "TCP",
        8 => "EGP",
        17 => "UDP",
        41 => "IPv6",
        43 => "Routing",
        44 => "Fragment",
        46 => "RSVP",
        47 => "GRE",
        50 => "ESP",
        51 => "AH",
        58 => "ICMPv6",
        88 => "EIGRP",
        89 => "OSPF",
        103 => "PIM",
        108 => "Compressed IP",
        112 => "VRRP",
        132 => "SCTP",
        _ => "unknown",
    }
}
