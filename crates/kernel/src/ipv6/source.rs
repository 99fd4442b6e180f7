//! Which of its addresses a host speaks from (RFC 6724).

use std::net::Ipv6Addr;

use super::Conf;
use super::addr::{Address, flag};
use crate::Kernel;
use crate::types::{DevId, NsId};

/// How far a destination is (RFC 4291's scopes of groups).
fn scope(address: Ipv6Addr) -> u8 {
    if address.is_multicast() {
        address.octets()[1] & 0xf
    } else if address.is_loopback() || address.is_unicast_link_local() {
        2
    } else if address.segments()[0] & 0xffc0 == 0xfec0 {
        5
    } else {
        14
    }
}

/// Linux's labels: addresses of one kind speak to each other.
fn label(address: Ipv6Addr) -> u8 {
    let segments = address.segments();
    match segments {
        [0, 0, 0, 0, 0, 0, 0, 1] => 0,
        [0, 0, 0, 0, 0, 0xffff, ..] => 4,
        [0, 0, 0, 0, 0, 0, ..] => 3,
        [0x2002, ..] => 2,
        [0x2001, 0, ..] => 6,
        [0x2001, second, ..] if second & 0xfff0 == 0x10 => 7,
        [first, ..] if first & 0xfe00 == 0xfc00 => 5,
        _ => 1,
    }
}

/// How good an address is for a destination: the larger the better, compared from left to right.
fn merit(own: &Address, dev: DevId, out: Option<DevId>, destination: Ipv6Addr) -> impl Ord + use<> {
    let wanted = scope(destination);
    let has = scope(own.address);
    // Wide enough and no wider than needed; else as wide as possible.
    let reach = if has >= wanted { 256 - i32::from(has) } else { i32::from(has) - 128 };
    let common = (own.address.to_bits() ^ destination.to_bits()).leading_zeros().min(own.prefix_length.into());
    (
        own.address == destination,
        reach,
        own.flags & flag::DEPRECATED == 0,
        out.is_none_or(|out| out == dev),
        label(own.address) == label(destination),
        common,
    )
}

/// The best source for packets to `destination` that leave through `out`; `None` where there is none.
pub(crate) fn select(kernel: &Kernel, ns: NsId, out: Option<DevId>, destination: Ipv6Addr) -> Option<Ipv6Addr> {
    let near = destination.is_multicast() || scope(destination) <= 2;
    let only = out.filter(|out| near || kernel.conf6(*out, Conf::UseOifAddrsOnly) != 0);
    let netns = kernel.namespaces.get(ns)?;
    let first = out.into_iter().chain(netns.devices().filter(|dev| Some(*dev) != out));
    let mut best = None;
    for dev in first.filter(|dev| only.is_none_or(|only| only == *dev)) {
        for own in kernel.addresses6(dev).iter().filter(|own| own.is_usable() && !own.address.is_multicast()) {
            let merit = merit(own, dev, out, destination);
            if best.as_ref().is_none_or(|(most, _)| merit > *most) {
                best = Some((merit, own.address));
            }
        }
    }
    best.map(|(_, address)| address)
}
