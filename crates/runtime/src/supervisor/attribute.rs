//! getxattr(2), listxattr(2): files of the virtual trees have no extended attributes.

use super::path::{self, Found, Place};
use super::{DONE, Result, Tracee, Verdict};
use crate::sys::check;
use crate::world::World;

/// Whether the path of such a call leads to a file that is there and has no attributes; where not, the kernel may look.
fn is_virtual(world: &World, tracee: &Tracee<'_>, follow: bool) -> Result<bool> {
    let Some(Found { place, .. }) = path::find(world, tracee, (libc::AT_FDCWD, 0), follow)? else { return Ok(false) };
    match place {
        Place::Host(real) | Place::Overlay(real) => {
            // SAFETY: the string ends with a zero byte.
            super::with_c_string(&real, |real| check(unsafe { libc::access(real.as_ptr(), libc::F_OK) }))?;
        }
        Place::Kernel { ns, path } => drop(world.kernel.node(ns, &path).map_err(|errno| errno.0)?),
        Place::Netns(name) => drop(path::namespace_named(world, &name)?),
        Place::NetnsDirectory | Place::NamespaceOf(_) => {}
        Place::Log => return Ok(false),
    }
    Ok(true)
}

pub(crate) fn get(world: &World, tracee: &Tracee<'_>, follow: bool) -> Result {
    if is_virtual(world, tracee, follow)? { Err(libc::EOPNOTSUPP) } else { Ok(Verdict::Continue) }
}

pub(crate) fn list(world: &World, tracee: &Tracee<'_>, follow: bool) -> Result {
    if is_virtual(world, tracee, follow)? { DONE } else { Ok(Verdict::Continue) }
}
