//! Ethernet II and 802.3 headers, VLAN tags, and the cooked header of `-i any`.

use super::{Cut, Fetch, Printed, Printer, mac, say};

const HEADER: usize = 14;
const TAG: usize = 4;
/// Up to here the field is 802.3's length, above it a type.
const LONGEST_LENGTH: u16 = 1500;

/// The Ethernet types that have names.
const TYPES: &[(u16, &str)] = &[
    (0x0600, "NS"),
    (0x0800, "IPv4"),
    (0x0806, "ARP"),
    (0x6558, "TEB"),
    (0x8035, "Reverse ARP"),
    (0x8100, "802.1Q"),
    (0x86dd, "IPv6"),
    (0x8808, "MPCP"),
    (0x8809, "Slow Protocols"),
    (0x8847, "MPLS unicast"),
    (0x8848, "MPLS multicast"),
    (0x8863, "PPPoE D"),
    (0x8864, "PPPoE S"),
    (0x888e, "EAPOL"),
    (0x88a2, "AoE"),
    (0x88a8, "802.1Q-QinQ"),
    (0x88cc, "LLDP"),
    (0x88e5, "802.1AE MACsec"),
    (0x88f7, "PTP"),
    (0x9000, "Loopback"),
    (0x9100, "802.1Q-9100"),
];

fn type_name(kind: u16) -> Option<&'static str> {
    TYPES.iter().find(|&&(number, _)| number == kind).map(|&(_, name)| name)
}

fn is_tag(kind: u16) -> bool {
    matches!(kind, 0x8100 | 0x88a8 | 0x9100)
}

/// How much of the frame `-x` and `-X` leave out.
pub(super) fn header_length(data: &[u8]) -> usize {
    let mut length = HEADER;
    while data.be16(length - 2).is_ok_and(is_tag) && data.len() >= length + TAG {
        length += TAG;
    }
    if data.be16(length - 2).is_ok_and(|kind| kind <= LONGEST_LENGTH) {
        length += super::llc::header_length(data.rest(length));
    }
    length
}

/// Prints a frame's link-level header with that type.
pub(super) type Header<'a> = dyn Fn(&mut Printer, u16) + 'a;

impl Printer {
    pub(super) fn ethernet(&mut self, data: &[u8], length: usize) -> Printed {
        let header = data.run(0, HEADER)?;
        let (Ok(destination), Ok(source), Ok(kind)) = (data.array::<6>(0), data.array::<6>(6), header.be16(12)) else {
            return Err(Cut);
        };
        if self.style.link_level {
            if is_tag(kind) && data.len() < HEADER + TAG {
                self.protocol = "vlan";
                say!(self, "{} > {}, ", mac(&source), mac(&destination));
                return Err(Cut);
            }
            self.ethernet_header(&source, &destination, kind, length);
        }
        self.behind_type(kind, data.rest(HEADER), length.saturating_sub(HEADER), &|printer: &mut Printer, kind| {
            printer.ethernet_header(&source, &destination, kind, length);
        })
    }

    fn ethernet_header(&mut self, source: &[u8], destination: &[u8], kind: u16, length: usize) {
        say!(self, "{} > {}", mac(source), mac(destination));
        if kind <= LONGEST_LENGTH {
            // What it says of itself, without padding.
            say!(self, ", 802.3, length {}: ", length.saturating_sub(HEADER).min(kind.into()));
            return;
        }
        self.text.push_str(", ");
        self.type_in_words(kind);
        say!(self, ", length {length}: ");
    }

    fn type_in_words(&mut self, kind: u16) {
        match (type_name(kind), self.style.quiet) {
            (Some(name), false) => {
                say!(self, "ethertype {name} (0x{kind:04x})");
            }
            (None, false) => {
                say!(self, "ethertype Unknown (0x{kind:04x})");
            }
            (Some(name), true) => self.text.push_str(name),
            (None, true) => {
                say!(self, "Unknown Ethertype (0x{kind:04x})");
            }
        }
    }

    /// What a type or length announces. `header` prints the link-level header, for protocols that nothing else is
    /// known of.
    fn behind_type(&mut self, mut kind: u16, mut data: &[u8], mut length: usize, header: &Header) -> Printed {
        while is_tag(kind) {
            self.protocol = "vlan";
            let tag = data.be16(0)?;
            kind = data.be16(2)?;
            data = data.rest(TAG);
            length = length.saturating_sub(TAG);
            if !self.style.link_level {
                continue;
            }
            say!(self, "vlan {}, p {}{}, ", tag & 0x0fff, tag >> 13, if tag & 0x1000 != 0 { ", DEI" } else { "" });
            if kind <= LONGEST_LENGTH {
                self.text.push_str("802.3");
            } else {
                self.type_in_words(kind);
                self.text.push_str(", ");
            }
        }
        if kind <= LONGEST_LENGTH {
            // Bytes beyond its length are padding.
            let length = length.min(kind.into());
            let data = data.upto(length);
            return self.llc(data, length, header);
        }
        match kind {
            0x0800 => self.ipv4(data, length),
            0x86dd => self.ipv6(data, length),
            0x0806 | 0x8035 => self.arp(data, length),
            0x8808 => self.pause(data, length),
            _ => {
                if !self.style.link_level {
                    header(self, kind);
                }
                self.dump_if_wanted(data);
                Ok(())
            }
        }
    }

    /// MAC control: little more than PAUSE is in use.
    fn pause(&mut self, data: &[u8], length: usize) -> Printed {
        self.protocol = "mpcp";
        let operation = data.be16(0)?;
        let name = if operation == 1 { "Pause".to_owned() } else { format!("Unknown ({operation})") };
        say!(self, "MPCP, Opcode {name}, length {length}");
        Ok(())
    }

    pub(super) fn cooked(&mut self, data: &[u8], length: usize, device: impl FnOnce(u32) -> String) -> Printed {
        const COOKED_HEADER: usize = 20;
        data.run(0, COOKED_HEADER)?;
        let kind = data.be16(0)?;
        let index = data.be32(4)?;
        let name = device(index);
        let how = match data.byte(10)? {
            0 => "In",
            1 => "B",
            2 => "M",
            3 => "P",
            4 => "Out",
            _ => "???",
        };
        say!(self, "{name:<5} {how:<3} ");
        let address = data.run(12, usize::from(data.byte(11)?).min(8)).unwrap_or_default().to_vec();
        let header = move |printer: &mut Printer, kind: u16| {
            say!(printer, "ifindex {index} ");
            if !address.is_empty() {
                say!(printer, "{} ", mac(&address));
            }
            printer.type_in_words(kind);
            say!(printer, ", length {length}: ");
        };
        if self.style.link_level {
            header(self, kind);
        }
        self.behind_type(kind, data.rest(COOKED_HEADER), length.saturating_sub(COOKED_HEADER), &header)
    }
}
