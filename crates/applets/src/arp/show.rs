//! The neighbour table of `/proc/net/arp`, in Linux's columns or BSD's sentences.

use std::io::{self, Write};
use std::net::Ipv4Addr;

use super::{FAILURE, Options, flag};
use crate::Context;
use crate::nettools::{hardware, resolve};

/// One line of `/proc/net/arp`.
struct Entry {
    address: Ipv4Addr,
    hardware: u16,
    flags: u32,
    hardware_address: String,
    mask: String,
    device: String,
}

impl Entry {
    fn parse(line: &str) -> Option<Entry> {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let &[address, hardware, flags, hardware_address, mask, device] = fields.first_chunk::<6>()?;
        let number = |text: &str| u32::from_str_radix(text.strip_prefix("0x")?, 16).ok();
        Some(Entry {
            address: address.parse().ok()?,
            hardware: number(hardware)? as u16,
            flags: number(flags)?,
            hardware_address: hardware_address.to_owned(),
            mask: mask.to_owned(),
            device: device.to_owned(),
        })
    }

    fn hardware_name(&self, options: &Options) -> &'static str {
        let known = hardware::by_number(self.hardware);
        if known.number == self.hardware { known.name } else { options.hardware.name }
    }

    fn is(&self, flag: u32) -> bool {
        self.flags & flag != 0
    }

    fn show_columns(&self, out: &mut dyn Write, options: &Options) -> io::Result<()> {
        let name = resolve::show_host(self.address, options.numeric);
        let (kind, address) = match () {
            () if self.is(flag::COMPLETE) => (self.hardware_name(options), self.hardware_address.as_str()),
            () if self.is(flag::PUBLIC) => ("*", "<from_interface>"),
            () => ("", "(incomplete)"),
        };
        let letters = [
            (flag::COMPLETE, 'C'),
            (flag::PERMANENT, 'M'),
            (flag::PUBLIC, 'P'),
            (flag::AUTOMATIC, 'A'),
            (flag::DONT_PUBLISH, '!'),
            (flag::TRAILERS, 'T'),
        ];
        let letters: String = letters.iter().filter(|(flag, _)| self.is(*flag)).map(|(_, letter)| *letter).collect();
        let mask = if self.is(flag::NETMASK) { self.mask.as_str() } else { "" };
        writeln!(out, "{name:<23.23}  {kind:<8}{address:<20.20}{letters:<6}{mask:<15.15} {}", self.device)
    }

    fn show_sentence(&self, out: &mut dyn Write, options: &Options) -> io::Result<()> {
        let name = if options.numeric { None } else { resolve::host_name(self.address.into()) };
        write!(out, "{} ({}) at ", name.as_deref().unwrap_or("?"), self.address)?;
        match () {
            () if self.is(flag::COMPLETE) => {
                write!(out, "{} [{}] ", self.hardware_address, self.hardware_name(options))?;
            }
            () if self.is(flag::PUBLIC) => write!(out, "<from_interface> ")?,
            () => write!(out, "<incomplete> ")?,
        }
        if self.is(flag::NETMASK) {
            write!(out, "netmask {} ", self.mask)?;
        }
        let words = [
            (flag::PERMANENT, "PERM"),
            (flag::PUBLIC, "PUB"),
            (flag::AUTOMATIC, "AUTO"),
            (flag::DONT_PUBLISH, "DONTPUB"),
            (flag::TRAILERS, "TRAIL"),
        ];
        for (_, word) in words.iter().filter(|(flag, _)| self.is(*flag)) {
            write!(out, "{word} ")?;
        }
        writeln!(out, "on {}", self.device)
    }
}

const HEADING: &str = "Address                  HWtype  HWaddress           Flags Mask            Iface";

pub(super) fn run(context: &mut Context<'_>, options: &Options, host: Option<&str>) -> io::Result<i32> {
    let wanted = match host {
        None => None,
        Some(name) => match resolve::inet(context, name, false) {
            Ok(inet) => Some(inet.address),
            Err(why) => {
                writeln!(context.err, "{name}: {why}")?;
                return Ok(FAILURE);
            }
        },
    };
    let bytes = context.machine.read_file(&context.netns, "/proc/net/arp")?;
    let text = String::from_utf8_lossy(&bytes);
    let entries: Vec<Entry> = text.lines().skip(1).filter_map(Entry::parse).collect();
    let shown: Vec<&Entry> = entries
        .iter()
        .filter(|entry| wanted.is_none_or(|address| entry.address == address))
        .filter(|entry| options.device.as_ref().is_none_or(|device| entry.device == *device))
        .filter(|entry| !options.hardware_given || entry.hardware == options.hardware.number)
        .collect();
    if !options.bsd && !shown.is_empty() {
        writeln!(context.out, "{HEADING}")?;
    }
    for entry in &shown {
        if options.bsd {
            entry.show_sentence(context.out, options)?;
        } else {
            entry.show_columns(context.out, options)?;
        }
    }
    if options.verbose {
        let (all, found) = (entries.len(), shown.len());
        writeln!(context.out, "Entries: {all}\tSkipped: {}\tFound: {found}", all - found)?;
    }
    if shown.is_empty() {
        match (host, wanted) {
            (Some(name), Some(address)) if !options.bsd => {
                writeln!(context.out, "{name} ({address}) -- no entry")?;
            }
            _ if host.is_some() || options.device.is_some() || options.hardware_given => {
                writeln!(context.out, "arp: in {} entries no match found.", entries.len())?;
            }
            _ => {}
        }
    }
    Ok(0)
}
