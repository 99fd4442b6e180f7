//! A frame comes in by a port: may it, who sent it, and where does it go?

use slotmap::SlotMap;

use super::fdb::{EntryFlags, Key, Learned};
use super::forward::{self, Kind};
use super::{Bridge, PortFlags, PortState, learning, link_local, local, seconds, ticks};
use crate::Kernel;
use crate::backlog::Run;
use crate::drivers::DevKind;
use crate::drop_reason::DropReason;
use crate::frame::{ETH_HLEN, Frame};
use crate::netdev::{DevFlags, Device, PortRef};
use crate::path::Stations;
use crate::types::{DevId, Instant};

/// Destination and source address as numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

/// What holds for all frames that come in by a port.
#[derive(Clone, Copy)]
struct Ingress {
    number: u16,
    flags: PortFlags,
    state: PortState,
    view: View,
}

/// What looking at a frame gave.
#[derive(Clone, Copy)]
struct Judged {
    learned: Learned,
    verdict: Verdict,
}

impl Judged {
    #[inline(always)]
    fn dropped(reason: DropReason) -> Judged {
        Judged { learned: Learned::Known, verdict: Verdict::Drop(reason) }
    }

    /// The port by which the frame leaves, where nothing else follows from it.
    #[inline(always)]
    fn only_leaves_by(&self) -> Option<DevId> {
        match (self.learned, self.verdict) {
            (Learned::Known, Verdict::One(egress)) => Some(egress),
            _ => None,
        }
    }
}

/// Frames in a row that came in by a port.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arrival {
    pub(crate) dev: DevId,
    /// The port's number.
    pub(crate) number: u16,
    pub(crate) frames: usize,
}

/// Frames received by ports of a bridge, in the order of `arrivals`, which are counted down. Both are taken out. `typed`: it is known
/// already to whom they are.
///
/// Those that do nothing but leave by a port are sent together: sending only queues.
#[inline(never)]
pub(crate) fn input(
    kernel: &mut Kernel,
    bridge: DevId,
    mut arrivals: &mut [Arrival],
    typed: bool,
    mut frames: &mut [Frame],
) {
    if let ([arrival], [frame]) = (&*arrivals, &mut *frames) {
        return input_alone(kernel, bridge, *arrival, typed, frame);
    }
    super::fetch::fetch(kernel, bridge, frames);
    let mut leaving = std::mem::take(&mut kernel.leaving);
    while !frames.is_empty() {
        let stop = look(kernel, bridge, arrivals, frames, &mut leaving);
        arrivals = arrivals.split_at_mut(stop.arrivals).1;
        let (burst, rest) = frames.split_at_mut(stop.frames);
        kernel.transmit_runs(&leaving, burst);
        leaving.clear();
        frames = rest;
        let Some(judged) = stop.at else { continue };
        let (Some((first, others)), Some(arrival)) =
            (std::mem::take(&mut frames).split_first_mut(), arrivals.first_mut())
        else {
            break;
        };
        frames = others;
        arrival.frames -= 1;
        let frame = std::mem::take(first);
        finish(kernel, bridge, *arrival, typed, frame, judged);
    }
    kernel.leaving = leaving;
}

/// A frame that comes alone.
#[inline(never)]
pub(crate) fn input_alone(kernel: &mut Kernel, bridge: DevId, arrival: Arrival, typed: bool, frame: &mut Frame) {
    let judged = match view(&mut kernel.devices, bridge, kernel.now) {
        Some((bridge, view)) => bridge.look_at(bridge.ingress(arrival.number, view).as_ref(), frame),
        None => Judged::dropped(DropReason::BridgePortDisabled),
    };
    match judged.only_leaves_by() {
        Some(egress) => kernel.transmit_all(egress, std::slice::from_mut(frame)),
        None => finish(kernel, bridge, arrival, typed, std::mem::take(frame), judged),
    }
}

/// Notes to whom a frame is that does more than leave by a port, and does with it what was decided.
#[inline(never)]
fn finish(kernel: &mut Kernel, bridge: DevId, arrival: Arrival, typed: bool, mut frame: Frame, judged: Judged) {
    let header = frame.header().copied().unwrap_or_default();
    if !typed && let Some(device) = kernel.devices.get(arrival.dev) {
        frame.set_packet_type(Stations::of(device).packet_type(&header));
    }
    let member = PortRef { bridge, number: arrival.number };
    carry_out(kernel, arrival.dev, member, frame, &Addresses::of(&header), judged);
}

/// How far [`look`] got.
struct Stop {
    /// How many arrivals are done with; the next is counted down.
    arrivals: usize,
    /// How many frames leave.
    frames: usize,
    /// What becomes of the next frame.
    at: Option<Judged>,
}

/// Looks at frames until one does more than leave by a port, and puts down by which ports the others do.
#[inline(always)]
fn look(
    kernel: &mut Kernel,
    bridge: DevId,
    arrivals: &mut [Arrival],
    frames: &[Frame],
    leaving: &mut Vec<Run>,
) -> Stop {
    let mut stop = Stop { arrivals: 0, frames: 0, at: None };
    let Some((bridge, view)) = view(&mut kernel.devices, bridge, kernel.now) else {
        stop.arrivals = arrivals.iter().take_while(|arrival| arrival.frames == 0).count();
        stop.at = Some(Judged::dropped(DropReason::BridgePortDisabled));
        return stop;
    };
    for arrival in arrivals {
        let ingress = bridge.ingress(arrival.number, view);
        while arrival.frames > 0
            && let Some((first, behind)) = frames.get(stop.frames..).and_then(<[Frame]>::split_first)
        {
            let judged = bridge.look_at(ingress.as_ref(), first);
            let (Some(dev), Some(header)) = (judged.only_leaves_by(), first.header()) else {
                stop.at = Some(judged);
                return stop;
            };
            // Those behind it that are from and to the same stations go the same way: nothing that a bridge knows changes between two
            // frames in a row. Longer ones may not fit.
            let (stations, length) = (Addresses::of(header), first.len());
            let alike = |frame: &&Frame| {
                frame.len() <= length && frame.header().is_some_and(|header| Addresses::of(header) == stations)
            };
            let count = 1 + behind.iter().take(arrival.frames - 1).take_while(alike).count();
            match leaving.last_mut() {
                Some(run) if run.dev == dev => run.frames += count,
                _ => leaving.push(Run { dev, frames: count }),
            }
            arrival.frames -= count;
            stop.frames += count;
        }
        stop.arrivals += 1;
    }
    stop
}

/// What holds for all frames, whichever port they come in by.
#[derive(Clone, Copy)]
struct View {
    now: u32,
    /// Whether the bridge's own device sees every frame.
    promiscuous: bool,
}

/// A bridge and what holds for all of its frames.
#[inline(always)]
fn view(devices: &mut SlotMap<DevId, Device>, bridge: DevId, now: Instant) -> Option<(&mut Bridge, View)> {
    let device = devices.get_mut(bridge)?;
    let promiscuous = device.flags.contains(DevFlags::PROMISC);
    let DevKind::Bridge(bridge) = &mut device.kind else { return None };
    Some((bridge, View { now: ticks(now), promiscuous }))
}

/// A frame to a link-local group that is forwarded like any other.
pub(super) fn forward_link_local(
    kernel: &mut Kernel,
    dev: DevId,
    member: PortRef,
    frame: Frame,
    addresses: &Addresses,
) {
    let ingress = view(&mut kernel.devices, member.bridge, kernel.now)
        .and_then(|(bridge, view)| bridge.ingress(member.number, view).map(|ingress| (bridge, ingress)));
    let Some((bridge, ingress)) = ingress else {
        return kernel.drop_frame(frame, DropReason::BridgePortDisabled);
    };
    let judged = bridge.decide(&ingress, addresses, frame.len());
    carry_out(kernel, dev, member, frame, addresses, judged);
}

/// Does with a frame what was decided.
#[inline(never)]
fn carry_out(
    kernel: &mut Kernel,
    dev: DevId,
    member: PortRef,
    frame: Frame,
    addresses: &Addresses,
    Judged { learned, verdict }: Judged,
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
    /// What holds for all frames that come in by a port.
    #[inline(always)]
    fn ingress(&self, number: u16, view: View) -> Option<Ingress> {
        let port = self.port(number)?;
        Some(Ingress { number, flags: port.flags, state: port.state, view })
    }

    /// Looks at a frame that came in by a port, if that is still there: whether it may, and what becomes of it.
    #[inline(always)]
    fn look_at(&mut self, ingress: Option<&Ingress>, frame: &Frame) -> Judged {
        let Some(ingress) = ingress else { return Judged::dropped(DropReason::BridgePortDisabled) };
        let Some(header) = frame.header() else { return Judged::dropped(DropReason::PacketTooSmall) };
        let addresses = Addresses::of(header);
        if is_group(addresses.source) || addresses.source == 0 {
            return Judged::dropped(DropReason::BridgeInvalidSource);
        }
        if addresses.destination & !0xf == link_local::RANGE {
            return Judged { learned: Learned::Known, verdict: Verdict::LinkLocal };
        }
        self.decide(ingress, &addresses, frame.len())
    }

    /// Learns the source and finds the destination.
    #[inline(always)]
    fn decide(&mut self, ingress: &Ingress, addresses: &Addresses, length: usize) -> Judged {
        let Ingress { number, flags, state, view: View { now, promiscuous } } = *ingress;
        let source = Key::from_bits(addresses.source, 0);
        if !state.receives() {
            return Judged::dropped(DropReason::BridgePortDisabled);
        }
        if flags.contains(PortFlags::LOCKED) && !self.may_send(number, source) {
            return Judged::dropped(DropReason::BridgeLocked);
        }
        let learned = if flags.contains(PortFlags::LEARNING) {
            self.fdb.learn(source, number, now, self.room)
        } else {
            Learned::Known
        };
        if state == PortState::Learning {
            return Judged { learned, verdict: Verdict::Drop(DropReason::BridgePortDisabled) };
        }
        let kind = kind(addresses.destination);
        if kind != Kind::Unicast {
            return Judged { learned, verdict: Verdict::Flood { kind, up: true } };
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
        Judged { learned, verdict }
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
