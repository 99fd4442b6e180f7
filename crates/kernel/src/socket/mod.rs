//! Sockets: the embedded kernel's side of socket(2) and what is done with one.
//!
//! A socket belongs to a namespace and holds it. What it receives waits in a bounded queue of its own; its owner is told
//! through [`Kernel::next_ready`] when there is something new.

mod address;
mod batch;
mod filter;
pub(crate) mod inet;
pub(crate) mod netlink;
mod options;
pub(crate) mod packet;
mod queue;
mod tun;

use std::collections::VecDeque;

pub(crate) use address::{LinkAddress, SocketAddress};
pub(crate) use filter::Filter;
pub(crate) use queue::{Queued, ReceiveQueue};

use crate::error::{Errno, Result};
use crate::types::{DevId, NsId, SocketId};
use crate::{Caller, Datagram, Kernel, Readiness};

/// `AF_…`.
pub(crate) mod family {
    pub(crate) const UNIX: i32 = 1;
    pub(crate) const INET: i32 = 2;
    pub(crate) const INET6: i32 = 10;
    pub(crate) const NETLINK: i32 = 16;
    pub(crate) const PACKET: i32 = 17;
}

const SOCK_STREAM: i32 = 1;
const SOCK_DGRAM: i32 = 2;
const SOCK_RAW: i32 = 3;
/// `SOCK_CLOEXEC | SOCK_NONBLOCK`, which are the descriptor's and not the socket's.
const SOCK_FLAGS: i32 = 0o2000000 | 0o4000;

const MSG_PEEK: i32 = 0x2;
const MSG_ERRQUEUE: i32 = 0x2000;

/// What a socket is.
#[derive(Debug)]
pub(crate) enum SocketKind {
    Netlink(netlink::NetlinkSocket),
    Packet(packet::PacketSocket),
    /// Raw, ping, and the datagram sockets that ioctls and source selection go through.
    Inet(inet::InetSocket),
    /// `AF_UNIX`: for ioctls alone.
    Unix,
    /// No socket, but used like one: a descriptor of `/dev/net/tun`.
    Tun(tun::TunFile),
}

/// An open socket.
#[derive(Debug)]
pub(crate) struct Socket {
    pub(crate) ns: NsId,
    pub(crate) kind: SocketKind,
    /// `SO_BINDTODEVICE`.
    pub(crate) bound_device: Option<DevId>,
    pub(crate) options: options::Options,
    /// What `MSG_ERRQUEUE` gives.
    errors: VecDeque<Datagram>,
    /// What the next call fails with, once.
    pending_error: Option<Errno>,
    /// Whether it stands in the list of those that have something new to say.
    announced: bool,
}

/// How many entries an error queue holds.
const ERROR_QUEUE: usize = 64;

impl Kernel {
    /// socket(2). A socket holds its namespace.
    pub fn socket(&mut self, ns: NsId, domain: i32, kind: i32, protocol: i32) -> Result<SocketId, Errno> {
        if !self.namespaces.contains_key(ns) {
            return Err(Errno::EINVAL);
        }
        let kind = kind & !SOCK_FLAGS;
        let kind = match domain {
            family::NETLINK => SocketKind::Netlink(netlink::new(kind, protocol)?),
            family::PACKET => SocketKind::Packet(packet::PacketSocket::new(kind, protocol)?),
            family::INET | family::INET6 => {
                SocketKind::Inet(inet::InetSocket::new(domain, kind, protocol, self.namespaces[ns].ping_sockets)?)
            }
            family::UNIX if matches!(kind, SOCK_STREAM | SOCK_DGRAM) => SocketKind::Unix,
            _ => return Err(Errno::EAFNOSUPPORT),
        };
        self.open_in(ns, kind)
    }

    /// Opens a socket of a kind. It holds its namespace.
    fn open_in(&mut self, ns: NsId, kind: SocketKind) -> Result<SocketId, Errno> {
        if !self.namespaces.contains_key(ns) {
            return Err(Errno::EINVAL);
        }
        self.hold_namespace(ns);
        let socket = self.sockets.insert(Socket {
            ns,
            kind,
            bound_device: None,
            options: options::Options::default(),
            errors: VecDeque::new(),
            pending_error: None,
            announced: false,
        });
        match self.sockets[socket].kind {
            SocketKind::Packet(_) => packet::attach(self, socket),
            SocketKind::Inet(_) => self.namespaces[ns].inet_sockets.push(socket),
            _ => {}
        }
        Ok(socket)
    }

    /// close(2).
    pub fn close(&mut self, socket: SocketId) {
        let Some(open) = self.sockets.get(socket) else { return };
        let ns = open.ns;
        match open.kind {
            SocketKind::Packet(_) => packet::close(self, socket),
            SocketKind::Netlink(_) => netlink::close(self, socket),
            SocketKind::Inet(_) => self.namespaces[ns].inet_sockets.retain(|other| *other != socket),
            SocketKind::Tun(_) => tun::close(self, socket),
            SocketKind::Unix => {}
        }
        self.sockets.remove(socket);
        self.release_namespace(ns);
        self.settle();
    }

    fn open_socket(&mut self, socket: SocketId) -> Result<&mut Socket, Errno> {
        self.sockets.get_mut(socket).ok_or(Errno::EBADF)
    }

    /// bind(2) with a raw sockaddr.
    pub fn bind(&mut self, socket: SocketId, address: &[u8], caller: &dyn Caller) -> Result<(), Errno> {
        let result = match self.open_socket(socket)?.kind {
            SocketKind::Netlink(_) => netlink::bind(self, socket, address, caller),
            SocketKind::Packet(_) => packet::bind(self, socket, address),
            SocketKind::Inet(_) => inet::bind(self, socket, address),
            SocketKind::Unix => Err(Errno::EOPNOTSUPP),
            SocketKind::Tun(_) => Err(Errno::ENOTSOCK),
        };
        self.settle();
        result
    }

    /// connect(2) with a raw sockaddr.
    pub fn connect(&mut self, socket: SocketId, address: &[u8]) -> Result<(), Errno> {
        match self.open_socket(socket)?.kind {
            SocketKind::Netlink(_) => netlink::connect(self, socket, address),
            SocketKind::Packet(_) => Err(Errno::EOPNOTSUPP),
            SocketKind::Inet(_) => inet::connect(self, socket, address),
            SocketKind::Unix => Err(Errno::ECONNREFUSED),
            SocketKind::Tun(_) => Err(Errno::ENOTSOCK),
        }
    }

    /// getsockname(2).
    pub fn local_address(&mut self, socket: SocketId) -> Result<Vec<u8>, Errno> {
        match self.open_socket(socket)?.kind {
            SocketKind::Netlink(_) => netlink::local_address(self, socket),
            SocketKind::Packet(_) => packet::local_address(self, socket),
            SocketKind::Inet(_) => inet::local_address(self, socket),
            SocketKind::Unix => Ok((family::UNIX as u16).to_ne_bytes().to_vec()),
            SocketKind::Tun(_) => Err(Errno::ENOTSOCK),
        }
    }

    /// setsockopt(2).
    pub fn set_option(&mut self, socket: SocketId, level: i32, name: i32, value: &[u8]) -> Result<(), Errno> {
        let result = if level == options::SOL_SOCKET {
            options::set(self, socket, name, value)
        } else {
            match self.open_socket(socket)?.kind {
                SocketKind::Netlink(_) => netlink::set_option(self, socket, level, name, value),
                SocketKind::Packet(_) => packet::set_option(self, socket, level, name, value),
                SocketKind::Inet(_) => inet::set_option(self, socket, level, name, value),
                SocketKind::Unix => Err(Errno::ENOPROTOOPT),
                SocketKind::Tun(_) => Err(Errno::ENOTSOCK),
            }
        };
        self.settle();
        result
    }

    /// getsockopt(2): at most `length` bytes of the value.
    pub fn option(&mut self, socket: SocketId, level: i32, name: i32, length: usize) -> Result<Vec<u8>, Errno> {
        let mut value = if level == options::SOL_SOCKET {
            options::get(self, socket, name)?
        } else {
            match self.open_socket(socket)?.kind {
                SocketKind::Netlink(_) => netlink::option(self, socket, level, name)?,
                SocketKind::Packet(_) => packet::option(self, socket, level, name)?,
                SocketKind::Inet(_) => inet::option(self, socket, level, name)?,
                SocketKind::Unix => return Err(Errno::ENOPROTOOPT),
                SocketKind::Tun(_) => return Err(Errno::ENOTSOCK),
            }
        };
        value.truncate(length);
        Ok(value)
    }

    /// sendto(2), then everything that follows from it. An empty `address` is send(2).
    pub fn send(
        &mut self,
        socket: SocketId,
        data: &[u8],
        address: &[u8],
        flags: i32,
        caller: &dyn Caller,
    ) -> Result<usize, Errno> {
        let open = self.open_socket(socket)?;
        if let Some(error) = open.pending_error.take() {
            return Err(error);
        }
        let result = match open.kind {
            SocketKind::Netlink(_) => netlink::send(self, socket, data, address, flags, caller),
            SocketKind::Packet(_) => packet::send(self, socket, data, address),
            SocketKind::Inet(_) => inet::send(self, socket, data, address),
            SocketKind::Unix => Err(Errno::ENOTCONN),
            SocketKind::Tun(_) => Err(Errno::EOPNOTSUPP),
        };
        self.settle();
        result
    }

    /// recvmsg(2) without waiting: `EAGAIN` where there is nothing. `MSG_ERRQUEUE` and `MSG_PEEK` are heeded.
    pub fn receive(&mut self, socket: SocketId, flags: i32) -> Result<Datagram, Errno> {
        let open = self.open_socket(socket)?;
        if flags & MSG_ERRQUEUE != 0 {
            return open.errors.pop_front().ok_or(Errno::EAGAIN);
        }
        if let Some(error) = open.pending_error.take() {
            return Err(error);
        }
        let peek = flags & MSG_PEEK != 0;
        match open.kind {
            SocketKind::Netlink(_) => netlink::receive(self, socket, peek),
            SocketKind::Packet(_) => packet::receive(self, socket, peek),
            SocketKind::Inet(_) => inet::receive(self, socket, peek),
            SocketKind::Unix | SocketKind::Tun(_) => Err(Errno::EAGAIN),
        }
    }

    /// What can be received.
    pub fn readiness(&self, socket: SocketId) -> Readiness {
        let Some(open) = self.sockets.get(socket) else { return Readiness::default() };
        let readable = match &open.kind {
            SocketKind::Netlink(netlink) => netlink.readable(),
            SocketKind::Packet(packet) => !packet.queue.is_empty(),
            SocketKind::Inet(inet) => !inet.queue.is_empty(),
            SocketKind::Unix | SocketKind::Tun(_) => false,
        };
        let error = !open.errors.is_empty() || open.pending_error.is_some();
        Readiness { readable: readable || open.pending_error.is_some(), error }
    }

    /// ioctl(2): `argument` is the structure, `data` what a pointer in it points to; both may be changed.
    pub fn ioctl(
        &mut self,
        socket: SocketId,
        request: u32,
        argument: &mut [u8],
        data: Option<&mut Vec<u8>>,
        caller: &dyn Caller,
    ) -> Result<i32, Errno> {
        let open = self.open_socket(socket)?;
        let (ns, domain) = (
            open.ns,
            match &open.kind {
                SocketKind::Inet(inet) => inet.domain,
                SocketKind::Netlink(_) => family::NETLINK,
                SocketKind::Packet(_) => family::PACKET,
                SocketKind::Unix => family::UNIX,
                SocketKind::Tun(_) => {
                    let result = tun::ioctl(self, socket, request, argument);
                    self.settle();
                    return result;
                }
            },
        );
        let result = crate::ioctl::handle(self, ns, domain, request, argument, data, caller);
        self.settle();
        result
    }

    /// A socket that has become readable, or got an error, since it was last given here. Ask until `None`.
    pub fn next_ready(&mut self) -> Option<SocketId> {
        loop {
            let socket = self.ready.pop_front()?;
            if let Some(open) = self.sockets.get_mut(socket) {
                open.announced = false;
                return Some(socket);
            }
        }
    }

    /// Puts a socket on the list of those that have something new to say.
    #[inline]
    pub(crate) fn announce(&mut self, socket: SocketId) {
        if let Some(open) = self.sockets.get_mut(socket)
            && !open.announced
        {
            open.announced = true;
            self.ready.push_back(socket);
        }
    }

    /// Has the socket's next call fail once.
    pub(crate) fn socket_error(&mut self, socket: SocketId, error: Errno) {
        if let Some(open) = self.sockets.get_mut(socket) {
            open.pending_error = Some(error);
            self.announce(socket);
        }
    }

    /// Puts something on the socket's error queue.
    pub(crate) fn queue_error(&mut self, socket: SocketId, error: Datagram) {
        if let Some(open) = self.sockets.get_mut(socket)
            && open.errors.len() < ERROR_QUEUE
        {
            open.errors.push_back(error);
            self.announce(socket);
        }
    }
}

#[cfg(test)]
mod tests;
