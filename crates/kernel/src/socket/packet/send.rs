//! Datagrams become frames: one by one, or many at once over cables.

use super::tap;
use crate::Kernel;
use crate::drivers::veth::{self, VLAN_HLEN};
use crate::drop_reason::DropReason;
use crate::error::{Errno, Result};
use crate::frame::{ETH_HLEN, Frame, FramePool, PacketType};
use crate::netdev::Device;
use crate::netns::Netns;
use crate::socket::batch::Message;
use crate::socket::{LinkAddress, SOCK_RAW, SocketKind};
use crate::types::{DevId, MacAddr, NsId, SocketId};

/// What a socket says of the datagrams that it sends.
#[derive(Clone, Copy)]
struct Origin {
    ns: NsId,
    /// Whether it gives the Ethernet header itself.
    raw: bool,
    protocol: u16,
    /// Where those without an address go.
    device: Option<DevId>,
}

impl Origin {
    #[inline(always)]
    fn of(kernel: &Kernel, socket: SocketId) -> Result<Origin, Errno> {
        let open = kernel.sockets.get(socket).ok_or(Errno::EBADF)?;
        let SocketKind::Packet(packet) = &open.kind else { return Err(Errno::ENOTSOCK) };
        Ok(Origin { ns: open.ns, raw: packet.kind == SOCK_RAW, protocol: packet.protocol, device: packet.device })
    }

    /// The device that a datagram leaves through.
    #[inline(always)]
    fn device(&self, namespace: &Netns, address: &[u8]) -> Result<DevId, Errno> {
        if address.is_empty() {
            return self.device.ok_or(Errno::ENXIO);
        }
        namespace.device_by_index(LinkAddress::parse(address)?.ifindex).ok_or(Errno::ENXIO)
    }

    /// How long a frame a datagram becomes.
    #[inline(always)]
    fn frame_length(&self, data: &[u8]) -> usize {
        if self.raw { data.len() } else { ETH_HLEN + data.len() }
    }

    /// Whether a datagram may leave through a device.
    #[inline(always)]
    fn check(&self, device: &Device, data: &[u8]) -> Result<(), Errno> {
        let payload = self.frame_length(data).checked_sub(ETH_HLEN).ok_or(Errno::EINVAL)?;
        let mtu = device.mtu as usize;
        if payload > mtu && !(self.raw && is_tagged(data) && payload <= mtu + VLAN_HLEN) {
            return Err(Errno::EMSGSIZE);
        }
        Ok(())
    }

    /// Makes `frame` what a datagram becomes.
    #[inline(always)]
    fn make(&self, pool: &mut FramePool, source: &MacAddr, (data, address): Message<'_>, frame: &mut Frame) {
        if self.raw {
            return pool.copy_to(frame, data);
        }
        let to = LinkAddress::parse(address).unwrap_or_default();
        let protocol = if to.protocol != 0 { to.protocol } else { self.protocol };
        pool.build_to(frame, ETH_HLEN + data.len(), |frame| {
            frame[..6].copy_from_slice(&to.address.0);
            frame[6..12].copy_from_slice(&source.0);
            frame[12..14].copy_from_slice(&protocol.to_be_bytes());
            frame[ETH_HLEN..].copy_from_slice(data);
        });
    }
}

fn errno(reason: DropReason) -> Errno {
    match reason {
        DropReason::DevReady => Errno::ENETDOWN,
        _ => Errno::ENOBUFS,
    }
}

pub(in crate::socket) fn send(
    kernel: &mut Kernel,
    socket: SocketId,
    data: &[u8],
    address: &[u8],
) -> Result<usize, Errno> {
    let origin = Origin::of(kernel, socket)?;
    let dev = origin.device(&kernel.namespaces[origin.ns], address)?;
    let device = kernel.devices.get(dev).ok_or(Errno::ENXIO)?;
    if !device.is_up() {
        return Err(Errno::ENETDOWN);
    }
    origin.check(device, data)?;
    let mut frame = Frame::default();
    origin.make(&mut kernel.frames, &device.address, (data, address), &mut frame);
    if device.taps.see_outgoing() && device.takes_frames() {
        tap(kernel, dev, &frame, PacketType::Outgoing, Some(socket));
    }
    kernel.driver_transmit(dev, frame).map_err(errno)?;
    Ok(data.len())
}

/// Sends datagrams to addresses, all before anything follows from them: how many were sent, and what went wrong.
#[inline(always)]
pub(in crate::socket) fn send_burst(
    kernel: &mut Kernel,
    socket: SocketId,
    messages: &[Message<'_>],
) -> (usize, Option<Errno>) {
    let origin = match Origin::of(kernel, socket) {
        Ok(origin) => origin,
        Err(error) => return (0, Some(error)),
    };
    let mut sent = 0;
    loop {
        sent += send_over_cables(kernel, origin, &messages[sent..]);
        let Some((data, address)) = messages.get(sent) else { return (sent, None) };
        if let Err(error) = send(kernel, socket, data, address) {
            return (sent, Some(error));
        }
        sent += 1;
    }
}

/// Sends the first of the datagrams, each through its device, as long as these are ends of cables and nobody looks on: how many. The
/// next is to be sent alone.
#[inline(never)]
fn send_over_cables(kernel: &mut Kernel, origin: Origin, messages: &[Message<'_>]) -> usize {
    let Kernel { devices, namespaces, backlog, frames, .. } = kernel;
    let Some(namespace) = namespaces.get(origin.ns) else { return 0 };
    let mut free = backlog.free(messages.len());
    let mut rest = messages;
    while let Some(((_, address), others)) = rest.split_first()
        && let Ok(dev) = origin.device(namespace, address)
        && let Some(sender) = veth::sender(devices, dev)
        && let Some(peer) = sender.peer()
        && let (mtu, source) = (sender.mtu, sender.address)
        && let Some(receiver) = veth::receiver(devices, peer)
    {
        // Longer ones with a tag are sent alone.
        let longest = veth::longest_for(receiver).min(ETH_HLEN + mtu as usize);
        // Those that follow, as long as they go to the same address.
        let alike = 1 + others.iter().take_while(|(_, to)| same(to, address)).count();
        let (mut packets, mut bytes) = (0, 0);
        for message in &rest[..alike] {
            let length = origin.frame_length(message.0);
            if !(ETH_HLEN..=longest).contains(&length) {
                break;
            }
            let Some(place) = free.next() else { break };
            origin.make(frames, &source, *message, place);
            packets += 1;
            bytes += length;
        }
        free.took(peer, receiver.port.is_some(), packets);
        receiver.traffic.received(packets, bytes);
        veth::count_sent(devices, dev, packets, bytes);
        rest = &rest[packets..];
        if packets < alike {
            break;
        }
    }
    messages.len() - rest.len()
}

/// Whether two addresses are the same. Most are none at all, and those that differ mostly do so in the first eight bytes.
#[inline(always)]
fn same(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len() && (one.is_empty() || one.first_chunk::<8>() == other.first_chunk() && one == other)
}

/// Whether a frame has an 802.1Q or 802.1ad tag.
#[inline]
fn is_tagged(frame: &[u8]) -> bool {
    matches!(frame.get(12..14), Some([0x81, 0x00] | [0x88, 0xa8]))
}
