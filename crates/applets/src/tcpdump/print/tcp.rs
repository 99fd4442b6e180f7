//! TCP (RFC 9293, 7323, 2018): sequence numbers are told relative to a conversation's first.

use std::collections::HashMap;
use std::net::IpAddr;

use super::ip::Around;
use super::{Cut, Fetch, Printed, Printer, repaired, say};

const HEADER: usize = 20;
const PROTOCOL: u8 = 6;
const SYN: u8 = 0x02;
const RESET: u8 = 0x04;
const ACK: u8 = 0x10;

type End = (IpAddr, u16);

/// The first sequence numbers of conversations, by their ends in order.
#[derive(Debug, Default)]
pub(super) struct Conversations(HashMap<(End, End), (u32, u32)>);

impl Conversations {
    /// The bases of an acknowledging segment's numbers, its own first; `None` for the first such segment and for SYN,
    /// which others are told relative to.
    fn bases(&mut self, from: End, to: End, flags: u8, sequence: u32, acknowledgement: u32) -> Option<(u32, u32)> {
        if flags & ACK == 0 {
            return None;
        }
        let forward = from < to;
        let key = if forward { (from, to) } else { (to, from) };
        let orient = |(mine, theirs): (u32, u32)| if forward { (mine, theirs) } else { (theirs, mine) };
        match self.0.get(&key) {
            Some(&bases) if flags & SYN == 0 => Some(orient(bases)),
            _ => {
                self.0.insert(key, orient((sequence, acknowledgement.wrapping_sub(1))));
                None
            }
        }
    }
}

impl Printer {
    pub(super) fn tcp(&mut self, data: &[u8], length: usize, around: &Around) -> Printed {
        self.protocol = "tcp";
        let (Ok(source), Ok(destination)) = (data.be16(0), data.be16(2)) else {
            self.ends(around);
            // One blank less than elsewhere.
            self.text.pop();
            return Err(Cut);
        };
        if data.len() < HEADER.min(length) || data.len() < 13 {
            self.ends_with_ports(around, (source, destination), "tcp");
            return Err(Cut);
        }
        let header = usize::from(data.byte(12)? >> 4) * 4;
        self.ends_with_ports(around, (source, destination), "tcp");
        if header < HEADER {
            let payload = length.saturating_sub(header);
            say!(self, " tcp {payload} [bad hdr length {header} - too short, < {HEADER}]");
            return Ok(());
        }
        let payload = length.saturating_sub(header);
        if self.style.quiet {
            say!(self, "tcp {payload}");
            if header > length {
                say!(self, " [bad hdr length {header} - too long, > {length}]");
            }
            return Ok(());
        }
        let (sequence, acknowledgement) = (data.be32(4)?, data.be32(8)?);
        let flags = data.byte(13)?;
        self.tcp_flags(flags);
        if header > length {
            say!(self, " [bad hdr length {header} - too long, > {length}]");
            return Ok(());
        }
        let bases = if self.style.absolute {
            None
        } else {
            let (from, to) = ((around.source, source), (around.destination, destination));
            self.conversations.bases(from, to, flags, sequence, acknowledgement)
        };
        let (relative, relative_ack) = match bases {
            Some((mine, theirs)) => (sequence.wrapping_sub(mine), acknowledgement.wrapping_sub(theirs)),
            None => (sequence, acknowledgement),
        };
        if self.style.verbose > 0 && !around.fragment && data.len() >= length {
            let field = data.be16(16)?;
            let sum = around.checksum(PROTOCOL, data.upto(length));
            if sum == 0 {
                say!(self, ", cksum 0x{field:04x} (correct)");
            } else {
                say!(self, ", cksum 0x{field:04x} (incorrect -> 0x{:04x})", repaired(field, sum));
            }
        }
        if self.style.verbose > 1 || payload > 0 || flags & (SYN | 0x01 | RESET) != 0 {
            say!(self, ", seq {relative}");
            if payload > 0 {
                say!(self, ":{}", relative.wrapping_add(payload as u32));
            }
        }
        if flags & ACK != 0 {
            say!(self, ", ack {relative_ack}");
        }
        say!(self, ", win {}", data.be16(14)?);
        if flags & 0x20 != 0 {
            say!(self, ", urg {}", data.be16(18)?);
        }
        if header > HEADER {
            let whole = self.tcp_options(data, header, bases)?;
            if !whole {
                return Ok(());
            }
        }
        say!(self, ", length {payload}");
        if payload == 0 {
            return Ok(());
        }
        if flags & RESET == 0 {
            self.payload(data.rest(header).upto(payload), (source, destination));
        } else if self.style.verbose > 0 {
            // RFC 1122 lets a reset say why.
            let reason = String::from_utf8_lossy(data.rest(header).upto(payload)).into_owned();
            say!(self, " [RST {}]", reason.escape_default());
        }
        Ok(())
    }

    fn tcp_flags(&mut self, flags: u8) {
        let letters = ['F', 'S', 'R', 'P', '.', 'U', 'E', 'W'];
        let set: String =
            letters.iter().enumerate().filter(|(bit, _)| flags & 1 << bit != 0).map(|(_, letter)| letter).collect();
        say!(self, "Flags [{}]", if set.is_empty() { "none" } else { &set });
    }

    /// Whether every option was one.
    fn tcp_options(&mut self, data: &[u8], header: usize, bases: Option<(u32, u32)>) -> Result<bool, Cut> {
        let mut at = HEADER;
        let mut separator = ", options [";
        while at < header {
            self.text.push_str(std::mem::replace(&mut separator, ","));
            let kind = data.byte(at)?;
            if kind < 2 {
                self.text.push_str(if kind == 0 { "eol" } else { "nop" });
                at += 1;
                if kind == 0 {
                    break;
                }
                continue;
            }
            let length = if at + 1 < header { usize::from(data.byte(at + 1)?) } else { 0 };
            if length < 2 || at + length > header {
                self.text.push_str("[bad opt]");
                return Ok(false);
            }
            let option = data.run(at, length)?;
            self.tcp_option(kind, option, bases)?;
            at += length;
        }
        self.text.push(']');
        Ok(true)
    }

    fn tcp_option(&mut self, kind: u8, option: &[u8], bases: Option<(u32, u32)>) -> Printed {
        match (kind, option.len()) {
            (2, 4) => {
                say!(self, "mss {}", option.be16(2)?);
            }
            (3, 3) => {
                say!(self, "wscale {}", option.byte(2)?);
            }
            (4, 2) => self.text.push_str("sackOK"),
            (5, length) => {
                let blocks = (length - 2) / 8;
                say!(self, "sack {blocks} ");
                // Blocks speak of the other end's numbers.
                let base = bases.map_or(0, |(_, theirs)| theirs);
                for block in 0..blocks {
                    let (from, to) = (option.be32(2 + 8 * block)?, option.be32(6 + 8 * block)?);
                    say!(self, "{{{}:{}}}", from.wrapping_sub(base), to.wrapping_sub(base));
                }
            }
            (8, 10) => {
                say!(self, "TS val {} ecr {}", option.be32(2)?, option.be32(6)?);
            }
            _ => {
                say!(self, "unknown-{kind}");
                let value = option.rest(2);
                if !value.is_empty() {
                    say!(self, " 0x");
                }
                for byte in value {
                    say!(self, "{byte:02x}");
                }
            }
        }
        Ok(())
    }

    /// What is told of a segment's content: the first line of HTTP.
    fn payload(&mut self, data: &[u8], ports: (u16, u16)) {
        let is_http = |port| matches!(port, 80 | 8080 | 3128);
        if !is_http(ports.0) && !is_http(ports.1) {
            return;
        }
        let methods =
            ["GET ", "HEAD ", "POST ", "PUT ", "DELETE ", "OPTIONS ", "TRACE ", "CONNECT ", "PATCH ", "HTTP/"];
        let begins = methods.iter().any(|method| data.starts_with(method.as_bytes()));
        let lines = data.split(|&byte| byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
        let printable = |line: &[u8]| -> String {
            line.iter()
                .map(|&byte| if byte == b'\t' || !byte.is_ascii_control() { byte as char } else { '.' })
                .collect()
        };
        self.text.push_str(": HTTP");
        if !begins || !data.contains(&b'\n') {
            return;
        }
        if self.style.verbose > 0 {
            say!(self, ", length: {}", data.len());
        }
        for line in lines {
            if self.style.verbose == 0 {
                say!(self, ": {}", printable(line));
                return;
            }
            say!(self, "\n\t{}", printable(line));
            if line.is_empty() {
                return;
            }
        }
    }
}
