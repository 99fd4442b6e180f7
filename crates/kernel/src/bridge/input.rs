//! A frame comes in by a port: may it, who sent it, and where does it go?

use slotmap::SlotMap;

use super::arrival::{self, Addresses, Arrival};
use super::fdb::{EntryFlags, Key, Learned, Sought};
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

/// How many arrivals are looked at ahead: what more need doesn't stay at hand until their turn comes.
const AHEAD: usize = 128;

/// Frames received by ports of a bridge, in the order of `arrivals`. They are taken out.
///
/// Those that do nothing but leave by a port are sent together: sending only queues.
#[inline(never)]
pub(crate) fn input(kernel: &mut Kernel, bridge: DevId, arrivals: &mut [Arrival], mut frames: &mut [Frame]) {
    let mut leaving = std::mem::take(&mut kernel.leaving);
    for mut arrivals in arrivals.chunks_mut(AHEAD) {
        // For how large a database it is known where it looks.
        let mut sought = 0;
        while !arrivals.is_empty() {
            let stop = look(kernel, bridge, arrivals, &mut sought, &mut leaving);
            let (burst, others) = frames.split_at_mut(stop.frames);
            kernel.transmit_runs(&leaving, burst);
            leaving.clear();
            (arrivals, frames) = (arrivals.split_at_mut(stop.arrivals).1, others);
            let Some((judged, (arrival, rest))) = stop.at.zip(std::mem::take(&mut arrivals).split_first_mut()) else {
                break;
            };
            let (burst, others) = std::mem::take(&mut frames).split_at_mut(arrival.frames);
            (arrivals, frames) = (rest, others);
            let Some((first, behind)) = burst.split_first_mut() else { continue };
            finish(kernel, bridge, arrival, false, std::mem::take(first), judged);
            for frame in behind {
                input_alone(kernel, arrival.dev, PortRef { bridge, number: arrival.number }, false, frame);
            }
        }
    }
    kernel.leaving = leaving;
}

/// A frame that comes in alone by a device that is a port. `typed`: it is known already to whom it is.
#[inline(never)]
pub(crate) fn input_alone(kernel: &mut Kernel, dev: DevId, member: PortRef, typed: bool, frame: &mut Frame) {
    let PortRef { bridge, number } = member;
    let mut arrival = Arrival::of(dev, number, frame);
    let judged = match view(&mut kernel.devices, bridge, kernel.now) {
        Some((bridge, view)) => {
            arrival.seek(&bridge.fdb);
            bridge.judge(&arrival, view)
        }
        None => Judged::dropped(DropReason::BridgePortDisabled),
    };
    match judged.only_leaves_by() {
        Some(egress) => kernel.transmit_all(egress, std::slice::from_mut(frame)),
        None => finish(kernel, bridge, &arrival, typed, std::mem::take(frame), judged),
    }
}

/// Notes to whom a frame is that does more than leave by a port, and does with it what was decided.
#[inline(never)]
fn finish(kernel: &mut Kernel, bridge: DevId, arrival: &Arrival, typed: bool, mut frame: Frame, judged: Judged) {
    if !typed && let Some(device) = kernel.devices.get(arrival.dev) {
        let header = frame.header().copied().unwrap_or_default();
        frame.set_packet_type(Stations::of(device).packet_type(&header));
    }
    carry_out(kernel, PortRef { bridge, number: arrival.number }, frame, arrival, judged);
}

/// How far [`look`] got.
struct Stop {
    /// How many arrivals are done with.
    arrivals: usize,
    /// How many frames leave.
    frames: usize,
    /// What becomes of the first frame of the next arrival.
    at: Option<Judged>,
}

/// Looks at arrivals until one does more than leave by a port, and puts down by which ports the others do.
#[inline(never)]
fn look(
    kernel: &mut Kernel,
    bridge: DevId,
    arrivals: &mut [Arrival],
    sought: &mut usize,
    leaving: &mut Vec<Run>,
) -> Stop {
    let mut stop = Stop { arrivals: 0, frames: 0, at: None };
    let Some((bridge, view)) = view(&mut kernel.devices, bridge, kernel.now) else {
        stop.at = Some(Judged::dropped(DropReason::BridgePortDisabled));
        return stop;
    };
    if std::mem::replace(sought, bridge.fdb.size()) != bridge.fdb.size() {
        arrival::seek(&bridge.fdb, arrivals);
    }
    for arrival in arrivals {
        let judged = bridge.judge(arrival, view);
        let Some(dev) = judged.only_leaves_by() else {
            stop.at = Some(judged);
            break;
        };
        match leaving.last_mut() {
            Some(run) if run.dev == dev => run.frames += arrival.frames,
            _ => leaving.push(Run { dev, frames: arrival.frames }),
        }
        stop.arrivals += 1;
        stop.frames += arrival.frames;
    }
    stop
}

/// What holds for all frames, whichever port they come in by.
#[derive(Clone, Copy)]
struct View {
    now: u32,
    seconds: u32,
    /// Whether the bridge's own device sees every frame.
    promiscuous: bool,
}

/// A bridge and what holds for all of its frames.
#[inline(always)]
fn view(devices: &mut SlotMap<DevId, Device>, bridge: DevId, now: Instant) -> Option<(&mut Bridge, View)> {
    let device = devices.get_mut(bridge)?;
    let promiscuous = device.flags.contains(DevFlags::PROMISC);
    let DevKind::Bridge(bridge) = &mut device.kind else { return None };
    let now = ticks(now);
    Some((bridge, View { now, seconds: seconds(now), promiscuous }))
}

/// A frame to a link-local group that is forwarded like any other.
pub(super) fn forward_link_local(kernel: &mut Kernel, member: PortRef, frame: Frame, arrival: &Arrival) {
    let Some((bridge, view)) = view(&mut kernel.devices, member.bridge, kernel.now) else {
        return kernel.drop_frame(frame, DropReason::BridgePortDisabled);
    };
    let mut arrival = *arrival;
    arrival.seek(&bridge.fdb);
    let judged = bridge.decide(&arrival, view);
    carry_out(kernel, member, frame, &arrival, judged);
}

/// Does with a frame what was decided.
#[inline(never)]
fn carry_out(
    kernel: &mut Kernel,
    member: PortRef,
    frame: Frame,
    arrival: &Arrival,
    Judged { learned, verdict }: Judged,
) {
    if learned != Learned::Known {
        learning::report(kernel, member, arrival.source().key, learned);
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
        Verdict::LinkLocal => link_local::input(kernel, member, frame, arrival),
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
    /// What becomes of the first frame of an arrival, of which it is known where the database looks for its stations.
    #[inline(always)]
    fn judge(&mut self, arrival: &Arrival, view: View) -> Judged {
        let Addresses { destination, source } = arrival.addresses;
        if is_group(source) || source == 0 {
            let short = arrival.length < ETH_HLEN;
            return Judged::dropped(if short { DropReason::PacketTooSmall } else { DropReason::BridgeInvalidSource });
        }
        if destination & !0xf == link_local::RANGE {
            return Judged { learned: Learned::Known, verdict: Verdict::LinkLocal };
        }
        self.decide(arrival, view)
    }

    /// Learns the source and finds the destination.
    #[inline(always)]
    fn decide(&mut self, arrival: &Arrival, View { now, seconds, promiscuous }: View) -> Judged {
        let number = arrival.number;
        let Some((flags, state)) = self.port(number).map(|port| (port.flags, port.state)) else {
            return Judged::dropped(DropReason::BridgePortDisabled);
        };
        if !state.receives() {
            return Judged::dropped(DropReason::BridgePortDisabled);
        }
        if flags.contains(PortFlags::LOCKED) && !self.may_send(number, arrival.source().key) {
            return Judged::dropped(DropReason::BridgeLocked);
        }
        let learned = if flags.contains(PortFlags::LEARNING) {
            self.fdb.learn(arrival.source(), number, now, self.room)
        } else {
            Learned::Known
        };
        if state == PortState::Learning {
            return Judged { learned, verdict: Verdict::Drop(DropReason::BridgePortDisabled) };
        }
        let kind = kind(arrival.addresses.destination);
        if kind != Kind::Unicast {
            return Judged { learned, verdict: Verdict::Flood { kind, up: true } };
        }
        // Who is new may have made the database grow.
        let sought = match learned {
            Learned::Known => arrival.destination(),
            _ => self.fdb.seek(arrival.destination().key),
        };
        let verdict = match self.fdb.destination(sought, seconds) {
            Some((_, true)) => Verdict::Up,
            Some((to, false)) => match self.egress(Some((number, flags)), to, arrival.length) {
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
    pub(super) fn learn_only(&mut self, number: u16, source: Sought, now: u32) -> Learned {
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
