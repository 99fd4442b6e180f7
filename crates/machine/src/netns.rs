//! Which namespace of a machine.

use std::io;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::time::Duration;

use crate::Machine;
use crate::host::HostNetnsWatch;

/// A network namespace, as commands name it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Netns {
    /// The one that the calling process is in.
    Current,
    /// A name in `/run/netns`.
    Named(String),
    /// A file: `/proc/PID/ns/net`, or a bind mount of one.
    Path(PathBuf),
    /// The namespace of a process.
    Pid(u32),
}

impl Netns {
    /// A name as `ip -n` takes it: with a slash it is a path, without one a name in `/run/netns`.
    pub fn parse(name: &str) -> Netns {
        if name.contains('/') { Netns::Path(name.into()) } else { Netns::Named(name.to_owned()) }
    }
}

/// Stands for a namespace in netlink attributes that hold a descriptor.
#[derive(Debug)]
pub struct NetnsHandle {
    pub(crate) number: u32,
    /// Keeps the host's descriptor open as long as the number is in use.
    #[allow(dead_code)]
    pub(crate) fd: Option<OwnedFd>,
}

impl NetnsHandle {
    /// The value for `IFLA_NET_NS_FD`, `NETNSA_FD` and the like.
    pub fn number(&self) -> u32 {
        self.number
    }
}

/// The names of namespaces as they come and go.
#[derive(Debug)]
pub struct NetnsWatch<'m>(Inner<'m>);

#[derive(Debug)]
enum Inner<'m> {
    Host(HostNetnsWatch),
    /// An embedded machine says nothing by itself: it is asked again and again.
    Asked {
        machine: &'m Machine,
        known: Vec<String>,
    },
}

/// How often an embedded machine is asked.
const INTERVAL: Duration = Duration::from_millis(20);

impl<'m> NetnsWatch<'m> {
    pub(crate) fn new(machine: &'m Machine) -> io::Result<NetnsWatch<'m>> {
        Ok(NetnsWatch(match machine {
            Machine::Host(_) => Inner::Host(HostNetnsWatch::new()?),
            Machine::Embedded(_) => Inner::Asked { machine, known: machine.netns_list()? },
        }))
    }

    /// Waits until something changes: names, and whether each is new (or gone).
    pub fn wait(&mut self) -> io::Result<Vec<(String, bool)>> {
        let (machine, known) = match &mut self.0 {
            Inner::Host(watch) => return watch.wait(),
            Inner::Asked { machine, known } => (machine, known),
        };
        loop {
            let names = machine.netns_list()?;
            let new = names.iter().filter(|name| !known.contains(name)).map(|name| (name.clone(), true));
            let gone = known.iter().filter(|name| !names.contains(name)).map(|name| (name.clone(), false));
            let changes: Vec<_> = new.chain(gone).collect();
            *known = names;
            if !changes.is_empty() {
                return Ok(changes);
            }
            std::thread::sleep(INTERVAL);
        }
    }
}
