//! Neighbour discovery (RFC 4861, 7.2): solicitations and advertisements, and what they tell the neighbour table.

use std::net::{IpAddr, Ipv6Addr};

use super::state::{self, Update};
use super::table::{Place, nud};
use crate::Kernel;
use crate::drop_reason::DropReason;
use crate::frame::Frame;
use crate::ipv6::groups::{ALL_NODES, solicited_node};
use crate::ipv6::{Conf, Link, addr, anycast, duplicate_found, send_on_link};
use crate::netdev::DevFlags;
use crate::types::{DevId, MacAddr};

const SOLICITATION: u8 = 135;
const ADVERTISEMENT: u8 = 136;

/// Options: the sender's address on the link, the target's, a nonce (RFC 3971).
const SOURCE_ADDRESS: u8 = 1;
const TARGET_ADDRESS: u8 = 2;
const NONCE: u8 = 14;

/// Flags of an advertisement.
const ROUTER: u8 = 0x80;
const SOLICITED: u8 = 0x40;
const OVERRIDE: u8 = 0x20;

/// Type, code, checksum, flags and target.
const LEN: usize = 24;

/// A message that came in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct News<'a> {
    pub(crate) source: Ipv6Addr,
    pub(crate) destination: Ipv6Addr,
    /// The frame's source.
    pub(crate) from: MacAddr,
    pub(crate) message: &'a [u8],
}

/// The options of a message.
#[derive(Clone, Copy, Debug, Default)]
struct Options {
    lladdr: Option<MacAddr>,
    nonce: Option<[u8; 6]>,
}

impl Options {
    /// `None` where one of them can't be.
    fn parse(mut bytes: &[u8], wanted: u8) -> Option<Options> {
        let mut options = Options::default();
        while let [kind, length, ..] = *bytes {
            let length = usize::from(length) * 8;
            let option = bytes.get(..length).filter(|_| length > 0)?;
            match kind {
                kind if kind == wanted => options.lladdr = option.get(2..).and_then(MacAddr::from_slice),
                NONCE => options.nonce = option.get(2..).and_then(|nonce| nonce.first_chunk().copied()),
                _ => {}
            }
            bytes = &bytes[length..];
        }
        Some(options)
    }
}

fn mac(kernel: &Kernel, dev: DevId) -> Option<MacAddr> {
    let device = kernel.devices.get(dev)?;
    (!device.flags.intersects(DevFlags::NOARP | DevFlags::LOOPBACK)).then_some(device.address)
}

/// Asks who has `target`: the whole solicited-node group, or the one who had it (`known`). `waiting` is a packet that shall go
/// there.
pub(crate) fn solicit(kernel: &mut Kernel, dev: DevId, target: Ipv6Addr, known: bool, waiting: Option<&Frame>) {
    let theirs = waiting.and_then(|frame| frame.payload().get(8..24)?.first_chunk::<16>().copied());
    let theirs = theirs.map(Ipv6Addr::from);
    let usable = |address: &Ipv6Addr| kernel.address6(dev, *address).is_some_and(|own| own.is_usable());
    let source = theirs.filter(usable).or_else(|| addr::link_local(kernel, dev, false));
    let Some(source) = source else { return };
    let destination = if known { target } else { solicited_node(target) };
    send_solicitation(kernel, dev, target, source, destination, None);
}

/// Asks whether somebody has an address that this host would like to have.
pub(crate) fn probe(kernel: &mut Kernel, dev: DevId, target: Ipv6Addr, nonce: Option<[u8; 6]>) {
    send_solicitation(kernel, dev, target, Ipv6Addr::UNSPECIFIED, solicited_node(target), nonce);
}

fn send_solicitation(
    kernel: &mut Kernel,
    dev: DevId,
    target: Ipv6Addr,
    source: Ipv6Addr,
    destination: Ipv6Addr,
    nonce: Option<[u8; 6]>,
) {
    let Some(mac) = mac(kernel, dev) else { return };
    let mut message = vec![SOLICITATION, 0, 0, 0, 0, 0, 0, 0];
    message.extend(target.octets());
    if !source.is_unspecified() {
        message.extend([SOURCE_ADDRESS, 1]);
        message.extend(mac.0);
    }
    if let Some(nonce) = nonce {
        message.extend([NONCE, 1]);
        message.extend(nonce);
    }
    send_on_link(kernel, &Link { dev, source, destination, hop_limit: 255, router_alert: false }, &message);
}

/// Tells everybody of an address of this host.
pub(crate) fn announce(kernel: &mut Kernel, dev: DevId, address: Ipv6Addr) {
    advertise(kernel, dev, ALL_NODES, address, OVERRIDE, true);
}

fn advertise(kernel: &mut Kernel, dev: DevId, to: Ipv6Addr, target: Ipv6Addr, flags: u8, with_address: bool) {
    let Some(mac) = mac(kernel, dev) else { return };
    let router = if kernel.conf6(dev, Conf::Forwarding) != 0 { ROUTER } else { 0 };
    let own = kernel.address6(dev, target).is_some_and(|own| own.is_usable());
    let Some(source) = Some(target).filter(|_| own).or_else(|| addr::link_local(kernel, dev, false)) else { return };
    let mut message = vec![ADVERTISEMENT, 0, 0, 0, flags | router, 0, 0, 0];
    message.extend(target.octets());
    if with_address {
        message.extend([TARGET_ADDRESS, 1]);
        message.extend(mac.0);
    }
    send_on_link(kernel, &Link { dev, source, destination: to, hop_limit: 255, router_alert: false }, &message);
}

/// A solicitation or an advertisement.
pub(crate) fn receive(kernel: &mut Kernel, dev: DevId, news: &News<'_>) -> DropReason {
    let Some(head) = news.message.first_chunk::<LEN>() else { return DropReason::PacketTooSmall };
    let mut octets = [0; 16];
    octets.copy_from_slice(&head[8..]);
    let target = Ipv6Addr::from(octets);
    if target.is_multicast() {
        return DropReason::ArpNotForUs;
    }
    let rest = &news.message[LEN..];
    if head[0] == SOLICITATION {
        let Some(options) = Options::parse(rest, SOURCE_ADDRESS) else { return DropReason::IpInvalidHeader };
        solicited(kernel, dev, news, target, options)
    } else {
        let Some(options) = Options::parse(rest, TARGET_ADDRESS) else { return DropReason::IpInvalidHeader };
        advertised(kernel, dev, news, target, options, head[4])
    }
}

fn solicited(kernel: &mut Kernel, dev: DevId, news: &News<'_>, target: Ipv6Addr, options: Options) -> DropReason {
    let probing = news.source.is_unspecified();
    // RFC 4861, 7.1.1: a probe goes to the group, and says nothing of its sender.
    if probing && (options.lladdr.is_some() || news.destination != solicited_node(target)) {
        return DropReason::ArpNotForUs;
    }
    let own = kernel.address6(dev, target);
    if own.is_some_and(|own| !own.is_usable()) {
        if probing {
            duplicate_found(kernel, dev, target, news.from, options.nonce);
        }
        return DropReason::Consumed;
    }
    let is_own = own.is_some();
    let ns = kernel.devices.get(dev).map(|device| device.ns);
    let proxied = ns.is_some_and(|ns| {
        let answers = kernel.conf6(dev, Conf::Forwarding) != 0
            && (kernel.conf6(dev, Conf::ProxyNdp) != 0 || kernel.conf6_all(dev, Conf::ProxyNdp) != 0);
        answers && kernel.namespaces[ns].neighbours.proxies.contains(&(target.into(), dev))
    });
    let anycast = anycast::list(kernel, dev).iter().any(|(own, _)| *own == target);
    if !is_own && !anycast && !proxied {
        return DropReason::ArpNotForUs;
    }
    if probing {
        let flags = if is_own { OVERRIDE } else { 0 };
        advertise(kernel, dev, ALL_NODES, target, flags, true);
        return DropReason::Consumed;
    }
    let asks_group = news.destination.is_multicast();
    if !asks_group || options.lladdr.is_some() {
        heard(kernel, dev, news.source, options.lladdr);
    }
    let flags = SOLICITED | if is_own && asks_group { OVERRIDE } else { 0 };
    advertise(kernel, dev, news.source, target, flags, asks_group);
    DropReason::Consumed
}

/// Who asks for one of our addresses will be answered: it is entered in the table.
fn heard(kernel: &mut Kernel, dev: DevId, address: Ipv6Addr, lladdr: Option<MacAddr>) {
    if let Ok((ns, id)) = state::find_or_make(kernel, dev, IpAddr::V6(address)) {
        let _ = state::update(kernel, ns, id, Update::heard(lladdr, nud::STALE, true));
    }
}

fn advertised(
    kernel: &mut Kernel,
    dev: DevId,
    news: &News<'_>,
    target: Ipv6Addr,
    options: Options,
    flags: u8,
) -> DropReason {
    if news.destination.is_multicast() && flags & SOLICITED != 0 {
        return DropReason::ArpNotForUs;
    }
    if let Some(own) = kernel.address6(dev, target) {
        if own.is_tentative() {
            duplicate_found(kernel, dev, target, news.from, None);
        } else if kernel.may_log() {
            let name = kernel.devices.get(dev).map(|device| device.name.to_string()).unwrap_or_default();
            let by = options.lladdr.unwrap_or(news.from);
            kernel.warning(format!("ICMPv6: NA: {by} advertised our address {target} on {name}!"));
        }
        return DropReason::Consumed;
    }
    let Some(ns) = kernel.devices.get(dev).map(|device| device.ns) else { return DropReason::DevReady };
    let Some(id) = kernel.namespaces[ns].neighbours.find(Place::of(dev, &IpAddr::V6(target))) else {
        return DropReason::ArpNotForUs;
    };
    if kernel.neigh(ns, id).is_none_or(|entry| entry.state & nud::FAILED != 0) {
        return DropReason::ArpNotForUs;
    }
    let update = Update {
        lladdr: options.lladdr,
        state: if flags & SOLICITED != 0 { nud::REACHABLE } else { nud::STALE },
        replace: flags & OVERRIDE != 0,
        doubt: true,
        router: Some(flags & ROUTER != 0),
        admin: false,
    };
    let _ = state::update(kernel, ns, id, update);
    DropReason::Consumed
}
