//! A socket of an embedded kernel: one connection to its machine.

use std::collections::VecDeque;
use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use super::connection::{Connection, deadline, wait_until};
use super::packet;
use crate::busy_poll::BusyPoll;
use crate::protocol::{Call, Event, Hello, Said, VERSION, WINDOW};
use crate::{Netns, Received};

#[derive(Debug)]
pub(crate) struct EmbeddedSocket {
    state: Mutex<State>,
    /// The connection's descriptor once more, to wait on without holding the state.
    fd: OwnedFd,
    poll: OnceLock<Poll>,
}

#[derive(Debug)]
struct State {
    connection: Connection,
    /// What arrived while a call's return was awaited.
    queue: VecDeque<Arrival>,
    /// The error queue holds something that nobody has asked for.
    error_queue: bool,
    /// Datagrams taken from the connection that the machine hasn't been told of.
    taken: u32,
    busy_poll: BusyPoll,
    /// Calls until memory is asked for.
    until_sharing: u32,
    /// Threads that wait for something to arrive.
    sleepers: u32,
}

/// A socket of which so much is asked is worth memory of its own.
const CALLS_WITHOUT_SHARING: u32 = 8;

#[derive(Debug)]
enum Arrival {
    Datagram(Received),
    Error(i32),
}

/// What [`EmbeddedSocket::as_fd`] gives to poll: readable when the connection is, or when `queued` is set because
/// something waits in [`State::queue`].
#[derive(Debug)]
struct Poll {
    epoll: OwnedFd,
    queued: OwnedFd,
}

/// What a call gave: the system call's value and bytes.
struct Answer {
    result: i32,
    value: Vec<u8>,
}

fn answer(errno: i32, result: i32, value: Vec<u8>) -> io::Result<Answer> {
    if errno == 0 { Ok(Answer { result, value }) } else { Err(io::Error::from_raw_os_error(errno)) }
}

impl State {
    fn arrive(&mut self, event: Event) -> Option<io::Result<Answer>> {
        match event {
            Event::Return { errno, result, value } => return Some(answer(errno, result, value)),
            Event::Datagram { data, address, control, flags } => {
                self.queue.push_back(Arrival::Datagram(Received { data, address, control, flags }));
            }
            Event::Error(errno) => self.queue.push_back(Arrival::Error(errno)),
            Event::ErrorQueue => self.error_queue = true,
        }
        None
    }

    fn is_readable(&self) -> bool {
        !self.queue.is_empty() || self.error_queue
    }

    /// Takes what has arrived from the connection, without waiting.
    fn collect(&mut self) -> io::Result<()> {
        while self.queue.is_empty() {
            match self.connection.try_receive::<Event>()? {
                Some(event) => drop(self.arrive(event)),
                None => break,
            }
        }
        Ok(())
    }

    fn call(&mut self, call: &Call) -> io::Result<Answer> {
        match self.until_sharing {
            0 => {}
            1 => self.share()?,
            _ => self.until_sharing -= 1,
        }
        if self.sleepers == 0 {
            self.connection.rouse();
        }
        self.say(Some(call))?;
        let mut looked = self.busy_poll.wait(|| self.connection.look().transpose());
        let answer = loop {
            let event = looked.take().unwrap_or_else(|| self.connection.receive())?;
            if let Some(answer) = self.arrive(event) {
                break answer;
            }
        };
        self.take_rest()?;
        answer
    }

    /// Takes what came along with what was received last.
    fn take_rest(&mut self) -> io::Result<()> {
        while self.connection.has_more() {
            let event = self.connection.receive()?;
            drop(self.arrive(event));
        }
        Ok(())
    }

    /// Asks for memory to share, which may be refused.
    fn share(&mut self) -> io::Result<()> {
        self.until_sharing = 0;
        // Where there is no room for another descriptor it is done without.
        if self.connection.as_fd().try_clone_to_owned().is_err() {
            return Ok(());
        }
        self.take_rest()?;
        self.say(Some(&Call::ShareMemory))?;
        loop {
            let mut descriptors = self.connection.receive_descriptors()?;
            let mut answered = false;
            while self.connection.has_more() {
                let event = self.connection.receive()?;
                answered |= self.arrive(event).is_some();
            }
            if answered {
                // Nothing has come behind it: all that follows goes through the memory.
                return descriptors.pop().map_or(Ok(()), |memory| self.connection.share(memory));
            }
        }
    }

    fn say(&mut self, call: Option<&Call>) -> io::Result<()> {
        self.connection.send(&Said { taken: std::mem::take(&mut self.taken), call })
    }

    /// Opens the window again once half of it is used, if no call has done so.
    fn took_one(&mut self) -> io::Result<()> {
        self.taken += 1;
        if self.taken >= WINDOW / 2 { self.say(None) } else { Ok(()) }
    }
}

impl EmbeddedSocket {
    pub(super) fn open(path: &OsStr, netns: &Netns, domain: i32, kind: i32, protocol: i32) -> io::Result<Self> {
        let kind = kind & !(libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK);
        let hello = Hello::Socket { version: VERSION, netns: netns.clone(), domain, kind, protocol };
        EmbeddedSocket::greet(path, &hello)
    }

    /// A descriptor of `/dev/net/tun`.
    pub(super) fn open_tun(path: &OsStr, netns: &Netns) -> io::Result<Self> {
        EmbeddedSocket::greet(path, &Hello::Tun { version: VERSION, netns: netns.clone() })
    }

    fn greet(path: &OsStr, hello: &Hello) -> io::Result<Self> {
        let connection = Connection::open(path)?;
        let fd = connection.as_fd().try_clone_to_owned()?;
        let mut state = State {
            connection,
            queue: VecDeque::new(),
            error_queue: false,
            taken: 0,
            busy_poll: BusyPoll::default(),
            until_sharing: CALLS_WITHOUT_SHARING,
            sleepers: 0,
        };
        state.connection.send(hello)?;
        match state.connection.receive()? {
            Event::Return { errno, result, value } => drop(answer(errno, result, value)?),
            _ => return Err(io::ErrorKind::InvalidData.into()),
        }
        Ok(EmbeddedSocket { state: Mutex::new(state), fd, poll: OnceLock::new() })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn call(&self, call: &Call) -> io::Result<Answer> {
        let mut state = self.state();
        let answer = state.call(call);
        self.mark(&state);
        answer
    }

    /// Keeps what [`Self::as_fd`] gave in step with what has arrived.
    fn mark(&self, state: &State) {
        match self.poll.get() {
            Some(poll) => poll.mark(state.is_readable() || !state.connection.may_sleep()),
            None if state.sleepers > 0 => drop(state.connection.may_sleep()),
            None => {}
        }
    }

    /// Sleeps until something has arrived, or the deadline has come; whether it is worth another look.
    fn sleep<'s>(&'s self, mut state: MutexGuard<'s, State>, deadline: Option<Instant>) -> io::Result<bool> {
        if !state.connection.may_sleep() {
            return Ok(true);
        }
        state.sleepers += 1;
        drop(state);
        let result = wait_until(self.fd.as_fd(), deadline);
        self.state().sleepers -= 1;
        result
    }

    pub(crate) fn bind(&self, address: &[u8]) -> io::Result<()> {
        self.call(&Call::Bind(address.to_vec())).map(drop)
    }

    pub(crate) fn connect(&self, address: &[u8]) -> io::Result<()> {
        self.call(&Call::Connect(address.to_vec())).map(drop)
    }

    pub(crate) fn local_address(&self) -> io::Result<Vec<u8>> {
        Ok(self.call(&Call::LocalAddress)?.value)
    }

    pub(crate) fn set_option(&self, level: i32, name: i32, value: &[u8]) -> io::Result<()> {
        self.call(&Call::SetOption { level, name, value: value.to_vec() }).map(drop)
    }

    pub(crate) fn option(&self, level: i32, name: i32, length: usize) -> io::Result<Vec<u8>> {
        let mut value = self.call(&Call::Option { level, name, length: length as u32 })?.value;
        value.truncate(length);
        Ok(value)
    }

    pub(crate) fn send(&self, data: &[u8], address: &[u8], flags: i32) -> io::Result<usize> {
        let call = Call::Send { data: data.to_vec(), address: address.to_vec(), flags };
        Ok(self.call(&call)?.result as usize)
    }

    pub(crate) fn receive(&self, length: usize, flags: i32) -> io::Result<Received> {
        if flags & libc::MSG_ERRQUEUE != 0 {
            let mut state = self.state();
            state.error_queue = false;
            let answer = state.call(&Call::ReceiveError);
            self.mark(&state);
            return Ok(cut(packet::decode(&answer?.value)?, length, flags));
        }
        loop {
            let mut state = self.state();
            state.collect()?;
            let arrival = if flags & libc::MSG_PEEK != 0 {
                match state.queue.front() {
                    Some(Arrival::Datagram(received)) => Some(Arrival::Datagram(received.clone())),
                    Some(Arrival::Error(_)) => state.queue.pop_front(),
                    None => None,
                }
            } else {
                let arrival = state.queue.pop_front();
                if matches!(arrival, Some(Arrival::Datagram(_))) {
                    state.took_one()?;
                }
                arrival
            };
            self.mark(&state);
            match arrival {
                Some(Arrival::Datagram(received)) => return Ok(cut(received, length, flags)),
                Some(Arrival::Error(errno)) => return Err(io::Error::from_raw_os_error(errno)),
                None if flags & libc::MSG_DONTWAIT != 0 => return Err(io::Error::from_raw_os_error(libc::EAGAIN)),
                None => drop(self.sleep(state, None)?),
            }
        }
    }

    pub(crate) fn wait(&self, timeout: Option<Duration>) -> io::Result<bool> {
        let deadline = deadline(timeout);
        loop {
            let mut state = self.state();
            state.collect()?;
            self.mark(&state);
            if state.is_readable() {
                return Ok(true);
            }
            if !self.sleep(state, deadline)? {
                return Ok(false);
            }
        }
    }

    pub(crate) fn ioctl(&self, request: u32, argument: &mut [u8], data: Option<&mut [u8]>) -> io::Result<i32> {
        let call = Call::Ioctl { request, argument: argument.to_vec(), data: data.as_deref().map(<[u8]>::to_vec) };
        let Answer { result, value } = self.call(&call)?;
        let (changed, rest) = value.split_at_checked(argument.len()).ok_or(io::ErrorKind::InvalidData)?;
        argument.copy_from_slice(changed);
        if let Some(data) = data {
            let length = rest.len().min(data.len());
            data[..length].copy_from_slice(&rest[..length]);
        }
        Ok(result)
    }

    pub(crate) fn as_fd(&self) -> BorrowedFd<'_> {
        if self.poll.get().is_none() {
            // Where no descriptor is left the connection's own one serves, which misses only what is queued already.
            let Ok(poll) = Poll::new(self.fd.as_fd()) else { return self.fd.as_fd() };
            let _ = self.poll.set(poll);
            self.mark(&self.state());
        }
        self.poll.get().map_or(self.fd.as_fd(), |poll| poll.epoll.as_fd())
    }
}

/// The datagram as recvmsg(2) gives it to somebody with room for `length` bytes.
fn cut(mut received: Received, length: usize, flags: i32) -> Received {
    if received.data.len() > length {
        received.flags |= libc::MSG_TRUNC;
        if flags & libc::MSG_TRUNC == 0 || flags & libc::MSG_PEEK == 0 {
            received.data.truncate(length);
        }
    }
    received
}

impl Poll {
    fn new(connection: BorrowedFd<'_>) -> io::Result<Poll> {
        // SAFETY: both calls take plain numbers; the new descriptors are owned by nobody else.
        let (epoll, queued) = unsafe {
            let epoll = libc::epoll_create1(libc::EPOLL_CLOEXEC);
            if epoll < 0 {
                return Err(io::Error::last_os_error());
            }
            let epoll = OwnedFd::from_raw_fd(epoll);
            let queued = libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK);
            if queued < 0 {
                return Err(io::Error::last_os_error());
            }
            (epoll, OwnedFd::from_raw_fd(queued))
        };
        for fd in [connection, queued.as_fd()] {
            let mut event = libc::epoll_event { events: libc::EPOLLIN as u32, u64: 0 };
            // SAFETY: the event lives through the call.
            let added = unsafe { libc::epoll_ctl(epoll.as_raw_fd(), libc::EPOLL_CTL_ADD, fd.as_raw_fd(), &mut event) };
            if added < 0 {
                return Err(io::Error::last_os_error());
            }
        }
        Ok(Poll { epoll, queued })
    }

    fn mark(&self, set: bool) {
        let mut count = 1u64;
        // SAFETY: eight bytes are read or written, the size of `count`. Neither blocks, and a counter that already
        // stands where it should is no error.
        unsafe {
            libc::read(self.queued.as_raw_fd(), (&raw mut count).cast(), 8);
            if set {
                count = 1;
                libc::write(self.queued.as_raw_fd(), (&raw const count).cast(), 8);
            }
        }
    }
}
