//! unlink(2), rmdir(2), mkdir(2), rename(2).

use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt;

use super::path::{self, Found, Place};
use super::{DONE, Result, Tracee, Verdict};
use crate::sys::{errno, process};
use crate::world::World;

pub(crate) fn unlink(world: &mut World, tracee: &Tracee<'_>, path: (i32, usize), directory: bool) -> Result {
    let Some(Found { place, .. }) = path::find(world, tracee, path, false)? else { return Ok(Verdict::Continue) };
    match place {
        Place::Host(real) | Place::Overlay(real) => {
            let removed = if directory { fs::remove_dir(real) } else { fs::remove_file(real) };
            removed.map_err(|error| errno(&error))?;
            DONE
        }
        Place::Kernel { ns, path } => world.kernel.node(ns, &path).map_err(|errno| errno.0).and(Err(libc::EPERM)),
        Place::NetnsDirectory => Err(if directory { libc::EBUSY } else { libc::EISDIR }),
        Place::Netns(name) => {
            let mounted = path::namespace_named(world, &name)?.is_some();
            if directory {
                return Err(libc::ENOTDIR);
            }
            if mounted {
                return Err(libc::EBUSY);
            }
            world.names.delete(&name, &mut world.kernel)?;
            DONE
        }
        Place::NamespaceOf(_) => Err(libc::EPERM),
        Place::Log => Ok(Verdict::Continue),
    }
}

pub(crate) fn make_directory(world: &mut World, tracee: &Tracee<'_>, path: (i32, usize), mode: u32) -> Result {
    let Some(Found { place, .. }) = path::find(world, tracee, path, false)? else { return Ok(Verdict::Continue) };
    match place {
        Place::Host(real) | Place::Overlay(real) => {
            let mode = mode & 0o7777 & !process::umask(tracee.tid);
            DirBuilder::new().mode(mode).create(real).map_err(|error| errno(&error))?;
            DONE
        }
        Place::Kernel { ns, path } => Err(world.kernel.node(ns, &path).map_or(libc::EPERM, |_| libc::EEXIST)),
        Place::NetnsDirectory | Place::NamespaceOf(_) => Err(libc::EEXIST),
        Place::Netns(name) => Err(world.names.get(&name).map_or(libc::EPERM, |_| libc::EEXIST)),
        Place::Log => Ok(Verdict::Continue),
    }
}

pub(crate) fn rename(world: &mut World, tracee: &Tracee<'_>, from: (i32, usize), to: (i32, usize)) -> Result {
    let from = path::find(world, tracee, from, false)?.map(|found| found.place);
    let to = path::find(world, tracee, to, false)?.map(|found| found.place);
    match (from, to) {
        (None, None) => Ok(Verdict::Continue),
        (Some(Place::Host(from)), Some(Place::Host(to))) | (Some(Place::Overlay(from)), Some(Place::Overlay(to))) => {
            fs::rename(from, to).map_err(|error| errno(&error))?;
            DONE
        }
        (Some(Place::Netns(name)), _) if path::namespace_named(world, &name)?.is_some() => Err(libc::EBUSY),
        (Some(Place::Kernel { ns, path }), _) => {
            world.kernel.node(ns, &path).map_err(|errno| errno.0).and(Err(libc::EPERM))
        }
        _ => Err(libc::EXDEV),
    }
}
