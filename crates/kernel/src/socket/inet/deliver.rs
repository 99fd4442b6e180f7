//! What IP hands up to raw and ping sockets.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{InetSocket, Mode, device_matches, protocol};
use crate::Kernel;
use crate::drop_reason::DropReason;
use crate::frame::{ETH_HLEN, Frame};
use crate::socket::SocketKind;
use crate::types::{DevId, SocketId};

const ECHO_REPLY: u8 = 0;
const ECHO_REPLY_V6: u8 = 129;

/// Hands a packet that was delivered to this host to every raw and ping socket that wants it; its `message` is what its protocol
/// carries. Whether any socket took it.
#[inline(never)]
pub(crate) fn deliver_ipv4(
    kernel: &mut Kernel,
    dev: DevId,
    frame: &Frame,
    number: u8,
    (source, destination): (Ipv4Addr, Ipv4Addr),
    message: &[u8],
) -> bool {
    let icmp_type = message.first().copied().unwrap_or_default();
    for_each(kernel, dev, frame, |inet| {
        if !inet.wants_v4(number, source, destination) {
            return None;
        }
        match inet.mode {
            Mode::Raw => {
                let filtered =
                    number == protocol::ICMP && icmp_type < 32 && inet.options.icmp_filter & (1 << icmp_type) != 0;
                (!filtered).then_some(ETH_HLEN)
            }
            Mode::Ping if icmp_type == ECHO_REPLY && echo_id(message) == Some(inet.local_port) => {
                Some(frame.len() - message.len())
            }
            _ => None,
        }
    })
}

/// The same for IPv6, whose sockets never see its headers.
pub(crate) fn deliver_ipv6(
    kernel: &mut Kernel,
    dev: DevId,
    frame: &Frame,
    number: u8,
    (source, destination): (Ipv6Addr, Ipv6Addr),
    at: usize,
) -> bool {
    let Some(payload) = frame.payload().get(at..) else { return false };
    let icmp_type = payload.first().copied().unwrap_or_default();
    for_each(kernel, dev, frame, |inet| {
        let blocked = inet.options.icmpv6_filter[usize::from(icmp_type >> 5)] & (1 << (icmp_type & 31)) != 0;
        let takes = match inet.mode {
            Mode::Raw => number != protocol::ICMPV6 || !blocked,
            Mode::Ping => icmp_type == ECHO_REPLY_V6 && echo_id(payload) == Some(inet.local_port),
            Mode::Datagram => false,
        };
        (takes && inet.wants(number, source.into(), destination.into())).then_some(ETH_HLEN + at)
    })
}

/// Queues a frame at every socket that wants it, of which `start` says where in the frame begins what it is given. Whether any took it.
#[inline(always)]
fn for_each(kernel: &mut Kernel, dev: DevId, frame: &Frame, start: impl Fn(&InetSocket) -> Option<usize>) -> bool {
    let Kernel { devices, namespaces, sockets, ready, drops, now, .. } = kernel;
    let Some(device) = devices.get(dev) else { return false };
    let Some(netns) = namespaces.get(device.ns) else { return false };
    let mut taken = false;
    for socket in &netns.inet_sockets {
        let Some(open) = sockets.get_mut(*socket).filter(|open| device_matches(open.bound_device, dev)) else {
            continue;
        };
        let SocketKind::Inet(inet) = &mut open.kind else { continue };
        let Some(start) = start(inet) else { continue };
        if !inet.queue.has_room(open.options.receive_buffer) {
            drops.count(DropReason::SocketRcvbuff);
            continue;
        }
        inet.queue.push_with(frame.len().saturating_sub(start), |place| {
            place.frame.set_share(frame, frame.packet_type());
            (place.start, place.ifindex, place.time) = (start as u32, device.ifindex, *now);
        });
        taken = true;
        if !open.announced {
            open.announced = true;
            ready.push_back(*socket);
        }
    }
    taken
}

/// The raw and ping sockets of a device's namespace.
pub(super) fn candidates(kernel: &Kernel, dev: DevId) -> Vec<SocketId> {
    let Some(device) = kernel.devices.get(dev) else { return Vec::new() };
    kernel.namespaces[device.ns].inet_sockets.clone()
}

/// The socket, if it wants packets of this protocol between these addresses from this device.
pub(super) fn wanting(
    kernel: &Kernel,
    socket: SocketId,
    dev: DevId,
    number: u8,
    source: IpAddr,
    destination: IpAddr,
) -> Option<&InetSocket> {
    let open = kernel.sockets.get(socket)?;
    let SocketKind::Inet(inet) = &open.kind else { return None };
    (device_matches(open.bound_device, dev) && inet.wants(number, source, destination)).then_some(inet)
}

impl InetSocket {
    /// Whether it wants packets of this protocol between these addresses.
    fn wants(&self, number: u8, source: IpAddr, destination: IpAddr) -> bool {
        // A bound group or broadcast address is a destination like any other.
        self.mode != Mode::Datagram
            && self.protocol == number
            && self.local.is_ipv4() == source.is_ipv4()
            && (self.local.is_unspecified() || self.local == destination)
            && self.remote.is_none_or(|remote| remote == source)
    }

    /// The same for addresses of IPv4.
    #[inline(always)]
    fn wants_v4(&self, number: u8, source: Ipv4Addr, destination: Ipv4Addr) -> bool {
        let (IpAddr::V4(local), None | Some(IpAddr::V4(_))) = (self.local, self.remote) else { return false };
        self.mode != Mode::Datagram
            && self.protocol == number
            && (local.is_unspecified() || local == destination)
            && self.remote.is_none_or(|remote| remote == source)
    }
}

fn echo_id(message: &[u8]) -> Option<u16> {
    message.get(4..6)?.first_chunk().map(|id| u16::from_be_bytes(*id))
}
