//! Frames on their way, each with the device that receives it, in order.
//!
//! Places that were used once stay and are filled again: a frame is made where it waits, and moved by exchanging it for the
//! nothing in an empty place.

use crate::frame::Frame;
use crate::types::DevId;

/// How many frames may wait; what comes beyond is dropped.
const LIMIT: usize = 16_384;

/// See [the module](self).
#[derive(Debug, Default)]
pub(crate) struct Backlog {
    places: Vec<(DevId, Frame)>,
    len: usize,
}

impl Backlog {
    /// How many frames wait.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Whether none does.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// For how many more there is room.
    #[inline]
    pub(crate) fn room(&self) -> usize {
        LIMIT.saturating_sub(self.len)
    }

    /// The next empty place, for a frame that is to be made there; [`Backlog::keep`] makes it count.
    #[inline(always)]
    pub(crate) fn place(&mut self) -> &mut (DevId, Frame) {
        if self.len >= self.places.len() {
            self.grow();
        }
        &mut self.places[self.len]
    }

    #[cold]
    #[inline(never)]
    fn grow(&mut self) {
        let wanted = (self.places.len() * 2).max(64);
        self.places.resize_with(wanted, Default::default);
    }

    /// The frame that was made in the next empty place waits from now on.
    #[inline(always)]
    pub(crate) fn keep(&mut self) {
        self.len += 1;
    }

    /// Puts a frame behind the others.
    #[inline(always)]
    pub(crate) fn push(&mut self, dev: DevId, frame: Frame) {
        *self.place() = (dev, frame);
        self.keep();
    }

    /// Takes frames out of where they are and puts them behind the others.
    #[inline(always)]
    pub(crate) fn append(&mut self, frames: &mut [(DevId, Frame)]) {
        for frame in frames {
            std::mem::swap(self.place(), frame);
            self.keep();
        }
    }

    /// The frames that wait, oldest first.
    #[inline]
    pub(crate) fn frames_mut(&mut self) -> &mut [(DevId, Frame)] {
        &mut self.places[..self.len]
    }

    /// Forgets the frames, all of which were taken out.
    #[inline]
    pub(crate) fn clear(&mut self) {
        self.len = 0;
    }

    /// Moves the oldest frames, at most `limit`, to an empty queue.
    #[inline]
    pub(crate) fn move_to(&mut self, empty: &mut Backlog, limit: usize) {
        if self.len <= limit {
            std::mem::swap(self, empty);
        } else {
            let frames = &mut self.places[..self.len];
            empty.append(&mut frames[..limit]);
            frames.rotate_left(limit);
            self.len -= limit;
        }
    }

    /// Takes one of the frames that wait.
    #[cfg(test)]
    pub(crate) fn take(&mut self, at: usize) -> Option<(DevId, Frame)> {
        let frames = self.frames_mut().get_mut(at..)?;
        let taken = std::mem::take(frames.first_mut()?);
        frames.rotate_left(1);
        self.len -= 1;
        Some(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::FramePool;

    fn numbers(backlog: &mut Backlog) -> Vec<u8> {
        backlog.frames_mut().iter().map(|(_, frame)| frame.bytes()[0]).collect()
    }

    #[test]
    fn frames_keep_their_order_when_only_some_are_moved() {
        let (mut pool, mut backlog, mut other) = (FramePool::default(), Backlog::default(), Backlog::default());
        for number in 0..100 {
            backlog.push(DevId::default(), pool.copy_from(&[number]));
        }
        backlog.move_to(&mut other, 70);
        assert_eq!((backlog.len(), other.len()), (30, 70));
        assert_eq!(numbers(&mut other), (0..70).collect::<Vec<u8>>());
        backlog.push(DevId::default(), pool.copy_from(&[100]));
        assert_eq!(numbers(&mut backlog), (70..=100).collect::<Vec<u8>>());
        assert_eq!(backlog.take(1).map(|(_, frame)| frame.bytes()[0]), Some(71));
        other.frames_mut().iter_mut().for_each(|(_, frame)| drop(std::mem::take(frame)));
        other.clear();
        backlog.move_to(&mut other, 70);
        assert_eq!((backlog.len(), other.len()), (0, 30));
    }
}
