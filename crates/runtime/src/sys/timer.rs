//! The clock, and an alarm on it.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use netloom_kernel::Instant;

use super::{check, owned};

fn boottime() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the kernel fills the timespec.
    unsafe { libc::clock_gettime(libc::CLOCK_BOOTTIME, &mut time) };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// Time since the machine's boot, with what the computer slept through.
#[derive(Debug)]
pub(crate) struct Clock {
    boot: u64,
}

impl Clock {
    pub(crate) fn start() -> Clock {
        Clock { boot: boottime() }
    }

    pub(crate) fn now(&self) -> Instant {
        Instant(boottime().saturating_sub(self.boot))
    }
}

/// A descriptor that becomes readable at a deadline.
#[derive(Debug)]
pub(crate) struct Alarm {
    fd: OwnedFd,
    set: Option<Instant>,
}

impl Alarm {
    pub(crate) fn new() -> io::Result<Alarm> {
        // SAFETY: takes plain numbers.
        let fd = owned(unsafe { libc::timerfd_create(libc::CLOCK_BOOTTIME, libc::TFD_CLOEXEC | libc::TFD_NONBLOCK) })?;
        Ok(Alarm { fd, set: None })
    }

    /// Moves the alarm; `None` stops it.
    pub(crate) fn set(&mut self, deadline: Option<Instant>, clock: &Clock) -> io::Result<()> {
        if self.set == deadline {
            return Ok(());
        }
        let nanoseconds = deadline.map_or(0, |deadline| (clock.boot + deadline.0).max(1));
        let zero = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        let value = libc::timespec {
            tv_sec: (nanoseconds / 1_000_000_000) as libc::time_t,
            tv_nsec: (nanoseconds % 1_000_000_000) as libc::c_long,
        };
        let spec = libc::itimerspec { it_interval: zero, it_value: value };
        // SAFETY: the spec lives through the call; no old value is asked for.
        check(unsafe {
            libc::timerfd_settime(self.fd.as_raw_fd(), libc::TFD_TIMER_ABSTIME, &spec, std::ptr::null_mut())
        })?;
        self.set = deadline;
        Ok(())
    }

    /// To be called when it went off.
    pub(crate) fn clear(&mut self) {
        let mut count = 0u64;
        // SAFETY: eight bytes are read, the size of `count`.
        unsafe { libc::read(self.fd.as_raw_fd(), (&raw mut count).cast(), 8) };
        self.set = None;
    }
}

impl AsFd for Alarm {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}
