//! The guard: the process between a machine and its program, which leaves nothing behind whoever is killed.
//!
//! It is the program's parent and adopts the program's orphans. When the program ends it kills what is left of it and
//! tells the machine; when the machine dies it does the same and removes the machine's directory. When the guard itself
//! is killed its children become the machine's, which then kills them.

use std::io::{self, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use netloom_machine::packet;

use crate::error::{Doing, Result};
use crate::session::Session;
use crate::sys::epoll::{self, Epoll};
use crate::sys::process;
use crate::sys::processors::OneProcessor;
use crate::sys::signals::{self, Signals};

/// What the machine hears from its guard, and from the program before it is one.
#[derive(Debug)]
pub(crate) enum Report {
    /// The program's process.
    Started(u32),
    /// The program's seccomp listener.
    Listener(OwnedFd),
    /// The program could not be started.
    Failed(String),
    /// The program ended with this status of wait(2), and everything it started is gone.
    Ended(i32),
}

/// The machine's end.
#[derive(Debug)]
pub(crate) struct GuardChannel {
    fd: OwnedFd,
    /// The guard's process.
    pid: u32,
}

impl GuardChannel {
    /// The next report, by way of a buffer; `None` where there is none yet. An error says that the guard has gone.
    pub(crate) fn hear(&self, bytes: &mut Vec<u8>) -> io::Result<Option<Report>> {
        let descriptors = match packet::receive(self.fd.as_fd(), bytes, libc::MSG_DONTWAIT) {
            Ok(descriptors) => descriptors,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
            Err(error) => return Err(error),
        };
        let Some((kind, rest)) = bytes.split_first() else {
            return Err(io::ErrorKind::UnexpectedEof.into());
        };
        let number = rest.first_chunk().map(|bytes| i32::from_ne_bytes(*bytes));
        let report = match (kind, number) {
            (b'S', Some(pid)) => Some(Report::Started(pid as u32)),
            (b'E', Some(status)) => Some(Report::Ended(status)),
            (b'F', _) => Some(Report::Failed(String::from_utf8_lossy(rest).into_owned())),
            (b'L', _) => descriptors.into_iter().next().map(Report::Listener),
            _ => None,
        };
        Ok(report)
    }

    /// Ends a guard that has nothing left to do.
    pub(crate) fn dismiss(&self) {
        process::kill(self.pid, libc::SIGKILL);
    }
}

impl AsFd for GuardChannel {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// The guard's and the program's end.
#[derive(Debug)]
pub(crate) struct Reporter(OwnedFd);

impl Reporter {
    fn say(&self, kind: u8, rest: &[u8], descriptors: &[BorrowedFd<'_>]) {
        let mut bytes = vec![kind];
        bytes.extend_from_slice(rest);
        // A machine that has gone needs no report.
        let _ = packet::send(self.0.as_fd(), &bytes, descriptors, 0);
    }

    pub(crate) fn listener(&self, listener: BorrowedFd<'_>) {
        self.say(b'L', &[], &[listener]);
    }

    pub(crate) fn failed(&self, why: &str) {
        self.say(b'F', why.as_bytes(), &[]);
    }
}

/// Signals that are meant for the program, not for those who look after it.
const FOR_THE_PROGRAM: [i32; 7] =
    [libc::SIGINT, libc::SIGQUIT, libc::SIGTERM, libc::SIGHUP, libc::SIGTSTP, libc::SIGTTIN, libc::SIGTTOU];

/// Starts a guard and, under it, `program`, which doesn't return unless it couldn't become the program. To be called
/// while the process has a single thread.
pub(crate) fn start(session: &Session, program: impl FnOnce(&Reporter)) -> Result<GuardChannel> {
    let (ours, theirs) = packet::pair().doing("cannot make a socket pair")?;
    io::stdout().flush().doing("cannot write")?;
    process::become_subreaper();
    let one_processor = OneProcessor::keep();
    let forked = process::fork();
    if !matches!(forked, Ok(None)) {
        one_processor.release();
    }
    if let Some(pid) = forked.doing("cannot fork")? {
        return Ok(GuardChannel { fd: ours, pid });
    }
    drop(ours);
    let reporter = Reporter(theirs);
    process::become_subreaper();
    let program = || {
        one_processor.release();
        program(&reporter);
    };
    match process::spawn(program) {
        Ok(pid) => {
            one_processor.release();
            reporter.say(b'S', &pid.to_ne_bytes(), &[]);
            // A group of its own: who kills the machine's group doesn't kill the guard.
            process::leave_process_group();
            process::close_all_but(&[reporter.0.as_raw_fd(), session.lock_descriptor()]);
            watch(&reporter, Some(pid), session);
        }
        Err(error) => reporter.failed(&error.to_string()),
    }
    process::exit_now(0)
}

/// Starts a guard that only removes the directory when the machine has died.
pub(crate) fn start_without_program(session: &Session) -> Result<GuardChannel> {
    let (ours, theirs) = packet::pair().doing("cannot make a socket pair")?;
    if let Some(pid) = process::fork().doing("cannot fork")? {
        return Ok(GuardChannel { fd: ours, pid });
    }
    drop(ours);
    process::leave_session();
    process::close_all_but(&[theirs.as_raw_fd(), session.lock_descriptor()]);
    watch(&Reporter(theirs), None, session);
    process::exit_now(0)
}

/// The guard's life.
fn watch(reporter: &Reporter, program: Option<u32>, session: &Session) {
    signals::ignore(&FOR_THE_PROGRAM);
    let machine_died = || {
        process::kill_descendants();
        session.remove();
    };
    let (Ok(signals), Ok(epoll)) = (Signals::new(&[libc::SIGCHLD]), Epoll::new()) else {
        return process::kill_descendants();
    };
    let added = epoll.add(reporter.0.as_fd(), 0, epoll::READ).and_then(|()| epoll.add(signals.as_fd(), 1, epoll::READ));
    if added.is_err() {
        return process::kill_descendants();
    }
    let mut ready = Vec::new();
    loop {
        while let Ok(Some(ended)) = process::reap(false) {
            if Some(ended.pid) == program {
                process::kill_descendants();
                reporter.say(b'E', &ended.status.to_ne_bytes(), &[]);
                // Until the machine has heard it, and ends this process, it may still die.
                while epoll.wait(&mut ready, -1).is_ok() {
                    if ready.iter().any(|ready| ready.token == 0) {
                        break;
                    }
                    while signals.next().is_some() {}
                }
                return machine_died();
            }
        }
        if epoll.wait(&mut ready, -1).is_err() {
            return process::kill_descendants();
        }
        if ready.iter().any(|ready| ready.token == 0) {
            return machine_died();
        }
        while signals.next().is_some() {}
    }
}
