//! arp(7): neighbours by ioctl, with a `struct arpreq`.

use std::net::{IpAddr, Ipv4Addr};

use super::request::*;
use crate::error::{Errno, Result};
use crate::neighbour::{self, Change, nud};
use crate::socket::SocketAddress;
use crate::types::{DevId, MacAddr, NsId};
use crate::{Kernel, ipv4};

const ATF_COM: u32 = 0x02;
const ATF_PERM: u32 = 0x04;
const ATF_PUBL: u32 = 0x08;
const ATF_NETMASK: u32 = 0x20;

/// Where `arp_ha`, `arp_flags`, `arp_netmask` and `arp_dev` start.
const HARDWARE: usize = 16;
const FLAGS: usize = 32;
const NETMASK: usize = 36;
const DEVICE: usize = 52;
const LENGTH: usize = 68;

fn field<const N: usize>(argument: &[u8], at: usize) -> Result<[u8; N], Errno> {
    argument.get(at..).and_then(|rest| rest.first_chunk()).copied().ok_or(Errno::EFAULT)
}

pub(super) fn handle(kernel: &mut Kernel, ns: NsId, request: u32, argument: &mut [u8]) -> Result<i32, Errno> {
    if argument.len() < LENGTH {
        return Err(Errno::EFAULT);
    }
    let SocketAddress::V4 { address, .. } = SocketAddress::parse(&argument[..16])? else {
        return Err(Errno::EPFNOSUPPORT);
    };
    let flags = u32::from_ne_bytes(field(argument, FLAGS)?);
    let hardware: [u8; 8] = field(argument, HARDWARE)?;
    let mac = MacAddr::from_slice(&hardware[2..]).ok_or(Errno::EFAULT)?;
    let name: [u8; 16] = field(argument, DEVICE)?;
    let end = name.iter().position(|byte| *byte == 0).unwrap_or(15);
    let name = std::str::from_utf8(&name[..end]).map_err(|_| Errno::ENODEV)?;
    let named = match name {
        "" => None,
        name => Some(kernel.namespaces[ns].device_by_name(name).ok_or(Errno::ENODEV)?),
    };
    let published = flags & ATF_PUBL != 0;
    let family = u16::from_ne_bytes([hardware[0], hardware[1]]);
    let other = |dev: DevId| kernel.devices.get(dev).is_none_or(|it| it.kind.hardware_type() != family);
    if request == SIOCSARP && named.is_some_and(other) {
        return Err(Errno::EINVAL);
    }
    match request {
        SIOCSARP if published => publish(kernel, ns, address, netmask(argument, flags)?, mac, named),
        SIOCDARP if published => {
            if netmask(argument, flags)? != Ipv4Addr::BROADCAST {
                return Err(Errno::EINVAL);
            }
            let dev = named.ok_or(Errno::ENXIO)?;
            neighbour::delete_proxy(kernel, ns, dev, address.into()).map_err(|_| Errno::ENXIO)
        }
        SIOCSARP => set(kernel, ns, address, (family, mac), flags, named),
        SIOCDARP => {
            let dev = device(kernel, ns, address, named)?;
            neighbour::delete(kernel, dev, address.into()).map_err(|_| Errno::ENXIO)
        }
        SIOCGARP => get(kernel, ns, address, named, argument),
        _ => Err(Errno::ENOTTY),
    }?;
    Ok(0)
}

fn netmask(argument: &[u8], flags: u32) -> Result<Ipv4Addr, Errno> {
    if flags & ATF_NETMASK == 0 {
        return Ok(Ipv4Addr::BROADCAST);
    }
    let bytes: [u8; 8] = field(argument, NETMASK)?;
    Ok(Ipv4Addr::new(bytes[4], bytes[5], bytes[6], bytes[7]))
}

/// The device that was named, or else the one that leads to the address.
fn device(kernel: &Kernel, ns: NsId, address: Ipv4Addr, named: Option<DevId>) -> Result<DevId, Errno> {
    match named {
        Some(dev) => Ok(dev),
        None => Ok(ipv4::lookup(kernel, ns, &ipv4::Flow::to(address))?.dev),
    }
}

/// Answers for an address: on the device named, or on the one that has the hardware address given.
fn publish(
    kernel: &mut Kernel,
    ns: NsId,
    address: Ipv4Addr,
    mask: Ipv4Addr,
    mac: MacAddr,
    named: Option<DevId>,
) -> Result<(), Errno> {
    if mask != Ipv4Addr::BROADCAST {
        return Err(Errno::EINVAL);
    }
    let with_mac = || kernel.namespaces[ns].devices().find(|dev| kernel.devices[*dev].address == mac);
    let dev = named.or_else(with_mac).ok_or(Errno::ENODEV)?;
    neighbour::add_proxy(kernel, ns, dev, address.into()).map_err(Errno::from)
}

fn set(
    kernel: &mut Kernel,
    ns: NsId,
    address: Ipv4Addr,
    (family, mac): (u16, MacAddr),
    flags: u32,
    named: Option<DevId>,
) -> Result<(), Errno> {
    let dev = device(kernel, ns, address, named)?;
    if family != kernel.devices.get(dev).ok_or(Errno::ENODEV)?.kind.hardware_type() {
        return Err(Errno::EINVAL);
    }
    let state = if flags & ATF_PERM != 0 { nud::PERMANENT } else { nud::STALE };
    let change =
        Change { lladdr: Some(mac), state, flags: 0, protocol: None, create: true, exclusive: false, replace: true };
    neighbour::change(kernel, dev, address.into(), &change).map_err(Errno::from)
}

fn get(kernel: &Kernel, ns: NsId, address: Ipv4Addr, named: Option<DevId>, argument: &mut [u8]) -> Result<(), Errno> {
    let dev = device(kernel, ns, address, named)?;
    let entry = kernel.neighbour(dev, IpAddr::V4(address)).ok_or(Errno::ENXIO)?;
    let device = kernel.devices.get(dev).ok_or(Errno::ENODEV)?;
    let flags = match entry.state {
        nud::PERMANENT => ATF_COM | ATF_PERM,
        state if state & nud::VALID != 0 => ATF_COM,
        _ => 0,
    };
    argument[HARDWARE..HARDWARE + 2].copy_from_slice(&device.kind.hardware_type().to_ne_bytes());
    argument[HARDWARE + 2..HARDWARE + 8].copy_from_slice(&entry.lladdr.0);
    argument[FLAGS..FLAGS + 4].copy_from_slice(&flags.to_ne_bytes());
    let name = device.name;
    argument[DEVICE..DEVICE + 16].fill(0);
    argument[DEVICE..DEVICE + name.as_str().len()].copy_from_slice(name.as_str().as_bytes());
    Ok(())
}
