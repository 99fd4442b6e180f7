//! `RTM_GETLINK`: one device, or all of them.

use super::super::attr::Writer;
use super::super::dispatch::{Answer, Dump, Request};
use super::super::target;
use super::super::uapi::*;
use super::fill::{self, View};
use super::{IFINFOMSG, IfInfo, LINK, LinkInfo, create, find, only_target_nsid};
use crate::Kernel;
use crate::error::{Errno, Error, Result};
use crate::types::{DevId, NsId};

/// One device, by index, name or alternative name.
pub(in crate::rtnetlink) fn get(kernel: &mut Kernel, request: &Request<'_>) -> Result<Answer> {
    let info = IfInfo::parse(&request.fixed("Invalid header for get link")?);
    if request.strict && info.asks_too_much() {
        return Err(Error::new(Errno::EINVAL, "Invalid values in header for get link request"));
    }
    let attrs = request.attributes(IFINFOMSG, LINK, request.check())?;
    if request.strict {
        let allowed = [IFLA_IFNAME, IFLA_EXT_MASK, IFLA_TARGET_NETNSID, IFLA_ALT_IFNAME];
        attrs.only(&allowed, "Unsupported attribute in get link request").map_err(without_offset)?;
    }
    only_target_nsid(&attrs)?;
    let target = attrs.get(IFLA_TARGET_NETNSID).map(|nsid| nsid.i32());
    let ns = match target {
        Some(nsid) => target::by_nsid(kernel, request.ns, nsid).ok_or(Errno::EINVAL)?,
        None => request.ns,
    };
    let dev = find(kernel, ns, &info, &attrs)?;
    let mut out = Writer::new();
    fill::link(kernel, dev, &mut out, request.reply(RTM_NEWLINK), View { target, ..View::default() });
    Ok(Answer::Reply(out))
}

/// Which devices a dump shows.
#[derive(Default)]
struct Filter {
    /// Ports of the device with that ifindex; -1: of none.
    master: Option<i32>,
    kind: Option<&'static str>,
}

impl Filter {
    fn shows(&self, kernel: &Kernel, dev: DevId) -> bool {
        let Some(device) = kernel.devices.get(dev) else { return false };
        let master = device.port.and_then(|port| kernel.devices.get(port.bridge)).map(|bridge| bridge.ifindex);
        let right_master = match self.master {
            None => true,
            Some(-1) => master.is_none(),
            Some(wanted) => master.is_some_and(|master| i64::from(master) == i64::from(wanted)),
        };
        right_master && self.kind.is_none_or(|kind| device.kind.name() == Some(kind))
    }
}

/// All devices of a namespace in ifindex order.
pub(in crate::rtnetlink) fn dump(kernel: &mut Kernel, request: &Request<'_>) -> Result<Answer> {
    if request.strict {
        let info = IfInfo::parse(&request.fixed("Invalid header for link dump")?);
        if info.asks_too_much() {
            return Err(Error::new(Errno::EINVAL, "Invalid values in header for link dump request"));
        }
        if info.index != 0 {
            return Err(Error::new(Errno::EINVAL, "Filter by device index not supported for link dumps"));
        }
    }
    // Old programs send a shorter header (struct rtgenmsg); what makes no sense as attributes says nothing then.
    let attrs = match request.attributes(IFINFOMSG, LINK, request.check()) {
        Err(_) if !request.strict => Default::default(),
        attrs => attrs?,
    };
    if request.strict {
        let allowed = [IFLA_EXT_MASK, IFLA_MASTER, IFLA_LINKINFO, IFLA_TARGET_NETNSID];
        attrs.only(&allowed, "Unsupported attribute in link dump request").map_err(without_offset)?;
    }
    let target = attrs.get(IFLA_TARGET_NETNSID).map(|nsid| nsid.i32());
    let ns = match target {
        Some(nsid) => target::by_nsid(kernel, request.ns, nsid)
            .ok_or(Error::new(Errno::EINVAL, "Invalid target network namespace id"))?,
        None => request.ns,
    };
    let kind = LinkInfo::of(&attrs).ok().and_then(|info| info.kind);
    let filter = Filter {
        master: attrs.get(IFLA_MASTER).map(|master| master.i32()).filter(|master| *master != 0),
        // A kind that nobody knows filters nothing.
        kind: kind.and_then(|wanted| create::KINDS.iter().find(|kind| **kind == wanted).copied()),
    };
    let filtered = if filter.master.is_some() || filter.kind.is_some() { NLM_F_DUMP_FILTERED } else { 0 };
    let mut last = 0;
    let dump = Dump::new(move |kernel, out, header| {
        while let Some((ifindex, dev)) = next_device(kernel, ns, last) {
            last = ifindex;
            if filter.shows(kernel, dev) {
                let header = header.with_kind(RTM_NEWLINK).with_flags(filtered);
                fill::link(kernel, dev, out, header, View { target, ..View::default() });
                return Ok(true);
            }
        }
        Ok(false)
    });
    Ok(Answer::Dump(dump.done_apart().generation(generation)))
}

/// The device with the lowest ifindex above `last`: what a dump of devices continues with.
pub(crate) fn next_device(kernel: &Kernel, ns: NsId, last: u32) -> Option<(u32, DevId)> {
    let from = last.checked_add(1)?;
    kernel.namespaces.get(ns)?.by_index.first_from(from)
}

/// Counts the changes of which devices there are, and of their names.
pub(crate) fn generation(kernel: &Kernel, ns: NsId) -> u64 {
    kernel.namespaces.get(ns).map_or(0, |netns| netns.link_generation)
}

/// Here Linux says what it doesn't support, but not where that stands.
fn without_offset(error: Error) -> Error {
    if error.message.as_deref() == Some("Unknown attribute type") { error } else { Error { offset: None, ..error } }
}
