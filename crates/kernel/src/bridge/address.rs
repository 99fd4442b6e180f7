//! The bridge's MAC address, and the addresses at which frames go up to it: its own and those of its ports.
//!
//! The bridge has the numerically lowest address of its ports (which is why its address may change when a port joins), until somebody
//! sets one. Every one of these addresses has a local entry in the forwarding database. Where several devices share an address, one of
//! them has the entry; it passes to another when that one goes.

use super::{Entry, EntryFlags, Key, fdb, learning, seconds, state, ticks};
use crate::Kernel;
use crate::netdev::{AddrAssign, PortRef};
use crate::types::{DevId, MacAddr};

/// A bridge has just been registered.
pub(super) fn init(kernel: &mut Kernel, bridge: DevId) {
    // Keyed by what only this kernel knows, without drawing from the stream of numbers that others see.
    let seed = fastrand::Rng::with_seed(kernel.config.seed ^ 0x6272_6964_6765_6664).u64(..);
    let Some(device) = kernel.devices.get(bridge) else { return };
    let (address, given) = (device.address, device.info.addr_assign == AddrAssign::Set);
    let Some(it) = kernel.bridge_mut(bridge) else { return };
    it.fdb = fdb::Fdb::with_seed(seed);
    it.update_room();
    if given {
        change(kernel, bridge, address);
    } else {
        add_local(kernel, bridge, 0, address);
    }
}

/// Somebody gave the bridge an address.
pub(super) fn set_by_hand(kernel: &mut Kernel, bridge: DevId, address: MacAddr) {
    change(kernel, bridge, address);
}

/// Brings the bridge's address into line with its ports', unless somebody has set one.
pub(super) fn follow_ports(kernel: &mut Kernel, bridge: DevId) {
    let Some(it) = kernel.bridge(bridge) else { return };
    let addresses = it.members().filter_map(|(_, port)| Some(kernel.devices.get(port.dev)?.address));
    let lowest = addresses.min().unwrap_or_default();
    follow(kernel, bridge, lowest);
}

/// The same for one port more: the bridge's address was the lowest of the others'.
pub(super) fn follow_new_port(kernel: &mut Kernel, bridge: DevId, address: MacAddr) {
    let Some(it) = kernel.bridge(bridge) else { return };
    let lowest = if it.members.len() > 1 { it.parameters.id.address.min(address) } else { address };
    follow(kernel, bridge, lowest);
}

fn follow(kernel: &mut Kernel, bridge: DevId, lowest: MacAddr) {
    let Some(device) = kernel.devices.get(bridge) else { return };
    let Some(it) = device.bridge() else { return };
    if device.info.addr_assign != AddrAssign::Set && lowest != it.parameters.id.address {
        change(kernel, bridge, lowest);
        kernel.change_address(bridge, lowest);
    }
}

/// Gives the bridge another address in everything that knows it but its device.
fn change(kernel: &mut Kernel, bridge: DevId, address: MacAddr) {
    let Some(it) = kernel.bridge(bridge) else { return };
    let own = it.fdb.newest_first(|_, entry| entry.port == 0 && is_automatic(entry));
    for (key, _) in own {
        remove_local(kernel, bridge, 0, key);
    }
    add_local(kernel, bridge, 0, address);
    let Some(it) = kernel.bridge_mut(bridge) else { return };
    let old = it.parameters.id.address;
    let was_root = it.parameters.is_root();
    it.parameters.id.address = address;
    if was_root {
        it.parameters.designated_root = it.parameters.id;
    }
    for port in it.ports.iter_mut().flatten() {
        for id in [&mut port.info.designated_bridge, &mut port.info.designated_root] {
            if id.address == old {
                id.address = address;
            }
        }
    }
    state::select(kernel, bridge);
}

/// A port has another address.
pub(super) fn changed_on_port(kernel: &mut Kernel, dev: DevId, member: PortRef) {
    let PortRef { bridge, number } = member;
    let Some(address) = kernel.devices.get(dev).map(|device| device.address) else { return };
    let Some(it) = kernel.bridge(bridge) else { return };
    let old = it.fdb.newest_first(|_, entry| entry.port == number && is_automatic(entry));
    for (key, _) in old {
        remove_local(kernel, bridge, number, key);
    }
    add_local(kernel, bridge, number, address);
    follow_ports(kernel, bridge);
}

/// Whether the bridge itself made an entry for one of its addresses.
fn is_automatic(entry: &Entry) -> bool {
    entry.flags.contains(EntryFlags::LOCAL) && !entry.flags.contains(EntryFlags::USER)
}

/// Makes an address one of the bridge's own, on behalf of a port (0: of its own device).
pub(super) fn add_local(kernel: &mut Kernel, bridge: DevId, number: u16, address: MacAddr) {
    if !address.is_valid_unicast() {
        return;
    }
    let key = Key::new(address, 0);
    let Some(it) = kernel.bridge(bridge) else { return };
    if let Some(entry) = it.fdb.get(key) {
        if entry.flags.contains(EntryFlags::LOCAL) {
            return;
        }
        let dev = it.port(number).map_or(bridge, |port| port.dev);
        let (name, port) = (kernel.log_name(bridge), kernel.log_name(dev));
        kernel.warning(format!(
            "{name}: adding interface {port} with same address as a received packet (addr:{address}, vlan:0)"
        ));
        learning::forget(kernel, bridge, key);
    }
    let now = ticks(kernel.now);
    let flags = EntryFlags::LOCAL | EntryFlags::STATIC;
    learning::put(kernel, bridge, key, Entry { port: number, flags, updated: now, used: seconds(now) });
}

/// An address is no longer that of a port (0: of the bridge's device): its entry passes to another that has it, or goes.
pub(super) fn remove_local(kernel: &mut Kernel, bridge: DevId, number: u16, key: Key) {
    let address = key.address();
    let Some(device) = kernel.devices.get(bridge) else { return };
    let Some(it) = device.bridge() else { return };
    let same = |dev: DevId| kernel.devices.get(dev).is_some_and(|device| device.address == address);
    let other = it.members().find(|(other, port)| *other != number && same(port.dev)).map(|(other, _)| other);
    let heir = other.or((number != 0 && device.address == address).then_some(0));
    match (heir, it.fdb.get(key)) {
        (Some(port), Some(mut entry)) => {
            entry.port = port;
            entry.flags.remove(EntryFlags::USER);
            if let Some(it) = kernel.bridge_mut(bridge) {
                it.fdb.insert(key, entry);
            }
        }
        _ => learning::forget(kernel, bridge, key),
    }
}
