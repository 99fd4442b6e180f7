//! Setting and deleting entries: `struct arpreq`.

use std::io;
use std::net::Ipv4Addr;

use netloom_machine::Socket;

use super::{FAILURE, Options, USAGE, flag, usage};
use crate::Context;
use crate::nettools::ifreq::{Ifreq, cut, request, sockaddr_in};
use crate::nettools::{hardware, resolve, strerror};

/// `struct arpreq`.
struct Request {
    address: Ipv4Addr,
    hardware: Option<(u16, Vec<u8>)>,
    flags: u32,
    mask: Option<Ipv4Addr>,
    device: Option<String>,
}

impl Request {
    fn bytes(&self) -> [u8; 68] {
        let mut bytes = [0u8; 68];
        bytes[..16].copy_from_slice(&sockaddr_in(self.address));
        if let Some((number, address)) = &self.hardware {
            bytes[16..18].copy_from_slice(&number.to_ne_bytes());
            let length = address.len().min(14);
            bytes[18..18 + length].copy_from_slice(&address[..length]);
        }
        bytes[32..36].copy_from_slice(&self.flags.to_ne_bytes());
        if let Some(mask) = self.mask {
            bytes[36..52].copy_from_slice(&sockaddr_in(mask));
        }
        if let Some(device) = &self.device {
            let name = cut(device).as_bytes();
            bytes[52..52 + name.len()].copy_from_slice(name);
        }
        bytes
    }

    fn call(&self, socket: &Socket, number: u32) -> io::Result<()> {
        socket.ioctl(number, &mut self.bytes()).map(drop)
    }
}

fn open(context: &Context<'_>) -> io::Result<Socket> {
    context.machine.socket(&context.netns, libc::AF_INET, libc::SOCK_DGRAM, 0)
}

/// Resolves the host of an entry; `None` after a complaint.
fn host(context: &mut Context<'_>, name: &str) -> io::Result<Option<Ipv4Addr>> {
    match resolve::inet(context, name, false) {
        Ok(inet) => Ok(Some(inet.address)),
        Err(why) => {
            writeln!(context.err, "{name}: {why}")?;
            Ok(None)
        }
    }
}

/// Reads the words after an entry's addresses; an exit status where they make no sense.
fn words(context: &mut Context<'_>, request: &mut Request, words: &[String]) -> io::Result<Result<(), i32>> {
    let mut words = words.iter().map(String::as_str);
    while let Some(word) = words.next() {
        match word {
            "pub" => request.flags |= flag::PUBLIC,
            "priv" => request.flags &= !flag::PUBLIC,
            "temp" => request.flags &= !flag::PERMANENT,
            "trail" => request.flags |= flag::TRAILERS,
            "dontpub" => request.flags |= flag::DONT_PUBLISH,
            "auto" => request.flags |= flag::AUTOMATIC,
            "dev" => match words.next() {
                Some(device) => request.device = Some(device.to_owned()),
                None => return complain(context).map(Err),
            },
            "netmask" => {
                let Some(text) = words.next() else { return complain(context).map(Err) };
                if text == "255.255.255.255" {
                    continue;
                }
                let Some(mask) = host(context, text)? else { return Ok(Err(FAILURE)) };
                request.mask = Some(mask);
                request.flags |= flag::NETMASK;
            }
            _ => return complain(context).map(Err),
        }
    }
    Ok(Ok(()))
}

fn complain(context: &mut Context<'_>) -> io::Result<i32> {
    usage::complain(context.err)?;
    Ok(USAGE)
}

pub(super) fn set(context: &mut Context<'_>, options: &Options, arguments: &[String]) -> io::Result<i32> {
    let socket = open(context)?;
    let Some((name, rest)) = arguments.split_first() else {
        writeln!(context.err, "arp: need host name")?;
        return Ok(FAILURE);
    };
    let Some(address) = host(context, name)? else { return Ok(FAILURE) };
    let Some((hardware, rest)) = rest.split_first() else {
        writeln!(context.err, "arp: need hardware address")?;
        return Ok(FAILURE);
    };
    let hardware = if options.use_device {
        device_address(context, options, &socket, hardware)?
    } else {
        let address = options.hardware.read(hardware).map(|address| (options.hardware.number, address));
        if address.is_none() {
            writeln!(context.err, "arp: invalid hardware address")?;
        }
        address
    };
    let Some(hardware) = hardware else { return Ok(FAILURE) };
    let mut entry = Request {
        address,
        hardware: Some(hardware),
        flags: flag::PERMANENT | flag::COMPLETE,
        mask: None,
        device: options.device.clone(),
    };
    if let Err(status) = words(context, &mut entry, rest)? {
        return Ok(status);
    }
    if options.verbose {
        writeln!(context.err, "arp: SIOCSARP()")?;
    }
    if let Err(error) = entry.call(&socket, request::SET_ARP) {
        if options.verbose {
            writeln!(context.err, "arp: SIOCSARP: {}", strerror(&error))?;
        }
        writeln!(context.err, "SIOCSARP: {}", strerror(&error))?;
        return Ok(FAILURE);
    }
    Ok(0)
}

fn device_address(
    context: &mut Context<'_>,
    options: &Options,
    socket: &Socket,
    device: &str,
) -> io::Result<Option<(u16, Vec<u8>)>> {
    let mut ifreq = Ifreq::new(device);
    if let Err(error) = ifreq.call(socket, request::HARDWARE) {
        writeln!(context.err, "arp: cant get HW-Address for `{device}': {}.", strerror(&error))?;
        return Ok(None);
    }
    let (number, address) = ifreq.hardware();
    if options.hardware_given && number != options.hardware.number {
        writeln!(context.err, "arp: protocol type mismatch.")?;
        return Ok(None);
    }
    if options.verbose {
        let kind = hardware::by_number(number);
        let shown = kind.show(&address);
        writeln!(context.err, "arp: device `{device}' has HW address {} `{shown}'.", kind.name)?;
    }
    Ok(Some((number, address.to_vec())))
}

pub(super) fn delete(context: &mut Context<'_>, options: &Options, arguments: &[String]) -> io::Result<i32> {
    let socket = open(context)?;
    let Some((name, rest)) = arguments.split_first() else {
        writeln!(context.err, "arp: need host name")?;
        return Ok(FAILURE);
    };
    let Some(address) = host(context, name)? else { return Ok(FAILURE) };
    let mut entry =
        Request { address, hardware: None, flags: flag::PERMANENT, mask: None, device: options.device.clone() };
    if let Err(status) = words(context, &mut entry, rest)? {
        return Ok(status);
    }
    // An entry that isn't there may be a published one.
    for (kind, published) in [("dontpub", false), ("pub", true)] {
        if !published && entry.flags & flag::PUBLIC != 0 {
            continue;
        }
        if published {
            entry.flags |= flag::PUBLIC;
        }
        if options.verbose {
            writeln!(context.err, "arp: SIOCDARP({kind})")?;
        }
        match entry.call(&socket, request::DELETE_ARP) {
            Ok(()) => return Ok(0),
            Err(error) if matches!(error.raw_os_error(), Some(libc::ENXIO | libc::ENOENT)) => {}
            Err(error) if error.raw_os_error() == Some(libc::ENETUNREACH) => {}
            Err(error) => {
                writeln!(context.err, "SIOCDARP({kind}): {}", strerror(&error))?;
                return Ok(FAILURE);
            }
        }
    }
    writeln!(context.out, "No ARP entry for {name}")?;
    Ok(FAILURE)
}

/// Sets an entry for every line of a file like `/etc/ethers`.
pub(super) fn file(context: &mut Context<'_>, options: &Options, path: &str) -> io::Result<i32> {
    let Ok(text) = std::fs::read_to_string(path) else {
        writeln!(context.err, "arp: cannot open etherfile {path} !")?;
        return Ok(FAILURE);
    };
    for (index, line) in text.lines().enumerate() {
        let number = index + 1;
        let line = line.split('#').next().unwrap_or_default();
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        match words.len() {
            0 => continue,
            1 => writeln!(context.err, "arp: format error on line {number} of etherfile {path} !")?,
            _ => {
                if set(context, options, &words)? != 0 {
                    writeln!(context.err, "arp: cannot set entry on line {number} of etherfile {path} !")?;
                }
            }
        }
    }
    Ok(0)
}
