//! Which namespace of a machine.

use std::os::fd::OwnedFd;
use std::path::PathBuf;

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
