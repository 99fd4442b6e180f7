//! Links: devices as rtnetlink shows, makes, changes and removes them (`RTM_*LINK`).

pub(super) mod change;
pub(super) mod create;
pub(super) mod delete;
pub(crate) mod fill;
pub(crate) mod get;
mod macvlan;
pub(super) mod property;
mod veth;

use super::attr::{Attr, Attributes, Check, Policy, Rule};
use super::dispatch::Request;
use super::uapi::*;
use crate::Kernel;
use crate::error::{Errno, Error, Result};
use crate::types::{DevId, NsId};

/// Bytes of a `struct ifinfomsg`.
pub(crate) const IFINFOMSG: usize = 16;

/// The longest name that fits `IFNAMSIZ`, and the longest alternative name.
const NAME: usize = 15;
const ALT_NAME: usize = 127;

/// Offloaded segments are longer than this: the longest TCP header and a byte.
const SHORTEST_SEGMENT: u32 = 193;

/// What the attributes of a link must look like.
pub(crate) const LINK: Policy = &[
    (IFLA_ADDRESS, Rule::Binary(32)),
    (IFLA_BROADCAST, Rule::Binary(32)),
    (IFLA_IFNAME, Rule::Text(NAME)),
    (IFLA_MTU, Rule::U32),
    (IFLA_LINK, Rule::U32),
    (IFLA_MASTER, Rule::U32),
    (IFLA_PROTINFO, Rule::Binary(usize::MAX)),
    (IFLA_TXQLEN, Rule::U32),
    (IFLA_MAP, Rule::Exact(28)),
    (IFLA_OPERSTATE, Rule::U8),
    (IFLA_LINKMODE, Rule::U8),
    (IFLA_LINKINFO, Rule::Nested),
    (IFLA_NET_NS_PID, Rule::U32),
    (IFLA_IFALIAS, Rule::Binary(255)),
    (IFLA_AF_SPEC, Rule::Nested),
    (IFLA_GROUP, Rule::U32),
    (IFLA_NET_NS_FD, Rule::U32),
    (IFLA_EXT_MASK, Rule::U32),
    (IFLA_PROMISCUITY, Rule::U32),
    (IFLA_NUM_TX_QUEUES, Rule::U32),
    (IFLA_NUM_RX_QUEUES, Rule::U32),
    (IFLA_CARRIER, Rule::U8),
    (IFLA_CARRIER_CHANGES, Rule::U32),
    (IFLA_LINK_NETNSID, Rule::U32),
    (IFLA_PROTO_DOWN, Rule::U8),
    (IFLA_GSO_MAX_SEGS, Rule::U32),
    (IFLA_GSO_MAX_SIZE, Rule::Range(SHORTEST_SEGMENT, u32::MAX)),
    (IFLA_XDP, Rule::Nested),
    (IFLA_TARGET_NETNSID, Rule::U32),
    (IFLA_CARRIER_UP_COUNT, Rule::U32),
    (IFLA_CARRIER_DOWN_COUNT, Rule::U32),
    (IFLA_NEW_IFINDEX, Rule::Range(1, i32::MAX as u32)),
    (IFLA_MIN_MTU, Rule::U32),
    (IFLA_MAX_MTU, Rule::U32),
    (IFLA_PROP_LIST, Rule::Nested),
    (IFLA_ALT_IFNAME, Rule::Text(ALT_NAME)),
    (IFLA_GRO_MAX_SIZE, Rule::U32),
    (IFLA_TSO_MAX_SIZE, Rule::Reject),
    (IFLA_TSO_MAX_SEGS, Rule::Reject),
    (IFLA_ALLMULTI, Rule::Reject),
    (IFLA_GSO_IPV4_MAX_SIZE, Rule::Range(SHORTEST_SEGMENT, u32::MAX)),
    (IFLA_GRO_IPV4_MAX_SIZE, Rule::U32),
    (IFLA_NETNS_IMMUTABLE, Rule::Reject),
];

/// What `IFLA_LINKINFO` holds.
const LINK_INFO: Policy = &[
    (IFLA_INFO_KIND, Rule::Binary(usize::MAX)),
    (IFLA_INFO_DATA, Rule::Nested),
    (IFLA_INFO_SLAVE_KIND, Rule::Binary(usize::MAX)),
    (IFLA_INFO_SLAVE_DATA, Rule::Nested),
];

/// A `struct ifinfomsg`.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct IfInfo {
    pub(crate) hardware_type: u16,
    pub(crate) pad: u8,
    pub(crate) index: i32,
    pub(crate) flags: u32,
    pub(crate) change: u32,
}

impl IfInfo {
    /// Reads one.
    pub(crate) fn parse(bytes: &[u8; IFINFOMSG]) -> IfInfo {
        let [_, pad, t0, t1, i0, i1, i2, i3, f0, f1, f2, f3, c0, c1, c2, c3] = *bytes;
        IfInfo {
            hardware_type: u16::from_ne_bytes([t0, t1]),
            pad,
            index: i32::from_ne_bytes([i0, i1, i2, i3]),
            flags: u32::from_ne_bytes([f0, f1, f2, f3]),
            change: u32::from_ne_bytes([c0, c1, c2, c3]),
        }
    }

    /// Header and attributes of a request that makes, changes or removes a link.
    pub(crate) fn of<'a>(request: &Request<'a>) -> Result<(IfInfo, Attributes<'a>)> {
        let info = IfInfo::parse(&request.fixed("Invalid header length")?);
        Ok((info, request.attributes(IFINFOMSG, LINK, Check::Lenient)?))
    }

    /// Whether anything but the index says something.
    pub(crate) fn asks_too_much(&self) -> bool {
        self.pad != 0 || self.hardware_type != 0 || self.flags != 0 || self.change != 0
    }
}

/// A device's kind, its settings, and those of the port it is, as a request gives them.
#[derive(Default)]
struct LinkInfo<'a> {
    kind: Option<&'a str>,
    data: Option<Attr<'a>>,
    port_kind: Option<&'a str>,
    port_data: Option<Attr<'a>>,
}

impl<'a> LinkInfo<'a> {
    fn of(attrs: &Attributes<'a>) -> Result<LinkInfo<'a>> {
        let Some(info) = attrs.get(IFLA_LINKINFO) else { return Ok(LinkInfo::default()) };
        let info = info.nested(LINK_INFO, Check::Lenient)?;
        Ok(LinkInfo {
            kind: info.get(IFLA_INFO_KIND).and_then(|kind| kind.text()),
            data: info.get(IFLA_INFO_DATA),
            port_kind: info.get(IFLA_INFO_SLAVE_KIND).and_then(|kind| kind.text()),
            port_data: info.get(IFLA_INFO_SLAVE_DATA),
        })
    }
}

/// The name that a request looks a device up by, if it gives one.
fn name_of<'a>(attrs: &Attributes<'a>) -> Result<Option<&'a str>, Errno> {
    match attrs.get(IFLA_IFNAME).or_else(|| attrs.get(IFLA_ALT_IFNAME)) {
        Some(name) => Ok(Some(name.text().ok_or(Errno::EINVAL)?)),
        None => Ok(None),
    }
}

/// The device that a request is about: by index, or by name or alternative name. `EINVAL` where it says neither,
/// `ENODEV` where there is none.
fn find(kernel: &Kernel, ns: NsId, info: &IfInfo, attrs: &Attributes<'_>) -> Result<DevId> {
    let netns = kernel.namespaces.get(ns).ok_or(Errno::EINVAL)?;
    if info.index > 0 {
        return Ok(netns.device_by_index(info.index as u32).ok_or(Errno::ENODEV)?);
    }
    let name = name_of(attrs)?.ok_or(Errno::EINVAL)?;
    Ok(netns.device_by_name(name).ok_or(Errno::ENODEV)?)
}

/// Refuses the ways to name a namespace that only devices on their way know.
fn only_target_nsid(attrs: &Attributes<'_>) -> Result<()> {
    if [IFLA_NET_NS_PID, IFLA_NET_NS_FD].iter().any(|kind| attrs.get(*kind).is_some()) {
        return Err(Error::new(Errno::EOPNOTSUPP, "specified netns attribute not supported"));
    }
    Ok(())
}
