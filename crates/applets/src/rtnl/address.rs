//! Addresses and prefixes as iproute2 reads them, with its complaints.

use std::io::Write;
use std::net::Ipv6Addr;

use super::{Failure, Outcome};
use crate::print::ip_address;

/// An IP address; of no family where the word was `default` or `any` and nothing else tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Address {
    /// `AF_INET`, `AF_INET6` or 0.
    pub(crate) family: u8,
    bytes: [u8; 16],
}

impl Address {
    /// An address of that family; `None` where the bytes are too few.
    pub(crate) fn new(family: u8, bytes: &[u8]) -> Option<Address> {
        let mut address = Address { family, ..Address::default() };
        let length = length(family);
        address.bytes[..length].copy_from_slice(bytes.get(..length)?);
        Some(address)
    }

    /// Its bytes in network order; none where it has no family.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes[..length(self.family)]
    }

    /// How many bits the family's addresses have.
    pub(crate) fn bits(&self) -> u8 {
        length(self.family) as u8 * 8
    }

    /// Whether the first so many bits are the same as another's.
    pub(crate) fn agrees(&self, other: &Address, bits: u8) -> bool {
        let (bytes, rest) = (usize::from(bits / 8).min(16), bits % 8);
        let mask = !(0xffu8.checked_shr(rest.into()).unwrap_or(0));
        self.bytes[..bytes] == other.bytes[..bytes]
            && (rest == 0 || bytes == 16 || (self.bytes[bytes] ^ other.bytes[bytes]) & mask == 0)
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match ip_address(self.family, &self.bytes) {
            Some(address) => address.fmt(f),
            None => f.write_str("default"),
        }
    }
}

/// An address with the length of its network part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Prefix {
    /// The address.
    pub(crate) address: Address,
    /// The network part's bits.
    pub(crate) bits: u8,
    /// Whether the bits were given, with `/` or by the word `default`.
    pub(crate) explicit: bool,
}

impl Prefix {
    /// Whether an address lies in it.
    pub(crate) fn contains(&self, address: &Address) -> bool {
        self.address.family == address.family && self.address.agrees(address, self.bits)
    }
}

fn length(family: u8) -> usize {
    match i32::from(family) {
        libc::AF_INET => 4,
        libc::AF_INET6 => 16,
        _ => 0,
    }
}

/// Reads an address of a family (0: of any); `None` where it is none.
pub(crate) fn parse_address(text: &str, family: u8) -> Option<Address> {
    if matches!(text, "default" | "all" | "any") {
        return Some(Address { family, ..Address::default() });
    }
    let address = if text.contains(':') {
        let address: Ipv6Addr = text.parse().ok()?;
        Address { family: libc::AF_INET6 as u8, bytes: address.octets() }
    } else {
        let mut bytes = [0; 16];
        // Fewer than four numbers are the first ones: 10.1 is 10.1.0.0.
        for (at, part) in text.split('.').enumerate() {
            *bytes.get_mut(at).filter(|_| at < 4)? = u8::try_from(super::number(part)?).ok()?;
        }
        Address { family: libc::AF_INET as u8, bytes }
    };
    (family == 0 || family == address.family).then_some(address)
}

/// Reads a prefix of a family (0: of any); `None` where it is none.
pub(crate) fn parse_prefix(text: &str, family: u8) -> Option<Prefix> {
    if matches!(text, "default" | "all" | "any") {
        return Some(Prefix { address: parse_address(text, family)?, bits: 0, explicit: true });
    }
    let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
    let address = parse_address(address, family)?;
    let Some(bits) = bits else { return Some(Prefix { address, bits: address.bits(), explicit: false }) };
    let bits = match super::number(bits) {
        Some(bits) => u8::try_from(bits).ok().filter(|bits| *bits <= address.bits())?,
        None => mask_bits(bits, address.family)?,
    };
    Some(Prefix { address, bits, explicit: true })
}

/// The length of a netmask such as 255.255.0.0.
fn mask_bits(text: &str, family: u8) -> Option<u8> {
    let mask = parse_address(text, libc::AF_INET as u8).filter(|_| i32::from(family) == libc::AF_INET)?;
    let mask = u32::from_be_bytes(mask.bytes().try_into().ok()?);
    (mask.leading_ones() + mask.trailing_zeros() == 32 || mask == 0).then_some(mask.leading_ones() as u8)
}

/// An address; says what was expected otherwise.
pub(crate) fn address(err: &mut dyn Write, text: &str, family: u8) -> Outcome<Address> {
    parse_address(text, family).ok_or_else(|| unexpected(err, "address", text, family))
}

/// A prefix; says what was expected otherwise.
pub(crate) fn prefix(err: &mut dyn Write, text: &str, family: u8) -> Outcome<Prefix> {
    parse_prefix(text, family).ok_or_else(|| unexpected(err, "prefix", text, family))
}

fn unexpected(err: &mut dyn Write, what: &str, text: &str, family: u8) -> Failure {
    let family = match i32::from(family) {
        libc::AF_INET => "inet",
        libc::AF_INET6 => "inet6",
        _ => "any valid",
    };
    let _ = writeln!(err, "Error: {family} {what} is expected rather than \"{text}\".");
    Failure::Exit(1)
}

/// A link-layer address: hexadecimal numbers between colons; says where it is none.
pub(crate) fn link_layer_address(err: &mut dyn Write, text: &str) -> Outcome<Vec<u8>> {
    let wrong = |part: &str, err: &mut dyn Write| {
        let _ = writeln!(err, "\"{part}\" is invalid lladdr.");
        Failure::Exit(1)
    };
    if text.contains('.') {
        return match parse_address(text, libc::AF_INET as u8) {
            Some(address) => Ok(address.bytes().to_vec()),
            None => Err(wrong(text, err)),
        };
    }
    text.split(':').map(|part| u8::from_str_radix(part, 16).map_err(|_| wrong(part, err))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, family: i32) -> Option<String> {
        parse_prefix(text, family as u8).map(|prefix| format!("{}/{}", prefix.address, prefix.bits))
    }

    #[test]
    fn prefixes() {
        assert_eq!(shown("10.3.0.0/16", 0).as_deref(), Some("10.3.0.0/16"));
        assert_eq!(shown("10.3/16", 0).as_deref(), Some("10.3.0.0/16"));
        assert_eq!(shown("10.3.0.0/255.255.0.0", 0).as_deref(), Some("10.3.0.0/16"));
        assert_eq!(shown("10.3.0.0/255.0.255.0", 0), None);
        assert_eq!(shown("fd00::1", 0).as_deref(), Some("fd00::1/128"));
        assert_eq!(shown("fd00::1", libc::AF_INET), None);
        assert_eq!(shown("10.3.0.0/33", 0), None);
        assert_eq!(shown("1.2.3.4.5", 0), None);
        assert_eq!(shown("default", 0).as_deref(), Some("default/0"));
        assert_eq!(shown("bogus", 0), None);
    }

    #[test]
    fn addresses_in_prefixes() {
        let prefix = parse_prefix("10.8.0.0/13", 0).expect("a prefix");
        let contains = |text| prefix.contains(&parse_address(text, 0).expect("an address"));
        assert!(contains("10.15.255.255"));
        assert!(!contains("10.16.0.0"));
        assert!(!contains("::"));
        assert!(parse_prefix("default", 2).expect("a prefix").contains(&parse_address("1.2.3.4", 0).expect("one")));
    }
}
