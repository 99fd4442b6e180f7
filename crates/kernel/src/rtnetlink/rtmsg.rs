//! What the messages of routes (`RTM_*ROUTE`) have in common, whatever the family.

use super::attr::{Attr, Attributes, Check, Policy, Rule, Writer};
use super::dispatch::{Answer, Dump, Request};
use crate::Kernel;
use crate::error::{Errno, Error, Result};
use crate::ipv4::fib::RTAX_COUNT;
use crate::types::{DevId, NsId};

/// Bytes of a `struct rtmsg`.
pub(super) const RTMSG: usize = 12;

pub(crate) const RTA_DST: u16 = 1;
pub(super) const RTA_SRC: u16 = 2;
pub(super) const RTA_IIF: u16 = 3;
pub(crate) const RTA_OIF: u16 = 4;
pub(crate) const RTA_GATEWAY: u16 = 5;
pub(crate) const RTA_PRIORITY: u16 = 6;
pub(super) const RTA_PREFSRC: u16 = 7;
pub(super) const RTA_METRICS: u16 = 8;
pub(super) const RTA_MULTIPATH: u16 = 9;
pub(super) const RTA_FLOW: u16 = 11;
pub(super) const RTA_CACHEINFO: u16 = 12;
pub(super) const RTA_TABLE: u16 = 15;
pub(super) const RTA_MARK: u16 = 16;
pub(super) const RTA_VIA: u16 = 18;
pub(super) const RTA_PREF: u16 = 20;
pub(super) const RTA_EXPIRES: u16 = 23;
pub(super) const RTA_UID: u16 = 25;
pub(super) const RTA_IP_PROTO: u16 = 27;
pub(super) const RTA_SPORT: u16 = 28;
pub(super) const RTA_DPORT: u16 = 29;

/// `RT_TABLE_COMPAT`: what the header says of a table whose number is too large for it.
const TABLE_COMPAT: u8 = 252;
/// `RTM_F_CLONED`: what was learned, not what was configured.
pub(super) const RTM_F_CLONED: u32 = 0x200;
/// `RTM_F_PREFIX`: one more flag that a dump may have.
const RTM_F_PREFIX: u32 = 0x800;

/// Within `RTA_METRICS`.
const RTAX: Policy = &[
    (1, Rule::U32),
    (2, Rule::U32),
    (3, Rule::U32),
    (4, Rule::U32),
    (5, Rule::U32),
    (6, Rule::U32),
    (7, Rule::U32),
    (8, Rule::U32),
    (9, Rule::U32),
    (10, Rule::U32),
    (11, Rule::U32),
    (12, Rule::U32),
    (13, Rule::U32),
    (14, Rule::U32),
    (15, Rule::U32),
    (17, Rule::U32),
];

/// `struct rtmsg`.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct RtMsg {
    pub(super) family: u8,
    pub(super) destination_length: u8,
    pub(super) source_length: u8,
    pub(super) tos: u8,
    pub(super) table: u8,
    pub(super) protocol: u8,
    pub(super) scope: u8,
    pub(super) kind: u8,
    pub(super) flags: u32,
}

impl RtMsg {
    pub(super) fn parse(bytes: &[u8; RTMSG]) -> RtMsg {
        let [family, destination_length, source_length, tos, table, protocol, scope, kind, flags @ ..] = *bytes;
        let flags = u32::from_ne_bytes(flags);
        RtMsg { family, destination_length, source_length, tos, table, protocol, scope, kind, flags }
    }

    pub(super) fn write(&self, out: &mut Writer) {
        let RtMsg { family, destination_length, source_length, tos, table, protocol, scope, kind, flags } = *self;
        let [a, b, c, d] = flags.to_ne_bytes();
        out.raw(&[family, destination_length, source_length, tos, table, protocol, scope, kind, a, b, c, d]);
    }
}

/// A table's number as the header has it.
pub(super) fn compat(table: u32) -> u8 {
    u8::try_from(table).unwrap_or(TABLE_COMPAT)
}

/// `RTA_METRICS`, without those that are 0.
pub(super) fn fill_metrics(metrics: &[u32; RTAX_COUNT], out: &mut Writer) {
    out.nest_unless_empty(RTA_METRICS, |out| {
        for (number, value) in metrics.iter().enumerate().filter(|(_, value)| **value != 0) {
            out.u32(number as u16, *value);
        }
    });
}

/// Reads `RTA_METRICS`.
pub(super) fn parse_metrics(attr: &Attr<'_>) -> Result<Box<[u32; RTAX_COUNT]>> {
    let mut metrics = Box::new([0; RTAX_COUNT]);
    for metric in attr.nested(RTAX, Check::Lenient)?.iter() {
        if let Some(place) = metrics.get_mut(usize::from(metric.kind)) {
            *place = metric.u32();
        }
    }
    Ok(metrics)
}

/// The fixed part of a `struct rtnexthop`.
#[derive(Clone, Copy, Debug)]
pub(super) struct RtNexthop {
    pub(super) flags: u8,
    pub(super) weight: u8,
    pub(super) index: u32,
}

/// Reads `RTA_MULTIPATH`: `hop` makes a family's next hop of each.
pub(super) fn parse_nexthops<Hop>(
    attr: &Attr<'_>,
    policy: Policy,
    hop: impl Fn(RtNexthop, &Attributes<'_>) -> Result<Hop>,
) -> Result<Vec<Hop>> {
    let mut hops = Vec::new();
    let mut rest = attr.payload;
    let mut at = attr.offset as usize + 4;
    while !rest.is_empty() {
        let invalid = || Error::new(Errno::EINVAL, "Invalid nexthop configuration - extra data after nexthop");
        let [l0, l1, flags, weight, index @ ..] = *rest.first_chunk::<8>().ok_or_else(invalid)?;
        let length = usize::from(u16::from_ne_bytes([l0, l1]));
        let inner = rest.get(8..length).ok_or_else(invalid)?;
        let attrs = Attributes::parse(inner, at + 8, policy, Check::Lenient)?;
        hops.push(hop(RtNexthop { flags, weight, index: u32::from_ne_bytes(index) }, &attrs)?);
        let step = length.next_multiple_of(4).min(rest.len());
        rest = &rest[step..];
        at += step;
    }
    Ok(hops)
}

/// Writes one next hop of `RTA_MULTIPATH` with the attributes that `fill` gives it.
pub(super) fn fill_nexthop(hop: RtNexthop, out: &mut Writer, fill: impl FnOnce(&mut Writer)) {
    let mut inner = Writer::new();
    fill(&mut inner);
    let inner = inner.into_bytes();
    let mut bytes = ((8 + inner.len()) as u16).to_ne_bytes().to_vec();
    bytes.extend([hop.flags, hop.weight]);
    bytes.extend(hop.index.to_ne_bytes());
    bytes.extend(inner);
    out.raw(&bytes);
}

/// The device whose index an attribute gives; `ENODEV` where there is none with it.
pub(super) fn device(kernel: &Kernel, ns: NsId, attrs: &Attributes<'_>, kind: u16) -> Result<Option<DevId>, Errno> {
    match attrs.get(kind).map_or(0, |index| index.u32()) {
        0 => Ok(None),
        index => kernel.device_by_index(ns, index).map(Some).ok_or(Errno::ENODEV),
    }
}

/// How a family refuses a dump.
pub(super) struct DumpRefusals {
    pub(super) header: &'static str,
    pub(super) values: &'static str,
    /// None: any flag will do.
    pub(super) flags: Option<&'static str>,
    pub(super) attribute: &'static str,
}

/// What a dump shows.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct DumpFilter {
    pub(super) table: Option<u32>,
    /// What was learned instead of what was configured.
    pub(super) learned: bool,
    protocol: u8,
    kind: u8,
    dev: Option<DevId>,
}

impl DumpFilter {
    pub(super) fn parse(
        kernel: &Kernel,
        request: &Request<'_>,
        policy: Policy,
        refusals: &DumpRefusals,
    ) -> Result<DumpFilter> {
        if !request.strict {
            let body = request.body().first_chunk::<RTMSG>();
            let learned = body.is_some_and(|body| RtMsg::parse(body).flags & RTM_F_CLONED != 0);
            return Ok(DumpFilter { learned, ..DumpFilter::default() });
        }
        let message = RtMsg::parse(&request.fixed(refusals.header)?);
        if message.destination_length != 0 || message.source_length != 0 || message.tos != 0 || message.scope != 0 {
            return Err(Error::new(Errno::EINVAL, refusals.values));
        }
        if let Some(refusal) = refusals.flags.filter(|_| message.flags & !(RTM_F_CLONED | RTM_F_PREFIX) != 0) {
            return Err(Error::new(Errno::EINVAL, refusal));
        }
        let table = |number: u32| Some(number).filter(|number| *number != 0);
        let mut filter = DumpFilter {
            table: table(message.table.into()),
            learned: message.flags & RTM_F_CLONED != 0,
            protocol: message.protocol,
            kind: message.kind,
            dev: None,
        };
        for attr in request.attributes(RTMSG, policy, Check::Strict)?.iter() {
            match attr.kind {
                RTA_TABLE => filter.table = table(attr.u32()),
                RTA_OIF => {
                    filter.dev = Some(kernel.device_by_index(request.ns, attr.u32()).ok_or(Errno::ENODEV)?);
                }
                _ => return Err(attr.refuse(Errno::EINVAL, refusals.attribute)),
            }
        }
        Ok(filter)
    }

    pub(super) fn shows_table(&self, number: u32) -> bool {
        !self.learned && self.table.is_none_or(|only| only == number)
    }

    /// Whether a route is shown that leads through these devices.
    pub(super) fn shows(&self, protocol: u8, kind: u8, mut devs: impl Iterator<Item = DevId>) -> bool {
        (self.protocol == 0 || self.protocol == protocol)
            && (self.kind == 0 || self.kind == kind)
            && self.dev.is_none_or(|dev| devs.any(|other| other == dev))
    }
}

/// The answer to a dump of a table that isn't there: asked for every family, one without it has nothing to say.
pub(super) fn no_table(request: &Request<'_>, family: u8, refusal: &'static str) -> Result<Answer> {
    if request.body().first() == Some(&family) {
        return Err(Error::new(Errno::ENOENT, refusal));
    }
    Ok(Answer::Dump(Dump::new(|_, _, _| Ok(false)).done_apart()))
}
