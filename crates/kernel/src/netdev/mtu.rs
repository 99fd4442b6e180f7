//! The longest packet a device takes.

use super::NetdevEvent;
use crate::Kernel;
use crate::error::{Errno, Error, Result};
use crate::types::DevId;

impl Kernel {
    /// Sets the MTU, within the device's limits.
    pub(crate) fn set_mtu(&mut self, dev: DevId, mtu: u32) -> Result<()> {
        let device = self.devices.get_mut(dev).ok_or(Errno::ENODEV)?;
        if device.mtu == mtu {
            return Ok(());
        }
        if mtu > i32::MAX as u32 || mtu < device.info.min_mtu {
            return Err(Error::new(Errno::EINVAL, "mtu less than device minimum"));
        }
        if device.info.max_mtu > 0 && mtu > device.info.max_mtu {
            return Err(Error::new(Errno::EINVAL, "mtu greater than device maximum"));
        }
        if !crate::drivers::macvlan::mtu_fits(self, &self.devices[dev], mtu) {
            return Err(Errno::EINVAL.into());
        }
        self.devices[dev].mtu = mtu;
        self.netdev_event(dev, NetdevEvent::ChangeMtu);
        self.notify_link(dev, super::DevFlags::empty());
        Ok(())
    }

    /// The same from an ioctl or a file, which have no extended ack: the message goes to the log.
    pub(crate) fn set_mtu_logged(&mut self, dev: DevId, mtu: u32) -> Result<(), Errno> {
        self.set_mtu(dev, mtu).map_err(|error| {
            if let Some(message) = &error.message {
                let name = self.log_name(dev);
                self.warning(format!("{name}: {message}"));
            }
            error.errno
        })
    }
}
