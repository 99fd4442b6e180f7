//! Netlink sockets (netlink(7)): requests in, replies and notifications out.

mod dump;
mod multicast;
mod options;
mod port;
mod request;

use std::collections::{BTreeMap, BTreeSet};

pub(crate) use multicast::{listening, multicast};
pub(crate) use options::{option, set_option};
pub(crate) use port::{bind, connect, local_address};
pub(crate) use request::send;

use super::{ReceiveQueue, SocketKind};
use crate::error::Errno;
use crate::types::{NsId, SocketId};
use crate::{Control, Datagram, Kernel};

/// `NETLINK_ROUTE`: links, addresses, routes, neighbours.
pub(crate) const NETLINK_ROUTE: i32 = 0;
/// `NETLINK_GENERIC`: families by name; here ethtool.
pub(crate) const NETLINK_GENERIC: i32 = 16;

const SOCK_DGRAM: i32 = 2;
const SOCK_RAW: i32 = 3;

/// `SOL_NETLINK`.
const SOL_NETLINK: i32 = 270;

/// A namespace's netlink sockets.
#[derive(Debug, Default)]
pub(crate) struct Listeners {
    /// Who listens to which multicast group of which protocol, in the order in which they joined.
    groups: BTreeMap<(i32, u32), Vec<SocketId>>,
    /// Who has which port.
    ports: BTreeMap<(i32, u32), SocketId>,
    /// In the machine's first namespace, which outlives the others: the sockets that hear of every namespace
    /// (`NETLINK_LISTEN_ALL_NSID`).
    everywhere: Vec<SocketId>,
}

/// What a socket has switched on.
#[derive(Clone, Copy, Debug, Default)]
struct Switches {
    /// `NETLINK_EXT_ACK`: refusals with a message and an offset.
    extended_ack: bool,
    /// `NETLINK_CAP_ACK`: refusals without the request.
    capped_ack: bool,
    /// `NETLINK_GET_STRICT_CHK`: strict checks of "get" requests.
    strict: bool,
    /// `NETLINK_PKTINFO`: each datagram says which group it went to.
    packet_info: bool,
    /// `NETLINK_LISTEN_ALL_NSID`: hears of every namespace that has a number here.
    everywhere: bool,
    /// `NETLINK_NO_ENOBUFS`: losses are silent.
    no_enobufs: bool,
    /// `NETLINK_BROADCAST_ERROR`.
    broadcast_error: bool,
}

/// A netlink socket's own state.
#[derive(Debug)]
pub(crate) struct NetlinkSocket {
    protocol: i32,
    kind: i32,
    /// 0: not bound yet.
    port: u32,
    /// Where send(2) goes; only the kernel, 0, answers.
    peer: (u32, u32),
    groups: BTreeSet<u32>,
    switches: Switches,
    queue: ReceiveQueue<Datagram>,
    /// Whether anybody has received from it yet, and so said how much they take.
    read: bool,
    /// The list that is being told.
    dump: Option<Box<dump::Running>>,
}

impl NetlinkSocket {
    /// Whether receive has something to give.
    pub(crate) fn readable(&self) -> bool {
        !self.queue.is_empty()
    }

    /// `SOCK_RAW` or `SOCK_DGRAM`, which are the same.
    pub(crate) fn kind(&self) -> i32 {
        self.kind
    }

    /// `NETLINK_…`.
    pub(crate) fn protocol(&self) -> i32 {
        self.protocol
    }
}

/// A socket as socket(2) makes it.
pub(crate) fn new(kind: i32, protocol: i32) -> Result<NetlinkSocket, Errno> {
    if !matches!(kind, SOCK_RAW | SOCK_DGRAM) {
        return Err(Errno::ESOCKTNOSUPPORT);
    }
    if !matches!(protocol, NETLINK_ROUTE | NETLINK_GENERIC) {
        return Err(Errno::EPROTONOSUPPORT);
    }
    Ok(NetlinkSocket {
        protocol,
        kind,
        port: 0,
        peer: (0, 0),
        groups: BTreeSet::new(),
        switches: Switches::default(),
        queue: ReceiveQueue::default(),
        read: false,
        dump: None,
    })
}

/// The socket leaves its groups and gives its port back.
pub(crate) fn close(kernel: &mut Kernel, id: SocketId) {
    let Ok((ns, netlink)) = get(kernel, id) else { return };
    let (protocol, port, groups) = (netlink.protocol, netlink.port, std::mem::take(&mut netlink.groups));
    netlink.dump = None;
    for group in groups {
        multicast::leave(kernel, ns, protocol, group, id);
    }
    if let Some(netns) = kernel.namespaces.get_mut(ns)
        && netns.listeners.ports.get(&(protocol, port)) == Some(&id)
    {
        netns.listeners.ports.remove(&(protocol, port));
    }
    multicast::listen_everywhere(kernel, id, false);
}

/// recvmsg(2): the oldest datagram; the list that is being told goes on.
pub(crate) fn receive(kernel: &mut Kernel, id: SocketId, peek: bool) -> Result<Datagram, Errno> {
    let (_, netlink) = get(kernel, id)?;
    netlink.read = true;
    if peek {
        return netlink.queue.peek().cloned().ok_or(Errno::EAGAIN);
    }
    let datagram = netlink.queue.pop().ok_or(Errno::EAGAIN)?;
    if netlink.queue.is_empty() && netlink.dump.is_some() {
        dump::go_on(kernel, id);
    }
    Ok(datagram)
}

/// The socket and its namespace.
fn get(kernel: &mut Kernel, id: SocketId) -> Result<(NsId, &mut NetlinkSocket), Errno> {
    let socket = kernel.sockets.get_mut(id).ok_or(Errno::EBADF)?;
    match &mut socket.kind {
        SocketKind::Netlink(netlink) => Ok((socket.ns, netlink)),
        _ => Err(Errno::ENOTSOCK),
    }
}

/// Puts a datagram from the kernel into a socket's queue. Where that is full it is lost, and the next receive says so.
fn deliver(kernel: &mut Kernel, id: SocketId, data: Vec<u8>, group: u32, nsid: Option<i32>) {
    let Some(socket) = kernel.sockets.get_mut(id) else { return };
    let limit = socket.options.receive_buffer;
    let SocketKind::Netlink(netlink) = &mut socket.kind else { return };
    let mut control = Vec::new();
    if netlink.switches.packet_info {
        control.push(Control {
            level: SOL_NETLINK,
            kind: options::NETLINK_PKTINFO,
            data: group.to_ne_bytes().to_vec(),
        });
    }
    if let (true, Some(nsid)) = (netlink.switches.everywhere, nsid) {
        let kind = options::NETLINK_LISTEN_ALL_NSID;
        control.push(Control { level: SOL_NETLINK, kind, data: nsid.to_ne_bytes().to_vec() });
    }
    let mask = group.checked_sub(1).and_then(|bit| 1u32.checked_shl(bit)).unwrap_or(0);
    let datagram = Datagram { data, address: port::address(0, mask), control, flags: 0 };
    let silent = netlink.switches.no_enobufs;
    if netlink.queue.has_room(limit) {
        netlink.queue.push(datagram);
        kernel.announce(id);
    } else if !silent {
        kernel.socket_error(id, Errno::ENOBUFS);
    }
}
