//! The embedded kernel: Linux's network behaviour in one value.
//!
//! Sans-IO: there is no thread, clock, file or source of randomness in here. Time comes in with [`Kernel::poll`],
//! chance from a seed; system calls are methods; what has to be told to somebody is asked for. Two kernels that are
//! given the same calls behave the same, byte for byte.
#![forbid(unsafe_code)]

mod error;
mod printk;
mod types;

pub use error::{Errno, Error, Result};
pub use printk::{KernelLog, Level, Record};
pub use types::{DevId, IfName, Instant, MacAddr, NsId, SocketId};

/// What a kernel is made with.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where MAC addresses, delays and ids come from.
    pub seed: u64,
    /// The number of processors that queue counts follow.
    pub cpus: u32,
    /// The host's name, as in `/proc/sys/kernel/hostname`.
    pub hostname: String,
}

/// Who makes a system call: resolves what only the caller's process knows.
pub trait Caller {
    /// Its process id (netlink ports are chosen from it).
    fn pid(&self) -> u32;
    /// The namespace behind one of its descriptors, or behind a handle that stands for one.
    fn netns_by_fd(&self, fd: u32) -> Option<NsId>;
    /// The namespace of a process.
    fn netns_by_pid(&self, pid: u32) -> Option<NsId>;
}

/// One ancillary message: level, type, data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Control {
    /// `SOL_…`.
    pub level: i32,
    /// `SO_TIMESTAMP`, `IP_RECVERR` …
    pub kind: i32,
    /// The bytes after the cmsghdr.
    pub data: Vec<u8>,
}

/// A received datagram.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Datagram {
    /// Its bytes.
    pub data: Vec<u8>,
    /// The sender's `sockaddr`, or nothing.
    pub address: Vec<u8>,
    /// Ancillary messages.
    pub control: Vec<Control>,
    /// `MSG_…`.
    pub flags: i32,
}

/// What a socket has to say, as poll(2) would.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Readiness {
    /// Something can be received.
    pub readable: bool,
    /// The error queue holds something, or an error is pending.
    pub error: bool,
}

/// What stands at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link.
    Symlink,
}

/// A file, directory or link of `/sys` or `/proc`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Node {
    /// Which.
    pub kind: NodeKind,
    /// Permission bits: 0o444, 0o644, 0o200, 0o755, 0o777.
    pub mode: u32,
}

/// One embedded kernel.
#[derive(Debug)]
pub struct Kernel {
    log: KernelLog,
}

#[allow(unused_variables)]
impl Kernel {
    /// A machine that has just booted: one namespace with a `lo` that is down.
    pub fn new(config: Config, now: Instant) -> Kernel {
        unimplemented!()
    }
    /// Moves the clock to `now`, fires the timers that are due and runs every queue empty (within a budget).
    pub fn poll(&mut self, now: Instant) {
        unimplemented!()
    }
    /// When [`Kernel::poll`] has something to do next.
    pub fn deadline(&self) -> Option<Instant> {
        unimplemented!()
    }
    /// The kernel log.
    pub fn log(&self) -> &KernelLog {
        unimplemented!()
    }
    /// Forgets the log so far.
    pub fn clear_log(&mut self) {
        unimplemented!()
    }

    /// The first namespace. It is never released.
    pub fn root(&self) -> NsId {
        unimplemented!()
    }
    /// A fresh namespace, held once by the caller.
    pub fn create_namespace(&mut self) -> NsId {
        unimplemented!()
    }
    /// Holds it once more: a name, a process, an open descriptor.
    pub fn hold_namespace(&mut self, ns: NsId) {
        unimplemented!()
    }
    /// Lets go; with the last hold it dies with every virtual device in it, and their peers.
    pub fn release_namespace(&mut self, ns: NsId) {
        unimplemented!()
    }

    /// socket(2). A socket holds its namespace.
    pub fn socket(&mut self, ns: NsId, domain: i32, kind: i32, protocol: i32) -> Result<SocketId, Errno> {
        unimplemented!()
    }
    /// close(2).
    pub fn close(&mut self, socket: SocketId) {
        unimplemented!()
    }
    /// bind(2) with a raw sockaddr.
    pub fn bind(&mut self, socket: SocketId, address: &[u8], caller: &dyn Caller) -> Result<(), Errno> {
        unimplemented!()
    }
    /// connect(2) with a raw sockaddr.
    pub fn connect(&mut self, socket: SocketId, address: &[u8]) -> Result<(), Errno> {
        unimplemented!()
    }
    /// getsockname(2).
    pub fn local_address(&mut self, socket: SocketId) -> Result<Vec<u8>, Errno> {
        unimplemented!()
    }
    /// setsockopt(2).
    pub fn set_option(&mut self, socket: SocketId, level: i32, name: i32, value: &[u8]) -> Result<(), Errno> {
        unimplemented!()
    }
    /// getsockopt(2).
    pub fn option(&mut self, socket: SocketId, level: i32, name: i32, length: usize) -> Result<Vec<u8>, Errno> {
        unimplemented!()
    }
    /// sendto(2), then everything that follows from it.
    pub fn send(
        &mut self,
        socket: SocketId,
        data: &[u8],
        address: &[u8],
        flags: i32,
        caller: &dyn Caller,
    ) -> Result<usize, Errno> {
        unimplemented!()
    }
    /// recvmsg(2) without waiting: `EAGAIN` where there is nothing. `MSG_ERRQUEUE` and `MSG_PEEK` are heeded.
    pub fn receive(&mut self, socket: SocketId, flags: i32) -> Result<Datagram, Errno> {
        unimplemented!()
    }
    /// What can be received.
    pub fn readiness(&self, socket: SocketId) -> Readiness {
        unimplemented!()
    }
    /// ioctl(2): `argument` is the structure, `data` what a pointer in it points to; both may be changed.
    pub fn ioctl(
        &mut self,
        socket: SocketId,
        request: u32,
        argument: &mut [u8],
        data: Option<&mut Vec<u8>>,
        caller: &dyn Caller,
    ) -> Result<i32, Errno> {
        unimplemented!()
    }
    /// A socket that has become readable, or got an error, since it was last given here. Ask until `None`.
    pub fn next_ready(&mut self) -> Option<SocketId> {
        unimplemented!()
    }

    /// What stands at an absolute path below `/sys/class/net`, `/sys/devices/virtual/net`, `/proc/net` or
    /// `/proc/sys/net`, as a process in `ns` sees it. Symbolic links in front of the last component are followed
    /// (`/sys/class/net/veth0/mtu` works); the last one is not.
    pub fn node(&self, ns: NsId, path: &str) -> Result<Node, Errno> {
        unimplemented!()
    }
    /// A file's content at this moment. `EINVAL` where Linux gives it (the carrier of a device that is down).
    pub fn read_file(&self, ns: NsId, path: &str) -> Result<Vec<u8>, Errno> {
        unimplemented!()
    }
    /// One write(2) to it.
    pub fn write_file(&mut self, ns: NsId, path: &str, data: &[u8]) -> Result<(), Errno> {
        unimplemented!()
    }
    /// A directory's entries, in Linux's order.
    pub fn read_dir(&self, ns: NsId, path: &str) -> Result<Vec<(String, Node)>, Errno> {
        unimplemented!()
    }
    /// A symbolic link's target.
    pub fn read_link(&self, ns: NsId, path: &str) -> Result<String, Errno> {
        unimplemented!()
    }
}
