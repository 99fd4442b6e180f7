//! Addresses beyond the first: IPv4 ones as numbered aliases (`eth0:0`), IPv6 ones, tunnel ends.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::configure::{Configuration, Step, Stop};
use super::not_found;
use crate::Context;
use crate::nettools::ifreq::{Ifreq, request};
use crate::nettools::interface::{self, Interface};
use crate::nettools::{atoi, resolve};

/// What to do with an address that an alias may have.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum AliasAction {
    Add,
    Delete,
}

/// The mask of a prefix length; lengths beyond 32 wrap as shifts do.
pub(super) fn mask(prefix: &str) -> Ipv4Addr {
    let length = atoi(prefix);
    match length {
        0 => Ipv4Addr::UNSPECIFIED,
        length if length % 32 == 0 => Ipv4Addr::BROADCAST,
        length => Ipv4Addr::from(!(u32::MAX >> (length % 32))),
    }
}

/// Bare IPv6 addresses can't be set; the complaint tells which way they failed.
pub(super) fn refuse_inet6(context: &mut Context<'_>, text: &str) -> Step {
    if resolve::inet6(text).is_some() {
        writeln!(context.err, "Don't know how to set addresses for family {}.", libc::AF_INET6)?;
        return Err(Stop::Exit(1));
    }
    let (number, why) = match resolve::inet(context, text, false) {
        Ok(_) => (-9, "Resolver Error 0 (no error)"),
        Err("Unknown host") => (-2, "Unknown host"),
        Err(why) => (-3, why),
    };
    writeln!(context.err, "getaddrinfo: {text}: {number}\n{text}: {why}")?;
    writeln!(context.err, "ifconfig: `--help' gives usage information.")?;
    Err(Stop::Exit(1))
}

/// Families other than the two of IP have no addresses that can be set here.
pub(super) fn refuse_family(context: &mut Context<'_>, family: i32) -> Step {
    match family {
        libc::AF_AX25 | libc::AF_NETROM | libc::AF_X25 => {
            writeln!(context.err, "Don't know how to set addresses for family {family}.")?;
        }
        _ => writeln!(context.err, "ifconfig: Cannot set address for this protocol family.")?,
    }
    Err(Stop::Exit(1))
}

/// The number of the next alias: counted up while the aliases, in order, have it.
fn free_number(family: &[Interface]) -> i64 {
    let taken = family.iter().filter_map(|interface| interface.name.rsplit_once(':'));
    taken.fold(0, |free, (_, number)| if atoi(number) == free { free + 1 } else { free })
}

impl Configuration<'_, '_> {
    /// `add` and `del` of an IPv4 address. An address that no alias has is added by `del` too.
    pub(super) fn change_alias(&mut self, text: &str, action: AliasAction) -> Step {
        let address = match resolve::inet(self.context, text, false) {
            Ok(inet) => inet.address,
            Err(why) => {
                writeln!(self.context.err, "{text}: {why}")?;
                return Err(Stop::Exit(1));
            }
        };
        let name = self.name.clone();
        let Some(base) = self.read(&name)? else {
            not_found(self.context, &name)?;
            return Ok(());
        };
        let family = self.aliases(&name)?;
        let holder = family.iter().find(|interface| interface.inet.is_some_and(|inet| inet.address == address));
        if let Some(holder) = holder {
            if action == AliasAction::Delete && holder.name.contains(':') {
                let holder = holder.name.clone();
                self.change_flags(&holder, |flags| flags & !1)?;
            }
            return Ok(());
        }
        let number = free_number(&family);
        let alias = format!("{name}:{number}");
        self.set_on(&alias, "SIOCSIFADDR", request::SET_ADDRESS, |ifreq| ifreq.with_inet(address))?;
        if let Some(inet) = base.inet {
            let set = |number, address| Ifreq::new(&alias).with_inet(address).call(&self.sockets.inet, number);
            let done =
                set(request::SET_NETMASK, inet.netmask).and_then(|()| set(request::SET_BROADCAST, inet.broadcast));
            if done.is_err() {
                return Ok(());
            }
        }
        self.change_flags(&alias, |flags| flags | 1)
    }

    fn read(&mut self, name: &str) -> Step<Option<Interface>> {
        let statistics = interface::statistics_of(self.context, name);
        match Interface::read(&self.sockets, name, statistics) {
            Ok(interface) => Ok(Some(interface)),
            Err(_) => {
                not_found(self.context, name)?;
                Ok(None)
            }
        }
    }

    /// A device and its aliases.
    fn aliases(&mut self, name: &str) -> Step<Vec<Interface>> {
        let device = name.split(':').next().unwrap_or_default();
        let list = interface::list(self.context, &self.sockets);
        let related = list.into_iter().filter(|(other, _)| other.split(':').next() == Some(device));
        Ok(related.filter_map(|(name, _)| Interface::read(&self.sockets, &name, None).ok()).collect())
    }

    /// `add` and `del` of an IPv6 address with its prefix length, 128 where there is none.
    pub(super) fn change_inet6(&mut self, text: &str, delete: bool) -> Step {
        let (host, prefix) = match text.split_once('/') {
            Some((host, prefix)) => (host, atoi(prefix)),
            None => (text, 128),
        };
        if !(0..=128).contains(&prefix) {
            return Err(Stop::Usage);
        }
        let address = self.resolve_inet6(host)?;
        let (what, number) =
            if delete { ("SIOCDIFADDR", request::DELETE_ADDRESS) } else { ("SIOCSIFADDR", request::SET_ADDRESS) };
        self.in6_ifreq(what, number, address, prefix as u32)
    }

    /// `tunnel`: the far end of an IPv6-in-IPv4 tunnel, as an IPv4-compatible IPv6 address.
    pub(super) fn set_tunnel(&mut self, text: &str) -> Step {
        let (host, prefix) = match text.split_once('/') {
            Some((host, prefix)) => (host, atoi(prefix)),
            None => (text, 128),
        };
        if !(0..=128).contains(&prefix) {
            return Err(Stop::Usage);
        }
        let address = self.resolve_inet6(host)?;
        self.in6_ifreq("SIOCSIFDSTADDR", request::SET_DESTINATION, address, prefix as u32)
    }

    fn resolve_inet6(&mut self, text: &str) -> Step<Ipv6Addr> {
        match resolve::inet6(text) {
            Some(address) => Ok(address),
            None => {
                writeln!(self.context.err, "{text}: Resolver Error 0 (no error)")?;
                Err(Stop::Exit(1))
            }
        }
    }

    fn in6_ifreq(&mut self, what: &str, number: u32, address: Ipv6Addr, prefix: u32) -> Step {
        let Some(socket) = &self.sockets.inet6 else {
            self.complain(format_args!("No support for INET6 on this system."))?;
            return Err(Stop::Exit(1));
        };
        let mut index = Ifreq::new(&self.name);
        let result = index.call(socket, request::INDEX);
        if let Err(error) = result {
            self.note("SIOGIFINDEX", Err(error))?;
            return Ok(());
        }
        let mut structure = [0u8; 24];
        structure[..16].copy_from_slice(&address.octets());
        structure[16..20].copy_from_slice(&prefix.to_ne_bytes());
        structure[20..].copy_from_slice(&index.i32().to_ne_bytes());
        let result = socket.ioctl(number, &mut structure).map(drop);
        self.note(what, result)
    }
}

#[cfg(test)]
mod tests {
    use super::mask;
    use std::net::Ipv4Addr;

    #[test]
    fn masks_of_prefix_lengths() {
        assert_eq!(mask("24"), Ipv4Addr::new(255, 255, 255, 0));
        assert_eq!(mask("0"), Ipv4Addr::UNSPECIFIED);
        assert_eq!(mask(""), Ipv4Addr::UNSPECIFIED);
        assert_eq!(mask("32"), Ipv4Addr::BROADCAST);
        assert_eq!(mask("33"), Ipv4Addr::new(128, 0, 0, 0));
    }
}
