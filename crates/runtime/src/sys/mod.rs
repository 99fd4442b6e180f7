//! The system calls that the runtime stands on, each behind a safe function.

pub(crate) mod epoll;
pub(crate) mod memory;
pub(crate) mod process;
pub(crate) mod seccomp;
pub(crate) mod signals;
pub(crate) mod timer;

use std::io;
use std::os::fd::{FromRawFd, OwnedFd};

/// The value of a system call, or its errno.
pub(crate) fn check<T: Copy + PartialOrd + From<i8>>(result: T) -> io::Result<T> {
    if result < T::from(0) { Err(io::Error::last_os_error()) } else { Ok(result) }
}

/// A descriptor that a system call has just made.
fn owned(result: libc::c_int) -> io::Result<OwnedFd> {
    // SAFETY: the callers pass what a descriptor-making system call returned; nobody else owns it.
    check(result).map(|fd| unsafe { OwnedFd::from_raw_fd(fd) })
}

/// The errno of an error; `EIO` where it carries none.
pub(crate) fn errno(error: &io::Error) -> i32 {
    error.raw_os_error().unwrap_or(libc::EIO)
}

/// An eventfd, with a count of 0.
pub(crate) fn eventfd() -> io::Result<OwnedFd> {
    // SAFETY: takes plain numbers.
    owned(unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) })
}
