//! The IPv6 header (RFC 8200, 3).

use std::net::Ipv6Addr;

/// Its length.
pub(super) const LEN: usize = 40;

/// What follows a header: extension headers, and the protocols that end the chain.
pub(super) mod next {
    pub(crate) const HOP_BY_HOP: u8 = 0;
    pub(crate) const TCP: u8 = 6;
    pub(crate) const UDP: u8 = 17;
    pub(crate) const ROUTING: u8 = 43;
    pub(crate) const FRAGMENT: u8 = 44;
    pub(crate) const ICMP: u8 = 58;
    pub(crate) const NONE: u8 = 59;
    pub(crate) const OPTIONS: u8 = 60;
}

/// A header's fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) class: u8,
    pub(super) flow: u32,
    /// How many bytes follow.
    pub(super) payload: usize,
    pub(super) next: u8,
    pub(super) hop_limit: u8,
    pub(super) source: Ipv6Addr,
    pub(super) destination: Ipv6Addr,
}

/// What is wrong with a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Malformed {
    /// Fields that can't be.
    Header,
    /// It is shorter than it says.
    Truncated,
}

fn address(bytes: &[u8]) -> Ipv6Addr {
    Ipv6Addr::from(bytes.first_chunk::<16>().copied().unwrap_or_default())
}

impl Header {
    /// Reads the header, whatever stands in it.
    pub(super) fn read(bytes: &[u8; LEN]) -> Header {
        let first = u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        Header {
            class: (first >> 20) as u8,
            flow: first & 0xf_ffff,
            payload: usize::from(u16::from_be_bytes([bytes[4], bytes[5]])),
            next: bytes[6],
            hop_limit: bytes[7],
            source: address(&bytes[8..]),
            destination: address(&bytes[24..]),
        }
    }

    /// The header of a packet that is as long as it says.
    pub(super) fn parse(packet: &[u8]) -> Result<Header, Malformed> {
        let bytes = packet.first_chunk::<LEN>().ok_or(Malformed::Header)?;
        if bytes[0] >> 4 != 6 {
            return Err(Malformed::Header);
        }
        let header = Header::read(bytes);
        if header.payload > packet.len() - LEN { Err(Malformed::Truncated) } else { Ok(header) }
    }

    /// The header as bytes.
    pub(super) fn bytes(&self) -> [u8; LEN] {
        let mut bytes = [0; LEN];
        let first = 6 << 28 | u32::from(self.class) << 20 | (self.flow & 0xf_ffff);
        bytes[..4].copy_from_slice(&first.to_be_bytes());
        bytes[4..6].copy_from_slice(&(self.payload as u16).to_be_bytes());
        bytes[6] = self.next;
        bytes[7] = self.hop_limit;
        bytes[8..24].copy_from_slice(&self.source.octets());
        bytes[24..].copy_from_slice(&self.destination.octets());
        bytes
    }
}

/// The checksum of an upper layer's packet, with the pseudo-header of RFC 8200, 8.1; 0 where it holds the right one already.
pub(super) fn checksum(source: Ipv6Addr, destination: Ipv6Addr, next: u8, payload: &[u8]) -> u16 {
    use crate::ipv4::checksum::{fold, sum};
    let pseudo = sum(&source.octets()) + sum(&destination.octets()) + payload.len() as u64 + u64::from(next);
    fold(pseudo + sum(payload))
}
