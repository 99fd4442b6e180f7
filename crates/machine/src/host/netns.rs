//! Namespaces of the host: `/run/netns`, setns(2), and sockets opened in one.

use std::ffi::CString;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};

use super::HostMachine;
use crate::{Netns, NetnsHandle};

/// Where namespaces have their names.
pub(crate) const RUN_NETNS: &str = "/run/netns";

/// The namespace of this process.
const OWN: &str = "/proc/self/ns/net";

fn open(ns: &Netns) -> io::Result<Option<File>> {
    Ok(Some(match ns {
        Netns::Current => return Ok(None),
        Netns::Named(name) => File::open(format!("{RUN_NETNS}/{name}"))?,
        Netns::Path(path) => File::open(path)?,
        Netns::Pid(pid) => File::open(format!("/proc/{pid}/ns/net"))?,
    }))
}

fn setns(fd: &impl AsRawFd, kind: libc::c_int) -> io::Result<()> {
    // SAFETY: takes plain numbers.
    check(unsafe { libc::setns(fd.as_raw_fd(), kind) })
}

/// Runs `body` on a thread of its own in `ns`, so that the caller stays where it is.
pub(crate) fn inside<T: Send>(ns: &Netns, body: impl FnOnce() -> io::Result<T> + Send) -> io::Result<T> {
    match open(ns)? {
        None => body(),
        Some(file) => std::thread::scope(|scope| {
            let thread = scope.spawn(|| {
                setns(&file, libc::CLONE_NEWNET)?;
                body()
            });
            thread.join().unwrap_or_else(|_| Err(io::Error::other("the thread in the namespace died")))
        }),
    }
}

impl HostMachine {
    pub(crate) fn socket(&self, ns: &Netns, domain: i32, kind: i32, protocol: i32) -> io::Result<OwnedFd> {
        inside(ns, || {
            // SAFETY: takes plain numbers; the new descriptor is owned by nobody else.
            let fd = unsafe { libc::socket(domain, kind | libc::SOCK_CLOEXEC, protocol) };
            if fd < 0 { Err(io::Error::last_os_error()) } else { Ok(unsafe { OwnedFd::from_raw_fd(fd) }) }
        })
    }

    pub(crate) fn open_tun(&self, ns: &Netns) -> io::Result<OwnedFd> {
        let mut options = OpenOptions::new();
        inside(ns, || Ok(options.read(true).write(true).open("/dev/net/tun")?.into()))
    }

    pub(crate) fn netns_handle(&self, ns: &Netns) -> io::Result<NetnsHandle> {
        let file = match open(ns)? {
            Some(file) => file,
            None => File::open(OWN)?,
        };
        let fd = OwnedFd::from(file);
        Ok(NetnsHandle { number: fd.as_raw_fd() as u32, fd: Some(fd) })
    }

    pub(crate) fn netns_inode(&self, ns: &Netns) -> io::Result<u64> {
        let own = std::fs::metadata(OWN)?;
        let found = match open(ns)? {
            Some(file) => file.metadata()?,
            None => return Ok(own.ino()),
        };
        // All namespaces are files of one file system.
        if found.dev() == own.dev() { Ok(found.ino()) } else { Err(io::Error::from_raw_os_error(libc::EINVAL)) }
    }

    pub(crate) fn netns_list(&self) -> io::Result<Vec<String>> {
        match std::fs::read_dir(RUN_NETNS) {
            Ok(entries) => entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    pub(crate) fn netns_add(&self, name: &str) -> io::Result<()> {
        name_namespace(name, || {
            // SAFETY: takes a plain number. Only the thread that `name_namespace` made moves.
            check(unsafe { libc::unshare(libc::CLONE_NEWNET) })?;
            // Not /proc/self, which is the main thread.
            Ok("/proc/thread-self/ns/net".to_owned())
        })
    }

    pub(crate) fn netns_attach(&self, name: &str, pid: u32) -> io::Result<()> {
        name_namespace(name, || Ok(format!("/proc/{pid}/ns/net")))
    }

    pub(crate) fn netns_delete(&self, name: &str) -> io::Result<()> {
        let path = format!("{RUN_NETNS}/{name}");
        // A broken name has nothing mounted on it.
        let _ = unmount(&path);
        std::fs::remove_file(path)
    }

    pub(crate) fn netns_identify(&self, pid: Option<u32>) -> io::Result<Vec<String>> {
        let own = match pid {
            Some(pid) => std::fs::metadata(format!("/proc/{pid}/ns/net"))?,
            None => std::fs::metadata("/proc/thread-self/ns/net")?,
        };
        let mut names = self.netns_list()?;
        names.retain(|name| std::fs::metadata(format!("{RUN_NETNS}/{name}")).is_ok_and(|named| same(&named, &own)));
        Ok(names)
    }

    pub(crate) fn netns_pids(&self, name: &str) -> io::Result<Vec<u32>> {
        let named = File::open(format!("{RUN_NETNS}/{name}"))?.metadata()?;
        let mut pids = Vec::new();
        for entry in std::fs::read_dir("/proc")? {
            let Some(pid) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
            // A process may end meanwhile.
            if std::fs::metadata(format!("/proc/{pid}/ns/net")).is_ok_and(|own| same(&own, &named)) {
                pids.push(pid);
            }
        }
        Ok(pids)
    }

    pub(crate) fn enter(&self, ns: &Netns) -> io::Result<()> {
        let Some(file) = open(ns)? else { return Ok(()) };
        setns(&file, libc::CLONE_NEWNET)?;
        // SAFETY: takes a plain number.
        check(unsafe { libc::unshare(libc::CLONE_NEWNS) })?;
        // What is mounted from here on must not be seen outside.
        mount("", "/", "none", libc::MS_SLAVE | libc::MS_REC)?;
        let _ = unmount("/sys");
        let name = match ns {
            Netns::Named(name) => name,
            _ => "none",
        };
        // /sys/class/net shows the namespace that sysfs was mounted in.
        mount(name, "/sys", "sysfs", 0)?;
        if let Netns::Named(name) = ns {
            overlay_etc(name);
        }
        Ok(())
    }
}

/// Whether two files are one namespace.
fn same(a: &std::fs::Metadata, b: &std::fs::Metadata) -> bool {
    (a.dev(), a.ino()) == (b.dev(), b.ino())
}

/// Binds what `namespace` gives, a file in `/proc`, to a new name. It runs on a thread of its own, so that the caller
/// stays in its namespace.
fn name_namespace(name: &str, namespace: impl FnOnce() -> io::Result<String> + Send) -> io::Result<()> {
    prepare_directory()?;
    let path = format!("{RUN_NETNS}/{name}");
    let mut options = OpenOptions::new();
    options.read(true).custom_flags(libc::O_CREAT | libc::O_EXCL).mode(0o000).open(&path)?;
    let bound = std::thread::scope(|scope| {
        let thread = scope.spawn(|| mount(&namespace()?, &path, "none", libc::MS_BIND));
        thread.join().unwrap_or_else(|_| Err(io::Error::other("the thread in the namespace died")))
    });
    if bound.is_err() {
        let _ = std::fs::remove_file(&path);
    }
    bound
}

/// Makes the directory of names a mount point whose mounts propagate: a name removed in one mount namespace must not
/// keep its network namespace alive in another.
fn prepare_directory() -> io::Result<()> {
    match std::fs::DirBuilder::new().mode(0o755).create(RUN_NETNS) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    let directory = File::open(RUN_NETNS)?;
    // Two at once would mount it upon itself twice. The lock goes with the descriptor.
    // SAFETY: a descriptor that lives and a plain number.
    check(unsafe { libc::flock(directory.as_raw_fd(), libc::LOCK_EX) })?;
    let share = || mount("", RUN_NETNS, "none", libc::MS_SHARED | libc::MS_REC);
    match share() {
        // It is not a mount point yet.
        Err(error) if error.raw_os_error() == Some(libc::EINVAL) => {
            mount(RUN_NETNS, RUN_NETNS, "none", libc::MS_BIND | libc::MS_REC)
                .map_err(|error| failed(&format!("mount --bind {RUN_NETNS} {RUN_NETNS}"), &error))?;
            share()
        }
        result => result,
    }
    .map_err(|error| failed(&format!("mount --make-shared {RUN_NETNS}"), &error))
}

/// An error in the words that iproute2 has for the step that failed; it has no number any more.
fn failed(step: &str, error: &io::Error) -> io::Error {
    let text = error.to_string();
    io::Error::other(format!("{step} failed: {}", text.split(" (os error").next().unwrap_or_default()))
}

/// Puts the files of `/etc/netns/NAME` over those in `/etc`. One that cannot be is reported and left.
fn overlay_etc(name: &str) {
    let from = format!("/etc/netns/{name}");
    let Ok(entries) = std::fs::read_dir(&from) else { return };
    for entry in entries.flatten() {
        let file = entry.file_name().to_string_lossy().into_owned();
        let (source, target) = (format!("{from}/{file}"), format!("/etc/{file}"));
        if let Err(error) = mount(&source, &target, "none", libc::MS_BIND) {
            eprintln!("Bind {source} -> {target} failed: {error}");
        }
    }
}

fn check(result: libc::c_int) -> io::Result<()> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

fn mount(source: &str, target: &str, kind: &str, flags: libc::c_ulong) -> io::Result<()> {
    let (source, target, kind) = (CString::new(source)?, CString::new(target)?, CString::new(kind)?);
    // SAFETY: three strings that end in a zero and live through the call; no data.
    check(unsafe { libc::mount(source.as_ptr(), target.as_ptr(), kind.as_ptr(), flags, std::ptr::null()) })
}

fn unmount(target: &str) -> io::Result<()> {
    let target = CString::new(target)?;
    // SAFETY: a string that ends in a zero and lives through the call.
    check(unsafe { libc::umount2(target.as_ptr(), libc::MNT_DETACH) })
}
