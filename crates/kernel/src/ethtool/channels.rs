//! Channels: how many of a veth's queues are in use.

use super::{A_HEADER, HEADER_ONLY, answer, reply, target};
use crate::Kernel;
use crate::drivers::{DevKind, Veth};
use crate::error::{Errno, Result};
use crate::genetlink::GenlRequest;
use crate::rtnetlink::attr::{Attr, Check, Policy, Rule};
use crate::rtnetlink::dispatch::Answer;
use crate::types::NsId;

const RX_MAX: u16 = 2;
const TX_MAX: u16 = 3;
const RX_COUNT: u16 = 6;
const TX_COUNT: u16 = 7;
const OTHER_COUNT: u16 = 8;
const COMBINED_COUNT: u16 = 9;

const SET: Policy = &[
    (A_HEADER, Rule::Nested),
    (RX_COUNT, Rule::U32),
    (TX_COUNT, Rule::U32),
    (OTHER_COUNT, Rule::U32),
    (COMBINED_COUNT, Rule::U32),
];

pub(super) fn get(kernel: &mut Kernel, ns: NsId, request: &GenlRequest<'_>) -> Result<Answer> {
    let attrs = request.attributes(HEADER_ONLY, Check::Lenient)?;
    let device = &kernel.devices[target(kernel, ns, &attrs)?.dev];
    let DevKind::Veth(Veth { rx_channels, tx_channels, .. }) = device.kind else {
        return Err(Errno::EOPNOTSUPP.into());
    };
    Ok(answer(request, device, reply::CHANNELS_GET, |out| {
        out.u32(RX_MAX, device.info.rx_queues);
        out.u32(RX_COUNT, rx_channels.into());
        out.u32(TX_MAX, device.info.tx_queues);
        out.u32(TX_COUNT, tx_channels.into());
    }))
}

pub(super) fn set(kernel: &mut Kernel, ns: NsId, request: &GenlRequest<'_>) -> Result<Answer> {
    let attrs = request.attributes(SET, Check::Strict)?;
    let dev = target(kernel, ns, &attrs)?.dev;
    let device = &mut kernel.devices[dev];
    let (rx_max, tx_max) = (device.info.rx_queues, device.info.tx_queues);
    let DevKind::Veth(veth) = &mut device.kind else { return Err(Errno::EOPNOTSUPP.into()) };
    let count = |kind: u16, max: u32| -> Result<Option<u32>> {
        match attrs.get(kind) {
            Some(attr) if attr.u32() > max => Err(too_many(attr)),
            found => Ok(found.map(|attr| attr.u32())),
        }
    };
    count(OTHER_COUNT, 0)?;
    count(COMBINED_COUNT, 0)?;
    let rx = count(RX_COUNT, rx_max)?.unwrap_or(veth.rx_channels.into());
    let tx = count(TX_COUNT, tx_max)?.unwrap_or(veth.tx_channels.into());
    if rx == 0 || tx == 0 {
        let missing = attrs.get(if rx == 0 { RX_COUNT } else { TX_COUNT }).ok_or(Errno::EINVAL)?;
        return Err(missing
            .refuse(Errno::EINVAL, "requested channel counts would result in no RX or TX channel being configured"));
    }
    // No device has more than 4,096.
    let number = |channels| u16::try_from(channels).unwrap_or(u16::MAX);
    (veth.rx_channels, veth.tx_channels) = (number(rx), number(tx));
    // A running device loses its carrier while its queues are made anew.
    if kernel.devices[dev].is_up_with_carrier() {
        kernel.set_carrier(dev, false);
        kernel.set_carrier(dev, true);
    }
    Ok(Answer::Done)
}

fn too_many(attr: Attr<'_>) -> crate::Error {
    attr.refuse(Errno::EINVAL, "requested channel count exceeds maximum")
}
