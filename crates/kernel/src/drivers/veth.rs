//! veth: two devices joined by a cable. What one sends the other receives, in the same order and without loss.

use slotmap::SlotMap;

use super::{DevKind, Profile};
use crate::Kernel;
use crate::backlog::Run;
use crate::drop_reason::DropReason;
use crate::error::{Errno, Result};
use crate::frame::{ETH_HLEN, Frame};
use crate::netdev::{DevFlags, Device, NewDevice};
use crate::path::CIRCLING;
use crate::socket::packet::{Taken, Takers};
use crate::types::{DevId, NsId};

/// One end.
#[derive(Debug)]
pub(crate) struct Veth {
    /// The other end; `None` only while a pair is being made or taken away.
    pub(crate) peer: Option<DevId>,
    /// How many receive and transmit queues are in use (`ethtool -l`).
    pub(crate) rx_channels: u16,
    pub(crate) tx_channels: u16,
}

impl Default for Veth {
    fn default() -> Veth {
        Veth { peer: None, rx_channels: 1, tx_channels: 1 }
    }
}

/// Room for one 802.1Q tag beyond the MTU.
pub(crate) const VLAN_HLEN: usize = 4;

pub(super) fn profile(cpus: u32) -> Profile {
    Profile {
        flags: DevFlags::BROADCAST | DevFlags::MULTICAST,
        mtu: 1500,
        min_mtu: 68,
        max_mtu: 65_535,
        queues: cpus.max(1),
        tso_max_size: 524_280,
        tx_queue_len: 1000,
    }
}

/// One end of a pair that is being made. The end made first is the peer, and has the lower ifindex.
pub(crate) fn create_end(kernel: &mut Kernel, ns: NsId, new: NewDevice) -> Result<DevId> {
    let dev = kernel.register_device(ns, new, DevKind::Veth(Veth::default()))?;
    kernel.set_carrier(dev, false);
    Ok(dev)
}

/// Puts the cable between two ends.
pub(crate) fn connect(kernel: &mut Kernel, dev: DevId, peer: DevId) {
    for (end, other) in [(dev, peer), (peer, dev)] {
        if let Some(DevKind::Veth(veth)) = kernel.devices.get_mut(end).map(|device| &mut device.kind) {
            veth.peer = Some(other);
        }
    }
}

/// Makes a pair, the peer first. Either both ends are there afterwards or neither.
#[cfg(test)]
pub(crate) fn create(
    kernel: &mut Kernel,
    (ns, new): (NsId, NewDevice),
    (peer_ns, peer_new): (NsId, NewDevice),
) -> Result<(DevId, DevId)> {
    let peer = create_end(kernel, peer_ns, peer_new)?;
    let dev = create_end(kernel, ns, new).inspect_err(|_| kernel.unregister_device(peer))?;
    connect(kernel, dev, peer);
    Ok((dev, peer))
}

/// Carrier is on exactly when both ends are up. `ENOTCONN` where there is no other end yet: a request for a pair can't have the
/// peer up.
pub(super) fn open(kernel: &mut Kernel, dev: DevId) -> Result<()> {
    let peer = kernel.devices[dev].peer().ok_or(Errno::ENOTCONN)?;
    if kernel.devices.get(peer).is_some_and(Device::is_up) {
        kernel.set_carrier(dev, true);
        kernel.set_carrier(peer, true);
    }
    Ok(())
}

pub(super) fn close(kernel: &mut Kernel, dev: DevId) {
    kernel.set_carrier(dev, false);
    if let Some(peer) = kernel.devices[dev].peer() {
        kernel.set_carrier(peer, false);
    }
}

/// The longest frame that an end takes.
#[inline(always)]
pub(crate) fn longest_for(receiver: &Device) -> usize {
    receiver.mtu as usize + ETH_HLEN + VLAN_HLEN
}

/// The other end of a cable, while that is up.
#[inline(always)]
pub(crate) fn receiver(devices: &mut SlotMap<DevId, Device>, peer: DevId) -> Option<&mut Device> {
    devices.get_mut(peer).filter(|receiver| receiver.is_up())
}

/// Counts frames that an end sent.
#[inline(always)]
pub(crate) fn count_sent(devices: &mut SlotMap<DevId, Device>, end: DevId, packets: usize, bytes: usize) {
    if let Some(sender) = devices.get_mut(end) {
        sender.traffic.sent(packets, bytes);
    }
}

/// Sends a frame over the cable.
#[inline(always)]
pub(super) fn transmit(kernel: &mut Kernel, dev: DevId, frame: Frame) -> Result<(), DropReason> {
    let (devices, length) = (&mut kernel.devices, frame.len());
    match devices.get(dev).and_then(Device::peer).and_then(|peer| Some((peer, receiver(devices, peer)?))) {
        Some((peer, receiver)) if length <= longest_for(receiver) => {
            receiver.traffic.received(1, length);
            count_sent(devices, dev, 1, length);
            kernel.enqueue(peer, frame)
        }
        _ => refuse(kernel, dev, frame),
    }
}

/// A device that is up, where nobody looks on as it sends.
#[inline(always)]
pub(crate) fn sender(devices: &SlotMap<DevId, Device>, dev: DevId) -> Option<&Device> {
    devices.get(dev).filter(|sender| sender.is_up() && !sender.taps.see_outgoing())
}

/// The device at which a frame of `length` bytes arrives from an end of a cable without anybody looking on.
#[inline(always)]
pub(crate) fn receiver_of(
    devices: &mut SlotMap<DevId, Device>,
    end: DevId,
    length: usize,
) -> Option<(DevId, &mut Device)> {
    let peer = sender(devices, end)?.peer()?;
    let receiver = receiver(devices, peer)?;
    (length <= longest_for(receiver)).then_some((peer, receiver))
}

/// Sends a frame over the cable that `dev` is an end of, where it waits at the other end; it is taken out. `false` where there is
/// more to it: as for [`transmit_run`], or one socket takes it at once.
#[inline(always)]
pub(crate) fn transmit_one(kernel: &mut Kernel, dev: DevId, frame: &mut Frame) -> bool {
    let Kernel { devices, backlog, .. } = kernel;
    let length = frame.len();
    let Some((peer, receiver)) = receiver_of(devices, dev, length) else { return false };
    if frame.hops() >= CIRCLING || (receiver.sole_taker().is_some() && backlog.may_be_passed()) {
        return false;
    }
    let mut free = backlog.free(1);
    let Some(place) = free.next() else { return false };
    frame.hop_to(place);
    free.took(peer, receiver.port.is_some(), 1);
    receiver.traffic.received(1, length);
    count_sent(devices, dev, 1, length);
    true
}

/// Sends the first of `frames` over the cable that `dev` is an end of: how many. They are taken out. None where `dev` is something
/// else, and none that somebody looks at, that doesn't fit or that circles: such a frame is to be sent alone.
#[inline(always)]
pub(crate) fn transmit_run(kernel: &mut Kernel, dev: DevId, frames: &mut [Frame]) -> usize {
    let Kernel { devices, backlog, sockets, ready, frames: pool, drops, now, .. } = kernel;
    let Some(peer) = sender(devices, dev).and_then(Device::peer) else { return 0 };
    let Some(receiver) = receiver(devices, peer) else { return 0 };
    let longest = longest_for(receiver);
    let fits = |frame: &Frame| frame.len() <= longest && frame.hops() < CIRCLING;
    let Taken { mut packets, mut bytes } = match receiver.sole_taker().filter(|_| backlog.may_be_passed()) {
        Some(socket) => Takers { sockets, ready, pool, drops, now: *now }.take(receiver, socket, frames, fits),
        None => Taken::default(),
    };
    if packets == 0 {
        let mut free = backlog.free(frames.len());
        for frame in frames {
            if !fits(frame) {
                break;
            }
            let Some(place) = free.next() else { break };
            packets += 1;
            bytes += frame.len();
            frame.hop_to(place);
        }
        free.took(peer, receiver.port.is_some(), packets);
    }
    receiver.traffic.received(packets, bytes);
    count_sent(devices, dev, packets, bytes);
    packets
}

/// Sends frames over cables, each over the one that its run's device is an end of, where they end in one socket: how many. They are
/// taken out. It stops where [`transmit_run`] would, and at a run of more than one.
#[inline(always)]
pub(crate) fn transmit_each(kernel: &mut Kernel, runs: &[Run], frames: &mut [Frame]) -> usize {
    let Kernel { devices, backlog, sockets, ready, frames: pool, drops, now, .. } = kernel;
    let Some((first, frame)) = runs.first().zip(frames.first()) else { return 0 };
    let receiver = receiver_of(devices, first.dev, frame.len());
    match receiver.and_then(|(_, receiver)| receiver.sole_taker()).filter(|_| backlog.may_be_passed()) {
        Some(socket) => Takers { sockets, ready, pool, drops, now: *now }.take_each(devices, runs, socket, frames),
        None => 0,
    }
}

/// Sends shares of a frame over the cables that the first of `ends` are ends of: over how many. It stops where
/// [`transmit_run`] would.
#[inline(always)]
pub(crate) fn transmit_shares(kernel: &mut Kernel, ends: &[DevId], frame: &Frame) -> usize {
    if frame.hops() >= CIRCLING {
        return 0;
    }
    let Kernel { devices, backlog, sockets, ready, frames: pool, drops, now, .. } = kernel;
    let mut takers = Takers { sockets, ready, pool, drops, now: *now };
    let (length, mut sent) = (frame.len(), 0);
    while let Some(end) = ends.get(sent)
        && let Some((peer, receiver)) = receiver_of(devices, *end, length)
    {
        if let Some(socket) = receiver.sole_taker().filter(|_| backlog.may_be_passed()) {
            let taken = takers.take_shares(devices, &ends[sent..], socket, frame);
            sent += taken;
            if taken > 0 {
                continue;
            }
        }
        let Some(receiver) = devices.get_mut(peer) else { break };
        let mut free = backlog.free(1);
        let Some(place) = free.next() else { break };
        frame.share_to(place);
        free.took(peer, receiver.port.is_some(), 1);
        receiver.traffic.received(1, length);
        count_sent(devices, *end, 1, length);
        sent += 1;
    }
    sent
}

/// A frame that the other end can't take: it is down or there is none, which is no error of the sender's, or its MTU is too small.
#[cold]
fn refuse(kernel: &mut Kernel, dev: DevId, frame: Frame) -> Result<(), DropReason> {
    let peer = kernel.devices.get_mut(dev).and_then(|sender| {
        sender.info.incidents.tx_dropped += 1;
        sender.peer()
    });
    match peer.and_then(|peer| kernel.devices.get_mut(peer)).filter(|receiver| receiver.is_up()) {
        Some(receiver) => {
            receiver.info.incidents.rx_dropped += 1;
            kernel.drop_frame(frame, DropReason::PacketTooBig);
            Err(DropReason::PacketTooBig)
        }
        None => {
            kernel.drop_frame(frame, DropReason::PeerDown);
            Ok(())
        }
    }
}
