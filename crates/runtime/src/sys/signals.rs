//! Signals as things to read.

use std::io;
use std::mem::{size_of, zeroed};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use super::{check, owned};

/// A descriptor that gives the signals it was made for, which are blocked from then on.
#[derive(Debug)]
pub(crate) struct Signals(OwnedFd);

/// One signal that came.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Signal {
    pub(crate) number: i32,
    /// A process sent it; otherwise it is the kernel's, such as a terminal's to its whole foreground process group.
    pub(crate) from_process: bool,
}

impl Signals {
    pub(crate) fn new(numbers: &[i32]) -> io::Result<Signals> {
        // SAFETY: the set is initialised by sigemptyset before anything reads it.
        unsafe {
            let mut set: libc::sigset_t = zeroed();
            libc::sigemptyset(&mut set);
            for number in numbers {
                libc::sigaddset(&mut set, *number);
            }
            check(libc::sigprocmask(libc::SIG_BLOCK, &set, std::ptr::null_mut()))?;
            owned(libc::signalfd(-1, &set, libc::SFD_CLOEXEC | libc::SFD_NONBLOCK)).map(Signals)
        }
    }

    /// The next signal that is there.
    pub(crate) fn next(&self) -> Option<Signal> {
        // SAFETY: the structure is plain data, and at most its size is read into it.
        unsafe {
            let mut info: libc::signalfd_siginfo = zeroed();
            let size = size_of::<libc::signalfd_siginfo>();
            let read = libc::read(self.0.as_raw_fd(), (&raw mut info).cast(), size);
            (read == size as isize)
                .then_some(Signal { number: info.ssi_signo as i32, from_process: info.ssi_code <= 0 })
        }
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Has the process ignore signals.
pub(crate) fn ignore(numbers: &[i32]) {
    for number in numbers {
        // SAFETY: no handler is installed.
        unsafe { libc::signal(*number, libc::SIG_IGN) };
    }
}

/// Gives a process back what Rust's start-up took: a broken pipe ends it, as it ends every other command.
pub fn default_broken_pipe() {
    // SAFETY: no handler is installed.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
}
