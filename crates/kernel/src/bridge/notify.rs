//! Telling the listeners what changes in a bridge.

use super::{Entry, Key};
use crate::Kernel;
use crate::types::DevId;

impl Kernel {
    /// Tells the listeners that a bridge's database has an entry, or no longer has it.
    pub(crate) fn notify_fdb(&mut self, _bridge: DevId, _key: Key, _entry: &Entry, _there: bool) {}

    /// Tells them what a bridge port is like now.
    pub(crate) fn notify_bridge_port(&mut self, _dev: DevId) {}

    /// Tells them that a device has left a bridge.
    pub(crate) fn notify_bridge_port_gone(&mut self, _bridge: DevId, _dev: DevId) {}
}
