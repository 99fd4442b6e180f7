//! Programs that know nothing of Netloom: their system calls on the files of a network are answered here.
//!
//! A supervised program's calls on paths wait (seccomp's user notification) until this module has read their arguments
//! and given a verdict. What lies outside the virtual trees goes on at once; the kernel then reads the arguments again
//! itself, so a call that was judged to be inside is never let through. One file a family of calls.

mod access;
mod attribute;
mod cwd;
mod filter;
pub(crate) mod marker;
mod mirror;
mod namespaces;
mod open;
mod path;
mod readlink;
mod remove;
mod stat;
mod write;

use std::ffi::CStr;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

pub(crate) use filter::program as filter;

use crate::sys::seccomp::{self, Notification};
use crate::sys::{errno, memory, process};
use crate::world::World;

/// What becomes of a system call; the alternative is an errno.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// The kernel does it itself.
    Continue,
    /// It returns this value.
    Return(i64),
    /// It returns a new descriptor.
    Descriptor {
        /// Of what.
        fd: OwnedFd,
        /// `O_CLOEXEC`.
        close_on_exec: bool,
    },
}

/// What a handler gives.
pub(crate) type Result<T = Verdict> = std::result::Result<T, i32>;

/// It is done, and there is nothing to return.
const DONE: Result = Ok(Verdict::Return(0));

/// A process that waits in a system call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tracee<'a> {
    listener: BorrowedFd<'a>,
    id: u64,
    /// The thread.
    pub(crate) tid: u32,
    arguments: [u64; 6],
}

impl Tracee<'_> {
    /// An argument as a pointer or length.
    fn word(&self, index: usize) -> u64 {
        self.arguments.get(index).copied().unwrap_or_default()
    }

    /// An argument as an `int`.
    fn int(&self, index: usize) -> i32 {
        self.word(index) as i32
    }

    /// A path argument; `None` where it can't be read or is no text, which the kernel may deal with.
    fn path(&self, index: usize) -> Option<String> {
        String::from_utf8(memory::read_string(self.tid, self.word(index)).ok()?).ok()
    }

    /// Memory of the process.
    fn read(&self, address: u64, length: usize) -> Result<Vec<u8>> {
        let mut bytes = vec![0; length];
        let count = memory::read(self.tid, address, &mut bytes).map_err(|error| errno(&error))?;
        bytes.truncate(count);
        if count == length { Ok(bytes) } else { Err(libc::EFAULT) }
    }

    /// Puts bytes into the memory of the process, which still waits.
    fn write(&self, address: u64, bytes: &[u8]) -> Result<()> {
        self.check()?;
        memory::write(self.tid, address, bytes).map_err(|_| libc::EFAULT)
    }

    /// Whether the thread's id still means the thread that made the call. To be asked after its memory was read and
    /// before anything is done about it.
    fn check(&self) -> Result<()> {
        if seccomp::still_waits(self.listener, self.id) { Ok(()) } else { Err(libc::ESRCH) }
    }

    /// The process.
    fn pid(&self) -> u32 {
        process::of_thread(self.tid).unwrap_or(self.tid)
    }
}

/// Finds out whether this process may do what a supervisor has to: containers refuse some of it, and a program whose
/// arguments can't be read would see the host's files.
pub(crate) fn check_rights() -> std::result::Result<(), String> {
    let own = std::process::id();
    let mut byte = [0];
    let refused =
        |what: &str, error: io::Error| format!("this system does not let programs be supervised ({what}: {error})");
    memory::read(own, (&raw const own) as u64, &mut byte).map_err(|error| refused("process_vm_readv", error))?;
    process::pidfd(own).map_err(|error| refused("pidfd_open", error))?;
    Ok(())
}

/// Answers the next call that waits.
pub(crate) fn serve(world: &mut World, listener: BorrowedFd<'_>) {
    let Ok(Some(Notification { id, tid, number, arguments })) = seccomp::receive(listener) else { return };
    let tracee = Tracee { listener, id, tid, arguments };
    world.processes.notice(tid, &mut world.kernel);
    match dispatch(world, &tracee, number) {
        Ok(Verdict::Continue) => seccomp::go_on(listener, id),
        Ok(Verdict::Return(value)) => seccomp::give(listener, id, value),
        Ok(Verdict::Descriptor { fd, close_on_exec }) => {
            seccomp::give_descriptor(listener, id, fd.as_fd(), close_on_exec);
        }
        Err(errno) => seccomp::fail(listener, id, errno),
    }
}

const AT_CWD: i32 = libc::AT_FDCWD;

fn dispatch(world: &mut World, tracee: &Tracee<'_>, number: i64) -> Result {
    let int = |index| tracee.int(index);
    match number {
        libc::SYS_openat => open::open(world, tracee, (int(0), 1), int(2), tracee.word(3) as u32),
        libc::SYS_openat2 => open::open_how(world, tracee),
        libc::SYS_newfstatat => stat::stat(world, tracee, (int(0), 1), int(3), 2),
        libc::SYS_statx => stat::statx(world, tracee),
        libc::SYS_faccessat => access::access(world, tracee, (int(0), 1), int(2), 0),
        libc::SYS_faccessat2 => access::access(world, tracee, (int(0), 1), int(2), int(3)),
        libc::SYS_readlinkat => readlink::readlink(world, tracee, (int(0), 1), 2),
        libc::SYS_chdir => cwd::chdir(world, tracee),
        libc::SYS_fchdir => cwd::fchdir(world, tracee),
        libc::SYS_getcwd => cwd::getcwd(world, tracee),
        libc::SYS_unlinkat => remove::unlink(world, tracee, (int(0), 1), int(2) & libc::AT_REMOVEDIR != 0),
        libc::SYS_mkdirat => remove::make_directory(world, tracee, (int(0), 1), tracee.word(2) as u32),
        libc::SYS_renameat | libc::SYS_renameat2 => remove::rename(world, tracee, (int(0), 1), (int(2), 3)),
        libc::SYS_symlinkat => remove::symlink(world, tracee, 0, (int(1), 2)),
        libc::SYS_linkat => remove::link(world, tracee, (int(0), 1), (int(2), 3)),
        libc::SYS_mknodat => remove::make_node(world, tracee, (int(0), 1)),
        libc::SYS_fchownat => access::change_owner(world, tracee, (int(0), 1), 2, int(4)),
        libc::SYS_utimensat => access::change_times(world, tracee),
        libc::SYS_truncate => access::truncate(world, tracee),
        libc::SYS_umount2 => namespaces::unmount(world, tracee),
        libc::SYS_fchmodat => access::change_mode(world, tracee, (int(0), 1), tracee.word(2) as u32),
        libc::SYS_statfs => stat::statfs(world, tracee),
        libc::SYS_fstatfs => stat::fstatfs(world, tracee),
        libc::SYS_setns => namespaces::setns(world, tracee),
        libc::SYS_unshare => namespaces::unshare(world, tracee),
        libc::SYS_write | libc::SYS_pwrite64 => write::write(world, tracee),
        libc::SYS_writev => write::writev(world, tracee),
        libc::SYS_getxattr => attribute::get(world, tracee, true),
        libc::SYS_lgetxattr => attribute::get(world, tracee, false),
        libc::SYS_listxattr => attribute::list(world, tracee, true),
        libc::SYS_llistxattr => attribute::list(world, tracee, false),
        libc::SYS_exit_group => {
            if !world.processes.all_default() {
                world.processes.keep_children(tracee.pid(), &mut world.kernel);
            }
            Ok(Verdict::Continue)
        }
        _ => dispatch_legacy(world, tracee, number),
    }
}

/// The older calls of x86_64, which know no directory descriptor.
#[cfg(target_arch = "x86_64")]
fn dispatch_legacy(world: &mut World, tracee: &Tracee<'_>, number: i64) -> Result {
    let path = (AT_CWD, 0);
    match number {
        libc::SYS_open => open::open(world, tracee, path, tracee.int(1), tracee.word(2) as u32),
        libc::SYS_creat => {
            let flags = libc::O_CREAT | libc::O_WRONLY | libc::O_TRUNC;
            open::open(world, tracee, path, flags, tracee.word(1) as u32)
        }
        libc::SYS_stat => stat::stat(world, tracee, path, 0, 1),
        libc::SYS_lstat => stat::stat(world, tracee, path, libc::AT_SYMLINK_NOFOLLOW, 1),
        libc::SYS_access => access::access(world, tracee, path, tracee.int(1), 0),
        libc::SYS_readlink => readlink::readlink(world, tracee, path, 1),
        libc::SYS_unlink => remove::unlink(world, tracee, path, false),
        libc::SYS_rmdir => remove::unlink(world, tracee, path, true),
        libc::SYS_mkdir => remove::make_directory(world, tracee, path, tracee.word(1) as u32),
        libc::SYS_rename => remove::rename(world, tracee, path, (AT_CWD, 1)),
        libc::SYS_symlink => remove::symlink(world, tracee, 0, (AT_CWD, 1)),
        libc::SYS_link => remove::link(world, tracee, path, (AT_CWD, 1)),
        libc::SYS_mknod => remove::make_node(world, tracee, path),
        libc::SYS_chown => access::change_owner(world, tracee, path, 1, 0),
        libc::SYS_lchown => access::change_owner(world, tracee, path, 1, libc::AT_SYMLINK_NOFOLLOW),
        libc::SYS_chmod => access::change_mode(world, tracee, path, tracee.word(1) as u32),
        _ => Ok(Verdict::Continue),
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn dispatch_legacy(_: &mut World, _: &Tracee<'_>, _: i64) -> Result {
    Ok(Verdict::Continue)
}

/// A C string for a call that is made in the program's stead.
fn with_c_string<T>(path: &std::path::Path, call: impl FnOnce(&CStr) -> io::Result<T>) -> Result<T> {
    use std::os::unix::ffi::OsStrExt;
    let string = std::ffi::CString::new(path.as_os_str().as_bytes()).map_err(|_| libc::EINVAL)?;
    call(&string).map_err(|error| errno(&error))
}
