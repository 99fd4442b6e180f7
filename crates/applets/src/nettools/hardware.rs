//! Hardware types and address families by name, and how hardware addresses are read and written.

use std::io::{self, Write};

/// A kind of link, as `ARPHRD_*` numbers name it.
pub(crate) struct Hardware {
    /// The name in arguments and output.
    pub name: &'static str,
    /// The name in brackets.
    pub title: &'static str,
    /// `ARPHRD_*`.
    pub number: u16,
    /// Bytes in an address; 0 where none is shown.
    pub length: usize,
    /// Whether addresses of this kind can be set.
    pub settable: bool,
}

const fn hardware(name: &'static str, title: &'static str, number: u16, length: usize, settable: bool) -> Hardware {
    Hardware { name, title, number, length, settable }
}

/// Every type, in the order in which usage texts list them; the first one stands for all others.
pub(crate) const HARDWARE: &[Hardware] = &[
    hardware("unspec", "UNSPEC", 0xffff, 16, false),
    hardware("loop", "Local Loopback", 772, 0, false),
    hardware("slip", "Serial Line IP", 256, 0, false),
    hardware("cslip", "VJ Serial Line IP", 257, 0, false),
    hardware("slip6", "6-bit Serial Line IP", 258, 0, false),
    hardware("cslip6", "VJ 6-bit Serial Line IP", 259, 0, false),
    hardware("adaptive", "Adaptive Serial Line IP", 264, 0, false),
    hardware("ash", "Ash", 517, 64, true),
    hardware("ether", "Ethernet", 1, 6, true),
    hardware("ax25", "AMPR AX.25", 3, 7, true),
    hardware("netrom", "AMPR NET/ROM", 0, 7, true),
    hardware("rose", "AMPR ROSE", 270, 10, true),
    hardware("tunnel", "IPIP Tunnel", 768, 0, false),
    hardware("ppp", "Point-to-Point Protocol", 512, 0, false),
    hardware("hdlc", "(Cisco)-HDLC", 513, 0, false),
    hardware("lapb", "LAPB", 516, 0, false),
    hardware("arcnet", "ARCnet", 7, 1, true),
    hardware("dlci", "Frame Relay DLCI", 15, 3, false),
    hardware("frad", "Frame Relay Access Device", 770, 0, false),
    hardware("sit", "IPv6-in-IPv4", 776, 0, false),
    hardware("fddi", "Fiber Distributed Data Interface", 774, 6, true),
    hardware("hippi", "HIPPI", 780, 6, true),
    hardware("irda", "IrLAP", 783, 4, false),
    hardware("ec", "Econet", 782, 0, false),
    hardware("x25", "generic X.25", 271, 4, true),
    hardware("eui64", "Generic EUI-64", 27, 8, true),
];

/// The type of that name.
pub(crate) fn by_name(name: &str) -> Option<&'static Hardware> {
    HARDWARE.iter().find(|hardware| hardware.name == name)
}

/// The type of that `ARPHRD_*` number; unknown ones are unspecific.
pub(crate) fn by_number(number: u16) -> &'static Hardware {
    HARDWARE.iter().find(|hardware| hardware.number == number).unwrap_or(&HARDWARE[0])
}

impl Hardware {
    /// An address of this kind as it is shown.
    pub(crate) fn show(&self, address: &[u8]) -> String {
        let (separator, upper) = if self.name == "unspec" { ("-", true) } else { (":", false) };
        let bytes: Vec<String> = (0..self.length)
            .map(|at| {
                let byte = address.get(at).copied().unwrap_or(0);
                if upper { format!("{byte:02X}") } else { format!("{byte:02x}") }
            })
            .collect();
        bytes.join(separator)
    }

    /// Reads an address of this kind: pairs of hexadecimal digits, a colon between two bytes if any. What is missing is
    /// zero, what is too much is ignored.
    pub(crate) fn read(&self, text: &str) -> Option<Vec<u8>> {
        let mut address = vec![0u8; self.length];
        let mut digits = text.bytes();
        for byte in &mut address {
            let Some(first) = digits.next() else { break };
            let high = (first as char).to_digit(16)?;
            let second = digits.next();
            *byte = match second {
                Some(b':') | None => high as u8,
                Some(digit) => {
                    let low = (digit as char).to_digit(16)?;
                    let value = (high << 4 | low) as u8;
                    let mut rest = digits.clone();
                    if rest.next() == Some(b':') {
                        digits = rest;
                    }
                    value
                }
            };
        }
        Some(address)
    }
}

/// The list of types below a usage text; `arp` has those alone that have addresses to resolve.
pub(crate) fn list(out: &mut dyn Write, with_arp: bool) -> io::Result<()> {
    const WITH_ARP: [&str; 12] =
        ["ash", "ether", "ax25", "netrom", "rose", "arcnet", "dlci", "fddi", "hippi", "irda", "x25", "eui64"];
    let names = HARDWARE[1..].iter().filter(|hardware| !with_arp || WITH_ARP.contains(&hardware.name));
    columns(out, names.map(|hardware| (hardware.name, hardware.title)))
}

/// An address family.
pub(crate) struct Family {
    /// The name in arguments.
    pub name: &'static str,
    /// The name in brackets.
    pub title: &'static str,
    /// `AF_*`.
    pub number: i32,
    /// Whether there are routing tables of it.
    pub routes: bool,
}

const fn family(name: &'static str, title: &'static str, number: i32, routes: bool) -> Family {
    Family { name, title, number, routes }
}

/// Every family, in the order in which usage texts list them.
pub(crate) const FAMILIES: &[Family] = &[
    family("unix", "UNIX Domain", 1, false),
    family("inet", "DARPA Internet", 2, true),
    family("inet6", "IPv6", 10, true),
    family("ax25", "AMPR AX.25", 3, true),
    family("netrom", "AMPR NET/ROM", 6, true),
    family("rose", "AMPR ROSE", 11, true),
    family("ipx", "Novell IPX", 4, true),
    family("ddp", "Appletalk DDP", 5, true),
    family("ec", "Econet", 19, false),
    family("ash", "Ash", 18, false),
    family("x25", "CCITT X.25", 9, true),
];

/// The family of that name.
pub(crate) fn family_by_name(name: &str) -> Option<&'static Family> {
    FAMILIES.iter().find(|family| family.name == name)
}

/// The list of families below a usage text; `route` has those alone that can be routed.
pub(crate) fn list_families(out: &mut dyn Write, with_routes: bool) -> io::Result<()> {
    let families = FAMILIES.iter().filter(|family| !with_routes || family.routes);
    columns(out, families.map(|family| (family.name, family.title)))
}

fn columns<'a>(out: &mut dyn Write, entries: impl Iterator<Item = (&'a str, &'a str)>) -> io::Result<()> {
    for (index, (name, title)) in entries.enumerate() {
        match index {
            0 => write!(out, "    ")?,
            index if index % 3 == 0 => write!(out, "\n    ")?,
            _ => {}
        }
        write!(out, "{name} ({title}) ")?;
    }
    writeln!(out)
}

#[cfg(test)]
mod tests {
    use super::by_name;

    #[test]
    fn addresses_may_be_short_long_or_without_colons() {
        let ether = by_name("ether").expect("a type");
        assert_eq!(ether.read("02:00:00:00:00:0c"), Some(vec![2, 0, 0, 0, 0, 12]));
        assert_eq!(ether.read("2:0:0:0:0:c"), Some(vec![2, 0, 0, 0, 0, 12]));
        assert_eq!(ether.read("02000000000e"), Some(vec![2, 0, 0, 0, 0, 14]));
        assert_eq!(ether.read("02:00:00:00:00"), Some(vec![2, 0, 0, 0, 0, 0]));
        assert_eq!(ether.read("02:00:00:00:00:0c:0d"), Some(vec![2, 0, 0, 0, 0, 12]));
        assert_eq!(ether.read("zz"), None);
        assert_eq!(ether.read(":::::"), None);
        assert_eq!(ether.read("0200.0000.000d"), None);
    }
}
