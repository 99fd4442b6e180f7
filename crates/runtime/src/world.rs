//! Everything that a machine is: its kernel, and what surrounds a kernel on a real computer.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;

use netloom_kernel::{Caller, Config, Kernel, NsId};
use netloom_machine::Netns;
use netloom_machine::protocol::NETNS_HANDLE_BASE;

use crate::names::{Named, Names};
use crate::processes::Processes;
use crate::session::Session;
use crate::supervisor::marker::Marker;
use crate::sys::timer::Clock;
use crate::sys::{self, process};

/// A machine's state; one thread owns it.
pub(crate) struct World {
    pub(crate) kernel: Kernel,
    pub(crate) clock: Clock,
    pub(crate) names: Names,
    pub(crate) processes: Processes,
    pub(crate) handles: Handles,
    pub(crate) marker: Marker,
    /// The machine's name.
    pub(crate) name: String,
    /// See [`Session::mirror`].
    pub(crate) mirror: PathBuf,
    /// See [`Session::overlay`].
    pub(crate) overlay: PathBuf,
    /// A virtual file has been opened for writing, so that writes have to be looked at from now on.
    pub(crate) writable_opened: bool,
    /// The time of day at its boot, which its namespaces' files show.
    pub(crate) booted: std::time::Duration,
    /// Descriptors of `/dev/kmsg` that were just opened.
    pub(crate) new_log_readers: Vec<std::os::fd::OwnedFd>,
}

/// Numbers that stand for namespaces in netlink attributes.
#[derive(Debug, Default)]
pub(crate) struct Handles {
    open: BTreeMap<u32, Option<NsId>>,
    next: u32,
}

impl Handles {
    /// A number for a namespace that the caller holds for it; or one that stands for none, as a descriptor of an ordinary
    /// file does.
    pub(crate) fn add(&mut self, ns: Option<NsId>) -> u32 {
        let number = NETNS_HANDLE_BASE + self.next;
        self.next = (self.next + 1) % NETNS_HANDLE_BASE;
        self.open.insert(number, ns);
        number
    }

    /// Takes a number back, and with it what it held.
    pub(crate) fn remove(&mut self, number: u32) -> Option<NsId> {
        self.open.remove(&number).flatten()
    }
}

/// A process that makes a system call.
pub(crate) struct Calling<'a> {
    pub(crate) pid: u32,
    names: &'a Names,
    processes: &'a Processes,
    handles: &'a Handles,
}

impl Caller for Calling<'_> {
    fn pid(&self) -> u32 {
        self.pid
    }

    fn netns_by_fd(&self, fd: u32) -> Option<NsId> {
        if fd >= NETNS_HANDLE_BASE {
            return self.handles.open.get(&fd).copied().flatten();
        }
        self.names.by_inode(Marker::read(self.pid, fd)?)
    }

    fn netns_by_pid(&self, pid: u32) -> Option<NsId> {
        process::exists(pid).then(|| self.processes.state(pid).ns)
    }
}

/// Splits a world into its kernel and the view that a calling process has of the rest.
macro_rules! calling {
    ($world:expr, $pid:expr) => {{
        let world = &mut *$world;
        (&mut world.kernel, $crate::world::calling_view(&world.names, &world.processes, &world.handles, $pid))
    }};
}
pub(crate) use calling;

pub(crate) fn calling_view<'a>(
    names: &'a Names,
    processes: &'a Processes,
    handles: &'a Handles,
    pid: u32,
) -> Calling<'a> {
    Calling { pid, names, processes, handles }
}

/// What the environment says that a machine is to be made with, instead of chance or this host.
fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

/// Chance, once for a machine: a fresh number where the user gave none.
fn seed() -> u64 {
    use std::hash::{BuildHasher, Hasher, RandomState};
    number("NETLOOM_SEED").unwrap_or_else(|| {
        let mut hasher = RandomState::new().build_hasher();
        hasher.write_u32(std::process::id());
        hasher.finish()
    })
}

impl World {
    pub(crate) fn new(session: &Session) -> io::Result<World> {
        // Both at once: what lies between them would be in every round trip that is timed with the host's clock.
        let clock = Clock::start();
        let wall_clock = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        let cpus = number("NETLOOM_CPUS").and_then(|cpus| u32::try_from(cpus).ok()).unwrap_or_else(sys::processors);
        let kernel = Kernel::new(Config { seed: seed(), cpus, hostname: sys::hostname(), wall_clock }, clock.now());
        let mut names = Names::default();
        names.inode(kernel.root());
        Ok(World {
            processes: Processes::new(kernel.root())?,
            kernel,
            clock,
            names,
            handles: Handles::default(),
            marker: Marker::new()?,
            name: session.name.clone(),
            mirror: session.mirror(),
            overlay: session.overlay(),
            writable_opened: false,
            booted: wall_clock,
            new_log_readers: Vec::new(),
        })
    }

    /// Brings the kernel's clock up to date.
    pub(crate) fn tick(&mut self) {
        self.kernel.poll(self.clock.now());
    }

    /// The same before a system call, which waits for no storm.
    pub(crate) fn tick_for_call(&mut self) {
        self.kernel.advance(self.clock.now());
    }

    /// The namespace that a process means, or an errno.
    pub(crate) fn namespace(&self, netns: &Netns, pid: u32) -> Result<NsId, i32> {
        match netns {
            Netns::Current => Ok(self.processes.state(pid).ns),
            Netns::Named(name) => self.named(name),
            Netns::Pid(other) => self.of_process(*other),
            Netns::Path(path) => {
                let path = path.to_str().ok_or(libc::ENOENT)?;
                let parts: Vec<&str> = path.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
                match parts.as_slice() {
                    ["run", "netns", name] | ["var", "run", "netns", name] => self.named(name),
                    ["proc", "self" | "thread-self", "ns", "net"] => Ok(self.processes.state(pid).ns),
                    ["proc", other, "ns", "net"] => self.of_process(other.parse().map_err(|_| libc::ENOENT)?),
                    _ if std::path::Path::new(path).exists() => Err(libc::EINVAL),
                    _ => Err(libc::ENOENT),
                }
            }
        }
    }

    fn named(&self, name: &str) -> Result<NsId, i32> {
        match self.names.get(name) {
            Some(Named::Namespace(ns)) => Ok(ns),
            Some(Named::PlainFile) => Err(libc::EINVAL),
            None => Err(libc::ENOENT),
        }
    }

    fn of_process(&self, pid: u32) -> Result<NsId, i32> {
        if process::exists(pid) { Ok(self.processes.state(pid).ns) } else { Err(libc::ENOENT) }
    }

    /// Puts a process into a namespace with its own `/sys` and `/etc`, as `ip netns exec` does.
    pub(crate) fn enter(&mut self, pid: u32, ns: NsId, name: Option<String>) {
        self.processes.change(pid, &mut self.kernel, |state| {
            (state.ns, state.sys) = (ns, ns);
            state.name = name;
        });
    }

    /// Puts a process into a namespace, with the mounts that it has.
    pub(crate) fn set_namespace(&mut self, pid: u32, ns: NsId) {
        self.processes.change(pid, &mut self.kernel, |state| state.ns = ns);
    }
}
