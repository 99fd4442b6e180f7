//! Multicast groups: who listens, and telling them.

use super::{deliver, get};
use crate::Kernel;
use crate::error::Errno;
use crate::types::{NsId, SocketId};

/// How many groups a protocol has.
const GROUPS: u32 = 64;

/// Makes a socket a member of a group.
pub(super) fn join(kernel: &mut Kernel, ns: NsId, protocol: i32, group: u32, id: SocketId) -> Result<(), Errno> {
    if group == 0 || group > GROUPS {
        return Err(Errno::EINVAL);
    }
    if get(kernel, id)?.1.groups.insert(group)
        && let Some(netns) = kernel.namespaces.get_mut(ns)
    {
        netns.listeners.groups.entry((protocol, group)).or_default().push(id);
    }
    Ok(())
}

/// Ends a membership, if there is one.
pub(super) fn leave(kernel: &mut Kernel, ns: NsId, protocol: i32, group: u32, id: SocketId) {
    if let Ok((_, netlink)) = get(kernel, id) {
        netlink.groups.remove(&group);
    }
    let Some(netns) = kernel.namespaces.get_mut(ns) else { return };
    if let Some(members) = netns.listeners.groups.get_mut(&(protocol, group)) {
        members.retain(|member| *member != id);
        if members.is_empty() {
            netns.listeners.groups.remove(&(protocol, group));
        }
    }
}

/// Has a socket hear of every namespace, or no longer.
pub(super) fn listen_everywhere(kernel: &mut Kernel, id: SocketId, on: bool) {
    let root = kernel.root;
    let Some(netns) = kernel.namespaces.get_mut(root) else { return };
    netns.listeners.everywhere.retain(|member| *member != id);
    if on {
        netns.listeners.everywhere.push(id);
    }
}

/// Whether anybody would hear what is said to a group: nothing needs to be written down otherwise.
pub(crate) fn listening(kernel: &Kernel, ns: NsId, protocol: i32, group: u32) -> bool {
    let here = kernel.namespaces.get(ns).is_some_and(|netns| netns.listeners.groups.contains_key(&(protocol, group)));
    here || kernel.namespaces.get(kernel.root).is_some_and(|netns| !netns.listeners.everywhere.is_empty())
}

/// Says something to a group of a namespace.
pub(crate) fn multicast(kernel: &mut Kernel, ns: NsId, protocol: i32, group: u32, data: &[u8]) {
    let members = kernel.namespaces.get(ns).and_then(|netns| netns.listeners.groups.get(&(protocol, group)));
    for id in members.cloned().unwrap_or_default() {
        deliver(kernel, id, data.to_vec(), group, None);
    }
    let everywhere = kernel.namespaces.get(kernel.root).map(|netns| netns.listeners.everywhere.clone());
    for id in everywhere.unwrap_or_default() {
        let Ok((own, netlink)) = get(kernel, id) else { continue };
        if own == ns || netlink.protocol != protocol || !netlink.groups.contains(&group) {
            continue;
        }
        // It hears only of namespaces that have a number in its own.
        if let Some(nsid) = kernel.namespaces.get(own).and_then(|netns| netns.nsid_of(ns)) {
            deliver(kernel, id, data.to_vec(), group, Some(nsid));
        }
    }
}
