//! seccomp(2)'s user notification.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use super::check;

/// `SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV` (Linux 5.19): once a call has been received only a fatal signal ends it, so
/// that what has been done for it isn't done twice.
const WAIT_KILLABLE_RECV: libc::c_ulong = 1 << 5;

/// `SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP` (Linux 6.6): the two sides take turns on one processor.
const SYNC_WAKE_UP: libc::c_ulong = 1;

/// Installs a filter for the calling thread and gives its listener. There must be somebody to answer it soon: what the
/// thread does next may wait for a verdict.
pub(crate) fn install(filter: &[libc::sock_filter]) -> io::Result<OwnedFd> {
    let program = libc::sock_fprog { len: filter.len() as u16, filter: filter.as_ptr().cast_mut() };
    // SAFETY: the program lives through the calls, and its length is the filter's; the new descriptor is owned by
    // nobody else.
    unsafe {
        check(libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))?;
        let mode = libc::SECCOMP_SET_MODE_FILTER;
        let listener = libc::SECCOMP_FILTER_FLAG_NEW_LISTENER;
        let mut fd = libc::syscall(libc::SYS_seccomp, mode, listener | WAIT_KILLABLE_RECV, &program);
        if fd < 0 && io::Error::last_os_error().raw_os_error() == Some(libc::EINVAL) {
            fd = libc::syscall(libc::SYS_seccomp, mode, listener, &program);
        }
        Ok(OwnedFd::from_raw_fd(check(fd)? as i32))
    }
}

/// Whether the calling process is supervised already: nobody can be twice. To be called in a process that does nothing
/// more but exit.
pub(crate) fn is_supervised() -> bool {
    let allow =
        libc::sock_filter { code: (libc::BPF_RET | libc::BPF_K) as u16, jt: 0, jf: 0, k: libc::SECCOMP_RET_ALLOW };
    install(&[allow]).is_err_and(|error| error.raw_os_error() == Some(libc::EBUSY))
}

/// Has the supervisor and what it supervises take turns quickly, where the kernel can.
pub(crate) fn prefer_sync_wake_up(listener: BorrowedFd<'_>) {
    // SAFETY: takes plain numbers; a kernel that doesn't know the request refuses it.
    unsafe { libc::ioctl(listener.as_raw_fd(), libc::SECCOMP_IOCTL_NOTIF_SET_FLAGS as _, SYNC_WAKE_UP) };
}

/// A system call that waits for a verdict.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Notification {
    pub(crate) id: u64,
    pub(crate) tid: u32,
    pub(crate) number: i64,
    pub(crate) arguments: [u64; 6],
}

/// The next call that waits; `None` where its process has gone meanwhile.
pub(crate) fn receive(listener: BorrowedFd<'_>) -> io::Result<Option<Notification>> {
    // Longer than the structure, for kernels that know more fields.
    #[repr(C)]
    struct Room {
        notification: libc::seccomp_notif,
        more: [u64; 16],
    }
    // SAFETY: plain data; all zero is what the kernel asks for, and it writes no more than it has told in
    // `SECCOMP_GET_NOTIF_SIZES`, 80 bytes up to now.
    let (result, room) = unsafe {
        let mut room: Room = std::mem::zeroed();
        (libc::ioctl(listener.as_raw_fd(), libc::SECCOMP_IOCTL_NOTIF_RECV as _, &raw mut room), room)
    };
    match check(result) {
        Ok(_) => {
            let libc::seccomp_notif { id, pid, data, .. } = room.notification;
            Ok(Some(Notification { id, tid: pid, number: data.nr.into(), arguments: data.args }))
        }
        Err(error) if matches!(error.raw_os_error(), Some(libc::ENOENT | libc::EINTR)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether the call still waits, so that the process id still means its process.
pub(crate) fn still_waits(listener: BorrowedFd<'_>, id: u64) -> bool {
    // SAFETY: the kernel reads eight bytes, the size of `id`.
    unsafe { libc::ioctl(listener.as_raw_fd(), libc::SECCOMP_IOCTL_NOTIF_ID_VALID as _, &raw const id) == 0 }
}

fn respond(listener: BorrowedFd<'_>, id: u64, value: i64, error: i32, flags: u32) {
    let response = libc::seccomp_notif_resp { id, val: value, error, flags };
    // SAFETY: the kernel reads the structure, which lives through the call. A process that has gone needs no answer.
    unsafe { libc::ioctl(listener.as_raw_fd(), libc::SECCOMP_IOCTL_NOTIF_SEND as _, &raw const response) };
}

/// The kernel does the call itself.
pub(crate) fn go_on(listener: BorrowedFd<'_>, id: u64) {
    respond(listener, id, 0, 0, libc::SECCOMP_USER_NOTIF_FLAG_CONTINUE as u32);
}

/// The call returns that value.
pub(crate) fn give(listener: BorrowedFd<'_>, id: u64, value: i64) {
    respond(listener, id, value, 0, 0);
}

/// The call fails.
pub(crate) fn fail(listener: BorrowedFd<'_>, id: u64, errno: i32) {
    respond(listener, id, 0, -errno, 0);
}

/// The call returns a new descriptor of `fd`.
pub(crate) fn give_descriptor(listener: BorrowedFd<'_>, id: u64, fd: BorrowedFd<'_>, close_on_exec: bool) {
    let flags = libc::SECCOMP_ADDFD_FLAG_SEND as u32;
    let newfd_flags = if close_on_exec { libc::O_CLOEXEC as u32 } else { 0 };
    let add = libc::seccomp_notif_addfd { id, flags, srcfd: fd.as_raw_fd() as u32, newfd: 0, newfd_flags };
    // SAFETY: the kernel reads the structure, which lives through the call.
    let result = unsafe { libc::ioctl(listener.as_raw_fd(), libc::SECCOMP_IOCTL_NOTIF_ADDFD as _, &raw const add) };
    if let Err(error) = check(result) {
        fail(listener, id, super::errno(&error));
    }
}
