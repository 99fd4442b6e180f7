//! Duplicate address detection (RFC 4862, 5.4): an address is tentative until nobody has said that it is taken.

use std::net::Ipv6Addr;
use std::time::Duration;

use super::addr::{self, flag};
use super::{Conf, Job, anycast, groups, mld, router};
use crate::Kernel;
use crate::ipv4::scope;
use crate::netdev::DevFlags;
use crate::types::{DevId, MacAddr};

/// Where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct State {
    /// How many solicitations are still to be sent.
    left: i32,
    /// What the last one carried, to know it again should it come back (RFC 7527).
    nonce: Option<[u8; 6]>,
}

/// Whether nobody has to be asked about an address.
pub(super) fn is_needless(kernel: &Kernel, dev: DevId, address: Ipv6Addr) -> bool {
    let Some(device) = kernel.devices.get(dev) else { return true };
    let silent = device.flags.intersects(DevFlags::NOARP | DevFlags::LOOPBACK);
    let trusting = kernel.conf6_all(dev, Conf::AcceptDad) < 1 && kernel.conf6(dev, Conf::AcceptDad) < 1;
    let settled =
        |own: &addr::Address| !own.is_tentative() || own.flags & flag::NODAD != 0 || own.address.is_multicast();
    silent || trusting || kernel.address6(dev, address).is_none_or(settled)
}

/// Begins with a new address; on a device that isn't ready it stays tentative until that is.
pub(super) fn start(kernel: &mut Kernel, dev: DevId, address: Ipv6Addr) {
    if let Some(own) = kernel.address6_mut(dev, address).filter(|own| !own.solicited) {
        own.solicited = true;
        groups::join_solicited(kernel, dev, address);
    }
    if is_needless(kernel, dev, address) {
        return completed(kernel, dev, address);
    }
    let Some(device) = kernel.devices.get(dev) else { return };
    let ns = device.ns;
    if !device.ipv6.as_ref().is_some_and(|interface| interface.ready) {
        return;
    }
    let forwards = kernel.conf6(dev, Conf::Forwarding) != 0;
    let optimistic = kernel.conf6(dev, Conf::OptimisticDad) != 0 || kernel.conf6_all(dev, Conf::OptimisticDad) != 0;
    let transmits = kernel.conf6(dev, Conf::DadTransmits).max(0);
    let longest = kernel.conf6(dev, Conf::RouterSolicitationDelay).max(0) as u64 * 1_000;
    let Some(own) = kernel.address6_mut(dev, address) else { return };
    if forwards || !optimistic {
        own.flags &= !flag::OPTIMISTIC;
    }
    let eager = own.flags & flag::OPTIMISTIC != 0;
    own.dad = Some(State { left: transmits, nonce: None });
    if eager {
        // Packets for it are taken in from the start.
        addr::add_host_routes(kernel, dev, address);
    }
    let delay = if eager || longest == 0 { 0 } else { kernel.rng.u64(0..longest) };
    let then = kernel.now + Duration::from_millis(delay);
    super::schedule(kernel, ns, then, Job::Dad(dev, address));
}

/// Asks once more, or is done.
pub(super) fn step(kernel: &mut Kernel, dev: DevId, address: Ipv6Addr) {
    let Some(ns) = kernel.devices.get(dev).map(|device| device.ns) else { return };
    let enhanced = kernel.conf6(dev, Conf::EnhancedDad) != 0 && kernel.conf6_all(dev, Conf::EnhancedDad) != 0;
    let mut nonce = [0; 6];
    nonce.fill_with(|| kernel.rng.u8(..));
    let nonce = enhanced.then_some(nonce);
    let wait = kernel.namespaces[ns].neighbours.params(Some(dev), false).retrans_time_ms.max(10);
    let Some(state) = kernel.address6_mut(dev, address).and_then(|own| own.dad.as_mut()) else { return };
    if state.left <= 0 {
        return completed(kernel, dev, address);
    }
    state.left -= 1;
    state.nonce = nonce;
    let then = kernel.now + Duration::from_millis(wait as u64);
    super::schedule(kernel, ns, then, Job::Dad(dev, address));
    crate::neighbour::ndisc::probe(kernel, dev, address, nonce);
}

/// Nobody has it: it is used from now on, and told of.
pub(super) fn completed(kernel: &mut Kernel, dev: DevId, address: Ipv6Addr) {
    let Some(own) = kernel.address6_mut(dev, address) else { return };
    own.flags &= !(flag::TENTATIVE | flag::OPTIMISTIC | flag::DADFAILED);
    own.dad = None;
    let link_local = own.scope == scope::LINK;
    kernel.notify_address6(dev, address);
    addr::add_host_routes(kernel, dev, address);
    if kernel.conf6(dev, Conf::Forwarding) != 0 {
        anycast::joined(kernel, dev, address);
    }
    let silent = kernel.devices.get(dev).is_none_or(|device| device.flags.contains(DevFlags::LOOPBACK));
    let others = kernel.addresses6(dev).iter().filter(|own| own.scope == scope::LINK && !own.is_tentative()).count();
    if link_local && others == 1 && !silent {
        mld::address_ready(kernel, dev);
        router::start(kernel, dev);
    }
    let notify = kernel.conf6(dev, Conf::NdiscNotify) != 0 || kernel.conf6_all(dev, Conf::NdiscNotify) != 0;
    if notify && !silent {
        crate::neighbour::ndisc::announce(kernel, dev, address);
    }
}

/// Somebody else has it. It stays, unusable, if an administrator gave it; `nonce` is what the other side's probe carried.
pub(crate) fn failed(kernel: &mut Kernel, dev: DevId, address: Ipv6Addr, by: MacAddr, nonce: Option<[u8; 6]>) {
    let Some(device) = kernel.devices.get(dev) else { return };
    let (ns, name) = (device.ns, device.name);
    let Some(own) = kernel.address6_mut(dev, address).filter(|own| own.is_tentative()) else { return };
    if nonce.is_some() && own.dad.is_some_and(|state| state.nonce == nonce) {
        // Our own, come back.
        return;
    }
    if own.flags & flag::DADFAILED != 0 {
        return;
    }
    own.dad = None;
    let permanent = own.flags & flag::PERMANENT != 0;
    own.flags |= flag::DADFAILED;
    own.flags &= !flag::OPTIMISTIC;
    super::cancel(kernel, ns, |job| job == Job::Dad(dev, address));
    if kernel.may_log() {
        kernel.info(format!("IPv6: {name}: IPv6 duplicate address {address} used by {by} detected!"));
    }
    if permanent {
        kernel.notify_address6(dev, address);
    } else {
        addr::remove(kernel, dev, address);
    }
}

/// The device is down: an address that stays is to be asked about anew.
pub(super) fn forget(kernel: &mut Kernel, dev: DevId, address: Ipv6Addr) {
    let Some(own) = kernel.address6_mut(dev, address) else { return };
    own.dad = None;
    if own.flags & flag::NODAD == 0 {
        own.flags |= flag::TENTATIVE;
    }
    if std::mem::take(&mut own.solicited) {
        groups::leave_solicited(kernel, dev, address);
    }
}

/// Looks at every address of a device anew: it has just become ready.
pub(super) fn run(kernel: &mut Kernel, dev: DevId) {
    let waiting: Vec<Ipv6Addr> = kernel
        .addresses6(dev)
        .iter()
        .filter(|own| own.is_tentative() && own.dad.is_none() && own.flags & flag::DADFAILED == 0)
        .map(|own| own.address)
        .collect();
    for address in waiting {
        start(kernel, dev, address);
    }
}
