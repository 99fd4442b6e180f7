//! A device's index, name and addresses, asked for through any socket of its namespace.

use std::io;
use std::net::IpAddr;

use netloom_machine::netlink::{Netlink, Request};
use netloom_machine::{Machine, Netns, Socket};

const SIOCGIFNAME: u32 = 0x8910;
const SIOCGIFFLAGS: u32 = 0x8913;
const SIOCGIFINDEX: u32 = 0x8933;
const IFREQ: usize = 40;
/// Where `ifr_name` ends and the union begins.
const UNION: usize = 16;

fn ifreq(name: &str) -> io::Result<[u8; IFREQ]> {
    let mut request = [0; IFREQ];
    let room = request.get_mut(..name.len()).filter(|_| !name.is_empty() && name.len() < UNION);
    room.ok_or_else(|| io::Error::from_raw_os_error(libc::ENODEV))?.copy_from_slice(name.as_bytes());
    Ok(request)
}

fn ask<const N: usize>(socket: &Socket, name: &str, request: u32) -> io::Result<[u8; N]> {
    let mut argument = ifreq(name)?;
    socket.ioctl(request, &mut argument)?;
    argument[UNION..].first_chunk().copied().ok_or_else(|| io::ErrorKind::InvalidData.into())
}

/// if_nametoindex(3).
pub(crate) fn index(socket: &Socket, name: &str) -> io::Result<u32> {
    ask(socket, name, SIOCGIFINDEX).map(u32::from_ne_bytes)
}

/// if_indextoname(3).
pub(crate) fn name(socket: &Socket, index: u32) -> io::Result<String> {
    let mut argument = [0; IFREQ];
    argument[UNION..UNION + 4].copy_from_slice(&index.to_ne_bytes());
    socket.ioctl(SIOCGIFNAME, &mut argument)?;
    let name = argument.split(|&byte| byte == 0).next().unwrap_or_default();
    Ok(String::from_utf8_lossy(name.get(..UNION).unwrap_or(name)).into_owned())
}

/// `IFF_UP` and its like.
pub(crate) fn flags(socket: &Socket, name: &str) -> io::Result<u32> {
    ask(socket, name, SIOCGIFFLAGS).map(u16::from_ne_bytes).map(u32::from)
}

/// Every local address of the device.
pub(crate) fn addresses(machine: &Machine, ns: &Netns, index: u32) -> Vec<IpAddr> {
    const RTM_GETADDR: u16 = 22;
    const IFA_ADDRESS: u16 = 1;
    const IFA_LOCAL: u16 = 2;
    let mut found = Vec::new();
    let Ok(mut netlink) = Netlink::open(machine, ns, libc::NETLINK_ROUTE) else { return found };
    let mut request = Request::new(RTM_GETADDR, 0);
    request.put(&[0; 8]);
    // What can't be listed is on no device.
    let _ = netlink.dump(&mut request, |message| {
        let on = message.payload.get(4..8).and_then(|bytes| bytes.try_into().ok()).map(u32::from_ne_bytes);
        if on != Some(index) {
            return;
        }
        let table = message.attributes(8).table::<3>();
        let address = table.bytes(IFA_LOCAL).or_else(|| table.bytes(IFA_ADDRESS)).unwrap_or_default();
        if let Ok(v4) = <[u8; 4]>::try_from(address) {
            found.push(v4.into());
        } else if let Ok(v6) = <[u8; 16]>::try_from(address) {
            found.push(v6.into());
        }
    });
    found
}
