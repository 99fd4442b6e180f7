//! The system calls that the runtime stands on, each behind a safe function.

pub(crate) mod epoll;
pub(crate) mod memory;
pub(crate) mod mount;
pub(crate) mod process;
pub(crate) mod processors;
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

/// How many processors are online.
pub(crate) fn processors() -> u32 {
    // SAFETY: takes a plain number.
    u32::try_from(unsafe { libc::sysconf(libc::_SC_NPROCESSORS_ONLN) }).unwrap_or(1).max(1)
}

/// The host's name.
pub(crate) fn hostname() -> String {
    // SAFETY: the names are plain bytes, which uname(2) fills, each with a zero byte at the end.
    let name = unsafe {
        let mut names: libc::utsname = std::mem::zeroed();
        libc::uname(&mut names);
        std::ffi::CStr::from_ptr(names.nodename.as_ptr()).to_owned()
    };
    name.to_string_lossy().into_owned()
}

/// access(2), for writing.
pub(crate) fn is_writable(path: &std::ffi::CStr) -> bool {
    // SAFETY: the string ends with a zero byte.
    unsafe { libc::access(path.as_ptr(), libc::W_OK) == 0 }
}

/// An eventfd, with a count of 0.
pub(crate) fn eventfd() -> io::Result<OwnedFd> {
    // SAFETY: takes plain numbers.
    owned(unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) })
}

/// flock(2), exclusively, of an open file or directory; whether it was to be had. It is waited for where `block` says so.
pub(crate) fn lock(file: &std::fs::File, block: bool) -> io::Result<bool> {
    use std::os::fd::AsRawFd;
    let operation = if block { libc::LOCK_EX } else { libc::LOCK_EX | libc::LOCK_NB };
    loop {
        // SAFETY: takes plain numbers.
        match check(unsafe { libc::flock(file.as_raw_fd(), operation) }) {
            Ok(_) => return Ok(true),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
