//! The event loop: one thread that owns a machine's world and answers whoever speaks to it.

mod connection;
mod control;
mod kmsg;
mod socket;

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::{Ordering, fence};

use netloom_kernel::SocketId;
use netloom_machine::busy_poll::BusyPoll;

use crate::guard::{GuardChannel, Report};
use crate::session::Session;
use crate::supervisor;
use crate::sys::epoll::{self, Epoll, Ready};
use crate::sys::eventfd;
use crate::sys::process;
use crate::sys::seccomp;
use crate::sys::signals::{Signal, Signals};
use crate::sys::timer::Alarm;
use crate::world::World;
use connection::{Connection, Role};

/// Why the loop ended.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// The program ended with this status of wait(2).
    Ended(i32),
    /// The program couldn't be started.
    Failed(String),
    /// Somebody asked for the end.
    ShutDown,
    /// The guard has gone.
    GuardDied,
}

/// What a ready descriptor is; the token that epoll keeps for it.
#[derive(Clone, Copy, Debug)]
enum Source {
    Listener,
    Alarm,
    Processes,
    Signals,
    Guard,
    Connection(u32),
    Supervised(u32),
    LogReader(u32),
    /// What a connection shares, of which epoll knows nothing.
    Memory(u32),
}

impl Source {
    fn token(self) -> u64 {
        let (kind, index) = match self {
            Source::Listener => (0, 0),
            Source::Alarm => (1, 0),
            Source::Processes => (2, 0),
            Source::Signals => (3, 0),
            Source::Guard => (4, 0),
            Source::Connection(index) => (5, index),
            Source::Supervised(index) => (6, index),
            Source::LogReader(index) => (7, index),
            Source::Memory(index) => (8, index),
        };
        kind << 32 | u64::from(index)
    }

    fn of(token: u64) -> Source {
        let index = token as u32;
        match token >> 32 {
            0 => Source::Listener,
            1 => Source::Alarm,
            2 => Source::Processes,
            3 => Source::Signals,
            4 => Source::Guard,
            5 => Source::Connection(index),
            6 => Source::Supervised(index),
            7 => Source::LogReader(index),
            _ => Source::Memory(index),
        }
    }
}

/// How many turns may go by without a look at descriptors, while clients that share memory keep the machine busy.
const TURNS_WITHOUT_EPOLL: u32 = 8;

/// How often waiting looks at shared memory alone before it looks at descriptors.
const LOOKS_WITHOUT_EPOLL: u32 = 32;

/// Processes behind a listener.
#[derive(Debug)]
struct Supervised {
    listener: OwnedFd,
    /// The one that all the others descend from, where it came from outside.
    first: Option<(u32, OwnedFd)>,
}

/// A running machine.
pub(crate) struct Server {
    world: World,
    epoll: Epoll,
    listener: OwnedFd,
    /// Room for one more descriptor, when there is no other.
    spare: Option<OwnedFd>,
    alarm: Alarm,
    signals: Option<Signals>,
    guard: Option<GuardChannel>,
    /// Lives as long as this end of the channel does.
    silent_guard: Option<GuardChannel>,
    connections: BTreeMap<u32, Connection>,
    /// Which connection is which socket.
    sockets: HashMap<SocketId, u32>,
    /// The connections that share memory.
    sharing: Vec<u32>,
    /// Turns since descriptors were looked at.
    turns: u32,
    supervised: BTreeMap<u32, Supervised>,
    log_readers: BTreeMap<u32, kmsg::LogReader>,
    /// The sequence number that those who follow the log have been told of.
    log_told: u64,
    /// What a client has just said.
    said: Vec<u8>,
    next_index: u32,
    program: Option<u32>,
    outcome: Option<Outcome>,
}

impl Server {
    /// A machine that serves those who come to a listening socket.
    pub(crate) fn new(session: &Session, listener: OwnedFd) -> io::Result<Server> {
        let world = World::new(session)?;
        let epoll = Epoll::new()?;
        let alarm = Alarm::new()?;
        epoll.add(listener.as_fd(), Source::Listener.token(), epoll::READ)?;
        epoll.add(alarm.as_fd(), Source::Alarm.token(), epoll::READ)?;
        epoll.add(world.processes.as_fd(), Source::Processes.token(), epoll::READ)?;
        Ok(Server {
            world,
            epoll,
            listener,
            spare: eventfd().ok(),
            alarm,
            signals: None,
            guard: None,
            silent_guard: None,
            connections: BTreeMap::new(),
            sockets: HashMap::new(),
            sharing: Vec::new(),
            turns: 0,
            supervised: BTreeMap::new(),
            log_readers: BTreeMap::new(),
            log_told: 0,
            said: Vec::new(),
            next_index: 0,
            program: None,
            outcome: None,
        })
    }

    /// Has signals passed on to the program (or, without one, end the machine).
    pub(crate) fn heed_signals(&mut self, signals: Signals) -> io::Result<()> {
        self.epoll.add(signals.as_fd(), Source::Signals.token(), epoll::READ)?;
        self.signals = Some(signals);
        Ok(())
    }

    /// Has the loop end with the program that the guard watches over.
    pub(crate) fn heed_guard(&mut self, guard: GuardChannel) -> io::Result<()> {
        self.epoll.add(guard.as_fd(), Source::Guard.token(), epoll::READ)?;
        self.guard = Some(guard);
        Ok(())
    }

    /// Keeps a guard that has no program to tell of.
    pub(crate) fn keep_guard(&mut self, guard: GuardChannel) {
        self.silent_guard = Some(guard);
    }

    /// Serves until there is a reason to end.
    pub(crate) fn run(&mut self) -> io::Result<Outcome> {
        let mut ready = Vec::new();
        // Those who share memory talk faster than others, so that what came of waiting for others says nothing of them.
        let (mut busy_poll, mut memory_poll) = (BusyPoll::default(), BusyPoll::default());
        loop {
            let was_ready = |is: fn(Source) -> bool| ready.iter().any(|ready: &Ready| is(Source::of(ready.token)));
            let busy_poll = if was_ready(|source| matches!(source, Source::Memory(_))) {
                Some(&mut memory_poll)
            } else {
                was_ready(|source| matches!(source, Source::Connection(_))).then_some(&mut busy_poll)
            };
            self.wait(&mut ready, busy_poll)?;
            // A storm has its turn where nobody wants anything, and now and then where somebody does.
            if ready.is_empty() || self.turns == 0 {
                self.world.tick();
            }
            for ready in &ready {
                self.serve(*ready)?;
            }
            self.deliver();
            self.tell_of_log();
            if let Some(outcome) = self.outcome.take() {
                return Ok(outcome);
            }
        }
    }

    /// Waits until somebody wants something or time has come for something. Somebody who has just got an answer may say
    /// more at once; a supervised program goes on where this process sleeps.
    fn wait(&mut self, ready: &mut Vec<Ready>, busy_poll: Option<&mut BusyPoll>) -> io::Result<()> {
        ready.clear();
        self.look_at_memory(ready);
        let deadline = self.world.kernel.deadline();
        if !ready.is_empty() || deadline.is_some_and(|deadline| deadline <= self.world.clock.now()) {
            self.turns += 1;
            if !self.sharing.is_empty() && self.turns < TURNS_WITHOUT_EPOLL {
                return Ok(());
            }
            self.turns = 0;
            return self.epoll.wait_for_more(ready, 0);
        }
        self.alarm.set(deadline, &self.world.clock)?;
        let mut looks = 0;
        let look = || {
            self.look_at_memory(ready);
            looks += 1;
            let result = match self.sharing.is_empty() || looks % LOOKS_WITHOUT_EPOLL == 0 {
                true => self.epoll.wait_for_more(ready, 0),
                false => Ok(()),
            };
            (result.is_err() || !ready.is_empty()).then_some(result)
        };
        match busy_poll.and_then(|busy_poll| busy_poll.wait(look)) {
            Some(result) => result,
            None => self.sleep(ready),
        }
    }

    fn sleep(&mut self, ready: &mut Vec<Ready>) -> io::Result<()> {
        let doze = |asleep: bool| self.shared().for_each(|(_, connection)| connection.doze(asleep));
        doze(true);
        fence(Ordering::SeqCst);
        self.look_at_memory(ready);
        let result = if ready.is_empty() { self.epoll.wait_for_more(ready, -1) } else { Ok(()) };
        doze(false);
        result
    }

    fn shared(&self) -> impl Iterator<Item = (u32, &Connection)> {
        self.sharing.iter().filter_map(|&index| Some((index, self.connections.get(&index)?)))
    }

    /// Finds the clients that have said something in shared memory, or made room in it.
    fn look_at_memory(&self, ready: &mut Vec<Ready>) {
        let wanting = self.shared().filter(|(_, connection)| connection.wants_turn());
        let token = |index| Source::Memory(index).token();
        ready.extend(wanting.map(|(index, _)| Ready { token: token(index), readable: true, hung_up: false }));
    }

    fn serve(&mut self, ready: Ready) -> io::Result<()> {
        let source = Source::of(ready.token);
        if !matches!(source, Source::Connection(_) | Source::Memory(_)) {
            self.world.tick_for_call();
        }
        match source {
            Source::Listener => self.accept(),
            Source::Alarm => self.alarm.clear(),
            Source::Processes => self.world.processes.forget_ended(&mut self.world.kernel),
            Source::Signals => self.pass_signals_on(),
            Source::Guard => self.hear_guard(),
            Source::Connection(index) => self.converse(index, ready, true),
            Source::Memory(index) => self.converse(index, ready, false),
            Source::Supervised(index) => self.supervise(index, ready),
            Source::LogReader(index) => self.serve_log_reader(index, ready),
        }
        Ok(())
    }

    fn index(&mut self) -> u32 {
        self.next_index = self.next_index.wrapping_add(1);
        self.next_index
    }

    fn accept(&mut self) {
        loop {
            let fd = match connection::accept(self.listener.as_fd()) {
                Ok(fd) => fd,
                Err(error) if matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE)) => {
                    // No descriptor is left but the spare one.
                    self.spare = None;
                    let Ok(fd) = connection::accept(self.listener.as_fd()) else {
                        self.spare = eventfd().ok();
                        return;
                    };
                    // Looked at after the client has come, so that whoever left before it makes room for it.
                    self.hear_those_who_left();
                    self.spare = eventfd().ok();
                    if self.spare.is_none() {
                        // The client is turned away: one that waits would keep the loop busy.
                        drop(fd);
                        self.spare = eventfd().ok();
                        continue;
                    }
                    fd
                }
                Err(_) => return,
            };
            // Only the machine's own user, and the one who may do anything anyway.
            let Ok((pid, user)) = process::peer(fd.as_fd()) else { continue };
            if user != process::user() && user != 0 {
                continue;
            }
            let index = self.index();
            if self.epoll.add(fd.as_fd(), Source::Connection(index).token(), epoll::READ).is_ok() {
                self.connections.insert(index, Connection::new(fd, pid));
            }
        }
    }

    /// Closes the connections of clients that have gone, after what they said last.
    fn hear_those_who_left(&mut self) {
        let left = self.connections.iter().filter(|(_, connection)| connection.hung_up());
        let left: Vec<u32> = left.map(|(index, _)| *index).collect();
        for index in left {
            for _ in 0..8 {
                let token = Source::Connection(index).token();
                self.converse(index, Ready { token, readable: true, hung_up: true }, true);
            }
        }
    }

    /// Hears what a client says and answers, one packet at a time so that everybody gets a turn. `told` says that it was
    /// epoll that spoke of it.
    fn converse(&mut self, index: u32, ready: Ready, told: bool) {
        if self.connections.get(&index).is_some_and(|connection| !connection.is_idle()) {
            // There may be room again.
            self.pump(index);
        }
        let Some(connection) = self.connections.get_mut(&index) else { return };
        let mut said = std::mem::take(&mut self.said);
        let received = connection.flush().and_then(|()| connection.receive(&mut said, told));
        // After it was said: what a client measures begins no later than now.
        self.world.tick_for_call();
        let Some(connection) = self.connections.get(&index) else { return };
        let answered = match received {
            Ok(None) => Ok(()),
            Ok(Some(descriptors)) => match connection.role {
                Role::Fresh => self.greet(index, &said),
                Role::Socket(_) => self.socket_call(index, &said),
                Role::Control(_) => self.control_request(index, &said, descriptors),
            },
            Err(error) => Err(error),
        };
        self.said = said;
        if answered.is_err() {
            return self.close(index);
        }
        if let Some(connection) = self.connections.get_mut(&index) {
            if ready.hung_up && !ready.readable {
                return self.close(index);
            }
            connection.rearm(&self.epoll, Source::Connection(index).token());
        }
    }

    fn close(&mut self, index: u32) {
        let Some(connection) = self.connections.remove(&index) else { return };
        match connection.role {
            Role::Fresh => {}
            Role::Socket(side) => {
                self.sharing.retain(|&sharing| sharing != index);
                self.sockets.remove(&side.id);
                self.world.kernel.close(side.id);
            }
            Role::Control(side) => {
                for handle in side.handles {
                    if let Some(ns) = self.world.handles.remove(handle) {
                        self.world.kernel.release_namespace(ns);
                    }
                }
            }
        }
    }

    /// Ends the programs that came from outside: without a machine they can do nothing any more.
    pub(crate) fn end_programs(&self) {
        for (pid, pidfd) in self.supervised.values().filter_map(|supervised| supervised.first.as_ref()) {
            process::kill_tree(*pid, pidfd.as_fd());
        }
    }

    /// Supervises the processes behind a listener.
    fn add_supervised(&mut self, listener: OwnedFd, first: Option<u32>) -> io::Result<()> {
        let first = first.and_then(|pid| Some((pid, process::pidfd(pid).ok()?)));
        let index = self.index();
        self.epoll.add(listener.as_fd(), Source::Supervised(index).token(), epoll::READ)?;
        seccomp::prefer_sync_wake_up(listener.as_fd());
        self.supervised.insert(index, Supervised { listener, first });
        Ok(())
    }

    fn supervise(&mut self, index: u32, ready: Ready) {
        let Some(Supervised { listener, .. }) = self.supervised.get(&index) else { return };
        if ready.readable {
            supervisor::serve(&mut self.world, listener.as_fd());
        } else if ready.hung_up {
            self.supervised.remove(&index);
        }
        for fd in std::mem::take(&mut self.world.new_log_readers) {
            self.add_log_reader(fd);
        }
    }

    fn pass_signals_on(&mut self) {
        while let Some(Signal { number, from_process }) = self.signals.as_ref().and_then(Signals::next) {
            match self.program {
                // The terminal's signals reach the program by themselves.
                Some(program) if from_process => process::kill(program, number),
                Some(_) => {}
                None => self.outcome = Some(Outcome::ShutDown),
            }
        }
    }

    fn hear_guard(&mut self) {
        let Some(guard) = &self.guard else { return };
        match guard.hear(&mut self.said) {
            Ok(Some(Report::Listener(listener))) => {
                if let Err(error) = self.add_supervised(listener, None) {
                    self.outcome = Some(Outcome::Failed(error.to_string()));
                }
            }
            Ok(Some(Report::Started(pid))) => self.program = Some(pid),
            Ok(Some(Report::Failed(why))) => self.outcome = Some(Outcome::Failed(why)),
            Ok(Some(Report::Ended(status))) => {
                // It dies while the directory is removed.
                guard.dismiss();
                self.outcome.get_or_insert(Outcome::Ended(status));
            }
            Ok(None) => {}
            Err(_) => {
                self.outcome.get_or_insert(Outcome::GuardDied);
            }
        }
    }
}
