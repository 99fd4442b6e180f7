//! unlink(2), rmdir(2), mkdir(2), rename(2), link(2), symlink(2), mknod(2): what changes directories.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::{self, fs::DirBuilderExt};
use std::path::Path;

use netloom_kernel::NodeKind;

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
        Place::Kernel { ns, path } => {
            let node = world.kernel.node(ns, &path).map_err(|errno| errno.0)?;
            Err(if directory && node.kind != NodeKind::Directory { libc::ENOTDIR } else { libc::EPERM })
        }
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
        (Some(Place::Kernel { ns, path }), to) => {
            world.kernel.node(ns, &path).map_err(|errno| errno.0)?;
            Err(if matches!(to, Some(Place::Kernel { .. })) { libc::EPERM } else { libc::EXDEV })
        }
        (Some(Place::Netns(name)), _) if path::namespace_named(world, &name)?.is_some() => Err(libc::EBUSY),
        _ => Err(libc::EXDEV),
    }
}

/// A call that makes something at a path: where the kernel can't do it, nobody can, but in a directory of the host that
/// is reached by way of a virtual one.
pub(crate) fn make(
    world: &mut World,
    tracee: &Tracee<'_>,
    path: (i32, usize),
    at_host: impl FnOnce(&Path) -> io::Result<()>,
) -> Result {
    let Some(Found { place, .. }) = path::find(world, tracee, path, false)? else { return Ok(Verdict::Continue) };
    match place {
        Place::Host(real) | Place::Overlay(real) => at_host(&real).map_err(|error| errno(&error)).and(DONE),
        Place::Kernel { ns, path } => Err(world.kernel.node(ns, &path).map_or(libc::EPERM, |_| libc::EEXIST)),
        Place::NetnsDirectory | Place::NamespaceOf(_) => Err(libc::EEXIST),
        Place::Netns(name) => Err(world.names.get(&name).map_or(libc::EPERM, |_| libc::EEXIST)),
        Place::Log => Ok(Verdict::Continue),
    }
}

/// symlink(2); the target is the argument number `target`.
pub(crate) fn symlink(world: &mut World, tracee: &Tracee<'_>, target: usize, path: (i32, usize)) -> Result {
    let target = tracee.path(target);
    make(world, tracee, path, |real| unix::fs::symlink(target.unwrap_or_default(), real))
}

/// link(2): never out of a virtual tree, nor into one.
pub(crate) fn link(world: &mut World, tracee: &Tracee<'_>, from: (i32, usize), to: (i32, usize)) -> Result {
    let from = path::find(world, tracee, from, false)?.map(|found| found.place);
    match from {
        None => make(world, tracee, to, |_| Err(io::Error::from_raw_os_error(libc::EXDEV))),
        Some(Place::Host(from) | Place::Overlay(from)) => {
            match path::find(world, tracee, to, false)?.map(|found| found.place) {
                Some(Place::Host(to) | Place::Overlay(to)) => fs::hard_link(from, to).map_err(|e| errno(&e)).and(DONE),
                _ => Err(libc::EXDEV),
            }
        }
        Some(_) => Err(libc::EPERM),
    }
}

/// mknod(2).
pub(crate) fn make_node(world: &mut World, tracee: &Tracee<'_>, path: (i32, usize)) -> Result {
    make(world, tracee, path, |_| Err(io::Error::from_raw_os_error(libc::EPERM)))
}
