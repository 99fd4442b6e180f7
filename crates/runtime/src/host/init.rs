//! Process 1 of a machine made of the host's kernel: it furnishes the namespaces, starts the program, and ends with it.

use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::process::CommandExt;

use netloom_machine::{HostMachine, LOG_VARIABLE, MACHINE_VARIABLE, packet};

use super::{FAILED, REFUSED, files};
use crate::launch::Program;
use crate::session::Session;
use crate::sys::epoll::{self, Epoll};
use crate::sys::process;
use crate::sys::signals::Signals;

/// What the machine has of its own; where the caller isn't root, a user namespace as well.
pub(super) const NAMESPACES: libc::c_int =
    libc::CLONE_NEWNS | libc::CLONE_NEWNET | libc::CLONE_NEWUTS | libc::CLONE_NEWIPC | libc::CLONE_NEWPID;

/// The init's life, which ends with the process. `ids` are the user and group that are root's in a new user namespace.
pub(super) fn live(session: &Session, program: &Program, channel: &OwnedFd, ids: Option<(u32, u32)>) -> ! {
    let say = |kind: u8, text: &str| {
        let mut bytes = vec![kind];
        bytes.extend_from_slice(text.as_bytes());
        // One who has gone needs no words.
        let _ = packet::send(channel.as_fd(), &bytes, &[], 0);
    };
    if let Err(refusal) = files::furnish(ids) {
        say(REFUSED, &refusal.encode());
        process::exit_now(1);
    }
    match process::fork() {
        Ok(None) => {
            say(FAILED, &become_program(session, program));
            process::exit_now(127);
        }
        Ok(Some(pid)) => {
            // A group of its own: who kills the caller's group doesn't kill the init, which then tidies up.
            process::leave_process_group();
            process::close_all_but(&[channel.as_raw_fd(), session.lock_descriptor()]);
            process::exit_now(watch(channel, pid, session));
        }
        Err(error) => {
            say(FAILED, &format!("cannot fork: {error}"));
            process::exit_now(1);
        }
    }
}

/// Returns why it couldn't.
fn become_program(session: &Session, program: &Program) -> String {
    match program.prepare(&session.socket()) {
        Ok(mut command) => {
            command.env_remove(MACHINE_VARIABLE);
            // The log is the whole host's; what came before the machine is none of its business. Most users can't read it.
            if let Ok(end) = HostMachine.log_end() {
                command.env(LOG_VARIABLE, end.to_string());
            }
            let error = command.exec();
            format!("cannot run {}: {error}", program.name.display())
        }
        Err(error) => format!("cannot write into the machine's directory: {error}"),
    }
}

/// Adopts orphans and passes signals on, until the program ends; its exit status. All that is left ends with the init.
fn watch(channel: &OwnedFd, program: u32, session: &Session) -> i32 {
    let (Ok(signals), Ok(epoll)) = (Signals::new(&[libc::SIGCHLD]), Epoll::new()) else { return 1 };
    let added = epoll.add(channel.as_fd(), 0, epoll::READ).and_then(|()| epoll.add(signals.as_fd(), 1, epoll::READ));
    if added.is_err() {
        return 1;
    }
    let mut ready = Vec::new();
    loop {
        while let Ok(Some(ended)) = process::reap(false) {
            if ended.pid == program {
                return process::exit_status(ended.status).into();
            }
        }
        if epoll.wait(&mut ready, -1).is_err() {
            return 1;
        }
        while signals.next().is_some() {}
        if !ready.iter().any(|ready| ready.token == 0) {
            continue;
        }
        let mut message = Vec::new();
        let heard = packet::receive(channel.as_fd(), &mut message, libc::MSG_DONTWAIT);
        match (heard, message.first()) {
            (Ok(_), Some(&signal)) => process::kill(program, signal.into()),
            (Err(error), _) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            // The caller was killed.
            _ => {
                session.remove();
                return 1;
            }
        }
    }
}
