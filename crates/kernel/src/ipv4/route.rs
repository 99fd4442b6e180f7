//! Routes made and taken away, with what has to be told of it.

use std::net::Ipv4Addr;

use super::exception;
use super::fib::{Alias, Insert, Inserted, Pattern};
use crate::Kernel;
use crate::error::{Errno, Result};
use crate::types::NsId;

/// Puts a route into a table and tells of it.
pub(crate) fn insert_route(
    kernel: &mut Kernel,
    ns: NsId,
    table: u32,
    prefix: Ipv4Addr,
    length: u8,
    alias: Alias,
    how: Insert,
) -> Result<Inserted> {
    let netns = kernel.namespaces.get_mut(ns).ok_or(Errno::EINVAL)?;
    let done = netns.ipv4.fib.table_mut(table).insert(prefix, length, alias.clone(), how)?;
    exception::forget(kernel, ns);
    if done != Inserted::Unchanged {
        kernel.notify_route(ns, table, (prefix, length), &alias, Some((how, &done)));
    }
    Ok(done)
}

/// Takes a route out of a table and tells of it. `ESRCH` where there is none that fits.
pub(crate) fn remove_route(
    kernel: &mut Kernel,
    ns: NsId,
    table: u32,
    prefix: Ipv4Addr,
    length: u8,
    pattern: &Pattern,
) -> Result<()> {
    let netns = kernel.namespaces.get_mut(ns).ok_or(Errno::EINVAL)?;
    let table_routes = netns.ipv4.fib.existing_table_mut(table).ok_or(Errno::ESRCH)?;
    let alias = table_routes.remove(prefix, length, pattern)?;
    exception::forget(kernel, ns);
    kernel.notify_route(ns, table, (prefix, length), &alias, None);
    Ok(())
}
