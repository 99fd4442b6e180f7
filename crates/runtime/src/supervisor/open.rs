//! open(2) and its relatives.

use std::ffi::CStr;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

use netloom_kernel::{NodeKind, NsId};
use netloom_machine::packet;

use super::path::{self, Found, Place};
use super::{Result, Tracee, Verdict, mirror, with_c_string};
use crate::sys::{errno, process};
use crate::world::World;

/// What open(2) was asked for.
#[derive(Clone, Copy, Debug)]
struct Wish {
    flags: i32,
    mode: u32,
}

impl Wish {
    fn has(self, flag: i32) -> bool {
        self.flags & flag == flag
    }

    fn reads(self) -> bool {
        !self.has(libc::O_PATH) && self.flags & libc::O_ACCMODE != libc::O_WRONLY
    }

    fn writes(self) -> bool {
        !self.has(libc::O_PATH) && self.flags & libc::O_ACCMODE != libc::O_RDONLY
    }

    /// A new descriptor for the program.
    fn give(self, fd: OwnedFd) -> Result {
        Ok(Verdict::Descriptor { fd, close_on_exec: self.has(libc::O_CLOEXEC) })
    }
}

/// openat2(2): flags and mode are in memory. What it says of resolving paths is not heeded in the virtual trees.
pub(crate) fn open_how(world: &mut World, tracee: &Tracee<'_>) -> Result {
    let Ok(how) = tracee.read(tracee.word(2), 16) else { return Ok(Verdict::Continue) };
    let word = |at: usize| how[at..].first_chunk().map_or(0, |bytes| u64::from_ne_bytes(*bytes));
    open(world, tracee, (tracee.int(0), 1), word(0) as i32, word(8) as u32)
}

pub(crate) fn open(world: &mut World, tracee: &Tracee<'_>, path: (i32, usize), flags: i32, mode: u32) -> Result {
    let wish = Wish { flags, mode };
    let exclusive = wish.has(libc::O_CREAT | libc::O_EXCL);
    let follow = !wish.has(libc::O_NOFOLLOW) && !exclusive;
    let Some(Found { place, .. }) = path::find(world, tracee, path, follow)? else { return Ok(Verdict::Continue) };
    match place {
        Place::Host(real) | Place::Overlay(real) => open_real(tracee, &real, wish),
        Place::Kernel { ns, path } => open_kernel(world, ns, &path, wish),
        Place::NetnsDirectory => {
            let real = mirror::netns_directory(world)?;
            open_directory(&real, wish)
        }
        Place::Netns(name) => open_netns(world, &name, wish),
        Place::NamespaceOf(pid) => {
            if !process::exists(pid) {
                return Err(libc::ENOENT);
            }
            if !follow {
                return Err(libc::ELOOP);
            }
            let ns = world.processes.state(pid).ns;
            open_namespace(world, ns, wish)
        }
        Place::Log => open_log(world, wish),
    }
}

fn raw_open(path: &CStr, flags: i32, mode: u32) -> io::Result<OwnedFd> {
    use std::os::fd::FromRawFd;
    // SAFETY: the string ends with a zero byte; the new descriptor is owned by nobody else.
    unsafe {
        let fd = libc::open(path.as_ptr(), flags | libc::O_CLOEXEC | libc::O_NOCTTY, mode);
        crate::sys::check(fd).map(|fd| OwnedFd::from_raw_fd(fd))
    }
}

/// A file of the host, opened in the program's stead.
fn open_real(tracee: &Tracee<'_>, real: &Path, wish: Wish) -> Result {
    // Opening a named pipe waits for the other side, and a machine must not wait; a terminal is the program's own.
    let harmless = ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"];
    let special = real.metadata().is_ok_and(|found| !found.is_file() && !found.is_dir());
    if special && !harmless.iter().any(|path| real == Path::new(path)) {
        return Err(libc::ENXIO);
    }
    let mode = if wish.has(libc::O_CREAT) { wish.mode & !process::umask(tracee.tid) } else { 0 };
    wish.give(with_c_string(real, |real| raw_open(real, wish.flags, mode))?)
}

fn open_directory(real: &Path, wish: Wish) -> Result {
    if wish.has(libc::O_CREAT | libc::O_EXCL) {
        return Err(libc::EEXIST);
    }
    if wish.writes() || wish.has(libc::O_CREAT) {
        return Err(libc::EISDIR);
    }
    let flags = libc::O_DIRECTORY | wish.flags & libc::O_PATH;
    wish.give(with_c_string(real, |real| raw_open(real, flags, 0))?)
}

fn open_kernel(world: &mut World, ns: NsId, path: &str, wish: Wish) -> Result {
    let node = match world.kernel.node(ns, path) {
        Ok(node) => node,
        // sysfs lets nobody make files; proc has no way to make them.
        Err(_) if wish.has(libc::O_CREAT) => {
            return Err(if path.starts_with("/sys") { libc::EACCES } else { libc::ENOENT });
        }
        Err(errno) => return Err(errno.0),
    };
    match node.kind {
        NodeKind::Directory => {
            let real = mirror::directory(world, ns, path)?;
            open_directory(&real, wish)
        }
        _ if wish.has(libc::O_CREAT | libc::O_EXCL) => Err(libc::EEXIST),
        NodeKind::Symlink if wish.has(libc::O_PATH) => {
            let real = mirror::link(world, ns, path)?;
            wish.give(with_c_string(&real, |real| raw_open(real, libc::O_PATH | libc::O_NOFOLLOW, 0))?)
        }
        NodeKind::Symlink => Err(libc::ELOOP),
        _ if wish.has(libc::O_DIRECTORY) => Err(libc::ENOTDIR),
        NodeKind::File => {
            // Not even root may do what the mode forbids here.
            if wish.reads() && node.mode & 0o444 == 0 || wish.writes() && node.mode & 0o222 == 0 {
                return Err(libc::EACCES);
            }
            if wish.reads() && !wish.writes() {
                match world.kernel.read_file(ns, path) {
                    Ok(_) => {}
                    // Opening succeeds where reading doesn't.
                    Err(_) => return unreadable(world, ns, wish),
                }
            }
            world.writable_opened |= wish.writes();
            let real = mirror::file(world, ns, path, node)?;
            let flags = wish.flags & (libc::O_ACCMODE | libc::O_PATH | libc::O_NONBLOCK);
            wish.give(with_c_string(&real, |real| raw_open(real, flags, 0))?)
        }
    }
}

/// A descriptor whose read(2) fails with EINVAL.
fn unreadable(world: &World, _ns: NsId, wish: Wish) -> Result {
    wish.give(world.marker.make(0).map_err(|error| errno(&error))?)
}

fn open_netns(world: &mut World, name: &str, wish: Wish) -> Result {
    let creates = wish.has(libc::O_CREAT);
    match path::namespace_named(world, name) {
        Ok(_) if wish.has(libc::O_CREAT | libc::O_EXCL) => return Err(libc::EEXIST),
        Ok(Some(ns)) => return open_namespace(world, ns, wish),
        Ok(None) => {}
        Err(libc::ENOENT) if creates => world.names.touch(name)?,
        Err(errno) => return Err(errno),
    }
    if wish.has(libc::O_DIRECTORY) {
        return Err(libc::ENOTDIR);
    }
    let real = mirror::netns_directory(world)?.join(name);
    let flags = wish.flags & (libc::O_ACCMODE | libc::O_PATH | libc::O_TRUNC | libc::O_APPEND);
    wish.give(with_c_string(&real, |real| raw_open(real, flags, 0))?)
}

fn open_namespace(world: &mut World, ns: NsId, wish: Wish) -> Result {
    if wish.has(libc::O_DIRECTORY) {
        return Err(libc::ENOTDIR);
    }
    if wish.writes() {
        return Err(libc::EACCES);
    }
    let inode = world.names.inode(ns);
    wish.give(world.marker.make(inode).map_err(|error| errno(&error))?)
}

fn open_log(world: &mut World, wish: Wish) -> Result {
    if wish.has(libc::O_PATH) {
        return Ok(Verdict::Continue);
    }
    if wish.writes() {
        return Err(libc::EPERM);
    }
    let (ours, theirs) = packet::pair().map_err(|error| errno(&error))?;
    if wish.has(libc::O_NONBLOCK) {
        use std::os::fd::AsRawFd;
        // SAFETY: takes plain numbers.
        unsafe { libc::fcntl(theirs.as_raw_fd(), libc::F_SETFL, libc::O_NONBLOCK) };
    }
    world.new_log_readers.push(ours);
    wish.give(theirs)
}
