//! Reassembly (RFC 791, 3.2; RFC 815): parts are kept until the packet is whole, for so long and as many as the settings say.
//! Parts that overlap are an attack: they take the packet with them.

use std::collections::{BTreeMap, VecDeque};
use std::net::Ipv4Addr;
use std::time::Duration;

use super::header::{DF, Header, MF};
use super::icmp;
use crate::Kernel;
use crate::drop_reason::DropReason;
use crate::frame::{ETH_HLEN, Frame};
use crate::types::{DevId, Instant, NsId};

/// No packet is longer, with its header.
const MAX_PACKET: usize = 65_535;

/// Which packet a part belongs to.
type Key = (Ipv4Addr, Ipv4Addr, u16, u8);

/// A part: where its data begins and ends in the whole, where its header ends.
#[derive(Debug)]
struct Part {
    start: usize,
    end: usize,
    header: usize,
    frame: Frame,
}

/// The parts of one packet, in order.
#[derive(Debug)]
struct Queue {
    parts: Vec<Part>,
    /// Where the last part ends, once it has come.
    length: Option<usize>,
    bytes: usize,
    serial: u64,
    dev: DevId,
}

/// What came of a part.
#[derive(Debug, PartialEq, Eq)]
enum Taken {
    Kept,
    /// It says nothing new.
    Duplicate,
    /// It overlaps another: the packet is given up.
    Overlap,
    /// It can't be: the packet is given up.
    Impossible,
}

impl Queue {
    fn take(&mut self, start: usize, end: usize, last: bool, header: usize, frame: &Frame) -> Taken {
        let reached = self.parts.last().map_or(0, |part| part.end);
        if last {
            if self.length.is_some_and(|length| length != end) || end < reached {
                return Taken::Impossible;
            }
            self.length = Some(end);
        } else if self.length.is_some_and(|length| end > length) {
            return Taken::Impossible;
        }
        if start == end {
            return Taken::Impossible;
        }
        let at = self.parts.partition_point(|part| part.end <= start);
        if let Some(next) = self.parts.get(at).filter(|next| next.start < end) {
            return if covered(&self.parts[at..], next.start, start, end) { Taken::Duplicate } else { Taken::Overlap };
        }
        self.bytes += frame.len();
        self.parts.insert(at, Part { start, end, header, frame: frame.share() });
        Taken::Kept
    }

    /// The length of the packet with its header.
    fn total(&self) -> Option<usize> {
        Some(self.parts.first()?.header + self.length?)
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

/// Whether parts that follow each other without a gap hold all of `start..end`.
fn covered(parts: &[Part], first: usize, start: usize, end: usize) -> bool {
    if first > start {
        return false;
    }
    let mut reached = first;
    for part in parts {
        if part.start != reached {
            break;
        }
        reached = part.end;
    }
    reached >= end
}

/// A namespace's packets in pieces.
#[derive(Debug, Default)]
pub(super) struct Queues {
    queues: BTreeMap<Key, Queue>,
    /// When each is given up, the first first.
    deadlines: VecDeque<(Instant, Key, u64)>,
    bytes: usize,
    serial: u64,
}

impl Queues {
    /// How many packets are incomplete, and the bytes of their parts.
    pub(super) fn held(&self) -> (usize, usize) {
        (self.queues.len(), self.bytes)
    }

    fn remove(&mut self, key: &Key) -> Option<Queue> {
        let queue = self.queues.remove(key)?;
        self.bytes -= queue.bytes;
        Some(queue)
    }

    /// Packets that came to an end leave their deadlines behind: they go before there are more of them than of the others.
    fn forget_idle_deadlines(&mut self) {
        const FEW: usize = 64;
        if self.deadlines.len() > FEW + 2 * self.queues.len() {
            let queues = &self.queues;
            self.deadlines.retain(|(_, key, serial)| queues.get(key).is_some_and(|queue| queue.serial == *serial));
        }
    }
}

/// Takes a part in; the whole packet if it was the last that was missing.
#[inline(never)]
pub(super) fn collect(
    kernel: &mut Kernel,
    ns: NsId,
    dev: DevId,
    frame: Frame,
    header: &Header,
) -> Option<(Frame, Header)> {
    let now = kernel.now;
    let ipv4 = &mut kernel.namespaces[ns].ipv4;
    ipv4.snmp.ip.reasm_reqds += 1;
    let most = ipv4.settings.ipfrag_high_thresh.max(0) as usize;
    let patience = Duration::from_secs(ipv4.settings.ipfrag_time.max(0) as u64);
    let key = (header.source, header.destination, header.id, header.protocol);
    let queues = &mut ipv4.fragments;
    if queues.bytes + frame.len() > most {
        ipv4.snmp.ip.reasm_fails += 1;
        kernel.drop_frame(frame, DropReason::FragReasmTimeout);
        return None;
    }
    let last = header.fragment & MF == 0;
    let start = header.offset();
    let mut end = start + header.total - header.length;
    if !last {
        end &= !7;
    }
    let first_timer = if queues.queues.contains_key(&key) {
        None
    } else {
        queues.forget_idle_deadlines();
        queues.serial += 1;
        let serial = queues.serial;
        queues.queues.insert(key, Queue { parts: Vec::new(), length: None, bytes: 0, serial, dev });
        queues.deadlines.push_back((now + patience, key, serial));
        (queues.deadlines.len() == 1).then_some(now + patience)
    };
    let mut taken = Taken::Impossible;
    let mut whole = false;
    if let Some(queue) = queues.queues.get_mut(&key) {
        let before = queue.bytes;
        taken = if end > MAX_PACKET - header.length || end < start {
            Taken::Impossible
        } else {
            queue.take(start, end, last, header.length, &frame)
        };
        queues.bytes += queue.bytes - before;
        whole = taken == Taken::Kept && queue.is_whole();
        // The first part's header may be longer than that of the part that says where the data ends.
        if whole && queue.total().is_none_or(|total| total > MAX_PACKET) {
            (taken, whole) = (Taken::Impossible, false);
        }
    }
    let finished = match taken {
        Taken::Kept if !whole => None,
        Taken::Duplicate => None,
        _ => queues.remove(&key),
    };
    match taken {
        Taken::Overlap => {
            ipv4.snmp.ip_ext.reasm_overlaps += 1;
            ipv4.snmp.ip.reasm_fails += 1;
        }
        Taken::Impossible => ipv4.snmp.ip.reasm_fails += 1,
        Taken::Kept if whole => ipv4.snmp.ip.reasm_oks += 1,
        _ => {}
    }
    if let Some(deadline) = first_timer {
        super::set_timer(kernel, ns, deadline, super::What::Fragments);
    }
    let joined = if whole { finished.as_ref().and_then(|queue| join(kernel, queue)) } else { None };
    for part in finished.into_iter().flat_map(|queue| queue.parts) {
        kernel.frames.recycle(part.frame);
    }
    if matches!(taken, Taken::Overlap | Taken::Impossible) {
        kernel.drop_frame(frame, DropReason::IpInvalidHeader);
        return None;
    }
    let packet_type = frame.packet_type();
    kernel.frames.recycle(frame);
    joined.map(|(mut whole, header)| {
        whole.set_packet_type(packet_type);
        (whole, header)
    })
}

/// Puts the parts together behind the first one's header.
fn join(kernel: &mut Kernel, queue: &Queue) -> Option<(Frame, Header)> {
    let first = queue.parts.first()?;
    let head = first.frame.payload().get(..first.header)?;
    let header = Header::read(head.first_chunk()?);
    let total = queue.total()?;
    let header = Header { total, fragment: header.fragment & DF, ..header };
    let mut whole = kernel.frames.build(ETH_HLEN + total, |bytes| {
        bytes[..ETH_HLEN].copy_from_slice(&first.frame.bytes()[..ETH_HLEN]);
        let packet = &mut bytes[ETH_HLEN..];
        packet[..first.header].copy_from_slice(head);
        header.write(packet);
        for part in &queue.parts {
            let data = &part.frame.payload()[part.header..][..part.end - part.start];
            packet[first.header + part.start..first.header + part.end].copy_from_slice(data);
        }
    });
    whole.set_checksum_trusted(queue.parts.iter().all(|part| part.frame.checksum_trusted()));
    Some((whole, header))
}

/// Gives up what has waited long enough; the sender is told if at least the first part came.
pub(super) fn expire(kernel: &mut Kernel, ns: NsId) {
    let now = kernel.now;
    loop {
        let Some(netns) = kernel.namespaces.get_mut(ns) else { return };
        let queues = &mut netns.ipv4.fragments;
        let Some((deadline, key, serial)) = queues.deadlines.front().copied() else { return };
        if deadline > now {
            return super::set_timer(kernel, ns, deadline, super::What::Fragments);
        }
        queues.deadlines.pop_front();
        if queues.queues.get(&key).is_none_or(|queue| queue.serial != serial) {
            continue;
        }
        let Some(queue) = queues.remove(&key) else { continue };
        netns.ipv4.snmp.ip.reasm_timeout += 1;
        netns.ipv4.snmp.ip.reasm_fails += 1;
        if let Some(first) = queue.parts.first().filter(|first| first.start == 0) {
            icmp::answer(kernel, queue.dev, &first.frame, icmp::TIME_EXCEEDED, 1, 0);
        }
        for part in queue.parts {
            kernel.drop_frame(part.frame, DropReason::FragReasmTimeout);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::frame::FramePool;

    proptest! {
        /// Against a bitmap: a packet is whole when every byte of it has come, unless parts overlapped.
        #[test]
        fn reassembly_agrees_with_a_bitmap(parts in proptest::collection::vec((0usize..12, 1usize..6, any::<bool>()), 1..30)) {
            let mut pool = FramePool::default();
            let mut queue = Queue { parts: Vec::new(), length: None, bytes: 0, serial: 0, dev: DevId::default() };
            let mut seen = [false; 32];
            let mut length = None;
            for (start, count, last) in parts {
                let end = start + count;
                let frame = pool.copy_from(&[0; 64]);
                let reached = (0..32).rev().find(|at| seen[*at]).map_or(0, |at| at + 1);
                let impossible = match (last, length) {
                    (true, Some(length)) => length != end || end < reached,
                    (true, None) => end < reached,
                    (false, Some(length)) => end > length,
                    (false, None) => false,
                };
                let known = (start..end).filter(|at| seen[*at]).count();
                let expected = if impossible {
                    Taken::Impossible
                } else if known == count {
                    Taken::Duplicate
                } else if known > 0 {
                    Taken::Overlap
                } else {
                    Taken::Kept
                };
                let taken = queue.take(start * 8, end * 8, last, 20, &frame);
                prop_assert_eq!(&taken, &expected);
                if matches!(taken, Taken::Overlap | Taken::Impossible) {
                    return Ok(());
                }
                seen[start..end].fill(true);
                if last {
                    length = Some(end);
                }
                let whole = length.is_some_and(|length| seen[..length].iter().all(|seen| *seen));
                prop_assert_eq!(queue.is_whole(), whole);
            }
        }
    }
}
