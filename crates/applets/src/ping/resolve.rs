//! Names to addresses and back, by the system's resolver.

use std::net::{Ipv6Addr, SocketAddr, SocketAddrV6};

use dns_lookup::{AddrInfo, AddrInfoHints, LookupError, getaddrinfo, getnameinfo};
use netloom_machine::Socket;

use super::options::Stop;
use crate::device;

/// What a name stands for.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) address: SocketAddr,
    pub(super) canonical: String,
    /// The name was an address: answers are not named either.
    pub(super) numeric: bool,
}

/// The address of `host`; a scope behind `%` is a device of `socket`'s namespace.
pub(super) fn target(host: &str, family: i32, socket: &Socket) -> Result<Target, Stop> {
    if let Some((address, scope)) = host.split_once('%')
        && let Ok(address) = address.parse::<Ipv6Addr>()
    {
        let scope = device::index(socket, scope).ok().or_else(|| scope.parse().ok());
        let scope = scope.ok_or_else(|| Stop::new(2, format!("{host}: Name or service not known")))?;
        let address = SocketAddrV6::new(address, 0, 0, scope).into();
        return Ok(Target { address, canonical: host.to_owned(), numeric: true });
    }
    let look_up = |flags| -> Result<Vec<AddrInfo>, LookupError> {
        let hints =
            AddrInfoHints { flags, address: libc::AF_UNSPEC, socktype: libc::SOCK_RAW, protocol: libc::IPPROTO_UDP };
        Ok(getaddrinfo(Some(host), None, Some(hints))?.flatten().collect())
    };
    let refused = |why: &str| Stop::new(2, format!("{host}: {why}"));
    let (found, numeric) = match look_up(libc::AI_CANONNAME | libc::AI_NUMERICHOST) {
        Ok(found) => (found, true),
        Err(_) => (look_up(libc::AI_CANONNAME).map_err(|error| refused(&reason(error)))?, false),
    };
    let canonical = found.iter().find_map(|info| info.canonname.clone()).unwrap_or_else(|| host.to_owned());
    let wanted = |address: &SocketAddr| match family {
        libc::AF_INET => address.is_ipv4(),
        libc::AF_INET6 => address.is_ipv6(),
        _ => true,
    };
    let address = found.iter().map(|info| info.sockaddr).find(wanted);
    let address = address.ok_or_else(|| refused("Address family for hostname not supported"))?;
    Ok(Target { address, canonical, numeric })
}

/// gai_strerror(3)'s words, which the library puts behind its own.
fn reason(error: LookupError) -> String {
    let text = std::io::Error::from(error).to_string();
    text.rsplit(": ").next().unwrap_or_default().to_owned()
}

/// An address as it is printed: with the device's name as the scope of a link-local one.
pub(super) fn text(address: &SocketAddr, socket: &Socket) -> String {
    match address {
        SocketAddr::V4(v4) => v4.ip().to_string(),
        SocketAddr::V6(v6) if v6.scope_id() != 0 => {
            let scope = device::name(socket, v6.scope_id()).unwrap_or_else(|_| v6.scope_id().to_string());
            format!("{}%{scope}", v6.ip())
        }
        SocketAddr::V6(v6) => v6.ip().to_string(),
    }
}

/// `NAME (ADDRESS)`.
pub(super) fn named(address: &SocketAddr, socket: &Socket) -> String {
    let numeric = text(address, socket);
    match getnameinfo(address, 0) {
        Ok((name, _)) if name != numeric => format!("{name} ({numeric})"),
        _ => numeric,
    }
}
