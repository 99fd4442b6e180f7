//! A frame comes in by a port: may it, who sent it, and where does it go?

use slotmap::SlotMap;

use super::fdb::{EntryFlags, Key, Learned};
use super::forward::{self, Kind};
use super::{Bridge, PortFlags, PortState, learning, link_local, local, seconds, ticks};
use crate::Kernel;
use crate::drivers::DevKind;
use crate::drop_reason::DropReason;
use crate::frame::{ETH_HLEN, Frame};
use crate::netdev::{DevFlags, Device, PortRef};
use crate::path::Stations;
use crate::types::{DevId, Instant};

/// Destination and source address as numbers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Addresses {
    pub(super) destination: u64,
    pub(super) source: u64,
}

impl Addresses {
    #[inline(always)]
    pub(super) fn of(header: &[u8; ETH_HLEN]) -> Addresses {
        // Eight bytes in one load each; what is too much is cut off.
        let number = |bytes: Option<&[u8; 8]>| bytes.map_or(0, |bytes| u64::from_be_bytes(*bytes));
        let (destination, source) = (number(header.first_chunk()), number(header[4..].first_chunk()));
        Addresses { destination: destination >> 16, source: source << 16 >> 16 }
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
    /// It is to one of the addresses that bridges keep to themselves.
    LinkLocal,
}

/// What holds for all frames of a burst.
#[derive(Clone, Copy)]
struct Ingress {
    number: u16,
    flags: PortFlags,
    state: PortState,
    now: u32,
    /// Whether the bridge's own device sees every frame.
    promiscuous: bool,
}

/// A frame that was looked at.
#[derive(Clone, Copy)]
struct Judged {
    /// Zeros where it is too short for one.
    header: [u8; ETH_HLEN],
    length: usize,
    learned: Learned,
    verdict: Verdict,
}

impl Judged {
    /// The port by which it leaves, where nothing else follows from it.
    #[inline(always)]
    fn only_leaves_by(&self) -> Option<DevId> {
        match (self.learned, self.verdict) {
            (Learned::Known, Verdict::One(egress)) => Some(egress),
            _ => None,
        }
    }

    /// Whether another one goes the same way: from and to the same stations, and no longer, as long frames may not fit. Nothing that a
    /// bridge knows changes between two frames in a row.
    #[inline(always)]
    fn holds_for(&self, frame: &Frame) -> bool {
        frame.len() <= self.length && frame.header().is_some_and(|header| header[..12] == self.header[..12])
    }
}

/// Frames received by a port. They are taken out. `typed`: it is known already to whom they are.
///
/// Those in a row that leave by one port are sent together: sending only queues.
#[inline(never)]
pub(crate) fn input(kernel: &mut Kernel, dev: DevId, member: PortRef, typed: bool, mut burst: &mut [Frame]) {
    let mut next = None;
    while let Some(first) = burst.first() {
        let Some((bridge, ingress)) = ingress(&mut kernel.devices, member, kernel.now) else {
            for frame in burst {
                kernel.drop_frame(std::mem::take(frame), DropReason::BridgePortDisabled);
            }
            return;
        };
        let judged = next.take().unwrap_or_else(|| bridge.look_at(&ingress, first));
        if let Some(egress) = judged.only_leaves_by() {
            let (mut count, mut before) = (1, judged);
            while let Some(frame) = burst.get(count) {
                if !before.holds_for(frame) {
                    before = bridge.look_at(&ingress, frame);
                    if before.only_leaves_by() != Some(egress) {
                        next = Some(before);
                        break;
                    }
                }
                count += 1;
            }
            let (leaving, rest) = burst.split_at_mut(count);
            kernel.transmit_all(egress, leaving);
            burst = rest;
            continue;
        }
        let Some((frame, rest)) = burst.split_first_mut() else { return };
        let mut frame = std::mem::take(frame);
        if !typed && let Some(device) = kernel.devices.get(dev) {
            frame.set_packet_type(Stations::of(device).packet_type(&judged.header));
        }
        carry_out(kernel, dev, member, frame, &Addresses::of(&judged.header), judged.learned, judged.verdict);
        burst = rest;
    }
}

/// The bridge of a port, and what its frames have in common.
#[inline(always)]
fn ingress(devices: &mut SlotMap<DevId, Device>, member: PortRef, now: Instant) -> Option<(&mut Bridge, Ingress)> {
    let device = devices.get_mut(member.bridge)?;
    let promiscuous = device.flags.contains(DevFlags::PROMISC);
    let DevKind::Bridge(bridge) = &mut device.kind else { return None };
    let port = bridge.port(member.number)?;
    let ingress = Ingress { number: member.number, flags: port.flags, state: port.state, now: ticks(now), promiscuous };
    Some((bridge, ingress))
}

/// A frame to a link-local group that is forwarded like any other.
pub(super) fn forward_link_local(
    kernel: &mut Kernel,
    dev: DevId,
    member: PortRef,
    frame: Frame,
    addresses: &Addresses,
) {
    let Some((bridge, ingress)) = ingress(&mut kernel.devices, member, kernel.now) else {
        return kernel.drop_frame(frame, DropReason::BridgePortDisabled);
    };
    let (learned, verdict) = bridge.decide(&ingress, addresses, frame.len());
    carry_out(kernel, dev, member, frame, addresses, learned, verdict);
}

/// Does with a frame what was decided.
#[inline(never)]
fn carry_out(
    kernel: &mut Kernel,
    dev: DevId,
    member: PortRef,
    frame: Frame,
    addresses: &Addresses,
    learned: Learned,
    verdict: Verdict,
) {
    if learned != Learned::Known {
        learning::report(kernel, member, Key::from_bits(addresses.source, 0), learned);
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
        Verdict::LinkLocal => link_local::input(kernel, dev, member, frame, addresses),
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
    /// Looks at a frame.
    #[inline(always)]
    fn look_at(&mut self, ingress: &Ingress, frame: &Frame) -> Judged {
        let length = frame.len();
        let Some(header) = frame.header() else {
            let (learned, verdict) = (Learned::Known, Verdict::Drop(DropReason::PacketTooSmall));
            return Judged { header: [0; ETH_HLEN], length, learned, verdict };
        };
        let (learned, verdict) = self.judge(ingress, &Addresses::of(header), length);
        Judged { header: *header, length, learned, verdict }
    }

    /// Whether a frame may come in, and what becomes of it.
    #[inline(always)]
    fn judge(&mut self, ingress: &Ingress, addresses: &Addresses, length: usize) -> (Learned, Verdict) {
        if is_group(addresses.source) || addresses.source == 0 {
            return (Learned::Known, Verdict::Drop(DropReason::BridgeInvalidSource));
        }
        if addresses.destination & !0xf == link_local::RANGE {
            return (Learned::Known, Verdict::LinkLocal);
        }
        self.decide(ingress, addresses, length)
    }

    /// Learns the source and finds the destination.
    #[inline(always)]
    fn decide(&mut self, ingress: &Ingress, addresses: &Addresses, length: usize) -> (Learned, Verdict) {
        let Ingress { number, flags, state, now, promiscuous } = *ingress;
        let source = Key::from_bits(addresses.source, 0);
        if !state.receives() {
            return (Learned::Known, Verdict::Drop(DropReason::BridgePortDisabled));
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
