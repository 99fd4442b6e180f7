//! A socket's receive queue, bounded by `SO_RCVBUF`.

use std::collections::VecDeque;

/// What Linux charges a datagram for beside its bytes (`sk_buff` and its shared info), about.
const OVERHEAD: usize = 768;

/// Items in order of arrival, and how much of the receive buffer they take.
#[derive(Debug)]
pub(crate) struct ReceiveQueue<T> {
    items: VecDeque<(T, u32)>,
    used: usize,
}

impl<T> Default for ReceiveQueue<T> {
    fn default() -> ReceiveQueue<T> {
        ReceiveQueue { items: VecDeque::new(), used: 0 }
    }
}

impl<T> ReceiveQueue<T> {
    /// Whether a buffer of `limit` bytes takes one more item, whatever its length.
    #[inline]
    pub(crate) fn has_room(&self, limit: usize) -> bool {
        self.used < limit
    }

    /// Queues an item of `length` bytes, for which there is room.
    #[inline]
    pub(crate) fn push(&mut self, item: T, length: usize) {
        let charge = length + OVERHEAD;
        self.used += charge;
        self.items.push_back((item, charge as u32));
    }

    /// The oldest item.
    #[inline]
    pub(crate) fn pop(&mut self) -> Option<T> {
        let (item, charge) = self.items.pop_front()?;
        self.used -= charge as usize;
        Some(item)
    }

    /// The oldest item, left where it is.
    pub(crate) fn peek(&self) -> Option<&T> {
        self.items.front().map(|(item, _)| item)
    }

    /// Whether there is nothing.
    pub(crate) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }
}
