//! Raw and ping sockets: what IP hands up to them.

use std::net::Ipv4Addr;

use crate::Kernel;
use crate::types::DevId;

/// Hands a packet that was delivered to this host to every raw and ping socket that wants it. `packet` starts at the IPv4 header.
/// Whether any socket took it.
pub(crate) fn deliver_ipv4(_kernel: &mut Kernel, _dev: DevId, _packet: &[u8]) -> bool {
    false
}

/// The same for IPv6: `header` is the IPv6 header, `payload` what follows its extension headers.
pub(crate) fn deliver_ipv6(
    _kernel: &mut Kernel,
    _dev: DevId,
    _header: &[u8; 40],
    _next_header: u8,
    _payload: &[u8],
) -> bool {
    false
}

/// An ICMP error about a packet that this host sent: `quoted` is that packet from its IPv4 header on, `from` who says so. Raw and ping
/// sockets get it on their error queue (`IP_RECVERR`).
pub(crate) fn icmp_error(
    _kernel: &mut Kernel,
    _dev: DevId,
    _from: Ipv4Addr,
    _kind: u8,
    _code: u8,
    _info: u32,
    _quoted: &[u8],
) {
}

/// The same for ICMPv6.
pub(crate) fn icmpv6_error(
    _kernel: &mut Kernel,
    _dev: DevId,
    _from: std::net::Ipv6Addr,
    _kind: u8,
    _code: u8,
    _info: u32,
    _quoted: &[u8],
) {
}
