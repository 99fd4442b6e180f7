//! The packet's path, in order: the page to read first.
//!
//! 1. [`Kernel::transmit`]: a frame leaves through a device. Packet sockets see it; the driver takes it.
//! 2. [`Kernel::enqueue`]: the driver at the other end of the cable puts it on the queue of frames to be received. Nothing is
//!    received in the middle of sending, so a loop of bridges exhausts a budget and never the stack. A frame that has come to the
//!    end of its way, in the only socket that takes it, need not wait: nothing follows from that (`socket/packet/take.rs`).
//! 3. [`Kernel::run`]: frames are taken off the queue, one after the other, in order.
//! 4. [`Kernel::receive_frame`]: packet sockets see it; a bridge port hands it to its bridge, which forwards it (1.) or passes it
//!    up as received by the bridge's own device; else it goes to ARP, IPv4 or IPv6.
//!
//! A frame ends with [`Kernel::drop_frame`] and a reason, or in a socket's receive buffer.
//!
//! Frames often come in bursts: several in a row for one device. What holds for all of a burst (which device, which port, which
//! cable) is looked up once; what depends on a frame is done frame by frame, in order, so that nobody can tell the difference. Bursts for
//! several ports of a bridge are one burst to the bridge.

use std::slice;

use crate::Kernel;
use crate::backlog::Run;
use crate::bridge::Arrival;
use crate::drivers::veth;
use crate::drop_reason::DropReason;
use crate::frame::{ETH_HLEN, Frame, PacketType};
use crate::netdev::Device;
use crate::socket::packet::Takers;
use crate::types::{DevId, MacAddr, SocketId};

/// EtherTypes.
pub(crate) mod ethertype {
    use crate::frame::ETH_HLEN;

    pub(crate) const IPV4: u16 = 0x0800;
    pub(crate) const ARP: u16 = 0x0806;
    pub(crate) const IPV6: u16 = 0x86dd;

    /// The EtherType in a header (or the length of an 802.3 frame).
    #[inline(always)]
    pub(crate) fn of(header: &[u8; ETH_HLEN]) -> u16 {
        u16::from_be_bytes([header[12], header[13]])
    }

    /// Whether it is IP's.
    #[inline(always)]
    pub(crate) fn is_ip(ethertype: u16) -> bool {
        matches!(ethertype, IPV4 | IPV6)
    }

    /// Whether some protocol takes such frames.
    #[inline(always)]
    pub(crate) fn is_handled(ethertype: u16) -> bool {
        matches!(ethertype, IPV4 | ARP | IPV6)
    }
}

/// How many frames one call of [`Kernel::run`] receives before it lets others have their turn.
pub(crate) const BUDGET: usize = 8_192;

/// A frame that was received on so many devices is taken to be circling in a loop: it makes way for the others.
pub(crate) const CIRCLING: u32 = 16;
/// How many such frames may wait.
const CIRCLING_LIMIT: usize = 16_384;
/// How many of them one call of [`Kernel::circle`] receives.
const CIRCLING_BUDGET: usize = 4;

// The way of an ordinary burst is inlined into few pieces of code; whatever is out of the ordinary is called.
impl Kernel {
    /// Sends a frame through a device, as `dev_queue_xmit` does.
    #[inline(always)]
    pub(crate) fn transmit(&mut self, dev: DevId, mut frame: Frame) -> Result<(), DropReason> {
        if veth::transmit_one(self, dev, &mut frame) { Ok(()) } else { self.transmit_otherwise(dev, frame) }
    }

    /// The same, where there is more to do than to queue it at the other end of a cable.
    #[inline(never)]
    fn transmit_otherwise(&mut self, dev: DevId, frame: Frame) -> Result<(), DropReason> {
        let Some(device) = self.devices.get(dev).filter(|device| device.is_up()) else {
            self.drop_frame(frame, DropReason::DevReady);
            return Err(DropReason::DevReady);
        };
        if device.taps.see_outgoing() && device.takes_frames() {
            crate::socket::packet::tap(self, dev, &frame, PacketType::Outgoing, None);
        }
        self.driver_transmit(dev, frame)
    }

    /// Sends frames through a device, one after the other. They are taken out.
    #[inline(always)]
    pub(crate) fn transmit_all(&mut self, dev: DevId, mut frames: &mut [Frame]) {
        if let [alone] = frames
            && veth::transmit_one(self, dev, alone)
        {
            return;
        }
        while !frames.is_empty() {
            let sent = veth::transmit_run(self, dev, frames);
            frames = &mut frames[sent..];
            if sent == 0
                && let Some((alone, rest)) = std::mem::take(&mut frames).split_first_mut()
            {
                let _ = self.transmit(dev, std::mem::take(alone));
                frames = rest;
            }
        }
    }

    /// Sends frames through devices: those of each run through its own. They are taken out.
    #[inline(always)]
    pub(crate) fn transmit_runs(&mut self, mut runs: &[Run], mut frames: &mut [Frame]) {
        while let Some((run, others)) = runs.split_first() {
            if run.frames == 1 && !others.is_empty() {
                let sent = veth::transmit_each(self, runs, frames);
                if sent > 0 {
                    (runs, frames) = (&runs[sent..], &mut frames[sent..]);
                    continue;
                }
            }
            let (burst, rest) = frames.split_at_mut(run.frames);
            self.transmit_all(run.dev, burst);
            (runs, frames) = (others, rest);
        }
    }

    /// Puts a frame on the queue of those to be received by `dev`, whose driver has counted it.
    #[inline(always)]
    pub(crate) fn enqueue(&mut self, dev: DevId, mut frame: Frame) -> Result<(), DropReason> {
        if frame.hops() >= CIRCLING {
            return self.enqueue_circling(dev, frame);
        }
        if self.backlog.room() == 0 {
            return self.backlog_is_full(dev, frame);
        }
        frame.count_hop();
        let port = self.devices.get(dev).is_some_and(|device| device.port.is_some());
        self.backlog.push(dev, port, frame);
        Ok(())
    }

    #[cold]
    fn enqueue_circling(&mut self, dev: DevId, frame: Frame) -> Result<(), DropReason> {
        if self.circling.len() >= CIRCLING_LIMIT {
            return self.backlog_is_full(dev, frame);
        }
        self.circling.push_with(|place| *place = (dev, frame));
        Ok(())
    }

    #[cold]
    pub(crate) fn backlog_is_full(&mut self, dev: DevId, frame: Frame) -> Result<(), DropReason> {
        if let Some(device) = self.devices.get_mut(dev) {
            device.info.incidents.rx_dropped += 1;
        }
        self.drop_frame(frame, DropReason::CpuBacklog);
        Err(DropReason::CpuBacklog)
    }

    /// Receives what is queued, until nothing is left or the budget is used up.
    pub(crate) fn run(&mut self) {
        let mut budget = BUDGET;
        while budget > 0 {
            if self.backlog.is_empty() {
                return self.backlog.is_done();
            }
            let mut alone = Frame::default();
            if let Some(run) = self.backlog.take_only(&mut alone) {
                budget -= 1;
                self.receive_alone(run.dev, alone);
                continue;
            }
            let mut queue = self.worked_off.take().unwrap_or_default();
            self.backlog.move_to(&mut queue, budget);
            budget -= queue.len();
            let (mut runs, mut frames) = queue.parts();
            while !runs.is_empty() {
                (runs, frames) = self.receive_runs(runs, frames);
            }
            queue.clear();
            self.worked_off = Some(queue);
        }
    }

    /// Receives some of the frames that circle in loops, and what follows from each. Nobody's call has to wait for more of them.
    pub(crate) fn circle(&mut self) {
        for _ in 0..CIRCLING_BUDGET {
            if !self.backlog.is_empty() {
                return;
            }
            let Some((dev, frame)) = self.circling.pop_with(std::mem::take) else { return };
            self.receive_others(dev, &mut [frame]);
            self.run();
        }
    }

    /// Receives a frame that nothing is to be had in common with.
    #[inline(always)]
    fn receive_alone(&mut self, dev: DevId, mut frame: Frame) {
        let device = self.devices.get(dev);
        let (port, taker) = (device.and_then(Device::quiet_port), device.and_then(Device::sole_taker));
        match (port, taker) {
            (Some(member), _) => crate::bridge::input_alone(self, dev, member, false, &mut frame),
            (None, Some(socket)) => self.take(dev, socket, slice::from_mut(&mut frame)),
            (None, None) => self.receive_frame(dev, frame),
        }
    }

    /// Receives the first of the runs of frames, and those that follow where they come in by ports of one bridge; gives the rest back.
    #[inline(never)]
    fn receive_runs<'q>(&mut self, runs: &'q [Run], frames: &'q mut [Frame]) -> (&'q [Run], &'q mut [Frame]) {
        let Some((run, others)) = runs.split_first() else { return (runs, frames) };
        let device = self.devices.get(run.dev);
        let (port, taker) = (device.and_then(Device::quiet_port), device.and_then(Device::sole_taker));
        if let Some(port) = port {
            return self.receive_on_ports(port.bridge, runs, frames);
        }
        let (burst, rest) = frames.split_at_mut(run.frames);
        match taker {
            Some(socket) => self.take(run.dev, socket, burst),
            None => self.receive_others(run.dev, burst),
        }
        (others, rest)
    }

    /// Receives frames on ports of a bridge, until one comes in by something else.
    #[inline(never)]
    fn receive_on_ports<'q>(
        &mut self,
        bridge: DevId,
        mut runs: &'q [Run],
        frames: &'q mut [Frame],
    ) -> (&'q [Run], &'q mut [Frame]) {
        let mut arrivals = std::mem::take(&mut self.arrivals);
        let mut count = 0;
        while let Some((run, others)) = runs.split_first()
            && let Some(port) = self.devices.get(run.dev).and_then(Device::quiet_port)
            && port.bridge == bridge
        {
            Arrival::put_down(&mut arrivals, run.dev, port.number, &frames[count..][..run.frames]);
            count += run.frames;
            runs = others;
        }
        let (burst, rest) = frames.split_at_mut(count);
        crate::bridge::input(self, bridge, &mut arrivals, burst);
        arrivals.clear();
        self.arrivals = arrivals;
        (runs, rest)
    }

    /// Receives frames in a row on a device of which `socket` takes all that no protocol takes.
    #[inline(never)]
    fn take(&mut self, dev: DevId, socket: SocketId, mut burst: &mut [Frame]) {
        loop {
            let Kernel { devices, sockets, ready, frames: pool, drops, now, .. } = self;
            let Some(device) = devices.get_mut(dev) else { return };
            let taken = Takers { sockets, ready, pool, drops, now: *now }.take(device, socket, burst, |_| true);
            let Some((other, rest)) = burst[taken.packets..].split_first_mut() else { return };
            let other = std::mem::take(other);
            burst = rest;
            self.receive_frame(dev, other);
        }
    }

    /// Counts packets that went no farther than to IP, since they are to somebody else on the link.
    pub(crate) fn count_strangers(&mut self, dev: DevId, packets: usize) {
        if let Some(device) = self.devices.get_mut(dev) {
            device.info.incidents.rx_otherhost_dropped += packets as u64;
        }
        self.drops.count_many(DropReason::OtherHost, packets);
    }

    /// Receives frames that need more: IPv4's at which nobody else looks together, others one by one.
    #[inline(never)]
    fn receive_others(&mut self, dev: DevId, mut burst: &mut [Frame]) {
        while burst.len() > 1 && self.devices.get(dev).is_some_and(Device::is_unseen) {
            let received = crate::ipv4::receive(self, dev, burst);
            burst = &mut burst[received..];
            let Some((other, rest)) = burst.split_first_mut() else { return };
            self.receive_frame(dev, std::mem::take(other));
            burst = rest;
        }
        for frame in burst {
            self.receive_frame(dev, std::mem::take(frame));
        }
    }

    /// Receives one frame on a device, as `netif_receive_skb` does.
    #[inline(always)]
    pub(crate) fn receive_frame(&mut self, dev: DevId, mut frame: Frame) {
        let Some(device) = self.devices.get(dev) else {
            return self.drop_frame(frame, DropReason::DevReady);
        };
        let Some(header) = frame.header() else {
            return self.drop_frame(frame, DropReason::PacketTooSmall);
        };
        let (packet_type, protocol) = (Stations::of(device).packet_type(header), ethertype::of(header));
        frame.set_packet_type(packet_type);
        if device.is_unseen() {
            self.hand_up(dev, protocol, frame, false);
        } else {
            self.receive_typed(dev, frame);
        }
    }

    /// Receives a frame of which it is known to whom it is.
    #[inline(never)]
    pub(crate) fn receive_typed(&mut self, dev: DevId, mut frame: Frame) {
        let Some(device) = self.devices.get(dev) else {
            return self.drop_frame(frame, DropReason::DevReady);
        };
        let (port, macvlans) = (device.port, device.macvlans.is_some());
        let seen =
            device.taps.see_incoming() && crate::socket::packet::tap(self, dev, &frame, frame.packet_type(), None);
        match port {
            Some(member) => crate::bridge::input_alone(self, dev, member, true, &mut frame),
            None if macvlans => self.receive_below(dev, frame, seen),
            None => self.deliver(dev, frame, seen),
        }
    }

    /// A frame for the device itself, or for a macvlan on it.
    #[inline(never)]
    fn receive_below(&mut self, dev: DevId, frame: Frame, seen: bool) {
        if let Some(frame) = crate::drivers::macvlan::input(self, dev, frame) {
            self.deliver(dev, frame, seen);
        }
    }

    /// Hands a frame to the protocol that its EtherType names. One that a packet socket has `seen` has found a taker.
    #[inline(never)]
    pub(crate) fn deliver(&mut self, dev: DevId, frame: Frame, seen: bool) {
        let protocol = frame.ethertype();
        let listening = self.devices.get(dev).is_some_and(|device| device.taps.see_protocols());
        let seen = (listening && crate::socket::packet::deliver(self, dev, &frame, protocol)) || seen;
        self.hand_up(dev, protocol, frame, seen);
    }

    #[inline(always)]
    fn hand_up(&mut self, dev: DevId, protocol: u16, frame: Frame, seen: bool) {
        match protocol {
            ethertype::IPV4 => crate::ipv4::receive_alone(self, dev, frame),
            ethertype::ARP => crate::neighbour::arp::receive(self, dev, frame),
            ethertype::IPV6 => crate::ipv6::receive(self, dev, frame),
            _ if seen => self.frames.recycle(frame),
            _ => self.drop_unhandled(dev, frame),
        }
    }

    #[cold]
    fn drop_unhandled(&mut self, dev: DevId, frame: Frame) {
        if let Some(device) = self.devices.get_mut(dev) {
            device.info.incidents.rx_dropped += 1;
        }
        self.drop_frame(frame, DropReason::UnhandledProto);
    }

    /// The end of a frame that didn't arrive.
    #[cold]
    pub(crate) fn drop_frame(&mut self, frame: Frame, reason: DropReason) {
        self.drops.count(reason);
        self.frames.recycle(frame);
    }
}

impl Device {
    /// Whether only protocols see what it receives.
    #[inline(always)]
    fn is_unseen(&self) -> bool {
        self.port.is_none() && self.macvlans.is_none() && self.taps.are_none()
    }
}

/// The addresses by which a device tells to whom a frame is, as numbers.
#[derive(Clone, Copy)]
pub(crate) struct Stations {
    own: u64,
    broadcast: u64,
}

impl Stations {
    #[inline(always)]
    pub(crate) fn of(device: &Device) -> Stations {
        let number = |MacAddr([a, b, c, d, e, f])| {
            u64::from(u32::from_le_bytes([a, b, c, d])) | u64::from(u16::from_le_bytes([e, f])) << 32
        };
        Stations { own: number(device.address), broadcast: number(device.broadcast) }
    }

    /// A frame's destination as a number.
    #[inline(always)]
    pub(crate) fn destination(header: &[u8; ETH_HLEN]) -> u64 {
        // Eight bytes in one load; what is too much is cut off.
        header.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes)) << 16 >> 16
    }

    /// What a frame's destination is to the device.
    #[inline(always)]
    pub(crate) fn packet_type(&self, header: &[u8; ETH_HLEN]) -> PacketType {
        self.type_of(Stations::destination(header))
    }

    /// The same of a destination as a number.
    #[inline(always)]
    pub(crate) fn type_of(&self, destination: u64) -> PacketType {
        // No device's own address is a group's.
        if destination & 1 == 0 {
            if destination == self.own { PacketType::Host } else { PacketType::OtherHost }
        } else if destination == self.broadcast {
            PacketType::Broadcast
        } else {
            PacketType::Multicast
        }
    }
}
