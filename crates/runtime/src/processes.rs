//! Which process is in which namespace, and in which virtual directory.
//!
//! A process is written down when it leaves its parent's state (`ip netns exec`, setns(2), `cd /sys/class/net`); from
//! then on, until all are back where processes are by default, every process is as soon as it makes a call. One that
//! isn't yet shares the state of its nearest ancestor that is. Before a process changes or ends, its children are written
//! down with the state they were forked with.

use std::collections::HashMap;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use netloom_kernel::{Kernel, NsId};

use crate::sys::epoll::{self, Epoll};
use crate::sys::process;

/// Where a process is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct State {
    /// Its network namespace.
    pub(crate) ns: NsId,
    /// The one that its `/sys/class/net` shows: where `/sys` was mounted last, as `ip netns exec` does. It may be gone.
    pub(crate) sys: NsId,
    /// The name by which it came there, whose `/etc/netns` files it sees in `/etc`.
    pub(crate) name: Option<String>,
    /// Its working directory, where that is not the one that the host's kernel knows.
    pub(crate) cwd: Option<Cwd>,
}

/// A working directory that only the supervisor knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cwd {
    /// As getcwd(2) gives it.
    pub(crate) path: String,
    /// Whose view of it: that of the namespace in which it was entered.
    pub(crate) ns: NsId,
}

#[derive(Debug)]
struct Entry {
    state: State,
    /// Tells when the process ends.
    pidfd: OwnedFd,
}

/// The processes that are written down.
#[derive(Debug)]
pub(crate) struct Processes {
    root: NsId,
    known: HashMap<u32, Entry>,
    /// How many of them are not where processes are by default.
    moved: usize,
    ends: Epoll,
}

/// More generations than this are not looked at.
const MAX_ANCESTORS: usize = 1000;

impl Processes {
    pub(crate) fn new(root: NsId) -> std::io::Result<Processes> {
        Ok(Processes { root, known: HashMap::new(), moved: 0, ends: Epoll::new()? })
    }

    fn default_state(&self) -> State {
        State { ns: self.root, sys: self.root, name: None, cwd: None }
    }

    /// Where a process (or a thread's process) is.
    pub(crate) fn state(&self, pid: u32) -> State {
        self.nearest(pid).and_then(|pid| self.known.get(&pid)).map_or_else(|| self.default_state(), |e| e.state.clone())
    }

    /// Whether everybody is where processes are by default.
    pub(crate) fn all_default(&self) -> bool {
        self.moved == 0
    }

    /// The nearest process that is written down, from `pid` itself upwards.
    fn nearest(&self, pid: u32) -> Option<u32> {
        if self.all_default() {
            return None;
        }
        if self.known.contains_key(&pid) {
            return Some(pid);
        }
        let mut at = process::of_thread(pid)?;
        for _ in 0..MAX_ANCESTORS {
            if self.known.contains_key(&at) {
                return Some(at);
            }
            at = process::parent(at)?;
        }
        None
    }

    /// Writes down a process that makes a call: who kills its parent must not take it out of its namespace.
    pub(crate) fn notice(&mut self, tid: u32, kernel: &mut Kernel) {
        if self.all_default() || self.known.contains_key(&tid) {
            return;
        }
        let Some(pid) = process::of_thread(tid) else { return };
        if !self.known.contains_key(&pid) {
            let state = self.state(pid);
            self.write_down(pid, state, kernel);
        }
    }

    /// Moves a process, which keeps what `change` leaves alone.
    pub(crate) fn change(&mut self, pid: u32, kernel: &mut Kernel, change: impl FnOnce(&mut State)) {
        let Some(pid) = process::of_thread(pid) else { return };
        let mut state = self.state(pid);
        self.keep_children(pid, kernel);
        change(&mut state);
        self.write_down(pid, state, kernel);
    }

    /// Writes down a process's children, since it is about to change or to end.
    pub(crate) fn keep_children(&mut self, pid: u32, kernel: &mut Kernel) {
        let state = self.state(pid);
        for child in process::children(pid) {
            if !self.known.contains_key(&child) {
                self.write_down(child, state.clone(), kernel);
            }
        }
    }

    fn write_down(&mut self, pid: u32, state: State, kernel: &mut Kernel) {
        let pidfd = match self.known.remove(&pid) {
            Some(Entry { state: before, pidfd }) => {
                kernel.hold_namespace(state.ns);
                self.left(&before, kernel);
                pidfd
            }
            None => {
                // A process that has gone has no state to keep.
                let Ok(pidfd) = process::pidfd(pid) else { return };
                if self.ends.add(pidfd.as_fd(), pid.into(), epoll::READ).is_err() {
                    return;
                }
                kernel.hold_namespace(state.ns);
                pidfd
            }
        };
        self.moved += usize::from(state != self.default_state());
        self.known.insert(pid, Entry { state, pidfd });
    }

    /// A process isn't there any more.
    fn left(&mut self, state: &State, kernel: &mut Kernel) {
        self.moved -= usize::from(*state != self.default_state());
        kernel.release_namespace(state.ns);
    }

    /// Forgets the processes that have ended.
    pub(crate) fn forget_ended(&mut self, kernel: &mut Kernel) {
        let mut ready = Vec::new();
        while self.ends.wait(&mut ready, 0).is_ok() && !ready.is_empty() {
            for ended in &ready {
                if let Some(entry) = self.known.remove(&(ended.token as u32)) {
                    self.left(&entry.state, kernel);
                }
            }
        }
    }

    /// Every process in a namespace, in order. Processes that don't descend from one that is written down aren't the
    /// machine's, as far as it knows.
    pub(crate) fn within(&self, ns: NsId) -> Vec<u32> {
        let is_in = |&pid: &u32| {
            let entry = self.nearest(pid).and_then(|known| self.known.get(&known));
            entry.is_some_and(|entry| entry.state.ns == ns)
        };
        let mut pids: Vec<u32> = process::all().into_iter().filter(is_in).collect();
        pids.sort_unstable();
        pids
    }
}

impl AsFd for Processes {
    /// Readable when [`Processes::forget_ended`] has something to do.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.ends.as_fd()
    }
}
