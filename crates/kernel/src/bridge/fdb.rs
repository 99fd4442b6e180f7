//! The forwarding database: which port an address is behind.
//!
//! An open-addressing table of groups, each a cache line with room for four entries: a lookup looks at all four at once, without a
//! branch that a processor would have to guess, and seldom at another group. What doesn't fit into a full group is in the next with
//! room. Tables grow by a quarter, when four fifths of their room are taken: an entry takes 32 bytes at most. The hash is keyed: who
//! doesn't know the kernel's seed can't make addresses collide. Removal moves later entries back, so there are no tombstones and a
//! flood of addresses leaves nothing behind.
//!
//! When an entry was made stands beside the groups, in an array that only control requests look at: dumps are newest first.

use crate::types::MacAddr;

/// How many addresses a bridge learns at most, whatever it is set to: a bound on the memory that a flood of addresses can take.
pub(crate) const LEARNED_LIMIT: usize = 1 << 20;

/// Set in every key, so that none is 0: there is no entry.
const TAKEN: u64 = 1 << 63;
/// Where port, flags and time of use stand in a word.
const PORT: u32 = 0x3ff;
const FLAGS_SHIFT: u32 = 10;
const USED_SHIFT: u32 = 15;
const LOCAL: u32 = (EntryFlags::LOCAL.bits() as u32) << FLAGS_SHIFT;
/// Times of use count seconds modulo this and one.
pub(super) const USED_MASK: u32 = u32::MAX >> USED_SHIFT;
/// How many entries a group has room for.
const WAYS: usize = 4;
/// How many groups there are at least.
const SMALLEST: usize = 4;
/// More groups than this (64 KiB) are far away.
const LARGE: usize = 1024;
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
        debug_assert_eq!(address >> 48, 0, "an address has 48 bits");
        Key(address | u64::from(vlan & 0xfff) << 48 | TAKEN)
    }

    pub(crate) fn address(self) -> MacAddr {
        let [_, _, a, b, c, d, e, f] = self.0.to_be_bytes();
        MacAddr([a, b, c, d, e, f])
    }

    pub(crate) fn vlan(self) -> u16 {
        (self.0 >> 48) as u16 & 0xfff
    }
}

/// A key and the group where it is looked for first. That holds until the table grows or shrinks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sought {
    pub(super) key: Key,
    pub(super) home: u32,
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

    /// Its address was heard on another port than it was known behind.
    #[cold]
    fn learn_again(&mut self, port: u16, now: u32) -> Learned {
        if self.flags.contains(EntryFlags::LOCAL) {
            return Learned::Own;
        }
        self.updated = now;
        if self.flags.contains(EntryFlags::STICKY) {
            return Learned::Known;
        }
        self.port = port;
        if !self.flags.contains(EntryFlags::USER) {
            self.flags.remove(EntryFlags::EXT_LEARN);
        }
        Learned::Changed
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

/// Entries that are looked at together, the first places taken first.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C, align(64))]
struct Group {
    /// 0 is an empty place.
    keys: [u64; WAYS],
    notes: [Note; WAYS],
}

impl Group {
    #[inline(always)]
    fn is_full(&self) -> bool {
        self.keys[WAYS - 1] != 0
    }

    /// How many entries there are.
    fn len(&self) -> usize {
        self.keys.iter().filter(|key| **key != 0).count()
    }
}

/// An entry as it is kept.
#[derive(Clone, Copy, Debug, Default)]
struct Note {
    updated: u32,
    /// Port, flags, time of use.
    rest: u32,
}

impl Note {
    fn new(entry: Entry) -> Note {
        let flags = u32::from(entry.flags.bits()) << FLAGS_SHIFT;
        Note { updated: entry.updated, rest: u32::from(entry.port) & PORT | flags | entry.used << USED_SHIFT }
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

/// Where an entry is: in which group, and where in that.
type Place = (usize, usize);

/// The table.
#[derive(Debug)]
pub(crate) struct Fdb {
    groups: Box<[Group]>,
    /// The sequence number of each entry.
    order: Box<[[u32; WAYS]]>,
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
            groups: vec![Group::default(); SMALLEST].into(),
            order: vec![[0; WAYS]; SMALLEST].into(),
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

    /// How large the table is, in groups.
    #[inline(always)]
    pub(super) fn size(&self) -> usize {
        self.groups.len()
    }

    /// Where a key is looked for first: both halves of a product, so that every bit of the key counts, as a fraction of the table.
    #[inline(always)]
    pub(super) fn seek(&self, key: Key) -> Sought {
        let product = u128::from(key.0 ^ self.seed) * u128::from(MULTIPLIER);
        let fraction = product as u64 ^ (product >> 64) as u64;
        Sought { key, home: ((u128::from(fraction) * self.groups.len() as u128) >> 64) as u32 }
    }

    #[inline(always)]
    fn home(&self, key: Key) -> usize {
        self.seek(key).home as usize
    }

    #[inline(always)]
    fn find(&self, Sought { key, home }: Sought) -> Option<Place> {
        debug_assert_eq!(home, self.seek(key).home, "the table is as large as it was");
        let mut at = home as usize;
        // Some groups aren't full, so this ends.
        loop {
            let Some(group) = self.groups.get(at) else {
                at = 0;
                continue;
            };
            let way = (0..WAYS).rev().fold(WAYS, |found, way| if group.keys[way] == key.0 { way } else { found });
            if way < WAYS {
                return Some((at, way));
            }
            if !group.is_full() {
                return None;
            }
            at += 1;
        }
    }

    #[inline(always)]
    fn note(&self, (group, way): Place) -> Option<&Note> {
        self.groups.get(group)?.notes.get(way)
    }

    #[inline(always)]
    fn note_mut(&mut self, (group, way): Place) -> Option<&mut Note> {
        self.groups.get_mut(group)?.notes.get_mut(way)
    }

    /// Something of a group, to have looked at it.
    #[inline(always)]
    pub(super) fn peek(&self, group: u32) -> u64 {
        self.groups.get(group as usize).map_or(0, |group| group.keys[0])
    }

    /// Whether the table is larger than what a processor has at hand anyway.
    #[inline]
    pub(crate) fn is_large(&self) -> bool {
        self.groups.len() > LARGE
    }

    /// What is known of an address.
    pub(crate) fn get(&self, key: Key) -> Option<Entry> {
        self.note(self.find(self.seek(key))?).map(Note::entry)
    }

    /// Where a frame to this address goes: the port's number, and whether the address is the bridge's own. Notes the use.
    #[inline(always)]
    pub(super) fn destination(&mut self, sought: Sought, seconds: u32) -> Option<(u16, bool)> {
        let place = self.find(sought)?;
        let note = self.note_mut(place)?;
        let rest = note.rest & ((1 << USED_SHIFT) - 1) | seconds << USED_SHIFT;
        if rest != note.rest {
            note.rest = rest;
        }
        Some(((rest & PORT) as u16, rest & LOCAL != 0))
    }

    /// Notes that a frame from this address came in on a port. `room` is how many addresses may be learned.
    #[inline(always)]
    pub(super) fn learn(&mut self, sought: Sought, port: u16, now: u32, room: usize) -> Learned {
        let place = self.find(sought);
        let Some(note) = place.and_then(|place| self.note_mut(place)) else {
            return self.learn_new(sought.key, port, now, room);
        };
        if note.rest & (PORT | LOCAL) != u32::from(port) {
            let mut entry = note.entry();
            let learned = entry.learn_again(port, now);
            self.insert(sought.key, entry);
            return learned;
        }
        if note.updated != now {
            note.updated = now;
        }
        Learned::Known
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
        let place = self.find(self.seek(key));
        if let Some(note) = place.and_then(|place| self.note_mut(place)) {
            let before = std::mem::replace(note, Note::new(entry)).entry();
            self.learned -= usize::from(before.is_learned());
        } else {
            if (self.len + 1) * 5 > self.groups.len() * WAYS * 4 {
                self.resize(self.groups.len() + self.groups.len() / 4);
            }
            if self.next == u32::MAX {
                self.renumber();
            }
            self.place(key, Note::new(entry), self.next);
            self.next += 1;
            self.len += 1;
        }
        self.learned += usize::from(entry.is_learned());
    }

    /// The group behind another, in a circle.
    fn after(&self, at: usize) -> usize {
        if at + 1 < self.groups.len() { at + 1 } else { 0 }
    }

    /// How many groups behind another one is, in a circle.
    fn distance(&self, from: usize, to: usize) -> usize {
        if to >= from { to - from } else { to + self.groups.len() - from }
    }

    /// Puts in an entry that isn't there; some group isn't full.
    fn place(&mut self, key: Key, note: Note, sequence: u32) {
        let mut at = self.home(key);
        while self.groups[at].is_full() {
            at = self.after(at);
        }
        let group = &mut self.groups[at];
        let way = group.len();
        (group.keys[way], group.notes[way], self.order[at][way]) = (key.0, note, sequence);
    }

    /// Copies an entry to another place.
    fn copy(&mut self, from: Place, to: Place) {
        let group = self.groups[from.0];
        self.groups[to.0].keys[to.1] = group.keys[from.1];
        self.groups[to.0].notes[to.1] = group.notes[from.1];
        self.order[to.0][to.1] = self.order[from.0][from.1];
    }

    /// Takes an entry out.
    pub(crate) fn remove(&mut self, key: Key) -> Option<Entry> {
        let place = self.find(self.seek(key))?;
        let entry = self.note(place)?.entry();
        self.len -= 1;
        self.learned -= usize::from(entry.is_learned());
        let (mut at, mut way) = place;
        loop {
            let (last, was_full) = (self.groups[at].len() - 1, self.groups[at].is_full());
            self.copy((at, last), (at, way));
            self.groups[at].keys[last] = 0;
            let Some(farther) = self.first_past(at).filter(|_| was_full) else { break };
            self.copy(farther, (at, last));
            (at, way) = farther;
        }
        if self.groups.len() > SMALLEST && self.len * 16 < self.groups.len() * WAYS {
            self.resize(self.groups.len() / 4);
        }
        Some(entry)
    }

    /// The first entry that there was no room for in a group which was full so far.
    fn first_past(&self, group: usize) -> Option<Place> {
        let mut at = self.after(group);
        while at != group {
            for (way, key) in self.groups[at].keys.into_iter().enumerate() {
                if key == 0 {
                    return None;
                }
                if self.distance(self.home(Key(key)), at) >= self.distance(group, at) {
                    return Some((at, way));
                }
            }
            at = self.after(at);
        }
        None
    }

    fn resize(&mut self, size: usize) {
        let size = size.max(SMALLEST);
        let groups = std::mem::replace(&mut self.groups, vec![Group::default(); size].into());
        let order = std::mem::replace(&mut self.order, vec![[0; WAYS]; size].into());
        for (key, note, sequence) in entries(&groups, &order) {
            self.place(key, note, sequence);
        }
    }

    /// Makes room for more sequence numbers.
    fn renumber(&mut self) {
        let mut sequences: Vec<u32> = entries(&self.groups, &self.order).map(|(.., sequence)| sequence).collect();
        sequences.sort_unstable();
        for number in self.order.as_flattened_mut() {
            // Places without an entry have some number, too, which doesn't count.
            *number = sequences.partition_point(|sequence| sequence < number) as u32;
        }
        self.next = sequences.len() as u32;
    }

    /// Every entry, in no order that may be seen.
    fn iter(&self) -> impl Iterator<Item = (Key, Entry, u32)> + '_ {
        entries(&self.groups, &self.order).map(|(key, note, sequence)| (key, note.entry(), sequence))
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

/// What is in a table.
fn entries<'a>(groups: &'a [Group], order: &'a [[u32; WAYS]]) -> impl Iterator<Item = (Key, Note, u32)> + 'a {
    let places = groups.iter().zip(order).flat_map(|(group, order)| {
        group.keys.iter().zip(&group.notes).zip(order).map(|((key, note), sequence)| (Key(*key), *note, *sequence))
    });
    places.filter(|(key, ..)| key.0 != 0)
}

#[cfg(test)]
#[path = "fdb_tests.rs"]
mod tests;
