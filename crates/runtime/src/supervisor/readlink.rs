//! readlink(2).

use netloom_kernel::NodeKind;

use super::path::{self, Found, Place};
use super::{Result, Tracee, Verdict};
use crate::sys::{errno, process};
use crate::world::World;

/// The target goes to the pointer that is the argument number `into`; its room is the next argument.
pub(crate) fn readlink(world: &mut World, tracee: &Tracee<'_>, path: (i32, usize), into: usize) -> Result {
    let Some(Found { place, .. }) = path::find(world, tracee, path, false)? else { return Ok(Verdict::Continue) };
    let target = match place {
        Place::Host(real) | Place::Overlay(real) => {
            let target = std::fs::read_link(real).map_err(|error| errno(&error))?;
            path::text(&target)?.to_owned()
        }
        Place::Kernel { ns, path } => {
            if world.kernel.node(ns, &path).map_err(|errno| errno.0)?.kind != NodeKind::Symlink {
                return Err(libc::EINVAL);
            }
            world.kernel.read_link(ns, &path).map_err(|errno| errno.0)?
        }
        Place::NamespaceOf(pid) => {
            if !process::exists(pid) {
                return Err(libc::ENOENT);
            }
            let ns = world.processes.state(pid).ns;
            format!("net:[{}]", world.names.inode(ns))
        }
        Place::Netns(name) => {
            path::namespace_named(world, &name)?;
            return Err(libc::EINVAL);
        }
        Place::NetnsDirectory => return Err(libc::EINVAL),
        Place::Log => return Ok(Verdict::Continue),
    };
    let room = tracee.word(into + 1) as usize;
    if room == 0 {
        return Err(libc::EINVAL);
    }
    let bytes = &target.as_bytes()[..target.len().min(room)];
    tracee.write(tracee.word(into), bytes)?;
    Ok(Verdict::Return(bytes.len() as i64))
}
