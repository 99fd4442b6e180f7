//! Reassembly (RFC 8200, 4.5; RFC 5722): parts are kept until the packet is whole, for so long and as many as the settings say.
//! Parts that overlap are an attack: they take the packet with them.

use std::collections::BTreeMap;
use std::net::Ipv6Addr;
use std::time::Duration;

use super::header::{Header, LEN};
use super::input::Packet;
use super::{Job, icmp};
use crate::Kernel;
use crate::drop_reason::DropReason;
use crate::frame::{ETH_HLEN, Frame};
use crate::types::{DevId, Instant, NsId};

/// Bytes of a fragment header.
const FRAGMENT_LEN: usize = 8;
/// How many parts one packet may have.
const PARTS: usize = 8_192;

/// Which packet a part belongs to.
type Key = (Ipv6Addr, Ipv6Addr, u32);

/// A part: where its data begins and ends in the whole, and in its own packet.
#[derive(Debug)]
struct Part {
    start: usize,
    end: usize,
    at: usize,
    frame: Frame,
}

/// The parts of one packet, in order.
#[derive(Debug)]
struct Queue {
    parts: Vec<Part>,
    /// Where the last part ends, once it has come.
    length: Option<usize>,
    bytes: usize,
    given_up: Instant,
    dev: DevId,
}

/// What came of a part.
#[derive(Debug, PartialEq, Eq)]
enum Taken {
    Kept,
    /// It was there already.
    Duplicate,
    /// It can't be, or it overlaps another: the packet is given up.
    Impossible,
}

impl Queue {
    fn take(&mut self, start: usize, end: usize, last: bool, at: usize, frame: &Frame) -> Taken {
        let reached = self.parts.last().map_or(0, |part| part.end);
        let contradicts = match self.length {
            Some(length) => end > length || (last && end != length),
            None => last && end < reached,
        };
        if contradicts || start >= end || self.parts.len() >= PARTS {
            return Taken::Impossible;
        }
        let place = self.parts.partition_point(|part| part.end <= start);
        if let Some(next) = self.parts.get(place).filter(|next| next.start < end) {
            return if (next.start, next.end) == (start, end) { Taken::Duplicate } else { Taken::Impossible };
        }
        if last {
            self.length = Some(end);
        }
        self.bytes += frame.len();
        self.parts.insert(place, Part { start, end, at, frame: frame.share() });
        Taken::Kept
    }

    fn is_whole(&self) -> bool {
        let mut reached = 0;
        let joined = self.parts.iter().all(|part| {
            let joined = part.start == reached;
            reached = part.end;
            joined
        });
        joined && self.length == Some(reached)
    }
}

/// A namespace's packets in pieces.
#[derive(Debug, Default)]
pub(super) struct Queues {
    queues: BTreeMap<Key, Queue>,
    bytes: usize,
}

/// Takes a part in; the whole packet if it was the last that was missing.
pub(super) fn collect(
    kernel: &mut Kernel,
    ns: NsId,
    dev: DevId,
    frame: Frame,
    packet: &Packet,
) -> Option<(Frame, Packet)> {
    let ipv6 = &mut kernel.namespaces[ns].ipv6;
    ipv6.snmp.ip.reasm_reqds += 1;
    let Some(&[next, _, p0, p1, i0, i1, i2, i3]) =
        frame.payload().get(packet.at..).and_then(|rest| rest.first_chunk::<FRAGMENT_LEN>())
    else {
        ipv6.snmp.ip.reasm_fails += 1;
        kernel.drop_frame(frame, DropReason::PacketTooSmall);
        return None;
    };
    let place = u16::from_be_bytes([p0, p1]);
    let (start, last) = (usize::from(place & !7), place & 1 == 0);
    let data_at = packet.at + FRAGMENT_LEN;
    let end = start + (frame.payload().len() - data_at);
    if start == 0 && last {
        // The only part there is (RFC 6946).
        ipv6.snmp.ip.reasm_oks += 1;
        return Some((frame, packet.after(next, data_at)));
    }
    if (!last && !end.is_multiple_of(8)) || end > usize::from(u16::MAX) {
        ipv6.snmp.ip.in_hdr_errors += 1;
        ipv6.snmp.ip.reasm_fails += 1;
        // Which field is wrong: the payload's length, or the place.
        let at = if end > usize::from(u16::MAX) { packet.at as u32 + 2 } else { 4 };
        icmp::answer(kernel, dev, &frame, icmp::PARAMETER_PROBLEM, 0, at);
        kernel.drop_frame(frame, DropReason::IpInvalidHeader);
        return None;
    }
    let most = ipv6.settings.ip6frag_high_thresh.max(0) as usize;
    let patience = Duration::from_secs(ipv6.settings.ip6frag_time.max(0) as u64);
    let queues = &mut ipv6.fragments;
    if queues.bytes + frame.len() > most {
        ipv6.snmp.ip.reasm_fails += 1;
        kernel.drop_frame(frame, DropReason::FragReasmTimeout);
        return None;
    }
    let key = (packet.header.source, packet.header.destination, u32::from_be_bytes([i0, i1, i2, i3]));
    let given_up = kernel.now + patience;
    let first = queues.queues.is_empty();
    let fresh = Queue { parts: Vec::new(), length: None, bytes: 0, given_up, dev };
    let queue = queues.queues.entry(key).or_insert(fresh);
    let before = queue.bytes;
    let taken = queue.take(start, end, last, data_at, &frame);
    queues.bytes += queue.bytes - before;
    let whole = taken == Taken::Kept && queue.is_whole();
    let finished = (whole || taken == Taken::Impossible).then(|| queues.queues.remove(&key)).flatten();
    if let Some(queue) = &finished {
        queues.bytes -= queue.bytes;
    }
    match taken {
        Taken::Impossible => ipv6.snmp.ip.reasm_fails += 1,
        Taken::Kept if whole => ipv6.snmp.ip.reasm_oks += 1,
        _ => {}
    }
    if first {
        super::schedule(kernel, ns, given_up, Job::Fragments);
    }
    let packet_type = frame.packet_type();
    kernel.frames.recycle(frame);
    let queue = finished?;
    let joined = if whole { join(kernel, &queue, packet) } else { None };
    for part in queue.parts {
        kernel.frames.recycle(part.frame);
    }
    let mut whole = joined?;
    whole.set_packet_type(packet_type);
    let header = Header::parse(whole.payload()).ok()?;
    let next = whole.payload().get(6).copied()?;
    Some((whole, Packet::new(header, next)))
}

/// Puts the parts together behind the first one's header, of which extension headers that came before are left out.
fn join(kernel: &mut Kernel, queue: &Queue, packet: &Packet) -> Option<Frame> {
    let first = queue.parts.first()?;
    let bytes = first.frame.payload();
    let next = *bytes.get(first.at.checked_sub(FRAGMENT_LEN)?)?;
    let length = queue.length?;
    let header = Header { payload: length, next, ..packet.header };
    let ethernet = *first.frame.header()?;
    let mut whole = kernel.frames.build(ETH_HLEN + LEN + length, |bytes| {
        bytes[..ETH_HLEN].copy_from_slice(&ethernet);
        bytes[ETH_HLEN..ETH_HLEN + LEN].copy_from_slice(&header.bytes());
        let room = &mut bytes[ETH_HLEN + LEN..];
        for part in &queue.parts {
            let data = part.frame.payload().get(part.at..).unwrap_or_default();
            room[part.start..part.end].iter_mut().zip(data).for_each(|(byte, value)| *byte = *value);
        }
    });
    whole.set_checksum_trusted(queue.parts.iter().all(|part| part.frame.checksum_trusted()));
    Some(whole)
}

/// Gives up what has waited long enough; the sender is told if at least the first part came.
pub(super) fn expire(kernel: &mut Kernel, ns: NsId) {
    let now = kernel.now;
    let Some(netns) = kernel.namespaces.get_mut(ns) else { return };
    let queues = &mut netns.ipv6.fragments;
    let due: Vec<Key> = queues.queues.iter().filter(|(_, queue)| queue.given_up <= now).map(|(key, _)| *key).collect();
    for key in due {
        let Some(netns) = kernel.namespaces.get_mut(ns) else { return };
        let Some(queue) = netns.ipv6.fragments.queues.remove(&key) else { continue };
        netns.ipv6.fragments.bytes -= queue.bytes;
        netns.ipv6.snmp.ip.reasm_timeout += 1;
        netns.ipv6.snmp.ip.reasm_fails += 1;
        if let Some(first) = queue.parts.first().filter(|first| first.start == 0) {
            icmp::answer(kernel, queue.dev, &first.frame, icmp::TIME_EXCEEDED, 1, 0);
        }
        for part in queue.parts {
            kernel.drop_frame(part.frame, DropReason::FragReasmTimeout);
        }
    }
    let Some(netns) = kernel.namespaces.get(ns) else { return };
    if let Some(next) = netns.ipv6.fragments.queues.values().map(|queue| queue.given_up).min() {
        super::schedule(kernel, ns, next, Job::Fragments);
    }
}
