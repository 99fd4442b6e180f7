//! Numbers for namespaces (`RTM_*NSID`): each namespace has its own for the others.

use super::attr::{Attr, Attributes, Check, Header, Policy, Rule, Writer};
use super::dispatch::{Answer, Dump, Request};
use super::target;
use super::uapi::*;
use crate::Kernel;
use crate::error::{Errno, Error, Result};
use crate::types::NsId;

/// Bytes of a `struct rtgenmsg`, padded.
const RTGENMSG: usize = 4;

const NETNSA_NSID: u16 = 1;
const NETNSA_PID: u16 = 2;
const NETNSA_FD: u16 = 3;
const NETNSA_TARGET_NSID: u16 = 4;
const NETNSA_CURRENT_NSID: u16 = 5;

const POLICY: Policy =
    &[(NETNSA_NSID, Rule::U32), (NETNSA_PID, Rule::U32), (NETNSA_FD, Rule::U32), (NETNSA_TARGET_NSID, Rule::U32)];

/// "None": a namespace without a number, or one to be chosen.
const NONE: i32 = -1;

/// The namespace that a request names by process or descriptor.
fn named(kernel: &Kernel, request: &Request<'_>, attrs: &Attributes<'_>) -> Result<Option<(NsId, u32)>> {
    let invalid = |attr: &Attr<'_>| {
        let offset = attr.offset;
        move |errno| Error::new(errno, "Peer netns reference is invalid").at(offset)
    };
    if let Some(pid) = attrs.get(NETNSA_PID) {
        return Ok(Some((target::by_pid(kernel, request, &pid).map_err(invalid(&pid))?, pid.offset)));
    }
    match attrs.get(NETNSA_FD) {
        Some(fd) => Ok(Some((target::by_fd(kernel, request, &fd).map_err(invalid(&fd))?, fd.offset))),
        None => Ok(None),
    }
}

/// `RTM_NEWNSID`: gives a namespace a number, once and for all.
pub(super) fn add(kernel: &mut Kernel, request: &Request<'_>) -> Result<Answer> {
    let attrs = request.attributes(RTGENMSG, POLICY, Check::Lenient)?;
    let wanted = attrs.get(NETNSA_NSID).ok_or(Error::new(Errno::EINVAL, "nsid is missing"))?;
    let missing = Error::new(Errno::EINVAL, "Peer netns reference is missing");
    let (peer, offset) = named(kernel, request, &attrs)?.ok_or(missing)?;
    let netns = kernel.namespaces.get_mut(request.ns).ok_or(Errno::EINVAL)?;
    if netns.nsid_of(peer).is_some() {
        return Err(Error::new(Errno::EEXIST, "Peer netns already has a nsid assigned").at(offset));
    }
    match wanted.i32() {
        nsid @ 0.. => {
            if netns.nsids.namespace(nsid).is_some() {
                return Err(wanted.refuse(Errno::EEXIST, "The specified nsid is already used"));
            }
            netns.nsids.insert(nsid, peer);
            kernel.notify_nsid(request.ns, nsid, true);
        }
        _ => {
            kernel.nsid(request.ns, peer);
        }
    }
    Ok(Answer::Done)
}

/// The namespace in whose numbers the answer is to be given.
fn target_of(kernel: &Kernel, request: &Request<'_>, attrs: &Attributes<'_>) -> Result<Option<NsId>> {
    match attrs.get(NETNSA_TARGET_NSID) {
        Some(nsid) => {
            let target = target::by_nsid(kernel, request.ns, nsid.i32());
            Ok(Some(target.ok_or_else(|| nsid.refuse(Errno::EINVAL, "Target netns reference is invalid"))?))
        }
        None => Ok(None),
    }
}

/// `RTM_GETNSID`: the number of a namespace, -1 where it has none.
pub(super) fn get(kernel: &mut Kernel, request: &Request<'_>) -> Result<Answer> {
    let attrs = request.attributes(RTGENMSG, POLICY, request.check())?;
    let peer = match (named(kernel, request, &attrs)?, attrs.get(NETNSA_NSID)) {
        (Some((peer, _)), _) => peer,
        (None, Some(nsid)) => target::by_nsid(kernel, request.ns, nsid.i32())
            .ok_or_else(|| nsid.refuse(Errno::ENOENT, "Peer netns reference is invalid"))?,
        (None, None) => return Err(Error::new(Errno::EINVAL, "Peer netns reference is missing")),
    };
    let number = |ns: NsId| kernel.namespaces.get(ns).and_then(|netns| netns.nsid_of(peer)).unwrap_or(NONE);
    let target = target_of(kernel, request, &attrs)?;
    let mut out = Writer::new();
    let current = target.map(|_| number(request.ns));
    fill(&mut out, request.reply(RTM_NEWNSID), number(target.unwrap_or(request.ns)), current);
    Ok(Answer::Reply(out))
}

/// `RTM_GETNSID` for all namespaces that have a number, lowest first.
pub(super) fn dump(kernel: &mut Kernel, request: &Request<'_>) -> Result<Answer> {
    let attrs = request.attributes(RTGENMSG, POLICY, request.check())?;
    if request.strict {
        attrs.only(&[NETNSA_TARGET_NSID], "Unsupported attribute in dump request")?;
    }
    // Without strict checks the attributes of a dump are not looked at.
    let target = if request.strict { target_of(kernel, request, &attrs)? } else { None };
    let (own, listed) = (request.ns, target.unwrap_or(request.ns));
    let mut next = Some(0);
    Ok(Answer::Dump(Dump::new(move |kernel, out, header| {
        let Some(netns) = kernel.namespaces.get(listed) else { return Ok(false) };
        let Some((nsid, peer)) = next.and_then(|from: i32| netns.nsids.next(from)) else { return Ok(false) };
        next = nsid.checked_add(1);
        let current = || kernel.namespaces.get(own).and_then(|netns| netns.nsid_of(peer)).unwrap_or(NONE);
        fill(out, header.with_kind(RTM_NEWNSID), nsid, target.map(|_| current()));
        Ok(true)
    })))
}

/// Writes a message about a number.
pub(super) fn fill(out: &mut Writer, header: Header, nsid: i32, current: Option<i32>) {
    out.message(header, |out| {
        out.raw(&[AF_UNSPEC]);
        out.u32(NETNSA_NSID, nsid as u32);
        if let Some(current) = current {
            out.u32(NETNSA_CURRENT_NSID, current as u32);
        }
    });
}
