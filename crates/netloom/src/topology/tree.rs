//! The devices of a namespace as a tree: ports below their bridge, others below the device that they stand on.

use super::{At, Far, Topology};

/// A device in its tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Branch {
    pub(crate) at: At,
    /// How it hangs on the one above; `None` of a root.
    pub(crate) tie: Option<Tie>,
    /// Of each tree above but the root's, from the outside: whether it goes on below this device.
    pub(crate) trunk: Vec<bool>,
    /// Nothing else hangs on the same device below it.
    pub(crate) last: bool,
}

impl Branch {
    /// How many devices it hangs below.
    pub(crate) fn level(&self) -> usize {
        self.tie.map_or(0, |_| self.trunk.len() + 1)
    }
}

/// How a device hangs on another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tie {
    /// It is its port.
    Port,
    /// It stands on it, as a VLAN or a macvlan does.
    Upper,
}

/// Deeper than Linux nests devices.
const DEEPEST: usize = 12;

impl Topology {
    /// Every device of a namespace, in the order of their ifindexes but each below what it hangs on.
    pub(crate) fn tree(&self, namespace: usize) -> Vec<Branch> {
        let devices = self.devices(namespace);
        let parents: Vec<Option<(usize, Tie)>> = (0..devices.len()).map(|at| self.parent(namespace, at)).collect();
        let mut children: Vec<Vec<usize>> = vec![Vec::new(); devices.len()];
        for (child, parent) in parents.iter().enumerate() {
            if let Some(children) = parent.and_then(|(parent, _)| children.get_mut(parent)) {
                children.push(child);
            }
        }
        let mut tree = Vec::new();
        let mut seen = vec![false; devices.len()];
        let is_root = |at: &usize| parents.get(*at).is_some_and(Option::is_none);
        // What hangs on itself, as only a dump that was overtaken can say, comes last.
        for root in (0..devices.len()).filter(is_root).chain(0..devices.len()) {
            let mut waiting = vec![(root, None, Vec::new(), true)];
            while let Some((device, tie, trunk, last)) = waiting.pop() {
                if std::mem::replace(&mut seen[device], true) {
                    continue;
                }
                let below = match tie {
                    None => Vec::new(),
                    Some(_) => trunk.iter().copied().chain([!last]).collect(),
                };
                if below.len() < DEEPEST {
                    let hanging = children[device].iter().enumerate().rev();
                    waiting.extend(hanging.map(|(number, &child)| {
                        let tie = parents.get(child).copied().flatten().map(|(_, tie)| tie);
                        (child, tie, below.clone(), number + 1 == children[device].len())
                    }));
                }
                tree.push(Branch { at: At { namespace, device }, tie, trunk, last });
            }
        }
        tree
    }

    /// What a device hangs on: its master before its lower device.
    fn parent(&self, namespace: usize, device: usize) -> Option<(usize, Tie)> {
        let found = self.device(At { namespace, device })?;
        if let Some(master) = self.master(At { namespace, device }) {
            return Some((master.device, Tie::Port));
        }
        match found.far {
            Some(Far::Found(lower)) if lower.namespace == namespace && !found.is_veth() => {
                Some((lower.device, Tie::Upper))
            }
            _ => None,
        }
    }
}
