//! ICMP (RFC 792, 950, 1191, 1256).

use std::net::Ipv4Addr;

use super::{Cut, Fetch, Printed, Printer, checksum, repaired, say};

/// The packet that an error quotes.
struct Quoted<'a> {
    packet: &'a [u8],
    destination: Ipv4Addr,
    protocol: u8,
}

fn quoted(data: &[u8]) -> Result<Quoted<'_>, Cut> {
    let packet = data.rest(8);
    Ok(Quoted { packet, destination: packet.array::<4>(16)?.into(), protocol: packet.byte(9)? })
}

impl Printer {
    pub(super) fn icmp(&mut self, data: &[u8], length: usize, fragment: bool) -> Printed {
        self.protocol = "icmp";
        let (kind, code) = (data.byte(0)?, data.byte(1)?);
        data.be16(2)?;
        let text = self.icmp_message(kind, code, data)?;
        say!(self, "ICMP {text}, length {length}");
        if self.style.verbose == 0 || fragment {
            return Ok(());
        }
        if data.len() >= length {
            let sum = checksum(&[data.upto(length)]);
            if sum != 0 {
                let field = data.be16(2)?;
                say!(self, " (wrong icmp cksum {field:x} (->{:x})!)", repaired(field, sum));
            }
        }
        let is_error = matches!(kind, 3 | 4 | 5 | 11 | 12);
        if is_error && !self.style.quiet {
            self.text.push_str("\n\t");
            // The packet is quoted in part; how long it was stands in itself.
            let packet = data.rest(8);
            let whole = packet.be16(2).map_or(packet.len(), usize::from);
            return self.ipv4(packet, whole);
        }
        Ok(())
    }

    fn icmp_message(&mut self, kind: u8, code: u8, data: &[u8]) -> Result<String, Cut> {
        Ok(match kind {
            0 | 8 => {
                let what = if kind == 8 { "request" } else { "reply" };
                format!("echo {what}, id {}, seq {}", data.be16(4)?, data.be16(6)?)
            }
            3 => self.unreachable(code, data)?,
            4 => "source quench".to_owned(),
            5 => {
                let target = self.names.host(quoted(data)?.destination);
                let gateway = self.names.host(Ipv4Addr::from(data.array::<4>(4)?));
                match code {
                    0 => format!("redirect {target} to net {gateway}"),
                    1 => format!("redirect {target} to host {gateway}"),
                    2 => format!("redirect-tos {target} to net {gateway}"),
                    3 => format!("redirect-tos {target} to host {gateway}"),
                    _ => format!("redirect-#{code} {target} to {gateway}"),
                }
            }
            9 => self.router_advertisement(data)?,
            10 => "router solicitation".to_owned(),
            11 => {
                quoted(data)?;
                match code {
                    0 => "time exceeded in-transit".to_owned(),
                    1 => "ip reassembly time exceeded".to_owned(),
                    _ => format!("time exceeded-#{code}"),
                }
            }
            12 if code != 0 => format!("parameter problem - code {code}"),
            12 => format!("parameter problem - octet {}", data.byte(4)?),
            13 => format!("time stamp query id {} seq {}", data.be16(4)?, data.be16(6)?),
            14 => {
                let [original, received, sent] = [data.be32(8)?, data.be32(12)?, data.be32(16)?].map(time_of_day);
                let (id, sequence) = (data.be16(4)?, data.be16(6)?);
                format!("time stamp reply id {id} seq {sequence}: org {original}, recv {received}, xmit {sent}")
            }
            15 => "information request".to_owned(),
            16 => "information reply".to_owned(),
            17 => "address mask request".to_owned(),
            18 => format!("address mask is 0x{:08x}", data.be32(8)?),
            _ => format!("type-#{kind}"),
        })
    }

    fn unreachable(&mut self, code: u8, data: &[u8]) -> Result<String, Cut> {
        let quoted = quoted(data)?;
        let target = self.names.host(quoted.destination);
        Ok(match code {
            0 => format!("net {target} unreachable"),
            1 => format!("host {target} unreachable"),
            2 => format!("{target} protocol {} unreachable", quoted.protocol),
            3 => {
                let header = usize::from(quoted.packet.byte(0)? & 0x0f) * 4;
                let port = quoted.packet.be16(header + 2)?;
                match quoted.protocol {
                    6 => format!("{target} tcp port {} unreachable", self.names.port(port, "tcp")),
                    17 => format!("{target} udp port {} unreachable", self.names.port(port, "udp")),
                    other => format!("{target} protocol {other} port {port} unreachable"),
                }
            }
            4 => match data.be16(6)? {
                0 => format!("{target} unreachable - need to frag"),
                mtu => format!("{target} unreachable - need to frag (mtu {mtu})"),
            },
            5 => format!("{target} unreachable - source route failed"),
            6 => format!("net {target} unreachable - unknown"),
            7 => format!("host {target} unreachable - unknown"),
            8 => format!("{target} unreachable - source host isolated"),
            9 => format!("net {target} unreachable - admin prohibited"),
            10 => format!("host {target} unreachable - admin prohibited"),
            11 => format!("net {target} unreachable - tos prohibited"),
            12 => format!("host {target} unreachable - tos prohibited"),
            13 => format!("host {target} unreachable - admin prohibited filter"),
            14 => format!("host {target} unreachable - host precedence violation"),
            15 => format!("host {target} unreachable - precedence cutoff"),
            _ => format!("{target} unreachable - #{code}"),
        })
    }

    fn router_advertisement(&mut self, data: &[u8]) -> Result<String, Cut> {
        let (number, words, lifetime) = (data.byte(4)?, data.byte(5)?, data.be16(6)?);
        let lifetime = match lifetime {
            0..60 => format!("{lifetime}"),
            60..3600 => format!("{}:{:02}", lifetime / 60, lifetime % 60),
            _ => format!("{}:{:02}:{:02}", lifetime / 3600, lifetime % 3600 / 60, lifetime % 60),
        };
        let mut text = format!("router advertisement lifetime {lifetime} {number}:");
        if words != 2 {
            text.push_str(&format!(" [size {words}]"));
            return Ok(text);
        }
        for entry in 0..usize::from(number) {
            let address = self.names.host(Ipv4Addr::from(data.array::<4>(8 + 8 * entry)?));
            text.push_str(&format!(" {{{address} {}}}", data.be32(12 + 8 * entry)?));
        }
        Ok(text)
    }
}

/// Milliseconds since midnight.
fn time_of_day(milliseconds: u32) -> String {
    let seconds = milliseconds / 1000;
    format!("{:02}:{:02}:{:02}.{:03}", seconds / 3600, seconds % 3600 / 60, seconds % 60, milliseconds % 1000)
}
