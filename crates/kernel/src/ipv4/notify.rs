//! What listeners are told of addresses, routes and neighbours.

use std::net::Ipv4Addr;

use super::addr::Address;
use super::fib::{Alias, Insert};
use crate::Kernel;
use crate::neighbour::NeighId;
use crate::types::{DevId, NsId};

impl Kernel {
    /// An address is there or has changed (`new`), or is gone.
    pub(crate) fn notify_address(&mut self, _dev: DevId, _address: &Address, _new: bool) {}

    /// A route is there, put in as `inserted` says, or is gone.
    pub(crate) fn notify_route(
        &mut self,
        _ns: NsId,
        _table: u32,
        _prefix: (Ipv4Addr, u8),
        _alias: &Alias,
        _inserted: Option<Insert>,
    ) {
    }

    /// A neighbour is there or has changed (`new`), or is going away.
    pub(crate) fn notify_neighbour(&mut self, _ns: NsId, _id: NeighId, _new: bool) {}
}
