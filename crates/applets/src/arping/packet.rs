//! ARP for IPv4 over Ethernet-like links (RFC 826): what goes out, and which answers count.

use std::net::Ipv4Addr;

/// `ARPOP_REQUEST` and `ARPOP_REPLY`.
pub(super) const REQUEST: u16 = 1;
pub(super) const REPLY: u16 = 2;

/// An ARP message for IPv4.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Arp {
    pub(super) hardware: u16,
    pub(super) operation: u16,
    pub(super) sender: Vec<u8>,
    pub(super) sender_ip: Ipv4Addr,
    pub(super) target: Vec<u8>,
    pub(super) target_ip: Ipv4Addr,
}

const ETHERTYPE_IPV4: u16 = 0x0800;

impl Arp {
    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(28);
        bytes.extend(self.hardware.to_be_bytes());
        bytes.extend(ETHERTYPE_IPV4.to_be_bytes());
        bytes.extend([self.sender.len() as u8, 4]);
        bytes.extend(self.operation.to_be_bytes());
        bytes.extend(&self.sender);
        bytes.extend(self.sender_ip.octets());
        bytes.extend(&self.target);
        bytes.extend(self.target_ip.octets());
        bytes
    }

    /// `None` for anything but IPv4 in whole.
    pub(super) fn parse(bytes: &[u8]) -> Option<Arp> {
        let (&[h0, h1, p0, p1, hardware_length, protocol_length, o0, o1], rest) = bytes.split_first_chunk()?;
        if u16::from_be_bytes([p0, p1]) != ETHERTYPE_IPV4 || protocol_length != 4 {
            return None;
        }
        let (sender, rest) = rest.split_at_checked(hardware_length.into())?;
        let (sender_ip, rest) = rest.split_first_chunk::<4>()?;
        let (target, rest) = rest.split_at_checked(hardware_length.into())?;
        let target_ip = rest.first_chunk::<4>()?;
        Some(Arp {
            hardware: u16::from_be_bytes([h0, h1]),
            operation: u16::from_be_bytes([o0, o1]),
            sender: sender.to_vec(),
            sender_ip: Ipv4Addr::from(*sender_ip),
            target: target.to_vec(),
            target_ip: Ipv4Addr::from(*target_ip),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Arp, REQUEST};

    #[test]
    fn a_message_survives_its_bytes_and_none_is_made_of_less() {
        let arp = Arp {
            hardware: 1,
            operation: REQUEST,
            sender: vec![2, 0, 0, 0, 0, 1],
            sender_ip: [10, 0, 0, 1].into(),
            target: vec![0xff; 6],
            target_ip: [10, 0, 0, 2].into(),
        };
        let bytes = arp.bytes();
        assert_eq!(bytes.len(), 28);
        assert_eq!(Arp::parse(&bytes), Some(arp));
        (0..28).for_each(|length| assert_eq!(Arp::parse(&bytes[..length]), None));
    }
}
