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

/// Hands a packet that was delivered to this host to every raw and ping socket that wants it; what its protocol carries begins at
/// `at` behind the Ethernet header. Whether any socket took it.
pub(crate) fn deliver_ipv4(
    kernel: &mut Kernel,
    dev: DevId,
    frame: &Frame,
    number: u8,
    (source, destination): (Ipv4Addr, Ipv4Addr),
    at: usize,
) -> bool {
    let Some(payload) = frame.payload().get(at..) else { return false };
    let icmp_type = payload.first().copied().unwrap_or_default();
    for_each(kernel, dev, frame, (number, source.into(), destination.into()), |inet| match inet.mode {
        Mode::Raw => {
            let filtered =
                number == protocol::ICMP && icmp_type < 32 && inet.options.icmp_filter & (1 << icmp_type) != 0;
            (!filtered).then_some(ETH_HLEN)
        }
        Mode::Ping if icmp_type == ECHO_REPLY && echo_id(payload) == Some(inet.local_port) => Some(ETH_HLEN + at),
        _ => None,
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
    for_each(kernel, dev, frame, (number, source.into(), destination.into()), |inet| {
        let blocked = inet.options.icmpv6_filter[usize::from(icmp_type >> 5)] & (1 << (icmp_type & 31)) != 0;
        let takes = match inet.mode {
            Mode::Raw => number != protocol::ICMPV6 || !blocked,
            Mode::Ping => icmp_type == ECHO_REPLY_V6 && echo_id(payload) == Some(inet.local_port),
            Mode::Datagram => false,
        };
        takes.then_some(ETH_HLEN + at)
    })
}

/// Queues a frame at every socket that wants such packets and of which `start` says where in the frame begins what it is given.
/// Whether any took it.
#[inline]
fn for_each(
    kernel: &mut Kernel,
    dev: DevId,
    frame: &Frame,
    (number, source, destination): (u8, IpAddr, IpAddr),
    start: impl Fn(&InetSocket) -> Option<usize>,
) -> bool {
    let Some(device) = kernel.devices.get(dev) else { return false };
    let (ns, ifindex) = (device.ns, device.ifindex);
    let mut taken = false;
    for at in 0.. {
        let Some(socket) = kernel.namespaces.get(ns).and_then(|netns| netns.inet_sockets.get(at).copied()) else {
            break;
        };
        let Some(inet) = wanting(kernel, socket, dev, number, source, destination) else { continue };
        if let Some(start) = start(inet) {
            taken |= queue(kernel, socket, frame, start, ifindex);
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
    let same_family = inet.local.is_ipv4() == source.is_ipv4();
    // A bound group or broadcast address is a destination like any other.
    let local = inet.local.is_unspecified() || inet.local == destination;
    let remote = inet.remote.is_none_or(|remote| remote == source);
    let wants = inet.mode != Mode::Datagram && inet.protocol == number && same_family && local && remote;
    (wants && device_matches(open.bound_device, dev)).then_some(inet)
}

fn echo_id(message: &[u8]) -> Option<u16> {
    message.get(4..6)?.first_chunk().map(|id| u16::from_be_bytes(*id))
}

fn queue(kernel: &mut Kernel, socket: SocketId, frame: &Frame, start: usize, ifindex: u32) -> bool {
    let Kernel { sockets, drops, now, .. } = kernel;
    let Some(open) = sockets.get_mut(socket) else { return false };
    let SocketKind::Inet(inet) = &mut open.kind else { return false };
    if !inet.queue.has_room(open.options.receive_buffer) {
        drops.count(DropReason::SocketRcvbuff);
        return false;
    }
    inet.queue.push_with(frame.len().saturating_sub(start), |place| {
        place.frame.set_share(frame, frame.packet_type());
        (place.start, place.ifindex, place.time) = (start as u32, ifindex, *now);
    });
    kernel.announce(socket);
    true
}
