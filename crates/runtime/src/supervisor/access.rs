//! access(2), chmod(2), chown(2), utimensat(2), truncate(2).

use std::ffi::CStr;
use std::os::unix::fs::PermissionsExt;

use super::path::{self, Found, Place};
use super::{DONE, Result, Tracee, Verdict, with_c_string};
use crate::sys::{check, errno};
use crate::world::World;

pub(crate) fn access(world: &mut World, tracee: &Tracee<'_>, path: (i32, usize), mode: i32, flags: i32) -> Result {
    let follow = flags & libc::AT_SYMLINK_NOFOLLOW == 0;
    let Some(Found { place, .. }) = path::find(world, tracee, path, follow)? else { return Ok(Verdict::Continue) };
    let executable = match place {
        Place::Host(real) | Place::Overlay(real) => {
            // SAFETY: the string ends with a zero byte.
            with_c_string(&real, |real| check(unsafe { libc::access(real.as_ptr(), mode) }))?;
            return DONE;
        }
        // To root, whom the program takes itself for, everything that is there is accessible but what isn't executable.
        Place::Kernel { ns, path } => world.kernel.node(ns, &path).map_err(|errno| errno.0)?.mode & 0o111 != 0,
        Place::NetnsDirectory => true,
        Place::Netns(name) => {
            path::namespace_named(world, &name)?;
            false
        }
        Place::NamespaceOf(pid) if crate::sys::process::exists(pid) => false,
        Place::NamespaceOf(_) => return Err(libc::ENOENT),
        Place::Log => return Ok(Verdict::Continue),
    };
    if mode & libc::X_OK != 0 && !executable { Err(libc::EACCES) } else { DONE }
}

pub(crate) fn change_mode(world: &mut World, tracee: &Tracee<'_>, path: (i32, usize), mode: u32) -> Result {
    let Some(Found { place, .. }) = path::find(world, tracee, path, true)? else { return Ok(Verdict::Continue) };
    match place {
        Place::Host(real) | Place::Overlay(real) => {
            std::fs::set_permissions(real, std::fs::Permissions::from_mode(mode)).map_err(|error| errno(&error))?;
            DONE
        }
        // Allowed, and without any effect on root.
        Place::Kernel { ns, path } => world.kernel.node(ns, &path).map_err(|errno| errno.0).and(DONE),
        Place::Netns(name) => path::namespace_named(world, &name).and(DONE),
        Place::NetnsDirectory => DONE,
        Place::NamespaceOf(_) => Err(libc::EPERM),
        Place::Log => Ok(Verdict::Continue),
    }
}

/// What root may do to files of the kernel, where nothing comes of it.
fn change(
    world: &mut World,
    tracee: &Tracee<'_>,
    path: (i32, usize),
    follow: bool,
    at_host: impl FnOnce(&CStr) -> libc::c_int,
) -> Result {
    let Some(Found { place, .. }) = path::find(world, tracee, path, follow)? else { return Ok(Verdict::Continue) };
    match place {
        Place::Host(real) | Place::Overlay(real) => with_c_string(&real, |real| check(at_host(real))).and(DONE),
        Place::Kernel { ns, path } => world.kernel.node(ns, &path).map_err(|errno| errno.0).and(DONE),
        Place::Netns(name) => path::namespace_named(world, &name).and(DONE),
        Place::NetnsDirectory => DONE,
        Place::NamespaceOf(_) => Err(libc::EPERM),
        Place::Log => Ok(Verdict::Continue),
    }
}

/// chown(2) and lchown(2); user and group are the arguments from `owner` on.
pub(crate) fn change_owner(
    world: &mut World,
    tracee: &Tracee<'_>,
    path: (i32, usize),
    owner: usize,
    flags: i32,
) -> Result {
    let (user, group) = (tracee.word(owner) as libc::uid_t, tracee.word(owner + 1) as libc::gid_t);
    let flags = flags & libc::AT_SYMLINK_NOFOLLOW;
    change(world, tracee, path, flags == 0, |real| {
        // SAFETY: the string ends with a zero byte.
        unsafe { libc::fchownat(libc::AT_FDCWD, real.as_ptr(), user, group, flags) }
    })
}

/// utimensat(2).
pub(crate) fn change_times(world: &mut World, tracee: &Tracee<'_>) -> Result {
    let flags = tracee.int(3) & libc::AT_SYMLINK_NOFOLLOW;
    let given = match tracee.word(2) {
        0 => None,
        address => Some(tracee.read(address, size_of::<[libc::timespec; 2]>())?),
    };
    let times = given.map(|bytes| {
        let (words, _) = bytes.as_chunks::<8>();
        let word = |index: usize| words.get(index).map_or(0, |bytes| i64::from_ne_bytes(*bytes));
        [0, 2].map(|at| libc::timespec { tv_sec: word(at), tv_nsec: word(at + 1) })
    });
    change(world, tracee, (tracee.int(0), 1), flags == 0, |real| {
        let times = times.as_ref().map_or(std::ptr::null(), |times| times.as_ptr());
        // SAFETY: the string ends with a zero byte; two times, or none, live through the call.
        unsafe { libc::utimensat(libc::AT_FDCWD, real.as_ptr(), times, flags) }
    })
}

/// truncate(2).
pub(crate) fn truncate(world: &mut World, tracee: &Tracee<'_>) -> Result {
    let length = tracee.word(1) as libc::off_t;
    // SAFETY: the string ends with a zero byte.
    change(world, tracee, (libc::AT_FDCWD, 0), true, |real| unsafe { libc::truncate(real.as_ptr(), length) })
}
