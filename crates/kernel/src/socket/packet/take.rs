//! Frames at the end of their way, in the one socket that takes all that arrives at a device.
//!
//! Nothing follows from that, so such a frame need not wait for its turn as others do.

use std::collections::VecDeque;

use slotmap::SlotMap;

use super::{PacketSocket, kept};
use crate::backlog::Run;
use crate::drivers::{ARPHRD_ETHER, veth};
use crate::drop_reason::{DropCounts, DropReason};
use crate::frame::{Frame, FramePool, PacketType};
use crate::netdev::Device;
use crate::path::{CIRCLING, Stations, ethertype};
use crate::socket::filter::Filter;
use crate::socket::{Socket, SocketKind};
use crate::types::{DevId, Instant, SocketId};

impl Device {
    /// The socket that takes every frame which no protocol takes, where there is just one and nobody else looks on.
    #[inline(always)]
    pub(crate) fn sole_taker(&self) -> Option<SocketId> {
        self.taps.only.filter(|_| !self.taps.protocols && self.port.is_none() && self.macvlans.is_none())
    }
}

/// What a frame says of who takes it.
#[derive(Clone, Copy)]
struct Labels {
    destination: u64,
    /// Whether some protocol takes such frames, and whether that is IP.
    handled: bool,
    ip: bool,
}

impl Labels {
    /// `None` where the frame is too short for any.
    #[inline(always)]
    fn of(frame: &Frame) -> Option<Labels> {
        let header = frame.header()?;
        let ethertype = ethertype::of(header);
        let (handled, ip) = (ethertype::is_handled(ethertype), ethertype::is_ip(ethertype));
        Some(Labels { destination: Stations::destination(header), handled, ip })
    }

    /// What the frame is to a device, and whether IP sees that it is to somebody else on the link and takes it no farther. `None` where
    /// a protocol takes it.
    #[inline(always)]
    fn end_at(&self, stations: Stations) -> Option<(PacketType, bool)> {
        let packet_type = stations.type_of(self.destination);
        if !self.handled {
            return Some((packet_type, false));
        }
        (packet_type == PacketType::OtherHost && self.ip).then_some((packet_type, true))
    }
}

/// All that it takes of the kernel.
pub(crate) struct Takers<'a> {
    pub(crate) sockets: &'a mut SlotMap<SocketId, Socket>,
    pub(crate) ready: &'a mut VecDeque<SocketId>,
    pub(crate) pool: &'a mut FramePool,
    pub(crate) drops: &'a mut DropCounts,
    pub(crate) now: Instant,
}

/// A packet socket.
struct Taker<'a> {
    socket: SocketId,
    packet: &'a mut PacketSocket,
    filter: Option<&'a Filter>,
    /// How large its receive buffer is.
    limit: usize,
    announced: &'a mut bool,
}

impl Taker<'_> {
    #[inline(always)]
    fn of(sockets: &mut SlotMap<SocketId, Socket>, socket: SocketId) -> Option<Taker<'_>> {
        let Socket { kind: SocketKind::Packet(packet), options, announced, .. } = sockets.get_mut(socket)? else {
            return None;
        };
        Some(Taker { socket, packet, filter: options.filter.as_ref(), limit: options.receive_buffer, announced })
    }

    /// Counts what was put into its queue.
    #[inline(always)]
    fn received(self, packets: usize, ready: &mut VecDeque<SocketId>) {
        if packets > 0 {
            self.packet.received = self.packet.received.wrapping_add(packets as u32);
            if !std::mem::replace(self.announced, true) {
                ready.push_back(self.socket);
            }
        }
    }
}

/// How much was taken.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Taken {
    pub(crate) packets: usize,
    pub(crate) bytes: usize,
}

impl Takers<'_> {
    /// Moves the first of the frames that arrive at `device` to `socket`, its sole taker, as long as they `fit` and there is room.
    #[inline(never)]
    pub(crate) fn take(
        &mut self,
        device: &mut Device,
        socket: SocketId,
        frames: &mut [Frame],
        fit: impl Fn(&Frame) -> bool,
    ) -> Taken {
        let Takers { sockets, ready, pool, drops, now } = self;
        let Some(taker) = Taker::of(sockets, socket) else { return Taken::default() };
        let (stations, ifindex, hardware_type) = (Stations::of(device), device.ifindex, device.kind.hardware_type());
        let (mut packets, mut bytes, mut strangers) = (0, 0, 0);
        let received = taker.packet.queue.extend_with(frames.len(), taker.limit, |captured| {
            while let Some(frame) = frames.get_mut(packets).filter(|frame| fit(frame))
                && let Some((packet_type, stranger)) = Labels::of(frame).and_then(|labels| labels.end_at(stations))
            {
                packets += 1;
                bytes += frame.len();
                strangers += usize::from(stranger);
                let keep = taker.filter.map_or(u32::MAX, |filter| kept(filter, frame));
                if keep == 0 {
                    pool.recycle_from(frame);
                    continue;
                }
                frame.move_to(&mut captured.frame);
                captured.frame.set_packet_type(packet_type);
                captured.note(*now, ifindex, hardware_type, keep);
                return true;
            }
            false
        });
        taker.received(received, ready);
        device.info.incidents.rx_otherhost_dropped += strangers as u64;
        drops.count_many(DropReason::OtherHost, strangers);
        Taken { packets, bytes }
    }

    /// Frames arrive over cables, each over the one that its run's device is an end of, and are moved to `socket`, as long as it is
    /// the sole taker there and has room, and runs are of one frame: how many.
    #[inline(never)]
    pub(crate) fn take_each(
        &mut self,
        devices: &mut SlotMap<DevId, Device>,
        runs: &[Run],
        socket: SocketId,
        frames: &mut [Frame],
    ) -> usize {
        let Takers { sockets, ready, pool, drops, now } = self;
        let Some(taker) = Taker::of(sockets, socket) else { return 0 };
        let (mut taken, mut strangers) = (0, 0);
        let received = taker.packet.queue.extend_with(runs.len(), taker.limit, |captured| {
            while let Some(run) = runs.get(taken).filter(|run| run.frames == 1)
                && let Some(frame) = frames.get_mut(taken).filter(|frame| frame.hops() < CIRCLING)
                && let Some((_, receiver)) = veth::receiver_of(devices, run.dev, frame.len())
                && receiver.sole_taker() == Some(socket)
                && let Some((packet_type, stranger)) =
                    Labels::of(frame).and_then(|labels| labels.end_at(Stations::of(receiver)))
            {
                taken += 1;
                let length = frame.len();
                receiver.traffic.received(1, length);
                if stranger {
                    strangers += 1;
                    receiver.info.incidents.rx_otherhost_dropped += 1;
                }
                let keep = taker.filter.map_or(u32::MAX, |filter| kept(filter, frame));
                if keep > 0 {
                    frame.move_to(&mut captured.frame);
                    captured.frame.set_packet_type(packet_type);
                    captured.note(*now, receiver.ifindex, ARPHRD_ETHER, keep);
                }
                veth::count_sent(devices, run.dev, 1, length);
                if keep > 0 {
                    return true;
                }
                pool.recycle_from(frame);
            }
            false
        });
        taker.received(received, ready);
        drops.count_many(DropReason::OtherHost, strangers);
        taken
    }

    /// Shares of a frame arrive over the cables that the first of `ends` are ends of and are taken by `socket`, as long as it is the
    /// sole taker there and has room: over how many. None where its filter doesn't let the frame pass.
    #[inline(never)]
    pub(crate) fn take_shares(
        &mut self,
        devices: &mut SlotMap<DevId, Device>,
        ends: &[DevId],
        socket: SocketId,
        frame: &Frame,
    ) -> usize {
        let Some(taker) = Taker::of(self.sockets, socket) else { return 0 };
        let Some(labels) = Labels::of(frame) else { return 0 };
        let keep = taker.filter.map_or(u32::MAX, |filter| kept(filter, frame));
        let (now, length, mut taken, mut strangers) = (self.now, frame.len(), 0, 0);
        if keep == 0 {
            return 0;
        }
        let received = taker.packet.queue.extend_with(ends.len(), taker.limit, |captured| {
            let Some(end) = ends.get(taken) else { return false };
            let Some((_, receiver)) = veth::receiver_of(devices, *end, length) else { return false };
            if receiver.sole_taker() != Some(socket) {
                return false;
            }
            let Some((packet_type, stranger)) = labels.end_at(Stations::of(receiver)) else { return false };
            taken += 1;
            receiver.traffic.received(1, length);
            if stranger {
                strangers += 1;
                receiver.info.incidents.rx_otherhost_dropped += 1;
            }
            captured.frame.set_share(frame, packet_type);
            captured.note(now, receiver.ifindex, ARPHRD_ETHER, keep);
            veth::count_sent(devices, *end, 1, length);
            true
        });
        taker.received(received, self.ready);
        self.drops.count_many(DropReason::OtherHost, strangers);
        taken
    }
}
