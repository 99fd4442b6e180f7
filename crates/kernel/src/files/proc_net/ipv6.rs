//! IPv6's tables.

use crate::Kernel;
use crate::types::NsId;

pub(super) fn route(_: &Kernel, _: NsId) -> String {
    String::new()
}
pub(super) fn if_inet6(_: &Kernel, _: NsId) -> String {
    String::new()
}
pub(super) fn igmp6(_: &Kernel, _: NsId) -> String {
    String::new()
}
pub(super) fn snmp6(_: &Kernel, _: NsId) -> String {
    String::new()
}
