//! The addresses that a device has by itself: `::1` on `lo`, and elsewhere a link-local one made from its MAC address.

use std::net::Ipv6Addr;

use super::addr::{self, Address, PROTO_LINK_LOCAL, PROTO_LOOPBACK, flag};
use super::fib::{ADDRESS_METRIC, Entry, Insert, kind, table};
use super::{Conf, dad, groups};
use crate::Kernel;
use crate::netdev::DevFlags;
use crate::types::{DevId, MacAddr};

/// `IN6_ADDR_GEN_MODE_…`.
const EUI64: i32 = 0;
const RANDOM: i32 = 3;

/// fe80::/64 and the interface identifier of RFC 4291, appendix A.
pub(crate) fn eui64(address: MacAddr) -> Ipv6Addr {
    let [a, b, c, d, e, f] = address.0;
    Ipv6Addr::from([0xfe, 0x80, 0, 0, 0, 0, 0, 0, a ^ 0x02, b, c, 0xff, 0xfe, d, e, f])
}

/// Gives a device that is ready what it is to have by itself.
pub(super) fn configure(kernel: &mut Kernel, dev: DevId) {
    let Some(device) = kernel.devices.get(dev) else { return };
    let (mac, loopback) = (device.address, device.flags.contains(DevFlags::LOOPBACK));
    if device.ipv6.is_none() || kernel.conf6(dev, Conf::DisableIpv6) != 0 {
        return;
    }
    if loopback {
        let address = Address { protocol: PROTO_LOOPBACK, ..Address::new(Ipv6Addr::LOCALHOST, 128) };
        if addr::add(kernel, dev, address).is_ok() {
            dad::completed(kernel, dev, Ipv6Addr::LOCALHOST);
        }
        return;
    }
    add_group_route(kernel, dev);
    let device = &mut kernel.devices[dev];
    if let Some(interface) = device.ipv6.as_mut().filter(|_| !device.kind.has_address()) {
        // There is no MAC address to make an identifier of.
        if interface.conf.get(Conf::AddrGenMode) == EUI64 {
            interface.conf.set(Conf::AddrGenMode, RANDOM);
        }
    }
    let address = match kernel.conf6(dev, Conf::AddrGenMode) {
        EUI64 => eui64(mac),
        RANDOM => {
            let identifier = kernel.rng.u64(..);
            Ipv6Addr::from_bits((0xfe80 << 112) | u128::from(identifier))
        }
        _ => return,
    };
    let forwards = kernel.conf6(dev, Conf::Forwarding) != 0;
    let optimistic = kernel.conf6(dev, Conf::OptimisticDad) != 0 && !forwards;
    let flags = flag::PERMANENT | if optimistic { flag::OPTIMISTIC } else { 0 };
    let new = Address { protocol: PROTO_LINK_LOCAL, flags, ..Address::new(address, 64) };
    if addr::add(kernel, dev, new).is_ok() {
        addr::add_prefix_route(kernel, dev, address);
        dad::start(kernel, dev, address);
    }
}

/// Groups are on the link: ff00::/8 in the table of local routes. The device tells again which ones it is in.
pub(crate) fn add_group_route(kernel: &mut Kernel, dev: DevId) {
    let Some(device) = kernel.devices.get(dev) else { return };
    if !device.is_up() || device.flags.contains(DevFlags::LOOPBACK) {
        return;
    }
    let ns = device.ns;
    let entry = Entry::on_link(kind::MULTICAST, dev, ADDRESS_METRIC);
    let all = Ipv6Addr::new(0xff00, 0, 0, 0, 0, 0, 0, 0);
    let _ = super::insert_route(kernel, ns, table::LOCAL, all, 8, entry, Insert::Append);
    groups::tell_all(kernel, dev);
}
