//! IPv4: addresses, routes, what comes in, goes out and passes through.

use std::net::{IpAddr, Ipv4Addr};

use crate::Kernel;
use crate::drop_reason::DropReason;
use crate::error::Errno;
use crate::frame::Frame;
use crate::netdev::NetdevEvent;
use crate::types::{DevId, NsId};

/// A namespace's IPv4: tables, rules, settings, counters.
#[derive(Debug, Default)]
pub(crate) struct Namespace {}

impl Namespace {
    /// Sets a fresh namespace up.
    pub(crate) fn init(_kernel: &mut Kernel, _ns: NsId) {}

    /// Before a namespace goes.
    pub(crate) fn exit(_kernel: &mut Kernel, _ns: NsId) {}
}

/// A device's IPv4: addresses and settings.
#[derive(Debug, Default)]
pub(crate) struct Interface {}

/// What a route is looked up by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Flow {
    pub(crate) destination: Ipv4Addr,
    /// `0.0.0.0` where it is still to be chosen.
    pub(crate) source: Ipv4Addr,
    /// Only routes through this device.
    pub(crate) oif: Option<DevId>,
    pub(crate) tos: u8,
}

/// Where a packet goes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Route {
    /// `RTN_…`: unicast 1, local 2, broadcast 3, multicast 5.
    pub(crate) kind: u8,
    pub(crate) dev: DevId,
    /// `None`: the destination is on the link.
    pub(crate) gateway: Option<IpAddr>,
    /// The source that was chosen, or that was given.
    pub(crate) source: Ipv4Addr,
    pub(crate) mtu: u32,
}

/// A packet that a socket sends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outgoing<'a> {
    pub(crate) source: Ipv4Addr,
    pub(crate) destination: Ipv4Addr,
    pub(crate) oif: Option<DevId>,
    pub(crate) protocol: u8,
    pub(crate) tos: u8,
    pub(crate) ttl: u8,
    /// Set DF, and refuse what exceeds the path's MTU (`EMSGSIZE`).
    pub(crate) dont_fragment: bool,
    /// IP options, padded to words.
    pub(crate) options: &'a [u8],
    pub(crate) payload: &'a [u8],
}

/// Looks a route up as a local socket would. `ENETUNREACH`, `EHOSTUNREACH`, `EINVAL` (blackhole), `EACCES` (prohibit).
pub(crate) fn lookup(_kernel: &Kernel, _ns: NsId, _flow: &Flow) -> Result<Route, Errno> {
    Err(Errno::ENETUNREACH)
}

/// Whether a socket may be bound to it: an address of this host, a broadcast address or a group.
pub(crate) fn is_bindable(_kernel: &Kernel, _ns: NsId, _address: Ipv4Addr) -> bool {
    false
}

/// Sends a packet from a local socket. `EMSGSIZE`, `ENOBUFS` (the device dropped it), and what [`lookup`] gives.
pub(crate) fn send(_kernel: &mut Kernel, _ns: NsId, _packet: &Outgoing<'_>) -> Result<(), Errno> {
    Err(Errno::ENETUNREACH)
}

/// An IPv4 packet received on a device.
pub(crate) fn receive(kernel: &mut Kernel, _dev: DevId, frame: Frame) {
    kernel.drop_frame(frame, DropReason::UnhandledProto);
}

/// What `IFLA_AF_SPEC` says about a device: inet devconf array. Nothing where the device has no IPv4.
pub(crate) fn fill_af_spec(_kernel: &Kernel, _dev: DevId, _out: &mut crate::rtnetlink::attr::Writer) {}

/// Sets what a request's `IFLA_AF_SPEC` says about this family.
pub(crate) fn set_af_spec(
    _kernel: &mut Kernel,
    _dev: DevId,
    _spec: &crate::rtnetlink::attr::Attr<'_>,
) -> crate::Result<()> {
    Ok(())
}

/// Something happened to a device.
pub(crate) fn netdev_event(_kernel: &mut Kernel, _dev: DevId, _event: NetdevEvent) {}

/// One of IPv4's own timers is due.
pub(crate) fn timer(_kernel: &mut Kernel, _ns: NsId, _what: u64) {}
