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
        let mask = self.places.len().wrapping_sub(1);
        for at in 0..count {
            if let Some(place) = self.places.get_mut(self.first.wrapping_add(at) & mask) {
                take(place);
            }
        }
        self.first = self.first.wrapping_add(count);
        self.len -= count;
        count
    }

    /// Makes room for `wanted` more items at once: empty places behind the others.
    #[inline(always)]
    pub(crate) fn free(&mut self, wanted: usize) -> Free<'_, T> {
        while self.places.len() - self.len < wanted {
            self.grow();
        }
        let at = self.first.wrapping_add(self.len);
        Free { mask: self.places.len().wrapping_sub(1), places: &mut self.places, at, len: &mut self.len }
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

/// Empty places of a ring.
pub(crate) struct Free<'a, T> {
    places: &'a mut [T],
    mask: usize,
    at: usize,
    len: &'a mut usize,
}

impl<T> Free<'_, T> {
    /// Puts an item behind the others, which `make` makes of a default, while there is room.
    #[inline(always)]
    pub(crate) fn push_with(&mut self, make: impl FnOnce(&mut T)) {
        if *self.len == self.places.len() {
            return;
        }
        if let Some(place) = self.places.get_mut(self.at & self.mask) {
            make(place);
            self.at = self.at.wrapping_add(1);
            *self.len += 1;
        }
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
                    Some(item) => {
                        ring.push_with(|place| *place = item);
                        model.push_back(item);
                    }
                    None => prop_assert_eq!(ring.pop_with(std::mem::take), model.pop_front()),
                }
                prop_assert_eq!(ring.front(), model.front());
                prop_assert_eq!((ring.len(), ring.is_empty()), (model.len(), model.is_empty()));
            }
        }
    }
}
