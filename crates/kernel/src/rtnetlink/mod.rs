//! rtnetlink(7): requests about links, addresses, routes, neighbours, namespaces, and the notifications of every change.

pub(crate) mod addr;
pub(crate) mod addr6;
pub(crate) mod attr;
pub(crate) mod dispatch;
pub(crate) mod fdb;
pub(crate) mod ifaddrmsg;
pub(crate) mod link;
pub(crate) mod neigh;
pub(crate) mod netconf;
pub(crate) mod notify;
pub(crate) mod nsid;
pub(crate) mod route;
pub(crate) mod route6;
pub(crate) mod rtmsg;
pub(crate) mod rule;
mod stats;
mod target;
pub(crate) mod uapi;
