//! Which namespace a request means: by a process, a descriptor, or this namespace's number for it.

use super::attr::{Attr, Attributes};
use super::dispatch::Request;
use super::uapi::*;
use crate::Kernel;
use crate::error::{Errno, Error, Result};
use crate::types::NsId;

/// The namespace that a new device goes to, or that a device is to move to; `None` where none is named.
pub(super) fn destination(kernel: &Kernel, request: &Request<'_>, attrs: &Attributes<'_>) -> Result<Option<NsId>> {
    let named = [IFLA_NET_NS_PID, IFLA_NET_NS_FD, IFLA_TARGET_NETNSID].map(|kind| attrs.get(kind));
    if named.iter().flatten().count() > 1 {
        return Err(Error::new(Errno::EINVAL, "multiple netns identifying attributes specified"));
    }
    let [pid, fd, nsid] = named;
    if let Some(pid) = pid {
        return Ok(Some(by_pid(kernel, request, &pid)?));
    }
    if let Some(fd) = fd {
        return Ok(Some(by_fd(kernel, request, &fd)?));
    }
    match nsid {
        Some(nsid) => Ok(Some(by_nsid(kernel, request.ns, nsid.i32()).ok_or(Errno::EINVAL)?)),
        None => Ok(None),
    }
}

/// The namespace of a process. `ESRCH`.
pub(super) fn by_pid(kernel: &Kernel, request: &Request<'_>, pid: &Attr<'_>) -> Result<NsId, Errno> {
    let found = request.caller.netns_by_pid(pid.u32());
    found.filter(|ns| kernel.has_namespace(*ns)).ok_or(Errno::ESRCH)
}

/// The namespace behind a descriptor. `EBADF`.
pub(super) fn by_fd(kernel: &Kernel, request: &Request<'_>, fd: &Attr<'_>) -> Result<NsId, Errno> {
    let found = request.caller.netns_by_fd(fd.u32());
    found.filter(|ns| kernel.has_namespace(*ns)).ok_or(Errno::EBADF)
}

/// The namespace that `ns` has that number for.
pub(super) fn by_nsid(kernel: &Kernel, ns: NsId, nsid: i32) -> Option<NsId> {
    kernel.namespaces.get(ns)?.nsids.namespace(nsid)
}
