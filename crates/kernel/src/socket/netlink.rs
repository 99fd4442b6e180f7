//! Netlink sockets: requests in, replies and notifications out.

use std::collections::BTreeMap;

use crate::types::SocketId;

/// Which sockets of a namespace listen to which multicast groups: (protocol, group) to sockets.
#[derive(Debug, Default)]
pub(crate) struct Listeners(pub(crate) BTreeMap<(i32, u32), Vec<SocketId>>);
