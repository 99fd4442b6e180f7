//! The networks of a machine as one value: its namespaces, the devices in each with their addresses, and which devices
//! lead to each other. `peers`, `show` and `graph` all draw from it.

mod devices;
mod far;
mod json;
mod namespaces;
mod owner;
mod tree;
mod view;

use std::fs::File;
use std::io;

use netloom_machine::{Machine, Netns};

pub(crate) use devices::{Address, Device};
pub(crate) use far::{At, Far};
pub(crate) use owner::Owner;
pub(crate) use tree::{Branch, Tie};
pub(crate) use view::{Mark, printable};

/// The networks of a machine.
#[derive(Debug)]
pub(crate) struct Topology {
    /// This process's own first.
    pub(crate) namespaces: Vec<Namespace>,
    /// Processes whose namespace can't be looked at.
    pub(crate) hidden: usize,
}

/// A network namespace.
#[derive(Debug)]
pub(crate) struct Namespace {
    /// Tells it from others.
    pub(crate) inode: u64,
    /// Its names: those in `/run/netns` without a folder, others with it.
    pub(crate) names: Vec<String>,
    /// The processes in it, in order.
    pub(crate) pids: Vec<u32>,
    /// Whose it is.
    pub(crate) owner: Option<Owner>,
    /// It is the one that this process is in.
    pub(crate) own: bool,
    /// It is the one that process 1 is in.
    pub(crate) root: bool,
    /// Its devices by ifindex, or why it can't be entered.
    pub(crate) devices: Result<Vec<Device>, String>,
    netns: Netns,
    /// Keeps it there, where it is one of the host's.
    file: Option<File>,
}

/// Two devices that a cable connects, or one whose other end can't be seen.
#[derive(Clone, Debug)]
pub(crate) struct Cable<'a> {
    /// The end in the namespace that comes first.
    pub(crate) near: At,
    pub(crate) far: &'a Far,
}

impl Topology {
    /// Everything that can be seen of a machine.
    pub(crate) fn read(machine: &Machine) -> io::Result<Topology> {
        let namespaces::Found { all, hidden } = namespaces::Found::of(machine)?;
        let mut topology = Topology { namespaces: all, hidden };
        far::read(machine, &mut topology);
        Ok(topology)
    }

    pub(crate) fn device(&self, at: At) -> Option<&Device> {
        self.devices(at.namespace).get(at.device)
    }

    /// None where it can't be entered.
    pub(crate) fn devices(&self, namespace: usize) -> &[Device] {
        let found = self.namespaces.get(namespace).and_then(|namespace| namespace.devices.as_ref().ok());
        found.map_or(&[], Vec::as_slice)
    }

    /// Every device with its place, namespace by namespace.
    pub(crate) fn all(&self) -> impl Iterator<Item = (At, &Device)> {
        (0..self.namespaces.len()).flat_map(|namespace| {
            let place = move |(device, found)| (At { namespace, device }, found);
            self.devices(namespace).iter().enumerate().map(place)
        })
    }

    /// The veth pairs, each once.
    pub(crate) fn cables(&self) -> impl Iterator<Item = Cable<'_>> {
        self.all().filter(|(_, device)| device.is_veth()).filter_map(|(near, device)| match &device.far {
            Some(Far::Found(far)) if *far < near => None,
            Some(far) => Some(Cable { near, far }),
            None => None,
        })
    }

    /// What a device is a port of, in its own namespace.
    pub(crate) fn master(&self, at: At) -> Option<At> {
        let index = self.device(at)?.master?;
        let device = self.devices(at.namespace).binary_search_by_key(&index, |device| device.index).ok()?;
        Some(At { namespace: at.namespace, device })
    }
}

impl Namespace {
    fn new(inode: u64, netns: Netns) -> Namespace {
        let (names, pids) = (Vec::new(), Vec::new());
        let devices = Ok(Vec::new());
        Namespace { inode, names, pids, owner: None, own: false, root: false, devices, netns, file: None }
    }

    /// How a machine finds it.
    fn netns(&self) -> &Netns {
        // Nobody needs privileges where they are already.
        if self.own { &Netns::Current } else { &self.netns }
    }

    /// What it is called after a device's name.
    pub(crate) fn name(&self) -> String {
        match (self.names.first(), self.pids.first()) {
            (Some(name), _) => name.clone(),
            _ if self.root => "root".to_owned(),
            _ if self.own => "here".to_owned(),
            (_, Some(pid)) => format!("pid {pid}"),
            (_, None) => format!("inode {}", self.inode),
        }
    }

    /// What stands above it.
    pub(crate) fn title(&self) -> String {
        match (self.names.as_slice(), self.pids.first()) {
            ([], _) if self.root => "root namespace".to_owned(),
            ([], _) if self.own => "this namespace".to_owned(),
            ([], Some(pid)) => format!("namespace of process {pid}"),
            ([], None) => format!("namespace {}", self.inode),
            (names, _) => format!("namespace {}", names.join(", ")),
        }
    }

    /// Whose it is, where that says something.
    pub(crate) fn shown_owner(&self) -> Option<String> {
        if self.own {
            return (!self.root && !self.names.is_empty()).then(|| "here".to_owned());
        }
        self.owner.as_ref().filter(|_| !self.root).map(Owner::to_string)
    }
}
