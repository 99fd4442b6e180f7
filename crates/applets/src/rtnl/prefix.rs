//! Addresses and prefixes of IP as iproute2 reads them: `10.1/16`, `default`, `fd00::1/64`, `10.0.0.0/255.0.0.0`.

use std::net::Ipv6Addr;

use super::{Failure, Session, number};

const AF_UNSPEC: u8 = libc::AF_UNSPEC as u8;
const AF_INET: u8 = libc::AF_INET as u8;
const AF_INET6: u8 = libc::AF_INET6 as u8;

/// An address with the length of its prefix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Prefix {
    /// `AF_INET` or `AF_INET6`; what was asked for where the word is `default`, `any` or `all`.
    pub(crate) family: u8,
    /// The address: 4 or 16 bytes; none of `default`.
    pub(crate) bytes: Vec<u8>,
    /// The length in bits.
    pub(crate) length: u8,
    /// Whether a length was given.
    pub(crate) explicit: bool,
}

impl Prefix {
    /// Reads a prefix of a family (any where it is `AF_UNSPEC`).
    pub(crate) fn parse(text: &str, family: u8) -> Option<Prefix> {
        if matches!(text, "default" | "any" | "all") {
            return Some(Prefix { family, bytes: Vec::new(), length: 0, explicit: false });
        }
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(length)),
            None => (text, None),
        };
        let (family, bytes) = address_bytes(address, family)?;
        let bits = (bytes.len() * 8) as u8;
        let explicit = length.is_some();
        let length = match length {
            None => bits,
            Some(length) => number(length)
                .and_then(|length| u8::try_from(length).ok())
                .or_else(|| mask_length(length))
                .filter(|&length| length <= bits)?,
        };
        Some(Prefix { family, bytes, length, explicit })
    }

    /// Whether an address of `bytes` begins with this prefix.
    pub(crate) fn contains(&self, bytes: &[u8]) -> bool {
        let (whole, rest) = (usize::from(self.length / 8), self.length % 8);
        let same = self.bytes.get(..whole).is_some_and(|prefix| bytes.get(..whole) == Some(prefix));
        let mask = !(0xffu8.checked_shr(rest.into()).unwrap_or(0));
        match (self.bytes.get(whole), bytes.get(whole)) {
            (Some(a), Some(b)) => same && a & mask == b & mask,
            _ => self.length == 0 || same && rest == 0,
        }
    }
}

/// Reads an address of a family (any where it is `AF_UNSPEC`): its family and bytes. IPv4's may end early.
pub(crate) fn address_bytes(text: &str, family: u8) -> Option<(u8, Vec<u8>)> {
    if text.contains(':') {
        let address: Ipv6Addr = text.parse().ok().filter(|_| matches!(family, AF_UNSPEC | AF_INET6))?;
        return Some((AF_INET6, address.octets().to_vec()));
    }
    if !matches!(family, AF_UNSPEC | AF_INET) {
        return None;
    }
    let mut bytes = Vec::with_capacity(4);
    for part in text.split('.') {
        bytes.push(number(part).and_then(|byte| u8::try_from(byte).ok()).filter(|_| bytes.len() < 4)?);
    }
    bytes.resize(4, 0);
    Some((AF_INET, bytes))
}

/// The length that a netmask stands for.
fn mask_length(text: &str) -> Option<u8> {
    let (_, bytes) = address_bytes(text, AF_INET).filter(|_| text.contains('.'))?;
    let mask = u32::from_be_bytes(*bytes.first_chunk()?);
    (mask.leading_ones() + mask.trailing_zeros() >= 32).then(|| mask.leading_ones() as u8)
}

/// How a family is called in complaints.
fn family_name(family: u8) -> &'static str {
    match family {
        AF_INET => "inet",
        AF_INET6 => "inet6",
        AF_UNSPEC => "any valid",
        _ => "???",
    }
}

impl Session<'_> {
    /// Reads a prefix; says what is wrong with it.
    pub(crate) fn prefix(&mut self, text: &str, family: u8) -> Result<Prefix, Failure> {
        Prefix::parse(text, family).ok_or_else(|| {
            self.complain(&format!("Error: {} prefix is expected rather than \"{text}\".", family_name(family)));
            Failure::Exit(1)
        })
    }

    /// Reads an address; says what is wrong with it.
    pub(crate) fn address(&mut self, text: &str, family: u8) -> Result<(u8, Vec<u8>), Failure> {
        address_bytes(text, family).ok_or_else(|| {
            self.complain(&format!("Error: {} address is expected rather than \"{text}\".", family_name(family)));
            Failure::Exit(1)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn v4(text: &str) -> Option<(Vec<u8>, u8)> {
        Prefix::parse(text, AF_UNSPEC).map(|prefix| (prefix.bytes, prefix.length))
    }

    #[test]
    fn prefixes() {
        assert_eq!(v4("10.1/16"), Some((vec![10, 1, 0, 0], 16)));
        assert_eq!(v4("10.1.0.1"), Some((vec![10, 1, 0, 1], 32)));
        assert_eq!(v4("10.0.0.0/255.255.0.0"), Some((vec![10, 0, 0, 0], 16)));
        for wrong in
            ["10.1.0.256/24", "10.1.0.1/33", "1.2.3.4.5", "1.1.1.1/", "foo", "", "fd00::1/129", "1.1.1.1/255.0.255.0"]
        {
            assert_eq!(v4(wrong), None, "{wrong}");
        }
        assert_eq!(Prefix::parse("fd00::1/64", AF_INET), None);
        assert_eq!(Prefix::parse("fd00::/16", AF_UNSPEC).map(|prefix| prefix.length), Some(16));
        assert_eq!(Prefix::parse("default", AF_INET6).map(|prefix| prefix.family), Some(AF_INET6));
    }

    #[test]
    fn containment() {
        let prefix = Prefix::parse("10.1.0.0/15", AF_INET).expect("a prefix");
        assert!(prefix.contains(&[10, 1, 5, 5]));
        assert!(prefix.contains(&[10, 0, 5, 5]));
        assert!(!prefix.contains(&[10, 2, 5, 5]));
        assert!(Prefix::parse("10.1.0.1", AF_INET).expect("a prefix").contains(&[10, 1, 0, 1]));
        assert!(Prefix::parse("default", AF_INET).expect("a prefix").contains(&[10, 1, 0, 1]));
    }
}
