//! IPv4 (RFC 791): header, options, and what it carries.

use std::net::Ipv4Addr;

use super::ip::{Around, protocol_name};
use super::{Fetch, Printed, Printer, checksum, repaired, say};

const HEADER: usize = 20;
const MORE_FRAGMENTS: u16 = 0x2000;
const OFFSET: u16 = 0x1fff;

impl Printer {
    pub(super) fn ipv4(&mut self, data: &[u8], length: usize) -> Printed {
        self.protocol = "ip";
        self.descend()?;
        let first = data.byte(0)?;
        if first >> 4 != 4 {
            if first >> 4 == 6 {
                self.text.push_str("IP6, wrong link-layer encapsulation (invalid)");
            } else {
                say!(self, "IP{} (invalid)", first >> 4);
            }
            return Ok(());
        }
        if !self.style.link_level {
            self.text.push_str("IP ");
        }
        data.run(0, HEADER)?;
        let header_length = usize::from(data.byte(0)? & 0x0f) * 4;
        if header_length < HEADER {
            say!(self, "bad-hlen {header_length}");
            return Ok(());
        }
        let total = usize::from(data.be16(2)?);
        if length < total {
            say!(self, "truncated-ip - {} bytes missing! ", total - length);
        }
        if total < header_length {
            say!(self, "bad-len {total}");
            return Ok(());
        }
        // What lies behind is the frame's padding.
        let data = data.upto(total);
        let position = data.be16(6)?;
        let protocol = data.byte(9)?;
        if self.style.verbose > 0 {
            self.ipv4_header(data, header_length, total)?;
        }
        let around = Around {
            source: Ipv4Addr::from(data.array::<4>(12)?).into(),
            destination: Ipv4Addr::from(data.array::<4>(16)?).into(),
            fragment: position & (MORE_FRAGMENTS | OFFSET) != 0,
        };
        if position & OFFSET != 0 {
            self.ends(&around);
            match self.names.protocol(protocol) {
                Some(name) => self.text.push_str(&name),
                None => {
                    say!(self, "ip-proto-{protocol}");
                }
            }
            return Ok(());
        }
        self.ipv4_payload(protocol, data.rest(header_length), total - header_length, &around)
    }

    fn ipv4_payload(&mut self, protocol: u8, data: &[u8], length: usize, around: &Around) -> Printed {
        match protocol {
            6 => return self.tcp(data, length, around),
            17 => return self.udp(data, length, around),
            _ => self.ends(around),
        }
        match protocol {
            1 => self.icmp(data, length, around.fragment),
            2 => self.igmp(data, length),
            4 => self.ipv4(data, length),
            41 => self.ipv6(data, length),
            58 => {
                self.text.push_str("[ICMPv6 requires IPv6] (invalid)");
                Ok(())
            }
            _ => self.other_protocol(protocol, length),
        }
    }

    /// `(tos 0x0, ttl 64, …)` and a new line.
    fn ipv4_header(&mut self, data: &[u8], header_length: usize, total: usize) -> Printed {
        let tos = data.byte(1)?;
        say!(self, "(tos 0x{tos:x}");
        self.text.push_str(match tos & 3 {
            1 => ",ECT(1)",
            2 => ",ECT(0)",
            3 => ",CE",
            _ => "",
        });
        let ttl = data.byte(8)?;
        if ttl > 0 {
            say!(self, ", ttl {ttl}");
        }
        let position = data.be16(6)?;
        let flags: Vec<&str> = [(MORE_FRAGMENTS, "+"), (0x4000, "DF"), (0x8000, "rsvd")]
            .into_iter()
            .filter(|(bit, _)| position & bit != 0)
            .map(|(_, name)| name)
            .collect();
        let flags = if flags.is_empty() { "none".to_owned() } else { flags.join(", ") };
        let protocol = data.byte(9)?;
        say!(
            self,
            ", id {}, offset {}, flags [{flags}], proto {} ({protocol}), length {total}",
            data.be16(4)?,
            usize::from(position & OFFSET) * 8,
            protocol_name(protocol)
        );
        if header_length > HEADER {
            self.text.push_str(", options (");
            self.ipv4_options(data.run(HEADER, header_length - HEADER)?);
            self.text.push(')');
        }
        if let Ok(header) = data.run(0, header_length) {
            let sum = checksum(&[header]);
            if sum != 0 {
                let field = data.be16(10)?;
                say!(self, ", bad cksum {field:x} (->{:x})!", repaired(field, sum));
            }
        }
        self.text.push_str(")\n    ");
        Ok(())
    }

    fn ipv4_options(&mut self, mut options: &[u8]) {
        let mut first = true;
        while let Some(&kind) = options.first() {
            if !std::mem::take(&mut first) {
                self.text.push(',');
            }
            let name = match kind {
                0 => "EOL",
                1 => "NOP",
                7 => "RR",
                68 => "timestamp",
                130 => "security",
                131 => "LSRR",
                137 => "SSRR",
                148 => "RA",
                _ => "unknown",
            };
            if name == "unknown" {
                say!(self, "unknown {kind}");
            } else {
                self.text.push_str(name);
            }
            match kind {
                0 => return,
                1 => {
                    options = options.rest(1);
                    continue;
                }
                _ => {}
            }
            let length = options.get(1).copied().map_or(0, usize::from);
            let Some((option, rest)) = options.split_at_checked(length).filter(|_| length >= 2) else {
                say!(self, " [bad length {length}]");
                return;
            };
            match kind {
                7 | 131 | 137 => self.route_option(option),
                68 => self.timestamp_option(option),
                _ => {}
            }
            options = rest;
        }
    }

    fn route_option(&mut self, option: &[u8]) {
        let pointer = option.get(2).copied().map_or(0, usize::from);
        for (number, slot) in option.rest(3).chunks_exact(4).enumerate() {
            // A comma stands between what is filled and what isn't yet.
            let at = 3 + 4 * number;
            let comma = number > 0 && pointer == at + 1;
            let address = slot.array::<4>(0).map_or(Ipv4Addr::UNSPECIFIED, Ipv4Addr::from);
            say!(self, "{} {address}", if comma { "," } else { "" });
        }
    }

    fn timestamp_option(&mut self, option: &[u8]) {
        let (Some(&pointer), Some(&how)) = (option.get(2), option.get(3)) else { return };
        let with_addresses = how & 0x0f != 0;
        self.text.push_str(match how & 0x0f {
            0 => " TS{TSONLY",
            1 => " TS{TS+ADDR",
            3 => " TS{PRESPEC",
            _ => " TS{[bad ts type]",
        });
        let step = if with_addresses { 8 } else { 4 };
        for (number, slot) in option.rest(4).chunks_exact(step).enumerate() {
            if usize::from(pointer) == 5 + number * step {
                self.text.push_str(" ^ ");
            }
            let (address, stamp) = slot.split_at(step - 4);
            let time = stamp.be32(0).unwrap_or(0);
            let address = address.array::<4>(0).map(|octets| Ipv4Addr::from(octets).to_string()).unwrap_or_default();
            let space = if self.text.ends_with(' ') { "" } else { " " };
            say!(self, "{space}{time}@{address}");
        }
        self.text.push('}');
    }
}
