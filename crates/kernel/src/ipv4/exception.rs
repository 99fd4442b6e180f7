//! What a host has learned about single destinations: a smaller path MTU (RFC 1191), a better gateway (redirects).

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use super::Route;
use crate::Kernel;
use crate::types::{Instant, NsId};

/// How long a path MTU is believed.
const MTU_LIFETIME: Duration = Duration::from_secs(600);
/// How long a redirect is.
const REDIRECT_LIFETIME: Duration = Duration::from_secs(300);
/// No path MTU below this is believed; it is used with DF off instead.
pub(super) const MIN_MTU: u32 = 552;
/// How many destinations are remembered.
const CAPACITY: usize = 10_240;

/// What is known of one destination.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Exception {
    /// 0: the route's own.
    pub(crate) mtu: u32,
    pub(crate) gateway: Option<Ipv4Addr>,
    pub(crate) expires: Instant,
}

/// What is known of a destination and still believed.
#[inline(never)]
pub(crate) fn get(kernel: &Kernel, ns: NsId, destination: Ipv4Addr) -> Option<Exception> {
    let exceptions = &kernel.namespaces.get(ns)?.ipv4.exceptions;
    exceptions.get(&destination).copied().filter(|exception| exception.expires > kernel.now)
}

impl Exception {
    /// Puts what is known into a route.
    #[inline(always)]
    pub(super) fn apply(&self, route: &mut Route) {
        if self.mtu != 0 {
            route.mtu = route.mtu.min(self.mtu);
        }
        if let Some(gateway) = self.gateway {
            route.gateway = Some(IpAddr::V4(gateway));
        }
    }
}

fn entry(kernel: &mut Kernel, ns: NsId, destination: Ipv4Addr) -> Option<&mut Exception> {
    let now = kernel.now;
    let exceptions = &mut kernel.namespaces.get_mut(ns)?.ipv4.exceptions;
    if exceptions.len() >= CAPACITY {
        exceptions.retain(|_, exception| exception.expires > now);
        if exceptions.len() >= CAPACITY {
            exceptions.pop_first();
        }
    }
    let exception = exceptions.entry(destination).or_default();
    if exception.expires <= now {
        *exception = Exception::default();
    }
    Some(exception)
}

/// A router says that packets to `destination` may be no longer than `mtu`.
pub(super) fn learn_mtu(kernel: &mut Kernel, ns: NsId, destination: Ipv4Addr, mtu: u32) {
    let expires = kernel.now + MTU_LIFETIME;
    if let Some(exception) = entry(kernel, ns, destination) {
        exception.mtu = mtu.max(MIN_MTU);
        exception.expires = expires;
    }
}

/// A router says that `gateway` is the better way to `destination`.
pub(super) fn learn_gateway(kernel: &mut Kernel, ns: NsId, destination: Ipv4Addr, gateway: Ipv4Addr) {
    let expires = kernel.now + REDIRECT_LIFETIME;
    if let Some(exception) = entry(kernel, ns, destination) {
        exception.gateway = Some(gateway);
        exception.expires = expires;
    }
}

/// Routes have changed: nothing that was learned holds any more.
pub(crate) fn forget(kernel: &mut Kernel, ns: NsId) {
    if let Some(netns) = kernel.namespaces.get_mut(ns) {
        netns.ipv4.exceptions.clear();
    }
}
