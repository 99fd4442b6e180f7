//! Packet sockets (packet(7)): frames as they pass a device.
//!
//! A socket for every protocol (`ETH_P_ALL`) sees what a device receives before anybody else, and what it sends; one
//! for a single protocol sees what reaches the protocols. Frames are shared, not copied, until they are received.

mod send;
mod take;

use std::collections::VecDeque;

use slotmap::SlotMap;

use super::filter::Filter;
use super::{LinkAddress, MSG_PEEK, Queued, ReceiveQueue, SOCK_DGRAM, SOCK_RAW, Socket, SocketKind};
use crate::Kernel;
use crate::drop_reason::{DropCounts, DropReason};
use crate::error::{Errno, Result};
use crate::frame::{ETH_HLEN, Frame, PacketType};
use crate::netdev::{Device, NetdevEvent};
use crate::types::{DevId, Instant, MacAddr, SocketId};
use crate::{Control, Datagram};

pub(super) use send::{send, send_burst};
pub(crate) use take::{Taken, Takers};

const SOL_PACKET: i32 = 263;
const PACKET_ADD_MEMBERSHIP: i32 = 1;
const PACKET_DROP_MEMBERSHIP: i32 = 2;
const PACKET_STATISTICS: i32 = 6;
const PACKET_AUXDATA: i32 = 8;
const PACKET_IGNORE_OUTGOING: i32 = 23;

const ETH_P_ALL: u16 = 3;

/// A packet socket.
#[derive(Debug)]
pub(crate) struct PacketSocket {
    /// `SOCK_RAW` (with the Ethernet header) or `SOCK_DGRAM` (without).
    pub(super) kind: i32,
    /// The EtherType it wants, `ETH_P_ALL`, or 0 for none yet.
    protocol: u16,
    /// The device it is bound to; `None`: every device of its namespace.
    device: Option<DevId>,
    pub(super) queue: ReceiveQueue<Captured>,
    memberships: Vec<Membership>,
    auxdata: bool,
    ignore_outgoing: bool,
    received: u32,
    dropped: u32,
}

/// A frame in a packet socket's queue.
#[derive(Debug, Default)]
pub(crate) struct Captured {
    /// With the type that it has for the socket.
    frame: Frame,
    time: Instant,
    /// Of the device, then.
    ifindex: u32,
    hardware_type: u16,
    /// How much of it the socket's filter let pass.
    keep: u32,
}

impl Queued for Captured {
    #[inline(always)]
    fn length(&self) -> usize {
        self.frame.len()
    }
}

impl Captured {
    /// Notes when and where the frame was seen, and how much of it is kept.
    #[inline(always)]
    fn note(&mut self, time: Instant, ifindex: u32, hardware_type: u16, keep: u32) {
        (self.time, self.ifindex, self.hardware_type, self.keep) = (time, ifindex, hardware_type, keep);
    }

    fn from(&self) -> LinkAddress {
        LinkAddress {
            protocol: self.frame.ethertype(),
            ifindex: self.ifindex,
            hardware_type: self.hardware_type,
            packet_type: self.frame.packet_type(),
            address: self.frame.bytes().get(6..).and_then(MacAddr::from_slice).unwrap_or_default(),
        }
    }
}

/// A reason for a device to be promiscuous, or to receive a group, that this socket gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Membership {
    device: DevId,
    kind: MembershipKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum MembershipKind {
    Group(MacAddr),
    Promiscuous,
    AllGroups,
}

/// One entry of a device's list of packet sockets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tap {
    socket: SocketId,
    protocol: u16,
    ignores_outgoing: bool,
}

impl Tap {
    fn sees_everything(&self) -> bool {
        self.protocol == ETH_P_ALL
    }
}

/// The packet sockets that listen on a device.
#[derive(Debug, Default)]
pub(crate) struct Taps {
    list: Box<[Tap]>,
    /// The one that sees every frame, where there is just one such.
    only: Option<SocketId>,
    /// Whether any of them sees every frame.
    incoming: bool,
    /// Whether any of these sees what is sent as well.
    outgoing: bool,
    /// Whether there are sockets for one protocol.
    protocols: bool,
}

impl Taps {
    /// Whether there are none.
    #[inline(always)]
    pub(crate) fn are_none(&self) -> bool {
        self.list.is_empty()
    }

    /// Whether somebody sees every frame that is received.
    #[inline(always)]
    pub(crate) fn see_incoming(&self) -> bool {
        self.incoming
    }

    /// Whether somebody sees every frame that is sent.
    #[inline(always)]
    pub(crate) fn see_outgoing(&self) -> bool {
        self.outgoing
    }

    /// Whether somebody sees what reaches the protocols.
    #[inline(always)]
    pub(crate) fn see_protocols(&self) -> bool {
        self.protocols
    }

    fn push(&mut self, tap: Tap) {
        self.change(|list| list.push(tap));
    }

    fn remove(&mut self, socket: SocketId) {
        if self.list.iter().any(|tap| tap.socket == socket) {
            self.change(|list| list.retain(|tap| tap.socket != socket));
        }
    }

    fn change(&mut self, change: impl FnOnce(&mut Vec<Tap>)) {
        let mut list = std::mem::take(&mut self.list).into_vec();
        change(&mut list);
        let mut everything = list.iter().filter(|tap| tap.sees_everything());
        *self = Taps {
            outgoing: everything.clone().any(|tap| !tap.ignores_outgoing),
            incoming: everything.clone().next().is_some(),
            only: everything.next().map(|tap| tap.socket).filter(|_| everything.next().is_none()),
            protocols: list.iter().any(|tap| !tap.sees_everything()),
            list: list.into(),
        };
    }
}

impl PacketSocket {
    pub(super) fn new(kind: i32, protocol: i32) -> Result<PacketSocket, Errno> {
        if !matches!(kind, SOCK_RAW | SOCK_DGRAM) {
            return Err(Errno::ESOCKTNOSUPPORT);
        }
        Ok(PacketSocket {
            kind,
            // Given in network byte order.
            protocol: u16::from_be(protocol as u16),
            device: None,
            queue: ReceiveQueue::default(),
            memberships: Vec::new(),
            auxdata: false,
            ignore_outgoing: false,
            received: 0,
            dropped: 0,
        })
    }

    /// How it listens on a device; not at all without a protocol.
    fn tap(&self, socket: SocketId) -> Option<Tap> {
        let listens = self.protocol != 0;
        listens.then_some(Tap { socket, protocol: self.protocol, ignores_outgoing: self.ignore_outgoing })
    }

    /// Its kind, protocol and the ifindex it is bound to, as `/proc/net/packet` shows them.
    pub(crate) fn binding(&self, kernel: &Kernel) -> (i32, u16, u32) {
        let device = self.device.and_then(|dev| kernel.devices.get(dev));
        (self.kind, self.protocol, device.map_or(0, |device| device.ifindex))
    }
}

fn get(kernel: &mut Kernel, socket: SocketId) -> Result<&mut PacketSocket, Errno> {
    match &mut kernel.open_socket(socket)?.kind {
        SocketKind::Packet(packet) => Ok(packet),
        _ => Err(Errno::ENOTSOCK),
    }
}

/// Puts the socket on the lists of the devices that it listens on.
pub(super) fn attach(kernel: &mut Kernel, socket: SocketId) {
    let Some(open) = kernel.sockets.get(socket) else { return };
    let SocketKind::Packet(packet) = &open.kind else { return };
    let (ns, device, Some(tap)) = (open.ns, packet.device, packet.tap(socket)) else { return };
    let devices: Vec<DevId> = match device {
        Some(device) => vec![device],
        None => kernel.namespaces[ns].devices().collect(),
    };
    for dev in devices {
        if let Some(device) = kernel.devices.get_mut(dev) {
            device.taps.push(tap);
        }
    }
}

fn detach(kernel: &mut Kernel, socket: SocketId) {
    let Some(ns) = kernel.sockets.get(socket).map(|open| open.ns) else { return };
    let devices: Vec<DevId> = kernel.namespaces[ns].devices().collect();
    for dev in devices {
        if let Some(device) = kernel.devices.get_mut(dev) {
            device.taps.remove(socket);
        }
    }
}

pub(super) fn close(kernel: &mut Kernel, socket: SocketId) {
    detach(kernel, socket);
    let Ok(packet) = get(kernel, socket) else { return };
    for membership in std::mem::take(&mut packet.memberships) {
        end_membership(kernel, membership);
    }
    while let Ok(Some(captured)) = get(kernel, socket).map(|packet| packet.queue.pop()) {
        kernel.frames.recycle(captured.frame);
    }
}

pub(super) fn bind(kernel: &mut Kernel, socket: SocketId, address: &[u8]) -> Result<(), Errno> {
    let address = LinkAddress::parse(address)?;
    let ns = kernel.open_socket(socket)?.ns;
    let device = match address.ifindex {
        0 => None,
        index => Some(kernel.namespaces[ns].device_by_index(index).ok_or(Errno::ENODEV)?),
    };
    detach(kernel, socket);
    let packet = get(kernel, socket)?;
    packet.device = device;
    if address.protocol != 0 {
        packet.protocol = address.protocol;
    }
    attach(kernel, socket);
    if device.is_some_and(|dev| !kernel.devices[dev].is_up()) {
        kernel.socket_error(socket, Errno::ENETDOWN);
    }
    Ok(())
}

pub(super) fn local_address(kernel: &mut Kernel, socket: SocketId) -> Result<Vec<u8>, Errno> {
    let packet = get(kernel, socket)?;
    let (protocol, device) = (packet.protocol, packet.device);
    let mut address = LinkAddress { protocol, ..LinkAddress::default() };
    if let Some(device) = device.and_then(|dev| kernel.devices.get(dev)) {
        address.ifindex = device.ifindex;
        address.hardware_type = device.kind.hardware_type();
        address.address = device.address;
    }
    Ok(address.to_bytes())
}

pub(super) fn set_option(
    kernel: &mut Kernel,
    socket: SocketId,
    level: i32,
    name: i32,
    value: &[u8],
) -> Result<(), Errno> {
    if level != SOL_PACKET {
        return Err(Errno::ENOPROTOOPT);
    }
    match name {
        PACKET_ADD_MEMBERSHIP | PACKET_DROP_MEMBERSHIP => {
            let membership = parse_membership(kernel, socket, value)?;
            let memberships = &mut get(kernel, socket)?.memberships;
            if name == PACKET_ADD_MEMBERSHIP {
                memberships.push(membership);
                begin_membership(kernel, membership);
            } else if let Some(at) = memberships.iter().position(|known| *known == membership) {
                memberships.remove(at);
                end_membership(kernel, membership);
            }
        }
        PACKET_AUXDATA => get(kernel, socket)?.auxdata = super::options::int(value)? != 0,
        PACKET_IGNORE_OUTGOING => {
            get(kernel, socket)?.ignore_outgoing = super::options::int(value)? != 0;
            detach(kernel, socket);
            attach(kernel, socket);
        }
        _ => return Err(Errno::ENOPROTOOPT),
    }
    Ok(())
}

pub(super) fn option(kernel: &mut Kernel, socket: SocketId, level: i32, name: i32) -> Result<Vec<u8>, Errno> {
    let packet = get(kernel, socket)?;
    match (level, name) {
        (SOL_PACKET, PACKET_STATISTICS) => {
            // Reading the counters resets them.
            let (received, dropped) = (std::mem::take(&mut packet.received), std::mem::take(&mut packet.dropped));
            Ok([received + dropped, dropped].iter().flat_map(|count| count.to_ne_bytes()).collect())
        }
        (SOL_PACKET, PACKET_AUXDATA) => Ok(i32::from(packet.auxdata).to_ne_bytes().to_vec()),
        _ => Err(Errno::ENOPROTOOPT),
    }
}

/// A `packet_mreq`: ifindex, type, length of the address, address.
fn parse_membership(kernel: &mut Kernel, socket: SocketId, value: &[u8]) -> Result<Membership, Errno> {
    let request: &[u8; 16] = value.first_chunk().ok_or(Errno::EINVAL)?;
    let ifindex = u32::from_ne_bytes([request[0], request[1], request[2], request[3]]);
    let ns = kernel.open_socket(socket)?.ns;
    let device = kernel.namespaces[ns].device_by_index(ifindex).ok_or(Errno::ENODEV)?;
    let kind = match u16::from_ne_bytes([request[4], request[5]]) {
        0 | 3 => MembershipKind::Group(MacAddr::from_slice(&request[8..]).ok_or(Errno::EINVAL)?),
        1 => MembershipKind::Promiscuous,
        2 => MembershipKind::AllGroups,
        _ => return Err(Errno::EINVAL),
    };
    Ok(Membership { device, kind })
}

fn begin_membership(kernel: &mut Kernel, membership: Membership) {
    match membership.kind {
        MembershipKind::Group(address) => kernel.add_multicast(membership.device, address),
        MembershipKind::Promiscuous => kernel.add_promiscuity(membership.device, 1),
        MembershipKind::AllGroups => kernel.add_allmulti(membership.device, 1),
    }
}

fn end_membership(kernel: &mut Kernel, membership: Membership) {
    match membership.kind {
        MembershipKind::Group(address) => kernel.remove_multicast(membership.device, address),
        MembershipKind::Promiscuous => kernel.add_promiscuity(membership.device, -1),
        MembershipKind::AllGroups => kernel.add_allmulti(membership.device, -1),
    }
}

/// Shows a frame to the packet sockets for every protocol that listen on a device, whether there is any; `except` is the
/// socket that sent it.
#[inline(always)]
pub(crate) fn tap(
    kernel: &mut Kernel,
    dev: DevId,
    frame: &Frame,
    as_type: PacketType,
    except: Option<SocketId>,
) -> bool {
    let Kernel { devices, sockets, ready, drops, now, .. } = kernel;
    let mut audience = Audience { sockets, ready, drops, now: *now };
    devices.get(dev).is_some_and(|device| audience.show_all(device, frame, as_type, except))
}

/// Shows a frame that has reached the protocols to the sockets that want just this one; whether there is any.
#[inline(always)]
pub(crate) fn deliver(kernel: &mut Kernel, dev: DevId, frame: &Frame, protocol: u16) -> bool {
    let Kernel { devices, sockets, ready, drops, now, .. } = kernel;
    let mut audience = Audience { sockets, ready, drops, now: *now };
    devices.get(dev).is_some_and(|device| audience.show(device, frame, frame.packet_type(), protocol, None))
}

/// All that packet sockets need of the kernel to take frames.
pub(crate) struct Audience<'a> {
    pub(crate) sockets: &'a mut SlotMap<SocketId, Socket>,
    pub(crate) ready: &'a mut VecDeque<SocketId>,
    pub(crate) drops: &'a mut DropCounts,
    pub(crate) now: Instant,
}

impl Audience<'_> {
    /// Shows a frame to a device's sockets for every protocol; whether there is any.
    #[inline(always)]
    pub(crate) fn show_all(
        &mut self,
        device: &Device,
        frame: &Frame,
        as_type: PacketType,
        except: Option<SocketId>,
    ) -> bool {
        match device.taps.only {
            Some(only) => {
                let shown = Some(only) != except;
                if shown {
                    self.share(only, device, frame, as_type);
                }
                shown
            }
            None => device.taps.incoming && self.show(device, frame, as_type, ETH_P_ALL, except),
        }
    }

    #[inline(never)]
    fn show(
        &mut self,
        device: &Device,
        frame: &Frame,
        as_type: PacketType,
        protocol: u16,
        except: Option<SocketId>,
    ) -> bool {
        let mut shown = false;
        for tap in &device.taps.list {
            if tap.protocol == protocol && Some(tap.socket) != except {
                shown = true;
                self.share(tap.socket, device, frame, as_type);
            }
        }
        shown
    }

    /// Puts a share of a frame into a socket's queue, if the socket wants it.
    #[inline(never)]
    fn share(&mut self, socket: SocketId, device: &Device, frame: &Frame, as_type: PacketType) {
        let Some(open) = self.sockets.get_mut(socket) else { return };
        let SocketKind::Packet(packet) = &mut open.kind else { return };
        if as_type == PacketType::Outgoing && packet.ignore_outgoing {
            return;
        }
        let keep = open.options.filter.as_ref().map_or(u32::MAX, |filter| kept(filter, frame));
        if keep == 0 {
            return;
        }
        if !packet.queue.has_room(open.options.receive_buffer) {
            packet.dropped = packet.dropped.wrapping_add(1);
            return self.drops.count(DropReason::SocketRcvbuff);
        }
        packet.queue.push_with(frame.len(), |captured| {
            captured.frame.set_share(frame, as_type);
            captured.note(self.now, device.ifindex, device.kind.hardware_type(), keep);
        });
        packet.received = packet.received.wrapping_add(1);
        if !std::mem::replace(&mut open.announced, true) {
            self.ready.push_back(socket);
        }
    }
}

/// How many bytes of a frame a filter lets pass.
fn kept(filter: &Filter, frame: &Frame) -> u32 {
    u32::try_from(filter.run(frame.bytes())).unwrap_or(u32::MAX)
}

pub(super) fn receive(kernel: &mut Kernel, socket: SocketId, peek: bool) -> Result<Datagram, Errno> {
    let packet = get(kernel, socket)?;
    if peek {
        let (kind, auxdata) = (packet.kind, packet.auxdata);
        let captured = packet.queue.peek().ok_or(Errno::EAGAIN)?;
        let mut datagram = datagram(captured, kind, auxdata);
        let time = captured.time;
        datagram.control.extend(kernel.timestamp(&kernel.sockets[socket].options, time));
        datagram.flags |= MSG_PEEK;
        return Ok(datagram);
    }
    let (kind, auxdata) = (packet.kind, packet.auxdata);
    let captured = packet.queue.pop().ok_or(Errno::EAGAIN)?;
    let mut datagram = datagram(&captured, kind, auxdata);
    datagram.control.extend(kernel.timestamp(&kernel.sockets[socket].options, captured.time));
    kernel.frames.recycle(captured.frame);
    Ok(datagram)
}

impl Kernel {
    /// Shows up to `limit` frames in a packet socket's queue to `show` and is done with them; how many there were.
    #[inline]
    pub(super) fn drain_packets(&mut self, socket: SocketId, limit: usize, mut show: impl FnMut(&[u8])) -> usize {
        let Some(Socket { kind: SocketKind::Packet(packet), .. }) = self.sockets.get_mut(socket) else { return 0 };
        let (kind, pool) = (packet.kind, &mut self.frames);
        packet.queue.drain(limit, |captured| {
            show(seen(captured, kind).0);
            pool.recycle_from(&mut captured.frame);
        })
    }
}

/// The bytes that a socket of a kind is given of a frame, and how many there were before its filter cut it.
#[inline]
fn seen(captured: &Captured, kind: i32) -> (&[u8], usize) {
    let skip = if kind == SOCK_RAW { 0 } else { ETH_HLEN };
    let bytes = captured.frame.bytes().get(skip..).unwrap_or_default();
    (&bytes[..bytes.len().min(captured.keep as usize)], bytes.len())
}

fn datagram(captured: &Captured, kind: i32, auxdata: bool) -> Datagram {
    const TP_STATUS_USER: u32 = 1;
    let (data, length) = seen(captured, kind);
    let data = data.to_vec();
    let mut control = Vec::new();
    if auxdata {
        // struct tpacket_auxdata: status, len, snaplen, mac, net, vlan_tci, vlan_tpid.
        let mut aux = Vec::with_capacity(20);
        aux.extend(TP_STATUS_USER.to_ne_bytes());
        aux.extend((length as u32).to_ne_bytes());
        aux.extend((data.len() as u32).to_ne_bytes());
        aux.extend(0u16.to_ne_bytes());
        aux.extend((ETH_HLEN as u16).to_ne_bytes());
        aux.extend([0; 4]);
        control.push(Control { level: SOL_PACKET, kind: PACKET_AUXDATA, data: aux });
    }
    Datagram { data, address: captured.from().to_bytes(), control, flags: 0 }
}

/// Something happened to a device: sockets bound to it are told, memberships end, sockets for every device follow.
pub(crate) fn netdev_event(kernel: &mut Kernel, dev: DevId, event: NetdevEvent) {
    if !matches!(event, NetdevEvent::Register | NetdevEvent::Unregister | NetdevEvent::Down) {
        return;
    }
    let Some(ns) = kernel.devices.get(dev).map(|device| device.ns) else { return };
    let sockets: Vec<SocketId> = kernel
        .sockets
        .iter()
        .filter(|(_, open)| open.ns == ns && matches!(open.kind, SocketKind::Packet(_)))
        .map(|(socket, _)| socket)
        .collect();
    if event == NetdevEvent::Unregister
        && let Some(device) = kernel.devices.get_mut(dev)
    {
        device.taps = Taps::default();
    }
    for socket in sockets {
        let Ok(packet) = get(kernel, socket) else { continue };
        let bound_here = packet.device == Some(dev);
        match event {
            NetdevEvent::Register if packet.device.is_none() => {
                if let Some(tap) = packet.tap(socket) {
                    kernel.devices[dev].taps.push(tap);
                }
            }
            NetdevEvent::Down if bound_here => kernel.socket_error(socket, Errno::ENETDOWN),
            NetdevEvent::Unregister => {
                let (ended, kept): (Vec<Membership>, Vec<Membership>) =
                    packet.memberships.drain(..).partition(|membership| membership.device == dev);
                packet.memberships = kept;
                if bound_here {
                    // Bound to nothing any more: a socket without a protocol listens nowhere.
                    packet.device = None;
                    packet.protocol = 0;
                }
                for membership in ended {
                    end_membership(kernel, membership);
                }
            }
            _ => {}
        }
    }
}
