//! IPv4 addresses by ioctl, one for each label of a device (devinet's rules, older than rtnetlink's).

use std::net::Ipv4Addr;

use super::{ifreq, request::*};
use crate::Kernel;
use crate::error::{Errno, Result};
use crate::ipv4::addr::{self, Address, netmask};
use crate::netdev::DevFlags;
use crate::socket::SocketAddress;
use crate::types::{DevId, NsId};

/// Every IPv4 address with the label it goes by, device by device.
pub(super) fn labelled_addresses(kernel: &Kernel, ns: NsId) -> Vec<(String, Ipv4Addr)> {
    let devices = kernel.namespaces[ns].devices();
    devices.flat_map(|dev| kernel.addresses(dev)).map(|address| (address.label.to_string(), address.local)).collect()
}

/// The prefix length of an address' class; `None` for groups and what has no class.
fn class_prefix(address: Ipv4Addr) -> Option<u8> {
    match address.octets()[0] {
        // This network, and the broadcast address.
        0 => Some(0),
        255 if address.is_broadcast() => Some(0),
        1..=127 => Some(8),
        128..=191 => Some(16),
        192..=223 => Some(24),
        // Class E counts as hosts.
        240..=255 => Some(32),
        _ => None,
    }
}

/// The prefix length of a netmask; `None` where it has holes.
pub(super) fn mask_prefix(mask: Ipv4Addr) -> Option<u8> {
    let ones = mask.to_bits().leading_ones();
    (netmask(ones as u8) == mask.to_bits()).then_some(ones as u8)
}

fn given(argument: &[u8]) -> Result<Ipv4Addr, Errno> {
    let value: [u8; 16] = ifreq::value(argument)?;
    Ok(Ipv4Addr::new(value[4], value[5], value[6], value[7]))
}

/// Answers a request about an address. `EADDRNOTAVAIL` where the label has none.
pub(super) fn address(kernel: &mut Kernel, ns: NsId, request: u32, argument: &mut [u8]) -> Result<i32, Errno> {
    let label = ifreq::name(argument)?.to_owned();
    let dev = ifreq::device(kernel, ns, argument)?;
    let at = kernel.addresses(dev).iter().position(|address| *address.label == *label);
    match request {
        SIOCGIFADDR | SIOCGIFBRDADDR | SIOCGIFDSTADDR | SIOCGIFNETMASK => {
            let address = at.and_then(|at| kernel.addresses(dev).get(at)).ok_or(Errno::EADDRNOTAVAIL)?;
            let value = match request {
                SIOCGIFADDR => address.local,
                SIOCGIFBRDADDR => address.broadcast.unwrap_or(Ipv4Addr::UNSPECIFIED),
                SIOCGIFDSTADDR => address.peer,
                _ => Ipv4Addr::from_bits(address.mask()),
            };
            ifreq::set_value(argument, &SocketAddress::V4 { address: value, port: 0 }.to_bytes())?;
        }
        SIOCSIFADDR => {
            let local = given(argument)?;
            let prefix = class_prefix(local).ok_or(Errno::EINVAL)?;
            if let Some(at) = at {
                if kernel.addresses(dev)[at].local == local {
                    return Ok(0);
                }
                addr::remove(kernel, dev, at);
            }
            if !local.is_unspecified() {
                insert(kernel, dev, with_class(kernel.devices[dev].flags, local, prefix, &label))?;
            }
        }
        SIOCSIFBRDADDR | SIOCSIFDSTADDR | SIOCSIFNETMASK => {
            let at = at.ok_or(Errno::EADDRNOTAVAIL)?;
            let value = given(argument)?;
            let old = kernel.addresses(dev)[at].clone();
            let mut new = old.clone();
            match request {
                SIOCSIFBRDADDR => new.broadcast = Some(value).filter(|value| !value.is_unspecified()),
                SIOCSIFDSTADDR => {
                    class_prefix(value).ok_or(Errno::EINVAL)?;
                    new.peer = value;
                }
                _ => {
                    new.prefix_length = mask_prefix(value).ok_or(Errno::EINVAL)?;
                    // A broadcast address that followed the old mask follows the new one.
                    let follows = |mask: u32| Ipv4Addr::from_bits(old.local.to_bits() | !mask);
                    let broadcasts = kernel.devices[dev].flags.contains(DevFlags::BROADCAST) && new.prefix_length < 31;
                    if broadcasts && old.broadcast == Some(follows(old.mask())) {
                        new.broadcast = Some(follows(new.mask()));
                    }
                }
            }
            if new != old {
                addr::remove(kernel, dev, at);
                insert(kernel, dev, new)?;
            }
        }
        // Taking an alias down takes its address away.
        SIOCSIFFLAGS => {
            let at = at.ok_or(Errno::EADDRNOTAVAIL)?;
            let flags = u16::from_ne_bytes(ifreq::value(argument)?);
            if !DevFlags::from_bits_retain(flags.into()).contains(DevFlags::UP) {
                addr::remove(kernel, dev, at);
            }
        }
        _ => return Err(Errno::ENOTTY),
    }
    Ok(0)
}

fn with_class(flags: DevFlags, local: Ipv4Addr, prefix: u8, label: &str) -> Address {
    if flags.contains(DevFlags::POINTOPOINT) {
        return Address::new(local, 32, label);
    }
    let mut address = Address::new(local, prefix, label);
    if flags.contains(DevFlags::BROADCAST) && prefix < 31 {
        address.broadcast = Some(Ipv4Addr::from_bits(local.to_bits() | !address.mask()));
    }
    if local.is_loopback() {
        address.scope = crate::ipv4::scope::HOST;
    }
    address
}

fn insert(kernel: &mut Kernel, dev: DevId, address: Address) -> Result<(), Errno> {
    addr::add(kernel, dev, address).map_err(Errno::from)
}
