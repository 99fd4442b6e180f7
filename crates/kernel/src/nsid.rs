//! What a namespace calls others: numbers, each for one namespace.

use std::collections::BTreeMap;

use crate::types::NsId;

/// A namespace's numbers for others.
#[derive(Debug, Default)]
pub(crate) struct Nsids {
    by_number: BTreeMap<i32, NsId>,
    by_namespace: BTreeMap<NsId, i32>,
    /// Every number below it is taken.
    lowest: i32,
}

impl Nsids {
    /// The namespace with that number.
    pub(crate) fn namespace(&self, number: i32) -> Option<NsId> {
        self.by_number.get(&number).copied()
    }

    /// The number of a namespace.
    pub(crate) fn number(&self, namespace: NsId) -> Option<i32> {
        self.by_namespace.get(&namespace).copied()
    }

    /// The first number from `from` on, with its namespace.
    pub(crate) fn next(&self, from: i32) -> Option<(i32, NsId)> {
        self.by_number.range(from..).next().map(|(number, namespace)| (*number, *namespace))
    }

    /// Gives a namespace without a number one that is free.
    pub(crate) fn insert(&mut self, number: i32, namespace: NsId) {
        self.by_number.insert(number, namespace);
        self.by_namespace.insert(namespace, number);
    }

    /// Gives a namespace without a number the lowest one, from 0, that is free.
    pub(crate) fn allocate(&mut self, namespace: NsId) -> i32 {
        while self.by_number.contains_key(&self.lowest) {
            self.lowest += 1;
        }
        self.insert(self.lowest, namespace);
        self.lowest
    }

    /// Forgets a namespace; the number it had.
    pub(crate) fn remove(&mut self, namespace: NsId) -> Option<i32> {
        let number = self.by_namespace.remove(&namespace)?;
        self.by_number.remove(&number);
        self.lowest = self.lowest.min(number.max(0));
        Some(number)
    }
}

#[cfg(test)]
mod tests {
    use slotmap::SlotMap;

    use super::*;

    #[test]
    fn the_lowest_free_number_is_given() {
        let mut names: SlotMap<NsId, ()> = SlotMap::with_key();
        let [a, b, c, d] = [(); 4].map(|()| names.insert(()));
        let mut nsids = Nsids::default();
        nsids.insert(1, a);
        assert_eq!((nsids.allocate(b), nsids.allocate(c)), (0, 2));
        assert_eq!(nsids.remove(b), Some(0));
        assert_eq!(nsids.allocate(d), 0);
        assert_eq!((nsids.namespace(0), nsids.number(d), nsids.number(b)), (Some(d), Some(0), None));
    }
}
