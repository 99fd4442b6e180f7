//! The anycast address of every network that a router is in (RFC 4291, 2.6.1).

use std::net::Ipv6Addr;

use super::addr::Address;
use super::fib::{ANYCAST, Entry, Insert, Pattern, prefix_bits, table};
use super::{Conf, groups};
use crate::Kernel;
use crate::types::DevId;

/// A device's anycast addresses with the number of addresses that need them, the newest first.
pub(crate) fn list(kernel: &Kernel, dev: DevId) -> &[(Ipv6Addr, u32)] {
    let interface = kernel.devices.get(dev).and_then(|device| device.ipv6.as_ref());
    interface.map(|interface| interface.anycasts.as_slice()).unwrap_or_default()
}

fn of(own: &Address) -> Option<Ipv6Addr> {
    let network = Ipv6Addr::from_bits(prefix_bits(own.address, own.prefix_length));
    (own.prefix_length < 127 && !network.is_unspecified() && !own.address.is_multicast()).then_some(network)
}

/// A router has a new address.
pub(super) fn joined(kernel: &mut Kernel, dev: DevId, address: Ipv6Addr) {
    let Some(network) = kernel.address6(dev, address).and_then(of) else { return };
    let Some(device) = kernel.devices.get_mut(dev) else { return };
    let ns = device.ns;
    let Some(interface) = device.ipv6.as_mut() else { return };
    if let Some((_, users)) = interface.anycasts.iter_mut().find(|(own, _)| *own == network) {
        *users += 1;
        return;
    }
    interface.anycasts.insert(0, (network, 1));
    let entry = Entry::on_link(ANYCAST, dev, 0);
    let _ = super::insert_route(kernel, ns, table::LOCAL, network, 128, entry, Insert::Append);
    groups::join_solicited(kernel, dev, network);
}

/// An address is gone.
pub(super) fn left(kernel: &mut Kernel, dev: DevId, own: &Address) {
    let Some(network) = of(own) else { return };
    let Some(device) = kernel.devices.get_mut(dev) else { return };
    let ns = device.ns;
    let Some(interface) = device.ipv6.as_mut() else { return };
    let Some(at) = interface.anycasts.iter().position(|(other, _)| *other == network) else { return };
    interface.anycasts[at].1 -= 1;
    if interface.anycasts[at].1 > 0 {
        return;
    }
    interface.anycasts.remove(at);
    groups::leave_solicited(kernel, dev, network);
    let pattern = Pattern { kind: Some(ANYCAST), hops: vec![(Some(dev), None)], ..Pattern::default() };
    let _ = super::remove_route(kernel, ns, table::LOCAL, network, 128, &pattern);
}

/// The device's host has become a router, or is none any more.
pub(super) fn follow(kernel: &mut Kernel, dev: DevId) {
    let routes = kernel.conf6(dev, Conf::Forwarding) != 0;
    for own in kernel.addresses6(dev).to_vec() {
        if own.is_tentative() {
            continue;
        }
        if routes { joined(kernel, dev, own.address) } else { left(kernel, dev, &own) }
    }
}
