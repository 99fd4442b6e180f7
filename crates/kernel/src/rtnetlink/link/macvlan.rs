//! MACVLAN devices: what a request says of them, and what is told of them.

use super::super::attr::{Attr, Attributes, Check, Policy, Rule, Writer};
use super::super::dispatch::Request;
use super::super::target;
use super::super::uapi::*;
use super::IfInfo;
use super::create::{self, Plan};
use crate::Kernel;
use crate::drivers::macvlan::{self, Macvlan, Mode, Settings};
use crate::error::{Errno, Error, Result};
use crate::types::{DevId, NsId};

const MODE: u16 = 1;
const FLAGS: u16 = 2;
const MACADDR_COUNT: u16 = 6;
const BC_QUEUE_LEN: u16 = 7;
const BC_QUEUE_LEN_USED: u16 = 8;

/// `IFLA_INFO_DATA` of a macvlan.
const DATA: Policy = &[(MODE, Rule::U32), (FLAGS, Rule::U16), (BC_QUEUE_LEN, Rule::U32)];

/// The pattern of a name where none is given.
const PATTERN: &str = "macvlan%d";

fn settings(data: Option<Attr<'_>>) -> Result<Settings> {
    let data = data.map(|data| data.nested(DATA, Check::Lenient)).transpose()?.unwrap_or_default();
    Ok(Settings {
        mode: data.get(MODE).map(|mode| Mode::from_number(mode.u32())).transpose()?,
        flags: data.get(FLAGS).map(|flags| flags.u16()),
        queue_length: data.get(BC_QUEUE_LEN).map(|length| length.u32()),
    })
}

/// Makes a macvlan on the device that `IFLA_LINK` names.
pub(super) fn create(
    kernel: &mut Kernel,
    request: &Request<'_>,
    ns: NsId,
    info: &IfInfo,
    attrs: &Attributes<'_>,
    data: Option<Attr<'_>>,
) -> Result<DevId> {
    let settings = settings(data)?;
    let link = attrs.get(IFLA_LINK).ok_or(Errno::EINVAL)?;
    let link_ns = match attrs.get(IFLA_LINK_NETNSID) {
        Some(nsid) => target::by_nsid(kernel, request.ns, nsid.i32())
            .ok_or(Error::new(Errno::EINVAL, "Unknown network namespace id"))?,
        None => request.ns,
    };
    let netns = kernel.namespaces.get(link_ns).ok_or(Errno::EINVAL)?;
    let below = netns.device_by_index(link.u32()).ok_or(Errno::ENODEV)?;
    let (ns, new) = Plan::of(ns, *info, attrs)?.resolve(kernel, PATTERN)?;
    let dev = macvlan::create(kernel, ns, new, below, settings)?;
    create::configure(kernel, dev, info).inspect_err(|_| kernel.unregister_device(dev))?;
    Ok(dev)
}

/// Changes a macvlan's settings.
pub(super) fn change(kernel: &mut Kernel, dev: DevId, data: Attr<'_>) -> Result<()> {
    macvlan::change(kernel, dev, settings(Some(data))?)
}

/// `IFLA_INFO_DATA`, in Linux's order.
pub(super) fn fill_info(kernel: &Kernel, macvlan: Macvlan, out: &mut Writer) {
    out.u32(MODE, macvlan.mode as u32);
    out.u16(FLAGS, macvlan.flags);
    out.u32(MACADDR_COUNT, 0);
    out.u32(BC_QUEUE_LEN, macvlan.queue_length);
    out.u32(BC_QUEUE_LEN_USED, macvlan::used_queue_length(kernel, macvlan));
}
