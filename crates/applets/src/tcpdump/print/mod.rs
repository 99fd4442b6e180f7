//! A frame in words, as tcpdump 4.99 puts them: one file a protocol.
//!
//! Every printer takes what was captured of its protocol and how long that was on the wire. What it needs and isn't
//! there ends the line with the protocol's name: ` [|arp]`.

mod arp;
mod ethernet;
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
}

impl Printer {
    pub(super) fn new(style: Style) -> Printer {
        let names = names::Names::new(style.numeric);
        Printer { style, text: String::new(), protocol: "", names, conversations: tcp::Conversations::default() }
    }

    /// The frame in words, and how long its link-level header is. `device` names the one of a cooked header.
    pub(super) fn frame(&mut self, frame: &Frame, device: impl FnOnce(u32) -> String) -> (String, usize) {
        self.text.clear();
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
