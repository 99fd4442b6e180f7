//! Options at the levels of IP, IPv6, raw and ICMPv6 sockets.

use super::{Mode, get, protocol};
use crate::Kernel;
use crate::error::{Errno, Result};
use crate::socket::family;
use crate::socket::options::int;
use crate::types::{DevId, NsId, SocketId};

pub(super) const SOL_IP: i32 = 0;
pub(super) const SOL_IPV6: i32 = 41;
const SOL_ICMPV6: i32 = 58;
const SOL_RAW: i32 = 255;

const IP_TOS: i32 = 1;
pub(super) const IP_TTL: i32 = 2;
const IP_HDRINCL: i32 = 3;
const IP_OPTIONS: i32 = 4;
pub(super) const IP_RETOPTS: i32 = 7;
pub(super) const IP_PKTINFO: i32 = 8;
const IP_MTU_DISCOVER: i32 = 10;
pub(super) const IP_RECVERR: i32 = 11;
const IP_RECVTTL: i32 = 12;
const IP_RECVTOS: i32 = 13;
const IP_MTU: i32 = 14;
const IP_MULTICAST_IF: i32 = 32;
const IP_MULTICAST_TTL: i32 = 33;
const IP_MULTICAST_LOOP: i32 = 34;
const ICMP_FILTER: i32 = 1;

const IPV6_CHECKSUM: i32 = 7;
const IPV6_UNICAST_HOPS: i32 = 16;
const IPV6_MULTICAST_IF: i32 = 17;
const IPV6_MULTICAST_HOPS: i32 = 18;
const IPV6_MULTICAST_LOOP: i32 = 19;
const IPV6_MTU_DISCOVER: i32 = 23;
pub(super) const IPV6_RECVERR: i32 = 25;
const IPV6_V6ONLY: i32 = 26;
const IPV6_FLOWINFO_SEND: i32 = 33;
const IPV6_RECVPKTINFO: i32 = 49;
pub(super) const IPV6_PKTINFO: i32 = 50;
const IPV6_RECVHOPLIMIT: i32 = 51;
pub(super) const IPV6_HOPLIMIT: i32 = 52;
const IPV6_DONTFRAG: i32 = 62;
const IPV6_RECVTCLASS: i32 = 66;
pub(super) const IPV6_TCLASS: i32 = 67;
const ICMPV6_FILTER: i32 = 1;

/// The most bytes that IPv4 options take.
const IP_OPTIONS_MAX: usize = 40;

/// `IP_PMTUDISC_…`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PathMtu {
    /// Never set DF.
    Dont,
    /// Set DF on what fits and fragment what doesn't.
    Want,
    /// Set DF and refuse what doesn't fit.
    Do,
}

/// Their values.
#[derive(Clone, Copy, Debug)]
pub(super) struct InetOptions {
    pub(super) tos: u8,
    /// 0: the default.
    pub(super) ttl: u8,
    pub(super) multicast_ttl: u8,
    multicast_ifindex: u32,
    pub(super) path_mtu: PathMtu,
    pub(super) header_included: bool,
    pub(super) receive_errors: bool,
    pub(super) receive_ttl: bool,
    pub(super) receive_tos: bool,
    pub(super) receive_options: bool,
    pub(super) packet_info: bool,
    /// The device that everything goes out of (`IPV6_PKTINFO`); 0: the route's.
    packet_ifindex: u32,
    pub(super) ip_options: [u8; IP_OPTIONS_MAX],
    pub(super) ip_options_length: u8,
    /// ICMP types that are not wanted, one bit each (`ICMP_FILTER`).
    pub(super) icmp_filter: u32,
    /// ICMPv6 types that are not wanted.
    pub(super) icmpv6_filter: [u32; 8],
}

impl InetOptions {
    pub(super) fn new(domain: i32, protocol: u8) -> InetOptions {
        InetOptions {
            tos: 0,
            ttl: 0,
            multicast_ttl: 1,
            multicast_ifindex: 0,
            path_mtu: PathMtu::Want,
            header_included: domain == family::INET && protocol == protocol::RAW,
            receive_errors: false,
            receive_ttl: false,
            receive_tos: false,
            receive_options: false,
            packet_info: false,
            packet_ifindex: 0,
            ip_options: [0; IP_OPTIONS_MAX],
            ip_options_length: 0,
            icmp_filter: 0,
            icmpv6_filter: [0; 8],
        }
    }

    /// IPv4 options to be sent, where there are any.
    #[inline]
    pub(super) fn ip_options(&self) -> Option<Box<[u8]>> {
        let options = self.ip_options.get(..usize::from(self.ip_options_length)).unwrap_or_default();
        if options.is_empty() { None } else { Some(options.into()) }
    }

    /// The device that everything goes out of, where one was chosen.
    pub(super) fn packet_device(&self, kernel: &Kernel, ns: NsId) -> Option<DevId> {
        kernel.device_by_index(ns, self.packet_ifindex)
    }

    /// The device that multicast goes out of, where one was chosen.
    #[inline]
    pub(super) fn multicast_device(&self, kernel: &Kernel, ns: NsId, multicast: bool) -> Option<DevId> {
        if !multicast || self.multicast_ifindex == 0 {
            return None;
        }
        kernel.device_by_index(ns, self.multicast_ifindex)
    }
}

/// Options of one byte may be given as a byte or as an `int`.
fn byte_or_int(value: &[u8]) -> Result<i32, Errno> {
    int(value).or_else(|_| value.first().map(|byte| i32::from(*byte)).ok_or(Errno::EINVAL))
}

fn ttl(value: i32) -> Result<u8, Errno> {
    match value {
        -1 => Ok(0),
        1..=255 => Ok(value as u8),
        _ => Err(Errno::EINVAL),
    }
}

fn path_mtu(value: i32) -> Result<PathMtu, Errno> {
    match value {
        0 => Ok(PathMtu::Dont),
        1 => Ok(PathMtu::Want),
        2 | 3 => Ok(PathMtu::Do),
        4 | 5 => Ok(PathMtu::Dont),
        _ => Err(Errno::EINVAL),
    }
}

pub(in crate::socket) fn set_option(
    kernel: &mut Kernel,
    socket: SocketId,
    level: i32,
    name: i32,
    value: &[u8],
) -> Result<(), Errno> {
    let inet = get(kernel, socket)?;
    let v6 = inet.domain == family::INET6;
    let raw = inet.mode == Mode::Raw;
    let options = &mut inet.options;
    match (level, name) {
        (SOL_IP, IP_TOS) => options.tos = byte_or_int(value)? as u8,
        (SOL_IP, IP_TTL) => options.ttl = ttl(byte_or_int(value)?)?,
        (SOL_IP, IP_HDRINCL) if raw => options.header_included = byte_or_int(value)? != 0,
        (SOL_IP, IP_OPTIONS) => {
            if value.len() > IP_OPTIONS_MAX {
                return Err(Errno::EINVAL);
            }
            options.ip_options = [0; IP_OPTIONS_MAX];
            options.ip_options[..value.len()].copy_from_slice(value);
            options.ip_options_length = value.len().next_multiple_of(4) as u8;
        }
        (SOL_IP, IP_RETOPTS) => options.receive_options = byte_or_int(value)? != 0,
        (SOL_IP, IP_PKTINFO) => options.packet_info = byte_or_int(value)? != 0,
        (SOL_IP, IP_MTU_DISCOVER) => options.path_mtu = path_mtu(byte_or_int(value)?)?,
        (SOL_IP, IP_RECVERR) => options.receive_errors = byte_or_int(value)? != 0,
        (SOL_IP, IP_RECVTTL) => options.receive_ttl = byte_or_int(value)? != 0,
        (SOL_IP, IP_RECVTOS) => options.receive_tos = byte_or_int(value)? != 0,
        (SOL_IP, IP_MULTICAST_TTL) => options.multicast_ttl = ttl(byte_or_int(value)?)?.max(1),
        (SOL_IP, IP_MULTICAST_LOOP) => {}
        (SOL_IP, IP_MULTICAST_IF) => {
            // in_addr, ip_mreq, or ip_mreqn, whose last word is the ifindex.
            options.multicast_ifindex =
                value.get(8..12).and_then(|index| index.first_chunk()).map_or(0, |index| u32::from_ne_bytes(*index));
        }
        (SOL_RAW, ICMP_FILTER) if raw => options.icmp_filter = int(value)? as u32,
        (SOL_IPV6, _) if !v6 => return Err(Errno::ENOPROTOOPT),
        (SOL_IPV6, IPV6_UNICAST_HOPS) => options.ttl = ttl(int(value)?)?,
        (SOL_IPV6, IPV6_MULTICAST_HOPS) => options.multicast_ttl = ttl(int(value)?)?.max(1),
        (SOL_IPV6, IPV6_MULTICAST_IF) => options.multicast_ifindex = int(value)? as u32,
        (SOL_IPV6, IPV6_MTU_DISCOVER) => options.path_mtu = path_mtu(int(value)?)?,
        (SOL_IPV6, IPV6_DONTFRAG) => options.path_mtu = if int(value)? != 0 { PathMtu::Do } else { PathMtu::Want },
        (SOL_IPV6, IPV6_RECVERR) => options.receive_errors = int(value)? != 0,
        (SOL_IPV6, IPV6_RECVHOPLIMIT | IPV6_HOPLIMIT) => options.receive_ttl = int(value)? != 0,
        (SOL_IPV6, IPV6_RECVPKTINFO) => options.packet_info = int(value)? != 0,
        // The source that it may name too is chosen by bind(2) here.
        (SOL_IPV6, IPV6_PKTINFO) => {
            let ifindex = value.get(16..20).and_then(|index| index.first_chunk()).ok_or(Errno::EINVAL)?;
            options.packet_ifindex = u32::from_ne_bytes(*ifindex);
        }
        (SOL_IPV6, IPV6_RECVTCLASS) => options.receive_tos = int(value)? != 0,
        (SOL_IPV6, IPV6_TCLASS) => options.tos = int(value)?.max(0) as u8,
        (SOL_IPV6, IPV6_CHECKSUM | IPV6_MULTICAST_LOOP | IPV6_V6ONLY | IPV6_FLOWINFO_SEND) => {}
        // ICMPv6 checksums are always filled in; asking for it at its own level is the same option.
        (SOL_RAW, IPV6_CHECKSUM) if v6 => {}
        (SOL_ICMPV6, ICMPV6_FILTER) if v6 => {
            let (words, _) = value.as_chunks::<4>();
            for (word, given) in options.icmpv6_filter.iter_mut().zip(words) {
                *word = u32::from_ne_bytes(*given);
            }
        }
        _ => return Err(Errno::ENOPROTOOPT),
    }
    Ok(())
}

pub(in crate::socket) fn option(
    kernel: &mut Kernel,
    socket: SocketId,
    level: i32,
    name: i32,
) -> Result<Vec<u8>, Errno> {
    let ns = kernel.open_socket(socket)?.ns;
    let bound = kernel.open_socket(socket)?.bound_device;
    let inet = get(kernel, socket)?;
    let (options, remote, local) = (inet.options, inet.remote, inet.local);
    let value = match (level, name) {
        (SOL_IP, IP_TOS) | (SOL_IPV6, IPV6_TCLASS) => options.tos.into(),
        (SOL_IP, IP_TTL) | (SOL_IPV6, IPV6_UNICAST_HOPS) => {
            if options.ttl == 0 {
                64
            } else {
                options.ttl.into()
            }
        }
        (SOL_IP, IP_HDRINCL) => options.header_included.into(),
        (SOL_IP, IP_RECVERR) | (SOL_IPV6, IPV6_RECVERR) => options.receive_errors.into(),
        (SOL_IP, IP_MTU_DISCOVER) | (SOL_IPV6, IPV6_MTU_DISCOVER) => match options.path_mtu {
            PathMtu::Dont => 0,
            PathMtu::Want => 1,
            PathMtu::Do => 2,
        },
        (SOL_IP, IP_MTU) => match (remote.ok_or(Errno::ENOTCONN)?, local) {
            (std::net::IpAddr::V4(destination), std::net::IpAddr::V4(source)) => {
                let flow =
                    crate::ipv4::Flow { source, oif: bound, tos: options.tos, ..crate::ipv4::Flow::to(destination) };
                crate::ipv4::lookup(kernel, ns, &flow)?.mtu as i32
            }
            _ => return Err(Errno::ENOTCONN),
        },
        _ => return Err(Errno::ENOPROTOOPT),
    };
    Ok(value.to_ne_bytes().to_vec())
}
