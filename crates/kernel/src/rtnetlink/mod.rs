//! rtnetlink: requests about links, addresses, routes, neighbours, namespaces, and the notifications of every change.

use crate::Kernel;
use crate::netdev::DevFlags;
use crate::types::{DevId, NsId};

impl Kernel {
    /// Tells the listeners that a device is there or has changed; `changed` are the flags that did.
    pub(crate) fn notify_link(&mut self, _dev: DevId, _changed: DevFlags) {}

    /// Tells them that a device is going away. It is still there.
    pub(crate) fn notify_link_gone(&mut self, _dev: DevId) {}

    /// Tells the listeners of the namespace that a device leaves that it is gone, and where to.
    pub(crate) fn notify_link_moved(&mut self, _dev: DevId, _target: NsId, _new_ifindex: u32) {}

    /// Tells the listeners in `ns` that it has a number for another namespace, or no longer has it.
    pub(crate) fn notify_nsid(&mut self, _ns: NsId, _nsid: i32, _new: bool) {}
}
