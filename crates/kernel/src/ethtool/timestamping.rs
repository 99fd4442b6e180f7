//! Time stamping capabilities: what the kernel's own clock gives.

use super::bitset::{self, Bitset, Form};
use super::{HEADER_ONLY, answer, reply, target};
use crate::Kernel;
use crate::drivers::DevKind;
use crate::error::Result;
use crate::genetlink::GenlRequest;
use crate::rtnetlink::attr::Check;
use crate::rtnetlink::dispatch::Answer;
use crate::types::NsId;

const TIMESTAMPING: u16 = 2;

const NAMES: [&str; 19] = [
    "hardware-transmit",
    "software-transmit",
    "hardware-receive",
    "software-receive",
    "software-system-clock",
    "hardware-legacy-clock",
    "hardware-raw-clock",
    "option-id",
    "sched-transmit",
    "ack-transmit",
    "option-cmsg",
    "option-tsonly",
    "option-stats",
    "option-pktinfo",
    "option-tx-swhw",
    "bind-phc",
    "option-id-tcp",
    "option-rx-filter",
    "tx-completion",
];

const SOFTWARE_TRANSMIT: u64 = 1 << 1;
const SOFTWARE_RECEIVE: u64 = 1 << 3;
const SOFTWARE_CLOCK: u64 = 1 << 4;

pub(super) fn get(kernel: &mut Kernel, ns: NsId, request: &GenlRequest<'_>) -> Result<Answer> {
    let attrs = request.attributes(HEADER_ONLY, Check::Lenient)?;
    let target = target(kernel, ns, &attrs)?;
    let device = &kernel.devices[target.dev];
    let transmit = if matches!(device.kind, DevKind::Bridge(_)) { 0 } else { SOFTWARE_TRANSMIT };
    let value = transmit | SOFTWARE_RECEIVE | SOFTWARE_CLOCK;
    let form = Form { size: NAMES.len() as u32, names: &NAMES, compact: target.compact };
    Ok(answer(request, device, reply::TSINFO_GET, |out| {
        bitset::put(out, TIMESTAMPING, Bitset { value, mask: None }, form);
    }))
}
