//! Keeping the neighbour table small: entries that nobody uses make room when it is nearly full.

use std::time::Duration;

use super::state;
use super::table::{NeighId, Neighbour, nud};
use crate::Kernel;
use crate::error::Errno;
use crate::types::NsId;

/// Up to here nothing is collected (`gc_thresh1`).
pub(crate) const THRESHOLD_LOW: usize = 128;
/// Above this, room is made at most once in five seconds (`gc_thresh2`).
pub(crate) const THRESHOLD: usize = 512;
/// There are never more than this (`gc_thresh3`).
pub(crate) const THRESHOLD_HIGH: usize = 1024;

/// Before an entry is made. `ENOBUFS` where there is no room.
pub(super) fn make_room(kernel: &mut Kernel, ns: NsId, ipv4: bool) -> Result<(), Errno> {
    if kernel.namespaces[ns].neighbours.len() < THRESHOLD_LOW {
        return Ok(());
    }
    let now = kernel.now;
    let count = kernel.namespaces[ns].neighbours.count(ipv4);
    let rested = now.since(kernel.namespaces[ns].neighbours.last_flush) >= Duration::from_secs(5);
    if count >= THRESHOLD_LOW {
        collect(kernel, ns, |kernel, entry| {
            let params = kernel.namespaces[ns].neighbours.params(Some(entry.dev), ipv4);
            let stale = Duration::from_secs(params.gc_stale_time.max(0) as u64);
            entry.is_ipv4() == ipv4
                && entry.state & (nud::PERMANENT | nud::IN_TIMER) == 0
                && (entry.state == nud::FAILED || now.since(entry.used) > stale)
        });
    }
    if count >= THRESHOLD_HIGH || (count >= THRESHOLD && rested) {
        kernel.namespaces[ns].neighbours.last_flush = now;
        collect(kernel, ns, |_, entry| {
            entry.is_ipv4() == ipv4
                && entry.state & nud::PERMANENT == 0
                && (entry.state & nud::CONNECTED == 0 || entry.kind == crate::ipv4::kind::MULTICAST)
                && now.since(entry.updated) > Duration::from_secs(5)
        });
    }
    if kernel.namespaces[ns].neighbours.count(ipv4) < THRESHOLD_HIGH {
        return Ok(());
    }
    let table = if ipv4 { "arp_cache" } else { "ndisc_cache" };
    kernel.info(format!("neighbour: {table}: neighbor table overflow!"));
    Err(Errno::ENOBUFS)
}

fn collect(kernel: &mut Kernel, ns: NsId, doomed: impl Fn(&Kernel, &Neighbour) -> bool) {
    let doomed: Vec<NeighId> =
        kernel.namespaces[ns].neighbours.iter().filter(|(_, entry)| doomed(kernel, entry)).map(|(id, _)| id).collect();
    for id in doomed {
        state::remove(kernel, ns, id);
    }
}
