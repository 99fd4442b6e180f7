//! Readers of `/dev/kmsg`: each is one end of a socket pair, a record a packet.

use std::os::fd::{AsFd, OwnedFd};

use netloom_kernel::Record;
use netloom_machine::packet;

use super::{Server, Source};
use crate::sys::epoll::{self, Ready};

/// Somebody who has `/dev/kmsg` open.
#[derive(Debug)]
pub(super) struct LogReader {
    fd: OwnedFd,
    /// The record to send next.
    next: u64,
}

/// A record as a read(2) of `/dev/kmsg` gives it.
fn line(record: &Record) -> String {
    let micros = record.time.since_boot().as_micros();
    format!("{},{},{},-;{}\n", record.level as u8, record.sequence, micros, record.text)
}

impl Server {
    pub(super) fn add_log_reader(&mut self, fd: OwnedFd) {
        let index = self.index();
        if self.epoll.add(fd.as_fd(), Source::LogReader(index).token(), epoll::READ).is_ok() {
            self.log_readers.insert(index, LogReader { fd, next: 0 });
            self.send_log(index);
        }
    }

    /// Sends what the reader has room for.
    fn send_log(&mut self, index: u32) {
        let Some(reader) = self.log_readers.get_mut(&index) else { return };
        let mut full = false;
        for record in self.world.kernel.log().from(reader.next) {
            if packet::send(reader.fd.as_fd(), line(record).as_bytes(), &[], libc::MSG_DONTWAIT).is_err() {
                full = true;
                break;
            }
            reader.next = record.sequence + 1;
        }
        let events = if full { epoll::WRITE } else { epoll::READ };
        let _ = self.epoll.modify(reader.fd.as_fd(), Source::LogReader(index).token(), events);
    }

    pub(super) fn serve_log_readers(&mut self) {
        let readers: Vec<u32> = self.log_readers.keys().copied().collect();
        for index in readers {
            self.send_log(index);
        }
    }

    pub(super) fn serve_log_reader(&mut self, index: u32, ready: Ready) {
        // Nobody writes to the log this way: readable means closed.
        if ready.hung_up || ready.readable {
            self.log_readers.remove(&index);
        } else {
            self.send_log(index);
        }
    }
}
