//! A queue whose places are always filled, empty ones with a default: an item is made where it stays, field by field.
//!
//! `VecDeque` makes it elsewhere and copies it over in larger pieces, for which the processor has to wait, on the path of every
//! frame.

/// Items in order.
#[derive(Debug)]
pub(crate) struct Ring<T> {
    /// A power of two of places, or none.
    places: Box<[T]>,
    /// Where the oldest stands, counted on without end.
    first: usize,
    len: usize,
}

impl<T> Default for Ring<T> {
    fn default() -> Ring<T> {
        Ring { places: Box::default(), first: 0, len: 0 }
    }
}

impl<T: Default> Ring<T> {
    /// How many places a ring has at least, once it has any.
    const SMALLEST: usize = 4;

    /// Puts an item behind the others, which `make` makes of a default.
    #[inline(always)]
    pub(crate) fn push_with(&mut self, make: impl FnOnce(&mut T)) {
        if self.len == self.places.len() {
            self.grow();
        }
        let mask = self.places.len().wrapping_sub(1);
        if let Some(place) = self.places.get_mut(self.first.wrapping_add(self.len) & mask) {
            make(place);
            self.len += 1;
        }
    }

    #[cold]
    #[inline(never)]
    fn grow(&mut self) {
        let wanted = (self.places.len() * 2).max(Self::SMALLEST);
        let mut places = Vec::with_capacity(wanted);
        let count = self.len;
        while let Some(item) = self.pop_with(std::mem::take) {
            places.push(item);
        }
        places.resize_with(wanted, T::default);
        *self = Ring { places: places.into(), first: 0, len: count };
    }

    /// Shows the oldest to `take`, which is to take out of it what it holds; its place is empty then.
    #[inline(always)]
    pub(crate) fn pop_with<R>(&mut self, take: impl FnOnce(&mut T) -> R) -> Option<R> {
        if self.len == 0 {
            return None;
        }
        let mask = self.places.len().wrapping_sub(1);
        let taken = self.places.get_mut(self.first & mask).map(take);
        self.first = self.first.wrapping_add(1);
        self.len -= 1;
        taken
    }

    /// Shows the oldest, at most `limit`, to `take`, which is to take out of them what they hold: how many there were.
    #[inline(always)]
    pub(crate) fn drain(&mut self, limit: usize, mut take: impl FnMut(&mut T)) -> usize {
        let count = self.len.min(limit);
        for places in self.circle(self.first, count) {
            places.iter_mut().for_each(&mut take);
        }
        self.first = self.first.wrapping_add(count);
        self.len -= count;
        count
    }

    /// `count` places from one on, which come in two pieces where the circle closes among them.
    #[inline(always)]
    fn circle(&mut self, from: usize, count: usize) -> [&mut [T]; 2] {
        let from = from & self.places.len().wrapping_sub(1);
        let (before, behind) = self.places.split_at_mut_checked(from).unwrap_or_default();
        let first = count.min(behind.len());
        let second = (count - first).min(before.len());
        [&mut behind[..first], &mut before[..second]]
    }

    /// For how many more items there is room before the ring grows.
    #[inline(always)]
    pub(crate) fn spare(&self) -> usize {
        self.places.len() - self.len
    }

    /// Makes room for `wanted` more items.
    pub(crate) fn reserve(&mut self, wanted: usize) {
        while self.spare() < wanted {
            self.grow();
        }
    }

    /// Puts items behind the others, each of which `make` makes of a default, as long as it does and the ring need not grow: how many.
    #[inline(always)]
    pub(crate) fn extend_with(&mut self, mut make: impl FnMut(&mut T) -> bool) -> usize {
        let mut count = 0;
        'made: for places in self.circle(self.first.wrapping_add(self.len), self.spare()) {
            for place in places {
                if !make(place) {
                    break 'made;
                }
                count += 1;
            }
        }
        self.len += count;
        count
    }

    /// The oldest, left where it is.
    pub(crate) fn front(&self) -> Option<&T> {
        let mask = self.places.len().wrapping_sub(1);
        self.places.get(self.first & mask).filter(|_| self.len > 0)
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Whether there is nothing.
    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_behaves_like_a_queue(steps in proptest::collection::vec(any::<Option<u8>>(), 0..400)) {
            let (mut ring, mut model) = (Ring::default(), VecDeque::new());
            for step in steps {
                match step {
                    Some(item) if item < 100 => {
                        ring.push_with(|place| *place = item);
                        model.push_back(item);
                    }
                    Some(item) => {
                        let mut items = item..item.saturating_add(7);
                        ring.reserve(usize::from(item & 7));
                        let spare = ring.spare().min(items.len());
                        model.extend(items.clone().take(spare));
                        let count = ring.extend_with(|place| items.next().map(|item| *place = item).is_some());
                        prop_assert_eq!(count, spare);
                        let drained = usize::from(item & 3).min(model.len());
                        let mut taken = Vec::new();
                        prop_assert_eq!(ring.drain(usize::from(item & 3), |item| taken.push(std::mem::take(item))), drained);
                        prop_assert_eq!(taken, model.drain(..drained).collect::<Vec<u8>>());
                    }
                    None => prop_assert_eq!(ring.pop_with(std::mem::take), model.pop_front()),
                }
                prop_assert_eq!(ring.front(), model.front());
                prop_assert_eq!((ring.len(), ring.is_empty()), (model.len(), model.is_empty()));
            }
        }
    }
}
