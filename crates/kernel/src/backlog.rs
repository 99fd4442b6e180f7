//! Frames on their way, in order: runs of frames, each with the device that receives it.
//!
//! Places that were used once stay and are filled again: a frame is made where it waits, or moved there in one go.

use crate::frame::Frame;
use crate::types::DevId;

/// How many frames may wait; what comes beyond is dropped.
const LIMIT: usize = 16_384;

/// How many frames in a row are one device's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run {
    pub(crate) dev: DevId,
    pub(crate) frames: usize,
}

/// See [the module](self).
#[derive(Debug, Default)]
pub(crate) struct Backlog {
    /// Of which the first `len` are taken.
    places: Vec<Frame>,
    len: usize,
    runs: Vec<Run>,
    /// Whether any of them, or of those before them while there were any, waits at the end of its way: for a device that is no bridge's
    /// port.
    at_end: bool,
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

    /// Whether a frame may pass those that wait: none of them is at the end of its way, where it could be overtaken.
    #[inline(always)]
    pub(crate) fn may_be_passed(&self) -> bool {
        !self.at_end
    }

    /// None waits any more, nor is on its way.
    #[inline]
    pub(crate) fn is_done(&mut self) {
        self.at_end = false;
    }

    /// Empty places behind the others, `wanted` at most, and fewer where there is no more room.
    #[inline(always)]
    pub(crate) fn free(&mut self, wanted: usize) -> Free<'_> {
        let wanted = wanted.min(self.room());
        if self.places.len() - self.len < wanted {
            self.grow(wanted);
        }
        let Backlog { places, len, runs, at_end } = self;
        let places = places[*len..][..wanted].iter_mut();
        Free { places, len, runs, at_end }
    }

    #[cold]
    #[inline(never)]
    fn grow(&mut self, wanted: usize) {
        let wanted = (self.len + wanted).max(self.places.len() * 2).max(64);
        self.places.resize_with(wanted, Default::default);
    }

    /// Puts a frame behind the others, while there is room. See [`Free::took`] for `port`.
    #[inline(always)]
    pub(crate) fn push(&mut self, dev: DevId, port: bool, mut frame: Frame) {
        let mut free = self.free(1);
        if let Some(place) = free.next() {
            frame.move_to(place);
            free.took(dev, port, 1);
        }
    }

    /// The frames that wait, oldest first, and whose they are.
    #[inline]
    pub(crate) fn parts(&mut self) -> (&[Run], &mut [Frame]) {
        (&self.runs, &mut self.places[..self.len])
    }

    /// The same, by the device that receives them.
    fn runs(&mut self) -> impl Iterator<Item = (DevId, &mut [Frame])> {
        let (runs, mut frames) = self.parts();
        runs.iter().map_while(move |run| {
            let (burst, rest) = std::mem::take(&mut frames).split_at_mut_checked(run.frames)?;
            frames = rest;
            Some((run.dev, burst))
        })
    }

    /// Moves the frame that waits, where there is just one, to an empty place.
    #[inline(always)]
    pub(crate) fn take_only(&mut self, place: &mut Frame) -> Option<Run> {
        let (&[run], 1) = (&self.runs[..], self.len) else { return None };
        self.places.first_mut()?.move_to(place);
        self.clear();
        Some(run)
    }

    /// Forgets the frames, all of which were taken out.
    #[inline]
    pub(crate) fn clear(&mut self) {
        self.len = 0;
        self.runs.clear();
    }

    /// Moves the oldest frames, at most `limit`, to an empty queue.
    #[inline]
    pub(crate) fn move_to(&mut self, empty: &mut Backlog, limit: usize) {
        std::mem::swap(self, empty);
        self.at_end = empty.at_end;
        if empty.len > limit {
            empty.give_back(self, limit);
        }
    }

    /// Keeps the oldest frames, and puts the others on another, empty queue.
    #[cold]
    fn give_back(&mut self, empty: &mut Backlog, kept: usize) {
        let mut before = 0;
        for (dev, burst) in self.runs() {
            let beyond = kept.saturating_sub(before);
            before += burst.len();
            burst.iter_mut().skip(beyond).for_each(|frame| empty.push(dev, true, std::mem::take(frame)));
        }
        self.len = kept;
        let mut left = kept;
        for run in &mut self.runs {
            run.frames = run.frames.min(left);
            left -= run.frames;
        }
        self.runs.retain(|run| run.frames > 0);
    }

    /// Takes the oldest frame, or the oldest for a device.
    #[cfg(test)]
    pub(crate) fn take(&mut self, wanted: Option<DevId>) -> Option<(DevId, Frame)> {
        let fits = |dev: DevId| wanted.is_none_or(|wanted| wanted == dev);
        let at = self.runs.iter().position(|run| fits(run.dev))?;
        let (dev, burst) = self.runs().nth(at)?;
        let taken = std::mem::take(burst.first_mut()?);
        let before: usize = self.runs[..at].iter().map(|run| run.frames).sum();
        self.places[before..self.len].rotate_left(1);
        self.len -= 1;
        self.runs[at].frames -= 1;
        self.runs.retain(|run| run.frames > 0);
        Some((dev, taken))
    }
}

/// Empty places of a queue, handed out one by one. Those that [`Free::took`] doesn't count are left as they are.
pub(crate) struct Free<'a> {
    places: std::slice::IterMut<'a, Frame>,
    len: &'a mut usize,
    runs: &'a mut Vec<Run>,
    at_end: &'a mut bool,
}

impl<'a> Free<'a> {
    /// The next place.
    #[inline(always)]
    pub(crate) fn next(&mut self) -> Option<&'a mut Frame> {
        self.places.next()
    }

    /// As many of the places handed out as weren't counted before were filled with frames for a device, which is a bridge's `port` or
    /// not.
    #[inline(always)]
    pub(crate) fn took(&mut self, dev: DevId, port: bool, frames: usize) {
        if frames == 0 {
            return;
        }
        *self.at_end |= !port;
        *self.len += frames;
        match self.runs.last_mut() {
            Some(run) if run.dev == dev => run.frames += frames,
            _ => self.runs.push(Run { dev, frames }),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use slotmap::SlotMap;

    use super::*;
    use crate::frame::FramePool;

    fn contents(backlog: &mut Backlog) -> Vec<(DevId, u8)> {
        let runs = backlog.runs().map(|(dev, burst)| burst.iter().map(move |frame| (dev, frame.bytes()[0])));
        runs.flatten().collect()
    }

    proptest! {
        #[test]
        fn frames_keep_their_order_when_only_some_are_moved(
            frames in proptest::collection::vec((0usize..3, any::<u8>()), 0..200),
            limit in 1usize..100,
            more: u8,
        ) {
            let mut keys = SlotMap::<DevId, ()>::with_key();
            let devices = [keys.insert(()), keys.insert(()), keys.insert(())];
            let frames: Vec<(DevId, u8)> = frames.into_iter().map(|(at, number)| (devices[at], number)).collect();
            let (mut pool, mut backlog, mut other) = (FramePool::default(), Backlog::default(), Backlog::default());
            for (dev, number) in &frames {
                backlog.push(*dev, true, pool.copy_from(&[*number]));
            }
            prop_assert_eq!(contents(&mut backlog), &frames[..]);
            backlog.move_to(&mut other, limit);
            let moved = frames.len().min(limit);
            prop_assert_eq!((contents(&mut other), contents(&mut backlog)), (frames[..moved].to_vec(), frames[moved..].to_vec()));
            prop_assert_eq!((other.len(), backlog.len()), (moved, frames.len() - moved));
            backlog.push(devices[0], true, pool.copy_from(&[more]));
            let mut rest = [&frames[moved..], &[(devices[0], more)]].concat();
            while !rest.is_empty() {
                let expected = rest.remove(rest.iter().position(|(dev, _)| *dev == devices[1]).unwrap_or(0));
                let wanted = (expected.0 == devices[1]).then_some(expected.0);
                let taken = backlog.take(wanted).map(|(dev, frame)| (dev, frame.bytes()[0]));
                prop_assert_eq!(taken, Some(expected));
            }
            prop_assert!(backlog.is_empty());
        }
    }

    #[test]
    fn there_is_an_end_to_it() {
        let (mut pool, mut backlog) = (FramePool::default(), Backlog::default());
        for _ in 0..LIMIT + 10 {
            backlog.push(DevId::default(), true, pool.copy_from(&[1]));
        }
        assert_eq!((backlog.len(), backlog.room()), (LIMIT, 0));
        assert!(backlog.free(5).next().is_none());
    }
}
