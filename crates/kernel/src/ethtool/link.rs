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
    settings(device)?;
    let port = if matches!(device.kind, DevKind::Veth(_) | DevKind::Tun(_)) { PORT_TWISTED_PAIR } else { PORT_OTHER };
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
    settings(device)?;
    let (speed, duplex) = match device.kind {
        DevKind::Veth(_) | DevKind::Tun(_) => (10_000, DUPLEX_FULL),
        _ => (bridge_speed(kernel, device).unwrap_or(u32::MAX), UNKNOWN),
    };
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

/// A bridge is as fast as its fastest running port, in Mb/s; unknown without one.
pub(crate) fn bridge_speed(kernel: &Kernel, bridge: &Device) -> Option<u32> {
    let netns = &kernel.namespaces[bridge.ns];
    let dev = netns.device_by_index(bridge.ifindex)?;
    netns
        .devices()
        .filter_map(|port| kernel.devices.get(port))
        .filter(|port| port.port.is_some_and(|of| of.bridge == dev) && port.is_up_with_carrier())
        .find(|port| matches!(port.kind, DevKind::Veth(_) | DevKind::Tun(_)))
        .map(|_| 10_000)
}
