//! ARP (RFC 826): the packets, and what they tell the neighbour table.

use std::net::{IpAddr, Ipv4Addr};

use super::state::{self, Update};
use super::table::{Place, nud};
use crate::Kernel;
use crate::drop_reason::DropReason;
use crate::frame::{ETH_HLEN, Frame, PacketType};
use crate::ipv4::{self, Conf, kind, scope};
use crate::netdev::DevFlags;
use crate::path::ethertype;
use crate::types::{DevId, MacAddr};

/// An ARP packet for IPv4 over Ethernet.
const ARP_LEN: usize = 28;

/// `ARPOP_…`.
const REQUEST: u16 = 1;
/// See [`REQUEST`].
const REPLY: u16 = 2;

/// What an ARP packet says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Packet {
    operation: u16,
    sender: (MacAddr, Ipv4Addr),
    target: (MacAddr, Ipv4Addr),
}

impl Packet {
    fn parse(bytes: &[u8]) -> Option<Packet> {
        let packet: &[u8; ARP_LEN] = bytes.first_chunk()?;
        // Hardware Ethernet (or IEEE 802), protocol IPv4, lengths 6 and 4.
        if !matches!(packet[..2], [0, 1] | [0, 6]) || packet[2..6] != [0x08, 0x00, 6, 4] {
            return None;
        }
        let address = |at: usize| Ipv4Addr::new(packet[at], packet[at + 1], packet[at + 2], packet[at + 3]);
        Some(Packet {
            operation: u16::from_be_bytes([packet[6], packet[7]]),
            sender: (MacAddr::from_slice(&packet[8..])?, address(14)),
            target: (MacAddr::from_slice(&packet[18..])?, address(24)),
        })
    }

    fn write(&self, bytes: &mut [u8]) {
        let fields: [&[u8]; 6] = [
            &[0, 1, 0x08, 0x00, 6, 4],
            &self.operation.to_be_bytes(),
            &self.sender.0.0,
            &self.sender.1.octets(),
            &self.target.0.0,
            &self.target.1.octets(),
        ];
        let written = fields.into_iter().flatten();
        bytes.iter_mut().zip(written).for_each(|(byte, value)| *byte = *value);
    }
}

fn send(kernel: &mut Kernel, dev: DevId, to: MacAddr, packet: Packet) {
    let Some(device) = kernel.devices.get(dev) else { return };
    if device.flags.contains(DevFlags::NOARP) {
        return;
    }
    let from = device.address;
    let frame = kernel.frames.build(ETH_HLEN + ARP_LEN, |bytes| {
        bytes[..6].copy_from_slice(&to.0);
        bytes[6..12].copy_from_slice(&from.0);
        bytes[12..14].copy_from_slice(&ethertype::ARP.to_be_bytes());
        packet.write(&mut bytes[ETH_HLEN..]);
    });
    let _ = kernel.transmit(dev, frame);
}

/// Asks who has `target`: everybody, or the one who had it (`to`). `waiting` is a packet that shall go there.
pub(super) fn solicit(kernel: &mut Kernel, dev: DevId, target: Ipv4Addr, to: Option<MacAddr>, waiting: Option<&Frame>) {
    let Some(device) = kernel.devices.get(dev) else { return };
    let (ns, own, broadcast) = (device.ns, device.address, device.broadcast);
    let theirs = waiting.and_then(|frame| ipv4::source_of(frame.payload()));
    let theirs = theirs.filter(|source| ipv4::address_type(kernel, ns, *source) == kind::LOCAL);
    let source = match kernel.conf_max(dev, Conf::ArpAnnounce) {
        0 => theirs,
        // Only an address of a network that the target is in.
        1 => theirs.filter(|source| {
            kernel.addresses(dev).iter().any(|address| address.covers(target) && address.covers(*source))
        }),
        _ => None,
    };
    let source = source.unwrap_or_else(|| ipv4::select_source(kernel, dev, Some(target), scope::LINK));
    let packet = Packet { operation: REQUEST, sender: (own, source), target: (MacAddr::ZERO, target) };
    send(kernel, dev, to.unwrap_or(broadcast), packet);
}

/// Tells everybody on a device's link its addresses (`arp_notify`).
pub(crate) fn announce(kernel: &mut Kernel, dev: DevId) {
    if kernel.conf_max(dev, Conf::ArpNotify) == 0 {
        return;
    }
    let Some(device) = kernel.devices.get(dev) else { return };
    let (own, broadcast) = (device.address, device.broadcast);
    let locals: Vec<Ipv4Addr> = kernel.addresses(dev).iter().map(|address| address.local).collect();
    for local in locals {
        let packet = Packet { operation: REQUEST, sender: (own, local), target: (MacAddr::ZERO, local) };
        send(kernel, dev, broadcast, packet);
    }
}

/// An ARP packet received on a device.
pub(crate) fn receive(kernel: &mut Kernel, dev: DevId, frame: Frame) {
    let reason = take(kernel, dev, &frame);
    kernel.drop_frame(frame, reason);
}

fn take(kernel: &mut Kernel, dev: DevId, frame: &Frame) -> DropReason {
    let Some(device) = kernel.devices.get(dev) else { return DropReason::DevReady };
    let silent = device.flags.intersects(DevFlags::NOARP | DevFlags::LOOPBACK);
    if silent || frame.packet_type() == PacketType::OtherHost || device.ipv4.is_none() {
        return DropReason::ArpNotForUs;
    }
    let ns = device.ns;
    let Some(packet) = Packet::parse(frame.payload()) else { return DropReason::PacketTooSmall };
    let (sender, sender_ip) = packet.sender;
    let target = packet.target.1;
    if !matches!(packet.operation, REQUEST | REPLY)
        || target.is_multicast()
        || (target.is_loopback() && !kernel.conf_either(dev, Conf::RouteLocalnet))
    {
        return DropReason::ArpNotForUs;
    }
    let claims_target = sender_ip == target;
    if claims_target && kernel.conf_either(dev, Conf::DropGratuitousArp) {
        return DropReason::ArpNotForUs;
    }

    if sender_ip.is_unspecified() {
        // Somebody asks whether an address is free (RFC 5227).
        if packet.operation == REQUEST
            && ipv4::address_type(kernel, ns, target) == kind::LOCAL
            && !ignores(kernel, dev, sender_ip, target)
        {
            reply(kernel, dev, sender, sender_ip, target);
        }
        return DropReason::Consumed;
    }
    if packet.operation == REQUEST {
        match ipv4::input_kind(kernel, dev, sender_ip, target) {
            Some((kind::LOCAL, _)) => {
                if !ignores(kernel, dev, sender_ip, target) && !filtered(kernel, dev, sender_ip, target) {
                    heard(kernel, dev, sender_ip, sender);
                    reply(kernel, dev, sender, sender_ip, target);
                }
                return DropReason::Consumed;
            }
            Some((kind::UNICAST, through)) if kernel.conf_own(dev, Conf::Forwarding) != 0 => {
                let proxies = &kernel.namespaces[ns].neighbours.proxies;
                let elsewhere = through != dev;
                if elsewhere && (kernel.conf_either(dev, Conf::ProxyArp) || proxies.contains(&(target.into(), dev))) {
                    heard(kernel, dev, sender_ip, sender);
                    reply(kernel, dev, sender, sender_ip, target);
                    return DropReason::Consumed;
                }
            }
            _ => {}
        }
    }
    learn(kernel, dev, frame.packet_type(), &packet)
}

fn reply(kernel: &mut Kernel, dev: DevId, to: MacAddr, to_ip: Ipv4Addr, about: Ipv4Addr) {
    let own = kernel.devices.get(dev).map_or(MacAddr::ZERO, |device| device.address);
    send(kernel, dev, to, Packet { operation: REPLY, sender: (own, about), target: (to, to_ip) });
}

/// Who asks for one of our addresses will be answered: it is entered in the table.
fn heard(kernel: &mut Kernel, dev: DevId, address: Ipv4Addr, lladdr: MacAddr) {
    if let Ok((ns, id)) = state::find_or_make(kernel, dev, IpAddr::V4(address)) {
        let _ = state::update(kernel, ns, id, Update::heard(Some(lladdr), nud::STALE, true));
    }
}

/// What everything else says is believed of those that are in the table already.
fn learn(kernel: &mut Kernel, dev: DevId, packet_type: PacketType, packet: &Packet) -> DropReason {
    let Some(ns) = kernel.devices.get(dev).map(|device| device.ns) else { return DropReason::DevReady };
    let (lladdr, address) = packet.sender;
    let is_reply = packet.operation == REPLY;
    let unicast = |kernel: &Kernel| ipv4::address_type(kernel, ns, address) == kind::UNICAST;
    let gratuitous = address == packet.target.1 && (!is_reply || packet.target.0 == lladdr) && unicast(kernel);
    let known = kernel.namespaces[ns].neighbours.find(Place::of(dev, &IpAddr::V4(address)));
    let accepts = match kernel.conf_max(dev, Conf::ArpAccept) {
        0 => false,
        1 => true,
        _ => kernel.addresses(dev).iter().any(|own| own.covers(address)),
    };
    let id = match known {
        Some(id) => id,
        None if accepts && (gratuitous || (is_reply && unicast(kernel))) => {
            match state::find_or_make(kernel, dev, IpAddr::V4(address)) {
                Ok((_, id)) => id,
                Err(_) => return DropReason::NeighQueueFull,
            }
        }
        None => return DropReason::ArpNotForUs,
    };
    let lock = kernel.namespaces[ns].neighbours.params(Some(dev), true).lock();
    let updated = kernel.neigh(ns, id).map_or(kernel.now, |entry| entry.updated);
    // Of several answers that follow each other closely, the first counts.
    let replace = kernel.now > updated + lock || gratuitous;
    let sure = is_reply && packet_type == PacketType::Host;
    let state = if sure { nud::REACHABLE } else { nud::STALE };
    let _ = state::update(kernel, ns, id, Update::heard(Some(lladdr), state, replace));
    DropReason::Consumed
}

/// `arp_ignore`: whether a request for `target` is not to be answered.
fn ignores(kernel: &Kernel, dev: DevId, sender: Ipv4Addr, target: Ipv4Addr) -> bool {
    let own = || kernel.addresses(dev).iter().filter(move |address| address.local == target);
    match kernel.conf_max(dev, Conf::ArpIgnore) {
        0 => false,
        1 => own().next().is_none(),
        2 => !own().any(|address| address.covers(sender)),
        3 => {
            let Some(ns) = kernel.devices.get(dev).map(|device| device.ns) else { return true };
            let mut everywhere = kernel.namespaces[ns].devices().flat_map(|dev| kernel.addresses(dev));
            !everywhere.any(|address| address.local == target && address.scope < scope::HOST)
        }
        8 => true,
        _ => false,
    }
}

/// `arp_filter`: only where packets to the sender would go out through this device.
fn filtered(kernel: &mut Kernel, dev: DevId, sender: Ipv4Addr, target: Ipv4Addr) -> bool {
    if !kernel.conf_either(dev, Conf::ArpFilter) {
        return false;
    }
    let Some(ns) = kernel.devices.get(dev).map(|device| device.ns) else { return true };
    let flow = ipv4::Flow { source: target, ..ipv4::Flow::to(sender) };
    let elsewhere = !ipv4::lookup(kernel, ns, &flow).is_ok_and(|route| route.dev == dev);
    if elsewhere {
        kernel.namespaces[ns].ipv4.snmp.arp_filter += 1;
    }
    elsewhere
}
