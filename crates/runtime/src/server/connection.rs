//! One client's connection: what is to be sent waits here until the client takes it, and meanwhile nothing is read.

use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use netloom_machine::channel::Channel;
use netloom_machine::packet;
use netloom_machine::protocol::MAX_PACKET;
use serde::Serialize;

use super::control::ControlSide;
use super::socket::SocketSide;
use crate::sys::check;
use crate::sys::epoll::{self, Epoll};

#[derive(Debug)]
pub(super) struct Connection {
    fd: OwnedFd,
    /// What the packets go through once the client shares memory.
    channel: Option<Channel>,
    /// The process that connected.
    pub(super) pid: u32,
    pub(super) role: Role,
    out: VecDeque<Vec<u8>>,
    waits_to_send: bool,
}

/// Values are put together into packets of at most this size: what is longer than that is hardly cheaper to send.
const JOINED: usize = MAX_PACKET / 8;

/// What a connection has turned out to be.
#[derive(Debug)]
pub(super) enum Role {
    /// It hasn't said yet.
    Fresh,
    Socket(SocketSide),
    Control(ControlSide),
}

/// The next client that waits to be accepted.
pub(super) fn accept(listener: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    // SAFETY: no address is asked for; the new descriptor is owned by nobody else.
    unsafe {
        let flags = libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
        let fd = libc::accept4(listener.as_raw_fd(), std::ptr::null_mut(), std::ptr::null_mut(), flags);
        check(fd).map(|fd| OwnedFd::from_raw_fd(fd))
    }
}

/// What a call gave that didn't wait; `None` where there was nothing.
fn some<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Err(error) if later(&error) => Ok(None),
        result => result.map(Some),
    }
}

fn later(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
        || error.raw_os_error() == Some(libc::ENOBUFS)
}

impl Connection {
    pub(super) fn new(fd: OwnedFd, pid: u32) -> Connection {
        Connection { fd, channel: None, pid, role: Role::Fresh, out: VecDeque::new(), waits_to_send: false }
    }

    /// Sends a value, or keeps it until the client has room.
    pub(super) fn send(&mut self, value: &impl Serialize) -> io::Result<()> {
        self.out.push_back(packet::encode(value)?);
        self.flush()
    }

    /// Puts a value behind those that are to be sent, into the same packet if it is a short one.
    pub(super) fn join(&mut self, value: &impl Serialize) -> io::Result<()> {
        let Some(last) = self.out.back_mut() else {
            self.out.push_back(packet::encode(value)?);
            return Ok(());
        };
        let start = packet::append(last, value)?;
        if last.len() > JOINED {
            let own = last.split_off(start);
            self.out.push_back(own);
        }
        Ok(())
    }

    /// Whether a packet is complete, so that it may go.
    pub(super) fn has_packet(&self) -> bool {
        self.out.len() > 1
    }

    /// Whether the client has gone.
    pub(super) fn hung_up(&self) -> bool {
        let mut fd = libc::pollfd { fd: self.fd.as_raw_fd(), events: 0, revents: 0 };
        // SAFETY: one descriptor of our own, which lives through the call.
        unsafe { libc::poll(&mut fd, 1, 0) == 1 && fd.revents & libc::POLLHUP != 0 }
    }

    /// Whether the client has taken everything.
    pub(super) fn is_idle(&self) -> bool {
        self.out.is_empty()
    }

    pub(super) fn flush(&mut self) -> io::Result<()> {
        while let Some(packet) = self.out.front() {
            let sent = match &mut self.channel {
                Some(channel) => channel.send(self.fd.as_fd(), packet, libc::MSG_DONTWAIT),
                None => packet::send(self.fd.as_fd(), packet, &[], libc::MSG_DONTWAIT),
            };
            match sent {
                Ok(()) => drop(self.out.pop_front()),
                Err(error) if later(&error) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Has the client share memory; `value` tells it so. Everything else goes through that memory from then on.
    pub(super) fn share_memory(&mut self, value: &impl Serialize) -> io::Result<()> {
        let (channel, memory) = Channel::create()?;
        packet::send(self.fd.as_fd(), &packet::encode(value)?, &[memory.as_fd()], libc::MSG_DONTWAIT)?;
        self.channel = Some(channel);
        Ok(())
    }

    /// Whether the memory that the client shares has something to be done.
    pub(super) fn wants_turn(&self) -> bool {
        self.channel
            .as_ref()
            .is_some_and(|channel| if self.is_idle() { channel.has_some() } else { channel.has_room() })
    }

    /// Says in shared memory whether somebody looks at it.
    pub(super) fn doze(&self, asleep: bool) {
        match &self.channel {
            Some(channel) if asleep => channel.doze(),
            Some(channel) => channel.rouse(),
            None => {}
        }
    }

    /// Receives the next packet, and the descriptors that come along where they are of use; `None` where there is no
    /// packet, or where the client has to listen first. The end is an error. What is on the connection itself is looked at
    /// where epoll `told` of it.
    pub(super) fn receive(&mut self, packet: &mut Vec<u8>, told: bool) -> io::Result<Option<Vec<OwnedFd>>> {
        if let Some(channel) = &mut self.channel {
            let gone = told && some(channel.hear(self.fd.as_fd(), packet, libc::MSG_DONTWAIT))?.unwrap_or(false);
            if self.out.is_empty() && channel.take(self.fd.as_fd(), packet)? {
                return Ok(Some(Vec::new()));
            }
            return if gone { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(None) };
        }
        if !self.is_idle() {
            return Ok(None);
        }
        let received = match self.role {
            Role::Control(_) => packet::receive(self.fd.as_fd(), packet, libc::MSG_DONTWAIT),
            _ => packet::receive_bytes(self.fd.as_fd(), packet, libc::MSG_DONTWAIT).map(|()| Vec::new()),
        };
        match some(received)? {
            Some(_) if packet.is_empty() => Err(io::ErrorKind::UnexpectedEof.into()),
            descriptors => Ok(descriptors),
        }
    }

    /// Has epoll wait for what can happen next.
    pub(super) fn rearm(&mut self, epoll: &Epoll, token: u64) {
        // What waits for room in shared memory is woken up by a packet on the connection.
        let waits_to_send = !self.is_idle() && !self.channel.as_ref().is_some_and(Channel::waits_for_room);
        if self.waits_to_send != waits_to_send {
            self.waits_to_send = waits_to_send;
            let events = if waits_to_send { epoll::WRITE } else { epoll::READ };
            let _ = epoll.modify(self.fd.as_fd(), token, events);
        }
    }
}
