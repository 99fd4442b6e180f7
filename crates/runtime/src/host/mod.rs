//! A machine made of the host's own kernel, and apart from the host: namespaces of its own around one program.
//!
//! Three processes: the one that was called waits outside; the *init* is process 1 of a PID namespace; the program is its
//! child. Whoever of them is killed, the kernel ends everything in the PID namespace, and with the last process go the
//! network and mount namespaces and all that was made in them.

mod files;
mod init;
mod refusal;

use std::io::Write;
use std::os::fd::{AsFd, OwnedFd};

use netloom_machine::packet;

use crate::error::{Doing, Error, Result};
use crate::launch::Program;
use crate::session::Session;
use crate::sys::epoll::{self, Epoll};
use crate::sys::process;
use crate::sys::signals::Signals;

pub(crate) use refusal::Refusal;

/// What the init says where the program could not be started; otherwise it only ends.
const REFUSED: u8 = b'R';
const FAILED: u8 = b'F';

/// Runs a program on the host's kernel, apart from the host, with links to `applets` in front of its PATH; its exit
/// status, 128+n after a signal. To be called while the process has a single thread.
pub fn run_on_host(program: &Program, applets: &[&str]) -> Result<u8> {
    let session = Session::create(None)?;
    let terminal = process::foreground_terminal();
    let result = run_in(&session, program, applets);
    session.remove();
    // The program's process groups can't be seen from here, nor this one's from there: nobody else gives it back.
    if terminal {
        process::take_terminal();
    }
    result
}

fn run_in(session: &Session, program: &Program, applets: &[&str]) -> Result<u8> {
    session.link_applets(applets)?;
    let (ours, theirs) = packet::pair().doing("cannot make a socket pair")?;
    std::io::stdout().flush().doing("cannot write")?;
    let ids = (process::user(), process::group());
    let mut namespaces = init::NAMESPACES;
    let mut child = Err(std::io::Error::from_raw_os_error(libc::EPERM));
    // Root needs no user namespace, unless it is a container's that may do little.
    if ids.0 == 0 {
        child = process::fork_into(namespaces);
    }
    if child.as_ref().is_err_and(|error| error.raw_os_error() == Some(libc::EPERM)) {
        namespaces |= libc::CLONE_NEWUSER;
        child = process::fork_into(namespaces);
    }
    let Some(init) = child.map_err(|error| Refusal::new("make the namespaces", &error))? else {
        drop(ours);
        init::live(session, program, &theirs, (namespaces & libc::CLONE_NEWUSER != 0).then_some(ids));
    };
    drop(theirs);
    let signals = Signals::new(&[libc::SIGINT, libc::SIGQUIT, libc::SIGTERM, libc::SIGHUP, libc::SIGCHLD])
        .doing("cannot wait for signals")?;
    let status = wait(init, &signals, &ours)?;
    match last_words(&ours)? {
        Some(error) => Err(error),
        None if libc::WIFSIGNALED(status) => Err(Error::GuardDied),
        None => Ok(process::exit_status(status)),
    }
}

/// Passes signals on that other processes sent (a terminal's reach the program by themselves), until the init has ended.
fn wait(init: u32, signals: &Signals, channel: &OwnedFd) -> Result<i32> {
    let epoll = Epoll::new().and_then(|epoll| epoll.add(signals.as_fd(), 0, epoll::READ).map(|()| epoll));
    let epoll = epoll.doing("cannot wait for the program")?;
    let mut ready = Vec::new();
    loop {
        while let Some(ended) = process::reap(false).doing("cannot wait for the program")? {
            if ended.pid == init {
                return Ok(ended.status);
            }
        }
        epoll.wait(&mut ready, -1).doing("cannot wait for the program")?;
        while let Some(signal) = signals.next() {
            if signal.from_process && signal.number != libc::SIGCHLD {
                // An init that has gone needs no signal.
                let _ = packet::send(channel.as_fd(), &[signal.number as u8], &[], 0);
            }
        }
    }
}

/// Why the init could not start the program, where it couldn't.
fn last_words(channel: &OwnedFd) -> Result<Option<Error>> {
    let mut words = Vec::new();
    if packet::receive(channel.as_fd(), &mut words, libc::MSG_DONTWAIT).is_err() {
        return Ok(None);
    }
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok(match words.split_first() {
        Some((&REFUSED, rest)) => Some(Refusal::decode(&text(rest)).into()),
        Some((&FAILED, rest)) => Some(Error::Start(text(rest))),
        _ => None,
    })
}
