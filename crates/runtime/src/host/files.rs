//! What a machine made of the host's kernel sees: its own users, `/proc` and `/sys`, and no names in `/run/netns`.

use std::fs::{self, File};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use super::Refusal;
use crate::sys::mount;

/// Furnishes the namespaces that the calling process has just been born into.
/// `ids` are the user and group that are root's in a new user namespace.
pub(super) fn furnish(ids: Option<(u32, u32)>) -> Result<(), Refusal> {
    let refused = |what: &'static str| move |error: io::Error| Refusal::new(what, &error);
    if let Some(ids) = ids {
        become_root(ids).map_err(refused("map your user to the machine's root"))?;
    }
    mount::leave_propagation().map_err(refused("leave the host's mounts"))?;
    // Where parts of /proc are covered, as in a container, the kernel gives no fresh one. The host's will do: only the
    // process numbers in it are others.
    let _ = mount::pseudo("proc", Path::new("/proc"), false);
    let sys = Path::new("/sys");
    // A /sys that is locked read-only, as a container's is, may have only others that are, too.
    mount::pseudo("sysfs", sys, false)
        .or_else(|error| mount::pseudo("sysfs", sys, true).map_err(|_| error))
        .map_err(refused("mount a /sys that shows the machine's devices"))?;
    empty_run_netns().map_err(refused("put an empty directory at /run/netns"))
}

/// The caller's user and group are root's in the new user namespace, and there is nobody else.
fn become_root((user, group): (u32, u32)) -> io::Result<()> {
    // A kernel before 3.19 has no such file, and doesn't ask for it.
    match fs::write("/proc/self/setgroups", "deny") {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    fs::write("/proc/self/uid_map", format!("0 {user} 1"))?;
    fs::write("/proc/self/gid_map", format!("0 {group} 1"))
}

fn empty_run_netns() -> io::Result<()> {
    let names = Path::new("/run/netns");
    if !names.is_dir() {
        // Making it would leave a trace on the host: it is made in a copy of /run.
        copy_run()?;
        fs::create_dir(names)?;
    }
    mount::tmpfs(names)
}

/// Puts a directory of the machine's own over `/run`, with all that is in the host's.
fn copy_run() -> io::Result<()> {
    let run = Path::new("/run");
    let covered = File::open(run)?;
    let entries: Vec<fs::DirEntry> = fs::read_dir(run)?.collect::<io::Result<_>>()?;
    let kinds: Vec<_> =
        entries.iter().map(|entry| entry.file_type().ok().map(|kind| (entry.file_name(), kind))).collect();
    mount::tmpfs(run)?;
    let original = PathBuf::from(format!("/proc/self/fd/{}", covered.as_raw_fd()));
    for (name, kind) in kinds.into_iter().flatten() {
        let (source, target) = (original.join(&name), run.join(&name));
        // What can't be shown isn't: most are sockets and pid files of daemons.
        let _ = match () {
            () if kind.is_symlink() => fs::read_link(&source).and_then(|to| symlink(to, &target)),
            () if kind.is_dir() => fs::create_dir(&target).and_then(|()| mount::bind(&source, &target)),
            () => File::create(&target).and_then(|_| mount::bind(&source, &target)),
        };
    }
    Ok(())
}
