//! access(2), chmod(2).

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
