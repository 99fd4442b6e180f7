//! ICMPv6 (RFC 4443): errors and echo; neighbour discovery and multicast listeners have files of their own.

use std::net::Ipv6Addr;

use super::ip::Around;
use super::{Cut, Fetch, Printed, Printer, repaired, say};

const PROTOCOL: u8 = 58;

fn name(kind: u8) -> Option<&'static str> {
    Some(match kind {
        1 => "destination unreachable",
        2 => "packet too big",
        3 => "time exceeded in-transit",
        4 => "parameter problem",
        128 => "echo request",
        129 => "echo reply",
        130 => "multicast listener query",
        131 => "multicast listener report",
        132 => "multicast listener done",
        133 => "router solicitation",
        134 => "router advertisement",
        135 => "neighbor solicitation",
        136 => "neighbor advertisement",
        137 => "redirect",
        138 => "router renumbering",
        139 => "node information query",
        140 => "node information reply",
        141 => "inverse neighbor solicitation",
        142 => "inverse neighbor advertisement",
        143 => "multicast listener report v2",
        144 => "dhaad request",
        145 => "dhaad reply",
        146 => "mobile router solicitation",
        147 => "mobile router advertisement",
        155 => "rpl message",
        200 => "mtrace response",
        201 => "mtrace message",
        _ => return None,
    })
}

impl Printer {
    pub(super) fn icmpv6(&mut self, data: &[u8], length: usize, around: &Around) -> Printed {
        self.protocol = "icmp6";
        if self.style.verbose > 0 && !around.fragment && data.len() >= length {
            let field = data.be16(2)?;
            let sum = around.checksum(PROTOCOL, data.upto(length));
            if sum == 0 {
                self.text.push_str("[icmp6 sum ok] ");
            } else {
                say!(self, "[bad icmp6 cksum 0x{field:04x} -> 0x{:04x}!] ", repaired(field, sum));
            }
        }
        let kind = data.byte(0)?;
        match name(kind) {
            Some(name) => {
                say!(self, "ICMP6, {name}");
            }
            None => {
                say!(self, "ICMP6, unknown icmp6 type ({kind})");
            }
        }
        let code = data.byte(1)?;
        // Neighbour discovery tells its length before the details.
        let discovery = self.style.verbose > 0 && matches!(kind, 133..=137);
        if discovery {
            say!(self, ", length {length}");
        }
        match kind {
            1 => {
                if !self.unreachable6(code, data)? {
                    return Ok(());
                }
            }
            2 => {
                say!(self, ", mtu {}", data.be32(4)?);
            }
            3 => match code {
                0 => {
                    let target = self.names.host(Ipv6Addr::from(data.array::<16>(32)?));
                    say!(self, " for {target}");
                }
                1 => self.text.push_str(" (reassembly)"),
                _ => {
                    say!(self, ", unknown code ({code})");
                }
            },
            4 => {
                data.array::<16>(32)?;
                let what = match code {
                    0 => "erroneous".to_owned(),
                    1 => "next header".to_owned(),
                    2 => "option".to_owned(),
                    3 => "incomplete header chain".to_owned(),
                    _ => format!("code-#{code}"),
                };
                say!(self, ", {what} - octet {}", data.be32(4)?);
            }
            128 | 129 => {
                say!(self, ", id {}, seq {}", data.be16(4)?, data.be16(6)?);
            }
            130 if length >= 28 => self.listener_query_v2(data, length)?,
            130..=132 => {
                if let Ok(group) = data.array::<16>(8) {
                    let group = self.names.host(Ipv6Addr::from(group));
                    say!(self, "max resp delay: {} addr: {group}", data.be16(4)?);
                }
            }
            133..=137 => self.neighbour_discovery(kind, data, length)?,
            143 => self.group_records::<16>(data, length, "v2")?,
            _ => {
                say!(self, ", length {length}");
                if self.style.verbose < 2 {
                    self.text.push_str(&super::hex("\n\t", data));
                }
                return Ok(());
            }
        }
        if self.style.verbose == 0 {
            say!(self, ", length {length}");
        }
        Ok(())
    }

    /// Whether the line goes on.
    fn unreachable6(&mut self, code: u8, data: &[u8]) -> Result<bool, Cut> {
        let quoted = data.rest(8);
        self.text.push_str(match code {
            0 => ", unreachable route",
            1 => ",  unreachable prohibited",
            2 => ", beyond scope",
            3 => ", unreachable address",
            4 => ", unreachable port",
            _ => "",
        });
        let target = |printer: &mut Printer| -> Result<String, Cut> {
            Ok(printer.names.host(Ipv6Addr::from(quoted.array::<16>(24)?)))
        };
        match code {
            0 | 1 | 3 => {
                let target = target(self)?;
                say!(self, " {target}");
            }
            2 => {
                let target = target(self)?;
                let source = self.names.host(Ipv6Addr::from(quoted.array::<16>(8)?));
                say!(self, " {target}, source address {source}");
            }
            4 => {
                let protocol = match quoted.byte(6)? {
                    6 => "tcp",
                    17 => "udp",
                    _ => return Err(Cut),
                };
                let target = target(self)?;
                let port = self.names.port(quoted.be16(42)?, protocol);
                say!(self, ", {target} {protocol} port {port}");
            }
            _ => {
                say!(self, ", unknown unreach code ({code})");
                if self.style.verbose < 2 {
                    self.text.push_str(&super::hex("\n\t", data));
                }
                return Ok(false);
            }
        }
        Ok(true)
    }
}
