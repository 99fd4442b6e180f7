//! Namespaces of the host: `/run/netns`, setns(2), and sockets opened in one.

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use super::HostMachine;
use crate::{Netns, NetnsHandle};

/// Where namespaces have their names.
pub(crate) const RUN_NETNS: &str = "/run/netns";

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
    if unsafe { libc::setns(fd.as_raw_fd(), kind) } < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
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

    pub(crate) fn netns_handle(&self, ns: &Netns) -> io::Result<NetnsHandle> {
        let file = match open(ns)? {
            Some(file) => file,
            None => File::open("/proc/self/ns/net")?,
        };
        let fd = OwnedFd::from(file);
        Ok(NetnsHandle { number: fd.as_raw_fd() as u32, fd: Some(fd) })
    }

    pub(crate) fn netns_list(&self) -> io::Result<Vec<String>> {
        unimplemented!()
    }
    pub(crate) fn netns_add(&self, _name: &str) -> io::Result<()> {
        unimplemented!()
    }
    pub(crate) fn netns_attach(&self, _name: &str, _pid: u32) -> io::Result<()> {
        unimplemented!()
    }
    pub(crate) fn netns_delete(&self, _name: &str) -> io::Result<()> {
        unimplemented!()
    }
    pub(crate) fn netns_identify(&self, _pid: Option<u32>) -> io::Result<Vec<String>> {
        unimplemented!()
    }
    pub(crate) fn netns_pids(&self, _name: &str) -> io::Result<Vec<u32>> {
        unimplemented!()
    }
    pub(crate) fn enter(&self, ns: &Netns) -> io::Result<()> {
        match open(ns)? {
            Some(file) => setns(&file, libc::CLONE_NEWNET),
            None => Ok(()),
        }
    }
}
