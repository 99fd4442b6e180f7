//! `RTM_NEWLINKPROP` and `RTM_DELLINKPROP`: alternative names.

use super::super::attr::Check;
use super::super::dispatch::{Answer, Request};
use super::super::uapi::*;
use super::{IFINFOMSG, IfInfo, LINK, find};
use crate::Kernel;
use crate::error::{Errno, Result};
use crate::netdev::DevFlags;

/// Adds the names of the list, or takes them away.
pub(in crate::rtnetlink) fn change(kernel: &mut Kernel, request: &Request<'_>, add: bool) -> Result<Answer> {
    let info = IfInfo::parse(&request.fixed("Invalid header length")?);
    let attrs = request.attributes(IFINFOMSG, LINK, Check::Strict)?;
    let dev = find(kernel, request.ns, &info, &attrs)?;
    let Some(list) = attrs.get(IFLA_PROP_LIST) else { return Ok(Answer::Done) };
    let names = list.nested(LINK, Check::Strict)?;
    let mut result = Ok(());
    let mut changed = false;
    for property in names.iter().filter(|property| property.kind == IFLA_ALT_IFNAME) {
        let name = property.text().ok_or(Errno::EINVAL)?;
        result = if add {
            kernel.add_altname(dev, name)
        } else if kernel.devices.get(dev).is_some_and(|device| device.name.as_str() == name) {
            // Its own name is no alternative.
            Err(Errno::EINVAL.into())
        } else {
            kernel.remove_altname(dev, name)
        };
        if result.is_err() {
            break;
        }
        changed = true;
    }
    if changed {
        kernel.notify_link(dev, DevFlags::empty());
    }
    result.map(|()| Answer::Done)
}
