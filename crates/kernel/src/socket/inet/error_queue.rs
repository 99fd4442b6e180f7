//! Errors that come back about what a socket sent: its error queue (`IP_RECVERR`, `struct sock_extended_err`).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::deliver::{candidates, wanting};
use super::options::{IP_RECVERR, IPV6_RECVERR, SOL_IP, SOL_IPV6};
use super::{Mode, get};
use crate::error::Errno;
use crate::socket::{MSG_ERRQUEUE, SocketAddress};
use crate::types::{DevId, SocketId};
use crate::{Control, Datagram, Kernel};

/// `SO_EE_ORIGIN_…`.
#[derive(Clone, Copy)]
enum Origin {
    Local = 1,
    Icmp = 2,
    Icmp6 = 3,
}

struct ExtendedError {
    errno: Errno,
    origin: Origin,
    kind: u8,
    code: u8,
    info: u32,
    offender: Option<IpAddr>,
}

fn address(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => SocketAddress::V4 { address, port: 0 }.to_bytes(),
        IpAddr::V6(address) => SocketAddress::V6 { address, port: 0, scope: 0 }.to_bytes(),
    }
}

fn queue(kernel: &mut Kernel, socket: SocketId, to: IpAddr, error: &ExtendedError, data: Vec<u8>) {
    let mut bytes = (error.errno.0 as u32).to_ne_bytes().to_vec();
    bytes.extend([error.origin as u8, error.kind, error.code, 0]);
    bytes.extend(error.info.to_ne_bytes());
    bytes.extend([0; 4]);
    bytes.extend(match error.offender {
        Some(offender) => address(offender),
        None => vec![0; if to.is_ipv4() { 16 } else { 28 }],
    });
    let (level, kind) = if to.is_ipv4() { (SOL_IP, IP_RECVERR) } else { (SOL_IPV6, IPV6_RECVERR) };
    let control = vec![Control { level, kind, data: bytes }];
    kernel.queue_error(socket, Datagram { data, address: address(to), control, flags: MSG_ERRQUEUE });
}

/// An error found before anything was sent.
pub(super) fn local_error(kernel: &mut Kernel, socket: SocketId, to: IpAddr, errno: Errno, info: u32) {
    if get(kernel, socket).is_ok_and(|inet| inet.options.receive_errors) {
        let error = ExtendedError { errno, origin: Origin::Local, kind: 0, code: 0, info, offender: None };
        queue(kernel, socket, to, &error, Vec::new());
    }
}

/// An ICMP error about a packet that this host sent: `quoted` is that packet from its IPv4 header on, `from` who says so.
pub(crate) fn icmp_error(
    kernel: &mut Kernel,
    dev: DevId,
    from: Ipv4Addr,
    kind: u8,
    code: u8,
    info: u32,
    quoted: &[u8],
) {
    let Some(header) = quoted.first_chunk::<20>() else { return };
    let source = IpAddr::from([header[12], header[13], header[14], header[15]]);
    let destination = IpAddr::from([header[16], header[17], header[18], header[19]]);
    let data = quoted.get(usize::from(header[0] & 15) * 4..).unwrap_or_default();
    let (errno, fatal) = icmp_errno(kind, code);
    let error = ExtendedError { errno, origin: Origin::Icmp, kind, code, info, offender: Some(from.into()) };
    report(kernel, dev, header[9], (source, destination), &error, fatal, data);
}

/// The same for ICMPv6.
pub(crate) fn icmpv6_error(
    kernel: &mut Kernel,
    dev: DevId,
    from: Ipv6Addr,
    kind: u8,
    code: u8,
    info: u32,
    quoted: &[u8],
) {
    let Some(header) = quoted.first_chunk::<40>() else { return };
    let address_at = |at: usize| {
        let mut octets = [0; 16];
        octets.copy_from_slice(&header[at..at + 16]);
        IpAddr::from(octets)
    };
    let (errno, fatal) = icmpv6_errno(kind, code);
    let error = ExtendedError { errno, origin: Origin::Icmp6, kind, code, info, offender: Some(from.into()) };
    let data = quoted.get(40..).unwrap_or_default();
    report(kernel, dev, header[6], (address_at(8), address_at(24)), &error, fatal, data);
}

/// Tells every socket that may have sent the packet. From the socket's side the packet's source is local.
fn report(
    kernel: &mut Kernel,
    dev: DevId,
    number: u8,
    (source, destination): (IpAddr, IpAddr),
    error: &ExtendedError,
    fatal: bool,
    data: &[u8],
) {
    for socket in candidates(kernel, dev) {
        let Some(inet) = wanting(kernel, socket, dev, number, destination, source) else { continue };
        // Raw sockets see redirects as the messages that they are.
        if inet.mode != Mode::Ping && matches!((error.origin, error.kind), (Origin::Icmp, REDIRECT)) {
            continue;
        }
        let own_echo = data.get(4..6).and_then(|id| id.first_chunk()).map(|id| u16::from_be_bytes(*id));
        if inet.mode == Mode::Ping && own_echo != Some(inet.local_port) {
            continue;
        }
        let (reads_errors, connected) = (inet.options.receive_errors, inet.remote.is_some());
        if reads_errors {
            queue(kernel, socket, destination, error, data.to_vec());
        }
        if connected && (fatal || reads_errors) {
            kernel.socket_error(socket, error.errno);
        }
    }
}

/// ICMP's type of a redirect.
const REDIRECT: u8 = 5;

/// The errno of an ICMP error, and whether it is one that lasts.
fn icmp_errno(kind: u8, code: u8) -> (Errno, bool) {
    const EPROTO: Errno = Errno(71);
    const ENONET: Errno = Errno(64);
    const EREMOTEIO: Errno = Errno(121);
    match (kind, code) {
        (3, 0 | 6 | 11) => (Errno::ENETUNREACH, code == 6),
        (3, 1 | 12) => (Errno::EHOSTUNREACH, false),
        (3, 2) => (Errno::ENOPROTOOPT, true),
        (3, 3) => (Errno::ECONNREFUSED, true),
        (3, 4) => (Errno::EMSGSIZE, false),
        (3, 5) => (Errno::EOPNOTSUPP, false),
        (3, 7) => (Errno::EHOSTDOWN, true),
        (3, 8) => (ENONET, true),
        (3, 9) => (Errno::ENETUNREACH, true),
        (3, _) => (Errno::EHOSTUNREACH, true),
        (REDIRECT, _) => (EREMOTEIO, false),
        (11, _) => (Errno::EHOSTUNREACH, false),
        (12, _) => (EPROTO, true),
        _ => (Errno::EHOSTUNREACH, false),
    }
}

fn icmpv6_errno(kind: u8, code: u8) -> (Errno, bool) {
    const EPROTO: Errno = Errno(71);
    match (kind, code) {
        (1, 0) => (Errno::ENETUNREACH, false),
        (1, 1 | 5 | 6) => (Errno::EACCES, true),
        (1, 4) => (Errno::ECONNREFUSED, true),
        (1, _) => (Errno::EHOSTUNREACH, false),
        (2, _) => (Errno::EMSGSIZE, false),
        (3, _) => (Errno::EHOSTUNREACH, false),
        (4, _) => (EPROTO, true),
        _ => (Errno::EHOSTUNREACH, false),
    }
}
