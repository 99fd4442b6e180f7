//! IPv6: link-local addresses with duplicate address detection, routes, neighbour discovery, ICMPv6, MLD.

use std::net::Ipv6Addr;

use crate::Kernel;
use crate::drop_reason::DropReason;
use crate::error::Errno;
use crate::frame::Frame;
use crate::netdev::NetdevEvent;
use crate::types::{DevId, MacAddr, NsId};

/// A namespace's IPv6: tables, settings, counters.
#[derive(Debug, Default)]
pub(crate) struct Namespace {}

impl Namespace {
    /// Sets a fresh namespace up.
    pub(crate) fn init(_kernel: &mut Kernel, _ns: NsId) {}

    /// Before a namespace goes.
    pub(crate) fn exit(_kernel: &mut Kernel, _ns: NsId) {}
}

/// A device's IPv6: addresses and settings.
#[derive(Debug, Default)]
pub(crate) struct Interface {}

/// What a route is looked up by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Flow {
    pub(crate) destination: Ipv6Addr,
    /// `::` where it is still to be chosen.
    pub(crate) source: Ipv6Addr,
    /// Only routes through this device (also the scope of a link-local destination).
    pub(crate) oif: Option<DevId>,
}

/// Where a packet goes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Route {
    /// `RTN_…`.
    pub(crate) kind: u8,
    pub(crate) dev: DevId,
    pub(crate) gateway: Option<Ipv6Addr>,
    pub(crate) source: Ipv6Addr,
    pub(crate) mtu: u32,
}

/// A packet that a socket sends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outgoing<'a> {
    pub(crate) source: Ipv6Addr,
    pub(crate) destination: Ipv6Addr,
    pub(crate) oif: Option<DevId>,
    pub(crate) next_header: u8,
    pub(crate) traffic_class: u8,
    pub(crate) hop_limit: u8,
    pub(crate) dont_fragment: bool,
    /// The ICMPv6 checksum, if it is one, is filled in here.
    pub(crate) payload: &'a [u8],
}

/// Looks a route up as a local socket would. `ENETUNREACH`, `EHOSTUNREACH`, `EADDRNOTAVAIL` …
pub(crate) fn lookup(_kernel: &Kernel, _ns: NsId, _flow: &Flow) -> Result<Route, Errno> {
    Err(Errno::ENETUNREACH)
}

/// Whether a socket may be bound to it: an address of this host (on `dev`, if it is a link-local one) that is not tentative, or a
/// group.
pub(crate) fn is_bindable(_kernel: &Kernel, _ns: NsId, _address: Ipv6Addr, _dev: Option<DevId>) -> bool {
    false
}

/// Sends a packet from a local socket.
pub(crate) fn send(_kernel: &mut Kernel, _ns: NsId, _packet: &Outgoing<'_>) -> Result<(), Errno> {
    Err(Errno::ENETUNREACH)
}

/// An IPv6 packet received on a device.
pub(crate) fn receive(kernel: &mut Kernel, _dev: DevId, frame: Frame) {
    kernel.drop_frame(frame, DropReason::UnhandledProto);
}

/// What `IFLA_AF_SPEC` says about a device: flags, cacheinfo, settings, statistics, token and address generation mode. Nothing where the device has no IPv6.
pub(crate) fn fill_af_spec(_kernel: &Kernel, _dev: DevId, _out: &mut crate::rtnetlink::attr::Writer) {}

/// Sets what a request's `IFLA_AF_SPEC` says about this family.
pub(crate) fn set_af_spec(
    _kernel: &mut Kernel,
    _dev: DevId,
    _spec: &crate::rtnetlink::attr::Attr<'_>,
) -> crate::Result<()> {
    Ok(())
}

/// The settings that `RTM_GETNETCONF` shows; `None` where the device has no IPv6.
pub(crate) fn netconf(
    _kernel: &Kernel,
    _ns: NsId,
    _scope: crate::rtnetlink::netconf::Scope,
) -> Option<crate::rtnetlink::netconf::Settings> {
    None
}

/// Something happened to a device.
pub(crate) fn netdev_event(_kernel: &mut Kernel, _dev: DevId, _event: NetdevEvent) {}

/// One of IPv6's own timers is due.
pub(crate) fn timer(_kernel: &mut Kernel, _ns: NsId, _what: u64) {}

/// Asks who has `target`: the whole solicited-node group, or the one who had it (`to`). `waiting` is a packet that shall go there.
pub(crate) fn solicit(
    _kernel: &mut Kernel,
    _dev: DevId,
    _target: Ipv6Addr,
    _to: Option<MacAddr>,
    _waiting: Option<&Frame>,
) {
}

/// A packet waited for a neighbour that isn't there: its sender is told.
pub(crate) fn link_failure(_kernel: &mut Kernel, _dev: DevId, _frame: &Frame) {}

/// Whose settings: those of `/proc/sys/net/ipv6/conf/…`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ConfOf {
    /// `all`.
    All,
    /// `default`: what a new device starts with.
    Default,
    /// A device's own.
    Device(DevId),
}

/// Files of `/proc/sys/net/ipv6`.
pub(crate) const SETTINGS: &[&str] = &[];
/// Files of `/proc/sys/net/ipv6/icmp`.
pub(crate) const ICMP_SETTINGS: &[&str] = &[];
/// Files of `/proc/sys/net/ipv6/conf/…`.
pub(crate) const CONF_NAMES: &[&str] = &[];

/// A setting by its file's name. `ENOENT` where there is none.
pub(crate) fn setting(_kernel: &Kernel, _ns: NsId, _name: &str) -> Result<i32, Errno> {
    Err(Errno::ENOENT)
}

/// Changes one.
pub(crate) fn set_setting(_kernel: &mut Kernel, _ns: NsId, _name: &str, _value: i32) -> Result<(), Errno> {
    Err(Errno::ENOENT)
}

/// A setting of `conf/all`, `conf/default` or `conf/DEV`.
pub(crate) fn conf(_kernel: &Kernel, _ns: NsId, _of: ConfOf, _name: &str) -> Result<i32, Errno> {
    Err(Errno::ENOENT)
}

/// Changes one, with all that follows.
pub(crate) fn set_conf(_kernel: &mut Kernel, _ns: NsId, _of: ConfOf, _name: &str, _value: i32) -> Result<(), Errno> {
    Err(Errno::ENOENT)
}
