//! The forwarding database against a naive map.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

fn key(number: u16) -> Key {
    let [a, b] = number.to_be_bytes();
    Key::new(MacAddr([2, 0, 0, 0, a, b]), 0)
}

#[derive(Clone, Debug)]
enum Step {
    Learn(u16, u16),
    Add(u16, u16, u8),
    Remove(u16),
    Look(u16),
    Age(u32),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (0..96u16, 1..5u16).prop_map(|(address, port)| Step::Learn(address, port)),
        1 => (0..96u16, 0..5u16, 0..32u8).prop_map(|(address, port, flags)| Step::Add(address, port, flags)),
        2 => (0..96u16).prop_map(Step::Remove),
        2 => (0..96u16).prop_map(Step::Look),
        1 => (1..400u32).prop_map(Step::Age),
    ];
    proptest::collection::vec(step, 1..400)
}

/// The same behaviour, written down in the plainest way: entries by key, each with the time it was made.
#[derive(Default)]
struct Model {
    entries: BTreeMap<Key, (Entry, u32)>,
    made: u32,
}

impl Model {
    fn put(&mut self, key: Key, entry: Entry) {
        let made = self.entries.get(&key).map_or(self.made, |(_, made)| *made);
        self.made += 1;
        self.entries.insert(key, (entry, made));
    }

    fn learn(&mut self, key: Key, port: u16, now: u32, room: usize) -> Learned {
        let learned = self.entries.values().filter(|(entry, _)| entry.is_learned()).count();
        match self.entries.get(&key).map(|(entry, _)| *entry) {
            None if learned >= room => Learned::Full,
            None => {
                self.put(key, Entry { port, flags: EntryFlags::empty(), updated: now, used: now / 100 });
                Learned::Changed
            }
            Some(entry) if entry.flags.contains(EntryFlags::LOCAL) => Learned::Own,
            Some(entry) if entry.port == port || entry.flags.contains(EntryFlags::STICKY) => {
                self.put(key, Entry { updated: now, ..entry });
                Learned::Known
            }
            Some(mut entry) => {
                if !entry.flags.contains(EntryFlags::USER) {
                    entry.flags.remove(EntryFlags::EXT_LEARN);
                }
                self.put(key, Entry { port, updated: now, ..entry });
                Learned::Changed
            }
        }
    }

    fn newest_first(&self) -> Vec<(Key, Entry)> {
        let mut entries: Vec<_> = self.entries.iter().map(|(key, (entry, made))| (*made, *key, *entry)).collect();
        entries.sort_by_key(|(made, ..)| std::cmp::Reverse(*made));
        entries.into_iter().map(|(_, key, entry)| (key, entry)).collect()
    }
}

proptest! {
    #[test]
    fn it_behaves_like_a_map(seed: u64, steps in steps()) {
        let mut fdb = Fdb::with_seed(seed);
        let mut model = Model::default();
        let mut now = 0;
        for step in steps {
            match step {
                Step::Learn(address, port) => {
                    prop_assert_eq!(fdb.learn(fdb.seek(key(address)), port, now, 64), model.learn(key(address), port, now, 64));
                }
                Step::Add(address, port, flags) => {
                    let flags = EntryFlags::from_bits_truncate(flags);
                    let entry = Entry { port, flags, updated: now, used: now / 100 };
                    fdb.insert(key(address), entry);
                    model.put(key(address), entry);
                }
                Step::Remove(address) => {
                    prop_assert_eq!(fdb.remove(key(address)), model.entries.remove(&key(address)).map(|(entry, _)| entry));
                }
                Step::Look(address) => {
                    let expected = model.entries.get_mut(&key(address)).map(|(entry, _)| {
                        entry.used = now / 100;
                        (entry.port, entry.flags.contains(EntryFlags::LOCAL))
                    });
                    prop_assert_eq!(fdb.destination(fdb.seek(key(address)), now / 100), expected);
                }
                Step::Age(by) => {
                    now += by;
                    let due = |entry: &Entry| entry.ages() && now - entry.updated >= 300;
                    for (old, _) in fdb.newest_first(|_, entry| due(entry)) {
                        fdb.remove(old);
                    }
                    model.entries.retain(|_, (entry, _)| !due(entry));
                }
            }
            prop_assert_eq!(fdb.len(), model.entries.len());
            prop_assert_eq!(fdb.newest_first(|_, _| true), model.newest_first());
            prop_assert_eq!(fdb.learned(), model.entries.values().filter(|(entry, _)| entry.is_learned()).count());
        }
    }
}

#[test]
fn it_grows_and_shrinks() {
    let mut fdb = Fdb::with_seed(7);
    for address in 1..=u16::MAX {
        assert_eq!(fdb.learn(fdb.seek(key(address)), address % 5, 0, LEARNED_LIMIT), Learned::Changed);
    }
    let bytes = fdb.groups.len() * (size_of::<Group>() + size_of::<[u32; WAYS]>());
    assert!(bytes <= usize::from(u16::MAX) * 32);
    for address in 1..=u16::MAX {
        assert_eq!(fdb.destination(fdb.seek(key(address)), 0), Some((address % 5, false)));
    }
    for address in 1..=u16::MAX {
        assert!(fdb.remove(key(address)).is_some());
    }
    assert!(fdb.groups.len() <= 16);
    assert_eq!(fdb.destination(fdb.seek(key(1)), 0), None);
}

#[test]
fn a_group_is_a_cache_line() {
    assert_eq!((size_of::<Group>(), align_of::<Group>()), (64, 64));
}

#[test]
fn the_order_survives_when_the_numbers_run_out() {
    let mut fdb = Fdb::with_seed(1);
    fdb.next = u32::MAX - 2;
    for address in 1..6 {
        fdb.learn(fdb.seek(key(address)), 1, 0, 100);
    }
    let order: Vec<Key> = fdb.newest_first(|_, _| true).into_iter().map(|(key, _)| key).collect();
    assert_eq!(order, [key(5), key(4), key(3), key(2), key(1)]);
}
