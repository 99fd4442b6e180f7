//! chdir(2), fchdir(2), getcwd(2).
//!
//! The kernel can't be made to change a program's directory from outside, so a virtual one is remembered here, and paths
//! are taken relative to it, until the program goes somewhere that the kernel knows.

use std::path::Path;

use netloom_kernel::NodeKind;

use super::path::{self, Found, Place};
use super::{DONE, Result, Tracee, Verdict, mirror, with_c_string};
use crate::processes::Cwd;
use crate::sys::check;
use crate::world::World;

/// Whether the program may go into a directory of the host.
fn may_enter(real: &Path) -> Result<()> {
    if !real.metadata().map_err(|error| crate::sys::errno(&error))?.is_dir() {
        return Err(libc::ENOTDIR);
    }
    // SAFETY: the string ends with a zero byte.
    with_c_string(real, |real| check(unsafe { libc::access(real.as_ptr(), libc::X_OK) })).map(drop)
}

fn remember(world: &mut World, tracee: &Tracee<'_>, cwd: Option<Cwd>) {
    world.processes.change(tracee.tid, &mut world.kernel, |state| state.cwd = cwd);
}

pub(crate) fn chdir(world: &mut World, tracee: &Tracee<'_>) -> Result {
    let known = |world: &World| !world.processes.all_default() && world.processes.state(tracee.tid).cwd.is_some();
    let Some(found) = path::find(world, tracee, (libc::AT_FDCWD, 0), true)? else {
        if known(world) {
            // An absolute path of the host: the kernel goes there, unless it can't.
            if let Some(target) = tracee.path(0) {
                may_enter(Path::new(&target))?;
                remember(world, tracee, None);
            }
        }
        return Ok(Verdict::Continue);
    };
    let Found { place, path, .. } = found;
    let mut ns = world.processes.state(tracee.tid).ns;
    match place {
        Place::Host(real) | Place::Overlay(real) => may_enter(&real)?,
        Place::Kernel { ns: whose, path } => {
            if world.kernel.node(whose, &path).map_err(|errno| errno.0)?.kind != NodeKind::Directory {
                return Err(libc::ENOTDIR);
            }
            ns = whose;
        }
        Place::NetnsDirectory => {}
        Place::Netns(name) => {
            path::namespace_named(world, &name)?;
            return Err(libc::ENOTDIR);
        }
        Place::NamespaceOf(_) | Place::Log => return Err(libc::ENOTDIR),
    }
    remember(world, tracee, Some(Cwd { path, ns }));
    DONE
}

pub(crate) fn fchdir(world: &mut World, tracee: &Tracee<'_>) -> Result {
    let link = std::fs::read_link(format!("/proc/{}/fd/{}", tracee.tid, tracee.int(0)));
    let behind = link.as_deref().ok().and_then(|link| mirror::behind(world, link));
    match (behind, link) {
        (Some((whose, path)), Ok(link)) => {
            if !link.is_dir() {
                return Err(libc::ENOTDIR);
            }
            let ns = whose.unwrap_or_else(|| world.processes.state(tracee.tid).ns);
            remember(world, tracee, Some(Cwd { path, ns }));
            DONE
        }
        (None, Ok(link)) if !world.processes.all_default() => {
            if link.is_dir() && world.processes.state(tracee.tid).cwd.is_some() {
                remember(world, tracee, None);
            }
            Ok(Verdict::Continue)
        }
        _ => Ok(Verdict::Continue),
    }
}

pub(crate) fn getcwd(world: &mut World, tracee: &Tracee<'_>) -> Result {
    if world.processes.all_default() {
        return Ok(Verdict::Continue);
    }
    let Some(Cwd { path, .. }) = world.processes.state(tracee.tid).cwd else { return Ok(Verdict::Continue) };
    let mut bytes = path.into_bytes();
    bytes.push(0);
    if bytes.len() as u64 > tracee.word(1) {
        return Err(libc::ERANGE);
    }
    tracee.write(tracee.word(0), &bytes)?;
    Ok(Verdict::Return(bytes.len() as i64))
}
