//! The host's kernel as a router between two cables.

use std::fs::{self, File};
use std::io;
use std::os::fd::AsRawFd;

use nix::net::if_::if_nametoindex;
use nix::sched::{CloneFlags, setns, unshare};

use super::control::{netlink, on_a_thread, request};
use super::sender::{Sender, received};
use crate::lab;

/// r0 and r1 in one namespace, their far ends e0 and e1 in another.
pub(crate) struct Router {
    sender: Sender,
    stations: File,
    /// Held, or it would be gone.
    _router: File,
    frames: Vec<Vec<u8>>,
}

impl Router {
    /// With that many routes.
    pub(crate) fn new(routes: u32) -> io::Result<Router> {
        let (sender, stations, held) = on_a_thread(move || {
            unshare(CloneFlags::CLONE_NEWNET)?;
            let stations = File::open("/proc/thread-self/ns/net")?;
            unshare(CloneFlags::CLONE_NEWNET)?;
            let held = File::open("/proc/thread-self/ns/net")?;
            let router = netlink()?;
            for datagram in lab::router::cable_requests(stations.as_raw_fd() as u32) {
                request(&router, &datagram)?;
            }
            let (near, far) = (if_nametoindex("r0")?, if_nametoindex("r1")?);
            fs::write("/proc/sys/net/ipv4/ip_forward", "1")?;
            setns(&stations, CloneFlags::CLONE_NEWNET)?;
            let there = netlink()?;
            for end in ["e0", "e1"] {
                request(&there, &lab::up_request(end))?;
            }
            for datagram in lab::router::address_requests(near, far).iter().chain(&lab::router::route_requests(routes))
            {
                request(&router, datagram)?;
            }
            Ok((Sender::new("e0")?, stations, held))
        })?;
        Ok(Router { sender, stations, _router: held, frames: lab::router::frames(routes) })
    }

    /// Nanoseconds for each packet of 64-byte frames that is forwarded.
    pub(crate) fn packets(&self) -> io::Result<f64> {
        let scope = std::thread::scope(|scope| {
            let work = || {
                setns(&self.stations, CloneFlags::CLONE_NEWNET)?;
                Ok(self.sender.flood(&self.frames, || received("thread-self", "e1")))
            };
            scope.spawn(work).join()
        });
        scope.map_err(|_| io::Error::other("a measurement failed"))?
    }
}
