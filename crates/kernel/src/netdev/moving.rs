//! Moving a device into another namespace: what is reset, what goes along, who is told.

use super::{DevFlags, Device, NetdevEvent};
use crate::Kernel;
use crate::drivers::DevKind;
use crate::error::{Errno, Error, Result};
use crate::types::{DevId, NsId};

impl Kernel {
    /// Moves a device to `target`, under `name` if its own is taken there, with ifindex `wanted_index` if given.
    ///
    /// The device goes down and out of its bridge and loses addresses, routes and neighbours; its MAC address, MTU, alias,
    /// group, modes and counters go along, and its ifindex where that is free. To its own namespace: nothing happens.
    pub(crate) fn move_device(
        &mut self,
        dev: DevId,
        target: NsId,
        name: Option<&str>,
        wanted_index: Option<u32>,
    ) -> Result<()> {
        let device = self.devices.get(dev).ok_or(Errno::ENODEV)?;
        let (source, old_name, old_index) = (device.ns, device.name, device.ifindex);
        if matches!(device.kind, DevKind::Loopback | DevKind::Bridge(_)) {
            return Err(Error::new(Errno::EINVAL, "The interface netns is immutable"));
        }
        if source == target {
            return Ok(());
        }
        let new_name = match name {
            _ if !self.namespaces[target].by_name.contains_key(old_name.as_str()) => old_name,
            Some(wanted) => self.resolve_name(target, wanted).map_err(|error| {
                let message = format!("Unable to use '{wanted}' for the new interface name in the target netns");
                Error::new(error.errno, message)
            })?,
            None => {
                return Err(Error::new(Errno::EEXIST, "An interface with the same name exists in the target netns"));
            }
        };
        let device = self.devices.get(dev).ok_or(Errno::ENODEV)?;
        if let Some(clash) =
            device.info.altnames.iter().find(|alt| self.namespaces[target].by_name.contains_key(&***alt))
        {
            return Err(Error::new(
                Errno::EEXIST,
                format!("An interface with the altname {clash} exists in the target netns"),
            ));
        }
        if wanted_index.is_some_and(|index| self.namespaces[target].by_index.get(index).is_some()) {
            return Err(Error::new(
                Errno::EBUSY,
                format!(
                    "An interface with the ifindex {} exists in the target netns",
                    wanted_index.unwrap_or_default()
                ),
            ));
        }

        self.close_device(dev);
        self.driver_leave(dev);
        self.netdev_event(dev, NetdevEvent::Unregister);
        let new_index = match wanted_index {
            Some(index) => index,
            None if self.namespaces[target].by_index.get(old_index).is_none() => old_index,
            None => self.namespaces[target].new_ifindex(),
        };
        self.notify_link_moved(dev, target, new_index);

        let netns = &mut self.namespaces[source];
        netns.by_index.remove(old_index);
        let device = &mut self.devices[dev];
        netns.forget_name(old_name.as_str());
        for name in &device.info.altnames {
            netns.forget_name(name);
        }
        device.ns = target;
        device.ifindex = new_index;
        device.name = new_name;
        device.info.activated = false;
        let names: Vec<Box<str>> =
            std::iter::once(new_name.as_str().into()).chain(device.info.altnames.iter().cloned()).collect();
        let netns = &mut self.namespaces[target];
        netns.by_index.insert(new_index, dev);
        for name in names {
            netns.by_name.insert(name, dev);
        }
        self.netdev_event(dev, NetdevEvent::Register);
        self.notify_link(dev, DevFlags::all());
        // The end that stays behind shows another link.
        if let Some(peer) = self.devices.get(dev).and_then(Device::peer) {
            self.notify_link(peer, DevFlags::empty());
        }
        Ok(())
    }
}
