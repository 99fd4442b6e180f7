//! netdevice(7): flags, MTU, addresses, names and indexes of devices.

use super::{ifreq, request::*};
use crate::Kernel;
use crate::error::{Errno, Result};
use crate::netdev::DevFlags;
use crate::types::{MacAddr, NsId};

/// `SIOCGIFNAME`: the name of an ifindex.
pub(super) fn name_of_index(kernel: &Kernel, ns: NsId, argument: &mut [u8]) -> Result<i32, Errno> {
    let index = ifreq::int(argument)?;
    let dev = kernel.namespaces[ns].device_by_index(index as u32).ok_or(Errno::ENODEV)?;
    let name = kernel.devices[dev].name;
    let field = argument.get_mut(..ifreq::NAME).ok_or(Errno::EFAULT)?;
    field.fill(0);
    field[..name.as_str().len()].copy_from_slice(name.as_str().as_bytes());
    Ok(0)
}

pub(super) fn handle(kernel: &mut Kernel, ns: NsId, request: u32, argument: &mut [u8]) -> Result<i32, Errno> {
    if !(SIOCGIFNAME..=SIOCSIFMAP).contains(&request) {
        return Err(Errno::ENOTTY);
    }
    let dev = ifreq::device(kernel, ns, argument)?;
    let device = &kernel.devices[dev];
    match request {
        SIOCGIFFLAGS => {
            let flags = device.visible_flags().bits() as u16;
            ifreq::set_value(argument, &flags.to_ne_bytes())?;
        }
        SIOCSIFFLAGS => {
            // Only the lower half fits into a short; the upper one stays.
            let wanted = u32::from(u16::from_ne_bytes(ifreq::value(argument)?));
            kernel.change_flags(dev, DevFlags::from_bits_retain(wanted))?;
        }
        SIOCGIFMETRIC => ifreq::set_value(argument, &0i32.to_ne_bytes())?,
        SIOCSIFMETRIC => return Err(Errno::EOPNOTSUPP),
        SIOCGIFMTU => ifreq::set_value(argument, &device.mtu.to_ne_bytes())?,
        SIOCSIFMTU => kernel.set_mtu_logged(dev, ifreq::int(argument)? as u32)?,
        SIOCGIFHWADDR => {
            let mut address = device.kind.hardware_type().to_ne_bytes().to_vec();
            address.extend(device.address.0);
            address.extend([0; 8]);
            ifreq::set_value(argument, &address)?;
        }
        SIOCSIFHWADDR => {
            let value: [u8; 8] = ifreq::value(argument)?;
            if u16::from_ne_bytes([value[0], value[1]]) != device.kind.hardware_type() {
                return Err(Errno::EINVAL);
            }
            let address = MacAddr::from_slice(&value[2..]).ok_or(Errno::EINVAL)?;
            kernel.set_address(dev, address)?;
        }
        SIOCADDMULTI | SIOCDELMULTI => {
            let value: [u8; 8] = ifreq::value(argument)?;
            let address = MacAddr::from_slice(&value[2..]).ok_or(Errno::EINVAL)?;
            if request == SIOCADDMULTI {
                kernel.add_filter_by_hand(dev, address).or_else(|error| match error {
                    Errno::EEXIST => Ok(()),
                    error => Err(error),
                })?;
            } else {
                kernel.remove_filter_by_hand(dev, address)?;
            }
        }
        SIOCGIFINDEX => ifreq::set_value(argument, &device.ifindex.to_ne_bytes())?,
        SIOCSIFNAME => {
            let value: [u8; ifreq::NAME] = ifreq::value(argument)?;
            let end = value.iter().position(|byte| *byte == 0).unwrap_or(ifreq::NAME - 1);
            let name = std::str::from_utf8(&value[..end]).map_err(|_| Errno::EINVAL)?;
            kernel.rename_device(dev, name)?;
        }
        SIOCGIFTXQLEN => ifreq::set_value(argument, &device.info.tx_queue_len.to_ne_bytes())?,
        SIOCSIFTXQLEN => {
            let length = u32::try_from(ifreq::int(argument)?).map_err(|_| Errno::EINVAL)?;
            kernel.devices[dev].info.tx_queue_len = length;
            kernel.notify_link(dev, DevFlags::empty());
        }
        SIOCGIFMAP => ifreq::set_value(argument, &[0; 24])?,
        SIOCSIFMAP => return Err(Errno::EOPNOTSUPP),
        _ => return Err(Errno::ENOTTY),
    }
    Ok(0)
}
