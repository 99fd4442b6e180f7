//! Netlink sockets: requests in, replies and notifications out.

use std::collections::BTreeMap;

use crate::error::{Errno, Result};
use crate::types::SocketId;
use crate::{Caller, Datagram, Kernel};

/// Which sockets of a namespace listen to which multicast groups: (protocol, group) to sockets.
#[derive(Debug, Default)]
pub(crate) struct Listeners(pub(crate) BTreeMap<(i32, u32), Vec<SocketId>>);

/// A netlink socket.
#[derive(Debug)]
pub(crate) struct NetlinkSocket {}

impl NetlinkSocket {
    pub(super) fn readable(&self) -> bool {
        false
    }
}

pub(super) fn new(_kind: i32, _protocol: i32) -> Result<NetlinkSocket, Errno> {
    Err(Errno::EPROTONOSUPPORT)
}

pub(super) fn close(_kernel: &mut Kernel, _socket: SocketId) {}

pub(super) fn bind(
    _kernel: &mut Kernel,
    _socket: SocketId,
    _address: &[u8],
    _caller: &dyn Caller,
) -> Result<(), Errno> {
    Err(Errno::EOPNOTSUPP)
}

pub(super) fn connect(_kernel: &mut Kernel, _socket: SocketId, _address: &[u8]) -> Result<(), Errno> {
    Err(Errno::EOPNOTSUPP)
}

pub(super) fn local_address(_kernel: &mut Kernel, _socket: SocketId) -> Result<Vec<u8>, Errno> {
    Err(Errno::EOPNOTSUPP)
}

pub(super) fn set_option(_: &mut Kernel, _: SocketId, _level: i32, _name: i32, _value: &[u8]) -> Result<(), Errno> {
    Err(Errno::ENOPROTOOPT)
}

pub(super) fn option(_: &mut Kernel, _: SocketId, _level: i32, _name: i32) -> Result<Vec<u8>, Errno> {
    Err(Errno::ENOPROTOOPT)
}

pub(super) fn send(
    _: &mut Kernel,
    _: SocketId,
    _data: &[u8],
    _address: &[u8],
    _flags: i32,
    _caller: &dyn Caller,
) -> Result<usize, Errno> {
    Err(Errno::EOPNOTSUPP)
}

pub(super) fn receive(_kernel: &mut Kernel, _socket: SocketId, _peek: bool) -> Result<Datagram, Errno> {
    Err(Errno::EAGAIN)
}
