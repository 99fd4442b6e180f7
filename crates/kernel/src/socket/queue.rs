//! A socket's receive queue, bounded by `SO_RCVBUF`.

use crate::Datagram;
use crate::ring::Ring;

/// What Linux charges a datagram for beside its bytes (`sk_buff` and its shared info), about.
const OVERHEAD: usize = 768;

/// Something that waits in a receive queue.
pub(crate) trait Queued {
    /// Its length in bytes, which doesn't change while it waits.
    fn length(&self) -> usize;
}

impl Queued for Datagram {
    fn length(&self) -> usize {
        self.data.len()
    }
}

/// Items in order of arrival, and how much of the receive buffer they take.
#[derive(Debug)]
pub(crate) struct ReceiveQueue<T> {
    items: Ring<T>,
    used: usize,
}

impl<T> Default for ReceiveQueue<T> {
    fn default() -> ReceiveQueue<T> {
        ReceiveQueue { items: Ring::default(), used: 0 }
    }
}

impl<T: Queued + Default> ReceiveQueue<T> {
    /// Whether a buffer of `limit` bytes takes one more item, whatever its length.
    #[inline]
    pub(crate) fn has_room(&self, limit: usize) -> bool {
        self.used < limit
    }

    /// Queues an item for which there is room.
    pub(crate) fn push(&mut self, item: T) {
        self.push_with(item.length(), |place| *place = item);
    }

    /// Queues an item of `length` bytes, for which there is room, and which `make` makes of a default.
    #[inline(always)]
    pub(crate) fn push_with(&mut self, length: usize, make: impl FnOnce(&mut T)) {
        self.used += length + OVERHEAD;
        self.items.push_with(make);
    }

    /// Queues items, each of which `make` makes of a default, as long as it does and a buffer of `limit` bytes has room: how many.
    /// `wanted` is how many there may be.
    #[inline(always)]
    pub(crate) fn extend_with(&mut self, wanted: usize, limit: usize, mut make: impl FnMut(&mut T) -> bool) -> usize {
        if self.items.spare() < wanted {
            self.grow(wanted, limit);
        }
        let mut used = self.used;
        let count = self.items.extend_with(|place| {
            let made = used < limit && make(place);
            if made {
                used += place.length() + OVERHEAD;
            }
            made
        });
        self.used = used;
        count
    }

    #[cold]
    #[inline(never)]
    fn grow(&mut self, wanted: usize, limit: usize) {
        let room = limit.saturating_sub(self.used).div_ceil(OVERHEAD);
        self.items.reserve(wanted.min(room));
    }

    /// The oldest item.
    pub(crate) fn pop(&mut self) -> Option<T> {
        self.pop_with(std::mem::take)
    }

    /// Shows the oldest item to `take`, which is to take out of it what it holds.
    #[inline(always)]
    pub(crate) fn pop_with<R>(&mut self, take: impl FnOnce(&mut T) -> R) -> Option<R> {
        let ReceiveQueue { items, used } = self;
        items.pop_with(|item| {
            *used -= item.length() + OVERHEAD;
            take(item)
        })
    }

    /// Shows the oldest items, at most `limit`, to `take`, which is to take out of them what they hold: how many there were.
    #[inline(always)]
    pub(crate) fn drain(&mut self, limit: usize, mut take: impl FnMut(&mut T)) -> usize {
        let mut freed = 0;
        let taken = self.items.drain(limit, |item| {
            freed += item.length() + OVERHEAD;
            take(item);
        });
        self.used -= freed;
        taken
    }

    /// The oldest item, left where it is.
    pub(crate) fn peek(&self) -> Option<&T> {
        self.items.front()
    }

    /// Whether there is nothing.
    pub(crate) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }
}
