//! setns(2), unshare(2), umount(2): how programs move between namespaces.

use super::marker::Marker;
use super::path::{self, Found, Place};
use super::{DONE, Result, Tracee, Verdict};
use crate::world::World;

/// setns(2) with a descriptor of a namespace's file.
pub(crate) fn setns(world: &mut World, tracee: &Tracee<'_>) -> Result {
    let (fd, kind) = (tracee.int(0), tracee.int(1));
    let marked = u32::try_from(fd).ok().and_then(|fd| Marker::read(tracee.tid, fd));
    let Some(ns) = marked.and_then(|inode| world.names.by_inode(inode)) else { return Ok(Verdict::Continue) };
    if !matches!(kind, 0 | libc::CLONE_NEWNET) || !world.kernel.has_namespace(ns) {
        return Err(libc::EINVAL);
    }
    world.set_namespace(tracee.tid, ns);
    DONE
}

/// unshare(2) of the network alone; what else a program may want to leave is the host kernel's.
pub(crate) fn unshare(world: &mut World, tracee: &Tracee<'_>) -> Result {
    if tracee.int(0) != libc::CLONE_NEWNET {
        return Ok(Verdict::Continue);
    }
    let ns = world.kernel.create_namespace();
    world.set_namespace(tracee.tid, ns);
    world.kernel.release_namespace(ns);
    DONE
}

/// umount2(2) of a namespace's file: the name stays as an ordinary file.
pub(crate) fn unmount(world: &mut World, tracee: &Tracee<'_>) -> Result {
    let Some(Found { place, .. }) = path::find(world, tracee, (libc::AT_FDCWD, 0), true)? else {
        return Ok(Verdict::Continue);
    };
    match place {
        Place::Netns(name) => {
            world.names.unmount(&name, &mut world.kernel)?;
            DONE
        }
        _ => Err(libc::EINVAL),
    }
}
