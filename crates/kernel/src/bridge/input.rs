//! A frame comes in by a port: may it, who sent it, and where does it go?

use super::fdb::{EntryFlags, Key, Learned};
use super::forward::{self, Kind};
use super::{Bridge, PortFlags, PortState, learning, link_local, local, seconds, ticks};
use crate::Kernel;
use crate::drivers::DevKind;
use crate::drop_reason::DropReason;
use crate::frame::Frame;
use crate::netdev::{DevFlags, PortRef};
use crate::types::DevId;

/// Destination and source address as numbers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Addresses {
    pub(super) destination: u64,
    pub(super) source: u64,
}

impl Addresses {
    #[inline]
    fn of(frame: &Frame) -> Option<Addresses> {
        let [a, b, c, d, e, f, g, h, i, j, k, l, ..] = *frame.header()?;
        let destination = u64::from_be_bytes([0, 0, a, b, c, d, e, f]);
        Some(Addresses { destination, source: u64::from_be_bytes([0, 0, g, h, i, j, k, l]) })
    }
}

/// Whether the group bit is set.
#[inline]
pub(super) fn is_group(address: u64) -> bool {
    address >> 40 & 1 != 0
}

/// The destination's kind.
#[inline]
pub(super) fn kind(destination: u64) -> Kind {
    match destination {
        0xffff_ffff_ffff => Kind::Broadcast,
        group if is_group(group) => Kind::Multicast,
        _ => Kind::Unicast,
    }
}

/// What becomes of a frame.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    /// It dies.
    Drop(DropReason),
    /// It is for the host alone.
    Up,
    /// It leaves by one port.
    One(DevId),
    /// It leaves by one port, and the host sees it as well.
    OneAndUp(DevId),
    /// It leaves by every port that takes such frames; `up`: the host sees it as well.
    Flood { kind: Kind, up: bool },
}

/// A frame received by a port.
#[inline(always)]
pub(crate) fn input(kernel: &mut Kernel, dev: DevId, member: PortRef, frame: Frame) {
    let Some(addresses) = Addresses::of(&frame) else {
        return kernel.drop_frame(frame, DropReason::PacketTooSmall);
    };
    if is_group(addresses.source) || addresses.source == 0 {
        return kernel.drop_frame(frame, DropReason::BridgeInvalidSource);
    }
    if addresses.destination & !0xf == link_local::RANGE {
        return link_local::input(kernel, dev, member, frame, addresses);
    }
    take(kernel, member, frame, addresses);
}

/// An ordinary frame.
#[inline(always)]
pub(super) fn take(kernel: &mut Kernel, member: PortRef, frame: Frame, addresses: Addresses) {
    let now = ticks(kernel.now);
    let Some(device) = kernel.devices.get_mut(member.bridge) else {
        return kernel.drop_frame(frame, DropReason::BridgePortDisabled);
    };
    let promiscuous = device.flags.contains(DevFlags::PROMISC);
    let DevKind::Bridge(bridge) = &mut device.kind else {
        return kernel.drop_frame(frame, DropReason::BridgePortDisabled);
    };
    let source = Key::from_bits(addresses.source, 0);
    let (learned, verdict) = bridge.decide(member.number, source, &addresses, now, promiscuous, frame.len());
    if learned != Learned::Known {
        learning::report(kernel, member, source, learned);
    }
    match verdict {
        Verdict::One(egress) => {
            let _ = kernel.transmit(egress, frame);
        }
        Verdict::OneAndUp(egress) => {
            let _ = kernel.transmit(egress, frame.share());
            local::pass_up(kernel, member.bridge, frame);
        }
        Verdict::Up => local::pass_up(kernel, member.bridge, frame),
        Verdict::Drop(reason) => kernel.drop_frame(frame, reason),
        Verdict::Flood { kind, up } => {
            let last = forward::flood(kernel, member.bridge, Some(member.number), kind, frame, up);
            if let Some(frame) = last {
                if kind == Kind::Multicast {
                    local::count_multicast(kernel, member.bridge);
                }
                local::pass_up(kernel, member.bridge, frame);
            }
        }
    }
}

impl Bridge {
    /// Learns the source and finds the destination.
    #[inline(always)]
    fn decide(
        &mut self,
        number: u16,
        source: Key,
        addresses: &Addresses,
        now: u32,
        promiscuous: bool,
        length: usize,
    ) -> (Learned, Verdict) {
        let disabled = (Learned::Known, Verdict::Drop(DropReason::BridgePortDisabled));
        let Some(Some(port)) = self.ports.get(usize::from(number)) else { return disabled };
        let (flags, state) = (port.flags, port.state);
        if !state.receives() {
            return disabled;
        }
        if flags.contains(PortFlags::LOCKED) && !self.may_send(number, source) {
            return (Learned::Known, Verdict::Drop(DropReason::BridgeLocked));
        }
        let learned = if flags.contains(PortFlags::LEARNING) {
            self.fdb.learn(source, number, now, self.room)
        } else {
            Learned::Known
        };
        if state == PortState::Learning {
            return (learned, Verdict::Drop(DropReason::BridgePortDisabled));
        }
        let kind = kind(addresses.destination);
        if kind != Kind::Unicast {
            return (learned, Verdict::Flood { kind, up: true });
        }
        let destination = Key::from_bits(addresses.destination, 0);
        let verdict = match self.fdb.destination(destination, seconds(now)) {
            Some((_, true)) => Verdict::Up,
            Some((to, false)) => match self.egress(Some((number, flags)), to, length) {
                Ok(egress) if promiscuous => Verdict::OneAndUp(egress),
                Ok(egress) => Verdict::One(egress),
                Err(_) if promiscuous => Verdict::Up,
                Err(reason) => Verdict::Drop(reason),
            },
            None => Verdict::Flood { kind, up: promiscuous },
        };
        (learned, verdict)
    }

    /// Whether a locked port's source is known there.
    #[cold]
    fn may_send(&self, number: u16, source: Key) -> bool {
        let entry = self.fdb.get(source);
        entry.is_some_and(|entry| entry.port == number && !entry.flags.contains(EntryFlags::LOCAL))
    }

    /// Learns the source of a frame that isn't forwarded.
    pub(super) fn learn_only(&mut self, number: u16, source: Key, now: u32) -> Learned {
        match self.port(number) {
            Some(port)
                if port.flags.contains(PortFlags::LEARNING)
                    && port.state.receives()
                    && !self.no_link_local_learning =>
            {
                self.fdb.learn(source, number, now, self.room)
            }
            _ => Learned::Known,
        }
    }
}
