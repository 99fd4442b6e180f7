//! `/sys/class/net` and `/sys/devices/virtual/net`.

mod bridge;
mod device;
mod queues;
mod statistics;

use super::{DIRECTORY, SYMLINK, file};

use crate::drivers::DevKind;
use crate::error::{Errno, Result};
use crate::types::{DevId, NsId};
use crate::{Kernel, Node};

/// Something in the tree.
#[derive(Debug)]
pub(super) enum Item {
    /// `/sys/class/net`: links to the devices.
    Class,
    /// `/sys/devices/virtual/net`: the devices themselves.
    Devices,
    /// The directories above them, which hold nothing else that concerns networks.
    Above(&'static [&'static str]),
    /// A link from one place to another.
    Link(String),
    /// A device's directory.
    Device(DevId),
    DeviceFile(DevId, &'static device::Attribute),
    Statistics,
    Statistic(DevId, &'static str),
    /// `queues` and what is below it.
    Queues(DevId, queues::Place),
    /// `power`: runtime power management, of which a virtual device has none to speak of.
    Power,
    PowerFile(&'static str, &'static str),
    /// `bridge`, `brif`, `brforward` of a bridge.
    BridgeDirectory,
    BridgeFile(DevId, &'static str, u32),
    BridgePorts(DevId),
    Forwarding(DevId),
    /// `brport` of a port.
    PortDirectory,
    PortFile(DevId, &'static str, u32),
}

/// `power/` and what its files say.
const POWER: &[(&str, &str)] = &[
    ("async", "disabled"),
    ("autosuspend_delay_ms", ""),
    ("control", "auto"),
    ("runtime_active_kids", "0"),
    ("runtime_active_time", "0"),
    ("runtime_enabled", "disabled"),
    ("runtime_status", "unsupported"),
    ("runtime_suspended_time", "0"),
    ("runtime_usage", "0"),
];

/// The item at these components below `/sys`.
pub(super) fn find(kernel: &Kernel, ns: NsId, parts: &[&str]) -> Result<Item, Errno> {
    let device = |name: &str| {
        kernel.namespaces[ns].by_name.get(name).copied().filter(|dev| kernel.devices[*dev].name.as_str() == name)
    };
    match parts {
        [] => Ok(Item::Above(&["class", "devices"])),
        ["class"] | ["devices", "virtual"] => Ok(Item::Above(&["net"])),
        ["devices"] => Ok(Item::Above(&["virtual"])),
        ["class", "net"] => Ok(Item::Class),
        ["class", "net", name] => {
            device(name).ok_or(Errno::ENOENT)?;
            Ok(Item::Link(format!("../../devices/virtual/net/{name}")))
        }
        ["devices", "virtual", "net"] => Ok(Item::Devices),
        ["devices", "virtual", "net", name] => Ok(Item::Device(device(name).ok_or(Errno::ENOENT)?)),
        ["devices", "virtual", "net", name, rest @ ..] => {
            let dev = device(name).ok_or(Errno::ENOENT)?;
            in_device(kernel, dev, rest)
        }
        _ => Err(Errno::ENOENT),
    }
}

fn in_device(kernel: &Kernel, dev: DevId, parts: &[&str]) -> Result<Item, Errno> {
    let device = &kernel.devices[dev];
    let is_bridge = matches!(device.kind, DevKind::Bridge(_));
    match parts {
        ["statistics"] => Ok(Item::Statistics),
        ["statistics", name] => statistics::name(name).map(|name| Item::Statistic(dev, name)).ok_or(Errno::ENOENT),
        ["queues", rest @ ..] => queues::find(device, rest).map(|place| Item::Queues(dev, place)).ok_or(Errno::ENOENT),
        ["power"] => Ok(Item::Power),
        ["power", name] => POWER
            .iter()
            .find(|(known, _)| known == name)
            .map(|(name, value)| Item::PowerFile(name, value))
            .ok_or(Errno::ENOENT),
        ["bridge"] if is_bridge => Ok(Item::BridgeDirectory),
        ["bridge", name] if is_bridge => {
            let (name, mode) = find_named(bridge::ATTRIBUTES, name)?;
            Ok(Item::BridgeFile(dev, name, mode))
        }
        ["brif"] if is_bridge => Ok(Item::BridgePorts(dev)),
        ["brif", name] if is_bridge => {
            ports(kernel, dev).find(|port| port == name).ok_or(Errno::ENOENT)?;
            Ok(Item::Link(format!("../../{name}/brport")))
        }
        ["brforward"] if is_bridge => Ok(Item::Forwarding(dev)),
        ["brport"] if device.port.is_some() => Ok(Item::PortDirectory),
        ["brport", "bridge"] => {
            let master = master(kernel, dev).ok_or(Errno::ENOENT)?;
            Ok(Item::Link(format!("../../{master}")))
        }
        ["brport", name] if device.port.is_some() => {
            let (name, mode) = find_named(bridge::PORT_ATTRIBUTES, name)?;
            Ok(Item::PortFile(dev, name, mode))
        }
        ["subsystem"] => Ok(Item::Link("../../../../class/net".to_owned())),
        [name] => {
            if let Some((_, target)) = links(kernel, dev).into_iter().find(|(link, _)| link == name) {
                return Ok(Item::Link(target));
            }
            device::attributes(device)
                .find(|attribute| attribute.name == *name)
                .map(|attribute| Item::DeviceFile(dev, attribute))
                .ok_or(Errno::ENOENT)
        }
        _ => Err(Errno::ENOENT),
    }
}

fn find_named(list: &'static [(&'static str, u32)], name: &str) -> Result<(&'static str, u32), Errno> {
    list.iter().copied().find(|(known, _)| *known == name).ok_or(Errno::ENOENT)
}

/// The name of the bridge that a device is a port of.
fn master(kernel: &Kernel, dev: DevId) -> Option<String> {
    let port = kernel.devices.get(dev)?.port?;
    Some(kernel.devices.get(port.bridge)?.name.to_string())
}

/// The names of a bridge's ports, in ifindex order.
fn ports(kernel: &Kernel, bridge: DevId) -> impl Iterator<Item = String> + '_ {
    let ns = kernel.devices[bridge].ns;
    kernel.namespaces[ns]
        .devices()
        .filter_map(|dev| kernel.devices.get(dev))
        .filter(move |device| device.port.is_some_and(|port| port.bridge == bridge))
        .map(|device| device.name.to_string())
}

/// The links to devices above and below, in the same namespace.
fn links(kernel: &Kernel, dev: DevId) -> Vec<(String, String)> {
    let device = &kernel.devices[dev];
    let name = |other: DevId| {
        let other = kernel.devices.get(other).filter(|other| other.ns == device.ns)?;
        Some(other.name.to_string())
    };
    let master = master(kernel, dev).map(|master| ("master".to_owned(), format!("../{master}")));
    let uppers = kernel.uppers(dev).into_iter().filter_map(name).map(|upper| (format!("upper_{upper}"), upper));
    let lowers = kernel.lowers(dev).into_iter().filter_map(name).map(|lower| (format!("lower_{lower}"), lower));
    let beside = uppers.chain(lowers).map(|(link, name)| (link, format!("../{name}")));
    master.into_iter().chain(beside).collect()
}

impl Item {
    /// Its kind and permissions.
    pub(super) fn node(&self, _kernel: &Kernel) -> Node {
        match self {
            Item::Link(_) => SYMLINK,
            Item::DeviceFile(_, attribute) => file(attribute.mode),
            Item::Statistic(..) | Item::Forwarding(_) => file(0o444),
            Item::BridgeFile(_, _, mode) | Item::PortFile(_, _, mode) => file(*mode),
            Item::PowerFile(name, _) => {
                file(if matches!(*name, "control" | "async" | "autosuspend_delay_ms") { 0o644 } else { 0o444 })
            }
            Item::Queues(_, place) => place.node(),
            _ => DIRECTORY,
        }
    }

    /// Where it leads, for a link.
    pub(super) fn link(&self, _kernel: &Kernel) -> Option<String> {
        match self {
            Item::Link(target) => Some(target.clone()),
            _ => None,
        }
    }

    pub(super) fn read(&self, kernel: &Kernel) -> Result<Vec<u8>, Errno> {
        let text = match self {
            Item::DeviceFile(dev, attribute) => (attribute.read)(kernel, &kernel.devices[*dev])?,
            Item::Statistic(dev, name) => statistics::value(&kernel.devices[*dev].stats(), name).to_string(),
            Item::Queues(_, place) => place.read().ok_or(Errno::EISDIR)?.to_owned(),
            Item::PowerFile("autosuspend_delay_ms", _) => return Err(Errno::EIO),
            Item::PowerFile(_, value) => (*value).to_owned(),
            Item::BridgeFile(_, _, mode) | Item::PortFile(_, _, mode) if mode & 0o444 == 0 => {
                return Err(Errno::EACCES);
            }
            Item::BridgeFile(dev, name, _) => bridge::attribute(kernel, *dev, name).ok_or(Errno::ENOENT)?,
            // The only one without a newline when there is nothing to say.
            Item::PortFile(dev, name, _) => match bridge::port_attribute(kernel, *dev, name).ok_or(Errno::ENOENT)? {
                text if text.is_empty() => return Ok(Vec::new()),
                text => text,
            },
            Item::Forwarding(dev) => return bridge::forwarding_table(kernel, *dev).ok_or(Errno::ENOENT),
            _ => return Err(Errno::EISDIR),
        };
        // An empty alias is an empty file.
        if text.is_empty() && matches!(self, Item::DeviceFile(..)) {
            return Ok(Vec::new());
        }
        let end = if text.ends_with('\n') { "" } else { "\n" };
        Ok((text + end).into_bytes())
    }

    pub(super) fn write(&self, kernel: &mut Kernel, data: &[u8]) -> Result<(), Errno> {
        let text = super::written(data)?;
        match self {
            Item::DeviceFile(dev, attribute) => (attribute.write.ok_or(Errno::EACCES)?)(kernel, *dev, text),
            Item::BridgeFile(_, _, mode) | Item::PortFile(_, _, mode) if mode & 0o222 == 0 => Err(Errno::EACCES),
            Item::BridgeFile(dev, name, _) => bridge::set_attribute(kernel, *dev, name, text).map_err(Errno::from),
            Item::PortFile(dev, name, _) => bridge::set_port_attribute(kernel, *dev, name, text).map_err(Errno::from),
            Item::Queues(..) | Item::PowerFile(..) => Ok(()),
            Item::Statistic(..) | Item::Forwarding(_) => Err(Errno::EACCES),
            _ => Err(Errno::EISDIR),
        }
    }

    pub(super) fn entries(&self, kernel: &Kernel, ns: NsId) -> Result<Vec<(String, Node)>, Errno> {
        let devices = || {
            kernel.namespaces[ns]
                .devices()
                .filter_map(|dev| kernel.devices.get(dev))
                .map(|device| device.name.to_string())
        };
        let listed = |list: &[(&str, u32)]| {
            list.iter().map(|(name, mode)| ((*name).to_owned(), file(*mode))).collect::<Vec<_>>()
        };
        Ok(match self {
            Item::Above(names) => names.iter().map(|name| ((*name).to_owned(), DIRECTORY)).collect(),
            Item::Class => devices().map(|name| (name, SYMLINK)).collect(),
            Item::Devices => devices().map(|name| (name, DIRECTORY)).collect(),
            Item::Device(dev) => device_entries(kernel, *dev),
            Item::Statistics => statistics::NAMES.iter().map(|name| ((*name).to_owned(), file(0o444))).collect(),
            Item::Queues(dev, place) => place.entries(&kernel.devices[*dev]).ok_or(Errno::ENOTDIR)?,
            Item::Power => POWER
                .iter()
                .map(|(name, value)| ((*name).to_owned(), Item::PowerFile(name, value).node(kernel)))
                .collect(),
            Item::BridgeDirectory => listed(bridge::ATTRIBUTES),
            Item::BridgePorts(dev) => ports(kernel, *dev).map(|name| (name, SYMLINK)).collect(),
            Item::PortDirectory => {
                let mut entries = listed(bridge::PORT_ATTRIBUTES);
                entries.push(("bridge".to_owned(), SYMLINK));
                entries
            }
            _ => return Err(Errno::ENOTDIR),
        })
    }
}

fn device_entries(kernel: &Kernel, dev: DevId) -> Vec<(String, Node)> {
    let mut entries: Vec<(String, Node)> = device::attributes(&kernel.devices[dev])
        .map(|attribute| (attribute.name.to_owned(), file(attribute.mode)))
        .collect();
    entries.extend(["power", "queues", "statistics"].map(|name| (name.to_owned(), DIRECTORY)));
    entries.push(("subsystem".to_owned(), SYMLINK));
    entries.extend(links(kernel, dev).into_iter().map(|(name, _)| (name, SYMLINK)));
    if matches!(kernel.devices[dev].kind, DevKind::Bridge(_)) {
        entries.extend(["bridge", "brif"].map(|name| (name.to_owned(), DIRECTORY)));
        entries.push(("brforward".to_owned(), file(0o444)));
    }
    if kernel.devices[dev].port.is_some() {
        entries.push(("brport".to_owned(), DIRECTORY));
    }
    entries
}
