//! A machine: one Linux kernel that sockets can be opened on.
//!
//! The seam between Netloom's commands and the kernel that answers them. Commands know only this crate: they open
//! sockets *in a namespace of a machine* and speak Linux's own bytes through them (netlink messages, frames,
//! `sockaddr`s, `ifreq`s). Which kernel answers is decided once, from outside: [`Machine::from_env`].

pub mod busy_poll;
mod embedded;
mod host;
pub mod interrupt;
pub mod local_time;
mod log;
pub mod netlink;
mod netns;
pub mod protocol;
mod socket;

use std::io;

pub use embedded::{EmbeddedMachine, channel, packet};
pub use host::HostMachine;
pub use log::{KernelLog, LogRecord};
pub use netns::{Netns, NetnsHandle, NetnsWatch};
pub use socket::{Control, Received, Socket};

/// The environment variable that names an embedded machine's socket; unset or empty means the host.
pub const MACHINE_VARIABLE: &str = "NETLOOM_MACHINE";

/// The environment variable with the number of the first record of the host's log that a program is to see, where the machine
/// is younger than the host.
pub const LOG_VARIABLE: &str = "NETLOOM_LOG_FROM";

/// What stands in a directory of `/sys/class/net`, `/proc/sys/net`, `/run/netns` …
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirEntry {
    /// The name within the directory.
    pub name: String,
    /// File, directory or symbolic link.
    pub kind: FileKind,
}

/// The kind of a directory entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum FileKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link.
    Symlink,
}

/// One Linux kernel: the host's, or an embedded one in a process of its own.
///
/// Every error is an [`io::Error`] that carries the kernel's errno (`raw_os_error`).
#[derive(Debug)]
pub enum Machine {
    /// The real Linux below, through its own system calls.
    Host(HostMachine),
    /// An embedded kernel behind a Unix socket.
    Embedded(EmbeddedMachine),
}

macro_rules! forward {
    ($self:ident . $method:ident ( $($arg:expr),* )) => {
        match $self {
            Machine::Host(machine) => machine.$method($($arg),*),
            Machine::Embedded(machine) => machine.$method($($arg),*),
        }
    };
}

impl Machine {
    /// The machine that [`MACHINE_VARIABLE`] names; the host where it is unset.
    pub fn from_env() -> io::Result<Machine> {
        match std::env::var_os(MACHINE_VARIABLE) {
            Some(path) if !path.is_empty() => Ok(Machine::Embedded(EmbeddedMachine::connect(path)?)),
            _ => Ok(Machine::Host(HostMachine)),
        }
    }

    /// socket(2) in `ns`. Numbers are Linux's: `AF_NETLINK`, `SOCK_RAW`, `NETLINK_ROUTE` …
    pub fn socket(&self, ns: &Netns, domain: i32, kind: i32, protocol: i32) -> io::Result<Socket> {
        match self {
            Machine::Host(machine) => machine.socket(ns, domain, kind, protocol).map(Socket::host),
            Machine::Embedded(machine) => machine.socket(ns, domain, kind, protocol).map(Socket::embedded),
        }
    }

    /// open(2) of `/dev/net/tun` in `ns`: what TUN and TAP devices are made with, by [`Socket::ioctl`] and
    /// [`Socket::ioctl_value`].
    pub fn open_tun(&self, ns: &Netns) -> io::Result<Socket> {
        match self {
            Machine::Host(machine) => machine.open_tun(ns).map(Socket::host),
            Machine::Embedded(machine) => machine.open_tun(ns).map(Socket::embedded),
        }
    }

    /// The whole content of a file as a process in `ns` sees it: below `/sys/class/net`, `/proc/net`, `/proc/sys/net`.
    pub fn read_file(&self, ns: &Netns, path: &str) -> io::Result<Vec<u8>> {
        forward!(self.read_file(ns, path))
    }

    /// One write(2) of `data` to such a file, opened for writing and truncated.
    pub fn write_file(&self, ns: &Netns, path: &str, data: &[u8]) -> io::Result<()> {
        forward!(self.write_file(ns, path, data))
    }

    /// A directory's entries without `.` and `..`, in the order in which the kernel gives them.
    pub fn read_dir(&self, ns: &Netns, path: &str) -> io::Result<Vec<DirEntry>> {
        forward!(self.read_dir(ns, path))
    }

    /// The target of a symbolic link.
    pub fn read_link(&self, ns: &Netns, path: &str) -> io::Result<String> {
        forward!(self.read_link(ns, path))
    }

    /// The names in `/run/netns`, in directory order (newest first). An absent directory is an empty list.
    pub fn netns_list(&self) -> io::Result<Vec<String>> {
        forward!(self.netns_list())
    }

    /// Makes a fresh namespace under a name (`ip netns add`). EEXIST where the name is taken.
    pub fn netns_add(&self, name: &str) -> io::Result<()> {
        forward!(self.netns_add(name))
    }

    /// Gives a process's namespace a name (`ip netns attach`).
    pub fn netns_attach(&self, name: &str, pid: u32) -> io::Result<()> {
        forward!(self.netns_attach(name, pid))
    }

    /// Removes a name; the namespace goes once nothing else holds it (`ip netns del`). ENOENT where there is none.
    pub fn netns_delete(&self, name: &str) -> io::Result<()> {
        forward!(self.netns_delete(name))
    }

    /// The names of the namespace that a process (or the calling one) is in.
    pub fn netns_identify(&self, pid: Option<u32>) -> io::Result<Vec<String>> {
        forward!(self.netns_identify(pid))
    }

    /// The processes in a named namespace.
    pub fn netns_pids(&self, name: &str) -> io::Result<Vec<u32>> {
        forward!(self.netns_pids(name))
    }

    /// Watches the names in `/run/netns` come and go, from now on.
    pub fn netns_watch(&self) -> io::Result<NetnsWatch<'_>> {
        NetnsWatch::new(self)
    }

    /// A number that stands for `ns` in netlink attributes (`IFLA_NET_NS_FD`, `NETNSA_FD`); valid while it lives.
    pub fn netns_handle(&self, ns: &Netns) -> io::Result<NetnsHandle> {
        forward!(self.netns_handle(ns))
    }

    /// The inode number of `ns` in `/proc/PID/ns/net`, which tells namespaces apart. EINVAL where a path leads to something else.
    pub fn netns_inode(&self, ns: &Netns) -> io::Result<u64> {
        forward!(self.netns_inode(ns))
    }

    /// Puts the calling process into `ns` as `ip netns exec NAME` does, before it executes a command there: on the
    /// host with a private mount of `/sys` and `/etc/netns/NAME`'s files over `/etc`.
    pub fn enter(&self, ns: &Netns) -> io::Result<()> {
        forward!(self.enter(ns))
    }

    /// The kernel log, from its oldest record on.
    pub fn kernel_log(&self) -> io::Result<KernelLog> {
        match self {
            Machine::Host(machine) => machine.kernel_log().map(KernelLog::host),
            Machine::Embedded(machine) => machine.kernel_log().map(KernelLog::embedded),
        }
    }
}
