//! Looking again for a moment before going to sleep.
//!
//! Waking a process up takes longer than a machine takes to answer. So both sides of a conversation keep looking for
//! some microseconds before they sleep, where there is another processor for the other side. If nothing comes, that is
//! time taken from others, and from the other side most of all where both are on one processor: whoever looked in vain
//! doesn't look before the next wait, and lets four times as many go by each time that it was in vain again, half as
//! many where it wasn't. One look in vain takes as long as several that weren't have saved.

use std::mem::zeroed;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// How long to look.
const LONGEST: Duration = Duration::from_micros(20);

/// The most waits in a row that go by without looking.
const MOST_SKIPPED: u32 = 1024;

/// Whether looking pays, by what came of it before.
#[derive(Debug, Default)]
pub struct BusyPoll {
    /// Waits that still go by without looking.
    skip: u32,
    /// How many go by when looking is in vain once more.
    penalty: u32,
}

/// Whether this thread may run on more than one processor.
fn many_processors() -> bool {
    static MANY: OnceLock<bool> = OnceLock::new();
    *MANY.get_or_init(|| {
        // SAFETY: a set of processors is plain data, which the kernel fills up to its size.
        unsafe {
            let mut set: libc::cpu_set_t = zeroed();
            libc::sched_getaffinity(0, size_of::<libc::cpu_set_t>(), &mut set) == 0 && libc::CPU_COUNT(&set) > 1
        }
    })
}

impl BusyPoll {
    /// Asks `look` again and again, until it has found something or the time is over.
    pub fn wait<T>(&mut self, mut look: impl FnMut() -> Option<T>) -> Option<T> {
        if self.skip > 0 || !many_processors() {
            self.skip = self.skip.saturating_sub(1);
            return None;
        }
        let start = Instant::now();
        loop {
            if let Some(found) = look() {
                self.penalty /= 2;
                return Some(found);
            }
            if start.elapsed() >= LONGEST {
                self.penalty = (4 * self.penalty).clamp(1, MOST_SKIPPED);
                self.skip = self.penalty;
                return None;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_looks_in_vain_looks_less_and_less_often() {
        let mut poll = BusyPoll::default();
        let mut looked = |something: Option<()>, waits: u32| {
            let mut count = 0;
            for _ in 0..waits {
                let mut asked = false;
                poll.wait(|| {
                    asked = true;
                    something
                });
                count += u32::from(asked);
            }
            count
        };
        if many_processors() {
            assert_eq!(looked(None, 25), 4, "the first, and after 1, 4 and 16");
            assert_eq!(looked(Some(()), 1000), 1000 - 64);
            assert_eq!(looked(None, 25), 4);
        } else {
            assert_eq!(looked(None, 100), 0);
        }
    }
}
