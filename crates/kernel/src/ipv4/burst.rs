//! A burst of packets, step by step. Each step takes all of them before the next begins: what a step needs is then at hand, and the
//! processor waits for many routes at once and not for one after the other.
//!
//! First it is looked whether packets are well formed, then where they go. Nothing that arrives changes addresses, routes or settings,
//! so that neither depends on what the packets before have led to. Then that is done, in order.

use std::net::Ipv4Addr;

use super::fib::{Away, Fib, First, kind};
use super::forward::{self, Hop};
use super::header::{Header, MIN_LEN, Malformed, PLAIN};
use super::input::{Decision, Ingress, Refusal, Verdict, carry_out, decide, decided, deliver_whole, is_plain, key};
use super::snmp::Snmp;
use crate::Kernel;
use crate::drop_reason::DropReason;
use crate::frame::{ETH_HLEN, Frame, PacketType};
use crate::path::{Stations, ethertype};
use crate::types::{DevId, NsId};

/// How many packets are taken together.
const TOGETHER: usize = 64;

/// A packet that is well formed.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Packet {
    pub(super) header: [u8; MIN_LEN],
    /// Which of the verdicts it got.
    pub(super) verdict: u32,
}

/// Room for a burst.
#[derive(Debug)]
pub(crate) struct Bench {
    packets: [Packet; TOGETHER],
    /// Packets in a row that get the same one have it in common.
    verdicts: [Verdict; TOGETHER],
}

impl Bench {
    #[cold]
    #[inline(never)]
    fn new() -> Box<Bench> {
        Box::new(Bench { packets: [Packet::default(); TOGETHER], verdicts: [Err(Refusal::Martian); TOGETHER] })
    }
}

/// A packet received on a device, which nothing is to be had in common with.
#[inline(never)]
pub(crate) fn receive_alone(kernel: &mut Kernel, dev: DevId, mut frame: Frame) {
    if frame.packet_type() == PacketType::OtherHost {
        kernel.count_strangers(dev, 1);
        return kernel.frames.recycle(frame);
    }
    let Some(device) = kernel.devices.get(dev) else { return kernel.drop_frame(frame, DropReason::DevReady) };
    if device.ipv4.is_none() {
        return kernel.drop_frame(frame, DropReason::IpInvalidAddress);
    }
    let ns = device.ns;
    let ipv4 = &mut kernel.namespaces[ns].ipv4;
    let packet = frame.payload();
    let header = match Header::parse(packet) {
        Ok(header) => header,
        Err(wrong) => {
            let reason = malformed(&mut ipv4.snmp, packet.len(), wrong);
            return kernel.drop_frame(frame, reason);
        }
    };
    ipv4.snmp.ip.in_receives += 1;
    ipv4.snmp.ip_ext.in_octets += packet.len() as u64;
    *ipv4.snmp.ip_ext.in_pkts(header.tos) += 1;
    frame.truncate(ETH_HLEN + header.total);
    match decided(ipv4, dev, &header) {
        Some(target) if target.kind == kind::LOCAL && header.length == MIN_LEN && !header.is_fragment() => {
            deliver_whole(kernel, ns, dev, &mut frame, header, target);
        }
        _ => receive_unknown(kernel, dev, frame, header),
    }
}

/// The same for one about which nothing is known yet.
#[inline(never)]
fn receive_unknown(kernel: &mut Kernel, dev: DevId, mut frame: Frame, header: Header) {
    let Some(mut ingress) = Ingress::of(kernel, dev) else {
        return kernel.drop_frame(frame, DropReason::DevReady);
    };
    let verdict = decide(kernel, &mut ingress, &header);
    carry_out(kernel, ingress.ns, dev, &mut frame, &header, &verdict);
}

/// Receives the first of a burst of frames, as far as they are IPv4's: how many. They are taken out.
#[inline(never)]
pub(crate) fn receive(kernel: &mut Kernel, dev: DevId, mut burst: &mut [Frame]) -> usize {
    let Some(device) = kernel.devices.get(dev).filter(|device| device.ipv4.is_some()) else { return 0 };
    let stations = Stations::of(device);
    let Some(mut ingress) = Ingress::of(kernel, dev) else { return 0 };
    let mut bench = kernel.bench.take().unwrap_or_else(Bench::new);
    let mut received = 0;
    loop {
        let (sound, stop) = check(kernel, &ingress, stations, burst, &mut bench.packets);
        decide_all(kernel, &mut ingress, &mut bench.packets[..sound], &mut bench.verdicts);
        let (packets, rest) = std::mem::take(&mut burst).split_at_mut(sound);
        carry_all_out(kernel, &ingress, packets, &bench);
        received += sound;
        let Some(next) = rest.first_mut() else { break };
        burst = match stop {
            None => rest,
            Some(Stop::Other) => break,
            Some(Stop::Stranger) => {
                kernel.count_strangers(dev, 1);
                kernel.frames.recycle_from(next);
                received += 1;
                &mut rest[1..]
            }
            Some(Stop::Malformed(reason)) => {
                kernel.drops.count(reason);
                kernel.frames.recycle_from(next);
                received += 1;
                &mut rest[1..]
            }
        };
    }
    kernel.bench = Some(bench);
    received
}

/// Why a frame isn't a packet to look at.
enum Stop {
    /// It isn't IPv4's.
    Other,
    /// It is to somebody else on the link.
    Stranger,
    /// It is of no use.
    Malformed(DropReason),
}

/// How many of the first frames are packets that are well formed, and what the next one is. What is behind the packets is cut off.
#[inline(never)]
fn check(
    kernel: &mut Kernel,
    ingress: &Ingress,
    stations: Stations,
    burst: &mut [Frame],
    packets: &mut [Packet],
) -> (usize, Option<Stop>) {
    let (mut sound, mut octets, mut congestion, mut stop) = (0, 0, [0; 4], None);
    let snmp = &mut kernel.namespaces[ingress.ns].ipv4.snmp;
    for (frame, packet) in burst.iter_mut().zip(packets) {
        let Some((ethernet, bytes)) = frame.bytes().split_first_chunk::<ETH_HLEN>() else {
            stop = Some(Stop::Other);
            break;
        };
        if ethertype::of(ethernet) != ethertype::IPV4 {
            stop = Some(Stop::Other);
            break;
        }
        let packet_type = stations.packet_type(ethernet);
        if packet_type == PacketType::OtherHost {
            stop = Some(Stop::Stranger);
            break;
        }
        let header = match Header::parse(bytes) {
            Ok(header) => header,
            Err(wrong) => {
                stop = Some(Stop::Malformed(malformed(snmp, bytes.len(), wrong)));
                break;
            }
        };
        if let Some(fixed) = bytes.first_chunk() {
            packet.header = *fixed;
        }
        sound += 1;
        octets += bytes.len();
        congestion[usize::from(header.tos & 3)] += 1;
        frame.set_packet_type(packet_type);
        frame.truncate(ETH_HLEN + header.total);
    }
    snmp.ip.in_receives += sound as u64;
    snmp.ip_ext.in_octets += octets as u64;
    for (tos, packets) in (0..).zip(congestion) {
        *snmp.ip_ext.in_pkts(tos) += packets;
    }
    (sound, stop)
}

/// Counts a packet that is of no use.
#[cold]
fn malformed(snmp: &mut Snmp, octets: usize, wrong: Malformed) -> DropReason {
    snmp.ip.in_receives += 1;
    snmp.ip_ext.in_octets += octets as u64;
    match wrong {
        Malformed::Truncated => {
            snmp.ip_ext.in_truncated_pkts += 1;
            DropReason::PacketTooSmall
        }
        Malformed::Checksum => {
            snmp.ip_ext.in_csum_errors += 1;
            snmp.ip.in_hdr_errors += 1;
            DropReason::IpChecksum
        }
        Malformed::Header => {
            snmp.ip.in_hdr_errors += 1;
            DropReason::IpInvalidHeader
        }
    }
}

/// The packet that got the latest verdict.
#[derive(Clone, Copy)]
struct Before {
    /// Of its header: what a verdict depends on beside the destination.
    kind: [u8; 2],
    source: [u8; 4],
    destination: u32,
    /// The route that decided. Packets that differ in nothing but the destination get the same verdict if they are due to the same.
    route: Option<First>,
    /// What is no more this host's than its destination was.
    away: Away,
}

impl Before {
    /// `None` where more than that matters.
    fn of(kernel: &Kernel, ingress: &Ingress, header: &Header, bytes: &[u8; MIN_LEN]) -> Option<Before> {
        if !is_plain(header.source) || !is_plain(header.destination) {
            return None;
        }
        let key = key(ingress.dev, header);
        // What is written into options depends on the next hop.
        let route = if bytes[0] == PLAIN { kernel.sole_route(ingress.ns, &key) } else { None };
        let [kind @ .., _, _] = *bytes.first_chunk::<4>()?;
        let away = kernel.namespaces.get(ingress.ns)?.ipv4.fib.away(key.destination);
        Some(Before { kind, source: source(bytes), destination: key.destination, route, away })
    }

    /// Whether another packet gets the same verdict.
    #[inline(always)]
    fn is_alike(&mut self, fib: &Fib, header: &[u8; MIN_LEN]) -> bool {
        if self.kind != header[..2] || self.source != source(header) {
            return false;
        }
        let [.., a, b, c, d] = *header;
        let destination = Ipv4Addr::new(a, b, c, d);
        let same = destination.to_bits() == self.destination
            || (self.route.is_some()
                && is_plain(destination)
                && fib.first(destination.to_bits(), self.away) == self.route);
        if same {
            self.destination = destination.to_bits();
        }
        same
    }
}

/// A header's source address, to be compared.
#[inline(always)]
fn source(header: &[u8; MIN_LEN]) -> [u8; 4] {
    [header[12], header[13], header[14], header[15]]
}

/// Decides what is to become of packets.
#[inline(never)]
fn decide_all(kernel: &Kernel, ingress: &mut Ingress, packets: &mut [Packet], verdicts: &mut [Verdict; TOGETHER]) {
    let Some(fib) = kernel.namespaces.get(ingress.ns).map(|netns| &netns.ipv4.fib) else { return };
    let mut before: Option<Before> = None;
    let mut free = verdicts.iter_mut().zip(0..);
    let mut latest = 0;
    for packet in packets {
        if let Some(before) = &mut before
            && before.is_alike(fib, &packet.header)
        {
            packet.verdict = latest;
            continue;
        }
        let Some((place, number)) = free.next() else { return };
        let header = Header::read(&packet.header);
        *place = decide(kernel, ingress, &header);
        packet.verdict = number;
        latest = number;
        before = Before::of(kernel, ingress, &header, &packet.header);
    }
}

/// Does with packets what was decided. What passes through is sent together, up to where it leaves through another device or anything
/// else is to be done.
#[inline(always)]
fn carry_all_out(kernel: &mut Kernel, ingress: &Ingress, burst: &mut [Frame], bench: &Bench) {
    let Ingress { dev, ns, .. } = *ingress;
    let mut hop: Option<Hop> = None;
    let (mut start, mut at, mut egress) = (0, 0, dev);
    while let Some(packet) = bench.packets.get(at).filter(|_| at < burst.len()) {
        let verdict = &bench.verdicts[packet.verdict as usize % TOGETHER];
        if let Ok(Decision::Forward { route, redirect: false }) = verdict {
            let ready = forward::pass(kernel, route, &mut burst[at..], &bench.packets[at..], &mut hop);
            if ready > 0 {
                if route.dev != egress {
                    send_on(kernel, ns, egress, &mut burst[start..at]);
                    (start, egress) = (at, route.dev);
                }
                at += ready;
                continue;
            }
        }
        send_on(kernel, ns, egress, &mut burst[start..at]);
        let header = Header::read(&packet.header);
        carry_out(kernel, ns, dev, &mut burst[at], &header, verdict);
        hop = None;
        at += 1;
        start = at;
    }
    send_on(kernel, ns, egress, &mut burst[start..at]);
}

/// Sends packets on that are ready.
#[inline(always)]
fn send_on(kernel: &mut Kernel, ns: NsId, egress: DevId, packets: &mut [Frame]) {
    if !packets.is_empty() {
        let octets: usize = packets.iter().map(|frame| frame.len() - ETH_HLEN).sum();
        let snmp = &mut kernel.namespaces[ns].ipv4.snmp;
        snmp.ip.forw_datagrams += packets.len() as u64;
        snmp.ip.out_transmits += packets.len() as u64;
        snmp.ip_ext.out_octets += octets as u64;
        kernel.transmit_all(egress, packets);
    }
}
