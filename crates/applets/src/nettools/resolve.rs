//! From names to addresses and back, as the C library's resolver does with `files` alone for reverse look-ups.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, ToSocketAddrs};

use netloom_machine::Machine;

use crate::Context;

/// The name of every network, and of the unspecified address.
pub(crate) const DEFAULT: &str = "default";

/// What hstrerror(3) says of a name that has no address.
const UNKNOWN: &str = "Unknown host";
/// What hstrerror(3) says when no name server answers.
const TRY_AGAIN: &str = "Host name lookup failure";

/// A resolved name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Inet {
    pub(crate) address: Ipv4Addr,
    /// Whether the name is one of a network.
    pub(crate) network: bool,
}

/// inet_aton(3): one to four numbers, decimal, octal or hexadecimal, the last one filling the rest.
pub(crate) fn inet_aton(text: &str) -> Option<Ipv4Addr> {
    let parts: Vec<&str> = text.split('.').collect();
    if parts.len() > 4 {
        return None;
    }
    let number = |part: &str| {
        let (radix, digits) = match part.strip_prefix("0x").or_else(|| part.strip_prefix("0X")) {
            Some(digits) => (16, digits),
            None if part.len() > 1 && part.starts_with('0') => (8, &part[1..]),
            None => (10, part),
        };
        if digits.starts_with('+') {
            return None;
        }
        u32::from_str_radix(digits, radix).ok()
    };
    let (last, leading) = parts.split_last()?;
    let mut address = 0u32;
    for (at, part) in leading.iter().enumerate() {
        let value = number(part).filter(|value| *value <= 255)?;
        address |= value << (24 - 8 * at);
    }
    let room = 32 - 8 * leading.len() as u32;
    let value = number(last)?;
    if u64::from(value) >= 1 << room {
        return None;
    }
    Some(Ipv4Addr::from(address | value))
}

/// Resolves the name of an IPv4 host or network; networks first, or hosts first as for gateways. The error is what
/// hstrerror(3) says.
pub(crate) fn inet(context: &Context<'_>, name: &str, hosts_first: bool) -> Result<Inet, &'static str> {
    if name == DEFAULT {
        return Ok(Inet { address: Ipv4Addr::UNSPECIFIED, network: true });
    }
    if let Some(address) = inet_aton(name) {
        return Ok(Inet { address, network: false });
    }
    let network = || file_address("/etc/networks", name, true).map(|address| Inet { address, network: true });
    let host = || host(context, name).map(|address| Inet { address, network: false });
    if hosts_first { host().or_else(|_| network().ok_or(UNKNOWN)) } else { network().map_or_else(host, Ok) }
}

fn host(context: &Context<'_>, name: &str) -> Result<Ipv4Addr, &'static str> {
    if let Some(address) = file_address("/etc/hosts", name, false) {
        return Ok(address);
    }
    // Neither looks like a name; a name server isn't asked.
    if name.is_empty() || name.starts_with('-') || name.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        return Err(UNKNOWN);
    }
    if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)) {
        return Err(UNKNOWN);
    }
    // An embedded machine has no name server.
    if matches!(context.machine, Machine::Embedded(_)) {
        return Err(TRY_AGAIN);
    }
    match (name, 0).to_socket_addrs() {
        Ok(addresses) => addresses
            .filter_map(|address| match address.ip() {
                IpAddr::V4(address) => Some(address),
                IpAddr::V6(_) => None,
            })
            .next()
            .ok_or(UNKNOWN),
        Err(error) if error.to_string().contains("Temporary") => Err(TRY_AGAIN),
        Err(_) => Err(UNKNOWN),
    }
}

/// Lines `ADDRESS NAME…` of `/etc/hosts`, `NAME ADDRESS …` of `/etc/networks`.
fn file_address(path: &str, name: &str, name_first: bool) -> Option<Ipv4Addr> {
    let text = std::fs::read_to_string(path).ok()?;
    let entries = text.lines().filter_map(|line| {
        let line = line.split('#').next().unwrap_or_default();
        let words: Vec<&str> = line.split_whitespace().collect();
        let (first, rest) = words.split_first()?;
        if name_first {
            (*first == name || rest.iter().skip(1).any(|alias| *alias == name)).then_some(())?;
            network_number(rest.first()?)
        } else {
            rest.iter().any(|alias| alias.eq_ignore_ascii_case(name)).then_some(())?;
            first.parse().ok()
        }
    });
    entries.into_iter().next()
}

/// inet_network(3) made an address: `127` and `127.0.0.0` are the same network.
fn network_number(text: &str) -> Option<Ipv4Addr> {
    let mut bytes = [0u8; 4];
    for (at, part) in text.split('.').enumerate() {
        *bytes.get_mut(at)? = part.parse().ok()?;
    }
    Some(Ipv4Addr::from(bytes))
}

/// The host that `/etc/hosts` names with that address.
pub(crate) fn host_name(address: IpAddr) -> Option<String> {
    let text = std::fs::read_to_string("/etc/hosts").ok()?;
    text.lines().find_map(|line| {
        let mut words = line.split('#').next().unwrap_or_default().split_whitespace();
        (words.next()?.parse() == Ok(address)).then(|| words.next().map(str::to_owned))?
    })
}

/// The network that `/etc/networks` names with that address.
fn network_name(address: Ipv4Addr) -> Option<String> {
    let text = std::fs::read_to_string("/etc/networks").ok()?;
    text.lines().find_map(|line| {
        let mut words = line.split('#').next().unwrap_or_default().split_whitespace();
        let name = words.next()?;
        (network_number(words.next()?) == Some(address)).then(|| name.to_owned())
    })
}

/// How a route's destination is shown: a host by its name, a network by its own, each by number where it has none.
pub(crate) fn show_destination(address: Ipv4Addr, mask: Ipv4Addr, host: bool, numeric: bool) -> String {
    if numeric {
        return address.to_string();
    }
    if address.is_unspecified() {
        return if mask.is_unspecified() { DEFAULT.to_owned() } else { address.to_string() };
    }
    let host = host || u32::from(address) & !u32::from(mask) != 0;
    let name = if host { host_name(address.into()) } else { network_name(address) };
    name.unwrap_or_else(|| address.to_string())
}

/// How a host is shown.
pub(crate) fn show_host(address: Ipv4Addr, numeric: bool) -> String {
    let name = if numeric || address.is_unspecified() { None } else { host_name(address.into()) };
    name.unwrap_or_else(|| address.to_string())
}

/// Reads an IPv6 address; names aren't looked up.
pub(crate) fn inet6(text: &str) -> Option<Ipv6Addr> {
    text.parse().ok()
}

/// An IPv6 address the way getnameinfo(3) writes it: an IPv4 address in it is shown as one.
pub(crate) fn show_inet6(address: Ipv6Addr) -> String {
    if let Some(mapped) = address.to_ipv4_mapped() {
        return mapped.to_string();
    }
    match address.segments() {
        [0, 0, 0, 0, 0, 0, high, low] if high != 0 => {
            format!("::{}", Ipv4Addr::from(u32::from(high) << 16 | u32::from(low)))
        }
        _ => address.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::inet_aton;
    use std::net::Ipv4Addr;

    #[test]
    fn addresses_may_have_fewer_parts_and_other_bases() {
        assert_eq!(inet_aton("10.1"), Some(Ipv4Addr::new(10, 0, 0, 1)));
        assert_eq!(inet_aton("0xffffff00"), Some(Ipv4Addr::new(255, 255, 255, 0)));
        assert_eq!(inet_aton("24"), Some(Ipv4Addr::new(0, 0, 0, 24)));
        assert_eq!(inet_aton("10.96.1"), Some(Ipv4Addr::new(10, 96, 0, 1)));
        assert_eq!(inet_aton("08.1.1.1"), None);
        assert_eq!(inet_aton("10.1.0.256"), None);
        assert_eq!(inet_aton("10.1.1.1.1"), None);
        assert_eq!(inet_aton(""), None);
        assert_eq!(inet_aton("10.1.0.2/24"), None);
    }
}
