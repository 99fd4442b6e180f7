//! Netlink addresses: a port for each socket, and the groups that it listens to.

use super::{get, multicast};
use crate::error::Errno;
use crate::types::{NsId, SocketId};
use crate::{Caller, Kernel};

const AF_NETLINK: u16 = 16;

/// Ports that the kernel chooses when a process' id is taken count down from here.
const FIRST_CHOSEN_PORT: u32 = (-4097i32) as u32;

/// A `sockaddr_nl`.
pub(super) fn address(port: u32, groups: u32) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(12);
    bytes.extend_from_slice(&AF_NETLINK.to_ne_bytes());
    bytes.extend_from_slice(&[0; 2]);
    bytes.extend_from_slice(&port.to_ne_bytes());
    bytes.extend_from_slice(&groups.to_ne_bytes());
    bytes
}

/// Port and groups of a `sockaddr_nl`.
fn parse(address: &[u8]) -> Result<(u32, u32), Errno> {
    let [f0, f1, _, _, p0, p1, p2, p3, g0, g1, g2, g3] = *address.first_chunk::<12>().ok_or(Errno::EINVAL)?;
    if u16::from_ne_bytes([f0, f1]) != AF_NETLINK {
        return Err(Errno::EINVAL);
    }
    Ok((u32::from_ne_bytes([p0, p1, p2, p3]), u32::from_ne_bytes([g0, g1, g2, g3])))
}

/// Where a sendto(2) goes.
pub(super) fn destination(address: &[u8]) -> Result<(u32, u32), Errno> {
    parse(address)
}

/// bind(2): takes the port (0: the caller's process id, or another that is free) and joins the groups of the mask.
pub(crate) fn bind(kernel: &mut Kernel, id: SocketId, address: &[u8], caller: &dyn Caller) -> Result<(), Errno> {
    let (wanted, mask) = parse(address)?;
    let (ns, netlink) = get(kernel, id)?;
    if netlink.port != 0 {
        if wanted != netlink.port {
            return Err(Errno::EINVAL);
        }
    } else if wanted == 0 {
        choose_port(kernel, id, caller)?;
    } else {
        take_port(kernel, ns, id, wanted)?;
    }
    let (_, netlink) = get(kernel, id)?;
    let protocol = netlink.protocol;
    // The mask stands for the first 32 groups; the others stay as they are.
    for group in 1..=32 {
        if mask & (1 << (group - 1)) != 0 {
            multicast::join(kernel, ns, protocol, group, id)?;
        } else {
            multicast::leave(kernel, ns, protocol, group, id);
        }
    }
    Ok(())
}

/// A port for a socket that has none.
pub(super) fn choose_port(kernel: &mut Kernel, id: SocketId, caller: &dyn Caller) -> Result<u32, Errno> {
    let (ns, netlink) = get(kernel, id)?;
    if netlink.port != 0 {
        return Ok(netlink.port);
    }
    let mut port = caller.pid();
    let mut next = FIRST_CHOSEN_PORT;
    loop {
        match take_port(kernel, ns, id, port) {
            Err(Errno::EADDRINUSE) => {
                port = next;
                next = next.checked_sub(1).ok_or(Errno::EADDRINUSE)?;
            }
            result => return result.map(|()| port),
        }
    }
}

fn take_port(kernel: &mut Kernel, ns: NsId, id: SocketId, port: u32) -> Result<(), Errno> {
    let (_, netlink) = get(kernel, id)?;
    let protocol = netlink.protocol;
    let netns = kernel.namespaces.get_mut(ns).ok_or(Errno::EINVAL)?;
    if port == 0 || netns.listeners.ports.contains_key(&(protocol, port)) {
        return Err(Errno::EADDRINUSE);
    }
    netns.listeners.ports.insert((protocol, port), id);
    get(kernel, id)?.1.port = port;
    Ok(())
}

/// connect(2): where send(2) goes from now on.
pub(crate) fn connect(kernel: &mut Kernel, id: SocketId, address: &[u8]) -> Result<(), Errno> {
    const AF_UNSPEC: [u8; 2] = [0; 2];
    let peer = if address.starts_with(&AF_UNSPEC) { (0, 0) } else { parse(address)? };
    get(kernel, id)?.1.peer = peer;
    Ok(())
}

/// getsockname(2).
pub(crate) fn local_address(kernel: &mut Kernel, id: SocketId) -> Result<Vec<u8>, Errno> {
    let (_, netlink) = get(kernel, id)?;
    let mask = netlink.groups.iter().filter(|group| **group <= 32).fold(0, |mask, group| mask | 1 << (group - 1));
    Ok(address(netlink.port, mask))
}
