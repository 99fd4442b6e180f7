//! Device names: patterns, renaming, alternative names.

use super::{DevFlags, NetdevEvent};
use crate::Kernel;
use crate::error::{Errno, Result};
use crate::types::{DevId, IfName, NsId};

/// The longest alternative name, in bytes.
const ALTNAME_MAX: usize = 127;

/// How a name came to a device (`name_assign_type`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum NameAssign {
    /// Nobody has said.
    Unknown = 0,
    /// Numbered by the kernel.
    Enumerated = 1,
    /// The driver's own (`lo`).
    Predictable = 2,
    /// Given by somebody.
    User = 3,
    /// Given later.
    Renamed = 4,
}

impl Kernel {
    /// The name that `wanted` stands for in `ns`: itself, or with one `%d` the lowest free number put in its place.
    ///
    /// `EINVAL` where it can't be a name, `EEXIST` where it is taken.
    pub(crate) fn resolve_name(&mut self, ns: NsId, wanted: &str) -> Result<IfName> {
        let names = &self.namespaces[ns].by_name;
        let Some((before, after)) = wanted.split_once('%') else {
            let name = IfName::new(wanted).ok_or(Errno::EINVAL)?;
            return if names.contains_key(wanted) { Err(Errno::EEXIST.into()) } else { Ok(name) };
        };
        let after = after.strip_prefix('d').ok_or(Errno::EINVAL)?;
        if after.contains('%') {
            return Err(Errno::EINVAL.into());
        }
        let netns = &mut self.namespaces[ns];
        // All numbers below are in use, as long as no name has gone since.
        let first = match &netns.numbered {
            Some((pattern, number)) if **pattern == *wanted => *number,
            _ => 0,
        };
        for number in first..32_768 {
            let name = format!("{before}{number}{after}");
            if !netns.by_name.contains_key(name.as_str()) {
                netns.numbered = Some((wanted.into(), number));
                return Ok(IfName::new(&name).ok_or(Errno::EINVAL)?);
            }
        }
        Err(Errno::ENFILE.into())
    }

    /// Renames a device, up or down.
    pub(crate) fn rename_device(&mut self, dev: DevId, wanted: &str) -> Result<()> {
        let device = self.devices.get(dev).ok_or(Errno::ENODEV)?;
        let (ns, old) = (device.ns, device.name);
        if old.as_str() == wanted {
            return Ok(());
        }
        let new = self.resolve_name(ns, wanted)?;
        let netns = &mut self.namespaces[ns];
        netns.forget_name(old.as_str());
        netns.by_name.insert(new.as_str().into(), dev);
        let device = &mut self.devices[dev];
        device.name = new;
        device.info.name_assign = NameAssign::Renamed;
        let note = if device.is_up() { " (while UP)" } else { "" };
        self.info(format!("{new}: renamed from {old}{note}"));
        self.notify_link(dev, DevFlags::empty());
        self.netdev_event(dev, NetdevEvent::ChangeName);
        Ok(())
    }

    /// Gives a device one more name (`ip link property add … altname`).
    pub(crate) fn add_altname(&mut self, dev: DevId, name: &str) -> Result<()> {
        let device = self.devices.get(dev).ok_or(Errno::ENODEV)?;
        if name.is_empty()
            || name.len() > ALTNAME_MAX
            || name.bytes().any(|b| b == b'/' || b == b':' || b.is_ascii_whitespace())
        {
            return Err(Errno::EINVAL.into());
        }
        let names = &mut self.namespaces[device.ns].by_name;
        if names.contains_key(name) {
            return Err(Errno::EEXIST.into());
        }
        names.insert(name.into(), dev);
        self.devices[dev].info.altnames.push(name.into());
        Ok(())
    }

    /// Takes an alternative name away.
    pub(crate) fn remove_altname(&mut self, dev: DevId, name: &str) -> Result<()> {
        let device = self.devices.get_mut(dev).ok_or(Errno::ENODEV)?;
        let at = device.info.altnames.iter().position(|alt| &**alt == name).ok_or(Errno::ENOENT)?;
        device.info.altnames.remove(at);
        self.namespaces[device.ns].forget_name(name);
        Ok(())
    }
}
