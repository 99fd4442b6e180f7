//! Routes made and taken away, with what has to be told of it.

use std::net::Ipv6Addr;

use super::Job;
use super::fib::{Entry, Insert, Pattern, prefix_bits};
use crate::Kernel;
use crate::error::{Errno, Result};
use crate::rtnetlink::uapi::{NLM_F_APPEND, NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE};
use crate::types::{DevId, NsId};

/// Puts a route into a table and tells of it.
pub(crate) fn insert_route(
    kernel: &mut Kernel,
    ns: NsId,
    table: u32,
    prefix: Ipv6Addr,
    length: u8,
    entry: Entry,
    how: Insert,
) -> Result<()> {
    let netns = kernel.namespaces.get_mut(ns).ok_or(Errno::EINVAL)?;
    let expires = entry.expires;
    let (there, replaced) = netns.ipv6.fib.table_mut(table).insert(prefix, length, entry, how)?;
    super::exception::forget(kernel, ns);
    let flags = match how {
        _ if replaced => NLM_F_REPLACE,
        Insert::Append if there.hops.len() > 1 => NLM_F_CREATE | NLM_F_APPEND,
        _ => NLM_F_CREATE | NLM_F_EXCL,
    };
    let prefix = Ipv6Addr::from_bits(prefix_bits(prefix, length));
    kernel.notify_route6(ns, table, (prefix, length), &there, Some(flags));
    if expires.is_some() {
        schedule_expiry(kernel, ns);
    }
    Ok(())
}

/// Takes a route out of a table and tells of it. `ESRCH` where there is none that fits.
pub(crate) fn remove_route(
    kernel: &mut Kernel,
    ns: NsId,
    table: u32,
    prefix: Ipv6Addr,
    length: u8,
    pattern: &Pattern,
) -> Result<(), Errno> {
    let netns = kernel.namespaces.get_mut(ns).ok_or(Errno::EINVAL)?;
    let gone = netns.ipv6.fib.table_mut(table).remove(prefix, length, pattern)?;
    super::exception::forget(kernel, ns);
    let prefix = Ipv6Addr::from_bits(prefix_bits(prefix, length));
    kernel.notify_route6(ns, table, (prefix, length), &gone, None);
    Ok(())
}

/// A device goes: so do the routes and ways through it.
pub(super) fn remove_through(kernel: &mut Kernel, ns: NsId, dev: DevId) {
    let Some(netns) = kernel.namespaces.get_mut(ns) else { return };
    let gone = netns.ipv6.fib.retain(|entry| {
        if entry.hops.iter().all(|hop| hop.dev == dev) {
            return false;
        }
        entry.hops.retain(|hop| hop.dev != dev);
        true
    });
    super::exception::forget(kernel, ns);
    for (table, prefix, length, entry) in gone {
        kernel.notify_route6(ns, table, (prefix, length), &entry, None);
    }
}

fn schedule_expiry(kernel: &mut Kernel, ns: NsId) {
    let Some(netns) = kernel.namespaces.get(ns) else { return };
    let routes = netns.ipv6.fib.tables();
    let ends = routes.iter().flat_map(|(_, table)| table.entries()).filter_map(|(.., entry)| entry.expires);
    if let Some(first) = ends.min() {
        super::schedule(kernel, ns, first, Job::Routes);
    }
}

/// Routes whose time is up go.
pub(super) fn expire(kernel: &mut Kernel, ns: NsId) {
    let now = kernel.now;
    let Some(netns) = kernel.namespaces.get_mut(ns) else { return };
    let gone = netns.ipv6.fib.retain(|entry| entry.expires.is_none_or(|end| end > now));
    for (table, prefix, length, entry) in gone {
        kernel.notify_route6(ns, table, (prefix, length), &entry, None);
    }
    schedule_expiry(kernel, ns);
}
