//! What a host has learned about single destinations: a smaller path MTU (RFC 8201).

use std::net::Ipv6Addr;
use std::time::Duration;

use crate::Kernel;
use crate::types::{Instant, NsId};

/// How long a path MTU is believed.
const LIFETIME: Duration = Duration::from_secs(600);
/// How many destinations are remembered.
const CAPACITY: usize = 4_096;

/// What is known of one destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Exception {
    mtu: u32,
    pub(super) expires: Instant,
}

/// The path MTU to a destination, where one is known, and until when it is believed.
pub(crate) fn mtu(kernel: &Kernel, ns: NsId, destination: Ipv6Addr) -> Option<(u32, Instant)> {
    let known = kernel.namespaces.get(ns)?.ipv6.exceptions.get(&destination)?;
    (known.expires > kernel.now).then_some((known.mtu, known.expires))
}

/// A router says that packets to `destination` may be no longer than `mtu`.
pub(super) fn learn(kernel: &mut Kernel, ns: NsId, destination: Ipv6Addr, mtu: u32) {
    let (now, expires) = (kernel.now, kernel.now + LIFETIME);
    let Some(netns) = kernel.namespaces.get_mut(ns) else { return };
    let exceptions = &mut netns.ipv6.exceptions;
    if exceptions.len() >= CAPACITY {
        exceptions.retain(|_, known| known.expires > now);
        if exceptions.len() >= CAPACITY {
            exceptions.pop_first();
        }
    }
    exceptions.insert(destination, Exception { mtu: mtu.max(super::interface::MIN_MTU), expires });
}

/// Routes have changed: nothing that was learned holds any more.
pub(super) fn forget(kernel: &mut Kernel, ns: NsId) {
    if let Some(netns) = kernel.namespaces.get_mut(ns) {
        netns.ipv6.exceptions.clear();
    }
}
