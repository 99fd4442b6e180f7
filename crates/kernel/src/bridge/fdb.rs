//! The forwarding database: which port an address is behind.
//!
//! An open-addressing table with linear probing. A slot is 16 bytes, so four of them share a cache line and a lookup usually costs
//! one. Tables grow by a quarter, when four fifths of their slots are taken: an entry takes 32 bytes at most. The hash is keyed: who
//! doesn't know the kernel's seed can't make addresses collide. Removal shifts later slots back, so there are no tombstones and a flood
//! of addresses leaves nothing behind.
//!
//! When an entry was made stands beside the slots, in an array that only control requests look at: dumps are newest first.

use crate::types::MacAddr;

/// How many addresses a bridge learns at most, whatever it is set to: a bound on the memory that a flood of addresses can take.
pub(crate) const LEARNED_LIMIT: usize = 1 << 20;

/// Set in every key, so that none is 0: that is an empty slot.
const TAKEN: u64 = 1 << 63;
/// Where port, flags and time of use stand in a slot's last word.
const PORT: u32 = 0x3ff;
const FLAGS_SHIFT: u32 = 10;
const USED_SHIFT: u32 = 15;
const LOCAL: u32 = (EntryFlags::LOCAL.bits() as u32) << FLAGS_SHIFT;
/// Times of use count seconds modulo this and one.
pub(super) const USED_MASK: u32 = u32::MAX >> USED_SHIFT;
const SMALLEST: usize = 16;
/// More slots than this (64 KiB) are far away.
const LARGE: usize = 4096;
/// 2^64 divided by the golden ratio, made odd.
const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;

bitflags::bitflags! {
    /// What is special about an entry.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub(crate) struct EntryFlags: u8 {
        /// One of the bridge's own addresses: frames to it go up.
        const LOCAL = 1;
        /// Does not age.
        const STATIC = 2;
        /// Does not move to another port.
        const STICKY = 4;
        /// Added from outside as if it were learned; does not age.
        const EXT_LEARN = 8;
        /// Added by somebody, not by the bridge itself.
        const USER = 16;
    }
}

/// An address within a VLAN (0 while VLANs aren't filtered).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Key(u64);

impl Key {
    #[inline]
    pub(crate) fn new(address: MacAddr, vlan: u16) -> Key {
        let [a, b, c, d, e, f] = address.0;
        Key::from_bits(u64::from_be_bytes([0, 0, a, b, c, d, e, f]), vlan)
    }

    /// The same from an address as a number of 48 bits.
    #[inline]
    pub(super) fn from_bits(address: u64, vlan: u16) -> Key {
        Key(address & 0xffff_ffff_ffff | u64::from(vlan & 0xfff) << 48 | TAKEN)
    }

    pub(crate) fn address(self) -> MacAddr {
        let [_, _, a, b, c, d, e, f] = self.0.to_be_bytes();
        MacAddr([a, b, c, d, e, f])
    }

    pub(crate) fn vlan(self) -> u16 {
        (self.0 >> 48) as u16 & 0xfff
    }
}

/// What the database knows of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// The port's number; 0 is the bridge's own device.
    pub(crate) port: u16,
    pub(crate) flags: EntryFlags,
    /// When the address last was a source, in hundredths of a second since boot.
    pub(crate) updated: u32,
    /// When the address last was a destination, in seconds since boot modulo 2^17 (36 hours).
    pub(crate) used: u32,
}

impl Entry {
    /// Whether it counts as learned: nobody put it there.
    pub(crate) fn is_learned(&self) -> bool {
        self.flags.is_empty()
    }

    /// Whether it goes away with time.
    pub(crate) fn ages(&self) -> bool {
        !self.flags.intersects(EntryFlags::LOCAL | EntryFlags::STATIC | EntryFlags::EXT_LEARN)
    }
}

/// What learning an address did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Learned {
    /// It was known here.
    Known,
    /// It is one of the bridge's own addresses.
    Own,
    /// It is new, or moved here.
    Changed,
    /// It is new, and there is no room for more.
    Full,
}

#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    /// 0 is an empty slot.
    key: u64,
    updated: u32,
    /// Port, flags, time of use.
    rest: u32,
}

impl Slot {
    fn new(key: Key, entry: Entry) -> Slot {
        let flags = u32::from(entry.flags.bits()) << FLAGS_SHIFT;
        Slot {
            key: key.0,
            updated: entry.updated,
            rest: u32::from(entry.port) & PORT | flags | entry.used << USED_SHIFT,
        }
    }

    fn entry(&self) -> Entry {
        Entry {
            port: (self.rest & PORT) as u16,
            flags: EntryFlags::from_bits_truncate((self.rest >> FLAGS_SHIFT) as u8),
            updated: self.updated,
            used: self.rest >> USED_SHIFT,
        }
    }
}

/// The table.
#[derive(Debug)]
pub(crate) struct Fdb {
    slots: Box<[Slot]>,
    /// The sequence number of each slot's entry.
    order: Box<[u32]>,
    next: u32,
    seed: u64,
    len: usize,
    learned: usize,
}

impl Default for Fdb {
    fn default() -> Fdb {
        Fdb::with_seed(0)
    }
}

impl Fdb {
    pub(crate) fn with_seed(seed: u64) -> Fdb {
        Fdb {
            slots: vec![Slot::default(); SMALLEST].into(),
            order: vec![0; SMALLEST].into(),
            next: 0,
            seed,
            len: 0,
            learned: 0,
        }
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// How many entries were learned.
    pub(crate) fn learned(&self) -> usize {
        self.learned
    }

    /// The slot where a key is looked for first: both halves of a product, so that every bit of the key counts, as a fraction of the
    /// table.
    #[inline(always)]
    pub(super) fn home(&self, key: Key) -> usize {
        let product = u128::from(key.0 ^ self.seed) * u128::from(MULTIPLIER);
        let fraction = product as u64 ^ (product >> 64) as u64;
        ((u128::from(fraction) * self.slots.len() as u128) >> 64) as usize
    }

    #[inline(always)]
    fn find(&self, key: Key) -> Option<usize> {
        let mut at = self.home(key);
        // Some slots are empty, so this ends.
        loop {
            match self.slots.get(at) {
                Some(slot) if slot.key == key.0 => return Some(at),
                Some(slot) if slot.key == 0 => return None,
                Some(_) => at += 1,
                None => at = 0,
            }
        }
    }

    /// The port in a slot, whoever's it is.
    #[inline(always)]
    pub(super) fn peek(&self, slot: u32) -> u16 {
        self.slots.get(slot as usize).map_or(0, |slot| (slot.rest & PORT) as u16)
    }

    /// Whether the table is larger than what a processor has at hand anyway.
    #[inline]
    pub(crate) fn is_large(&self) -> bool {
        self.slots.len() > LARGE
    }

    /// What is known of an address.
    pub(crate) fn get(&self, key: Key) -> Option<Entry> {
        self.find(key).map(|at| self.slots[at].entry())
    }

    /// Where a frame to this address goes: the port's number, and whether the address is the bridge's own. Notes the use.
    #[inline(always)]
    pub(crate) fn destination(&mut self, key: Key, seconds: u32) -> Option<(u16, bool)> {
        let at = self.find(key)?;
        let slot = self.slots.get_mut(at)?;
        let rest = slot.rest & ((1 << USED_SHIFT) - 1) | seconds << USED_SHIFT;
        if rest != slot.rest {
            slot.rest = rest;
        }
        Some(((rest & PORT) as u16, rest & LOCAL != 0))
    }

    /// Notes that a frame from this address came in on a port. `room` is how many addresses may be learned.
    #[inline(always)]
    pub(crate) fn learn(&mut self, key: Key, port: u16, now: u32, room: usize) -> Learned {
        let Some(at) = self.find(key) else {
            return self.learn_new(key, port, now, room);
        };
        let slot = &mut self.slots[at];
        if slot.rest & (PORT | LOCAL) != u32::from(port) {
            return self.learn_again(at, key, port, now);
        }
        if slot.updated != now {
            slot.updated = now;
        }
        Learned::Known
    }

    /// The address was known elsewhere.
    #[cold]
    fn learn_again(&mut self, at: usize, key: Key, port: u16, now: u32) -> Learned {
        let slot = &mut self.slots[at];
        let mut entry = slot.entry();
        if entry.flags.contains(EntryFlags::LOCAL) {
            return Learned::Own;
        }
        slot.updated = now;
        entry.updated = now;
        if entry.flags.contains(EntryFlags::STICKY) {
            return Learned::Known;
        }
        entry.port = port;
        if !entry.flags.contains(EntryFlags::USER) {
            entry.flags.remove(EntryFlags::EXT_LEARN);
        }
        self.insert(key, entry);
        Learned::Changed
    }

    #[cold]
    fn learn_new(&mut self, key: Key, port: u16, now: u32, room: usize) -> Learned {
        if self.learned >= room {
            return Learned::Full;
        }
        self.insert(key, Entry { port, flags: EntryFlags::empty(), updated: now, used: (now / 100) & USED_MASK });
        Learned::Changed
    }

    /// Adds an entry, or gives a known address another one (which keeps its place among the others).
    pub(crate) fn insert(&mut self, key: Key, entry: Entry) {
        if let Some(at) = self.find(key) {
            self.learned -= usize::from(self.slots[at].entry().is_learned());
            self.slots[at] = Slot::new(key, entry);
        } else {
            if (self.len + 1) * 5 > self.slots.len() * 4 {
                self.resize(self.slots.len() + self.slots.len() / 4);
            }
            if self.next == u32::MAX {
                self.renumber();
            }
            self.place(Slot::new(key, entry), self.next);
            self.next += 1;
            self.len += 1;
        }
        self.learned += usize::from(entry.is_learned());
    }

    /// The slot behind another, in a circle.
    fn after(&self, at: usize) -> usize {
        if at + 1 < self.slots.len() { at + 1 } else { 0 }
    }

    /// How many slots behind another one is, in a circle.
    fn distance(&self, from: usize, to: usize) -> usize {
        if to >= from { to - from } else { to + self.slots.len() - from }
    }

    fn place(&mut self, slot: Slot, sequence: u32) {
        let mut at = self.home(Key(slot.key));
        while self.slots[at].key != 0 {
            at = self.after(at);
        }
        self.slots[at] = slot;
        self.order[at] = sequence;
    }

    /// Takes an entry out.
    pub(crate) fn remove(&mut self, key: Key) -> Option<Entry> {
        let mut hole = self.find(key)?;
        let entry = self.slots[hole].entry();
        self.len -= 1;
        self.learned -= usize::from(entry.is_learned());
        // Entries that had to make way for this one move back.
        let mut at = hole;
        loop {
            at = self.after(at);
            let slot = self.slots[at];
            if slot.key == 0 {
                break;
            }
            let home = self.home(Key(slot.key));
            if self.distance(home, at) >= self.distance(hole, at) {
                self.slots[hole] = slot;
                self.order[hole] = self.order[at];
                hole = at;
            }
        }
        self.slots[hole] = Slot::default();
        if self.slots.len() > SMALLEST && self.len * 16 < self.slots.len() {
            self.resize(self.slots.len() / 4);
        }
        Some(entry)
    }

    fn resize(&mut self, size: usize) {
        let size = size.max(SMALLEST);
        let slots = std::mem::replace(&mut self.slots, vec![Slot::default(); size].into());
        let order = std::mem::replace(&mut self.order, vec![0; size].into());
        for (slot, sequence) in slots.iter().zip(order) {
            if slot.key != 0 {
                self.place(*slot, sequence);
            }
        }
    }

    /// Makes room for more sequence numbers.
    fn renumber(&mut self) {
        let mut taken: Vec<usize> = (0..self.slots.len()).filter(|at| self.slots[*at].key != 0).collect();
        taken.sort_by_key(|at| self.order[*at]);
        for (sequence, at) in taken.iter().enumerate() {
            self.order[*at] = sequence as u32;
        }
        self.next = taken.len() as u32;
    }

    /// Every entry, in no order that may be seen.
    fn iter(&self) -> impl Iterator<Item = (Key, Entry, u32)> + '_ {
        let taken = self.slots.iter().zip(&self.order).filter(|(slot, _)| slot.key != 0);
        taken.map(|(slot, sequence)| (Key(slot.key), slot.entry(), *sequence))
    }

    /// The entries that are wanted, newest first.
    pub(crate) fn newest_first(&self, wanted: impl Fn(Key, &Entry) -> bool) -> Vec<(Key, Entry)> {
        let mut entries: Vec<_> = self.iter().filter(|(key, entry, _)| wanted(*key, entry)).collect();
        entries.sort_unstable_by_key(|(.., sequence)| std::cmp::Reverse(*sequence));
        entries.into_iter().map(|(key, entry, _)| (key, entry)).collect()
    }

    /// When, in hundredths of a second from now, the first entry that ages will have been silent for `hold`; `None` where nothing
    /// ages. Those for which that is over count as 0.
    pub(crate) fn next_expiry(&self, now: u32, hold: u32) -> Option<u32> {
        let ages = self.iter().filter(|(_, entry, _)| entry.ages());
        ages.map(|(_, entry, _)| hold.saturating_sub(now.wrapping_sub(entry.updated))).min()
    }
}

#[cfg(test)]
#[path = "fdb_tests.rs"]
mod tests;
