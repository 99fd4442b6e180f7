//! IPv4: addresses, routes, what comes in, goes out and passes through.

pub(crate) mod addr;
mod burst;
mod cache;
pub(crate) mod checksum;
pub(crate) mod exception;
pub(crate) mod fib;
mod forward;
mod fragment;
mod header;
mod icmp;
pub(crate) mod igmp;
mod input;
mod interface;
mod lookup;
mod netconf;
mod options;
mod output;
pub(crate) mod route;
pub(crate) mod rule;
pub(crate) mod snmp;
pub(crate) mod sysctl;
#[cfg(test)]
pub(crate) mod tests;
mod trie;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use crate::Kernel;
use crate::error::Errno;
use crate::frame::Frame;
use crate::timer::{Timer, TimerId};
use crate::types::{DevId, Instant, NsId};

pub(crate) use burst::{Bench, receive, receive_alone};
pub(crate) use checksum::internet_checksum;
pub(crate) use fib::{kind, scope};
pub(crate) use icmp::link_failure;
pub(crate) use input::{input_kind, input_route};
pub(crate) use interface::{Interface, device_down, fill_af_spec, netdev_event, set_af_spec};
pub(crate) use lookup::{address_type, output as lookup_here, output_anew, select_source};
pub(crate) use netconf::netconf;
pub(crate) use output::send_here;
pub(crate) use route::{insert_route, remove_route};
pub(crate) use sysctl::Conf;

/// A namespace's IPv4: tables, rules, settings, counters.
#[derive(Debug)]
pub(crate) struct Namespace {
    pub(crate) loopback: Option<DevId>,
    pub(crate) fib: cache::CachedFib,
    pub(crate) rules: rule::Rules,
    pub(crate) conf_all: sysctl::DevConf,
    pub(crate) conf_default: sysctl::DevConf,
    pub(crate) settings: sysctl::Settings,
    pub(crate) snmp: snmp::Snmp,
    pub(crate) exceptions: BTreeMap<Ipv4Addr, exception::Exception>,
    fragments: fragment::Queues,
    limits: icmp::Limits,
    /// The identification of the next packet.
    next_id: u16,
    timers: BTreeMap<What, TimerId>,
}

impl Default for Namespace {
    fn default() -> Namespace {
        Namespace {
            loopback: None,
            fib: cache::CachedFib::default(),
            rules: rule::Rules::default(),
            conf_all: sysctl::DevConf::all(),
            conf_default: sysctl::DevConf::initial(),
            settings: sysctl::Settings::default(),
            snmp: snmp::Snmp::default(),
            exceptions: BTreeMap::new(),
            fragments: fragment::Queues::default(),
            limits: icmp::Limits::default(),
            next_id: 0,
            timers: BTreeMap::new(),
        }
    }
}

impl Namespace {
    /// Sets a fresh namespace up: with the settings that the first one has now.
    pub(crate) fn init(kernel: &mut Kernel, ns: NsId) {
        let next_id = kernel.rng.u16(..);
        let first = kernel.namespaces.get(kernel.root);
        let inherited = first.map(|first| (first.ipv4.conf_all.clone(), first.ipv4.conf_default.clone()));
        let ipv4 = &mut kernel.namespaces[ns].ipv4;
        ipv4.next_id = next_id;
        if let Some((all, default)) = inherited {
            (ipv4.conf_all, ipv4.conf_default) = (all, default);
        }
    }

    /// How many packets wait for their missing pieces, and the bytes of the pieces that are there.
    pub(crate) fn waiting_fragments(&self) -> (usize, usize) {
        self.fragments.held()
    }

    /// Before a namespace goes.
    pub(crate) fn exit(kernel: &mut Kernel, ns: NsId) {
        let timers = std::mem::take(&mut kernel.namespaces[ns].ipv4.timers);
        for timer in timers.into_values() {
            kernel.timers.cancel(timer);
        }
    }
}

/// What a route is looked up by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Flow {
    pub(crate) destination: Ipv4Addr,
    /// `0.0.0.0` where it is still to be chosen.
    pub(crate) source: Ipv4Addr,
    /// Only routes through this device.
    pub(crate) oif: Option<DevId>,
    pub(crate) tos: u8,
    /// What rules may look at.
    pub(crate) mark: u32,
    /// The source need not be one of this host's addresses (raw sockets that write their own header), or is known to be one.
    pub(crate) any_source: bool,
}

impl Flow {
    /// To a destination, with everything else left open.
    pub(crate) fn to(destination: Ipv4Addr) -> Flow {
        Flow { destination, source: Ipv4Addr::UNSPECIFIED, oif: None, tos: 0, mark: 0, any_source: false }
    }
}

/// Where a packet goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Route {
    /// `RTN_…`: unicast 1, local 2, broadcast 3, multicast 5.
    pub(crate) kind: u8,
    pub(crate) dev: DevId,
    /// `None`: the destination is on the link.
    pub(crate) gateway: Option<IpAddr>,
    /// The source that was chosen, or that was given.
    pub(crate) source: Ipv4Addr,
    pub(crate) mtu: u32,
    /// The table that it was found in.
    pub(crate) table: u32,
}

/// A packet that is to be sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outgoing<'a> {
    pub(crate) source: Ipv4Addr,
    pub(crate) destination: Ipv4Addr,
    pub(crate) protocol: u8,
    pub(crate) tos: u8,
    pub(crate) ttl: u8,
    /// Set DF, and refuse what exceeds the path's MTU (`EMSGSIZE`).
    pub(crate) dont_fragment: bool,
    /// IP options, padded to words.
    pub(crate) options: &'a [u8],
    /// The header of its protocol, where that isn't part of the payload.
    pub(crate) head: Option<[u8; 8]>,
    pub(crate) payload: &'a [u8],
}

/// Looks a route up as a local socket would. `ENETUNREACH`, `EHOSTUNREACH`, `EINVAL` (blackhole), `EACCES` (prohibit).
pub(crate) fn lookup(kernel: &Kernel, ns: NsId, flow: &Flow) -> Result<Route, Errno> {
    lookup::output_anew(kernel, ns, *flow, true)
}

/// Whether a socket may be bound to it: an address of this host, a broadcast address or a group.
pub(crate) fn is_bindable(kernel: &Kernel, ns: NsId, address: Ipv4Addr) -> bool {
    address_type(kernel, ns, address) != kind::UNICAST
}

/// A packet's source address; `None` where it is too short to have one.
pub(crate) fn source_of(packet: &[u8]) -> Option<Ipv4Addr> {
    let source: [u8; 4] = packet.get(12..16)?.try_into().ok()?;
    Some(Ipv4Addr::from(source))
}

/// What IPv4's timers are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u64)]
enum What {
    /// An address' lifetime ends.
    Lifetimes,
    /// Fragments have waited long enough.
    Fragments,
    /// Groups are to be reported.
    Reports,
}

/// Sets one of a namespace's timers; it is set once.
fn set_timer(kernel: &mut Kernel, ns: NsId, deadline: Instant, what: What) {
    let timer = kernel.timers.set(deadline, Timer::Ipv4 { ns, what: what as u64 });
    let Some(netns) = kernel.namespaces.get_mut(ns) else { return };
    if let Some(old) = netns.ipv4.timers.insert(what, timer) {
        kernel.timers.cancel(old);
    }
}

/// One of IPv4's own timers is due.
pub(crate) fn timer(kernel: &mut Kernel, ns: NsId, what: u64) {
    let known = [What::Lifetimes, What::Fragments, What::Reports];
    let Some(what) = known.into_iter().find(|known| *known as u64 == what) else { return };
    if let Some(netns) = kernel.namespaces.get_mut(ns) {
        netns.ipv4.timers.remove(&what);
    }
    match what {
        What::Lifetimes => addr::lifetimes(kernel, ns),
        What::Fragments => fragment::expire(kernel, ns),
        What::Reports => igmp::report(kernel, ns),
    }
}

/// The frame's IPv4 packet, for those that only read it.
fn packet(frame: &Frame) -> &[u8] {
    frame.payload()
}
