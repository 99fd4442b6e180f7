//! Memory that a program shares with its machine: a file without a name, of a size that nobody can change.

use std::fs::File;
use std::io::{self, Seek, SeekFrom};
use std::ops::Deref;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::ptr::NonNull;

use super::ring::Ring;

/// What lies in it. The other side may write anything to it at any time: all of it is atomic, and nothing is trusted.
#[derive(Debug)]
#[repr(C)]
pub(super) struct Shared {
    /// From the program to the machine.
    pub(super) requests: Ring,
    /// From the machine to the program.
    pub(super) answers: Ring,
}

/// A mapping of such a file.
#[derive(Debug)]
pub(super) struct Memory(NonNull<Shared>);

/// What keeps the size, so that no access can fault.
const SEALS: libc::c_int = libc::F_SEAL_SHRINK | libc::F_SEAL_GROW | libc::F_SEAL_SEAL;

const SIZE: usize = size_of::<Shared>();

fn check(result: libc::c_int) -> io::Result<libc::c_int> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

impl Memory {
    /// Fresh memory, all of it zero, and the descriptor for the other side.
    pub(super) fn create() -> io::Result<(Memory, OwnedFd)> {
        let flags = libc::MFD_CLOEXEC | libc::MFD_ALLOW_SEALING;
        // SAFETY: the name ends with a zero byte; the new descriptor is owned by nobody else.
        let file = File::from(unsafe { OwnedFd::from_raw_fd(check(libc::memfd_create(c"netloom".as_ptr(), flags))?) });
        file.set_len(SIZE as u64)?;
        // SAFETY: takes plain numbers.
        check(unsafe { libc::fcntl(file.as_raw_fd(), libc::F_ADD_SEALS, SEALS) })?;
        let fd = OwnedFd::from(file);
        Ok((Memory::map(&fd)?, fd))
    }

    /// The memory behind a descriptor; `InvalidData` where it isn't such memory.
    pub(super) fn open(fd: OwnedFd) -> io::Result<Memory> {
        // SAFETY: takes plain numbers.
        let seals = unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_GET_SEALS) };
        let mut file = File::from(fd);
        // Not by statx(2), for which a supervised program has to wait.
        if seals & SEALS != SEALS || file.seek(SeekFrom::End(0))? != SIZE as u64 {
            return Err(io::ErrorKind::InvalidData.into());
        }
        Memory::map(&file.into())
    }

    fn map(fd: &OwnedFd) -> io::Result<Memory> {
        // SAFETY: a new mapping, at an address that the kernel chooses.
        let address = unsafe {
            let protection = libc::PROT_READ | libc::PROT_WRITE;
            let flags = libc::MAP_SHARED | libc::MAP_POPULATE;
            libc::mmap(std::ptr::null_mut(), SIZE, protection, flags, fd.as_raw_fd(), 0)
        };
        if address == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        NonNull::new(address.cast()).map(Memory).ok_or_else(|| io::ErrorKind::InvalidData.into())
    }
}

impl Deref for Memory {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        // SAFETY: `map` made the mapping, of that size and aligned to a page; it lives as long as `self`, and its seals
        // keep the file from getting shorter. Every field is an atomic, for which any bits are a value and a change by
        // somebody else is nothing unusual.
        unsafe { self.0.as_ref() }
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: the mapping that `map` made, to which nothing refers any more.
        unsafe { libc::munmap(self.0.as_ptr().cast(), SIZE) };
    }
}

// SAFETY: a mapping belongs to the process, not to a thread, and all that is in it is atomic.
unsafe impl Send for Memory {}
// SAFETY: as above.
unsafe impl Sync for Memory {}
