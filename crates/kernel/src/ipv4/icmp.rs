//! ICMP (RFC 792): answers to echo requests, errors about packets that get no farther, and what other hosts' errors tell.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use super::checksum::{add, fold, is_right_sum, native_sum};
use super::header::{DF, Header, MIN_LEN, OFFSET, protocol};
use super::input::Target;
use super::lookup::{self, address_type, is_local, select_source};
use super::sysctl::Conf;
use super::{Flow, Outgoing, exception, fib::kind, input, options, output, scope};
use crate::Kernel;
use crate::drop_reason::DropReason;
use crate::frame::{Frame, PacketType};
use crate::neighbour::{self, nud};
use crate::netdev::DevFlags;
use crate::types::{DevId, Instant, NsId};

/// Types.
const ECHO_REPLY: u8 = 0;
/// Destination unreachable.
pub(super) const UNREACHABLE: u8 = 3;
const SOURCE_QUENCH: u8 = 4;
const REDIRECT: u8 = 5;
const ECHO: u8 = 8;
/// Time exceeded: code 0 in transit, 1 in reassembly.
pub(super) const TIME_EXCEEDED: u8 = 11;
/// A header that can't be; the first byte of the next word points at where.
pub(super) const PARAMETER_PROBLEM: u8 = 12;
const TIMESTAMP: u8 = 13;
const TIMESTAMP_REPLY: u8 = 14;
/// The largest type that there is.
const TYPES: u8 = 18;

/// Codes of [`UNREACHABLE`].
pub(super) const NET: u8 = 0;
/// See [`NET`].
pub(super) const HOST: u8 = 1;
/// See [`NET`].
pub(super) const PROTOCOL: u8 = 2;
/// See [`NET`].
pub(super) const PORT: u8 = 3;
/// See [`NET`].
pub(super) const FRAGMENTATION_NEEDED: u8 = 4;
/// Communication administratively prohibited.
pub(super) const FILTERED: u8 = 13;

/// Type, code, checksum and one more word.
const HEADER_LEN: usize = 8;
/// No error is longer than this (RFC 1812, 4.3.2.3).
const LONGEST_ERROR: usize = 576;

/// How many answers may follow each other to one host after a silence: in units of the time that each costs.
const BURST: u32 = 6;
/// The same for answers about routes.
const ROUTE_BURST: Duration = Duration::from_secs(5);
/// What each of those costs.
const ROUTE_COST: Duration = Duration::from_secs(1);
/// The n-th redirect to a host waits this long times two to the n.
const REDIRECT_LOAD: Duration = Duration::from_millis(20);
/// After so many, a host that doesn't listen gets no more.
const REDIRECTS: u32 = 9;
/// After this silence it starts anew.
const REDIRECT_SILENCE: Duration = Duration::from_millis(20 << 10);
/// How many hosts are kept count of.
const PEERS: usize = 65_536;

/// What one host may still be sent.
#[derive(Clone, Copy, Debug)]
struct Peer {
    /// Time saved up.
    saved: Duration,
    last: Instant,
    redirects: u32,
    redirected: Instant,
}

/// What limits the rate of answers.
#[derive(Debug, Default)]
pub(super) struct Limits {
    peers: BTreeMap<Ipv4Addr, Peer>,
    /// Answers to anybody, and when that was counted.
    credit: Option<(u64, Instant)>,
}

impl Limits {
    fn peer(&mut self, address: Ipv4Addr, now: Instant) -> &mut Peer {
        if self.peers.len() >= PEERS && !self.peers.contains_key(&address) {
            self.peers.pop_first();
        }
        let saved = Duration::from_secs(60);
        self.peers.entry(address).or_insert(Peer { saved, last: now, redirects: 0, redirected: now })
    }

    /// Whether `address` may be sent something that costs `cost`, with no more than `most` saved up.
    fn may_send(&mut self, address: Ipv4Addr, now: Instant, cost: Duration, most: Duration) -> bool {
        let peer = self.peer(address, now);
        peer.saved = (peer.saved + now.since(peer.last)).min(most);
        peer.last = now;
        let may = peer.saved >= cost;
        if may {
            peer.saved -= cost;
        }
        may
    }

    /// Whether anybody may be sent something.
    fn may_send_any(&mut self, now: Instant, per_second: u64, burst: u64) -> bool {
        let (mut credit, mut since) = self.credit.unwrap_or((burst, now));
        let passed = now.since(since);
        let earned = (passed.as_millis() as u64).min(1_000) * per_second / 1_000;
        if earned > 0 {
            credit = (credit + earned).min(burst);
            since = now;
        }
        self.credit = Some((credit.saturating_sub(1), since));
        credit > 0
    }
}

/// Whether a host may be told that a route of ours refuses its packet.
pub(super) fn may_answer_for_route(kernel: &mut Kernel, ns: NsId, source: Ipv4Addr) -> bool {
    let now = kernel.now;
    kernel.namespaces[ns].ipv4.limits.may_send(source, now, ROUTE_COST, ROUTE_BURST)
}

fn is_limited(kernel: &Kernel, ns: NsId, kind: u8, code: u8) -> bool {
    let mask = kernel.namespaces[ns].ipv4.settings.icmp_ratemask;
    kind <= TYPES && (kind, code) != (UNREACHABLE, FRAGMENTATION_NEEDED) && mask >> kind & 1 != 0
}

/// Whether a packet is an ICMP error, about which no error may be sent.
fn is_error(packet: &[u8], header: &Header) -> bool {
    if header.protocol != protocol::ICMP {
        return false;
    }
    match packet.get(header.length) {
        None => true,
        Some(kind) => {
            *kind > TYPES || matches!(*kind, UNREACHABLE | SOURCE_QUENCH | REDIRECT | TIME_EXCEEDED | PARAMETER_PROBLEM)
        }
    }
}

/// Tells the sender of a packet received on `dev` what became of it; `info` is the word before the quoted packet.
pub(super) fn answer(kernel: &mut Kernel, dev: DevId, frame: &Frame, kind: u8, code: u8, info: u32) {
    if frame.packet_type() == PacketType::Host {
        about(kernel, dev, frame.payload(), kind, code, info);
    }
}

/// Tells the sender of a packet that waited for a neighbour that it is not there.
pub(crate) fn link_failure(kernel: &mut Kernel, dev: DevId, frame: &Frame) {
    about(kernel, dev, frame.payload(), UNREACHABLE, HOST, 0);
}

/// Tells the sender of a packet received on `dev` of a better gateway.
pub(super) fn redirect(kernel: &mut Kernel, dev: DevId, frame: &Frame, gateway: Ipv4Addr) {
    let Some(ns) = kernel.devices.get(dev).map(|device| device.ns) else { return };
    let Some(source) = super::source_of(frame.payload()) else { return };
    let now = kernel.now;
    let peer = kernel.namespaces[ns].ipv4.limits.peer(source, now);
    if now.since(peer.redirected) > REDIRECT_SILENCE {
        peer.redirects = 0;
    }
    if peer.redirects >= REDIRECTS {
        peer.redirected = now;
        return;
    }
    if peer.redirects == 0 || now.since(peer.redirected) > REDIRECT_LOAD * (1 << peer.redirects) {
        peer.redirects += 1;
        peer.redirected = now;
        answer(kernel, dev, frame, REDIRECT, 1, gateway.to_bits());
    }
}

#[inline(never)]
fn about(kernel: &mut Kernel, dev: DevId, packet: &[u8], kind: u8, code: u8, info: u32) {
    let Some(device) = kernel.devices.get(dev) else { return };
    let ns = device.ns;
    let Some(header) = packet.first_chunk().map(Header::read) else { return };
    if header.fragment & OFFSET != 0
        || is_error(packet, &header)
        || input::is_to_many(kernel, ns, header.destination)
        || input::is_to_many(kernel, ns, header.source)
    {
        return;
    }
    let now = kernel.now;
    let limited = is_limited(kernel, ns, kind, code);
    if limited {
        let ipv4 = &mut kernel.namespaces[ns].ipv4;
        let (rate, burst) = (ipv4.settings.icmp_msgs_per_sec, ipv4.settings.icmp_msgs_burst);
        if !ipv4.limits.may_send_any(now, rate.max(0) as u64, burst.max(0) as u64) {
            ipv4.snmp.icmp.out_rate_limit_global += 1;
            return;
        }
    }
    let source = if is_local(kernel, ns, header.destination) {
        header.destination
    } else if kernel.namespaces[ns].ipv4.settings.icmp_errors_use_inbound_ifaddr != 0 {
        select_source(kernel, dev, Some(header.source), scope::LINK)
    } else {
        Ipv4Addr::UNSPECIFIED
    };
    let tos = (header.tos & 0x1e) | 0xc0;
    let flow = Flow { source, tos, ..Flow::to(header.source) };
    let Ok(route) = super::lookup(kernel, ns, &flow) else { return };
    let to_self = kernel.devices.get(route.dev).is_some_and(|device| device.flags.contains(DevFlags::LOOPBACK));
    if limited && !to_self {
        let ipv4 = &mut kernel.namespaces[ns].ipv4;
        let cost = Duration::from_millis(ipv4.settings.icmp_ratelimit.max(0) as u64);
        if !ipv4.limits.may_send(header.source, now, cost, cost * BURST) {
            ipv4.snmp.icmp.out_rate_limit_host += 1;
            return;
        }
    }
    let options = options::echo(packet.get(MIN_LEN..header.length).unwrap_or_default());
    let room = (route.mtu as usize).min(LONGEST_ERROR).saturating_sub(MIN_LEN + options.len() + HEADER_LEN);
    let quoted = &packet[..packet.len().min(room)];
    let (ttl, head) = begin(kernel, ns, native_sum(quoted), (kind, code), info);
    let out = Outgoing {
        source,
        destination: header.source,
        protocol: protocol::ICMP,
        tos,
        ttl,
        dont_fragment: false,
        options: &options,
        head: Some(head),
        payload: quoted,
    };
    let _ = output::send(kernel, ns, out, route);
}

/// Counts a message that is to be sent: its time to live, and its head (type and code, checksum, one more word). The sum of what
/// follows that is known.
#[inline(always)]
fn begin(kernel: &mut Kernel, ns: NsId, payload_sum: u64, (kind, code): (u8, u8), info: u32) -> (u8, [u8; HEADER_LEN]) {
    let [a, b, c, d] = info.to_be_bytes();
    let head = [kind, code, 0, 0, a, b, c, d];
    let [high, low] = fold(add(payload_sum, u64::from_ne_bytes(head))).to_ne_bytes();
    let ipv4 = &mut kernel.namespaces[ns].ipv4;
    ipv4.snmp.icmp.out_msgs += 1;
    ipv4.snmp.icmp.out_types.count(kind);
    (ipv4.settings.ip_default_ttl.clamp(1, 255) as u8, [kind, code, high, low, a, b, c, d])
}

/// An ICMP message for this host. What became of it.
#[inline(always)]
pub(super) fn receive(
    kernel: &mut Kernel,
    ns: NsId,
    dev: DevId,
    frame: &Frame,
    message: &[u8],
    header: Header,
    target: Target,
) -> DropReason {
    let Some(ipv4) = kernel.namespaces.get_mut(ns).map(|netns| &mut netns.ipv4) else { return DropReason::DevReady };
    let counters = &mut ipv4.snmp.icmp;
    counters.in_msgs += 1;
    let Some((head, payload)) = message.split_first_chunk::<HEADER_LEN>() else {
        counters.in_errors += 1;
        return DropReason::PacketTooSmall;
    };
    let payload_sum = native_sum(payload);
    if !is_right_sum(add(payload_sum, u64::from_ne_bytes(*head))) {
        counters.in_csum_errors += 1;
        counters.in_errors += 1;
        return DropReason::IpChecksum;
    }
    let [kind, code, _, _, a, b, c, d] = *head;
    let info = u32::from_be_bytes([a, b, c, d]);
    counters.in_types.count(kind);
    if kind > TYPES {
        counters.in_errors += 1;
        return DropReason::UnhandledProto;
    }
    let settings = &ipv4.settings;
    let to_many = frame.packet_type() != PacketType::Host || target.kind != kind::LOCAL;
    if to_many && (!matches!(kind, ECHO | TIMESTAMP) || settings.icmp_echo_ignore_broadcasts != 0) {
        return DropReason::Consumed;
    }
    let request = Request { dev, frame, header, target, code, info };
    match kind {
        ECHO if settings.icmp_echo_ignore_all != 0 => {}
        ECHO => reply(kernel, ns, &request, ECHO_REPLY, payload, payload_sum),
        ECHO_REPLY => {}
        _ => receive_other(kernel, ns, request, kind, message),
    }
    DropReason::Consumed
}

/// A message that is to be answered.
#[derive(Clone, Copy)]
struct Request<'a> {
    dev: DevId,
    frame: &'a Frame,
    header: Header,
    target: Target,
    code: u8,
    info: u32,
}

/// A message that is neither echo nor its reply.
#[inline(never)]
fn receive_other(kernel: &mut Kernel, ns: NsId, request: Request<'_>, kind: u8, message: &[u8]) {
    let Request { dev, header, code, .. } = request;
    match kind {
        TIMESTAMP if message.len() >= 20 => {
            let now = options::clock(kernel).to_be_bytes();
            let times = [&message[HEADER_LEN..12], &now, &now].concat();
            reply(kernel, ns, &request, TIMESTAMP_REPLY, &times, native_sum(&times));
        }
        UNREACHABLE | SOURCE_QUENCH | TIME_EXCEEDED | PARAMETER_PROBLEM => {
            error(kernel, ns, dev, header.source, (kind, code), message);
        }
        REDIRECT => redirected(kernel, ns, dev, header.source, code, message),
        _ => {}
    }
}

/// Answers a request; the sum of what the answer carries is known.
#[inline(always)]
fn reply(kernel: &mut Kernel, ns: NsId, request: &Request<'_>, kind: u8, payload: &[u8], payload_sum: u64) {
    let Request { dev, frame, header, target, code, info } = *request;
    let source = if target.kind == kind::LOCAL {
        header.destination
    } else {
        select_source(kernel, dev, Some(header.source), scope::UNIVERSE)
    };
    let flow = Flow { source, any_source: target.own, tos: header.tos, ..Flow::to(header.source) };
    let Ok(route) = lookup::output(kernel, ns, flow) else { return };
    let options = if header.length > MIN_LEN {
        options::echo(frame.payload().get(MIN_LEN..header.length).unwrap_or_default())
    } else {
        Vec::new()
    };
    let (ttl, head) = begin(kernel, ns, payload_sum, (kind, code), info);
    let out = Outgoing {
        source,
        destination: header.source,
        protocol: protocol::ICMP,
        tos: header.tos,
        ttl,
        dont_fragment: false,
        options: &options,
        head: Some(head),
        payload,
    };
    let _ = output::send_here(kernel, ns, &out, &route);
}

/// Another host's error about a packet of this one: the sockets are told, a smaller path MTU is remembered.
#[inline(never)]
fn error(kernel: &mut Kernel, ns: NsId, dev: DevId, from: Ipv4Addr, (kind, code): (u8, u8), message: &[u8]) {
    let quoted = &message[HEADER_LEN..];
    let Some(about) = quoted.first_chunk::<MIN_LEN>().map(Header::read) else {
        kernel.namespaces[ns].ipv4.snmp.icmp.in_errors += 1;
        return;
    };
    if about.length < MIN_LEN || quoted.len() < about.length {
        kernel.namespaces[ns].ipv4.snmp.icmp.in_errors += 1;
        return;
    }
    let mut info = 0;
    match (kind, code) {
        (UNREACHABLE, FRAGMENTATION_NEEDED) => {
            info = u32::from(u16::from_be_bytes([message[6], message[7]]));
            if kernel.namespaces[ns].ipv4.settings.ip_no_pmtu_disc != 2 {
                learn_mtu(kernel, ns, &about, info);
            }
        }
        (PARAMETER_PROBLEM, _) => info = u32::from(message[4]),
        _ => {}
    }
    crate::socket::inet::icmp_error(kernel, dev, from, kind, code, info, quoted);
}

fn learn_mtu(kernel: &mut Kernel, ns: NsId, about: &Header, mtu: u32) {
    if about.fragment & DF == 0 && mtu == 0 {
        return;
    }
    let flow = Flow { source: about.source, any_source: true, ..Flow::to(about.destination) };
    let Ok(route) = super::lookup(kernel, ns, &flow) else { return };
    if mtu != 0 && mtu < route.mtu {
        exception::learn_mtu(kernel, ns, about.destination, mtu);
    }
}

/// A router names a better gateway for a destination; it is believed if the router is the one that is used now.
#[inline(never)]
fn redirected(kernel: &mut Kernel, ns: NsId, dev: DevId, from: Ipv4Addr, code: u8, message: &[u8]) {
    let quoted = &message[HEADER_LEN..];
    let Some(about) = quoted.first_chunk::<MIN_LEN>().map(Header::read) else { return };
    let gateway = Ipv4Addr::new(message[4], message[5], message[6], message[7]);
    let forwards = kernel.conf_own(dev, Conf::Forwarding) != 0;
    let accepts = if forwards {
        kernel.conf_both(dev, Conf::AcceptRedirects)
    } else {
        kernel.conf_either(dev, Conf::AcceptRedirects)
    };
    let shared = kernel.conf_either(dev, Conf::SharedMedia);
    let near = kernel.addresses(dev).iter().any(|address| address.covers(gateway) && address.covers(from));
    let flow = Flow { source: about.source, any_source: true, ..Flow::to(about.destination) };
    let through_router =
        super::lookup(kernel, ns, &flow).is_ok_and(|route| route.dev == dev && route.gateway == Some(IpAddr::V4(from)));
    if accepts
        && gateway != from
        && (shared || near)
        && address_type(kernel, ns, gateway) == kind::UNICAST
        && through_router
    {
        let next_hop = IpAddr::V4(gateway);
        if kernel.neighbour(dev, next_hop).is_some_and(|entry| entry.state & nud::VALID != 0) {
            exception::learn_gateway(kernel, ns, about.destination, gateway);
        } else {
            // First it has to show that it is there.
            let _ = neighbour::touch(kernel, dev, next_hop);
        }
    }
    crate::socket::inet::icmp_error(kernel, dev, from, REDIRECT, code, gateway.to_bits(), quoted);
}
