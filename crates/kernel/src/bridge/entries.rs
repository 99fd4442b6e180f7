//! Entries of the forwarding database by hand: adding, deleting, asking.

use super::{Entry, EntryFlags, Key, fdb, learning, seconds, ticks};
use crate::Kernel;
use crate::error::{Errno, Result};
use crate::types::DevId;

/// How an entry is to be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Change {
    /// Local and static, static, or neither.
    pub(crate) flags: EntryFlags,
    pub(crate) sticky: bool,
    /// It may be new.
    pub(crate) create: bool,
    /// It must be new.
    pub(crate) exclusive: bool,
}

/// Which entries are to go.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Flush {
    /// Those of this device: a port, or the bridge itself.
    pub(crate) port: Option<DevId>,
    /// Those of this VLAN, if not 0.
    pub(crate) vlan: u16,
    /// Those that have just these of the flags in `mask`.
    pub(crate) flags: EntryFlags,
    pub(crate) mask: EntryFlags,
}

/// How old an entry is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Age {
    /// Since the address last was a destination, in hundredths of a second.
    pub(crate) used: u32,
    /// Since it last was a source, in hundredths of a second.
    pub(crate) updated: u32,
    /// Whether it is only still there because nobody has looked.
    pub(crate) expired: bool,
}

/// The number of a port in its bridge; 0 for none.
fn number(kernel: &Kernel, port: Option<DevId>) -> u16 {
    let device = port.and_then(|port| kernel.devices.get(port));
    device.and_then(|device| device.port).map_or(0, |member| member.number)
}

/// Adds an entry for a port (none: for the bridge itself) or changes the one that is there.
///
/// `EPERM`: dynamic on a port that doesn't learn. `EINVAL`: sticky and local. `ENOENT`, `EEXIST`: as [`Change`] says.
pub(crate) fn add_entry(
    kernel: &mut Kernel,
    bridge: DevId,
    port: Option<DevId>,
    key: Key,
    change: Change,
) -> Result<(), Errno> {
    let learns = port.and_then(|port| kernel.bridge_port(port)).is_none_or(|port| port.state.receives());
    if !learns && change.flags.is_empty() {
        return Err(Errno::EPERM);
    }
    if change.sticky && change.flags.contains(EntryFlags::LOCAL) {
        return Err(Errno::EINVAL);
    }
    let number = number(kernel, port);
    let now = ticks(kernel.now);
    let it = kernel.bridge(bridge).ok_or(Errno::EOPNOTSUPP)?;
    let (used, kept) = match it.fdb.get(key) {
        None if !change.create => return Err(Errno::ENOENT),
        Some(_) if change.exclusive => return Err(Errno::EEXIST),
        None => (seconds(now), EntryFlags::empty()),
        Some(entry) => (entry.used, entry.flags & EntryFlags::EXT_LEARN),
    };
    let mut flags = change.flags | kept | EntryFlags::USER;
    flags.set(EntryFlags::STICKY, change.sticky);
    learning::put(kernel, bridge, key, Entry { port: number, flags, updated: now, used });
    Ok(())
}

/// As if a frame from this address had come in by a port (`bridge fdb add … use`).
pub(crate) fn use_entry(kernel: &mut Kernel, port: DevId, key: Key) {
    let Some(member) = kernel.devices.get(port).and_then(|device| device.port) else { return };
    if !kernel.bridge_port(port).is_some_and(|port| port.state.receives()) {
        return;
    }
    let now = ticks(kernel.now);
    let Some(it) = kernel.bridge_mut(member.bridge) else { return };
    let learned = it.fdb.learn(it.fdb.seek(key), member.number, now, it.room);
    if let Some(mut entry) = it.fdb.get(key).filter(|entry| !entry.flags.contains(EntryFlags::LOCAL)) {
        entry.flags |= EntryFlags::USER;
        it.fdb.insert(key, entry);
    }
    learning::report(kernel, member, key, learned);
}

/// An address that somebody else has learned (`bridge fdb add … extern_learn`).
pub(crate) fn learn_from_outside(kernel: &mut Kernel, bridge: DevId, port: Option<DevId>, key: Key) {
    let number = number(kernel, port);
    let now = ticks(kernel.now);
    let Some(it) = kernel.bridge(bridge) else { return };
    let old = it.fdb.get(key);
    let mut flags = old.map_or(EntryFlags::empty(), |entry| entry.flags) | EntryFlags::EXT_LEARN | EntryFlags::USER;
    if port.is_none() {
        flags |= EntryFlags::LOCAL;
    }
    let used = old.map_or(seconds(now), |entry| entry.used);
    learning::put(kernel, bridge, key, Entry { port: number, flags, updated: now, used });
}

/// Deletes an entry of a port (none: of the bridge itself), local ones too. `ENOENT`: there is none there.
pub(crate) fn delete_entry(kernel: &mut Kernel, bridge: DevId, port: Option<DevId>, key: Key) -> Result<(), Errno> {
    let number = number(kernel, port);
    let it = kernel.bridge(bridge).ok_or(Errno::EOPNOTSUPP)?;
    it.fdb.get(key).filter(|entry| entry.port == number).ok_or(Errno::ENOENT)?;
    learning::forget(kernel, bridge, key);
    Ok(())
}

/// Deletes every entry that matches.
pub(crate) fn flush_entries(kernel: &mut Kernel, bridge: DevId, wanted: Flush) {
    let port = wanted.port.map(|port| if port == bridge { 0 } else { number(kernel, Some(port)) });
    let Some(it) = kernel.bridge(bridge) else { return };
    let matching = it.fdb.newest_first(|key, entry| {
        port.is_none_or(|port| port == entry.port)
            && (wanted.vlan == 0 || key.vlan() == wanted.vlan)
            && entry.flags & wanted.mask == wanted.flags & wanted.mask
    });
    for (key, _) in matching {
        learning::forget(kernel, bridge, key);
    }
}

/// One entry.
pub(crate) fn entry(kernel: &Kernel, bridge: DevId, key: Key) -> Option<Entry> {
    kernel.bridge(bridge)?.fdb.get(key)
}

/// The entries of a port, by its number (0: of the bridge itself), newest first.
pub(crate) fn entries(kernel: &Kernel, bridge: DevId, number: u16) -> Vec<(Key, Entry)> {
    let Some(it) = kernel.bridge(bridge) else { return Vec::new() };
    it.fdb.newest_first(|_, entry| entry.port == number)
}

/// How old an entry is.
pub(crate) fn entry_age(kernel: &Kernel, bridge: DevId, entry: &Entry) -> Age {
    let now = ticks(kernel.now);
    let updated = now.wrapping_sub(entry.updated);
    let hold = kernel.bridge(bridge).map_or(0, |it| it.parameters.hold_time());
    // Uses are noted by the second.
    let used = seconds(now).wrapping_sub(entry.used) & fdb::USED_MASK;
    let used = if used == 0 { updated.min(now % 100) } else { used * 100 };
    Age { used, updated, expired: entry.ages() && updated >= hold }
}
