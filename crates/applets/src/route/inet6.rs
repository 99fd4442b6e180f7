//! Adding and deleting IPv6 routes: `struct in6_rtmsg`.

use std::io;
use std::net::Ipv6Addr;

use super::{Action, LOOKUP, SOCKET};
use crate::Context;
use crate::nettools::ifreq::{Ifreq, request};
use crate::nettools::{atoi, resolve, strerror};

const UP: u32 = 0x1;
const GATEWAY: u32 = 0x2;
const HOST: u32 = 0x4;
const DYNAMIC: u32 = 0x10;
const MODIFIED: u32 = 0x20;

pub(super) fn change(context: &mut Context<'_>, action: Action, arguments: &[String]) -> io::Result<i32> {
    let mut words = arguments.iter().map(String::as_str).peekable();
    let Some(target) = words.next() else { return super::complain(context, true) };
    let (destination, prefix) = if target == resolve::DEFAULT {
        (Ipv6Addr::UNSPECIFIED, 0)
    } else {
        let (name, prefix) = match target.split_once('/') {
            Some((name, prefix)) => (name, atoi(prefix)),
            None => (target, 128),
        };
        if !(0..=128).contains(&prefix) {
            return super::complain(context, true);
        }
        let Some(address) = resolve::inet6(name) else {
            writeln!(context.err, "getaddrinfo: {name}: -3\n{name}: Host name lookup failure")?;
            return Ok(1);
        };
        (address, prefix as u16)
    };
    let mut flags = if prefix == 128 { UP | HOST } else { UP };
    let mut gateway = Ipv6Addr::UNSPECIFIED;
    let mut metric = 1u32;
    let mut device = None;
    while let Some(word) = words.next() {
        match word {
            "metric" => match words.next() {
                Some(text) if text.starts_with(|digit: char| digit.is_ascii_digit()) => metric = atoi(text) as u32,
                _ => return super::complain(context, true),
            },
            "gw" | "gateway" => {
                let Some(text) = words.next() else { return super::complain(context, true) };
                if flags & GATEWAY != 0 {
                    return super::complain(context, true);
                }
                let Some(address) = resolve::inet6(text) else {
                    writeln!(context.err, "{text}: Resolver Error 0 (no error)")?;
                    return Ok(LOOKUP);
                };
                gateway = address;
                flags |= GATEWAY;
            }
            "mod" => flags |= MODIFIED,
            "dyn" => flags |= DYNAMIC,
            "dev" | "device" => {
                let Some(name) = words.next() else { return super::complain(context, true) };
                device = Some(name);
            }
            name if device.is_none() && words.peek().is_none() => device = Some(name),
            _ => return super::complain(context, true),
        }
    }
    let socket = context.machine.socket(&context.netns, libc::AF_INET6, libc::SOCK_DGRAM, 0)?;
    let index = match device {
        None => 0,
        Some(name) => {
            let mut ifreq = Ifreq::new(name);
            if let Err(error) = ifreq.call(&socket, request::INDEX) {
                writeln!(context.err, "SIOGIFINDEX: {}", strerror(&error))?;
                return Ok(SOCKET);
            }
            ifreq.i32()
        }
    };
    let mut message = [0u8; 80];
    message[..16].copy_from_slice(&destination.octets());
    message[32..48].copy_from_slice(&gateway.octets());
    message[52..54].copy_from_slice(&prefix.to_ne_bytes());
    message[56..60].copy_from_slice(&metric.to_ne_bytes());
    message[72..76].copy_from_slice(&flags.to_ne_bytes());
    message[76..80].copy_from_slice(&index.to_ne_bytes());
    let (what, number) = action.request();
    if let Err(error) = socket.ioctl(number, &mut message) {
        writeln!(context.err, "{what}: {}", strerror(&error))?;
        return Ok(SOCKET);
    }
    Ok(0)
}
