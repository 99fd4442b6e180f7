//! Learning: which port a source address was last seen on (IEEE 802.1D, 7.8); and forgetting.

use super::fdb::Learned;
use super::{Entry, EntryFlags, Key, address};
use crate::Kernel;
use crate::netdev::PortRef;
use crate::types::DevId;

/// What learning did that somebody wants to know.
#[cold]
pub(super) fn report(kernel: &mut Kernel, member: PortRef, key: Key, learned: Learned) {
    let Some(it) = kernel.bridge(member.bridge) else { return };
    match learned {
        Learned::Known | Learned::Full => {}
        Learned::Own => {
            let port = it.port(member.number).and_then(|port| kernel.devices.get(port.dev));
            let port = port.map(|device| device.name);
            let (true, Some(port)) = (kernel.may_log(), port) else { return };
            let (name, address, vlan) = (kernel.log_name(member.bridge), key.address(), key.vlan());
            kernel.warning(format!(
                "{name}: received packet on {port} with own address as source address (addr:{address}, vlan:{vlan})"
            ));
        }
        Learned::Changed => {
            if let Some(entry) = it.fdb.get(key) {
                kernel.notify_fdb(member.bridge, key, &entry, true);
            }
        }
    }
}

/// Adds or changes an entry, and tells the listeners.
pub(super) fn put(kernel: &mut Kernel, bridge: DevId, key: Key, entry: Entry) {
    if let Some(it) = kernel.bridge_mut(bridge) {
        it.fdb.insert(key, entry);
        kernel.notify_fdb(bridge, key, &entry, true);
    }
}

/// Removes an entry, and tells the listeners.
pub(super) fn forget(kernel: &mut Kernel, bridge: DevId, key: Key) {
    if let Some(entry) = kernel.bridge_mut(bridge).and_then(|it| it.fdb.remove(key)) {
        kernel.notify_fdb(bridge, key, &entry, false);
    }
}

/// Forgets what was learned on a port, or on every one, and what was added as if it were.
pub(super) fn flush(kernel: &mut Kernel, bridge: DevId, port: Option<u16>) {
    let Some(it) = kernel.bridge(bridge) else { return };
    let kept = match port {
        // What came from outside survives its port's going down, but not a flush of everything.
        Some(_) => EntryFlags::LOCAL | EntryFlags::STATIC | EntryFlags::EXT_LEARN,
        None => EntryFlags::LOCAL | EntryFlags::STATIC,
    };
    let flushed =
        it.fdb.newest_first(|_, entry| port.is_none_or(|port| entry.port == port) && !entry.flags.intersects(kept));
    for (key, _) in flushed {
        forget(kernel, bridge, key);
    }
}

/// Forgets everything about a port that leaves.
pub(super) fn forget_port(kernel: &mut Kernel, bridge: DevId, number: u16) {
    let Some(it) = kernel.bridge(bridge) else { return };
    for (key, entry) in it.fdb.newest_first(|_, entry| entry.port == number) {
        if entry.flags.contains(EntryFlags::LOCAL) {
            address::remove_local(kernel, bridge, number, key);
        } else {
            forget(kernel, bridge, key);
        }
    }
}
