//! 802.2 logical link control, and the protocols behind it.

use super::ethernet::Header;
use super::{Fetch, Printed, Printer, say};

const SPANNING_TREE: u8 = 0x42;
const SNAP: u8 = 0xaa;
const EXCHANGE_IDENTIFICATION: u8 = 0xaf;
const UNNUMBERED_INFORMATION: u8 = 0x03;

fn access_point(number: u8) -> &'static str {
    match number {
        0x00 => "Null",
        0x02 => "802.1B I",
        0x03 => "802.1B G",
        0x04 => "SNA",
        0x06 => "IP",
        0x0e => "ProWay NM",
        0x42 => "STP",
        0x8e => "ProWay ASM",
        0xaa => "SNAP",
        0xe0 => "IPX",
        0xf0 => "NetBeui",
        0xfe => "ISO NS",
        0xff => "Global",
        _ => "Unknown",
    }
}

/// How long the header is, with SNAP's behind it.
pub(super) fn header_length(data: &[u8]) -> usize {
    match data {
        [SNAP, SNAP, UNNUMBERED_INFORMATION, ..] => 8,
        [_, _, control, ..] if control & 3 == 3 => 3,
        [_, _, _, _, ..] => 4,
        _ => 0,
    }
}

impl Printer {
    pub(super) fn llc(&mut self, data: &[u8], length: usize, header: &Header) -> Printed {
        self.protocol = "llc";
        if data.len() < 3 {
            self.text.push_str(" [|llc]");
            self.dump(data);
            return Ok(());
        }
        let (destination, source, first) = (data.byte(0)?, data.byte(1)?, data.byte(2)?);
        let unnumbered = first & 3 == 3;
        let control = if unnumbered { u16::from(first) } else { u16::from_le_bytes([first, data.byte(3)?]) };
        // The lowest bit says group (destination) and response (source).
        let (to, from) = (destination & !1, source & !1);
        if self.style.link_level {
            let kind = if destination & 1 == 1 { "Group" } else { "Individual" };
            say!(self, "LLC, dsap {} (0x{to:02x}) {kind}, ", access_point(to));
            let kind = if source & 1 == 1 { "Response" } else { "Command" };
            say!(self, "ssap {} (0x{from:02x}) {kind}, ", access_point(from));
            let digits = if unnumbered { 2 } else { 4 };
            say!(self, "ctrl 0x{control:0digits$x}: ");
        }
        let information = unnumbered && first & !0x10 == UNNUMBERED_INFORMATION;
        let behind = data.rest(if unnumbered { 3 } else { 4 });
        let rest = length.saturating_sub(if unnumbered { 3 } else { 4 });
        match (to, information) {
            (SPANNING_TREE, true) if from == SPANNING_TREE => return self.stp(behind, rest),
            (SNAP, true) if from == SNAP => return self.snap(behind, rest, header),
            (0x06, true) if from == 0x06 => return self.ipv4(behind, rest),
            _ => {}
        }
        if !self.style.link_level {
            header_without_length(self, header);
            let name = access_point(to);
            if name == "Unknown" {
                say!(self, "Unknown DSAP 0x{to:02x} ");
            } else {
                say!(self, "{name} ");
            }
        }
        self.format(source & 1 == 1, control, unnumbered, length);
        match (unnumbered, first) {
            (true, _) if first & 0xef == EXCHANGE_IDENTIFICATION => {
                for (number, byte) in behind.iter().skip(1).take(2).enumerate() {
                    say!(self, "{}{byte:02x}", if number == 0 { ": " } else { " " });
                }
            }
            // A supervisory frame carries nothing.
            (false, _) if first & 1 == 1 => {}
            _ => self.dump_if_wanted(data),
        }
        Ok(())
    }

    /// The kind of frame.
    fn format(&mut self, response: bool, control: u16, unnumbered: bool, length: usize) {
        let poll = if unnumbered { control & 0x10 != 0 } else { control & 0x100 != 0 };
        let flags = match (response, poll) {
            (false, false) => "Command",
            (false, true) => "Poll",
            (true, false) => "Response",
            (true, true) => "Final",
        };
        if unnumbered {
            let name = match control & 0xef {
                0x03 => "ui",
                0x0f => "dm",
                0x43 => "disc",
                0x63 => "ua",
                0x6f => "sabme",
                0x87 => "frmr",
                0xaf => "xid",
                0xe3 => "test",
                _ => "unknown",
            };
            say!(self, "Unnumbered, {name}, Flags [{flags}], length {length}");
        } else if control & 1 == 0 {
            let (sent, received) = ((control >> 1) & 0x7f, control >> 9);
            say!(self, "Information, send seq {sent}, rcv seq {received}, Flags [{flags}], length {length}");
        } else {
            let name = match (control >> 2) & 3 {
                0 => "Receiver Ready",
                1 => "Receiver not Ready",
                2 => "Reject",
                _ => "Unknown",
            };
            say!(self, "Supervisory, {name}, rcv seq {}, Flags [{flags}], length {length}", control >> 9);
        }
    }

    fn snap(&mut self, data: &[u8], length: usize, header: &Header) -> Printed {
        self.protocol = "snap";
        let organisation = u32::from_be_bytes([0, data.byte(0)?, data.byte(1)?, data.byte(2)?]);
        let kind = data.be16(3)?;
        let (behind, rest) = (data.rest(5), length.saturating_sub(5));
        if self.style.link_level {
            let name = match organisation {
                0 => "Ethernet",
                0x00_000c => "Cisco",
                0x00_80c2 => "RFC2684",
                _ => "Unknown",
            };
            say!(self, "oui {name} (0x{organisation:06x}), ");
            if organisation == 0 {
                say!(self, "ethertype {}, length {rest}: ", ethertype(kind));
            } else {
                say!(self, "pid Unknown (0x{kind:04x}), length {rest}: ");
            }
        }
        match (organisation, kind) {
            (0, 0x0800) => self.ipv4(behind, rest),
            (0, 0x86dd) => self.ipv6(behind, rest),
            (0, 0x0806 | 0x8035) => self.arp(behind, rest),
            _ => {
                if !self.style.link_level {
                    header_without_length(self, header);
                    say!(self, "SNAP Unnumbered, ui, Flags [Command], length {}", length + 3);
                }
                self.dump_if_wanted(behind);
                Ok(())
            }
        }
    }
}

fn ethertype(kind: u16) -> String {
    match kind {
        0x0800 => "IPv4 (0x0800)".to_owned(),
        0x0806 => "ARP (0x0806)".to_owned(),
        0x86dd => "IPv6 (0x86dd)".to_owned(),
        _ => format!("Unknown (0x{kind:04x})"),
    }
}

/// `SOURCE > DESTINATION ` alone.
fn header_without_length(printer: &mut Printer, header: &Header) {
    let before = printer.text.len();
    header(printer, 0);
    if let Some(comma) = printer.text.get(before..).and_then(|text| text.find(',')) {
        printer.text.truncate(before + comma);
        printer.text.push(' ');
    }
}
