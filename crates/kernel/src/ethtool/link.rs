//! Link settings and state: port, speed, duplex, whether there is a link.

use super::bitset::{self, Bitset, Form};
use super::{HEADER_ONLY, answer, has_operations, reply, target};
use crate::Kernel;
use crate::drivers::DevKind;
use crate::error::{Errno, Error, Result};
use crate::genetlink::GenlRequest;
use crate::netdev::Device;
use crate::rtnetlink::attr::Check;
use crate::rtnetlink::dispatch::Answer;
use crate::types::NsId;

const LINKINFO_PORT: u16 = 2;
const LINKINFO_PHYADDR: u16 = 3;
const LINKINFO_TP_MDIX: u16 = 4;
const LINKINFO_TP_MDIX_CTRL: u16 = 5;
const LINKINFO_TRANSCEIVER: u16 = 6;
const LINKMODES_AUTONEG: u16 = 2;
const LINKMODES_OURS: u16 = 3;
const LINKMODES_SPEED: u16 = 5;
const LINKMODES_DUPLEX: u16 = 6;
const LINKMODES_RATE_MATCHING: u16 = 10;
const LINKSTATE_LINK: u16 = 2;
const DEBUG_MSGMASK: u16 = 2;

const PORT_TWISTED_PAIR: u8 = 0;
const PORT_OTHER: u8 = 0xff;
const DUPLEX_FULL: u8 = 1;
const UNKNOWN: u8 = 0xff;
/// How many link modes Linux knows.
const LINK_MODES: u32 = 121;
/// How many classes of message a driver may log.
const MESSAGES: u32 = 15;

fn settings(device: &Device) -> Result<()> {
    // A dummy has ethtool operations, but no link settings.
    if has_operations(device) && !matches!(device.kind, DevKind::Dummy) {
        Ok(())
    } else {
        Err(Error::new(Errno::EOPNOTSUPP, "failed to retrieve link settings"))
    }
}

pub(super) fn info(kernel: &mut Kernel, ns: NsId, request: &GenlRequest<'_>) -> Result<Answer> {
    let attrs = request.attributes(HEADER_ONLY, Check::Lenient)?;
    let device = &kernel.devices[target(kernel, ns, &attrs)?.dev];
    let line = line(kernel, device);
    settings(line)?;
    let port = if matches!(line.kind, DevKind::Veth(_) | DevKind::Tun(_)) { PORT_TWISTED_PAIR } else { PORT_OTHER };
    Ok(answer(request, device, reply::LINKINFO_GET, |out| {
        out.u8(LINKINFO_PORT, port);
        out.u8(LINKINFO_PHYADDR, 0);
        out.u8(LINKINFO_TP_MDIX, 0);
        out.u8(LINKINFO_TP_MDIX_CTRL, 0);
        out.u8(LINKINFO_TRANSCEIVER, 0);
    }))
}

pub(super) fn modes(kernel: &mut Kernel, ns: NsId, request: &GenlRequest<'_>) -> Result<Answer> {
    let attrs = request.attributes(HEADER_ONLY, Check::Lenient)?;
    let target = target(kernel, ns, &attrs)?;
    let device = &kernel.devices[target.dev];
    let line = line(kernel, device);
    settings(line)?;
    let speed = link_speed(kernel, device).unwrap_or(u32::MAX);
    let duplex = if matches!(line.kind, DevKind::Bridge(_)) { UNKNOWN } else { DUPLEX_FULL };
    let form = Form { size: LINK_MODES, names: &[], compact: target.compact };
    Ok(answer(request, device, reply::LINKMODES_GET, |out| {
        out.u8(LINKMODES_AUTONEG, 0);
        bitset::put(out, LINKMODES_OURS, Bitset { value: 0, mask: Some(0) }, form);
        out.u32(LINKMODES_SPEED, speed);
        out.u8(LINKMODES_DUPLEX, duplex);
        out.u8(LINKMODES_RATE_MATCHING, 0);
    }))
}

pub(super) fn state(kernel: &mut Kernel, ns: NsId, request: &GenlRequest<'_>) -> Result<Answer> {
    let attrs = request.attributes(HEADER_ONLY, Check::Lenient)?;
    let device = &kernel.devices[target(kernel, ns, &attrs)?.dev];
    Ok(answer(request, device, reply::LINKSTATE_GET, |out| {
        out.u8(LINKSTATE_LINK, device.is_up_with_carrier().into());
    }))
}

/// Which messages the driver logs. Only TUN says, and it logs none.
pub(super) fn debug(kernel: &mut Kernel, ns: NsId, request: &GenlRequest<'_>) -> Result<Answer> {
    let attrs = request.attributes(HEADER_ONLY, Check::Lenient)?;
    let target = target(kernel, ns, &attrs)?;
    let device = &kernel.devices[target.dev];
    if device.tun().is_none() {
        return Err(Errno::EOPNOTSUPP.into());
    }
    let form = Form { size: MESSAGES, names: &[], compact: target.compact };
    Ok(answer(request, device, reply::DEBUG_GET, |out| {
        bitset::put(out, DEBUG_MSGMASK, Bitset { value: 0, mask: None }, form);
    }))
}

/// How fast a device is, in Mb/s, where it says. A bridge is as fast as its fastest running port; a macvlan as the device
/// below.
pub(crate) fn link_speed(kernel: &Kernel, device: &Device) -> Option<u32> {
    match &device.kind {
        DevKind::Veth(_) | DevKind::Tun(_) => Some(10_000),
        DevKind::Loopback | DevKind::Dummy => None,
        DevKind::Macvlan(macvlan) => link_speed(kernel, kernel.devices.get(macvlan.lower)?),
        DevKind::Bridge(bridge) => {
            let ports = bridge.members().filter_map(|(_, port)| kernel.devices.get(port.dev));
            ports.filter(|port| port.is_up_with_carrier()).filter_map(|port| link_speed(kernel, port)).max()
        }
    }
}

/// The device whose link it is: for a macvlan the one below.
fn line<'k>(kernel: &'k Kernel, device: &'k Device) -> &'k Device {
    device.macvlan().and_then(|macvlan| kernel.devices.get(macvlan.lower)).unwrap_or(device)
}

/// `/sys/class/net/X/speed` and `duplex`.
pub(crate) fn sysfs_link(kernel: &Kernel, device: &Device) -> Result<(i32, &'static str), Errno> {
    match line(kernel, device).kind {
        _ if !device.is_up() => Err(Errno::EINVAL),
        DevKind::Loopback | DevKind::Dummy => Err(Errno::EINVAL),
        DevKind::Bridge(_) => Ok((link_speed(kernel, device).map_or(-1, |speed| speed as i32), "unknown")),
        _ => Ok((link_speed(kernel, device).map_or(-1, |speed| speed as i32), "full")),
    }
}
