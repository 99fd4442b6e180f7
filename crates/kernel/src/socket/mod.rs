//! Sockets: the embedded kernel's side of socket(2) and what is done with one.

pub(crate) mod inet;
pub(crate) mod netlink;
pub(crate) mod packet;

use crate::error::{Errno, Result};
use crate::types::{NsId, SocketId};
use crate::{Caller, Datagram, Kernel, Readiness};

/// An open socket.
#[derive(Debug)]
pub(crate) struct Socket {}

/// A socket's own deadline has come.
pub(crate) fn timer(_kernel: &mut Kernel, _socket: SocketId) {}

#[allow(unused_variables)]
impl Kernel {
    /// socket(2). A socket holds its namespace.
    pub fn socket(&mut self, ns: NsId, domain: i32, kind: i32, protocol: i32) -> Result<SocketId, Errno> {
        Err(Errno::EAFNOSUPPORT)
    }
    /// close(2).
    pub fn close(&mut self, socket: SocketId) {}
    /// bind(2) with a raw sockaddr.
    pub fn bind(&mut self, socket: SocketId, address: &[u8], caller: &dyn Caller) -> Result<(), Errno> {
        Err(Errno::ENOTSOCK)
    }
    /// connect(2) with a raw sockaddr.
    pub fn connect(&mut self, socket: SocketId, address: &[u8]) -> Result<(), Errno> {
        Err(Errno::ENOTSOCK)
    }
    /// getsockname(2).
    pub fn local_address(&mut self, socket: SocketId) -> Result<Vec<u8>, Errno> {
        Err(Errno::ENOTSOCK)
    }
    /// setsockopt(2).
    pub fn set_option(&mut self, socket: SocketId, level: i32, name: i32, value: &[u8]) -> Result<(), Errno> {
        Err(Errno::ENOTSOCK)
    }
    /// getsockopt(2).
    pub fn option(&mut self, socket: SocketId, level: i32, name: i32, length: usize) -> Result<Vec<u8>, Errno> {
        Err(Errno::ENOTSOCK)
    }
    /// sendto(2), then everything that follows from it.
    pub fn send(
        &mut self,
        socket: SocketId,
        data: &[u8],
        address: &[u8],
        flags: i32,
        caller: &dyn Caller,
    ) -> Result<usize, Errno> {
        Err(Errno::ENOTSOCK)
    }
    /// recvmsg(2) without waiting: `EAGAIN` where there is nothing. `MSG_ERRQUEUE` and `MSG_PEEK` are heeded.
    pub fn receive(&mut self, socket: SocketId, flags: i32) -> Result<Datagram, Errno> {
        Err(Errno::ENOTSOCK)
    }
    /// What can be received.
    pub fn readiness(&self, socket: SocketId) -> Readiness {
        Readiness::default()
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
        Err(Errno::ENOTTY)
    }
}
