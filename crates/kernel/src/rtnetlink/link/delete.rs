//! `RTM_DELLINK`: one device, or all of a group.

use super::super::dispatch::{Answer, Request};
use super::super::target;
use super::super::uapi::*;
use super::{IfInfo, find, name_of, only_target_nsid};
use crate::Kernel;
use crate::drivers::DevKind;
use crate::error::{Errno, Result};
use crate::types::DevId;

/// Removes a device, or every device of a group.
pub(in crate::rtnetlink) fn delete_link(kernel: &mut Kernel, request: &Request<'_>) -> Result<Answer> {
    let (info, attrs) = IfInfo::of(request)?;
    only_target_nsid(&attrs)?;
    let ns = match attrs.get(IFLA_TARGET_NETNSID) {
        Some(nsid) => target::by_nsid(kernel, request.ns, nsid.i32()).ok_or(Errno::EINVAL)?,
        None => request.ns,
    };
    let devices = match attrs.get(IFLA_GROUP) {
        Some(group) if info.index <= 0 && name_of(&attrs)?.is_none() => {
            if group.u32() == 0 {
                return Err(Errno::EPERM.into());
            }
            let netns = kernel.namespaces.get(ns).ok_or(Errno::EINVAL)?;
            let in_group =
                |dev: &DevId| kernel.devices.get(*dev).is_some_and(|device| device.info.group == group.u32());
            let members: Vec<DevId> = netns.devices().filter(in_group).collect();
            if members.is_empty() {
                return Err(Errno::ENODEV.into());
            }
            members
        }
        _ => vec![find(kernel, ns, &info, &attrs)?],
    };
    // Either all of them can go or none does.
    for dev in &devices {
        if let Some(DevKind::Loopback) = kernel.devices.get(*dev).map(|device| &device.kind) {
            return Err(Errno::EOPNOTSUPP.into());
        }
    }
    for dev in devices {
        kernel.unregister_device(dev);
    }
    Ok(Answer::Done)
}
