//! The arguments after an interface's name, each an ioctl or two, in the order in which they stand.

use std::io;
use std::net::Ipv4Addr;

use super::address::{self, AliasAction};
use super::{USAGE, usage};
use crate::Context;
use crate::nettools::hardware::{self, family_by_name};
use crate::nettools::ifreq::{Ifreq, Map, cut, request};
use crate::nettools::interface::{PORTS, Sockets};
use crate::nettools::{atoi, resolve, strerror, strtoul};

const UP: u16 = 0x1;
const BROADCAST: u16 = 0x2;
const POINTOPOINT: u16 = 0x10;
const NOTRAILERS: u16 = 0x20;
const RUNNING: u16 = 0x40;
const NOARP: u16 = 0x80;
const PROMISC: u16 = 0x100;
const ALLMULTI: u16 = 0x200;
const MULTICAST: u16 = 0x1000;
const AUTOMEDIA: u16 = 0x4000;
const DYNAMIC: u16 = 0x8000;

/// Why the rest of the arguments isn't looked at.
pub(super) enum Stop {
    /// Exit with this status; what there is to say was said.
    Exit(i32),
    /// The arguments make no sense.
    Usage,
    /// Standard error is gone.
    Io(io::Error),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Stop {
        Stop::Io(error)
    }
}

pub(super) type Step<T = ()> = Result<T, Stop>;

/// One interface being configured.
pub(super) struct Configuration<'a, 'c> {
    pub(super) context: &'a mut Context<'c>,
    pub(super) sockets: Sockets,
    pub(super) name: String,
    /// Which family's socket the interface's own ioctls go to.
    family: i32,
    /// 0, 1 where something failed, -1 where flags could not be changed.
    status: i32,
    /// The mask that came with the address, set at the end; a mask given by itself excludes it.
    pending_mask: Option<Ipv4Addr>,
    mask_given: bool,
}

pub(super) fn run(context: &mut Context<'_>, sockets: Sockets, name: &str, arguments: &[String]) -> io::Result<i32> {
    let mut configuration = Configuration {
        context,
        sockets,
        name: cut(name).to_owned(),
        family: libc::AF_INET,
        status: 0,
        pending_mask: None,
        mask_given: false,
    };
    match configuration.arguments(arguments) {
        Ok(()) => Ok(configuration.status & 0xff),
        Err(Stop::Exit(status)) => Ok(status),
        Err(Stop::Usage) => {
            usage::complain(configuration.context.err)?;
            Ok(USAGE)
        }
        Err(Stop::Io(error)) => Err(error),
    }
}

impl Configuration<'_, '_> {
    fn arguments(&mut self, arguments: &[String]) -> Step {
        let mut words = arguments.iter().map(String::as_str).peekable();
        if let Some(family) = words.peek().and_then(|word| family_by_name(word)) {
            self.family = family.number;
            words.next();
        } else if words.peek() == Some(&"unspec") {
            self.family = libc::AF_UNSPEC;
            words.next();
        }
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or(Stop::Usage);
            match word {
                "arp" => self.clear_flags(NOARP)?,
                "-arp" => self.set_flags(NOARP)?,
                "trailers" => self.clear_flags(NOTRAILERS)?,
                "-trailers" => self.set_flags(NOTRAILERS)?,
                "promisc" => self.set_flags(PROMISC)?,
                "-promisc" => {
                    self.clear_flags(PROMISC)?;
                    self.warn_if_still(PROMISC, "promisc mode... maybe other application is running?")?;
                }
                "multicast" => self.set_flags(MULTICAST)?,
                "-multicast" => {
                    self.clear_flags(MULTICAST)?;
                    self.warn_if_still(MULTICAST, "MULTICAST mode.")?;
                }
                "allmulti" => self.set_flags(ALLMULTI)?,
                "-allmulti" => {
                    self.clear_flags(ALLMULTI)?;
                    self.warn_if_still(ALLMULTI, "ALLMULTI mode.")?;
                }
                "dynamic" => self.set_flags(DYNAMIC)?,
                "-dynamic" => {
                    self.clear_flags(DYNAMIC)?;
                    self.warn_if_still(DYNAMIC, "DYNAMIC mode.")?;
                }
                "up" => self.set_flags(UP | RUNNING)?,
                "down" => self.clear_flags(UP)?,
                "mtu" => {
                    let mtu = atoi(value()?) as i32;
                    self.set("SIOCSIFMTU", request::SET_MTU, |ifreq| ifreq.with_i32(mtu))?;
                }
                "txqueuelen" => {
                    let length = strtoul(value()?) as i32;
                    self.set("SIOCSIFTXQLEN", request::SET_QUEUE_LENGTH, |ifreq| ifreq.with_i32(length))?;
                }
                "keepalive" => {
                    let seconds = atoi(value()?) as i32;
                    self.set("SIOCSKEEPALIVE", request::SET_KEEPALIVE, |ifreq| ifreq.with_i32(seconds))?;
                }
                "outfill" => {
                    let seconds = atoi(value()?) as i32;
                    self.set("SIOCSOUTFILL", request::SET_OUTFILL, |ifreq| ifreq.with_i32(seconds))?;
                }
                "name" => {
                    let new = Ifreq::new(value()?);
                    self.set("SIOCSIFNAME", request::SET_NAME, |mut ifreq| {
                        ifreq.0[16..32].copy_from_slice(&new.0[..16]);
                        ifreq
                    })?;
                }
                "hw" => {
                    let kind = value()?;
                    let address = words.next().ok_or(Stop::Usage)?;
                    self.set_hardware(kind, address)?;
                }
                "mem_start" => {
                    let start = strtoul(value()?);
                    self.set_map("mem_start", |map| map.memory_start = start)?;
                }
                "io_addr" => {
                    let base = strtoul(value()?);
                    self.set_map("io_addr", |map| map.base_address = base as u16)?;
                }
                "irq" => {
                    let interrupt = strtoul(value()?);
                    self.set_map("irq", |map| map.interrupt = interrupt as u8)?;
                }
                "media" => {
                    // `auto` isn't taken off the arguments: it is an address next.
                    match *words.peek().ok_or(Stop::Usage)? {
                        "auto" => self.set_flags(AUTOMEDIA)?,
                        _ => {
                            let medium = words.next().unwrap_or_default();
                            self.set_medium(medium)?;
                        }
                    }
                }
                "netmask" => {
                    let text = value()?;
                    if self.mask_given {
                        return Err(Stop::Usage);
                    }
                    self.mask_given = true;
                    let mask = self.resolve(text)?;
                    self.set_mask(mask)?;
                }
                "broadcast" => {
                    if let Some(text) = words.next() {
                        let address = self.resolve(text)?;
                        self.set("SIOCSIFBRDADDR", request::SET_BROADCAST, |ifreq| ifreq.with_inet(address))?;
                    }
                    self.set_flags(BROADCAST)?;
                }
                "-broadcast" => {
                    self.clear_flags(BROADCAST)?;
                    self.warn_if_still(BROADCAST, "BROADCAST mode.")?;
                }
                "pointopoint" => {
                    if let Some(text) = words.next() {
                        let address = self.resolve(text)?;
                        self.set("SIOCSIFDSTADDR", request::SET_DESTINATION, |ifreq| ifreq.with_inet(address))?;
                    }
                    self.set_flags(POINTOPOINT)?;
                }
                "-pointopoint" => {
                    self.clear_flags(POINTOPOINT)?;
                    self.warn_if_still(POINTOPOINT, "POINTOPOINT mode.")?;
                }
                "dstaddr" => {
                    let text = value()?;
                    let address = self.resolve(text)?;
                    self.set("SIOCSIFDSTADDR", request::SET_DESTINATION, |ifreq| ifreq.with_inet(address))?;
                }
                "add" | "del" => {
                    let text = value()?;
                    let delete = word == "del";
                    if text.contains(':') {
                        self.change_inet6(text, delete)?;
                    } else {
                        let action = if delete { AliasAction::Delete } else { AliasAction::Add };
                        self.change_alias(text, action)?;
                    }
                }
                "tunnel" => {
                    let text = value()?;
                    self.set_tunnel(text)?;
                }
                other => self.set_address(other)?,
            }
        }
        if let Some(mask) = self.pending_mask.take() {
            self.set_mask(mask)?;
        }
        Ok(())
    }

    /// Resolves an IPv4 address, or ends with what was wrong with it.
    fn resolve(&mut self, text: &str) -> Step<Ipv4Addr> {
        match resolve::inet(self.context, text, false) {
            Ok(inet) => Ok(inet.address),
            Err(why) => {
                writeln!(self.context.err, "{text}: {why}")?;
                Err(Stop::Exit(1))
            }
        }
    }

    /// A word that is no keyword is the interface's address.
    fn set_address(&mut self, text: &str) -> Step {
        if self.family == libc::AF_INET6 {
            return address::refuse_inet6(self.context, text);
        }
        if self.family != libc::AF_INET {
            return address::refuse_family(self.context, self.family);
        }
        let (host, prefix) = match text.split_once('/') {
            Some((host, prefix)) => (host, Some(prefix)),
            None => (text, None),
        };
        if prefix.is_some_and(|prefix| self.mask_given || prefix.bytes().any(|byte| !byte.is_ascii_digit())) {
            return Err(Stop::Usage);
        }
        let address = match resolve::inet(self.context, host, false) {
            Ok(inet) => inet.address,
            Err(why) => {
                writeln!(self.context.err, "{host}: {why}\nifconfig: `--help' gives usage information.")?;
                return Err(Stop::Exit(1));
            }
        };
        if let Some(prefix) = prefix {
            self.pending_mask = Some(address::mask(prefix));
        }
        self.set("SIOCSIFADDR", request::SET_ADDRESS, |ifreq| ifreq.with_inet(address))?;
        // An alias ceases to be with its address.
        if address.is_unspecified() && self.name.contains(':') {
            return Ok(());
        }
        self.set_flags(UP | RUNNING)
    }

    fn set_mask(&mut self, mask: Ipv4Addr) -> Step {
        self.set("SIOCSIFNETMASK", request::SET_NETMASK, |ifreq| ifreq.with_inet(mask))
    }

    /// An ioctl that fails is told and remembered.
    fn set(&mut self, what: &str, number: u32, fill: impl FnOnce(Ifreq) -> Ifreq) -> Step {
        let name = self.name.clone();
        self.set_on(&name, what, number, fill)
    }

    pub(super) fn set_on(&mut self, name: &str, what: &str, number: u32, fill: impl FnOnce(Ifreq) -> Ifreq) -> Step {
        let result = fill(Ifreq::new(name)).call(&self.sockets.inet, number);
        self.note(what, result)
    }

    pub(super) fn note(&mut self, what: &str, result: io::Result<()>) -> Step {
        if let Err(error) = result {
            self.status |= 1;
            self.complain(format_args!("{what}: {}", strerror(&error)))?;
        }
        Ok(())
    }

    pub(super) fn complain(&mut self, what: std::fmt::Arguments<'_>) -> Step {
        self.context.out.flush()?;
        writeln!(self.context.err, "{what}")?;
        Ok(())
    }

    fn set_flags(&mut self, flags: u16) -> Step {
        let name = self.name.clone();
        self.change_flags(&name, |old| old | flags)
    }

    fn clear_flags(&mut self, flags: u16) -> Step {
        let name = self.name.clone();
        self.change_flags(&name, |old| old & !flags)
    }

    pub(super) fn change_flags(&mut self, name: &str, change: impl FnOnce(u16) -> u16) -> Step {
        let mut ifreq = Ifreq::new(name);
        if let Err(error) = ifreq.call(&self.sockets.inet, request::FLAGS) {
            self.status = -1;
            return self.complain(format_args!("{name}: ERROR while getting interface flags: {}", strerror(&error)));
        }
        let flags = change(ifreq.flags());
        if let Err(error) = Ifreq::new(name).with_flags(flags).call(&self.sockets.inet, request::SET_FLAGS) {
            self.status = -1;
            return self.complain(format_args!("SIOCSIFFLAGS: {}", strerror(&error)));
        }
        Ok(())
    }

    fn warn_if_still(&mut self, flag: u16, mode: &str) -> Step {
        let name = self.name.clone();
        let mut ifreq = Ifreq::new(&name);
        match ifreq.call(&self.sockets.inet, request::FLAGS) {
            Ok(()) if ifreq.flags() & flag != 0 => {
                self.complain(format_args!("Warning: Interface {name} still in {mode}"))
            }
            Ok(()) => Ok(()),
            Err(error) => {
                self.complain(format_args!("{name}: ERROR while testing interface flags: {}", strerror(&error)))
            }
        }
    }

    fn set_hardware(&mut self, kind: &str, text: &str) -> Step {
        let Some(hardware) = hardware::by_name(kind) else { return Err(Stop::Usage) };
        if !hardware.settable {
            if matches!(kind, "tunnel") {
                self.complain(format_args!("{text}: invalid {kind} address."))?;
            } else {
                self.complain(format_args!("hw address type `{kind}' has no handler to set address. failed."))?;
            }
            self.status |= 1;
            return Ok(());
        }
        let Some(address) = hardware.read(text) else {
            self.complain(format_args!("{text}: invalid {kind} address."))?;
            self.status |= 1;
            return Ok(());
        };
        let mut ifreq = Ifreq::new(&self.name).with_hardware(hardware.number, &address);
        let result = ifreq.call(&self.sockets.inet, request::SET_HARDWARE);
        match result {
            Err(error) if error.raw_os_error() == Some(libc::EBUSY) => {
                self.status |= 1;
                self.complain(format_args!("SIOCSIFHWADDR: {} - you may need to down the interface", strerror(&error)))
            }
            result => self.note("SIOCSIFHWADDR", result),
        }
    }

    fn set_map(&mut self, what: &str, change: impl FnOnce(&mut Map)) -> Step {
        let map = Map::read(&self.sockets.inet, &self.name);
        match map {
            Err(error) => self.note(&format!("{what}: SIOCGIFMAP"), Err(error)),
            Ok(mut map) => {
                change(&mut map);
                let result = map.write(&self.sockets.inet, &self.name);
                self.note(&format!("{what}: SIOCSIFMAP"), result)
            }
        }
    }

    fn set_medium(&mut self, medium: &str) -> Step {
        let number = PORTS.iter().position(|port| port.eq_ignore_ascii_case(medium));
        let number = match number {
            Some(number) => number as u8,
            None if medium.starts_with(|digit: char| digit.is_ascii_digit()) => strtoul(medium) as u8,
            None => {
                self.status |= 1;
                return self.complain(format_args!("Unknown media type."));
            }
        };
        self.set_map("port", |map| map.port = number)
    }
}
