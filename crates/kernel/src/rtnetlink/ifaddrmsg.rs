//! What the messages of addresses (`RTM_*ADDR`) have in common, whatever the family.

use super::attr::{Attributes, Check, Policy, Writer};
use super::dispatch::Request;
use super::target;
use super::uapi::NLM_F_DUMP_FILTERED;
use crate::Kernel;
use crate::error::{Errno, Error, Result};
use crate::ipv4::addr::{FOREVER, flag};
use crate::types::{DevId, Instant, NsId};

/// Bytes of a `struct ifaddrmsg`.
pub(super) const IFADDRMSG: usize = 8;

pub(crate) const IFA_ADDRESS: u16 = 1;
pub(crate) const IFA_LOCAL: u16 = 2;
pub(super) const IFA_LABEL: u16 = 3;
pub(super) const IFA_BROADCAST: u16 = 4;
pub(super) const IFA_CACHEINFO: u16 = 6;
pub(super) const IFA_FLAGS: u16 = 8;
pub(super) const IFA_RT_PRIORITY: u16 = 9;
pub(super) const IFA_TARGET_NETNSID: u16 = 10;
pub(super) const IFA_PROTO: u16 = 11;

/// `struct ifaddrmsg` after the family.
pub(super) struct IfAddr {
    pub(super) prefix_length: u8,
    pub(super) flags: u8,
    pub(super) scope: u8,
    pub(super) index: u32,
}

impl IfAddr {
    pub(super) fn parse(bytes: &[u8; IFADDRMSG]) -> IfAddr {
        let [_, prefix_length, flags, scope, index @ ..] = *bytes;
        IfAddr { prefix_length, flags, scope, index: u32::from_ne_bytes(index) }
    }
}

/// How long an address is to live, in seconds, and the flags that follow from it.
pub(super) struct Lifetimes {
    pub(super) valid: u32,
    pub(super) preferred: u32,
    pub(super) flags: u32,
}

impl Lifetimes {
    /// Reads `IFA_CACHEINFO`; without it an address lives for ever. `EINVAL` with `refusal` where they make no sense.
    pub(super) fn parse(attrs: &Attributes<'_>, refusal: &'static str) -> Result<Lifetimes> {
        let mut lifetimes = Lifetimes { valid: FOREVER, preferred: FOREVER, flags: flag::PERMANENT };
        let Some(given) = attrs.get(IFA_CACHEINFO) else { return Ok(lifetimes) };
        let number = |at: usize| {
            let bytes = given.payload.get(at..).and_then(|rest| rest.first_chunk());
            bytes.map_or(0, |bytes| u32::from_ne_bytes(*bytes))
        };
        (lifetimes.preferred, lifetimes.valid) = (number(0), number(4));
        if lifetimes.valid == 0 || lifetimes.preferred > lifetimes.valid {
            return Err(Error::new(Errno::EINVAL, refusal));
        }
        if lifetimes.valid != FOREVER {
            lifetimes.flags = 0;
        }
        if lifetimes.preferred == 0 {
            lifetimes.flags |= flag::DEPRECATED;
        }
        Ok(lifetimes)
    }
}

/// `IFA_CACHEINFO`: what is left of the lifetimes, and when the address was made and last changed.
pub(super) fn fill_cache_info(remaining: [u32; 2], moments: [Instant; 2], out: &mut Writer) {
    let numbers = remaining.into_iter().chain(moments.map(ticks));
    out.put(IFA_CACHEINFO, &numbers.flat_map(u32::to_ne_bytes).collect::<Vec<u8>>());
}

/// Hundredths of a second since boot, as user space counts them.
pub(super) fn ticks(time: Instant) -> u32 {
    (time.since_boot().as_millis() / 10) as u32
}

/// How a family refuses a dump.
pub(super) struct DumpRefusals {
    pub(super) header: &'static str,
    pub(super) values: &'static str,
    pub(super) attribute: &'static str,
    pub(super) nsid: &'static str,
}

/// What a dump shows.
pub(super) struct DumpFilter {
    pub(super) ns: NsId,
    /// As the request named the namespace, where it is another.
    pub(super) nsid: Option<i32>,
    pub(super) only: Option<DevId>,
}

impl DumpFilter {
    pub(super) fn parse(
        kernel: &Kernel,
        request: &Request<'_>,
        policy: Policy,
        refusals: &DumpRefusals,
    ) -> Result<DumpFilter> {
        let mut filter = DumpFilter { ns: request.ns, nsid: None, only: None };
        if !request.strict {
            return Ok(filter);
        }
        let info = IfAddr::parse(&request.fixed(refusals.header)?);
        if info.prefix_length != 0 || info.flags != 0 || info.scope != 0 {
            return Err(Error::new(Errno::EINVAL, refusals.values));
        }
        let attrs = request.attributes(IFADDRMSG, policy, Check::Strict)?;
        attrs.only(&[IFA_TARGET_NETNSID], refusals.attribute)?;
        if let Some(nsid) = attrs.get(IFA_TARGET_NETNSID).map(|nsid| nsid.i32()) {
            let other = target::by_nsid(kernel, filter.ns, nsid);
            filter.ns = other.ok_or(Error::new(Errno::EINVAL, refusals.nsid))?;
            filter.nsid = Some(nsid);
        }
        if info.index != 0 {
            filter.only = Some(kernel.device_by_index(filter.ns, info.index).ok_or(Errno::ENODEV)?);
        }
        Ok(filter)
    }

    pub(super) fn shows(&self, dev: DevId) -> bool {
        self.only.is_none_or(|only| only == dev)
    }

    /// The flags of each message.
    pub(super) fn flags(&self) -> u16 {
        if self.only.is_some() { NLM_F_DUMP_FILTERED } else { 0 }
    }
}
