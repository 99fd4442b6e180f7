//! The client's end of a connection to a machine.

use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::channel::Channel;
use super::packet;
use crate::host;

#[derive(Debug)]
pub(super) struct Connection {
    fd: OwnedFd,
    /// What the packets go through once the memory for it is shared.
    channel: Option<Channel>,
    buffer: Vec<u8>,
    /// How much of the packet in the buffer has been taken.
    taken: usize,
}

/// What every call gives once the machine has gone.
fn gone() -> io::Error {
    io::Error::from_raw_os_error(libc::ECONNRESET)
}

impl Connection {
    pub(super) fn open(path: &OsStr) -> io::Result<Connection> {
        let fd = packet::connect(path).map_err(|error| match error.raw_os_error() {
            Some(libc::ENOENT | libc::ECONNREFUSED | libc::ENOTDIR) => {
                let text = format!("no machine is running at {}", path.display());
                io::Error::new(io::ErrorKind::ConnectionRefused, text)
            }
            _ => io::Error::new(error.kind(), format!("cannot reach the machine at {}: {error}", path.display())),
        })?;
        Ok(Connection { fd, channel: None, buffer: Vec::new(), taken: 0 })
    }

    pub(super) fn send(&mut self, value: &impl Serialize) -> io::Result<()> {
        self.send_with(value, &[])
    }

    pub(super) fn send_with(&mut self, value: &impl Serialize, descriptors: &[BorrowedFd<'_>]) -> io::Result<()> {
        let packet = packet::encode(value)?;
        match &mut self.channel {
            Some(channel) => channel.send(self.fd.as_fd(), &packet, 0),
            None => packet::send(self.fd.as_fd(), &packet, descriptors, 0),
        }
    }

    /// The next value, waited for; interrupting signals are passed over, since the machine answers at once.
    pub(super) fn receive<T: DeserializeOwned>(&mut self) -> io::Result<T> {
        loop {
            match self.receive_with(0) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => return result,
            }
        }
    }

    /// The next value, if it is there.
    pub(super) fn try_receive<T: DeserializeOwned>(&mut self) -> io::Result<Option<T>> {
        match self.receive_with(libc::MSG_DONTWAIT) {
            Ok(value) => Ok(Some(value)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The next value as far as it can be seen without a system call, where memory is shared.
    pub(super) fn look<T: DeserializeOwned>(&mut self) -> io::Result<Option<T>> {
        match &self.channel {
            Some(channel) if !self.has_more() && !channel.has_some() => Ok(None),
            _ => self.try_receive(),
        }
    }

    fn receive_with<T: DeserializeOwned>(&mut self, flags: libc::c_int) -> io::Result<T> {
        if !self.has_more() {
            self.taken = 0;
            match &mut self.channel {
                Some(channel) => channel.receive(self.fd.as_fd(), &mut self.buffer, flags)?,
                None => packet::receive_bytes(self.fd.as_fd(), &mut self.buffer, flags)?,
            }
            if self.buffer.is_empty() {
                return Err(gone());
            }
        }
        let (value, rest) = packet::split(self.buffer.get(self.taken..).unwrap_or_default())?;
        self.taken = self.buffer.len() - rest.len();
        Ok(value)
    }

    /// Whether the last packet holds another value, which no poll(2) tells of.
    pub(super) fn has_more(&self) -> bool {
        self.taken < self.buffer.len()
    }

    /// The packet that comes next, and the descriptors that come along with it.
    pub(super) fn receive_descriptors(&mut self) -> io::Result<Vec<OwnedFd>> {
        self.taken = 0;
        loop {
            match packet::receive(self.fd.as_fd(), &mut self.buffer, 0) {
                Ok(_) if self.buffer.is_empty() => return Err(gone()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => return result,
            }
        }
    }

    /// Everything goes through shared memory from now on.
    pub(super) fn share(&mut self, memory: OwnedFd) -> io::Result<()> {
        self.channel = Some(Channel::open(memory)?);
        Ok(())
    }

    /// Whether nothing has come, so that the descriptor can be waited on.
    pub(super) fn may_sleep(&self) -> bool {
        !self.has_more() && self.channel.as_ref().is_none_or(Channel::may_sleep)
    }

    /// Says that nobody sleeps.
    pub(super) fn rouse(&self) {
        if let Some(channel) = &self.channel {
            channel.rouse();
        }
    }

    pub(super) fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// When a wait that begins now has to end.
pub(super) fn deadline(timeout: Option<Duration>) -> Option<Instant> {
    timeout.and_then(|timeout| Instant::now().checked_add(timeout))
}

/// Waits until `fd` is readable or the deadline has come; whether it is.
pub(super) fn wait_until(fd: BorrowedFd<'_>, deadline: Option<Instant>) -> io::Result<bool> {
    let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
    host::socket::wait(fd, left)
}
