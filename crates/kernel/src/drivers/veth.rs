//! veth: two devices joined by a cable. What one sends the other receives, in the same order and without loss.

use super::{DevKind, Profile};
use crate::Kernel;
use crate::drop_reason::DropReason;
use crate::error::{Errno, Result};
use crate::frame::{ETH_HLEN, Frame};
use crate::netdev::{DevFlags, Device, NewDevice};
use crate::types::{DevId, NsId};

/// One end.
#[derive(Debug)]
pub(crate) struct Veth {
    /// The other end; `None` only while a pair is being made or taken away.
    pub(crate) peer: Option<DevId>,
    /// How many receive and transmit queues are in use (`ethtool -l`).
    pub(crate) rx_channels: u32,
    pub(crate) tx_channels: u32,
}

impl Default for Veth {
    fn default() -> Veth {
        Veth { peer: None, rx_channels: 1, tx_channels: 1 }
    }
}

/// Room for one 802.1Q tag beyond the MTU.
const VLAN_HLEN: usize = 4;

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

#[inline(always)]
pub(super) fn transmit(kernel: &mut Kernel, dev: DevId, frame: Frame) -> Result<(), DropReason> {
    let length = frame.len();
    let Some(sender) = kernel.devices.get_mut(dev) else { return refuse(kernel, dev, frame, DropReason::DevReady) };
    // Counted as sent at once; who refuses it corrects that.
    sender.stats.tx_packets += 1;
    sender.stats.tx_bytes += length as u64;
    let peer = sender.peer().unwrap_or_default();
    match kernel.devices.get_mut(peer) {
        Some(receiver) if receiver.is_up() => {
            if length > receiver.mtu as usize + ETH_HLEN + VLAN_HLEN {
                receiver.stats.rx_dropped += 1;
                return refuse(kernel, dev, frame, DropReason::PacketTooBig);
            }
            receiver.stats.rx_packets += 1;
            receiver.stats.rx_bytes += length as u64;
            kernel.enqueue(peer, frame)
        }
        _ => refuse(kernel, dev, frame, DropReason::PeerDown),
    }
}

#[cold]
fn refuse(kernel: &mut Kernel, dev: DevId, frame: Frame, reason: DropReason) -> Result<(), DropReason> {
    if let Some(sender) = kernel.devices.get_mut(dev) {
        sender.stats.tx_packets -= 1;
        sender.stats.tx_bytes -= frame.len() as u64;
        sender.stats.tx_dropped += 1;
    }
    kernel.drop_frame(frame, reason);
    Err(reason)
}
