//! A frame in words, as tcpdump 4.99 puts them: one file a protocol.
//!
//! Every printer takes what was captured of its protocol and how long that was on the wire. What it needs and isn't
//! there ends the line with the protocol's name: ` [|arp]`.

mod arp;
mod ethernet;
mod group;
mod hex;
mod icmp;
mod icmpv6;
mod igmp;
mod ip;
mod ipv4;
mod ipv6;
mod llc;
mod mld;
mod names;
mod neighbour;
mod stp;
mod tcp;
mod udp;

use super::frame::{Frame, Link};

pub(super) use hex::{ascii, hex, hex_and_ascii};

/// What a line shows.
#[derive(Clone, Debug, Default)]
pub(super) struct Style {
    /// `-n`: no names for addresses and ports.
    pub(super) numeric: bool,
    /// `-e`: the link-level header.
    pub(super) link_level: bool,
    /// `-q`: less about protocols.
    pub(super) quiet: bool,
    /// `-v`, counted.
    pub(super) verbose: u8,
    /// `-x`, `-X`: the bytes follow anyway.
    pub(super) bytes_follow: bool,
    /// `-S`: TCP sequence numbers as they are.
    pub(super) absolute: bool,
}

/// The frame was cut before something that was to be printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cut;

type Printed = Result<(), Cut>;

/// Reading from what was captured.
trait Fetch {
    fn byte(&self, at: usize) -> Result<u8, Cut>;
    fn array<const N: usize>(&self, at: usize) -> Result<[u8; N], Cut>;
    fn be16(&self, at: usize) -> Result<u16, Cut>;
    fn be32(&self, at: usize) -> Result<u32, Cut>;
    fn run(&self, at: usize, length: usize) -> Result<&[u8], Cut>;
    /// Everything from there on; nothing where it ends before.
    fn rest(&self, at: usize) -> &[u8];
    /// At most so many bytes.
    fn upto(&self, length: usize) -> &[u8];
}

impl Fetch for [u8] {
    fn byte(&self, at: usize) -> Result<u8, Cut> {
        self.get(at).copied().ok_or(Cut)
    }

    fn array<const N: usize>(&self, at: usize) -> Result<[u8; N], Cut> {
        self.rest(at).first_chunk().copied().ok_or(Cut)
    }

    fn be16(&self, at: usize) -> Result<u16, Cut> {
        self.array(at).map(u16::from_be_bytes)
    }

    fn be32(&self, at: usize) -> Result<u32, Cut> {
        self.array(at).map(u32::from_be_bytes)
    }

    fn run(&self, at: usize, length: usize) -> Result<&[u8], Cut> {
        self.rest(at).get(..length).ok_or(Cut)
    }

    fn rest(&self, at: usize) -> &[u8] {
        self.get(at..).unwrap_or_default()
    }

    fn upto(&self, length: usize) -> &[u8] {
        self.get(..length).unwrap_or(self)
    }
}

/// Appends formatted text to a printer's line.
macro_rules! say {
    ($printer:expr, $($argument:tt)*) => {
        let _ = std::fmt::Write::write_fmt(&mut $printer.text, format_args!($($argument)*));
    };
}
use say;

/// Prints frames; remembers what later ones are told relative to.
pub(super) struct Printer {
    style: Style,
    text: String,
    /// Whose header is being read.
    protocol: &'static str,
    names: names::Names,
    conversations: tcp::Conversations,
    /// How many IP headers the line is inside of.
    depth: u8,
}

/// Packets inside packets inside packets: beyond that nobody reads on, and a hostile frame would exhaust the stack.
const DEEPEST: u8 = 32;

impl Printer {
    pub(super) fn new(style: Style) -> Printer {
        let names = names::Names::new(style.numeric);
        Printer {
            style,
            text: String::new(),
            protocol: "",
            names,
            conversations: tcp::Conversations::default(),
            depth: 0,
        }
    }

    /// The frame in words, and how long its link-level header is. `device` names the one of a cooked header.
    pub(super) fn frame(&mut self, frame: &Frame, device: impl FnOnce(u32) -> String) -> (String, usize) {
        self.text.clear();
        self.depth = 0;
        let printed = match frame.link {
            _ if frame.data.is_empty() => {
                say!(self, "[Invalid header: caplen==0, len=={}]", frame.length);
                Ok(())
            }
            Link::Ethernet => {
                self.protocol = "ether";
                self.ethernet(&frame.data, frame.length)
            }
            Link::Cooked => {
                self.protocol = "sll2";
                self.cooked(&frame.data, frame.length, device)
            }
        };
        if printed.is_err() {
            say!(self, " [|{}]", self.protocol);
        }
        // Of a frame that is cut everything is shown, unless IP's own header noticed.
        let cut_early = printed.is_err() && self.protocol != "ip";
        let header = match frame.link {
            _ if cut_early => 0,
            Link::Ethernet => ethernet::header_length(&frame.data),
            Link::Cooked => 20,
        };
        (std::mem::take(&mut self.text), header)
    }

    /// Enters a packet; whether it isn't too deep inside others.
    fn descend(&mut self) -> Printed {
        self.depth = self.depth.saturating_add(1);
        if self.depth > DEEPEST { Err(Cut) } else { Ok(()) }
    }

    /// What isn't understood, as bytes.
    fn dump(&mut self, data: &[u8]) {
        self.text.push_str(&hex_and_ascii("\n\t", data));
    }

    /// The same where a line is to be full.
    fn dump_if_wanted(&mut self, data: &[u8]) {
        if !self.style.quiet && !self.style.bytes_follow {
            self.dump(data);
        }
    }
}

/// A hardware address.
fn mac(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(":")
}

/// The Internet checksum over several runs; 0 where they hold their own. All but the last have even length.
fn checksum(runs: &[&[u8]]) -> u16 {
    let mut sum = 0u64;
    for run in runs {
        sum +=
            run.chunks(2).map(|pair| u64::from(pair[0]) << 8 | pair.get(1).copied().map_or(0, u64::from)).sum::<u64>();
    }
    while sum > 0xffff {
        sum = (sum >> 16) + (sum & 0xffff);
    }
    !(sum as u16)
}

/// What a checksum field should have held, given the sum over everything with the field in it.
fn repaired(field: u16, sum: u16) -> u16 {
    let mut right = u32::from(field) + u32::from(sum);
    while right > 0xffff {
        right = (right >> 16) + (right & 0xffff);
    }
    if right == 0xffff { 0 } else { right as u16 }
}

#[cfg(test)]
mod tests {
    use super::{Printer, Style};
    use crate::tcpdump::frame::{Frame, Link};

    fn styles() -> impl Iterator<Item = Style> {
        (0..4).map(|verbose| Style { numeric: true, link_level: verbose & 1 == 1, verbose, ..Style::default() })
    }

    /// Noise behind headers that lead to every printer, whole and cut.
    #[test]
    fn hostile_frames_are_printed_without_harm() {
        let heads: &[&[u8]] = &[
            &[8, 6],
            &[8, 0, 0x45, 0, 0, 200, 0, 1, 0, 0, 64, 1, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2],
            &[8, 0, 0x4f, 0, 0, 200, 0, 1, 0, 0, 64, 2, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2],
            &[8, 0, 0x45, 0, 0, 200, 0, 1, 0, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2],
            &[8, 0, 0x45, 0, 0, 30, 0, 1, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2],
            &[0x86, 0xdd, 0x60, 0, 0, 0, 0, 99, 58, 64],
            &[0x86, 0xdd, 0x60, 0, 0, 0, 0, 99, 0, 64],
            &[0x86, 0xdd, 0x60, 0, 0, 0, 0, 99, 43, 64],
            &[0x86, 0xdd, 0x60, 0, 0, 0, 0, 99, 44, 64],
            &[0x81, 0, 0, 5],
            &[0, 50, 0x42, 0x42, 3, 0, 0],
            &[0, 50, 0xaa, 0xaa, 3, 0, 0, 0],
            &[0, 50],
        ];
        let mut state = 1u32;
        let mut noise = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        for round in 0..200 {
            for head in heads {
                let mut data = [&[2u8; 12][..], head].concat();
                let more = usize::from(noise()) / 2;
                data.extend((0..more).map(|_| if round % 3 == 0 { noise() & 0x0f } else { noise() }));
                if let Some(kind) = data.get_mut(34 + 20 * usize::from(head.len() < 12)) {
                    *kind = noise();
                }
                for link in [Link::Ethernet, Link::Cooked] {
                    let frame = Frame {
                        length: data.len() + usize::from(noise() & 3),
                        data: data.clone(),
                        link,
                        ..Frame::default()
                    };
                    styles().for_each(|style| drop(Printer::new(style).frame(&frame, |_| "veth0".to_owned())));
                }
            }
        }
    }

    #[test]
    fn packets_in_packets_end() {
        let mut data = vec![2u8; 12];
        data.extend([8, 0]);
        for _ in 0..10_000 {
            data.extend([0x45, 0, 0xff, 0xff, 0, 1, 0, 0, 64, 4, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]);
        }
        let frame = Frame { length: data.len(), data, ..Frame::default() };
        styles().for_each(|style| drop(Printer::new(style).frame(&frame, |_| String::new())));
    }
}
