//! ethtool: driver information, statistics, offload features, by generic netlink and by ioctl.

mod bitset;
mod channels;
mod features;
mod ioctl;
mod link;
mod strings;
mod timestamping;

pub(crate) use features::Features;
pub(crate) use ioctl::ioctl;
pub(crate) use link::{link_speed, sysfs_link};

use crate::Kernel;
use crate::drivers::DevKind;
use crate::error::{Errno, Error, Result};
use crate::genetlink::{self, GenlRequest};
use crate::netdev::Device;
use crate::rtnetlink::attr::{Attributes, Check, NLA_F_NESTED, Policy, Rule, Writer};
use crate::rtnetlink::dispatch::Answer;
use crate::types::{DevId, NsId};

/// The header that stands first in every request and reply.
const A_HEADER: u16 = 1;
const A_HEADER_DEV_INDEX: u16 = 1;
const A_HEADER_DEV_NAME: u16 = 2;
const A_HEADER_FLAGS: u16 = 3;
/// Bitsets come as words, not as lists of names.
const FLAG_COMPACT_BITSETS: u32 = 1;
const FLAG_OMIT_REPLY: u32 = 2;

const HEADER: Policy =
    &[(A_HEADER_DEV_INDEX, Rule::U32), (A_HEADER_DEV_NAME, Rule::Text(127)), (A_HEADER_FLAGS, Rule::U32)];

const VERSION: u8 = 1;

/// Commands, with Linux's numbers.
mod command {
    pub(super) const STRSET_GET: u8 = 1;
    pub(super) const LINKINFO_GET: u8 = 2;
    pub(super) const LINKMODES_GET: u8 = 4;
    pub(super) const LINKSTATE_GET: u8 = 6;
    pub(super) const DEBUG_GET: u8 = 7;
    pub(super) const FEATURES_GET: u8 = 11;
    pub(super) const FEATURES_SET: u8 = 12;
    pub(super) const CHANNELS_GET: u8 = 17;
    pub(super) const CHANNELS_SET: u8 = 18;
    pub(super) const TSINFO_GET: u8 = 25;
    pub(super) const STATS_GET: u8 = 32;
    /// Every other command that Linux has; no device here answers them.
    pub(super) const LAST: u8 = 45;
}

/// Replies, with Linux's numbers.
mod reply {
    pub(super) const STRSET_GET: u8 = 1;
    pub(super) const LINKINFO_GET: u8 = 2;
    pub(super) const LINKMODES_GET: u8 = 4;
    pub(super) const LINKSTATE_GET: u8 = 6;
    pub(super) const DEBUG_GET: u8 = 7;
    pub(super) const FEATURES_GET: u8 = 11;
    pub(super) const FEATURES_SET: u8 = 12;
    pub(super) const CHANNELS_GET: u8 = 18;
    pub(super) const TSINFO_GET: u8 = 26;
    pub(super) const STATS_GET: u8 = 33;
}

/// What a request's header says.
struct Target {
    dev: DevId,
    compact: bool,
    omit_reply: bool,
}

/// The device that a request is about.
fn target(kernel: &Kernel, ns: NsId, attrs: &Attributes<'_>) -> Result<Target> {
    target_in(kernel, ns, attrs, A_HEADER)
}

/// The same where the header has another number.
fn target_in(kernel: &Kernel, ns: NsId, attrs: &Attributes<'_>, header: u16) -> Result<Target> {
    let header = attrs.get(header).ok_or_else(|| Error::new(Errno::EINVAL, "request header missing"))?;
    let fields = header.nested(HEADER, Check::Strict)?;
    let netns = &kernel.namespaces[ns];
    let by_index = fields.get(A_HEADER_DEV_INDEX);
    let by_name = fields.get(A_HEADER_DEV_NAME);
    let dev = match (by_index, by_name) {
        (Some(index), name) => {
            let dev = netns
                .device_by_index(index.u32())
                .ok_or_else(|| index.refuse(Errno::ENODEV, "no device matches ifindex"))?;
            match name {
                Some(name) if netns.device_by_name(name.text().unwrap_or_default()) != Some(dev) => {
                    return Err(name.refuse(Errno::ENODEV, "ifindex and name do not match"));
                }
                _ => dev,
            }
        }
        (None, Some(name)) => netns
            .device_by_name(name.text().unwrap_or_default())
            .ok_or_else(|| name.refuse(Errno::ENODEV, "no device matches name"))?,
        (None, None) => return Err(header.refuse(Errno::EINVAL, "neither ifindex nor name specified")),
    };
    let flags = fields.get(A_HEADER_FLAGS).map_or(0, |flags| flags.u32());
    Ok(Target { dev, compact: flags & FLAG_COMPACT_BITSETS != 0, omit_reply: flags & FLAG_OMIT_REPLY != 0 })
}

/// A reply about a device.
fn answer(request: &GenlRequest<'_>, device: &Device, command: u8, body: impl FnOnce(&mut Writer)) -> Answer {
    answer_with(request, device, command, A_HEADER, body)
}

/// The same where the header has another number.
fn answer_with(
    request: &GenlRequest<'_>,
    device: &Device,
    command: u8,
    header: u16,
    body: impl FnOnce(&mut Writer),
) -> Answer {
    let mut out = Writer::new();
    genetlink::message(&mut out, request.reply(), command, VERSION, |out| {
        out.nest(header | NLA_F_NESTED, |out| {
            out.u32(A_HEADER_DEV_INDEX, device.ifindex);
            out.text(A_HEADER_DEV_NAME, device.name.as_str());
        });
        body(out);
    });
    Answer::Reply(out)
}

/// Only the header.
const HEADER_ONLY: Policy = &[(A_HEADER, Rule::Nested)];

/// Answers a request of the generic netlink family `ethtool`.
pub(crate) fn genl_request(kernel: &mut Kernel, ns: NsId, request: &GenlRequest<'_>) -> Result<Answer> {
    if request.request.is_dump() {
        return Err(Errno::EOPNOTSUPP.into());
    }
    match request.command {
        command::STRSET_GET => strings::get(kernel, ns, request),
        command::LINKINFO_GET => link::info(kernel, ns, request),
        command::LINKMODES_GET => link::modes(kernel, ns, request),
        command::LINKSTATE_GET => link::state(kernel, ns, request),
        command::DEBUG_GET => link::debug(kernel, ns, request),
        command::FEATURES_GET => features::get(kernel, ns, request),
        command::FEATURES_SET => features::set(kernel, ns, request),
        command::CHANNELS_GET => channels::get(kernel, ns, request),
        command::CHANNELS_SET => channels::set(kernel, ns, request),
        command::TSINFO_GET => timestamping::get(kernel, ns, request),
        command::STATS_GET => statistics(kernel, ns, request),
        other if (1..=command::LAST).contains(&other) => {
            // A device that isn't there is said before what it can't do.
            let attrs = request.attributes(HEADER_ONLY, Check::Lenient)?;
            target(kernel, ns, &attrs)?;
            Err(Errno::EOPNOTSUPP.into())
        }
        _ => Err(Errno::EOPNOTSUPP.into()),
    }
}

/// Standard statistics by group, of which no virtual device has any.
fn statistics(kernel: &mut Kernel, ns: NsId, request: &GenlRequest<'_>) -> Result<Answer> {
    /// The first number is for padding here.
    const A_STATS_HEADER: u16 = 2;
    const STATS: Policy = &[(A_STATS_HEADER, Rule::Nested)];
    let attrs = request.attributes(STATS, Check::Lenient)?;
    let target = target_in(kernel, ns, &attrs, A_STATS_HEADER)?;
    Ok(answer_with(request, &kernel.devices[target.dev], reply::STATS_GET, A_STATS_HEADER, |_| {}))
}

/// Whether a kind of device has ethtool operations of its own.
fn has_operations(device: &Device) -> bool {
    !matches!(device.kind, DevKind::Loopback)
}
