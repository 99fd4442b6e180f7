//! The memory of another process.

use std::io;
use std::mem::size_of;

use super::check;

/// Reads up to `buffer.len()` bytes at `address`; fewer where the memory ends.
pub(crate) fn read(pid: u32, address: u64, buffer: &mut [u8]) -> io::Result<usize> {
    // One page at a time, since a page that isn't there fails the whole of its piece.
    let mut done = 0;
    while done < buffer.len() {
        let at = address.wrapping_add(done as u64);
        let room = (4096 - (at % 4096) as usize).min(buffer.len() - done);
        let piece = &mut buffer[done..done + room];
        let local = libc::iovec { iov_base: piece.as_mut_ptr().cast(), iov_len: piece.len() };
        let remote = libc::iovec { iov_base: at as *mut libc::c_void, iov_len: piece.len() };
        // SAFETY: the kernel writes at most `piece.len()` bytes into `piece`; the other address is only a number to us.
        match check(unsafe { libc::process_vm_readv(pid as libc::pid_t, &local, 1, &remote, 1, 0) }) {
            Ok(count) if count > 0 => done += count as usize,
            Ok(_) => break,
            Err(_) if done > 0 => break,
            Err(error) => return Err(error),
        }
    }
    Ok(done)
}

/// A string up to its zero byte: at most `PATH_MAX` bytes, `ENAMETOOLONG` beyond.
pub(crate) fn read_string(pid: u32, address: u64) -> io::Result<Vec<u8>> {
    let mut string = Vec::new();
    let mut chunk = [0u8; 256];
    while string.len() < libc::PATH_MAX as usize {
        let at = address.wrapping_add(string.len() as u64);
        // Not beyond the page, which is most often where the string ends.
        let room = chunk.len().min(4096 - (at % 4096) as usize).min(libc::PATH_MAX as usize - string.len());
        let count = read(pid, at, &mut chunk[..room])?;
        let piece = &chunk[..count];
        if let Some(end) = piece.iter().position(|&byte| byte == 0) {
            string.extend_from_slice(&piece[..end]);
            return Ok(string);
        }
        if count < room {
            return Err(io::Error::from_raw_os_error(libc::EFAULT));
        }
        string.extend_from_slice(piece);
    }
    Err(io::Error::from_raw_os_error(libc::ENAMETOOLONG))
}

/// Writes all of `data` to `address`.
pub(crate) fn write(pid: u32, address: u64, data: &[u8]) -> io::Result<()> {
    let local = libc::iovec { iov_base: data.as_ptr().cast_mut().cast(), iov_len: data.len() };
    let remote = libc::iovec { iov_base: address as *mut libc::c_void, iov_len: data.len() };
    // SAFETY: the kernel only reads from `data`; the other address is only a number to us.
    let count = check(unsafe { libc::process_vm_writev(pid as libc::pid_t, &local, 1, &remote, 1, 0) })?;
    if count as usize == data.len() { Ok(()) } else { Err(io::Error::from_raw_os_error(libc::EFAULT)) }
}

/// A plain structure's bytes.
pub(crate) fn bytes_of<T: Plain>(value: &T) -> &[u8] {
    // SAFETY: `Plain` types are made of integers, every byte of them initialised by `zeroed`.
    unsafe { std::slice::from_raw_parts((&raw const *value).cast(), size_of::<T>()) }
}

/// All zero.
pub(crate) fn zeroed<T: Plain>() -> T {
    // SAFETY: `Plain` types are made of integers alone, for which zero is a value.
    unsafe { std::mem::zeroed() }
}

/// Structures of the kernel's interface, made of integers alone.
///
/// # Safety
/// All zero is a value of the type, and so is any other pattern of bits.
pub(crate) unsafe trait Plain: Copy {}

// SAFETY: stat(2), statx(2), statfs(2): integers, and padding that is a field.
unsafe impl Plain for libc::stat {}
// SAFETY: as above.
unsafe impl Plain for libc::statx {}
// SAFETY: as above.
unsafe impl Plain for libc::statfs {}
