//! Descriptors that stand for a namespace, as an open `/run/netns/NAME` does.
//!
//! They have to be recognised when they come back in setns(2), and reading one has to fail with EINVAL. An epoll
//! instance does both: it has no read, and /proc shows the number that was given to the one descriptor it watches.

use std::fs;
use std::io;
use std::os::fd::{AsFd, OwnedFd};

use crate::sys::epoll::Epoll;
use crate::sys::eventfd;

/// Makes such descriptors.
#[derive(Debug)]
pub(crate) struct Marker {
    /// What each of them watches; never ready.
    watched: OwnedFd,
}

impl Marker {
    pub(crate) fn new() -> io::Result<Marker> {
        Ok(Marker { watched: eventfd()? })
    }

    /// A descriptor for the namespace with that inode number.
    pub(crate) fn make(&self, inode: u64) -> io::Result<OwnedFd> {
        let epoll = Epoll::new()?;
        epoll.add(self.watched.as_fd(), inode, 0)?;
        Ok(epoll.into())
    }

    /// The number that a process's descriptor was made with.
    pub(crate) fn read(pid: u32, fd: u32) -> Option<u64> {
        let info = fs::read_to_string(format!("/proc/{pid}/fdinfo/{fd}")).ok()?;
        let mut watched = info.lines().filter(|line| line.starts_with("tfd:"));
        let (line, None) = (watched.next()?, watched.next()) else { return None };
        let mut words = line.split_ascii_whitespace();
        words.find(|word| *word == "data:")?;
        u64::from_str_radix(words.next()?, 16).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsRawFd;

    #[test]
    fn a_marker_is_read_back() {
        let marker = Marker::new().expect("descriptors");
        let fd = marker.make(4_026_531_845).expect("descriptors");
        assert_eq!(Marker::read(std::process::id(), fd.as_raw_fd() as u32), Some(4_026_531_845));
        assert_eq!(Marker::read(std::process::id(), marker.watched.as_raw_fd() as u32), None);
    }
}
