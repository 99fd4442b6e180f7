//! The files in a device's own directory.

use crate::Kernel;
use crate::drivers::DevKind;
use crate::error::{Errno, Result};
use crate::netdev::{DevFlags, Device, NameAssign};
use crate::types::{DevId, MacAddr};

/// One file.
#[derive(Debug)]
pub(crate) struct Attribute {
    pub(super) name: &'static str,
    pub(super) mode: u32,
    pub(super) read: Read,
    pub(super) write: Option<Write>,
}

type Read = fn(&Kernel, &Device) -> Result<String, Errno>;
type Write = fn(&mut Kernel, DevId, &str) -> Result<(), Errno>;

const fn shown(name: &'static str, read: Read) -> Attribute {
    Attribute { name, mode: 0o444, read, write: None }
}

const fn settable(name: &'static str, read: Read, write: Write) -> Attribute {
    Attribute { name, mode: 0o644, read, write: Some(write) }
}

/// What can be read only while the device is up.
fn when_up(device: &Device, value: impl ToString) -> Result<String, Errno> {
    if device.is_up() { Ok(value.to_string()) } else { Err(Errno::EINVAL) }
}

/// In alphabetical order.
const ATTRIBUTES: &[Attribute] = &[
    shown("addr_assign_type", |_, device| Ok((device.info.addr_assign as u8).to_string())),
    shown("addr_len", |_, device| Ok(if device.kind.has_address() { "6" } else { "0" }.to_owned())),
    shown("address", |_, device| Ok(address(device, device.address))),
    shown("broadcast", |_, device| Ok(address(device, device.broadcast))),
    settable(
        "carrier",
        |_, device| when_up(device, u8::from(device.carrier)),
        |_, _, text| {
            super::super::number(text)?;
            Err(Errno::EOPNOTSUPP)
        },
    ),
    shown("carrier_changes", |_, device| {
        Ok((device.info.carrier_up_count + device.info.carrier_down_count).to_string())
    }),
    shown("carrier_down_count", |_, device| Ok(device.info.carrier_down_count.to_string())),
    shown("carrier_up_count", |_, device| Ok(device.info.carrier_up_count.to_string())),
    shown("dev_id", |_, _| Ok("0x0".to_owned())),
    shown("dev_port", |_, _| Ok("0".to_owned())),
    shown("dormant", |_, device| when_up(device, u8::from(device.visible_flags().contains(DevFlags::DORMANT)))),
    shown("duplex", |kernel, device| Ok(crate::ethtool::sysfs_link(kernel, device)?.1.to_owned())),
    settable(
        "flags",
        |_, device| Ok(format!("{:#x}", device.flags.bits())),
        |kernel, dev, text| {
            let wanted = super::super::number(text)? as u32;
            kernel.change_flags(dev, DevFlags::from_bits_retain(wanted)).map_err(Errno::from)
        },
    ),
    settable("gro_flush_timeout", |_, _| Ok("0".to_owned()), ignore),
    settable(
        "ifalias",
        |_, device| Ok(device.info.alias.as_deref().unwrap_or_default().to_owned()),
        |kernel, dev, text| {
            let device = kernel.devices.get_mut(dev).ok_or(Errno::ENODEV)?;
            if text.len() >= 256 {
                return Err(Errno::EINVAL);
            }
            device.info.alias = (!text.is_empty()).then(|| text.into());
            kernel.notify_link(dev, DevFlags::empty());
            Ok(())
        },
    ),
    shown("ifindex", |_, device| Ok(device.ifindex.to_string())),
    shown("iflink", |kernel, device| {
        let lower = device.link().and_then(|link| kernel.devices.get(link)).map(|link| link.ifindex);
        Ok(lower.unwrap_or(device.ifindex).to_string())
    }),
    shown("link_mode", |_, device| Ok(device.info.link_mode.to_string())),
    settable(
        "mtu",
        |_, device| Ok(device.mtu.to_string()),
        |kernel, dev, text| kernel.set_mtu_logged(dev, super::super::number(text)? as u32),
    ),
    shown("name_assign_type", |_, device| match device.info.name_assign {
        NameAssign::Unknown => Err(Errno::EINVAL),
        assigned => Ok((assigned as u8).to_string()),
    }),
    settable("napi_defer_hard_irqs", |_, _| Ok("0".to_owned()), ignore),
    settable(
        "netdev_group",
        |_, device| Ok(device.info.group.to_string()),
        |kernel, dev, text| {
            let group = u32::try_from(super::super::number(text)?).map_err(|_| Errno::EINVAL)?;
            kernel.devices.get_mut(dev).ok_or(Errno::ENODEV)?.info.group = group;
            Ok(())
        },
    ),
    shown("operstate", |_, device| {
        // A device that is down is down, whatever it last heard of its link.
        Ok(if device.is_up() { device.info.operstate.name() } else { "down" }.to_owned())
    }),
    settable(
        "proto_down",
        |_, _| Ok("0".to_owned()),
        |_, _, text| {
            super::super::number(text)?;
            Err(Errno::EOPNOTSUPP)
        },
    ),
    shown("speed", |kernel, device| Ok(crate::ethtool::sysfs_link(kernel, device)?.0.to_string())),
    shown("testing", |_, device| when_up(device, 0)),
    // No device here is polled.
    settable(
        "threaded",
        |_, _| Ok("0".to_owned()),
        |_, _, text| super::super::number(text).and(Err(Errno::EOPNOTSUPP)),
    ),
    settable(
        "tx_queue_len",
        |_, device| Ok((device.info.tx_queue_len as i32).to_string()),
        |kernel, dev, text| {
            let length = u32::try_from(super::super::number(text)?).map_err(|_| Errno::EINVAL)?;
            kernel.devices.get_mut(dev).ok_or(Errno::ENODEV)?.info.tx_queue_len = length;
            kernel.notify_link(dev, DevFlags::empty());
            Ok(())
        },
    ),
    shown("type", |_, device| Ok(device.kind.hardware_type().to_string())),
    settable("uevent", |_, device| Ok(uevent(device)), ignore),
];

/// What TUN and TAP devices have beside them.
const TUN_ATTRIBUTES: &[Attribute] = &[
    shown("group", |_, device| Ok(id(device.tun().and_then(|tun| tun.group)))),
    shown("owner", |_, device| Ok(id(device.tun().and_then(|tun| tun.owner)))),
    shown("tun_flags", |_, device| Ok(format!("{:#x}", device.tun().map_or(0, |tun| tun.flags.bits())))),
];

/// The files that a device has.
pub(super) fn attributes(device: &Device) -> impl Iterator<Item = &'static Attribute> {
    let own: &[Attribute] = if device.tun().is_some() { TUN_ATTRIBUTES } else { &[] };
    ATTRIBUTES.iter().chain(own)
}

/// A user or a group; -1 is nobody.
fn id(id: Option<u32>) -> String {
    id.map_or("-1".to_owned(), |id| id.to_string())
}

/// An address, where the device has any.
fn address(device: &Device, address: MacAddr) -> String {
    if device.kind.has_address() { address.to_string() } else { String::from("\n") }
}

fn ignore(_: &mut Kernel, _: DevId, _: &str) -> Result<(), Errno> {
    Ok(())
}

fn uevent(device: &Device) -> String {
    let kind = if matches!(device.kind, DevKind::Bridge(_)) { "DEVTYPE=bridge\n" } else { "" };
    format!("{kind}INTERFACE={}\nIFINDEX={}", device.name, device.ifindex)
}
