//! ICMPv6 (RFC 4443): answers to echo requests, errors about packets that get no farther, and what other hosts' errors tell.

use std::collections::BTreeMap;
use std::net::Ipv6Addr;
use std::time::Duration;

use super::header::{Header, LEN, checksum, next};
use super::input::Packet;
use super::{Conf, Flow, Job, Outgoing, address_type, exception, fib::kind, lookup, output};
use crate::Kernel;
use crate::drop_reason::DropReason;
use crate::frame::{Frame, PacketType};
use crate::netdev::DevFlags;
use crate::types::{DevId, Instant, NsId};

/// Destination unreachable.
pub(super) const UNREACHABLE: u8 = 1;
/// Packet too big; the MTU follows.
pub(super) const TOO_BIG: u8 = 2;
/// Hop limit exceeded, or fragments that never became a packet.
pub(super) const TIME_EXCEEDED: u8 = 3;
/// A header that can't be; where in the packet follows.
pub(super) const PARAMETER_PROBLEM: u8 = 4;
const ECHO: u8 = 128;
const ECHO_REPLY: u8 = 129;
const MLD_QUERY: u8 = 130;
const NEIGHBOUR_SOLICITATION: u8 = 135;
const NEIGHBOUR_ADVERTISEMENT: u8 = 136;

/// Codes of [`UNREACHABLE`].
pub(super) const NO_ROUTE: u8 = 0;
/// See [`NO_ROUTE`].
pub(super) const PROHIBITED: u8 = 1;
/// See [`NO_ROUTE`].
pub(super) const BEYOND_SCOPE: u8 = 2;
/// See [`NO_ROUTE`].
const ADDRESS: u8 = 3;
/// See [`NO_ROUTE`].
pub(super) const PORT: u8 = 4;
/// Codes of [`PARAMETER_PROBLEM`].
pub(super) const UNKNOWN_HEADER: u8 = 1;
/// See [`UNKNOWN_HEADER`].
pub(super) const UNKNOWN_OPTION: u8 = 2;

/// Type, code, checksum and one more word.
const HEADER_LEN: usize = 8;
/// No error is longer than the smallest MTU.
const LONGEST_ERROR: usize = 1280;
/// How many errors may follow each other to one host after a silence.
const BURST: u32 = 6;
/// How many hosts are kept count of.
const PEERS: usize = 16_384;

/// What limits the rate of errors: what each host has saved up, and since when.
#[derive(Debug, Default)]
pub(super) struct Limits(BTreeMap<Ipv6Addr, (Duration, Instant)>);

impl Limits {
    fn may_send(&mut self, to: Ipv6Addr, now: Instant, cost: Duration) -> bool {
        if self.0.len() >= PEERS && !self.0.contains_key(&to) {
            self.0.pop_first();
        }
        let (saved, last) = self.0.entry(to).or_insert((cost * BURST, now));
        *saved = (*saved + now.since(*last)).min(cost * BURST);
        *last = now;
        let may = *saved >= cost;
        if may {
            *saved -= cost;
        }
        may
    }
}

/// Whether a message's checksum is right; it is counted.
pub(super) fn is_intact(kernel: &mut Kernel, ns: NsId, frame: &Frame, packet: &Packet) -> bool {
    let message = frame.payload().get(packet.at..).unwrap_or_default();
    let counters = &mut kernel.namespaces[ns].ipv6.snmp.icmp;
    counters.in_msgs += 1;
    let (source, destination) = (packet.header.source, packet.header.destination);
    if message.len() < 4 || (!frame.checksum_trusted() && checksum(source, destination, next::ICMP, message) != 0) {
        counters.in_csum_errors += 1;
        counters.in_errors += 1;
        return false;
    }
    *counters.in_types.entry(message[0]).or_default() += 1;
    true
}

/// An ICMPv6 message for this host.
pub(super) fn receive(kernel: &mut Kernel, ns: NsId, dev: DevId, frame: &Frame, packet: &Packet) -> DropReason {
    let message = frame.payload().get(packet.at..).unwrap_or_default();
    let [kind, code, ..] = *message else { return DropReason::PacketTooSmall };
    let header = &packet.header;
    let settings = &kernel.namespaces[ns].ipv6.settings;
    match kind {
        ECHO => {
            let ignored = settings.echo_ignore_all != 0
                || (header.destination.is_multicast() && settings.echo_ignore_multicast != 0);
            if !ignored {
                echo(kernel, ns, dev, header, message);
            }
        }
        UNREACHABLE..=PARAMETER_PROBLEM => error(kernel, ns, dev, header.source, (kind, code), message),
        MLD_QUERY if header.hop_limit == 1 && header.source.is_unicast_link_local() => {
            let most = message.get(4..6).map_or(0, |time| u16::from_be_bytes([time[0], time[1]]));
            let then = kernel.now + Duration::from_millis(kernel.rng.u64(0..u64::from(most).clamp(1, 10_000)));
            super::schedule(kernel, ns, then, Job::ReportAll(dev));
        }
        NEIGHBOUR_SOLICITATION | NEIGHBOUR_ADVERTISEMENT if header.hop_limit == 255 && code == 0 => {
            let from = crate::types::MacAddr::from_slice(frame.bytes().get(6..).unwrap_or_default());
            let news = crate::neighbour::ndisc::News {
                source: header.source,
                destination: header.destination,
                from: from.unwrap_or_default(),
                message,
            };
            return crate::neighbour::ndisc::receive(kernel, dev, &news);
        }
        _ => {}
    }
    DropReason::Consumed
}

fn default_hop_limit(kernel: &Kernel, dev: DevId) -> u8 {
    u8::try_from(kernel.conf6(dev, Conf::HopLimit)).ok().filter(|hops| *hops > 0).unwrap_or(64)
}

fn echo(kernel: &mut Kernel, ns: NsId, dev: DevId, header: &Header, message: &[u8]) {
    let own = address_type(kernel, ns, header.destination) == kind::LOCAL;
    let mut message = message.to_vec();
    message[0] = ECHO_REPLY;
    let flow = Flow {
        destination: header.source,
        source: if own { header.destination } else { Ipv6Addr::UNSPECIFIED },
        oif: Some(dev),
    };
    reply(kernel, ns, dev, &flow, header.class, &message);
}

fn reply(kernel: &mut Kernel, ns: NsId, dev: DevId, flow: &Flow, class: u8, message: &[u8]) {
    let mut flow = *flow;
    if flow.destination.is_unspecified() || flow.destination.is_multicast() {
        return;
    }
    let mut route = lookup(kernel, ns, &flow);
    if route.is_err() && !flow.destination.is_unicast_link_local() {
        flow.oif = None;
        route = lookup(kernel, ns, &flow);
    }
    let Ok(route) = route else { return };
    let out = Outgoing {
        source: route.source,
        destination: flow.destination,
        oif: flow.oif,
        next_header: next::ICMP,
        traffic_class: class,
        hop_limit: default_hop_limit(kernel, dev),
        dont_fragment: false,
        payload: message,
    };
    let _ = output::send(kernel, ns, &out);
}

/// Tells the sender of the packet in `frame` what became of it; `info` is the second word.
pub(super) fn answer(kernel: &mut Kernel, dev: DevId, frame: &Frame, kind: u8, code: u8, info: u32) {
    let Some(device) = kernel.devices.get(dev) else { return };
    let (ns, loopback) = (device.ns, device.flags.contains(DevFlags::LOOPBACK));
    let packet = frame.payload();
    let Some(header) = packet.first_chunk::<LEN>().map(Header::read) else { return };
    let tells_group = kind == TOO_BIG || (kind == PARAMETER_PROBLEM && code == UNKNOWN_OPTION);
    let to_many = header.destination.is_multicast()
        || !matches!(frame.packet_type(), PacketType::Host | PacketType::Outgoing | PacketType::OtherHost);
    if (to_many && !tells_group) || header.source.is_unspecified() || header.source.is_multicast() {
        return;
    }
    if quotes_error(packet, &header) {
        return;
    }
    let own = address_type(kernel, ns, header.source) == kind::LOCAL;
    if kind != TOO_BIG && !loopback && !own {
        let now = kernel.now;
        let ipv6 = &mut kernel.namespaces[ns].ipv6;
        let cost = Duration::from_millis(ipv6.settings.ratelimit.max(0) as u64);
        if !ipv6.limits.may_send(header.source, now, cost) {
            ipv6.snmp.icmp.out_rate_limit_host += 1;
            return;
        }
    }
    let source = if address_type(kernel, ns, header.destination) == kind::LOCAL {
        header.destination
    } else {
        Ipv6Addr::UNSPECIFIED
    };
    let mut message = vec![kind, code, 0, 0];
    message.extend(info.to_be_bytes());
    message.extend(&packet[..packet.len().min(LONGEST_ERROR - LEN - HEADER_LEN)]);
    let near = header.source.is_unicast_link_local();
    let flow = Flow { destination: header.source, source, oif: Some(dev).filter(|_| near) };
    reply(kernel, ns, dev, &flow, 0, &message);
}

/// Whether a packet is itself an ICMPv6 error, which is never answered by another.
fn quotes_error(packet: &[u8], header: &Header) -> bool {
    let (mut kind, mut at) = (header.next, LEN);
    loop {
        match kind {
            next::HOP_BY_HOP | next::ROUTING | next::OPTIONS => {
                let (Some(next), Some(length)) = (packet.get(at), packet.get(at + 1)) else { return true };
                (kind, at) = (*next, at + usize::from(*length) * 8 + 8);
            }
            next::FRAGMENT => {
                let (Some(next), Some(place)) = (packet.get(at), packet.get(at + 2..at + 4)) else { return true };
                // Only the first part of a message shows its type.
                if u16::from_be_bytes([place[0], place[1]]) & !7 != 0 {
                    return *next == next::ICMP;
                }
                (kind, at) = (*next, at + 8);
            }
            next::ICMP => return packet.get(at).is_none_or(|kind| *kind < ECHO || *kind == 137),
            _ => return false,
        }
    }
}

/// A packet waited for a neighbour that isn't there: its sender is told.
pub(crate) fn link_failure(kernel: &mut Kernel, dev: DevId, frame: &Frame) {
    answer(kernel, dev, frame, UNREACHABLE, ADDRESS, 0);
}

/// Another host's error about a packet of this one: the sockets are told, a smaller path MTU is remembered.
fn error(kernel: &mut Kernel, ns: NsId, dev: DevId, from: Ipv6Addr, (kind, code): (u8, u8), message: &[u8]) {
    let info = message.get(4..8).map_or(0, |word| u32::from_be_bytes([word[0], word[1], word[2], word[3]]));
    let quoted = message.get(HEADER_LEN..).unwrap_or_default();
    let Some(about) = quoted.first_chunk::<LEN>().map(Header::read) else {
        kernel.namespaces[ns].ipv6.snmp.icmp.in_errors += 1;
        return;
    };
    if kind == TOO_BIG && address_type(kernel, ns, about.source) == kind::LOCAL {
        let flow = Flow { destination: about.destination, source: about.source, oif: None };
        if lookup(kernel, ns, &flow).is_ok_and(|route| info < route.mtu) {
            exception::learn(kernel, ns, about.destination, info);
        }
    }
    crate::socket::inet::icmpv6_error(kernel, dev, from, kind, code, info, quoted);
}
