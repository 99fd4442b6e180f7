//! Forwarding: to the one port behind which an address is, or to all of them (IEEE 802.1D, 7.7).

use super::input::{is_group, kind};
use super::{Bridge, Key, Port, PortFlags, PortState, seconds, ticks};
use crate::Kernel;
use crate::drivers::veth;
use crate::drop_reason::DropReason;
use crate::frame::Frame;
use crate::types::DevId;

/// What a destination address is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Unicast,
    Multicast,
    Broadcast,
}

impl Port {
    /// See [`Bridge::egress`].
    #[inline(always)]
    fn egress(&self, from: Option<(u16, PortFlags)>, to: u16, length: usize) -> Result<DevId, DropReason> {
        if self.state != PortState::Forwarding {
            return Err(DropReason::BridgeNoEgress);
        }
        if let Some((number, flags)) = from {
            let back = number == to && !self.flags.contains(PortFlags::HAIRPIN);
            if back || (flags & self.flags).contains(PortFlags::ISOLATED) {
                return Err(DropReason::BridgeNoEgress);
            }
        }
        if length > self.longest as usize {
            return Err(DropReason::PacketTooBig);
        }
        Ok(self.dev)
    }
}

impl Bridge {
    /// The device through which a frame leaves by port `to`, if it may. `from` is the port that it came in by, with that port's flags;
    /// none where the host sends it.
    #[inline(always)]
    pub(super) fn egress(&self, from: Option<(u16, PortFlags)>, to: u16, length: usize) -> Result<DevId, DropReason> {
        self.port(to).ok_or(DropReason::BridgeNoEgress)?.egress(from, to, length)
    }

    /// The devices through which a flooded frame leaves.
    #[inline(never)]
    fn flooded(&self, from: Option<u16>, kind: Kind, length: usize, into: &mut Vec<DevId>) {
        let ingress = from.and_then(|number| Some((number, self.port(number)?.flags)));
        // What the host itself sends to groups leaves by every port.
        let needed = match kind {
            Kind::Unicast => PortFlags::FLOOD,
            Kind::Multicast if from.is_some() => PortFlags::MCAST_FLOOD,
            Kind::Broadcast if from.is_some() => PortFlags::BCAST_FLOOD,
            _ => PortFlags::empty(),
        };
        for number in &self.forwarding {
            if let Some(port) = self.port(*number)
                && port.flags.contains(needed)
                && let Ok(egress) = port.egress(ingress, *number, length)
            {
                into.push(egress);
            }
        }
    }
}

/// Sends a frame through every forwarding port that takes such frames, but not back. With `keep` it is given back afterwards; else the
/// last receiver gets the frame itself and not a share of it.
#[inline(never)]
pub(super) fn flood(
    kernel: &mut Kernel,
    bridge: DevId,
    from: Option<u16>,
    kind: Kind,
    frame: Frame,
    keep: bool,
) -> Option<Frame> {
    // Sending only queues, so that nobody else floods meanwhile.
    let mut egresses = std::mem::take(&mut kernel.egresses);
    if let Some(it) = kernel.bridge(bridge) {
        it.flooded(from, kind, frame.len(), &mut egresses);
    }
    let last = if keep { None } else { egresses.pop() };
    let mut rest = &egresses[..];
    loop {
        let sent = veth::transmit_shares(kernel, rest, &frame);
        let Some((egress, others)) = rest.get(sent..).and_then(<[DevId]>::split_first) else { break };
        let _ = kernel.transmit(*egress, frame.share());
        rest = others;
    }
    egresses.clear();
    kernel.egresses = egresses;
    match last {
        _ if keep => return Some(frame),
        Some(egress) => {
            let _ = kernel.transmit(egress, frame);
        }
        None => kernel.drop_frame(frame, DropReason::BridgeNoEgress),
    }
    None
}

/// A frame that the host sends through the bridge device.
pub(crate) fn transmit(kernel: &mut Kernel, bridge: DevId, frame: Frame) -> Result<(), DropReason> {
    let length = frame.len();
    let now = seconds(ticks(kernel.now));
    let Some(&[a, b, c, d, e, f]) = frame.bytes().first_chunk() else {
        kernel.drop_frame(frame, DropReason::PacketTooSmall);
        return Err(DropReason::PacketTooSmall);
    };
    let destination = u64::from_be_bytes([0, 0, a, b, c, d, e, f]);
    let Some(device) = kernel.devices.get_mut(bridge) else {
        kernel.drop_frame(frame, DropReason::DevReady);
        return Err(DropReason::DevReady);
    };
    device.traffic.sent(1, length);
    let known = match kernel.bridge_mut(bridge) {
        Some(it) if !is_group(destination) => {
            let to = it.fdb.destination(it.fdb.seek(Key::from_bits(destination, 0)), now);
            to.map(|(to, _)| it.egress(None, to, length))
        }
        _ => None,
    };
    // What the bridge then does with it is no error of the sender's.
    match known {
        Some(Ok(egress)) => {
            let _ = kernel.transmit(egress, frame);
        }
        Some(Err(reason)) => kernel.drop_frame(frame, reason),
        None => {
            flood(kernel, bridge, None, kind(destination), frame, false);
        }
    }
    Ok(())
}
