//! The embedded kernel: Linux's network behaviour in one value.
//!
//! Sans-IO: there is no thread, clock, file or source of randomness in here. Time comes in with [`Kernel::poll`],
//! chance from a seed; system calls are methods; what has to be told to somebody is asked for. Two kernels that are
//! given the same calls behave the same, byte for byte.
#![forbid(unsafe_code)]

mod backlog;
mod bridge;
mod common;
mod drivers;
mod drop_reason;
mod error;
mod ethtool;
mod few;
mod files;
mod frame;
mod genetlink;
mod ioctl;
mod ipv4;
mod ipv6;
mod neighbour;
mod netdev;
mod netns;
mod nsid;
mod path;
mod printk;
mod ring;
mod rtnetlink;
mod shared;
mod socket;
#[cfg(test)]
mod testing;
mod timer;
mod types;

use std::collections::VecDeque;

use slotmap::SlotMap;

pub use drop_reason::{DropCounts, DropReason};
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
    /// The time of day at [`Instant`] 0, since the Unix epoch.
    pub wall_clock: std::time::Duration,
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
    config: Config,
    now: Instant,
    rng: fastrand::Rng,
    /// Addresses have a chance of their own: which a device gets does not depend on what else happened.
    address_rng: fastrand::Rng,
    log: KernelLog,
    rate_limit: printk::RateLimit,
    timers: timer::Timers,
    frames: frame::FramePool,
    drops: DropCounts,
    /// Frames on their way to the device that receives them.
    backlog: backlog::Backlog,
    /// Those that circle in a loop, which make way for the others.
    circling: ring::Ring<(DevId, frame::Frame)>,
    /// Room for those that are just being received.
    worked_off: Option<Box<backlog::Backlog>>,
    /// Room for a burst of IPv4 packets.
    bench: Option<Box<ipv4::Bench>>,
    /// Room for the devices through which a frame is being flooded.
    egresses: Vec<DevId>,
    /// The ports by which the frames that wait came in, and those by which they leave, while a bridge is at work.
    arrivals: Vec<bridge::Arrival>,
    leaving: Vec<backlog::Run>,
    /// Devices whose link state is to be looked at when the current system call is done.
    link_events: VecDeque<DevId>,
    /// The devices that are just being taken away; one can take another along.
    unregistering: Vec<DevId>,
    devices: SlotMap<DevId, netdev::Device>,
    namespaces: SlotMap<NsId, Box<netns::Netns>>,
    root: NsId,
    sockets: SlotMap<SocketId, socket::Socket>,
    /// Sockets that have something new to say.
    ready: VecDeque<SocketId>,
}

impl Kernel {
    /// A machine that has just booted: one namespace with a `lo` that is down.
    pub fn new(config: Config, now: Instant) -> Kernel {
        let mut rng = fastrand::Rng::with_seed(config.seed);
        let address_rng = rng.fork();
        let mut kernel = Kernel {
            config,
            now,
            rng,
            address_rng,
            log: KernelLog::default(),
            rate_limit: printk::RateLimit::default(),
            timers: timer::Timers::default(),
            frames: frame::FramePool::default(),
            drops: DropCounts::default(),
            backlog: backlog::Backlog::default(),
            circling: ring::Ring::default(),
            worked_off: None,
            bench: None,
            egresses: Vec::new(),
            arrivals: Vec::new(),
            leaving: Vec::new(),
            link_events: VecDeque::new(),
            unregistering: Vec::new(),
            devices: SlotMap::with_key(),
            namespaces: SlotMap::with_key(),
            root: NsId::default(),
            sockets: SlotMap::with_key(),
            ready: VecDeque::new(),
        };
        kernel.root = kernel.create_namespace();
        kernel
    }

    /// Moves the clock to `now` (never back), fires the timers that are due and runs the queues, within a budget.
    pub fn poll(&mut self, now: Instant) {
        self.circle();
        self.advance(now);
    }

    /// The same for one who is about to make a system call, which need not wait for what circles in loops.
    pub fn advance(&mut self, now: Instant) {
        self.settle();
        while let Some((deadline, timer)) = self.timers.pop_due(now) {
            self.now = self.now.max(deadline);
            self.fire(timer);
            self.settle();
        }
        self.now = self.now.max(now);
    }

    /// When [`Kernel::poll`] has something to do next.
    pub fn deadline(&self) -> Option<Instant> {
        if self.has_frames() { Some(self.now) } else { self.timers.deadline() }
    }

    /// Whether frames wait to be received.
    #[inline]
    fn has_frames(&self) -> bool {
        !self.backlog.is_empty() || !self.circling.is_empty()
    }

    /// What follows from a system call, a frame or a timer before anything else may happen.
    #[inline]
    fn settle(&mut self) {
        if !self.backlog.is_empty() {
            self.run();
        }
        self.run_link_events();
        if !self.backlog.is_empty() {
            self.run();
        }
    }

    fn fire(&mut self, timer: timer::Timer) {
        match timer {
            timer::Timer::BridgeAgeing(bridge) => bridge::age(self, bridge),
            timer::Timer::Bridge { bridge, what } => bridge::timer(self, bridge, what),
            timer::Timer::Neighbour { ns, entry } => neighbour::timer(self, ns, entry),
            timer::Timer::Ipv4 { ns, what } => ipv4::timer(self, ns, what),
            timer::Timer::Ipv6 { ns, what } => ipv6::timer(self, ns, what),
        }
    }

    /// The kernel log.
    pub fn log(&self) -> &KernelLog {
        &self.log
    }

    /// Forgets the log so far.
    pub fn clear_log(&mut self) {
        self.log.clear();
    }

    /// How many frames died of what.
    pub fn drops(&self) -> &DropCounts {
        &self.drops
    }

    fn info(&mut self, text: String) {
        self.log.push(self.now, Level::Info, text);
    }

    fn warning(&mut self, text: String) {
        self.log.push(self.now, Level::Warning, text);
    }
}
