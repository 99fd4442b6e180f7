//! Which devices belong together: the two ends of a veth pair, a device and the one below it. An ifindex alone doesn't
//! tell: every namespace counts for itself, and has numbers of its own for others.

use std::collections::{HashMap, HashSet};

use netloom_machine::netlink::{Netlink, Request};
use netloom_machine::{Machine, Netns, NetnsHandle};

use super::{Device, Topology, devices};

const NETLINK_ROUTE: i32 = 0;
const RTM_GETNSID: u16 = 90;
const NETNSA_NSID: u16 = 1;
const NETNSA_FD: u16 = 3;

/// Where a device stands: which of [`Topology::namespaces`], and which of its devices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct At {
    pub(crate) namespace: usize,
    pub(crate) device: usize,
}

/// What a device leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Far {
    /// It was found; a veth's peer leads back.
    Found(At),
    /// Its namespace is there, and can't be entered.
    Closed {
        namespace: usize,
        /// Its ifindex there.
        index: u32,
        /// What forbids it.
        reason: String,
    },
    /// Nothing that can be seen here leads to its namespace.
    Unknown {
        /// Its ifindex there, where the kernel tells.
        index: Option<u32>,
        reason: String,
    },
}

/// Reads the devices of every namespace, and what each leads to.
pub(super) fn read(machine: &Machine, topology: &mut Topology) {
    let all: Vec<Netns> = topology.namespaces.iter().map(|namespace| namespace.netns().clone()).collect();
    let mut handles = Handles { machine, all: &all, opened: HashMap::new() };
    let mut numbers = Vec::new();
    for (namespace, netns) in topology.namespaces.iter_mut().zip(&all) {
        let opened = Netlink::open(machine, netns, NETLINK_ROUTE).and_then(|mut netlink| {
            let devices = devices::read(&mut netlink)?;
            Ok((netlink, devices))
        });
        let (devices, known) = match opened {
            Ok((mut netlink, devices)) => {
                let known = handles.nsids(&mut netlink, &devices);
                (Ok(devices), known)
            }
            Err(error) => (Err(error.to_string()), Numbers::new()),
        };
        namespace.devices = devices;
        numbers.push(known);
    }
    drop(handles);
    let found: Vec<(At, Far)> =
        topology.all().filter_map(|(at, device)| Some((at, topology.lead(at, device, &numbers)?))).collect();
    for (at, far) in found {
        let device = topology.namespaces.get_mut(at.namespace).and_then(|namespace| namespace.devices.as_mut().ok());
        if let Some(device) = device.and_then(|devices| devices.get_mut(at.device)) {
            device.far = Some(far);
        }
    }
}

/// Of each namespace: its numbers for others, with their places.
type Numbers = HashMap<i32, usize>;

impl Topology {
    fn lead(&self, at: At, device: &Device, numbers: &[Numbers]) -> Option<Far> {
        let place = |from: usize, device: &Device| match device.link_nsid {
            None => Some(from),
            Some(nsid) => numbers.get(from)?.get(&nsid).copied(),
        };
        let Some(index) = device.link else {
            let gone = || Far::Unknown { index: None, reason: "it went meanwhile".to_owned() };
            return device.is_veth().then(gone);
        };
        let unknown = |reason: String| Some(Far::Unknown { index: Some(index), reason });
        let Some(namespace) = place(at.namespace, device) else { return unknown(self.unseen()) };
        match self.namespaces.get(namespace).map(|namespace| &namespace.devices) {
            Some(Ok(devices)) => {
                let leads_back =
                    |back: &Device| back.link == Some(device.index) && place(namespace, back) == Some(at.namespace);
                let found = devices.binary_search_by_key(&index, |device| device.index).ok();
                match found.filter(|&found| !device.is_veth() || devices.get(found).is_some_and(leads_back)) {
                    Some(device) => Some(Far::Found(At { namespace, device })),
                    None => unknown("it went meanwhile".to_owned()),
                }
            }
            Some(Err(error)) => Some(Far::Closed { namespace, index, reason: error.clone() }),
            None => unknown("its namespace went meanwhile".to_owned()),
        }
    }

    fn unseen(&self) -> String {
        match self.hidden {
            0 => "its namespace has no name and no process here".to_owned(),
            hidden => format!("its namespace can't be seen; {hidden} processes' can't be looked at without root"),
        }
    }
}

/// Numbers that stand for namespaces in requests, made once each.
struct Handles<'a> {
    machine: &'a Machine,
    all: &'a [Netns],
    opened: HashMap<usize, Option<NetnsHandle>>,
}

impl Handles<'_> {
    fn number(&mut self, at: usize) -> Option<u32> {
        let (machine, all) = (self.machine, self.all);
        let opened = self.opened.entry(at).or_insert_with(|| machine.netns_handle(all.get(at)?).ok());
        opened.as_ref().map(NetnsHandle::number)
    }

    /// The numbers that devices mention, and whose they are. Most namespaces mention one, and often the first.
    fn nsids(&mut self, netlink: &mut Netlink, devices: &[Device]) -> Numbers {
        let mut wanted: HashSet<i32> = devices.iter().filter_map(|device| device.link_nsid).collect();
        let mut found = Numbers::new();
        for at in 0..self.all.len() {
            if wanted.is_empty() {
                break;
            }
            let Some(nsid) = self.number(at).and_then(|handle| nsid_of(netlink, handle)) else { continue };
            if wanted.remove(&nsid) {
                found.insert(nsid, at);
            }
        }
        found
    }
}

/// The socket's namespace's number for another one; `None` where it has none.
fn nsid_of(netlink: &mut Netlink, handle: u32) -> Option<i32> {
    let reply = netlink.get(Request::new(RTM_GETNSID, 0).put(&[0; 4]).u32(NETNSA_FD, handle)).ok()?;
    reply.message().attributes(4).table::<8>().i32(NETNSA_NSID).filter(|nsid| *nsid >= 0)
}
