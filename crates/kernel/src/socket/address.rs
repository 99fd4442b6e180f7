//! `sockaddr`s as bytes.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::family;
use crate::error::{Errno, Result};
use crate::frame::PacketType;
use crate::types::MacAddr;

/// An IP socket address. A port is kept for what has ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SocketAddress {
    V4 {
        address: Ipv4Addr,
        port: u16,
    },
    V6 {
        address: Ipv6Addr,
        port: u16,
        scope: u32,
    },
    /// `AF_UNSPEC`: dissolves a connection.
    Unspecified,
}

impl SocketAddress {
    /// Parses a `sockaddr_in` or `sockaddr_in6`. `EINVAL` where it is too short.
    pub(crate) fn parse(bytes: &[u8]) -> Result<SocketAddress, Errno> {
        let family = bytes.first_chunk().map(|f| i32::from(u16::from_ne_bytes(*f))).ok_or(Errno::EINVAL)?;
        match family {
            0 => Ok(SocketAddress::Unspecified),
            family::INET => {
                let bytes: &[u8; 16] = bytes.first_chunk().ok_or(Errno::EINVAL)?;
                let [_, _, p0, p1, a, b, c, d, ..] = *bytes;
                Ok(SocketAddress::V4 { address: Ipv4Addr::new(a, b, c, d), port: u16::from_be_bytes([p0, p1]) })
            }
            family::INET6 => {
                let port = bytes.get(2..4).and_then(|p| p.first_chunk()).ok_or(Errno::EINVAL)?;
                let address: &[u8; 16] = bytes.get(8..24).and_then(|a| a.first_chunk()).ok_or(Errno::EINVAL)?;
                let scope = bytes.get(24..28).and_then(|s| s.first_chunk()).map_or(0, |s| u32::from_ne_bytes(*s));
                Ok(SocketAddress::V6 { address: Ipv6Addr::from(*address), port: u16::from_be_bytes(*port), scope })
            }
            _ => Err(Errno::EAFNOSUPPORT),
        }
    }

    /// The `sockaddr`'s bytes.
    pub(crate) fn to_bytes(self) -> Vec<u8> {
        match self {
            SocketAddress::Unspecified => vec![0; 16],
            SocketAddress::V4 { address, port } => {
                let mut bytes = vec![0; 16];
                bytes[..2].copy_from_slice(&(family::INET as u16).to_ne_bytes());
                bytes[2..4].copy_from_slice(&port.to_be_bytes());
                bytes[4..8].copy_from_slice(&address.octets());
                bytes
            }
            SocketAddress::V6 { address, port, scope } => {
                let mut bytes = vec![0; 28];
                bytes[..2].copy_from_slice(&(family::INET6 as u16).to_ne_bytes());
                bytes[2..4].copy_from_slice(&port.to_be_bytes());
                bytes[8..24].copy_from_slice(&address.octets());
                bytes[24..28].copy_from_slice(&scope.to_ne_bytes());
                bytes
            }
        }
    }
}

/// A `sockaddr_ll`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct LinkAddress {
    /// The EtherType, or `ETH_P_ALL`.
    pub(crate) protocol: u16,
    pub(crate) ifindex: u32,
    pub(crate) hardware_type: u16,
    pub(crate) packet_type: PacketType,
    pub(crate) address: MacAddr,
}

impl LinkAddress {
    /// Parses protocol, ifindex and address. `EINVAL` where it is too short or of another family.
    pub(crate) fn parse(bytes: &[u8]) -> Result<LinkAddress, Errno> {
        let head: &[u8; 12] = bytes.first_chunk().ok_or(Errno::EINVAL)?;
        let [f0, f1, p0, p1, i0, i1, i2, i3, ..] = *head;
        if i32::from(u16::from_ne_bytes([f0, f1])) != family::PACKET {
            return Err(Errno::EINVAL);
        }
        Ok(LinkAddress {
            protocol: u16::from_be_bytes([p0, p1]),
            ifindex: u32::from_ne_bytes([i0, i1, i2, i3]),
            address: bytes.get(12..).and_then(MacAddr::from_slice).unwrap_or_default(),
            ..LinkAddress::default()
        })
    }

    /// The 20 bytes of a `sockaddr_ll`.
    pub(crate) fn to_bytes(self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(20);
        bytes.extend((family::PACKET as u16).to_ne_bytes());
        bytes.extend(self.protocol.to_be_bytes());
        bytes.extend(self.ifindex.to_ne_bytes());
        bytes.extend(self.hardware_type.to_ne_bytes());
        bytes.push(self.packet_type as u8);
        bytes.push(6);
        bytes.extend(self.address.0);
        bytes.extend([0, 0]);
        bytes
    }
}
