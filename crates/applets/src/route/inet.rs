//! Adding and deleting IPv4 routes: `struct rtentry`.

use std::io;
use std::net::Ipv4Addr;

use super::{Action, LOOKUP, SOCKET};
use crate::Context;
use crate::nettools::ifreq::{cut, sockaddr_in};
use crate::nettools::{atoi, resolve, strerror};

const UP: u16 = 0x1;
const GATEWAY: u16 = 0x2;
const HOST: u16 = 0x4;
const REINSTATE: u16 = 0x8;
const DYNAMIC: u16 = 0x10;
const MODIFIED: u16 = 0x20;
const MSS: u16 = 0x40;
const WINDOW: u16 = 0x80;
const ROUND_TRIP: u16 = 0x100;
const REJECT: u16 = 0x200;

/// A route as its arguments describe it.
struct Route {
    destination: Ipv4Addr,
    gateway: Option<Ipv4Addr>,
    mask: Option<Ipv4Addr>,
    flags: u16,
    /// One more than the metric given; 0 where none was.
    metric: u16,
    device: Option<String>,
    mss: u64,
    window: u64,
    round_trip: u16,
}

/// Why there is no route: an exit status, what there is to say having been said, or arguments that make no sense.
enum Stop {
    Exit(i32),
    Usage(Option<String>),
    Io(io::Error),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Stop {
        Stop::Io(error)
    }
}

pub(super) fn change(context: &mut Context<'_>, action: Action, arguments: &[String]) -> io::Result<i32> {
    let route = match parse(context, arguments) {
        Ok(route) => route,
        Err(Stop::Exit(status)) => return Ok(status),
        Err(Stop::Usage(complaint)) => {
            if let Some(complaint) = complaint {
                writeln!(context.err, "route: {complaint}")?;
            }
            return super::complain(context, false);
        }
        Err(Stop::Io(error)) => return Err(error),
    };
    let socket = context.machine.socket(&context.netns, libc::AF_INET, libc::SOCK_DGRAM, 0)?;
    let (what, request) = action.request();
    let mut entry = route.rtentry();
    let result = match &route.device {
        Some(name) => {
            let mut device = [0u8; 16];
            let name = cut(name).as_bytes();
            device[..name.len()].copy_from_slice(name);
            socket.ioctl_with_data(request, &mut entry, RTENTRY_DEVICE, &mut device)
        }
        None => socket.ioctl(request, &mut entry),
    };
    if let Err(error) = result {
        writeln!(context.err, "{what}: {}", strerror(&error))?;
        return Ok(SOCKET);
    }
    Ok(0)
}

fn parse(context: &mut Context<'_>, arguments: &[String]) -> Result<Route, Stop> {
    let mut words = arguments.iter().map(String::as_str).peekable();
    let kind = match words.peek() {
        Some(&"#net") => Some(false),
        Some(&"#host") => Some(true),
        _ => None,
    };
    if kind.is_some() {
        words.next();
    }
    let target = words.next().ok_or(Stop::Usage(None))?;
    let (name, prefix) = match target.split_once('/') {
        Some((name, prefix)) => (name, Some(prefix)),
        None => (target, None),
    };
    let prefix_mask = match prefix {
        Some(prefix) if prefix.bytes().any(|byte| !byte.is_ascii_digit() && byte != b'-') => {
            return Err(Stop::Usage(None));
        }
        Some(prefix) => prefix_mask(prefix),
        None => None,
    };
    let resolved = lookup(context, name, kind == Some(true))?;
    let is_host = kind.unwrap_or(!resolved.network);
    let mut route = Route {
        destination: resolved.address,
        gateway: None,
        mask: prefix_mask,
        flags: if is_host { UP | HOST } else { UP },
        metric: 0,
        device: None,
        mss: 0,
        window: 0,
        round_trip: 0,
    };
    while let Some(word) = words.next() {
        route.option(context, word, &mut words)?;
    }
    route.check()?;
    Ok(route)
}

fn prefix_mask(prefix: &str) -> Option<Ipv4Addr> {
    match atoi(prefix) {
        0 => None,
        length if length.rem_euclid(32) == 0 => Some(Ipv4Addr::BROADCAST),
        length => Some(Ipv4Addr::from(!(u32::MAX >> length.rem_euclid(32)))),
    }
}

fn lookup(context: &mut Context<'_>, name: &str, hosts_first: bool) -> Result<resolve::Inet, Stop> {
    match resolve::inet(context, name, hosts_first) {
        Ok(inet) => Ok(inet),
        Err(why) => {
            writeln!(context.err, "{name}: {why}")?;
            Err(Stop::Exit(LOOKUP))
        }
    }
}

impl Route {
    fn option<'a>(
        &mut self,
        context: &mut Context<'_>,
        word: &'a str,
        words: &mut std::iter::Peekable<impl Iterator<Item = &'a str>>,
    ) -> Result<(), Stop> {
        let usage = || Stop::Usage(None);
        match word {
            "metric" => {
                let text = words.next().ok_or_else(usage)?;
                if !text.starts_with(|digit: char| digit.is_ascii_digit()) {
                    return Err(usage());
                }
                self.metric = (atoi(text) + 1) as u16;
            }
            "netmask" => {
                let text = words.next().ok_or_else(usage)?;
                if self.mask.is_some() {
                    return Err(usage());
                }
                self.mask = Some(lookup(context, text, false)?.address).filter(|mask| !mask.is_unspecified());
                if self.mask.is_some_and(|mask| !is_mask(mask)) {
                    return Err(Stop::Usage(Some(format!("bogus netmask {text}"))));
                }
            }
            "gw" | "gateway" => {
                let text = words.next().ok_or_else(usage)?;
                if self.flags & GATEWAY != 0 {
                    return Err(usage());
                }
                let resolved = lookup(context, text, true)?;
                if resolved.network {
                    return Err(Stop::Usage(Some(format!("{text}: cannot use a NETWORK as gateway!"))));
                }
                self.gateway = Some(resolved.address);
                self.flags |= GATEWAY;
            }
            "mss" | "mtu" => {
                let value = atoi(words.next().ok_or_else(usage)?);
                self.flags |= MSS;
                self.mss = value as u64;
                if !(64..=65536).contains(&value) {
                    return Err(Stop::Usage(Some("Invalid MSS/MTU.".to_owned())));
                }
            }
            "window" => {
                let value = atoi(words.next().ok_or_else(usage)?);
                self.flags |= WINDOW;
                self.window = value as u64;
                if value < 128 {
                    return Err(Stop::Usage(Some("Invalid window.".to_owned())));
                }
            }
            "irtt" => {
                self.flags |= ROUND_TRIP;
                self.round_trip = atoi(words.next().ok_or_else(usage)?) as u16;
            }
            "reject" => self.flags |= REJECT,
            "mod" => self.flags |= MODIFIED,
            "dyn" => self.flags |= DYNAMIC,
            "reinstate" => self.flags |= REINSTATE,
            "dev" | "device" => {
                let name = words.next().ok_or_else(usage)?;
                if self.device.is_some() {
                    return Err(usage());
                }
                self.device = Some(name.to_owned());
            }
            // The last word may be a device by itself.
            name if self.device.is_none() && words.peek().is_none() => self.device = Some(name.to_owned()),
            _ => return Err(usage()),
        }
        Ok(())
    }

    fn check(&mut self) -> Result<(), Stop> {
        if self.flags & REJECT != 0 && self.device.is_none() {
            self.device = Some("lo".to_owned());
        }
        if let Some(mask) = self.mask {
            let mask = u32::from(mask);
            if self.flags & HOST != 0 && mask != u32::MAX {
                let shown = u32::from_ne_bytes(mask.to_be_bytes());
                let complaint = format!("netmask {shown:08x} doesn't make sense with host route");
                return Err(Stop::Usage(Some(complaint)));
            }
            if u32::from(self.destination) & !mask != 0 {
                return Err(Stop::Usage(Some("netmask doesn't match route address".to_owned())));
            }
        }
        Ok(())
    }

    fn rtentry(&self) -> [u8; 120] {
        let mut entry = [0u8; 120];
        entry[8..24].copy_from_slice(&sockaddr_in(self.destination));
        if let Some(gateway) = self.gateway {
            entry[24..40].copy_from_slice(&sockaddr_in(gateway));
        }
        if let Some(mask) = self.mask {
            entry[40..56].copy_from_slice(&sockaddr_in(mask));
        }
        entry[56..58].copy_from_slice(&self.flags.to_ne_bytes());
        entry[80..82].copy_from_slice(&self.metric.to_ne_bytes());
        entry[96..104].copy_from_slice(&self.mss.to_ne_bytes());
        entry[104..112].copy_from_slice(&self.window.to_ne_bytes());
        entry[112..114].copy_from_slice(&self.round_trip.to_ne_bytes());
        entry
    }
}

/// Where `struct rtentry` has its pointer to the device's name.
const RTENTRY_DEVICE: usize = 88;

fn is_mask(mask: Ipv4Addr) -> bool {
    let mask = u32::from(mask);
    mask.leading_ones() + mask.trailing_zeros() == 32
}
