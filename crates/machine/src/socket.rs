//! A socket of either kernel, used through Linux's own bytes: raw `sockaddr`s, option values and `ifreq`s.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use crate::embedded::EmbeddedSocket;
use crate::host;

/// One ancillary message of a received datagram: cmsg_level, cmsg_type and its data.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Control {
    /// `SOL_SOCKET`, `SOL_IP` …
    pub level: i32,
    /// `SO_TIMESTAMP`, `IP_TTL`, `IP_RECVERR` …
    pub kind: i32,
    /// The bytes after the cmsghdr.
    #[serde(with = "serde_bytes")]
    pub data: Vec<u8>,
}

/// A received datagram with what came along.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Received {
    /// The datagram, cut to the length that was asked for.
    #[serde(with = "serde_bytes")]
    pub data: Vec<u8>,
    /// The sender's `sockaddr`; empty where there is none.
    #[serde(with = "serde_bytes")]
    pub address: Vec<u8>,
    /// Ancillary messages, in order.
    pub control: Vec<Control>,
    /// `MSG_TRUNC`, `MSG_ERRQUEUE` … as recvmsg(2) gives them.
    pub flags: i32,
}

/// An open socket. Closing is dropping.
#[derive(Debug)]
pub struct Socket(Inner);

#[derive(Debug)]
enum Inner {
    Host(OwnedFd),
    Embedded(EmbeddedSocket),
}

impl Socket {
    pub(crate) fn host(fd: OwnedFd) -> Socket {
        Socket(Inner::Host(fd))
    }

    pub(crate) fn embedded(socket: EmbeddedSocket) -> Socket {
        Socket(Inner::Embedded(socket))
    }

    /// bind(2) with a raw `sockaddr`.
    pub fn bind(&self, address: &[u8]) -> io::Result<()> {
        match &self.0 {
            Inner::Host(fd) => host::socket::bind(fd.as_fd(), address),
            Inner::Embedded(socket) => socket.bind(address),
        }
    }

    /// connect(2) with a raw `sockaddr`.
    pub fn connect(&self, address: &[u8]) -> io::Result<()> {
        match &self.0 {
            Inner::Host(fd) => host::socket::connect(fd.as_fd(), address),
            Inner::Embedded(socket) => socket.connect(address),
        }
    }

    /// getsockname(2): the raw `sockaddr`.
    pub fn local_address(&self) -> io::Result<Vec<u8>> {
        match &self.0 {
            Inner::Host(fd) => host::socket::local_address(fd.as_fd()),
            Inner::Embedded(socket) => socket.local_address(),
        }
    }

    /// setsockopt(2) with the option's raw bytes.
    pub fn set_option(&self, level: i32, name: i32, value: &[u8]) -> io::Result<()> {
        match &self.0 {
            Inner::Host(fd) => host::socket::set_option(fd.as_fd(), level, name, value),
            Inner::Embedded(socket) => socket.set_option(level, name, value),
        }
    }

    /// setsockopt(2) of an `int`.
    pub fn set_option_int(&self, level: i32, name: i32, value: i32) -> io::Result<()> {
        self.set_option(level, name, &value.to_ne_bytes())
    }

    /// getsockopt(2): at most `length` bytes of the option's value.
    pub fn option(&self, level: i32, name: i32, length: usize) -> io::Result<Vec<u8>> {
        match &self.0 {
            Inner::Host(fd) => host::socket::option(fd.as_fd(), level, name, length),
            Inner::Embedded(socket) => socket.option(level, name, length),
        }
    }

    /// sendto(2); an empty `address` is send(2). `flags` are `MSG_*`.
    pub fn send(&self, data: &[u8], address: &[u8], flags: i32) -> io::Result<usize> {
        match &self.0 {
            Inner::Host(fd) => host::socket::send(fd.as_fd(), data, address, flags),
            Inner::Embedded(socket) => socket.send(data, address, flags),
        }
    }

    /// recvmsg(2) of at most `length` bytes; blocks unless `flags` hold `MSG_DONTWAIT` (then `WouldBlock`).
    pub fn receive(&self, length: usize, flags: i32) -> io::Result<Received> {
        match &self.0 {
            Inner::Host(fd) => host::socket::receive(fd.as_fd(), length, flags),
            Inner::Embedded(socket) => socket.receive(length, flags),
        }
    }

    /// Waits until something can be received (or the error queue holds something), at most `timeout` (for ever where
    /// `None`); whether there is. A signal ends the wait with `Interrupted`.
    pub fn wait(&self, timeout: Option<Duration>) -> io::Result<bool> {
        match &self.0 {
            Inner::Host(fd) => host::socket::wait(fd.as_fd(), timeout),
            Inner::Embedded(socket) => socket.wait(timeout),
        }
    }

    /// ioctl(2) whose argument is the structure `argument` (an `ifreq`, `rtentry`, `arpreq`, `in6_ifreq` …), which it
    /// may change. Returns ioctl's own value.
    pub fn ioctl(&self, request: u32, argument: &mut [u8]) -> io::Result<i32> {
        match &self.0 {
            Inner::Host(fd) => host::socket::ioctl(fd.as_fd(), request, argument),
            Inner::Embedded(socket) => socket.ioctl(request, argument, None),
        }
    }

    /// ioctl(2) whose argument is the number itself: `TUNSETPERSIST`, `TUNSETOWNER` and `TUNSETGROUP`.
    pub fn ioctl_value(&self, request: u32, value: u32) -> io::Result<i32> {
        match &self.0 {
            Inner::Host(fd) => host::socket::ioctl_value(fd.as_fd(), request, value),
            Inner::Embedded(socket) => socket.ioctl(request, &mut value.to_ne_bytes(), None),
        }
    }

    /// ioctl(2) whose structure holds a pointer to `data`, at the 8 bytes from `pointer_at` on: `ifr_data` of
    /// `SIOCETHTOOL` and `SIOCBR…` (16), `ifc_buf` of `SIOCGIFCONF` (8). The kernel may change both.
    pub fn ioctl_with_data(
        &self,
        request: u32,
        argument: &mut [u8],
        pointer_at: usize,
        data: &mut [u8],
    ) -> io::Result<i32> {
        match &self.0 {
            Inner::Host(fd) => host::socket::ioctl_with_data(fd.as_fd(), request, argument, pointer_at, data),
            Inner::Embedded(socket) => socket.ioctl(request, argument, Some(data)),
        }
    }
}

impl AsFd for Socket {
    /// A descriptor to poll(2): readable when [`Socket::receive`] has something to give.
    fn as_fd(&self) -> BorrowedFd<'_> {
        match &self.0 {
            Inner::Host(fd) => fd.as_fd(),
            Inner::Embedded(socket) => socket.as_fd(),
        }
    }
}
