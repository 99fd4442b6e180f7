//! A packet comes in: is it well formed, may it come this way, is it for this host or for another?

use std::net::{IpAddr, Ipv4Addr};

use super::cache::OwnKey;
use super::fib::{Key, RTAX_MTU, kind, scope, table};
use super::header::{Header, MIN_LEN, protocol, update_checksum};
use super::lookup::{self, address_type, is_local, select_source};
use super::sysctl::Conf;
use super::{Route, forward, fragment, icmp, igmp, options};
use crate::Kernel;
use crate::drop_reason::DropReason;
use crate::error::Errno;
use crate::frame::{ETH_HLEN, Frame, PacketType};
use crate::netdev::DevFlags;
use crate::types::{DevId, NsId};

/// What the destination of a packet for this host is to it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Target {
    /// `RTN_LOCAL`, broadcast or multicast.
    pub(super) kind: u8,
    /// Whether it stands among this host's own addresses.
    pub(super) own: bool,
}

impl Target {
    const MANY: Target = Target { kind: kind::BROADCAST, own: false };
    const GROUP: Target = Target { kind: kind::MULTICAST, own: false };
}

/// What is to become of a packet.
#[derive(Clone, Copy, Debug)]
pub(super) enum Decision {
    /// It is for this host.
    Deliver(Target),
    /// It goes on; the sender would have had a shorter way if `redirect`.
    Forward { route: Route, redirect: bool },
}

/// Why a packet gets no farther.
#[derive(Clone, Copy, Debug)]
pub(super) enum Refusal {
    /// No such packet may come this way.
    Martian,
    /// `rp_filter`.
    ReversePath,
    /// The routes say so.
    Route(Errno),
    /// A group that this host isn't in.
    Group,
}

/// The same, or why it gets no farther.
pub(super) type Verdict = Result<Decision, Refusal>;

/// What holds for all packets that come in through a device.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ingress {
    pub(super) dev: DevId,
    pub(super) ns: NsId,
    /// Whether it is `lo`.
    loopback: bool,
    forwards: bool,
    /// `rp_filter`.
    filter: i32,
    accepts_own: bool,
    /// The last source that was found to be nobody's here.
    foreign: Option<Ipv4Addr>,
}

impl Ingress {
    #[inline]
    pub(super) fn of(kernel: &Kernel, dev: DevId) -> Option<Ingress> {
        let device = kernel.devices.get(dev)?;
        let all = &kernel.namespaces.get(device.ns)?.ipv4.conf_all;
        let own = |conf| device.ipv4.as_ref().map_or(0, |interface| interface.conf.get(conf));
        Some(Ingress {
            dev,
            ns: device.ns,
            loopback: device.flags.contains(DevFlags::LOOPBACK),
            forwards: own(Conf::Forwarding) != 0,
            filter: own(Conf::RpFilter).max(all.get(Conf::RpFilter)),
            accepts_own: own(Conf::AcceptLocal) != 0 || all.get(Conf::AcceptLocal) != 0,
            foreign: None,
        })
    }
}

/// The copy of a packet that this host sent to many, itself included.
pub(super) fn receive_looped(kernel: &mut Kernel, dev: DevId, mut frame: Frame) {
    let Some(ns) = kernel.devices.get(dev).map(|device| device.ns) else { return };
    let Ok(header) = Header::parse(frame.payload()) else { return };
    let snmp = &mut kernel.namespaces[ns].ipv4.snmp;
    snmp.ip.in_receives += 1;
    snmp.ip_ext.in_octets += header.total as u64;
    let target = if header.destination.is_multicast() { Target::GROUP } else { Target::MANY };
    carry_out(kernel, ns, dev, &mut frame, &header, &Ok(Decision::Deliver(target)));
}

/// Does with a packet what was decided. It is taken out.
pub(super) fn carry_out(
    kernel: &mut Kernel,
    ns: NsId,
    dev: DevId,
    frame: &mut Frame,
    header: &Header,
    verdict: &Verdict,
) {
    let decision = match verdict {
        Ok(decision) => decision,
        Err(refusal) => return refuse(kernel, ns, dev, std::mem::take(frame), *refusal),
    };
    if header.length > MIN_LEN
        && let Err(pointer) = take_options(kernel, dev, frame, header, decision)
    {
        kernel.namespaces[ns].ipv4.snmp.ip.in_hdr_errors += 1;
        icmp::answer(kernel, dev, frame, icmp::PARAMETER_PROBLEM, 0, u32::from(pointer) << 24);
        return kernel.drop_frame(std::mem::take(frame), DropReason::IpInvalidHeader);
    }
    match decision {
        Decision::Deliver(target) => deliver(kernel, ns, dev, frame, header, *target),
        Decision::Forward { route, redirect } => {
            forward::forward(kernel, ns, dev, std::mem::take(frame), header, route, *redirect);
        }
    }
}

/// Does what a packet's options ask for; `Err` says where in the header something can't be.
#[inline(never)]
fn take_options(
    kernel: &mut Kernel,
    dev: DevId,
    frame: &mut Frame,
    header: &Header,
    decision: &Decision,
) -> Result<(), u8> {
    let own = match decision {
        Decision::Deliver(Target { kind: kind::LOCAL, .. }) => header.destination,
        Decision::Deliver(_) => select_source(kernel, dev, Some(header.source), scope::UNIVERSE),
        Decision::Forward { route, .. } => route.source,
    };
    let now = options::clock(kernel);
    let packet = &mut kernel.frames.bytes_mut(frame)[ETH_HLEN..];
    options::check(&packet[MIN_LEN..header.length])?;
    options::record(&mut packet[MIN_LEN..header.length], own, now);
    update_checksum(packet, header.length);
    Ok(())
}

/// Delivers a packet for this host, once it is whole.
#[inline(never)]
fn deliver(kernel: &mut Kernel, ns: NsId, dev: DevId, frame: &mut Frame, header: &Header, target: Target) {
    let Some(netns) = kernel.namespaces.get_mut(ns) else { return };
    let counters = &mut netns.ipv4.snmp.ip_ext;
    if target.kind == kind::MULTICAST {
        counters.in_mcast_pkts += 1;
        counters.in_mcast_octets += header.total as u64;
    } else if target.kind == kind::BROADCAST {
        counters.in_bcast_pkts += 1;
        counters.in_bcast_octets += header.total as u64;
    }
    let mut whole = *header;
    if header.is_fragment() {
        let Some(collected) = fragment::collect(kernel, ns, dev, std::mem::take(frame), header) else { return };
        (*frame, whole) = collected;
    }
    deliver_whole(kernel, ns, dev, frame, whole, target);
}

/// Hands a packet for this host to whom its protocol names.
#[inline(always)]
pub(super) fn deliver_whole(
    kernel: &mut Kernel,
    ns: NsId,
    dev: DevId,
    frame: &mut Frame,
    header: Header,
    target: Target,
) {
    let Some(netns) = kernel.namespaces.get_mut(ns) else { return };
    netns.ipv4.snmp.ip.in_delivers += 1;
    let sockets = !netns.inet_sockets.is_empty();
    let addresses = (header.source, header.destination);
    let message = frame.payload().get(header.length..).unwrap_or_default();
    let taken = sockets && crate::socket::inet::deliver_ipv4(kernel, dev, frame, header.protocol, addresses, message);
    let reason = if header.protocol == protocol::ICMP {
        icmp::receive(kernel, ns, dev, frame, message, header, target)
    } else {
        deliver_unknown(kernel, ns, dev, frame, header.protocol, taken)
    };
    kernel.drops.count(reason);
    kernel.frames.recycle_from(frame);
}

/// A packet of a protocol that only sockets know, if anybody; `taken`: one of them did.
#[inline(never)]
fn deliver_unknown(kernel: &mut Kernel, ns: NsId, dev: DevId, frame: &Frame, number: u8, taken: bool) -> DropReason {
    let snmp = &mut kernel.namespaces[ns].ipv4.snmp;
    match number {
        protocol::IGMP => DropReason::Consumed,
        protocol::TCP => DropReason::NoSocket,
        protocol::UDP => {
            if frame.packet_type() == PacketType::Host {
                snmp.udp_no_ports += 1;
                icmp::answer(kernel, dev, frame, icmp::UNREACHABLE, icmp::PORT, 0);
            }
            DropReason::NoSocket
        }
        _ if taken => DropReason::Consumed,
        _ => {
            snmp.ip.in_unknown_protos += 1;
            icmp::answer(kernel, dev, frame, icmp::UNREACHABLE, icmp::PROTOCOL, 0);
            DropReason::UnhandledProto
        }
    }
}

#[inline(never)]
fn refuse(kernel: &mut Kernel, ns: NsId, dev: DevId, frame: Frame, refusal: Refusal) {
    let forwards = kernel.conf_own(dev, Conf::Forwarding) != 0;
    let snmp = &mut kernel.namespaces[ns].ipv4.snmp;
    let (reason, code) = match refusal {
        Refusal::Martian => (DropReason::IpInvalidAddress, None),
        Refusal::Group => (DropReason::IpInvalidAddress, None),
        Refusal::ReversePath => {
            snmp.reverse_path_filter += 1;
            (DropReason::IpRpFilter, None)
        }
        Refusal::Route(Errno::ENETUNREACH) => {
            snmp.ip_ext.in_no_routes += 1;
            (DropReason::IpNoRoute, forwards.then_some(icmp::NET))
        }
        Refusal::Route(Errno::EHOSTUNREACH) => {
            if !forwards {
                snmp.ip.in_addr_errors += 1;
            }
            (DropReason::IpNoRoute, forwards.then_some(icmp::HOST))
        }
        Refusal::Route(Errno::EACCES) => (DropReason::IpNoRoute, forwards.then_some(icmp::FILTERED)),
        Refusal::Route(_) => (DropReason::IpNoRoute, None),
    };
    if let (Some(code), Some(source)) = (code, super::source_of(super::packet(&frame)))
        && icmp::may_answer_for_route(kernel, ns, source)
    {
        icmp::answer(kernel, dev, &frame, icmp::UNREACHABLE, code, 0);
    }
    kernel.drop_frame(frame, reason);
}

/// What a packet from `source` to `destination` received on `dev` is to this host (`RTN_LOCAL`, or `RTN_UNICAST` for one to be
/// passed on, with the device it would leave through); `None` for one that would be refused.
pub(crate) fn input_kind(kernel: &Kernel, dev: DevId, source: Ipv4Addr, destination: Ipv4Addr) -> Option<(u8, DevId)> {
    let header = Header {
        length: MIN_LEN,
        tos: 0,
        total: MIN_LEN,
        id: 0,
        fragment: 0,
        ttl: 1,
        protocol: 0,
        source,
        destination,
    };
    match decide(kernel, &mut Ingress::of(kernel, dev)?, &header).ok()? {
        Decision::Deliver(target) => Some((target.kind, dev)),
        Decision::Forward { route, .. } => Some((kind::UNICAST, route.dev)),
    }
}

/// The route of a packet that came in, for `ip route get … iif`.
pub(crate) fn input_route(kernel: &Kernel, dev: DevId, flow: &super::Flow) -> Result<Route, Errno> {
    let header = Header {
        length: MIN_LEN,
        tos: flow.tos,
        total: MIN_LEN,
        id: 0,
        fragment: 0,
        ttl: 1,
        protocol: 0,
        source: flow.source,
        destination: flow.destination,
    };
    let mut ingress = Ingress::of(kernel, dev).ok_or(Errno::ENODEV)?;
    match decide(kernel, &mut ingress, &header) {
        Ok(Decision::Deliver(target)) => Ok(Route {
            kind: target.kind,
            dev: kernel.namespaces[ingress.ns].ipv4.loopback.unwrap_or(dev),
            gateway: None,
            source: flow.source,
            mtu: 0,
            table: table::LOCAL,
        }),
        Ok(Decision::Forward { route, .. }) => Ok(route),
        Err(Refusal::Martian | Refusal::Group) => Err(Errno::EINVAL),
        Err(Refusal::ReversePath) => Err(Errno::EXDEV),
        Err(Refusal::Route(errno)) => Err(errno),
    }
}

/// What the route of a packet that came in through a device is looked up by.
#[inline(always)]
pub(super) fn key(dev: DevId, header: &Header) -> Key {
    let (source, destination) = (header.source, header.destination);
    Key {
        source: source.to_bits(),
        tos: header.tos & 0x1c,
        iif: Some(dev),
        hash: lookup::flow_hash(source.to_bits(), destination.to_bits()),
        ..Key::to(destination)
    }
}

/// Whether an address is one that only routes can tell something about: neither a group's nor a broadcast address nor loopback's.
#[inline(always)]
pub(super) fn is_plain(address: Ipv4Addr) -> bool {
    let first = address.octets()[0];
    first.wrapping_sub(1) < 223 && first != 127
}

/// What the addresses by themselves say of a packet, if it is anything.
#[inline(never)]
fn decide_special(kernel: &Kernel, ingress: &mut Ingress, header: &Header) -> Result<Option<Decision>, Refusal> {
    let (source, destination) = (header.source, header.destination);
    let Ingress { dev, loopback: from_self, .. } = *ingress;
    if destination.is_multicast() {
        if !igmp::is_member(kernel, dev, destination) && header.protocol != protocol::IGMP {
            return Err(Refusal::Group);
        }
        if source.is_multicast() || source.is_broadcast() {
            return Err(Refusal::Martian);
        }
        if source.octets()[0] == 0 {
            let near = destination.octets()[..3] == [224, 0, 0];
            if !near && header.protocol != protocol::IGMP {
                return Err(Refusal::Martian);
            }
        } else if !from_self {
            validate_source(kernel, ingress, header)?;
        }
        return Ok(Some(Decision::Deliver(Target::GROUP)));
    }
    if source.is_multicast() || source.is_broadcast() {
        return Err(Refusal::Martian);
    }
    if destination.is_broadcast() || (destination.is_unspecified() && source.is_unspecified()) {
        if source.octets()[0] != 0 && !from_self {
            validate_source(kernel, ingress, header)?;
        }
        return Ok(Some(Decision::Deliver(Target::MANY)));
    }
    if source.octets()[0] == 0 || destination.octets()[0] == 0 {
        return Err(Refusal::Martian);
    }
    if (source.is_loopback() || destination.is_loopback())
        && !from_self
        && !kernel.conf_either(dev, Conf::RouteLocalnet)
    {
        return Err(Refusal::Martian);
    }
    Ok(None)
}

/// What a packet's destination is to this host, where that was decided before and nothing has changed since.
#[inline(always)]
pub(super) fn decided(ipv4: &super::Namespace, dev: DevId, header: &Header) -> Option<Target> {
    ipv4.fib.own(own_key(dev, header)).filter(|_| !ipv4.rules.are_custom())
}

#[inline(always)]
fn own_key(dev: DevId, header: &Header) -> OwnKey {
    OwnKey { dev, source: header.source, destination: header.destination, tos: header.tos & 0x1c }
}

/// What is to become of a packet.
#[inline(always)]
pub(super) fn decide(kernel: &Kernel, ingress: &mut Ingress, header: &Header) -> Verdict {
    match decided(&kernel.namespaces[ingress.ns].ipv4, ingress.dev, header) {
        Some(target) => Ok(Decision::Deliver(target)),
        None => decide_anew(kernel, ingress, header),
    }
}

/// The same, which is kept where it follows from nothing but tables and settings.
#[inline(never)]
pub(super) fn decide_anew(kernel: &Kernel, ingress: &mut Ingress, header: &Header) -> Verdict {
    let verdict = decide_by_routes(kernel, ingress, header);
    let ipv4 = &kernel.namespaces[ingress.ns].ipv4;
    if let Ok(Decision::Deliver(target)) = verdict
        && !header.destination.is_multicast()
        && !ipv4.rules.are_custom()
    {
        ipv4.fib.keep_own(own_key(ingress.dev, header), target);
    }
    verdict
}

#[inline(always)]
fn decide_by_routes(kernel: &Kernel, ingress: &mut Ingress, header: &Header) -> Verdict {
    let (source, destination) = (header.source, header.destination);
    let plain = is_plain(source) && is_plain(destination);
    if !plain && let Some(decision) = decide_special(kernel, ingress, header)? {
        return Ok(decision);
    }
    let Ingress { dev, ns, loopback: from_self, forwards, .. } = *ingress;
    let found = match kernel.fib_lookup(ns, &key(dev, header)) {
        Ok(found) => found,
        Err(_) if !forwards => return Err(Refusal::Route(Errno::EHOSTUNREACH)),
        Err(errno) => return Err(Refusal::Route(errno)),
    };
    match found.alias.kind {
        kind @ (kind::LOCAL | kind::BROADCAST) => {
            if !from_self {
                validate_source(kernel, ingress, header)?;
            }
            let own = kind == kind::LOCAL && found.table == table::LOCAL;
            return Ok(Decision::Deliver(Target { kind, own }));
        }
        kind::UNICAST if forwards => {}
        kind::UNICAST => return Err(Refusal::Route(Errno::EHOSTUNREACH)),
        _ => return Err(Refusal::Martian),
    }
    validate_source(kernel, ingress, header)?;
    let Some(out) = found.nexthop.dev else { return Err(Refusal::Route(Errno::EINVAL)) };
    let mtu = match found.alias.metric(RTAX_MTU) {
        0 => kernel.devices.get(out).map_or(0, |device| device.mtu).min(65_535),
        mtu => mtu,
    };
    let gateway = found.nexthop.gateway;
    let redirect = out == dev
        && kernel.conf_either(dev, Conf::SendRedirects)
        && is_on_link(kernel, ns, dev, source)
        && (kernel.conf_either(dev, Conf::SharedMedia) || shares_network(kernel, dev, source, gateway));
    let own = if header.length > MIN_LEN {
        let towards = match gateway {
            Some(IpAddr::V4(gateway)) => gateway,
            _ => destination,
        };
        select_source(kernel, out, Some(towards), scope::UNIVERSE)
    } else {
        source
    };
    let route = Route { kind: kind::UNICAST, dev: out, gateway, source: own, mtu, table: found.table };
    Ok(Decision::Forward { route, redirect })
}

/// Whether packets to `address` would go out through `dev` without a gateway.
fn is_on_link(kernel: &Kernel, ns: NsId, dev: DevId, address: Ipv4Addr) -> bool {
    kernel
        .fib_lookup(ns, &Key::to(address))
        .is_ok_and(|found| found.nexthop.dev == Some(dev) && found.nexthop.scope >= scope::HOST)
}

fn shares_network(kernel: &Kernel, dev: DevId, source: Ipv4Addr, gateway: Option<IpAddr>) -> bool {
    let Some(IpAddr::V4(gateway)) = gateway else { return false };
    kernel.addresses(dev).iter().any(|address| address.covers(source) && address.covers(gateway))
}

/// Whether a packet with this source may come in through this device.
#[inline(always)]
fn validate_source(kernel: &Kernel, ingress: &mut Ingress, header: &Header) -> Result<(), Refusal> {
    if ingress.filter != 0 {
        return filter_reverse_path(kernel, ingress, header);
    }
    if !ingress.accepts_own && ingress.foreign != Some(header.source) {
        if is_local(kernel, ingress.ns, header.source) {
            return Err(Refusal::Martian);
        }
        ingress.foreign = Some(header.source);
    }
    Ok(())
}

/// `rp_filter`: whether packets to its source would leave through the device that it came in by.
fn filter_reverse_path(kernel: &Kernel, ingress: &Ingress, header: &Header) -> Result<(), Refusal> {
    let source = header.source;
    let Ingress { dev, ns, filter, accepts_own, .. } = *ingress;
    let key = Key {
        source: header.destination.to_bits(),
        tos: header.tos & 0x1c,
        iif: kernel.namespaces.get(ns).and_then(|netns| netns.ipv4.loopback),
        ..Key::to(source)
    };
    let found = match kernel.fib_lookup(ns, &key) {
        Ok(found) => found,
        Err(_) => return Err(Refusal::ReversePath),
    };
    match found.alias.kind {
        kind::UNICAST => {}
        kind::LOCAL if accepts_own => {}
        _ => return Err(Refusal::Martian),
    }
    let this_way = found.alias.nexthops.iter().any(|hop| hop.dev == Some(dev));
    if this_way || filter == 2 {
        return Ok(());
    }
    Err(Refusal::ReversePath)
}

/// What a packet's source is, for those that must not answer broadcasts.
pub(super) fn is_to_many(kernel: &Kernel, ns: NsId, address: Ipv4Addr) -> bool {
    matches!(address_type(kernel, ns, address), kind::BROADCAST | kind::MULTICAST)
}
