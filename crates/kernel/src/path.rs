//! The packet's path, in order: the page to read first.
//!
//! 1. [`Kernel::transmit`]: a frame leaves through a device. Packet sockets see it; the driver takes it.
//! 2. [`Kernel::enqueue`]: the driver at the other end of the cable puts it on the queue of frames to be received. Nothing is
//!    received in the middle of sending, so a loop of bridges exhausts a budget and never the stack.
//! 3. [`Kernel::run`]: frames are taken off the queue, one after the other, in order.
//! 4. [`Kernel::receive_frame`]: packet sockets see it; a bridge port hands it to its bridge, which forwards it (1.) or passes it
//!    up as received by the bridge's own device; else it goes to ARP, IPv4 or IPv6.
//!
//! A frame ends with [`Kernel::drop_frame`] and a reason, or in a socket's receive buffer.

use crate::Kernel;
use crate::drop_reason::DropReason;
use crate::frame::{Frame, PacketType};
use crate::netdev::Device;
use crate::types::{DevId, MacAddr};

/// EtherTypes.
pub(crate) mod ethertype {
    pub(crate) const IPV4: u16 = 0x0800;
    pub(crate) const ARP: u16 = 0x0806;
    pub(crate) const IPV6: u16 = 0x86dd;
}

/// How many frames may wait to be received; what comes beyond is dropped.
const BACKLOG: usize = 16_384;

/// How many frames one call of [`Kernel::run`] receives before it lets others have their turn.
pub(crate) const BUDGET: usize = 8_192;

// The way of an ordinary frame is inlined into one piece of code, so that the frame stays in registers; whatever is out of the
// ordinary is called.
impl Kernel {
    /// Sends a frame through a device, as `dev_queue_xmit` does.
    #[inline(always)]
    pub(crate) fn transmit(&mut self, dev: DevId, frame: Frame) -> Result<(), DropReason> {
        let Some(device) = self.devices.get(dev).filter(|device| device.is_up()) else {
            self.drop_frame(frame, DropReason::DevReady);
            return Err(DropReason::DevReady);
        };
        if device.is_tapped() && (device.carrier || !device.kind.has_queue()) {
            crate::socket::packet::tap(self, dev, &frame, PacketType::Outgoing, None);
        }
        self.driver_transmit(dev, frame)
    }

    /// Puts a frame on the queue of those to be received by `dev`, whose driver has counted it.
    #[inline(always)]
    pub(crate) fn enqueue(&mut self, dev: DevId, frame: Frame) -> Result<(), DropReason> {
        if self.backlog.len() >= BACKLOG {
            return self.backlog_is_full(dev, frame);
        }
        self.backlog.push_back((dev, frame));
        Ok(())
    }

    #[cold]
    fn backlog_is_full(&mut self, dev: DevId, frame: Frame) -> Result<(), DropReason> {
        if let Some(device) = self.devices.get_mut(dev) {
            device.stats.rx_dropped += 1;
        }
        self.drop_frame(frame, DropReason::CpuBacklog);
        Err(DropReason::CpuBacklog)
    }

    /// Receives what is queued, until nothing is left or the budget is used up.
    pub(crate) fn run(&mut self) {
        for _ in 0..BUDGET {
            let Some((dev, frame)) = self.backlog.pop_front() else { return };
            self.receive_frame(dev, frame);
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
        frame.set_packet_type(packet_type(device, header));
        self.receive_typed(dev, frame);
    }

    /// Receives a frame of which it is known to whom it is.
    #[inline(always)]
    pub(crate) fn receive_typed(&mut self, dev: DevId, frame: Frame) {
        let Some(device) = self.devices.get(dev) else {
            return self.drop_frame(frame, DropReason::DevReady);
        };
        let (port, macvlans) = (device.port, device.macvlans.is_some());
        let seen = device.is_tapped() && crate::socket::packet::tap(self, dev, &frame, frame.packet_type(), None);
        match port {
            Some(port) => crate::bridge::input(self, dev, port, frame),
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
    #[inline(always)]
    pub(crate) fn deliver(&mut self, dev: DevId, frame: Frame, seen: bool) {
        let protocol = frame.ethertype();
        let listening = self.devices.get(dev).is_some_and(Device::is_tapped);
        let seen = (listening && crate::socket::packet::deliver(self, dev, &frame, protocol)) || seen;
        match protocol {
            ethertype::IPV4 => crate::ipv4::receive(self, dev, frame),
            ethertype::ARP => crate::neighbour::arp::receive(self, dev, frame),
            ethertype::IPV6 => crate::ipv6::receive(self, dev, frame),
            _ if seen => self.frames.recycle(frame),
            _ => self.drop_unhandled(dev, frame),
        }
    }

    #[cold]
    fn drop_unhandled(&mut self, dev: DevId, frame: Frame) {
        if let Some(device) = self.devices.get_mut(dev) {
            device.stats.rx_dropped += 1;
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

/// What the destination address is to the device that receives the frame.
#[inline]
fn packet_type(device: &Device, header: &[u8; 14]) -> PacketType {
    let [a, b, c, d, e, f, ..] = *header;
    let destination = MacAddr([a, b, c, d, e, f]);
    if destination == device.address {
        PacketType::Host
    } else if !destination.is_multicast() {
        PacketType::OtherHost
    } else if destination == device.info.broadcast {
        PacketType::Broadcast
    } else {
        PacketType::Multicast
    }
}
