//! stat(2), statx(2), statfs(2).

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use netloom_kernel::{NodeKind, NsId};

use super::path::{self, Found, Place};
use super::{DONE, Result, Tracee, Verdict, marker::Marker, mirror};
use crate::sys::memory::{bytes_of, zeroed};
use crate::sys::{errno, process};
use crate::world::World;

/// What stat(2) tells of a file.
#[derive(Clone, Copy, Debug)]
struct Attributes {
    device: u64,
    inode: u64,
    mode: u32,
    links: u64,
    user: u32,
    group: u32,
    size: u64,
    blocks: u64,
    /// Seconds and nanoseconds of access, change of content and change of attributes.
    times: [(i64, i64); 3],
}

/// The device that Linux shows for namespaces' files.
const NSFS_DEVICE: u64 = 4;
const NSFS_MAGIC: i64 = 0x6e73_6673;
const SYSFS_MAGIC: i64 = 0x6265_6572;
const PROC_MAGIC: i64 = 0x9fa0;
const TMPFS_MAGIC: i64 = 0x0102_1994;

impl Attributes {
    fn of(found: &Metadata) -> Attributes {
        Attributes {
            device: found.dev(),
            inode: found.ino(),
            mode: found.mode(),
            links: found.nlink(),
            user: found.uid(),
            group: found.gid(),
            size: found.size(),
            blocks: found.blocks(),
            times: [
                (found.atime(), found.atime_nsec()),
                (found.mtime(), found.mtime_nsec()),
                (found.ctime(), found.ctime_nsec()),
            ],
        }
    }

    /// The same file as the kernel shows it: root's, with that mode and size.
    fn shown(self, mode: u32, size: u64) -> Attributes {
        Attributes { mode, size, user: 0, group: 0, blocks: 0, ..self }
    }

    fn stat(&self) -> libc::stat {
        let mut stat: libc::stat = zeroed();
        stat.st_dev = self.device;
        stat.st_ino = self.inode;
        stat.st_mode = self.mode;
        stat.st_nlink = self.links as _;
        stat.st_uid = self.user;
        stat.st_gid = self.group;
        stat.st_size = self.size as _;
        stat.st_blksize = 4096;
        stat.st_blocks = self.blocks as _;
        let [access, content, change] = self.times;
        (stat.st_atime, stat.st_atime_nsec) = (access.0 as _, access.1 as _);
        (stat.st_mtime, stat.st_mtime_nsec) = (content.0 as _, content.1 as _);
        (stat.st_ctime, stat.st_ctime_nsec) = (change.0 as _, change.1 as _);
        stat
    }

    fn statx(&self) -> libc::statx {
        let mut statx: libc::statx = zeroed();
        statx.stx_mask = libc::STATX_BASIC_STATS;
        statx.stx_blksize = 4096;
        statx.stx_nlink = self.links as u32;
        statx.stx_uid = self.user;
        statx.stx_gid = self.group;
        statx.stx_mode = self.mode as u16;
        statx.stx_ino = self.inode;
        statx.stx_size = self.size;
        statx.stx_blocks = self.blocks;
        statx.stx_dev_major = libc::major(self.device) as u32;
        statx.stx_dev_minor = libc::minor(self.device) as u32;
        let times = [&mut statx.stx_atime, &mut statx.stx_mtime, &mut statx.stx_ctime];
        for (to, from) in times.into_iter().zip(self.times) {
            (to.tv_sec, to.tv_nsec) = (from.0, from.1 as u32);
        }
        statx
    }
}

/// The file that a path leads to; `None` where the kernel may look itself.
fn attributes(world: &mut World, tracee: &Tracee<'_>, path: (i32, usize), flags: i32) -> Result<Option<Attributes>> {
    let follow = flags & libc::AT_SYMLINK_NOFOLLOW == 0;
    let Some(Found { place, .. }) = path::find(world, tracee, path, follow)? else { return Ok(None) };
    let real = |path: &Path| {
        let found = if follow { path.metadata() } else { path.symlink_metadata() };
        found.map(|found| Attributes::of(&found)).map_err(|error| errno(&error))
    };
    Ok(Some(match place {
        Place::Host(path) | Place::Overlay(path) => real(&path)?,
        Place::Kernel { ns, path } => of_kernel(world, ns, &path)?,
        Place::NetnsDirectory => {
            let mirrored = real(&mirror::netns_directory(world)?)?;
            mirrored.shown(libc::S_IFDIR | 0o755, mirrored.size)
        }
        Place::Netns(name) => match path::namespace_named(world, &name)? {
            Some(ns) => of_namespace(world, ns),
            None => {
                let mirrored = real(&mirror::netns_directory(world)?.join(name))?;
                mirrored.shown(libc::S_IFREG | 0o644, mirrored.size)
            }
        },
        Place::NamespaceOf(pid) => {
            if !process::exists(pid) {
                return Err(libc::ENOENT);
            }
            let ns = world.processes.state(pid).ns;
            let namespace = of_namespace(world, ns);
            if follow { namespace } else { namespace.shown(libc::S_IFLNK | 0o777, 0) }
        }
        Place::Log => return Ok(None),
    }))
}

fn of_kernel(world: &mut World, ns: NsId, path: &str) -> Result<Attributes> {
    let node = world.kernel.node(ns, path).map_err(|errno| errno.0)?;
    let (real, kind, size) = match node.kind {
        NodeKind::Directory => (mirror::directory(world, ns, path)?, libc::S_IFDIR, 0),
        NodeKind::Symlink => (mirror::link(world, ns, path)?, libc::S_IFLNK, 0),
        NodeKind::File => {
            let size = if path.starts_with("/sys") { 4096 } else { 0 };
            (mirror::file(world, ns, path, node)?, libc::S_IFREG, size)
        }
    };
    let mirrored = real.symlink_metadata().map_err(|error| errno(&error))?;
    Ok(Attributes::of(&mirrored).shown(kind | node.mode & 0o7777, size))
}

fn of_namespace(world: &mut World, ns: NsId) -> Attributes {
    let inode = world.names.inode(ns);
    Attributes {
        device: NSFS_DEVICE,
        inode,
        mode: libc::S_IFREG | 0o444,
        links: 1,
        user: 0,
        group: 0,
        size: 0,
        blocks: 0,
        times: [(world.booted.as_secs() as i64, world.booted.subsec_nanos().into()); 3],
    }
}

/// stat(2), lstat(2), fstatat(2); the structure goes to the pointer that is the argument number `into`.
pub(crate) fn stat(world: &mut World, tracee: &Tracee<'_>, path: (i32, usize), flags: i32, into: usize) -> Result {
    match attributes(world, tracee, path, flags)? {
        Some(found) => {
            tracee.write(tracee.word(into), bytes_of(&found.stat()))?;
            DONE
        }
        None => Ok(Verdict::Continue),
    }
}

pub(crate) fn statx(world: &mut World, tracee: &Tracee<'_>) -> Result {
    match attributes(world, tracee, (tracee.int(0), 1), tracee.int(2))? {
        Some(found) => {
            tracee.write(tracee.word(4), bytes_of(&found.statx()))?;
            DONE
        }
        None => Ok(Verdict::Continue),
    }
}

fn give_statfs(tracee: &Tracee<'_>, into: usize, magic: i64) -> Result {
    let mut statfs: libc::statfs = zeroed();
    statfs.f_type = magic as _;
    statfs.f_bsize = 4096;
    statfs.f_namelen = 255;
    tracee.write(tracee.word(into), bytes_of(&statfs))?;
    DONE
}

fn kernel_magic(path: &str) -> i64 {
    if path.starts_with("/sys") { SYSFS_MAGIC } else { PROC_MAGIC }
}

pub(crate) fn statfs(world: &mut World, tracee: &Tracee<'_>) -> Result {
    let Some(Found { place, .. }) = path::find(world, tracee, (libc::AT_FDCWD, 0), true)? else {
        return Ok(Verdict::Continue);
    };
    let magic = match place {
        Place::Kernel { ns, path } => {
            world.kernel.node(ns, &path).map_err(|errno| errno.0)?;
            kernel_magic(&path)
        }
        Place::NamespaceOf(_) => NSFS_MAGIC,
        Place::Netns(name) if path::namespace_named(world, &name)?.is_some() => NSFS_MAGIC,
        Place::Netns(_) | Place::NetnsDirectory => TMPFS_MAGIC,
        Place::Host(real) | Place::Overlay(real) => {
            real.metadata().map_err(|error| errno(&error))?;
            TMPFS_MAGIC
        }
        Place::Log => return Ok(Verdict::Continue),
    };
    give_statfs(tracee, 1, magic)
}

pub(crate) fn fstatfs(world: &mut World, tracee: &Tracee<'_>) -> Result {
    let fd = tracee.int(0);
    let Ok(link) = std::fs::read_link(format!("/proc/{}/fd/{fd}", tracee.tid)) else { return Ok(Verdict::Continue) };
    if let Some((_, path)) = mirror::kernel_file(world, &link) {
        return give_statfs(tracee, 1, kernel_magic(&path));
    }
    match Marker::read(tracee.tid, fd as u32).and_then(|inode| world.names.by_inode(inode)) {
        Some(_) if link.as_os_str() == "anon_inode:[eventpoll]" => give_statfs(tracee, 1, NSFS_MAGIC),
        _ => Ok(Verdict::Continue),
    }
}
