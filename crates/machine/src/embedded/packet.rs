//! Packets over Unix `SOCK_SEQPACKET` sockets, with descriptors that come along: what [`crate::protocol`] travels in.

use std::ffi::OsStr;
use std::io;
use std::mem::{size_of, zeroed};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::protocol::MAX_PACKET;

/// The most descriptors that may come along with one packet.
const MAX_DESCRIPTORS: usize = 4;

fn check(result: libc::c_int) -> io::Result<libc::c_int> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

fn socket(flags: libc::c_int) -> io::Result<OwnedFd> {
    // SAFETY: takes plain numbers; the new descriptor is owned by nobody else.
    Ok(unsafe {
        OwnedFd::from_raw_fd(check(libc::socket(libc::AF_UNIX, libc::SOCK_SEQPACKET | libc::SOCK_CLOEXEC | flags, 0))?)
    })
}

fn address(path: &OsStr) -> io::Result<(libc::sockaddr_un, libc::socklen_t)> {
    // SAFETY: sockaddr_un is plain data; all zero is valid.
    let mut address: libc::sockaddr_un = unsafe { zeroed() };
    address.sun_family = libc::AF_UNIX as libc::sa_family_t;
    let bytes = path.as_bytes();
    if bytes.is_empty() || bytes.len() >= address.sun_path.len() || bytes.contains(&0) {
        return Err(io::Error::from_raw_os_error(libc::ENAMETOOLONG));
    }
    for (to, from) in address.sun_path.iter_mut().zip(bytes) {
        *to = *from as libc::c_char;
    }
    Ok((address, size_of::<libc::sockaddr_un>() as libc::socklen_t))
}

/// Connects to a listening socket.
pub fn connect(path: &OsStr) -> io::Result<OwnedFd> {
    let fd = socket(0)?;
    let (address, length) = address(path)?;
    // SAFETY: the address lives through the call and has the length beside it.
    check(unsafe { libc::connect(fd.as_raw_fd(), (&raw const address).cast(), length) })?;
    Ok(fd)
}

/// A listening socket at a path that must be free; accepting from it never waits.
pub fn listen(path: &OsStr) -> io::Result<OwnedFd> {
    let fd = socket(libc::SOCK_NONBLOCK)?;
    let (address, length) = address(path)?;
    // SAFETY: the address lives through the call and has the length beside it.
    check(unsafe { libc::bind(fd.as_raw_fd(), (&raw const address).cast(), length) })?;
    // SAFETY: takes plain numbers.
    check(unsafe { libc::listen(fd.as_raw_fd(), 512) })?;
    Ok(fd)
}

/// Two connected ends.
pub fn pair() -> io::Result<(OwnedFd, OwnedFd)> {
    let mut fds: [RawFd; 2] = [-1; 2];
    // SAFETY: the kernel fills the two descriptors, which nobody else owns.
    unsafe {
        check(libc::socketpair(libc::AF_UNIX, libc::SOCK_SEQPACKET | libc::SOCK_CLOEXEC, 0, fds.as_mut_ptr()))?;
        Ok((OwnedFd::from_raw_fd(fds[0]), OwnedFd::from_raw_fd(fds[1])))
    }
}

/// Sends one packet, with descriptors. `flags` are `MSG_…`; `MSG_NOSIGNAL` is added.
pub fn send(fd: BorrowedFd<'_>, data: &[u8], descriptors: &[BorrowedFd<'_>], flags: libc::c_int) -> io::Result<()> {
    if descriptors.is_empty() {
        return send_bytes(fd, data, flags);
    }
    if descriptors.len() > MAX_DESCRIPTORS {
        return Err(io::Error::from_raw_os_error(libc::EINVAL));
    }
    let mut iov = libc::iovec { iov_base: data.as_ptr().cast_mut().cast(), iov_len: data.len() };
    // Aligned for cmsghdr.
    let mut control = [0u64; 8];
    // SAFETY: msghdr is plain data; all zero is valid.
    let mut message: libc::msghdr = unsafe { zeroed() };
    message.msg_iov = &raw mut iov;
    message.msg_iovlen = 1;
    let bytes = (descriptors.len() * size_of::<RawFd>()) as u32;
    message.msg_control = control.as_mut_ptr().cast();
    // SAFETY: the buffer has room for a header and MAX_DESCRIPTORS descriptors, so the header that CMSG_FIRSTHDR gives
    // and the data behind it lie within it.
    unsafe {
        message.msg_controllen = libc::CMSG_SPACE(bytes) as _;
        let header = libc::CMSG_FIRSTHDR(&message);
        (*header).cmsg_level = libc::SOL_SOCKET;
        (*header).cmsg_type = libc::SCM_RIGHTS;
        (*header).cmsg_len = libc::CMSG_LEN(bytes) as _;
        for (index, descriptor) in descriptors.iter().enumerate() {
            libc::CMSG_DATA(header).cast::<RawFd>().add(index).write_unaligned(descriptor.as_raw_fd());
        }
    }
    // SAFETY: every pointer in `message` is to a live buffer of the length beside it.
    uninterrupted(|| unsafe { libc::sendmsg(fd.as_raw_fd(), &message, flags | libc::MSG_NOSIGNAL) })
}

/// Packets without descriptors, most of all, cost less this way.
fn send_bytes(fd: BorrowedFd<'_>, data: &[u8], flags: libc::c_int) -> io::Result<()> {
    // SAFETY: the data lives through the call and has the length beside it.
    uninterrupted(|| unsafe {
        libc::send(fd.as_raw_fd(), data.as_ptr().cast(), data.len(), flags | libc::MSG_NOSIGNAL)
    })
}

fn uninterrupted(call: impl Fn() -> isize) -> io::Result<()> {
    loop {
        match check(call() as libc::c_int) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            result => return result.map(drop),
        }
    }
}

/// Receives one packet, without what comes along; an empty packet is the end. A packet that is too long is
/// `InvalidData`.
pub fn receive_bytes(fd: BorrowedFd<'_>, buffer: &mut Vec<u8>, flags: libc::c_int) -> io::Result<()> {
    buffer.clear();
    buffer.reserve(MAX_PACKET);
    // SAFETY: the buffer has that much room.
    let length = unsafe { libc::recv(fd.as_raw_fd(), buffer.as_mut_ptr().cast(), MAX_PACKET, flags | libc::MSG_TRUNC) };
    let length = usize::try_from(length).map_err(|_| io::Error::last_os_error())?;
    if length > MAX_PACKET {
        return Err(io::ErrorKind::InvalidData.into());
    }
    // SAFETY: the kernel wrote that many bytes.
    unsafe { buffer.set_len(length) };
    Ok(())
}

/// Receives one packet and what comes along; an empty packet is the end. A packet that is too long is `InvalidData`.
pub fn receive(fd: BorrowedFd<'_>, buffer: &mut Vec<u8>, flags: libc::c_int) -> io::Result<Vec<OwnedFd>> {
    buffer.clear();
    buffer.reserve(MAX_PACKET);
    let mut iov = libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: MAX_PACKET };
    let mut control = [0u64; 8];
    // SAFETY: msghdr is plain data; all zero is valid.
    let mut message: libc::msghdr = unsafe { zeroed() };
    message.msg_iov = &raw mut iov;
    message.msg_iovlen = 1;
    message.msg_control = control.as_mut_ptr().cast();
    message.msg_controllen = size_of_val(&control) as _;
    // SAFETY: every pointer in `message` is to a live buffer of the length beside it.
    let received = unsafe { libc::recvmsg(fd.as_raw_fd(), &mut message, flags | libc::MSG_CMSG_CLOEXEC) };
    if received < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel wrote that many bytes, at most MAX_PACKET of them.
    unsafe { buffer.set_len((received as usize).min(MAX_PACKET)) };
    let mut descriptors = Vec::new();
    // SAFETY: the CMSG functions walk the control buffer that the kernel filled; each descriptor in it is new and ours.
    unsafe {
        let mut header = libc::CMSG_FIRSTHDR(&message);
        while let Some(found) = header.as_ref() {
            if found.cmsg_level == libc::SOL_SOCKET && found.cmsg_type == libc::SCM_RIGHTS {
                let bytes = found.cmsg_len.saturating_sub(libc::CMSG_LEN(0) as usize);
                for index in 0..bytes / size_of::<RawFd>() {
                    let raw = libc::CMSG_DATA(header).cast::<RawFd>().add(index).read_unaligned();
                    descriptors.push(OwnedFd::from_raw_fd(raw));
                }
            }
            header = libc::CMSG_NXTHDR(&message, header);
        }
    }
    if message.msg_flags & (libc::MSG_TRUNC | libc::MSG_CTRUNC) != 0 {
        return Err(io::ErrorKind::InvalidData.into());
    }
    Ok(descriptors)
}

/// A value as a packet.
pub fn encode(value: &impl Serialize) -> io::Result<Vec<u8>> {
    let mut packet = Vec::new();
    append(&mut packet, value)?;
    Ok(packet)
}

/// Puts one more value into a packet; where it begins. It has to be a packet by itself at least.
pub fn append(packet: &mut Vec<u8>, value: &impl Serialize) -> io::Result<usize> {
    let start = packet.len();
    *packet =
        postcard::to_extend(value, std::mem::take(packet)).map_err(|_| io::Error::from_raw_os_error(libc::EINVAL))?;
    if packet.len() - start > MAX_PACKET { Err(io::Error::from_raw_os_error(libc::EMSGSIZE)) } else { Ok(start) }
}

/// The value in a packet; `InvalidData` where it holds none.
pub fn decode<T: DeserializeOwned>(packet: &[u8]) -> io::Result<T> {
    split(packet).map(|(value, _)| value)
}

/// The first value in a packet, and what is behind it; `InvalidData` where there is none.
pub fn split<T: DeserializeOwned>(packet: &[u8]) -> io::Result<(T, &[u8])> {
    postcard::take_from_bytes(packet).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;

    use super::*;

    #[test]
    fn values_share_a_packet() {
        let mut packet = encode(&(1u32, "first")).unwrap();
        let start = append(&mut packet, &(2u32, "second")).unwrap();
        let ((number, text), rest) = split::<(u32, String)>(&packet).unwrap();
        assert_eq!((number, text.as_str(), rest), (1, "first", &packet[start..]));
        assert_eq!(decode::<(u32, String)>(rest).unwrap(), (2, "second".to_owned()));
        assert!(split::<(u32, String)>(&[]).is_err());
    }

    #[test]
    fn a_packet_that_is_too_long_is_refused_whole() {
        let (one, other) = pair().unwrap();
        let mut buffer = Vec::new();
        for (length, accepted) in [(MAX_PACKET, true), (MAX_PACKET + 1, false), (1, true)] {
            send(one.as_fd(), &vec![0; length], &[], 0).unwrap();
            assert_eq!(receive_bytes(other.as_fd(), &mut buffer, 0).is_ok(), accepted, "{length}");
        }
        drop(one);
        receive_bytes(other.as_fd(), &mut buffer, 0).unwrap();
        assert!(buffer.is_empty());
    }
}
