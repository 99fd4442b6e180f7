//! Addresses as sockets take and give them: the bytes of `sockaddr_in`, `sockaddr_in6` and `sockaddr_ll`.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

/// The `sockaddr` of an IP address, port, scope and flow label.
pub(crate) fn bytes(address: &SocketAddr) -> Vec<u8> {
    match address {
        SocketAddr::V4(v4) => {
            let mut bytes = (libc::AF_INET as u16).to_ne_bytes().to_vec();
            bytes.extend(v4.port().to_be_bytes());
            bytes.extend(v4.ip().octets());
            bytes.extend([0; 8]);
            bytes
        }
        SocketAddr::V6(v6) => {
            let mut bytes = (libc::AF_INET6 as u16).to_ne_bytes().to_vec();
            bytes.extend(v6.port().to_be_bytes());
            bytes.extend(v6.flowinfo().to_be_bytes());
            bytes.extend(v6.ip().octets());
            bytes.extend(v6.scope_id().to_ne_bytes());
            bytes
        }
    }
}

/// The IP address in a `sockaddr`, where there is one.
pub(crate) fn parse(bytes: &[u8]) -> Option<SocketAddr> {
    let (family, rest) = bytes.split_first_chunk()?;
    let (port, rest) = rest.split_first_chunk()?;
    let port = u16::from_be_bytes(*port);
    match i32::from(u16::from_ne_bytes(*family)) {
        libc::AF_INET => {
            let address: [u8; 4] = *rest.first_chunk()?;
            Some(SocketAddrV4::new(Ipv4Addr::from(address), port).into())
        }
        libc::AF_INET6 => {
            let (flow, rest) = rest.split_first_chunk()?;
            let (address, rest) = rest.split_first_chunk::<16>()?;
            let scope = rest.first_chunk().map_or(0, |scope| u32::from_ne_bytes(*scope));
            Some(SocketAddrV6::new(Ipv6Addr::from(*address), port, u32::from_be_bytes(*flow), scope).into())
        }
        _ => None,
    }
}

/// A link-layer address: `sockaddr_ll`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct LinkLayer {
    /// The Ethernet type.
    pub(crate) protocol: u16,
    pub(crate) ifindex: i32,
    /// `ARPHRD_…`.
    pub(crate) hardware: u16,
    /// `PACKET_HOST` …
    pub(crate) packet_type: u8,
    pub(crate) address: Vec<u8>,
}

impl LinkLayer {
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut bytes = (libc::AF_PACKET as u16).to_ne_bytes().to_vec();
        bytes.extend(self.protocol.to_be_bytes());
        bytes.extend(self.ifindex.to_ne_bytes());
        bytes.extend(self.hardware.to_ne_bytes());
        bytes.push(self.packet_type);
        bytes.push(self.address.len() as u8);
        bytes.extend(&self.address);
        bytes.resize(bytes.len().max(20), 0);
        bytes
    }

    pub(crate) fn parse(bytes: &[u8]) -> Option<LinkLayer> {
        let (_, rest) = bytes.split_first_chunk::<2>()?;
        let (protocol, rest) = rest.split_first_chunk()?;
        let (ifindex, rest) = rest.split_first_chunk()?;
        let (hardware, rest) = rest.split_first_chunk()?;
        let (&[packet_type, length], rest) = rest.split_first_chunk()?;
        Some(LinkLayer {
            protocol: u16::from_be_bytes(*protocol),
            ifindex: i32::from_ne_bytes(*ifindex),
            hardware: u16::from_ne_bytes(*hardware),
            packet_type,
            address: rest.get(..usize::from(length)).unwrap_or(rest).to_vec(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{LinkLayer, bytes, parse};

    #[test]
    fn an_address_survives_its_bytes() {
        for text in ["10.1.0.2:1025", "[fe80::1%3]:58"] {
            let address = text.parse().expect(text);
            assert_eq!(parse(&bytes(&address)), Some(address));
        }
        let link =
            LinkLayer { protocol: 0x806, ifindex: 3, hardware: 1, packet_type: 4, address: vec![2, 0, 0, 0, 0, 1] };
        assert_eq!(LinkLayer::parse(&link.bytes()), Some(link));
        assert_eq!(parse(&[2]), None);
    }
}
