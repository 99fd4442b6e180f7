//! The host's kernel asked by rtnetlink: pairs, lists, namespaces, in namespaces made for it.

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::{Duration, Instant};

use nix::ifaddrs::getifaddrs;
use nix::sched::{CloneFlags, unshare};
use nix::sys::socket::{AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, recv, send, socket};

use crate::lab;

/// A netlink socket in this thread's namespace.
pub(super) fn netlink() -> io::Result<OwnedFd> {
    Ok(socket(AddressFamily::Netlink, SockType::Raw, SockFlag::empty(), SockProtocol::NetlinkRoute)?)
}

/// A netlink socket in a namespace that was made for it, on a thread of its own.
fn in_fresh_namespace<T: Send + 'static>(
    work: impl FnOnce(&OwnedFd) -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    // Linux takes namespaces away in the background, and holds the lock that the next measurement needs meanwhile.
    std::thread::sleep(Duration::from_secs(3));
    on_a_thread(move || {
        unshare(CloneFlags::CLONE_NEWNET)?;
        work(&netlink()?)
    })
}

/// Namespaces are entered by threads.
pub(super) fn on_a_thread<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    std::thread::spawn(work).join().map_err(|_| io::Error::other("a measurement failed"))?
}

pub(super) fn request(netlink: &OwnedFd, bytes: &[u8]) -> io::Result<()> {
    Ok(send(netlink.as_raw_fd(), bytes, MsgFlags::empty()).map(drop)?)
}

/// Nanoseconds for each of `count` veth pairs, and for each link of a list of them afterwards.
pub(crate) fn pairs(count: u32) -> io::Result<(f64, f64)> {
    in_fresh_namespace(move |netlink| {
        let requests = lab::control::pair_requests(0, count);
        let start = Instant::now();
        for datagram in &requests {
            request(netlink, datagram)?;
        }
        let made = start.elapsed();
        let mut buffer = vec![0; 1 << 16];
        let mut list = || -> io::Result<()> {
            request(netlink, &lab::control::dump_request())?;
            loop {
                let length = recv(netlink.as_raw_fd(), &mut buffer, MsgFlags::empty())?;
                if buffer.get(4..6) == Some(&[3, 0]) || length == 0 {
                    return Ok(());
                }
            }
        };
        list()?;
        let start = Instant::now();
        list()?;
        Ok((made.as_nanos() as f64 / f64::from(count), start.elapsed().as_nanos() as f64 / f64::from(2 * count + 1)))
    })
}

/// Nanoseconds for each of `count` namespaces with one end of a cable to a bridge.
pub(crate) fn namespaces(count: u32) -> io::Result<f64> {
    in_fresh_namespace(move |netlink| {
        let home = File::open("/proc/thread-self/ns/net")?;
        request(netlink, &lab::bridge_request("br0"))?;
        let bridge = nix::net::if_::if_nametoindex("br0")?;
        let start = Instant::now();
        let mut held = Vec::new();
        for number in 0..count {
            unshare(CloneFlags::CLONE_NEWNET)?;
            let namespace = File::open("/proc/thread-self/ns/net")?;
            nix::sched::setns(&home, CloneFlags::CLONE_NEWNET)?;
            let fd = namespace.as_raw_fd() as u32;
            request(netlink, &lab::veth_request(&format!("p{number}"), "eth0", Some(fd), Some(bridge)))?;
            held.push(namespace);
        }
        let elapsed = start.elapsed();
        let ports = getifaddrs()?.filter(|entry| {
            entry.interface_name.starts_with('p') && entry.address.is_some_and(|it| it.as_link_addr().is_some())
        });
        if ports.count() < count as usize {
            return Err(io::Error::other("not every port was made"));
        }
        Ok(elapsed.as_nanos() as f64 / f64::from(count))
    })
}
