//! A descriptor of `/dev/net/tun`: what a TUN or TAP device is made and held by.

use super::SocketKind;
use crate::Kernel;
use crate::drivers::tun::{self, TunFlags, Wanted};
use crate::error::{Errno, Result};
use crate::types::{DevId, NsId, SocketId};

/// Request numbers of `linux/if_tun.h`.
mod request {
    pub(super) const TUNSETIFF: u32 = 0x4004_54ca;
    pub(super) const TUNSETPERSIST: u32 = 0x4004_54cb;
    pub(super) const TUNSETOWNER: u32 = 0x4004_54cc;
    pub(super) const TUNSETGROUP: u32 = 0x4004_54ce;
    pub(super) const TUNGETFEATURES: u32 = 0x8004_54cf;
    pub(super) const TUNGETIFF: u32 = 0x8004_54d2;
    pub(super) const TUNSETIFINDEX: u32 = 0x4004_54da;
}

/// Bytes of a name in an `ifreq`, and of its flags.
const NAME: usize = 16;
const FLAGS: std::ops::Range<usize> = NAME..NAME + 2;

/// One open descriptor.
#[derive(Debug, Default)]
pub(crate) struct TunFile {
    /// The device it is attached to.
    dev: Option<DevId>,
    /// The ifindex that the next device is to have.
    ifindex: Option<u32>,
}

impl Kernel {
    /// open(2) of `/dev/net/tun`: devices are made and found in `ns`.
    ///
    /// Its ioctls are [`Kernel::ioctl`]'s; where Linux takes a number as the argument itself, `argument` holds its
    /// bytes.
    pub fn open_tun(&mut self, ns: NsId) -> Result<SocketId, Errno> {
        self.open_in(ns, SocketKind::Tun(TunFile::default()))
    }
}

/// close(2).
pub(super) fn close(kernel: &mut Kernel, socket: SocketId) {
    if let Some(dev) = attached(kernel, socket) {
        tun::detach(kernel, dev);
    }
}

fn file(kernel: &mut Kernel, socket: SocketId) -> Result<&mut TunFile, Errno> {
    match kernel.sockets.get_mut(socket).map(|open| &mut open.kind) {
        Some(SocketKind::Tun(file)) => Ok(file),
        _ => Err(Errno::EBADF),
    }
}

/// The device, as long as it is there.
fn attached(kernel: &mut Kernel, socket: SocketId) -> Option<DevId> {
    let dev = file(kernel, socket).ok()?.dev?;
    kernel.devices.contains_key(dev).then_some(dev)
}

fn number(argument: &[u8]) -> Result<u32, Errno> {
    argument.first_chunk().map(|bytes| u32::from_ne_bytes(*bytes)).ok_or(Errno::EFAULT)
}

/// ioctl(2).
pub(super) fn ioctl(kernel: &mut Kernel, socket: SocketId, request: u32, argument: &mut [u8]) -> Result<i32, Errno> {
    use request::*;
    let dev = attached(kernel, socket);
    match (request, dev) {
        (TUNGETFEATURES, _) => {
            let features = TunFlags::FEATURES | TunFlags::MODE;
            let room = argument.get_mut(..4).ok_or(Errno::EFAULT)?;
            room.copy_from_slice(&u32::from(features.bits()).to_ne_bytes());
        }
        (TUNSETIFF, Some(_)) => return Err(Errno::EEXIST),
        (TUNSETIFF, None) => set_interface(kernel, socket, argument)?,
        (TUNSETIFINDEX, Some(_)) => return Err(Errno::EPERM),
        (TUNSETIFINDEX, None) => {
            let index = i32::try_from(number(argument)?).map_err(|_| Errno::EINVAL)?;
            file(kernel, socket)?.ifindex = (index > 0).then_some(index as u32);
        }
        (_, None) => return Err(Errno::EBADFD),
        (TUNGETIFF, Some(dev)) => {
            let device = &kernel.devices[dev];
            let flags = device.tun().map_or(TunFlags::empty(), |tun| tun.flags) | TunFlags::NO_PI;
            let name = device.name.as_str().as_bytes();
            argument.get_mut(..NAME).ok_or(Errno::EFAULT)?.fill(0);
            argument[..name.len()].copy_from_slice(name);
            argument.get_mut(FLAGS).ok_or(Errno::EFAULT)?.copy_from_slice(&flags.bits().to_ne_bytes());
        }
        (TUNSETPERSIST, Some(dev)) => tun::set_persist(kernel, dev, number(argument)? != 0)?,
        (TUNSETOWNER, Some(dev)) => tun::set_owner(kernel, dev, number(argument)?)?,
        (TUNSETGROUP, Some(dev)) => tun::set_group(kernel, dev, number(argument)?)?,
        _ => return Err(Errno::EINVAL),
    }
    Ok(0)
}

/// `TUNSETIFF`: the name may be a pattern, and is answered with what became of it.
fn set_interface(kernel: &mut Kernel, socket: SocketId, argument: &mut [u8]) -> Result<(), Errno> {
    let ns = kernel.sockets.get(socket).ok_or(Errno::EBADF)?.ns;
    let ifindex = file(kernel, socket)?.ifindex;
    let flags = argument.get(FLAGS).and_then(|bytes| bytes.first_chunk()).ok_or(Errno::EFAULT)?;
    let flags = TunFlags::from_bits_retain(u16::from_ne_bytes(*flags));
    // The last byte always ends the name.
    let name = argument[..NAME - 1].split(|byte| *byte == 0).next().unwrap_or_default();
    let name = std::str::from_utf8(name).map_err(|_| Errno::EINVAL)?.to_owned();
    let dev = tun::attach(kernel, ns, Wanted { name: &name, flags, ifindex })?;
    file(kernel, socket)?.dev = Some(dev);
    let name = kernel.devices[dev].name;
    argument[..NAME].fill(0);
    argument[..name.as_str().len()].copy_from_slice(name.as_str().as_bytes());
    Ok(())
}
