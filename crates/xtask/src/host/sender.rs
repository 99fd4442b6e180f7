//! Frames into a device of the host as fast as one processor can, and how many come out elsewhere.

use std::io::{self, IoSlice};
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::{Duration, Instant};

use nix::ifaddrs::getifaddrs;
use nix::sys::socket::{AddressFamily, LinkAddr, MsgFlags, MultiHeaders, SockFlag, SockType, bind, sendmmsg, socket};

/// How many frames go out with one system call.
const BATCH: usize = 64;

/// A packet socket bound to a device.
pub(crate) struct Sender(OwnedFd);

impl Sender {
    /// To a device of this thread's namespace.
    pub(crate) fn new(device: &str) -> io::Result<Sender> {
        let socket = socket(AddressFamily::Packet, SockType::Raw, SockFlag::empty(), None)?;
        let address: LinkAddr = getifaddrs()?
            .filter(|entry| entry.interface_name == device)
            .find_map(|entry| entry.address?.as_link_addr().copied())
            .ok_or_else(|| io::Error::other(format!("{device} has no address")))?;
        bind(socket.as_raw_fd(), &address)?;
        Ok(Sender(socket))
    }

    /// Nanoseconds for each of the frames, sent in turn for a while, that is `received`.
    pub(crate) fn flood(&self, frames: &[Vec<u8>], received: impl Fn() -> u64) -> f64 {
        let slices: Vec<[IoSlice<'_>; 1]> = frames.iter().map(|frame| [IoSlice::new(frame)]).collect();
        let addresses: Vec<Option<LinkAddr>> = vec![None; BATCH];
        let mut headers = MultiHeaders::preallocate(BATCH, None);
        let mut batches = slices.iter().cycle();
        let before = received();
        let start = Instant::now();
        while start.elapsed() < Duration::from_millis(200) {
            let batch: Vec<_> = batches.by_ref().take(BATCH).collect();
            let _ = sendmmsg(self.0.as_raw_fd(), &mut headers, batch, &addresses, [], MsgFlags::empty());
        }
        let elapsed = start.elapsed();
        elapsed.as_nanos() as f64 / (received() - before).max(1) as f64
    }
}

/// A frame of an experimental EtherType.
pub(crate) fn frame(destination: [u8; 6], length: usize) -> Vec<u8> {
    let mut frame = [&destination[..], &[0x02, 0, 0, 0, 0, 0x77], &[0x88, 0xb5]].concat();
    frame.resize(length, 0x5a);
    frame
}

/// How many frames a device in the namespace of a process (`self`, `thread-self`, a number) has received.
pub(crate) fn received(process: &str, device: &str) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{process}/net/dev")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.trim().strip_prefix(device)?.strip_prefix(':'));
    line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok()).unwrap_or_default()
}
