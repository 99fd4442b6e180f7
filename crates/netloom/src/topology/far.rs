//! Which two veth devices belong together. An ifindex alone doesn't tell: every namespace counts for itself.

use std::collections::HashMap;
use std::io;

use super::links::{Links, Veth};
use super::namespaces::{Id, Namespaces};

/// One end: which namespace of [`Namespaces::all`], and the device.
#[derive(Clone, Debug)]
pub(crate) struct End {
    pub(crate) namespace: usize,
    pub(crate) veth: Veth,
}

/// The other end.
#[derive(Clone, Debug)]
pub(crate) enum Far {
    /// It was found, and leads back.
    Found(End),
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

/// A veth pair. The near end is in this process's own namespace, if one of them is.
#[derive(Clone, Debug)]
pub(crate) struct Pair {
    pub(crate) near: End,
    pub(crate) far: Far,
}

/// Every veth pair that has at least one end in a namespace that can be entered.
pub(crate) fn find(namespaces: &Namespaces) -> Vec<Pair> {
    let mut links: Vec<io::Result<Links>> =
        namespaces.all.iter().map(|namespace| Links::read(&namespace.netns())).collect();
    let numbers: Vec<HashMap<i32, usize>> = links
        .iter_mut()
        .map(|links| links.as_mut().map_or_else(|_| HashMap::new(), |links| nsids(links, namespaces)))
        .collect();
    let far_namespace = |at: usize, veth: &Veth| match veth.peer_nsid {
        None => Some(at),
        Some(nsid) => numbers.get(at).and_then(|numbers| numbers.get(&nsid)).copied(),
    };
    let mut pairs: Vec<Pair> = Vec::new();
    for (at, readable) in links.iter().enumerate() {
        for veth in readable.iter().flat_map(|links| &links.veths) {
            // It is the far end of a pair that is known already.
            let is = |end: &End| end.namespace == at && end.veth.index == veth.index;
            if pairs.iter().any(|pair| matches!(&pair.far, Far::Found(end) if is(end))) {
                continue;
            }
            let far = match (far_namespace(at, veth), veth.peer) {
                (Some(namespace), Some(index)) => match links.get(namespace) {
                    Some(Ok(links)) => {
                        let leads_back = |other: &&Veth| {
                            other.index == index
                                && other.peer == Some(veth.index)
                                && far_namespace(namespace, other) == Some(at)
                        };
                        match links.veths.iter().find(leads_back) {
                            Some(other) => Far::Found(End { namespace, veth: other.clone() }),
                            None => Far::Unknown { index: Some(index), reason: "it went meanwhile".to_owned() },
                        }
                    }
                    Some(Err(error)) => Far::Closed { namespace, index, reason: error.to_string() },
                    None => Far::Unknown { index: Some(index), reason: "its namespace went meanwhile".to_owned() },
                },
                (_, index) => Far::Unknown { index, reason: unseen(namespaces) },
            };
            pairs.push(Pair { near: End { namespace: at, veth: veth.clone() }, far });
        }
    }
    pairs
}

/// The namespaces that one has numbers for.
fn nsids(links: &mut Links, namespaces: &Namespaces) -> HashMap<i32, usize> {
    // Most have no device that leads elsewhere, and are asked nothing.
    if links.veths.iter().all(|veth| veth.peer_nsid.is_none()) {
        return HashMap::new();
    }
    let all = namespaces.all.iter().enumerate();
    all.filter_map(|(at, namespace)| Some((links.nsid_of(&namespace.netns())?, at))).collect()
}

fn unseen(namespaces: &Namespaces) -> String {
    match namespaces.hidden {
        0 => "its namespace has no name and no process here".to_owned(),
        hidden => format!("its namespace can't be seen; {hidden} processes' can't be looked at without root"),
    }
}

/// Device and inode of the namespace of a process.
pub(crate) fn namespace_of(pid: u32) -> io::Result<Id> {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata(format!("/proc/{pid}/ns/net")).map(|found| (found.dev(), found.ino()))
}
