//! IPv6: addresses with duplicate address detection, routes, what comes in, goes out and passes through, ICMPv6, MLD.

pub(crate) mod addr;
mod addrconf;
pub(crate) mod anycast;
mod conf;
mod dad;
mod exception;
pub(crate) mod fib;
mod fragment;
pub(crate) mod groups;
mod header;
mod icmp;
mod input;
mod interface;
mod lookup;
mod mld;
mod output;
mod prefix;
mod route;
mod router;
pub(crate) mod snmp;
mod source;
mod sysctl;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::net::Ipv6Addr;

use crate::Kernel;
use crate::frame::Frame;
use crate::timer::{Timer, TimerId};
use crate::types::{DevId, Instant, MacAddr, NsId};

pub(crate) use conf::Conf;
pub(crate) use dad::failed as duplicate_found;
pub(crate) use exception::mtu as path_mtu;
pub(crate) use icmp::link_failure;
pub(crate) use input::receive;
pub(crate) use interface::{Interface, fill_af_spec, netdev_event, set_af_spec};
pub(crate) use lookup::{Found, Key, address_type, find, is_bindable, lookup};
pub(crate) use output::{Link, send, send_on_link};
pub(crate) use route::{insert_route, remove_route};
pub(crate) use source::select as select_source;
pub(crate) use sysctl::{ConfOf, ICMP_SETTINGS, SETTINGS, conf, netconf, set_conf, set_setting, setting};

/// Files of `/proc/sys/net/ipv6/conf/…`.
pub(crate) const CONF_NAMES: &[&str] = Conf::NAMES;

/// A namespace's IPv6: tables, settings, counters.
#[derive(Debug)]
pub(crate) struct Namespace {
    pub(crate) fib: fib::Fib,
    pub(crate) conf_all: conf::DevConf,
    pub(crate) conf_default: conf::DevConf,
    pub(crate) settings: sysctl::Settings,
    pub(crate) snmp: snmp::Snmp,
    exceptions: BTreeMap<Ipv6Addr, exception::Exception>,
    fragments: fragment::Queues,
    limits: icmp::Limits,
    /// What is to be done when, and the number that its timer goes by.
    jobs: BTreeMap<Job, (u64, TimerId)>,
    numbers: BTreeMap<u64, Job>,
    last_job: u64,
}

impl Default for Namespace {
    fn default() -> Namespace {
        Namespace {
            fib: fib::Fib::default(),
            conf_all: conf::DevConf::all(),
            conf_default: conf::DevConf::initial(),
            settings: sysctl::Settings::default(),
            snmp: snmp::Snmp::default(),
            exceptions: BTreeMap::new(),
            fragments: fragment::Queues::default(),
            limits: icmp::Limits::default(),
            jobs: BTreeMap::new(),
            numbers: BTreeMap::new(),
            last_job: 0,
        }
    }
}

impl Namespace {
    /// Sets a fresh namespace up.
    pub(crate) fn init(_kernel: &mut Kernel, _ns: NsId) {}

    /// Before a namespace goes.
    pub(crate) fn exit(kernel: &mut Kernel, ns: NsId) {
        let jobs = std::mem::take(&mut kernel.namespaces[ns].ipv6.jobs);
        for (_, timer) in jobs.into_values() {
            kernel.timers.cancel(timer);
        }
    }
}

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

/// What waits for its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Job {
    /// The next step of duplicate address detection.
    Dad(DevId, Ipv6Addr),
    /// The next router solicitation.
    Solicit(DevId),
    /// A report of groups that a device has joined or left.
    Report(DevId),
    /// The second report of all groups, from a new link-local address.
    ReportAll(DevId),
    /// The lifetimes of a device's addresses.
    Lifetimes(DevId),
    /// The lifetimes of routes.
    Routes,
    /// Fragments have waited long enough.
    Fragments,
}

impl Job {
    fn dev(self) -> Option<DevId> {
        match self {
            Job::Dad(dev, _) | Job::Solicit(dev) | Job::Report(dev) | Job::ReportAll(dev) | Job::Lifetimes(dev) => {
                Some(dev)
            }
            Job::Routes | Job::Fragments => None,
        }
    }
}

/// Has something done at a time; what was to be done at another time before is done then instead.
fn schedule(kernel: &mut Kernel, ns: NsId, at: Instant, job: Job) {
    let Some(netns) = kernel.namespaces.get_mut(ns) else { return };
    netns.ipv6.last_job += 1;
    let number = netns.ipv6.last_job;
    let timer = kernel.timers.set(at, Timer::Ipv6 { ns, what: number });
    netns.ipv6.numbers.insert(number, job);
    if let Some((number, timer)) = netns.ipv6.jobs.insert(job, (number, timer)) {
        netns.ipv6.numbers.remove(&number);
        kernel.timers.cancel(timer);
    }
}

/// Takes back what is no longer to be done.
fn cancel(kernel: &mut Kernel, ns: NsId, mut unwanted: impl FnMut(Job) -> bool) {
    let Some(netns) = kernel.namespaces.get_mut(ns) else { return };
    let ipv6 = &mut netns.ipv6;
    ipv6.jobs.retain(|job, (number, timer)| {
        let keep = !unwanted(*job);
        if !keep {
            kernel.timers.cancel(*timer);
            ipv6.numbers.remove(number);
        }
        keep
    });
}

/// One of IPv6's own timers is due.
pub(crate) fn timer(kernel: &mut Kernel, ns: NsId, what: u64) {
    let Some(netns) = kernel.namespaces.get_mut(ns) else { return };
    let Some(job) = netns.ipv6.numbers.remove(&what) else { return };
    netns.ipv6.jobs.remove(&job);
    match job {
        Job::Dad(dev, address) => dad::step(kernel, dev, address),
        Job::Solicit(dev) => router::solicit(kernel, dev),
        Job::Report(dev) => mld::report(kernel, dev),
        Job::ReportAll(dev) => mld::report_all(kernel, dev),
        Job::Lifetimes(dev) => addr::lifetimes(kernel, dev),
        Job::Routes => route::expire(kernel, ns),
        Job::Fragments => fragment::expire(kernel, ns),
    }
}

/// Asks who has `target`: the whole solicited-node group, or the one who had it (`to`). `waiting` is a packet that shall go there.
pub(crate) fn solicit(kernel: &mut Kernel, dev: DevId, target: Ipv6Addr, to: Option<MacAddr>, waiting: Option<&Frame>) {
    crate::neighbour::ndisc::solicit(kernel, dev, target, to.is_some(), waiting);
}
