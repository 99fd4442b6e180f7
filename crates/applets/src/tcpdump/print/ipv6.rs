//! IPv6 (RFC 8200): header and extension headers.

use std::net::Ipv6Addr;

use super::ip::{Around, protocol_name};
use super::{Fetch, Printed, Printer, say};

const HEADER: usize = 40;
const HOP_BY_HOP: u8 = 0;
const ROUTING: u8 = 43;
const FRAGMENT: u8 = 44;
const NO_NEXT_HEADER: u8 = 59;
const DESTINATION_OPTIONS: u8 = 60;

impl Printer {
    pub(super) fn ipv6(&mut self, data: &[u8], length: usize) -> Printed {
        self.protocol = "ip6";
        self.descend()?;
        data.run(0, HEADER)?;
        if !self.style.link_level {
            self.text.push_str("IP6 ");
        }
        let first = data.be32(0)?;
        if first >> 28 != 6 {
            say!(self, "version error: {} != 6", first >> 28);
            return Ok(());
        }
        let payload = usize::from(data.be16(4)?);
        if length < payload + HEADER {
            say!(self, "truncated-ip6 - {} bytes missing!", payload + HEADER - length);
        }
        let data = data.upto(payload + HEADER);
        let (next, hops) = (data.byte(6)?, data.byte(7)?);
        if self.style.verbose > 0 {
            self.text.push('(');
            let (class, flow) = (first >> 20 & 0xff, first & 0xf_ffff);
            if class != 0 {
                say!(self, "class 0x{class:02x}, ");
            }
            if flow != 0 {
                say!(self, "flowlabel 0x{flow:05x}, ");
            }
            say!(self, "hlim {hops}, next-header {} ({next}) payload length: {payload}) ", protocol_name(next));
        }
        let around = Around {
            source: Ipv6Addr::from(data.array::<16>(8)?).into(),
            destination: Ipv6Addr::from(data.array::<16>(24)?).into(),
            fragment: false,
        };
        self.behind_ipv6(next, data.rest(HEADER), payload, around)
    }

    fn behind_ipv6(&mut self, mut next: u8, mut data: &[u8], mut length: usize, mut around: Around) -> Printed {
        let mut extended = false;
        let mut hop_by_hop = false;
        loop {
            let with_ports = !extended && matches!(next, 6 | 17);
            if !extended && !with_ports {
                self.ends(&around);
            }
            let step = match next {
                HOP_BY_HOP if std::mem::replace(&mut hop_by_hop, true) => {
                    self.text.push_str("[The Hop-by-Hop Options header was already found] (invalid)");
                    return Ok(());
                }
                HOP_BY_HOP => self.options("HBH ", data)?,
                DESTINATION_OPTIONS => self.options("DSTOPT ", data)?,
                ROUTING => self.routing(data)?,
                FRAGMENT => {
                    let first = self.fragment(data, length)?;
                    around.fragment = true;
                    if !first {
                        return Ok(());
                    }
                    8
                }
                _ => break,
            };
            extended = true;
            next = data.byte(0)?;
            data = data.rest(step);
            length = length.saturating_sub(step);
        }
        match next {
            6 if extended => self.other_protocol(next, length),
            17 if extended => self.udp_in_fragment(data),
            6 => self.tcp(data, length, &around),
            17 => self.udp(data, length, &around),
            4 => self.ipv4(data, length),
            41 => self.ipv6(data, length),
            58 => self.icmpv6(data, length, &around),
            NO_NEXT_HEADER => {
                self.text.push_str("no next header");
                Ok(())
            }
            _ => self.other_protocol(next, length),
        }
    }

    /// Hop-by-hop and destination options; their length.
    fn options(&mut self, name: &str, data: &[u8]) -> Result<usize, super::Cut> {
        self.protocol = if name == "HBH " { "hbhopt" } else { "dstopt" };
        let whole = (usize::from(data.byte(1)?) + 1) * 8;
        let options = data.run(2, whole - 2)?;
        self.text.push_str(name);
        if self.style.verbose == 0 {
            return Ok(whole);
        }
        let mut at = 0;
        while at < options.len() {
            let kind = options.byte(at)?;
            if kind == 0 {
                self.text.push_str("(pad1)");
                at += 1;
                continue;
            }
            let Ok(length) = options.byte(at + 1).map(usize::from) else { break };
            match kind {
                1 => self.text.push_str("(padn)"),
                5 => {
                    say!(self, "(rtalert: 0x{:04x}) ", options.be16(at + 2)?);
                }
                _ => {
                    say!(self, "(opt_type 0x{kind:02x}: len={length})");
                }
            }
            at += 2 + length;
        }
        self.text.push(' ');
        Ok(whole)
    }

    fn routing(&mut self, data: &[u8]) -> Result<usize, super::Cut> {
        self.protocol = "rt6";
        let (words, kind, left) = (data.byte(1)?, data.byte(2)?, data.byte(3)?);
        let whole = (usize::from(words) + 1) * 8;
        let name = match kind {
            0 => "0 [Deprecated]".to_owned(),
            _ => kind.to_string(),
        };
        say!(self, "RT6 (len={words}, type={name}, segleft={left}");
        if kind == 0 {
            if self.style.verbose > 0 {
                say!(self, ", rsv=0x{:x}", data.be32(4)?);
            }
            for hop in 0..usize::from(words / 2) {
                let address = Ipv6Addr::from(data.array::<16>(8 + 16 * hop)?);
                say!(self, ", [{hop}]{}", self.names.host(address));
            }
        }
        self.text.push_str(") ");
        Ok(whole)
    }

    /// A fragment header; whether it is the first fragment.
    fn fragment(&mut self, data: &[u8], length: usize) -> Result<bool, super::Cut> {
        self.protocol = "frag6";
        let (position, identification) = (data.be16(2)?, data.be32(4)?);
        let offset = position & !7;
        let rest = length.saturating_sub(8);
        self.text.push_str("frag (");
        if self.style.verbose > 0 {
            say!(self, "0x{identification:08x}:");
        }
        say!(self, "{offset}|{rest})");
        if offset == 0 {
            self.text.push(' ');
        }
        Ok(offset == 0)
    }
}
