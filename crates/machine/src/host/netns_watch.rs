//! Names of namespaces as they come and go: inotify(7) on `/run/netns`.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsRawFd, FromRawFd};

use super::netns::RUN_NETNS;

/// Watches `/run/netns` from its making on.
#[derive(Debug)]
pub(crate) struct HostNetnsWatch(File);

impl HostNetnsWatch {
    /// ENOENT where the directory does not exist yet.
    pub(crate) fn new() -> io::Result<HostNetnsWatch> {
        // SAFETY: takes a plain number; the new descriptor is owned by nobody else.
        let file = unsafe {
            let fd = libc::inotify_init1(libc::IN_CLOEXEC);
            if fd < 0 {
                return Err(io::Error::last_os_error());
            }
            File::from_raw_fd(fd)
        };
        let path = std::ffi::CString::new(RUN_NETNS)?;
        // SAFETY: a descriptor that lives and a string that ends in a zero.
        let watch =
            unsafe { libc::inotify_add_watch(file.as_raw_fd(), path.as_ptr(), libc::IN_CREATE | libc::IN_DELETE) };
        if watch < 0 { Err(io::Error::last_os_error()) } else { Ok(HostNetnsWatch(file)) }
    }

    /// Waits for the next events: names, and whether they are new.
    pub(crate) fn wait(&mut self) -> io::Result<Vec<(String, bool)>> {
        let mut buffer = [0; 4096];
        let length = self.0.read(&mut buffer)?;
        Ok(parse(buffer.get(..length).unwrap_or_default()))
    }
}

/// `struct inotify_event`s: watch, mask, cookie, length of the name, and the name padded with zeros.
fn parse(mut events: &[u8]) -> Vec<(String, bool)> {
    let mut names = Vec::new();
    while let Some((header, rest)) = events.split_first_chunk::<16>() {
        let word = |at: usize| u32::from_ne_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
        let Some((name, rest)) = rest.split_at_checked(word(12) as usize) else { break };
        let name = name.split(|&byte| byte == 0).next().unwrap_or_default();
        if !name.is_empty() {
            names.push((String::from_utf8_lossy(name).into_owned(), word(4) & libc::IN_CREATE != 0));
        }
        events = rest;
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_names_that_come_and_go() {
        let mut bytes = Vec::new();
        for (mask, name) in [(libc::IN_CREATE, "blue"), (libc::IN_DELETE, "red")] {
            for word in [1, mask, 0, 8] {
                bytes.extend_from_slice(&word.to_ne_bytes());
            }
            bytes.extend_from_slice(name.as_bytes());
            bytes.resize(bytes.len().next_multiple_of(8), 0);
        }
        assert_eq!(parse(&bytes), [("blue".to_owned(), true), ("red".to_owned(), false)]);
        assert_eq!(parse(&bytes[..20]), []);
    }
}
