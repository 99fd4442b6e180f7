//! Devices by ifindex.
//!
//! Indexes are given one after the other, so that most stand side by side: pages of eight lie in order in one piece of memory, and the
//! page of an index mostly is as far from the first one as its number says. Where gaps are in between it is searched for.

use slotmap::Key;

use crate::types::DevId;

const PAGE: u32 = 8;

/// See [the module](self).
#[derive(Debug, Default)]
pub(crate) struct ByIndex {
    /// In order; none is empty.
    pages: Vec<Page>,
}

/// Neighbouring indexes; the null key is nobody.
#[derive(Debug)]
struct Page {
    number: u32,
    devices: [DevId; PAGE as usize],
}

impl Page {
    fn new(number: u32) -> Page {
        Page { number, devices: [DevId::null(); PAGE as usize] }
    }
}

impl ByIndex {
    /// Where the page with that number is if there are no gaps, counted from the first.
    #[inline(always)]
    fn near(&self, number: u32) -> usize {
        number.wrapping_sub(self.pages.first().map_or(0, |page| page.number)) as usize
    }

    /// Where the page with that number is, or would be.
    fn find(&self, number: u32) -> Result<usize, usize> {
        let near = self.near(number);
        match self.pages.get(near) {
            Some(page) if page.number == number => Ok(near),
            _ => self.pages.binary_search_by_key(&number, |page| page.number),
        }
    }

    /// The page with that number.
    #[inline(always)]
    fn page(&self, number: u32) -> Option<&Page> {
        match self.pages.get(self.near(number)) {
            Some(page) if page.number == number => Some(page),
            _ => self.pages.get(self.find(number).ok()?),
        }
    }

    /// The device with that index.
    #[inline]
    pub(crate) fn get(&self, index: u32) -> Option<DevId> {
        Some(self.page(index / PAGE)?.devices[(index % PAGE) as usize]).filter(|dev| !dev.is_null())
    }

    /// Gives an index to a device.
    pub(crate) fn insert(&mut self, index: u32, dev: DevId) {
        let number = index / PAGE;
        let at = self.find(number).unwrap_or_else(|at| {
            if self.pages.len() == self.pages.capacity() {
                // Most namespaces have few devices.
                self.pages.reserve_exact((self.pages.len() / 2).max(1));
            }
            self.pages.insert(at, Page::new(number));
            at
        });
        self.pages[at].devices[(index % PAGE) as usize] = dev;
    }

    /// Takes an index back.
    pub(crate) fn remove(&mut self, index: u32) {
        let Ok(at) = self.find(index / PAGE) else { return };
        let page = &mut self.pages[at];
        page.devices[(index % PAGE) as usize] = DevId::null();
        if page.devices.iter().all(|dev| dev.is_null()) {
            self.pages.remove(at);
        }
        if self.pages.len() * 4 < self.pages.capacity() {
            self.pages.shrink_to(self.pages.len() * 2);
        }
    }

    /// The devices, in the order of their indexes.
    pub(crate) fn values(&self) -> impl DoubleEndedIterator<Item = DevId> + '_ {
        self.pages.iter().flat_map(|page| page.devices).filter(|dev| !dev.is_null())
    }

    /// The first index from `start` on, and its device.
    pub(crate) fn first_from(&self, start: u32) -> Option<(u32, DevId)> {
        let at = self.find(start / PAGE).unwrap_or_else(|at| at);
        let pages = self.pages.get(at..)?.iter();
        pages
            .flat_map(|page| (page.number * PAGE..).zip(page.devices))
            .find(|(index, dev)| *index >= start && !dev.is_null())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use slotmap::SlotMap;

    use super::*;

    fn index() -> impl Strategy<Value = u32> {
        prop_oneof![6 => 1..60u32, 1 => 1_000..1_010u32, 1 => (i32::MAX as u32 - 20)..=i32::MAX as u32]
    }

    proptest! {
        #[test]
        fn it_behaves_like_an_ordered_map(steps in proptest::collection::vec((any::<bool>(), index()), 1..200)) {
            let (mut devices, mut by_index, mut model) = (SlotMap::<DevId, ()>::with_key(), ByIndex::default(), BTreeMap::new());
            for (add, index) in steps {
                if add {
                    let dev = devices.insert(());
                    by_index.insert(index, dev);
                    model.insert(index, dev);
                } else {
                    by_index.remove(index);
                    model.remove(&index);
                }
                prop_assert_eq!(by_index.get(index), model.get(&index).copied());
                prop_assert_eq!(by_index.first_from(index + 1), model.range(index + 1..).next().map(|(at, dev)| (*at, *dev)));
                prop_assert!(by_index.values().eq(model.values().copied()));
                prop_assert!(by_index.values().rev().eq(model.values().rev().copied()));
            }
        }
    }
}
