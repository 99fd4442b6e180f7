//! System calls on a socket, with raw bytes for every structure.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::time::Duration;

use crate::{Control, Received};

fn check(result: libc::c_int) -> io::Result<libc::c_int> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

pub(crate) fn bind(fd: BorrowedFd<'_>, address: &[u8]) -> io::Result<()> {
    // SAFETY: the kernel reads `len` bytes at the pointer, which is what the slice holds.
    check(unsafe { libc::bind(fd.as_raw_fd(), address.as_ptr().cast(), address.len() as libc::socklen_t) })?;
    Ok(())
}

pub(crate) fn connect(fd: BorrowedFd<'_>, address: &[u8]) -> io::Result<()> {
    // SAFETY: as in `bind`.
    check(unsafe { libc::connect(fd.as_raw_fd(), address.as_ptr().cast(), address.len() as libc::socklen_t) })?;
    Ok(())
}

pub(crate) fn local_address(fd: BorrowedFd<'_>) -> io::Result<Vec<u8>> {
    let mut address = vec![0u8; size_of::<libc::sockaddr_storage>()];
    let mut length = address.len() as libc::socklen_t;
    // SAFETY: the kernel writes at most `length` bytes, the size of the buffer.
    check(unsafe { libc::getsockname(fd.as_raw_fd(), address.as_mut_ptr().cast(), &mut length) })?;
    address.truncate(length as usize);
    Ok(address)
}

pub(crate) fn set_option(fd: BorrowedFd<'_>, level: i32, name: i32, value: &[u8]) -> io::Result<()> {
    // SAFETY: the kernel reads as many bytes as the slice holds.
    check(unsafe {
        libc::setsockopt(fd.as_raw_fd(), level, name, value.as_ptr().cast(), value.len() as libc::socklen_t)
    })?;
    Ok(())
}

pub(crate) fn option(fd: BorrowedFd<'_>, level: i32, name: i32, length: usize) -> io::Result<Vec<u8>> {
    let mut value = vec![0u8; length];
    let mut length = length as libc::socklen_t;
    // SAFETY: the kernel writes at most `length` bytes, the size of the buffer.
    check(unsafe { libc::getsockopt(fd.as_raw_fd(), level, name, value.as_mut_ptr().cast(), &mut length) })?;
    value.truncate(length as usize);
    Ok(value)
}

pub(crate) fn send(fd: BorrowedFd<'_>, data: &[u8], address: &[u8], flags: i32) -> io::Result<usize> {
    let to = if address.is_empty() { std::ptr::null() } else { address.as_ptr().cast() };
    // SAFETY: both slices live through the call; a null address goes with length 0.
    let sent = unsafe {
        libc::sendto(fd.as_raw_fd(), data.as_ptr().cast(), data.len(), flags, to, address.len() as libc::socklen_t)
    };
    if sent < 0 { Err(io::Error::last_os_error()) } else { Ok(sent as usize) }
}

pub(crate) fn receive(fd: BorrowedFd<'_>, length: usize, flags: i32) -> io::Result<Received> {
    let mut data = Vec::<u8>::with_capacity(length);
    let mut address = vec![0u8; size_of::<libc::sockaddr_storage>()];
    // Aligned for cmsghdr.
    let mut control = [0u64; 128];
    let mut iov = libc::iovec { iov_base: data.as_mut_ptr().cast(), iov_len: length };
    // SAFETY: msghdr is plain data; all zero is valid.
    let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
    message.msg_name = address.as_mut_ptr().cast();
    message.msg_namelen = address.len() as libc::socklen_t;
    message.msg_iov = &mut iov;
    message.msg_iovlen = 1;
    message.msg_control = control.as_mut_ptr().cast();
    message.msg_controllen = size_of_val(&control);
    // SAFETY: every pointer in `message` is to a live buffer of the length beside it.
    let received = unsafe { libc::recvmsg(fd.as_raw_fd(), &mut message, flags) };
    if received < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel wrote that many bytes (with MSG_TRUNC it may report more than it wrote).
    unsafe { data.set_len((received as usize).min(length)) };
    address.truncate(message.msg_namelen as usize);
    let mut controls = Vec::new();
    // SAFETY: the CMSG functions walk the control buffer that the kernel filled, within msg_controllen.
    unsafe {
        let mut header = libc::CMSG_FIRSTHDR(&message);
        while let Some(found) = header.as_ref() {
            let bytes = (found.cmsg_len).saturating_sub(libc::CMSG_LEN(0) as usize);
            controls.push(Control {
                level: found.cmsg_level,
                kind: found.cmsg_type,
                data: std::slice::from_raw_parts(libc::CMSG_DATA(header), bytes).to_vec(),
            });
            header = libc::CMSG_NXTHDR(&message, header);
        }
    }
    Ok(Received { data, address, control: controls, flags: message.msg_flags })
}

pub(crate) fn wait(fd: BorrowedFd<'_>, timeout: Option<Duration>) -> io::Result<bool> {
    let mut poll = libc::pollfd { fd: fd.as_raw_fd(), events: libc::POLLIN | libc::POLLERR, revents: 0 };
    let time = timeout.map(|t| libc::timespec { tv_sec: t.as_secs() as _, tv_nsec: t.subsec_nanos() as _ });
    let time = time.as_ref().map_or(std::ptr::null(), |t| t as *const _);
    let held = crate::interrupt::hold()?;
    let mask = held.as_ref().map_or(std::ptr::null(), |held| held.mask());
    // SAFETY: one pollfd, a timespec or null, a signal mask or null.
    Ok(check(unsafe { libc::ppoll(&mut poll, 1, time, mask) })? > 0)
}

pub(crate) fn ioctl(fd: BorrowedFd<'_>, request: u32, argument: &mut [u8]) -> io::Result<i32> {
    // The kernel copies a structure of the request's own size, which may be longer than what the caller gave.
    let mut room = [0u64; 64];
    let bytes = as_bytes(&mut room);
    bytes[..argument.len()].copy_from_slice(argument);
    // SAFETY: `room` is longer than any structure of the network ioctls (rtentry, the longest, has 120 bytes).
    let result = check(unsafe { libc::ioctl(fd.as_raw_fd(), request as _, bytes.as_mut_ptr()) })?;
    argument.copy_from_slice(&bytes[..argument.len()]);
    Ok(result)
}

pub(crate) fn ioctl_value(fd: BorrowedFd<'_>, request: u32, value: u32) -> io::Result<i32> {
    // SAFETY: `Socket::ioctl_value` is for requests whose argument is a number, which the kernel doesn't follow.
    check(unsafe { libc::ioctl(fd.as_raw_fd(), request as _, libc::c_ulong::from(value)) })
}

pub(crate) fn ioctl_with_data(
    fd: BorrowedFd<'_>,
    request: u32,
    argument: &mut [u8],
    pointer_at: usize,
    data: &mut [u8],
) -> io::Result<i32> {
    argument[pointer_at..pointer_at + 8].copy_from_slice(&(data.as_mut_ptr() as u64).to_ne_bytes());
    let result = ioctl(fd, request, argument);
    argument[pointer_at..pointer_at + 8].fill(0);
    result
}

fn as_bytes(words: &mut [u64; 64]) -> &mut [u8] {
    // SAFETY: u64s may be seen as bytes; the length is theirs.
    unsafe { std::slice::from_raw_parts_mut(words.as_mut_ptr().cast(), size_of_val(words)) }
}
