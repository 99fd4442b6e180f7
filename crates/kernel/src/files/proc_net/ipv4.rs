//! IPv4's tables.

use crate::Kernel;
use crate::types::NsId;

pub(super) fn arp(_: &Kernel, _: NsId) -> String {
    String::new()
}
pub(super) fn route(_: &Kernel, _: NsId) -> String {
    String::new()
}
pub(super) fn fib_trie(_: &Kernel, _: NsId) -> String {
    String::new()
}
pub(super) fn igmp(_: &Kernel, _: NsId) -> String {
    String::new()
}
pub(super) fn snmp(_: &Kernel, _: NsId) -> String {
    String::new()
}
pub(super) fn netstat(_: &Kernel, _: NsId) -> String {
    String::new()
}
